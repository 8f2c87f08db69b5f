//! What an agent says is understood, and what it does not say is told from it.

use std::fs;
use std::time::Duration;

use remote_transfer::{OpenSsh, Target};
use serde_json::{Value, json};
use session_control::{AgentError, call, get, list, ping};
use testkit::agent::Agent;
use testkit::sshd::Sshd;

const UUID: &str = "3f0c1d2e-5b6a-4c7d-8e9f-0a1b2c3d4e5f";

struct Host {
    folder: tempfile::TempDir,
    agent: Agent,
    sshd: Sshd,
}

impl Host {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("base")).unwrap();
        let agent = Agent::new(folder.path(), &folder.path().join("base"));
        let sshd = Sshd::start(&[&agent.subsystem()]);
        Self { folder, agent, sshd }
    }

    fn has(&self, uuid: &str) {
        let session = self.folder.path().join("base").join(uuid);
        fs::create_dir(&session).unwrap();
        let document =
            json!({"uuid": uuid, "name": "billing", "port": 8080, "dns_name": "Billing", "later": [1]});
        fs::write(session.join("session.json"), document.to_string()).unwrap();
    }

    fn link(&self) -> OpenSsh {
        OpenSsh::new(Target {
            host: "127.0.0.1".to_owned(),
            user: Some("root".to_owned()),
            port: Some(self.sshd.port()),
            identity: Some(self.sshd.identity()),
            known_hosts: Some(self.sshd.known_hosts()),
            ssh_config: None,
            accept_new_host_key: false,
            silence: Duration::from_secs(30),
        })
    }
}

#[test]
fn an_agent_with_no_sessions_has_none_and_one_with_some_tells_of_them() {
    let host = Host::new();
    assert_eq!(ping(&mut host.link()).unwrap().agent_id, "k7m2p9x4qwzt");
    assert_eq!(list(&mut host.link()).unwrap(), []);
    assert_eq!(get(&mut host.link(), UUID).unwrap(), None);
    host.has(UUID);
    let [session] = &list(&mut host.link()).unwrap()[..] else { panic!("one session is there") };
    assert_eq!((session.name.as_str(), session.port, session.running), ("billing", 8080, false));
    assert_eq!(get(&mut host.link(), UUID).unwrap().as_ref(), Some(session));
}

#[test]
fn an_original_agent_is_never_sent_what_it_would_take_for_its_whole_base() {
    let host = Host::new();
    for id in
        ["", ".", "..", "../x", "3F0C1D2E-5B6A-4C7D-8E9F-0A1B2C3D4E5F", "agent-unreachable:k7m2p9x4qwzt"]
    {
        let error = get(&mut host.link(), id).unwrap_err();
        assert!(matches!(error, AgentError::NotAnId { .. }), "{id}: {error}");
    }
    assert_eq!(host.agent.asked(), "");
}

#[test]
fn what_an_agent_refuses_is_not_taken_for_an_absent_session() {
    let host = Host::new();
    host.agent.answers("get", "{\"ok\":false,\"error\":\"failed to parse session metadata: \\u001b[2J\"}\n");
    let error = get(&mut host.link(), UUID).unwrap_err();
    assert!(matches!(error, AgentError::Refused { .. }), "{error}");
    let said = error.to_string();
    assert_eq!(said, "agent op \"get\": failed to parse session metadata: \\u{1b}[2J");
    for free in ["session \\\"x\\\" does not exist", "session not found"] {
        host.agent.answers("get", &format!("{{\"ok\":false,\"error\":\"{free}\"}}\n"));
        assert_eq!(get(&mut host.link(), UUID).unwrap(), None);
    }
}

#[test]
fn an_answer_that_is_none_is_told_as_such() {
    let host = Host::new();
    for garbage in ["Welcome to this host!\n", "{\"ok\":true", "[]\n", "{\"ok\":true,\"result\":7}\n"] {
        host.agent.answers("list", garbage);
        let error = list(&mut host.link()).unwrap_err();
        assert!(matches!(error, AgentError::NotUnderstood { .. }), "{garbage}: {error}");
    }
    host.agent.answers("list", "");
    assert!(matches!(list(&mut host.link()), Err(AgentError::Broken { .. })));
    let without = Sshd::start(&[]);
    let host = Host { sshd: without, ..host };
    let error = list(&mut host.link()).unwrap_err();
    assert!(matches!(&error, AgentError::Link(_)), "{error:?}");
    assert!(error.to_string().contains("does not offer convocate-agent-rpc"), "{error}");
}

#[test]
fn an_agent_that_says_nothing_is_not_waited_for_for_ever() {
    let host = Host::new();
    host.agent.answers("ping", "silence");
    let within = Duration::from_secs(2);
    let error = call::<Value>(&mut host.link(), "ping", &Value::Null, within).unwrap_err();
    let AgentError::Silent { within: waited, .. } = &error else { panic!("{error:?}") };
    assert!(*waited >= within, "{waited:?}");
    let (told, waited) = (error.to_string(), format!("within {} seconds", waited.as_secs()));
    assert!(told.contains("ping") && told.contains("root@127.0.0.1") && told.contains(&waited), "{told}");
}

#[test]
fn an_agent_that_shows_that_it_is_at_work_is_waited_for() {
    let host = Host::new();
    let program = host.folder.path().join("slow");
    // Longer than what it has, and never silent for so long.
    let script = "#!/bin/sh\nread -r asked\nfor i in 1 2 3 4 5 6 7 8 9 10 11 12; do printf ' '; sleep 0.5; done\n\
                  echo '{\"ok\":true,\"result\":7}'\n";
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let subsystem = format!("Subsystem convocate-agent-rpc {}", program.display());
    let host = Host { sshd: Sshd::start(&[&subsystem]), ..host };
    let within = Duration::from_secs(5);
    let said = call::<Value>(&mut host.link(), "clone", &Value::Null, within).unwrap();
    assert_eq!(said, 7);
}
