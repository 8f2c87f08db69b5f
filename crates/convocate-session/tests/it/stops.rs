//! Whoever wants to stop is not kept waiting by a host that is silent, and loses nothing.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use session_control::Request;
use testkit::cluster::AGENTS;

use crate::movers::Halted;
use crate::place::uuid;
use crate::two::Two;

const B: &str = AGENTS[1];

/// A move under way.
struct Moving(Child);

impl Moving {
    fn begin(two: &Two) -> Self {
        let program = two.tool(&["move", "one", "--to", B, "--json"]);
        let mut words = program.words();
        let mut command = Command::new(words.next().unwrap());
        command
            .args(words)
            .env("DOCKER_HOST", two.docker.host())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        Self(command.spawn().unwrap())
    }

    /// Waits until this is there.
    fn until(&mut self, is_there: impl Fn() -> bool) {
        while !is_there() {
            assert!(self.0.try_wait().unwrap().is_none(), "it has ended");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Interrupts it: it ends, and says so. Whoever has only given up the silent host says that the link was lost.
    fn stops(self) -> Value {
        let interrupted = Command::new("kill").args(["-INT", &self.0.id().to_string()]).status().unwrap();
        assert!(interrupted.success());
        let ended = self.0.wait_with_output().unwrap();
        assert_eq!(ended.status.code(), Some(130), "{}", String::from_utf8_lossy(&ended.stdout));
        serde_json::from_slice(&ended.stdout).unwrap()
    }
}

/// Whether something of this name is in a folder of this folder.
fn has(folder: &Path, name: &str) -> bool {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).any(|path| path.join(name).exists())
}

#[test]
fn whoever_wants_to_stop_is_heard_while_it_comes_while_it_goes_and_while_it_is_looked_at() {
    let two = Two::new();
    two.lay(0, 1, "one");
    fs::write(two.session(0, 1).join("large"), vec![7; 64 << 20]).unwrap();
    let before = two.all();
    let silence = |host: usize, silent| two.cluster.agent(host).sshd().is_silent(silent);

    let mut moving = Moving::begin(&two);
    moving.until(|| has(&two.state().join("fetched"), "part"));
    silence(0, true);
    let stopped = moving.stops();
    silence(0, false);
    assert!(stopped["run"].is_null() && stopped["error"]["code"] == "stopped", "{stopped}");
    two.assert_same(&before, "stopped while it came");

    let mut moving = Moving::begin(&two);
    moving.until(|| two.base(1).join(format!(".incoming-{}", uuid(1))).exists());
    silence(1, true);
    let stopped = moving.stops();
    silence(1, false);
    assert!(stopped["run"].is_string(), "{stopped}");
    two.says(0, &["undo"]);
    two.assert_same(&before, "stopped while it went");

    // A question has an end of its own, which nobody is told of: only an end before that one shows who was heard. Where
    // the machine is busy that may take another try.
    let was_heard = || {
        let halted = Halted::when(&two, 1, &two.session(1, 1));
        let moving = Moving::begin(&two);
        halted.is_waited_for();
        let asked = Instant::now();
        let stopped = moving.stops();
        let is_early = asked.elapsed() < Request::List.within() / 2;
        halted.goes_on();
        assert!(two.session(0, 1).exists(), "{stopped}");
        two.says(0, &["resume"]);
        assert!(!two.session(0, 1).exists());
        two.says(0, &["undo"]);
        two.assert_same(&before, "stopped while it was looked at");
        is_early
    };
    assert!((0..6).any(|_| was_heard()), "it was stopped by something else");
}
