//! What happens to the old files between a plan and its execution: the tool is stopped there, and goes on afterwards.

use std::fs;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::world::{World, item};

const CHANGED: &str = "4c1d90aa-7be2-4f13-8a60-2e5b6f7c8d90";

/// A run that has made its plan, and waits.
pub(crate) struct Waiting {
    strace: Child,
    tool: String,
}

/// Starts it, to be stopped by its first sync: that of its plan.
pub(crate) fn planned(world: &World, more: &[&str]) -> Waiting {
    let mut strace = Command::new("strace");
    strace.args(["-qq", "-f", "-o", "/dev/null", "-e", "trace=fsync,fdatasync"]);
    strace.args(["-e", "inject=fsync,fdatasync:signal=SIGSTOP:when=1", "--"]);
    strace.arg(env!("CARGO_BIN_EXE_openclaw-migrate")).arg(world.workspace()).args(more);
    strace.env("HOME", world.home()).env("REHOME_STATE_DIR", world.state());
    let child = strace.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut waiting = Waiting { strace: child, tool: String::new() };
    let begun = Instant::now();
    let children = format!("/proc/{0}/task/{0}/children", waiting.strace.id());
    loop {
        assert!(begun.elapsed() < Duration::from_mins(1), "it does not sync its plan");
        let children = fs::read_to_string(&children).unwrap_or_default();
        let tool = children.split_whitespace().next().unwrap_or("-").to_owned();
        let state = fs::read_to_string(format!("/proc/{tool}/stat")).unwrap_or_default();
        let is_tool =
            fs::read_to_string(format!("/proc/{tool}/comm")).is_ok_and(|comm| comm.starts_with("openclaw"));
        if is_tool
            && world.state().exists()
            && state.rsplit(") ").next().is_some_and(|state| state.starts_with(['t', 'T']))
        {
            // Between two of its calls strace stops it as well, but never for long.
            std::thread::sleep(Duration::from_millis(50));
            let now = fs::read_to_string(format!("/proc/{tool}/stat")).unwrap_or_default();
            if now == state {
                waiting.tool = tool;
                return waiting;
            }
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

impl Waiting {
    /// Each of its threads may have been stopped by a first sync of its own.
    pub(crate) fn goes_on(mut self) -> Output {
        while self.strace.try_wait().unwrap().is_none() {
            let _ = Command::new("kill").args(["-CONT", &self.tool]).stderr(Stdio::null()).status();
            std::thread::sleep(Duration::from_millis(10));
        }
        self.strace.wait_with_output().unwrap()
    }
}

#[test]
fn a_session_that_changes_after_the_plan_fails_alone() {
    for format in ["python", "openclaw"] {
        let world = World::of("app");
        let waiting = planned(&world, &["--format", format, "--remove-originals", "--json"]);
        let changed = world.sessions().join(format!("{CHANGED}.json"));
        let text = fs::read_to_string(&changed).unwrap().replace("alder", "birch");
        fs::write(&changed, &text).unwrap();
        let output = waiting.goes_on();
        world.ended(3, &[format], &output);
        let report = serde_json::from_slice(&output.stdout).unwrap();
        let failed = item(&report, CHANGED);
        assert_eq!((&failed["bucket"], &failed["reason"]), (&json!("failed"), &json!("source-changed")));
        assert_eq!(report["summary"]["failed"], json!(2), "the map stays with it: {report:#}");
        assert_eq!(report["summary"]["migrated"], json!(2));
        assert_eq!(fs::read_to_string(&changed).unwrap(), text);
        let folder = if format == "python" { world.sessions() } else { world.agent() };
        assert!(!folder.join(format!("{CHANGED}.jsonl")).exists());
        let store = fs::read_to_string(folder.join("sessions.json")).unwrap();
        assert!(!store.contains(CHANGED), "an entry leads nowhere: {store}");
        world.say(0, &["verify"]);
        world.migrate(0, &["--format", format]);
        world.say(0, &["verify"]);
        assert!(fs::read_to_string(folder.join(format!("{CHANGED}.jsonl"))).unwrap().contains("birch"));
        world.assert_tidy(format);
    }
}

#[test]
fn what_others_add_to_the_store_after_the_plan_stays_and_costs_no_other_session() {
    let shares = format!("{CHANGED}.jsonl");
    for (key, theirs) in [
        ("agent:main:4c1d90aa", json!({"session_id": "x", "updated_at": 1})),
        ("new", json!({"session_id": "x", "session_file": shares, "updated_at": 1})),
        ("new", json!({"session_id": CHANGED, "updated_at": 1})),
    ] {
        let world = World::of("app");
        let waiting = planned(&world, &["--json"]);
        let others = json!({"session_id": "y", "updated_at": 2});
        world.put("sessions.json", json!({key: theirs, "others": others}).to_string());
        let output = waiting.goes_on();
        world.ended(3, &["that one alone"], &output);
        let report = serde_json::from_slice(&output.stdout).unwrap();
        let taken = item(&report, CHANGED);
        assert_eq!(
            (&taken["bucket"], &taken["reason"]),
            (&json!("conflict"), &json!("occupied")),
            "{theirs}"
        );
        assert!(!world.sessions().join(&shares).exists(), "a transcript without an entry");
        let store = world.store();
        assert_eq!((&store[key], &store["others"]), (&theirs, &others));
        assert_eq!(store["agent:main:telegram:dm:ada"]["session_id"], "9e2f4b6d-1c3a-4e5f-a7b8-c9d0e1f2a3b4");
        world.say(0, &["verify"]);
        world.assert_tidy(key);
        world.say(0, &["undo"]);
        assert_eq!(world.store(), json!({key: theirs, "others": others}));
    }
}

#[test]
fn a_transcript_that_somebody_puts_there_after_the_plan_stays() {
    let world = World::of("app");
    let waiting = planned(&world, &["--json"]);
    let name = format!("{CHANGED}.jsonl");
    world.put(&name, "{\"role\": \"user\"}\n");
    let output = waiting.goes_on();
    world.ended(3, &["occupied"], &output);
    assert_eq!(fs::read_to_string(world.sessions().join(name)).unwrap(), "{\"role\": \"user\"}\n");
}
