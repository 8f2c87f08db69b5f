//! What happens to sessions, told to whoever listens.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use testkit::cluster::AGENTS;

use crate::place::{Shell, Typing, lay, uuid};

/// Somebody who listens, until he is dropped.
struct Listening(Child);

impl Listening {
    fn to(shell: &Shell, words: &[&str]) -> (Self, impl Iterator<Item = String>) {
        let program = shell.tool(&[&["events", "--every", "1"], words].concat());
        let mut words = program.words();
        let mut command = Command::new(words.next().unwrap());
        command.args(words).env("DOCKER_HOST", shell.docker().host());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut begun = String::new();
        BufReader::new(child.stderr.take().unwrap()).read_line(&mut begun).unwrap();
        assert_eq!(begun, "watching: 1 sessions, 0 hosts unreachable\n");
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        (Self(child), lines)
    }

    /// Interrupts it, and gives how it ended.
    fn ends(mut self) -> Option<i32> {
        let pid = self.0.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
        self.0.wait().unwrap().code()
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn what_happens_on_any_agent_is_told_while_it_happens_whoever_does_it() {
    let shell = Shell::new();
    lay(shell.cluster.agent(0).base(), 1, "one", &[]);
    let (listening, mut lines) = Listening::to(&shell, &["--json"]);
    let mut next = || -> (String, Value) {
        let event: Value = serde_json::from_str(&lines.next().unwrap()).unwrap();
        (format!("{} {}", event["type"].as_str().unwrap(), event["agent_id"].as_str().unwrap()), event)
    };
    shell.says(0, &["new", "two", "--agent", AGENTS[1]]);
    let (kind, event) = next();
    assert_eq!(kind, format!("container.created {}", AGENTS[1]));
    assert_eq!(event["data"]["name"], "two");
    shell.says(0, &["edit", "one", "--port", "auto"]);
    let (kind, event) = next();
    assert_eq!(kind, format!("container.edited {}", AGENTS[0]));
    assert_eq!((&event["session_id"], &event["data"]["port"]), (&uuid(1).into(), &1001.into()));
    shell.says(0, &["move", "one", "--to", AGENTS[1]]);
    let (kind, event) = next();
    assert_eq!((kind, &event["session_id"]), (format!("session.moved {}", AGENTS[1]), &uuid(1).into()));
    shell.says(0, &["clone", "one", "three", "--to", AGENTS[0]]);
    let (kind, event) = next();
    assert_eq!(kind, format!("container.created {}", AGENTS[0]));
    assert_eq!(event["data"]["name"], "three");
    std::fs::remove_dir_all(shell.cluster.agent(1).base().join(uuid(1))).unwrap();
    assert_eq!(next().0, format!("container.deleted {}", AGENTS[1]));
    assert_eq!(listening.ends(), Some(130));
}
