//! An agent of ours, asked as sshd asks it, whose container engine hangs, refuses or takes its time.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::place::{lay, uuid};

/// A machine with sessions, and an engine that is a script.
struct Agent(tempfile::TempDir);

impl Agent {
    fn new(engine: &str) -> Self {
        let agent = Self(testkit::crash::place());
        fs::create_dir(agent.at("base")).unwrap();
        fs::write(agent.at("claude"), "").unwrap();
        fs::write(agent.at("docker"), format!("#!/bin/sh\n{engine}\n")).unwrap();
        fs::set_permissions(agent.at("docker"), fs::Permissions::from_mode(0o755)).unwrap();
        agent
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn tool(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_convocate-session"));
        let places =
            [("--base", "base"), ("--agent-dir", "agent"), ("--docker", "docker"), ("--claude", "claude")];
        for (option, name) in
            places.into_iter().chain([("--agent-keys-dir", "keys"), ("--state-dir", "state")])
        {
            command.arg(option).arg(self.at(name));
        }
        command.args(words);
        command
    }

    /// All that it says to a question, byte for byte.
    fn says(&self, question: &Value) -> String {
        says_to(self.tool(&["agent", "rpc"]), question)
    }

    fn answers(&self, question: &Value) -> Value {
        serde_json::from_str(&self.says(question)).unwrap()
    }

    fn tells(&self, code: i32, words: &[&str]) -> Value {
        let output = self.tool(&[words, &["--json"]].concat()).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

fn says_to(mut command: Command, question: &Value) -> String {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    // An agent that cannot begin says so without having read; its end of the pipe may be closed already.
    let _ = writeln!(child.stdin.take().unwrap(), "{question}");
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
}

/// Two that run, as far as `ps` goes, and one that does not.
fn with_sessions(engine: &str) -> Agent {
    let names: String = [1, 2].map(|n| format!("echo convocate-session-{}", uuid(n))).join("; ");
    let agent = Agent::new(&format!("case $1 in ps) {names};; *) {engine};; esac"));
    for n in 1..=3 {
        lay(&agent.at("base"), n, &format!("session {n}"), &[]);
    }
    agent
}

#[test]
fn a_container_that_hangs_hides_no_session_from_whoever_asks_over_there() {
    let agent = with_sessions("exec sleep 1000");
    let listed = agent.answers(&json!({"op": "list", "params": null}));
    let told =
        |session: &Value| [&session["uuid"], &session["running"], &session["unknown"]].map(Clone::clone);
    let told: Vec<_> = listed["result"].as_array().unwrap().iter().map(told).collect();
    let runs = |n| [json!(uuid(n)), json!(true), json!("attached")];
    assert_eq!(told, [runs(1), runs(2), [json!(uuid(3)), Value::Null, Value::Null]]);
    let document = agent.tells(0, &["list"]);
    let item = document["items"].as_array().unwrap().iter().find(|item| item["uuid"] == uuid(1)).unwrap();
    assert_eq!(
        [&item["status"], &item["running"], &item["attached"]],
        [&json!("R"), &json!(true), &Value::Null]
    );
    // Whoever may be attached is not thrown out unasked.
    let document = agent.tells(2, &["delete", &uuid(1), "--yes"]);
    assert_eq!(document["error"]["code"], "not-confirmed", "{document}");
    assert!(agent.at("base").join(uuid(1)).exists());
}

#[test]
fn where_the_engine_refuses_sessions_are_shown_as_they_lie_and_nothing_is_done_to_them() {
    let agent = with_sessions("exit 1");
    fs::write(agent.at("docker"), "#!/bin/sh\necho permission denied >&2\nexit 1\n").unwrap();
    let document = agent.tells(0, &["list"]);
    let items = document["items"].as_array().unwrap();
    assert_eq!(items.len(), 3);
    assert!(items.iter().all(|item| item["status"] == "?" && item["running"].is_null()), "{document}");
    let finding = &document["findings"][0];
    assert_eq!([&finding["level"], &finding["code"]], ["warning", "container"]);
    let message = finding["message"].as_str().unwrap();
    assert!(message.contains("permission denied") && message.ends_with("docker ps tells more"), "{message}");
    assert_eq!(agent.tells(0, &["show", &uuid(1)])["items"][0]["status"], "?");

    // Over there an original client reads what it knows, and ours the rest.
    let listed = agent.answers(&json!({"op": "list", "params": null}));
    assert_eq!(listed["findings"][0]["code"], "container");
    let session = agent.answers(&json!({"op": "get", "params": {"id": uuid(1)}}))["result"].clone();
    assert_eq!((&session["running"], &session["unknown"]), (&Value::Null, &json!("running")));
    for op in ["kill", "delete", "restart", "background"] {
        let answer = agent.answers(&json!({"op": op, "params": {"id": uuid(1)}}));
        assert_eq!((&answer["ok"], &answer["code"]), (&json!(false), &json!("container")), "{op}: {answer}");
    }
    for words in [&["kill", "session 1", "--yes"][..], &["delete", "session 1", "--yes", "--connected"]] {
        assert_eq!(agent.tells(4, words)["error"]["code"], "container", "{words:?}");
    }
    assert!((1..=3).all(|n| agent.at("base").join(uuid(n)).join("session.json").exists()));
}

#[test]
fn what_was_left_behind_is_shown_though_no_engine_answers_and_nobody_without_sessions_asks_one() {
    let asked = "echo \"$@\" >> $(dirname $0)/asked; exit 1";
    let agent = Agent::new(asked);
    assert_eq!(agent.tells(0, &["list"])["findings"], json!([]));
    fs::create_dir(agent.at("keys")).unwrap();
    lay(&agent.at("base"), 1, "left", &[]);
    let document = agent.tells(0, &["list"]);
    assert_eq!((&document["items"][0]["status"], &document["findings"]), (&json!("O"), &json!([])));
    assert!(!agent.at("asked").exists(), "{}", fs::read_to_string(agent.at("asked")).unwrap());
}

#[test]
fn whoever_waits_for_something_long_is_shown_that_it_is_being_done() {
    let agent = Agent::new("case $1 in ps) ;; run) sleep 5;; *) exit 1;; esac");
    lay(&agent.at("base"), 1, "slow", &[]);
    let said = agent.says(&json!({"op": "restart", "params": {"id": uuid(1)}}));
    let answer = said.trim_start_matches(' ');
    assert_eq!(answer, "{\"ok\":true,\"result\":{}}\n");
    assert!(answer.len() < said.len(), "{said:?}");
    // What is short has no blanks before it.
    assert!(agent.says(&json!({"op": "ping", "params": null})).starts_with('{'));
}

#[test]
fn an_agent_that_cannot_begin_says_why_where_it_is_read() {
    let agent = Agent::new("exit 1");
    fs::remove_dir(agent.at("base")).unwrap();
    let answer = agent.answers(&json!({"op": "list", "params": null}));
    let said = format!("there is no folder {}", agent.at("base").display());
    assert_eq!(answer, json!({"ok": false, "error": said, "code": "base"}));
    let attach = says_to(agent.tool(&["agent", "attach"]), &json!({"id": uuid(1)}));
    assert_eq!(serde_json::from_str::<Value>(&attach).unwrap()["error"], said);
}

#[test]
fn a_folder_of_sessions_that_was_named_and_is_not_there_is_refused_by_its_option() {
    let agent = Agent::new("exit 1");
    fs::remove_dir(agent.at("base")).unwrap();
    let error = agent.tells(4, &["list"])["error"].clone();
    assert_eq!(error["code"], "base");
    assert!(error["hint"].as_str().unwrap().contains("--base DIR"), "{error}");
}

#[test]
fn on_a_shell_host_this_machine_alone_is_shown_without_a_resolver_and_gets_no_sessions() {
    let agent = Agent::new("exit 1");
    for (id, host) in [("far", "far.example.com"), ("odd", "a b c")] {
        let keys = agent.at("keys").join(id);
        fs::create_dir_all(&keys).unwrap();
        fs::write(keys.join("shell_to_agent_ed25519_key"), "").unwrap();
        fs::write(keys.join("agent-host"), host).unwrap();
    }
    fs::write(agent.at("keys/odd/session-control.json"), "what is this?").unwrap();
    lay(&agent.at("base"), 1, "left", &[]);
    let log = agent.at("log");
    let listing = agent.tool(&["list", "--local"]);
    let mut traced = Command::new("strace");
    traced.args(["-f", "-e", "trace=openat,connect", "-o"]).arg(&log);
    let output = traced.arg(listing.get_program()).args(listing.get_args()).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).contains("(orphan)"), "{output:?}");
    let log = fs::read_to_string(log).unwrap();
    assert!(log.contains("session.json") && !log.contains("resolv.conf") && !log.contains(":53"), "{log}");

    let error = agent.tells(4, &["new", "a", "--local"])["error"].clone();
    assert_eq!(error["code"], "shell-host", "{error}");
    assert_eq!(agent.tells(0, &["agents", "--local"])["items"], json!([]));
}
