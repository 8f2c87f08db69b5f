//! Ctrl-C while an engine is at work, here and at an agent; and what an agent does for somebody who has gone.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use session_control::Lock;
use testkit::cluster::Cluster;
use testkit::docker::Docker;

use crate::place::{Shell, Typing, lay, uuid};

/// Waits for something that comes for sure, unless the test fails.
#[track_caller]
fn until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(100), "{what}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// An engine that runs the first session's container. What it is told to do takes until it is `let_go`.
struct Engine(PathBuf);

impl Engine {
    fn in_folder(folder: &Path) -> Self {
        let engine = Self(folder.to_owned());
        let script = format!(
            "#!/bin/sh\ncase $1 in\nps) echo convocate-session-{} ;;\nexec) ;;\n*)\n: >{folder}/at-work\n\
             while [ -e {folder}/at-work ]; do sleep 0.1; done\necho \"$1 is done\"\n: >{folder}/done ;;\nesac\n",
            uuid(1),
            folder = folder.display()
        );
        fs::write(engine.program(), script).unwrap();
        fs::set_permissions(engine.program(), fs::Permissions::from_mode(0o755)).unwrap();
        engine
    }

    fn program(&self) -> PathBuf {
        self.0.join("engine")
    }

    fn is_at_work(&self) -> bool {
        self.0.join("at-work").exists()
    }

    /// It goes on with what it was at, whoever has gone.
    #[track_caller]
    fn let_go(&self) {
        fs::remove_file(self.0.join("at-work")).unwrap();
        until("it does what it was told", || self.0.join("done").exists());
        fs::remove_file(self.0.join("done")).unwrap();
    }
}

/// The tool at work, whose output is kept.
fn begun(there: &impl Typing, words: &[&str]) -> Child {
    let program = there.tool(words);
    let mut words = program.words();
    let mut command = Command::new(words.next().unwrap());
    command.args(words).env("DOCKER_HOST", there.docker().host());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// What it says when somebody presses Ctrl-C.
#[track_caller]
fn interrupted(child: Child) -> Value {
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice::<Value>(&output.stdout).unwrap()["error"].take()
}

/// Somebody presses Ctrl-C while this engine is at work for him.
/// The session is kept until it is done.
#[track_caller]
fn nobody_is_kept(there: &impl Typing, base: &Path, (engine, options): (&Engine, &[&str]), told: [&str; 2]) {
    for n in [1, 2] {
        lay(base, n, ["", "runs", "stands"][n], &[]);
    }
    let all = [
        (&["kill", "runs", "--yes"][..], told[0]),
        (&["delete", "runs", "--yes"], told[0]),
        (&["restart", "stands"], told[1]),
    ];
    for (words, told) in all {
        let child = begun(there, &[words, options, &["--json"]].concat());
        until("the engine is at work", || engine.is_at_work());
        let error = interrupted(child);
        assert_eq!(error["code"], "stopped", "{words:?}: {error}");
        assert!(error["message"].as_str().unwrap().contains(told), "{words:?}: {error}");
        assert_eq!(error["hint"], "convocate-session list shows whether it was done", "{words:?}");
        for n in [1, 2] {
            let lock = || Lock::of(&base.join(uuid(n)));
            let is_at_work = words[0] == ["", "delete", "restart"][n];
            assert_eq!(lock().is_some_and(|lock| lock.owner().is_some()), is_at_work, "{words:?}");
            if is_at_work && n == 2 {
                thread::sleep(Duration::from_secs(3)); // by when an agent has seen that nobody listens
                there.refuses(4, "locked", &[&["delete", "stands", "--yes"], options].concat());
            }
        }
        engine.let_go();
        let is_nobodys = |n| Lock::of(&base.join(uuid(n))).is_none_or(|lock| lock.is_nobodys());
        until("nobody has it any more", || (1..=2).all(is_nobodys));
        assert!((1..=2).all(|n| base.join(uuid(n)).join("session.json").exists()), "{words:?}");
    }
}

#[test]
fn an_engine_that_is_at_work_keeps_nobody_from_leaving_with_ctrl_c_and_goes_on() {
    let place = crate::place::Place::new();
    let engine = Engine::in_folder(place.folder());
    fs::write(place.docker.claude(), "").unwrap();
    let program = engine.program().display().to_string();
    let told =
        ["may go on stopping its container; nothing else was done", "may go on starting its container"];
    nobody_is_kept(&place, &place.base(), (&engine, &["--docker", &program]), told);
    assert_eq!(place.tells(0, &["list"])["findings"], serde_json::json!([]), "nothing is left behind");
}

/// A shell host whose agents have such engines.
fn with_engines() -> (Shell, Engine) {
    let docker = Docker::start();
    fs::write(docker.claude(), "").unwrap();
    let claude = docker.claude();
    let cluster = Cluster::of(&docker, &|verb, place| {
        let (base, folder, claude) = (place.base.display(), place.folder.display(), claude.display());
        let ours = env!("CARGO_BIN_EXE_convocate-session");
        let engine = Engine::in_folder(&place.folder).program();
        let engine = engine.display();
        format!("{ours} agent {verb} --base {base} --agent-dir {folder} --claude {claude} --docker {engine}")
    });
    let engine = Engine(cluster.agent(0).folder().to_owned());
    (Shell { cluster, docker }, engine)
}

#[test]
fn an_agent_whose_engine_is_at_work_keeps_nobody_from_leaving_with_ctrl_c() {
    let (shell, engine) = with_engines();
    let base = shell.cluster.agent(0).base();
    let told = "stopped waiting for root@127.0.0.1:";
    nobody_is_kept(&shell, base, (&engine, &[]), [told, told]);
}

#[test]
fn an_agent_takes_back_what_it_copies_for_somebody_who_has_gone() {
    let (shell, _engine) = with_engines();
    let base = shell.cluster.agent(0).base();
    lay(base, 1, "one", &[]);
    // Nothing but a hole: it takes no room, and longer to copy than anybody waits.
    fs::File::create(base.join(uuid(1)).join("hole")).unwrap().set_len(8 << 40).unwrap();
    let names = || fs::read_dir(base).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let cut_link = || {
        for process in shell.cluster.agent(0).sshd().children() {
            Command::new("kill").args(["-KILL", &process.to_string()]).status().unwrap();
        }
    };
    for by_hand in [true, false] {
        let mut child = begun(&shell, &["clone", "one", "two", "--json"]);
        until("it is being copied", || names().any(|name| name.starts_with(".cloning-")));
        if by_hand {
            assert_eq!(interrupted(child)["code"], "stopped");
        } else {
            cut_link();
            assert_eq!(child.wait().unwrap().code(), Some(1));
        }
        until("the copy is taken back", || names().all(|name| name == uuid(1)));
    }
}

/// What a terminal shows with the tool on it, where Ctrl-C is pressed once it is time.
fn on_a_terminal(there: &impl Typing, words: &[&str], is_time: impl Fn(&str) -> bool) -> String {
    let program = there.tool(words);
    let line: Vec<_> = program.words().map(|word| format!("'{}'", word.display())).collect();
    let shown = there.folder().join("shown");
    let mut script = Command::new("script");
    script.args(["-qefc", &format!("stty cols 150; exec {}", line.join(" "))]).arg(&shown);
    script.env("DOCKER_HOST", there.docker().host()).stdin(Stdio::piped()).stdout(Stdio::null());
    let mut child = script.spawn().unwrap();
    let screen = || String::from_utf8_lossy(&fs::read(&shown).unwrap_or_default()).into_owned();
    until("it is time", || is_time(&screen()));
    child.stdin.as_mut().unwrap().write_all(b"\x03").unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{}", screen());
    screen()
}

#[test]
fn whoever_waits_for_a_copy_at_a_terminal_sees_how_far_it_has_come() {
    let place = crate::place::Place::new();
    place.lay(1, "one", &[]);
    let hole = fs::File::create(place.base().join(uuid(1)).join("hole")).unwrap();
    hole.set_len(8 << 40).unwrap();
    let screen = on_a_terminal(&place, &["clone", "one", "two"], |screen| screen.contains("/8.00 TiB"));
    assert!(screen.contains("copying "), "{screen}");
    let is_copied = |_: &str| {
        let is_copied = fs::read_dir(place.base()).unwrap().count() > 2; // with a lock
        thread::sleep(Duration::from_millis(500)); // by when it would have been shown
        is_copied
    };
    let screen = on_a_terminal(&place, &["clone", "one", "two", "--json"], is_copied);
    assert!(!screen.contains("TiB"), "no program reads that: {screen}");
}
