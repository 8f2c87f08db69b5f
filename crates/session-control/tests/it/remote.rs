//! Agents worked with over a stock sshd, by both ways there are to one: an original one, which is helped to behave.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use remote_transfer::{Target, TransportKind};
use session_control::{AgentError, Holder, HostError, RemoteHost, Request, SessionHost, SessionId, Wishes};
use testkit::agent::Agent;
use testkit::docker::Docker;
use testkit::sshd::Sshd;

/// An original agent, and where it is.
pub(crate) struct Far {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) agent: Agent,
    pub(crate) sshd: Sshd,
}

impl Far {
    pub(crate) fn new() -> Self {
        Self::of(|folder| Agent::new(folder, &folder.join("base")))
    }

    fn of(agent: impl FnOnce(&std::path::Path) -> Agent) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("base")).unwrap();
        let agent = agent(folder.path());
        let sshd = Sshd::start(&[&agent.subsystem()]);
        Self { folder, agent, sshd }
    }

    pub(crate) fn base(&self) -> PathBuf {
        self.folder.path().join("base")
    }

    fn host(&self, kind: TransportKind) -> RemoteHost {
        RemoteHost::new("k7m2p9x4qwzt".to_owned(), kind.open(target(&self.sshd)))
    }
}

pub(crate) fn target(sshd: &Sshd) -> Target {
    Target {
        user: Some("root".to_owned()),
        port: Some(sshd.port()),
        identity: Some(sshd.identity()),
        known_hosts: Some(sshd.known_hosts()),
        ..Target::new("127.0.0.1")
    }
}

fn wishes(name: &str) -> Wishes {
    Wishes { name: name.to_owned(), ..Wishes::default() }
}

/// A whole life, but for what takes a container.
fn lives(kind: TransportKind) {
    let far = Far::new();
    let mut host = far.host(kind);
    assert!(!host.ping().unwrap().is_ours());
    assert_eq!(host.list().unwrap(), []);
    let wished =
        Wishes { port: -1, protocol: "UDP".to_owned(), dns_name: "Web".to_owned(), ..wishes("a <b>") };
    let error = host.create(&wished).unwrap_err();
    assert_eq!(error.code(), "invalid", "an original looks at no name: {error}");
    let made = host.create(&Wishes { name: "a b".to_owned(), ..wished }).unwrap();
    assert_eq!((made.port, &*made.protocol, &*made.dns_name), (1001, "udp", "web"));
    let id: SessionId = made.id().unwrap();
    fs::write(far.base().join(id.as_str()).join("notes"), "months of conversation").unwrap();

    let copy = host.duplicate(&id, "copy").unwrap();
    assert_eq!((copy.port, &*copy.protocol, &*copy.dns_name), (0, "udp", ""));
    assert!(far.base().join(&copy.uuid).join("notes").exists());
    let edited = host.edit(&id, &Wishes { port: 53, ..wishes("edited") }).unwrap();
    assert_eq!((&*edited.name, edited.port, &*edited.protocol, &*edited.dns_name), ("edited", 53, "tcp", ""));
    assert_eq!(host.get(&id).unwrap(), edited);
    let mut ids = [made.uuid.clone(), copy.uuid.clone()];
    ids.sort();
    assert_eq!(host.list().unwrap().iter().map(|session| session.uuid.clone()).collect::<Vec<_>>(), ids);

    // A lock whose owner lives keeps it, one that speaks for nobody does not.
    let lock = far.base().join(format!("{id}.lock"));
    fs::write(&lock, std::process::id().to_string()).unwrap();
    assert_eq!(host.unlock(&id, Holder::Anybody).unwrap_err().code(), "locked");
    assert_eq!(host.delete(&id).unwrap_err().code(), "locked");
    fs::write(&lock, "x").unwrap();
    host.delete(&id).unwrap();
    assert!(!far.base().join(id.as_str()).exists() && !lock.exists());
    assert_eq!(host.delete(&id).unwrap_err().code(), "no-such-session");
    assert!(far.base().join(&copy.uuid).exists());
    assert_eq!(far.agent.asked().matches("\"ping\"").count(), 1, "it is asked once what it is");
    assert!(!far.agent.asked().contains("force"), "an original refuses what it does not know");
}

#[test]
fn a_session_of_an_original_agent_lives_as_any_other_over_the_systems_ssh() {
    lives(TransportKind::OpenSsh);
}

#[test]
fn a_session_of_an_original_agent_lives_as_any_other_over_the_ssh_inside() {
    lives(TransportKind::LibSsh2);
}

#[test]
fn what_an_sshd_or_an_original_says_besides_is_not_taken_for_an_answer() {
    let far = Far::new();
    // As a login shell's start-up files do.
    let program = far.folder.path().join("agent-api/program");
    let wrapper = far.folder.path().join("wrapper");
    let script = format!("#!/bin/sh\necho 'Welcome to agent-1!' >&2\n{} | tr -d '\\n'\n", program.display());
    fs::write(&wrapper, script).unwrap();
    fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755)).unwrap();
    let subsystem = format!("Subsystem convocate-agent-rpc {}", wrapper.display());
    let far = Far { sshd: Sshd::start(&[&subsystem]), ..far };
    for kind in [TransportKind::OpenSsh, TransportKind::LibSsh2] {
        let mut host = far.host(kind);
        assert_eq!(host.list().unwrap(), []);
        let made = host.create(&wishes("a")).unwrap();
        host.delete(&made.id().unwrap()).unwrap();
    }
}

#[test]
fn a_session_that_is_not_understood_hides_no_other_of_its_agent() {
    let far = Far::new();
    let [whole, broken] = [1, 2].map(|n| format!("{n:08x}-5b6a-4c7d-8e9f-0a1b2c3d4e5f"));
    let rows = format!(
        "{{\"uuid\":\"{whole}\",\"name\":null,\"port\":null,\"running\":null}},\
         {{\"uuid\":\"{broken}\",\"port\":\"8080\"}},7"
    );
    far.agent.answers("list", &format!("{{\"ok\":true,\"result\":[{rows}]}}\n"));
    let mut host = far.host(TransportKind::OpenSsh);
    let listed = host.list().unwrap();
    assert_eq!(listed.iter().map(|session| &session.uuid).collect::<Vec<_>>(), [&whole]);
    let told: Vec<_> = host.findings().into_iter().map(|finding| finding.message).collect();
    let why = "is not listed: what is said of it is not understood";
    assert_eq!(told, [format!("session {broken} {why}"), format!("a session {why}")]);

    far.agent.answers("list", "{\"ok\":true,\"result\":7}\n");
    let error = host.list().unwrap_err().to_string();
    assert!(error.ends_with("says what is not understood"), "{error}");
}

#[test]
fn what_is_late_is_told_with_its_agent_and_its_question() {
    let far = Far::new();
    far.agent.answers("list", "silence");
    let error = far.host(TransportKind::OpenSsh).list().unwrap_err();
    let said = error.to_string();
    assert!(matches!(error, HostError::Agent(AgentError::Silent { .. })), "{said}");
    assert!(said.contains("\"list\"") && said.contains("root@127.0.0.1"), "{said}");
    let id: SessionId = "3f0c1d2e-5b6a-4c7d-8e9f-0a1b2c3d4e5f".parse().unwrap();
    let within = [Request::List, Request::Kill(id.clone()), Request::Restart(id)].map(|it| it.within());
    assert_eq!(within, [10, 30, 120].map(Duration::from_secs));
}

#[test]
fn an_original_agents_container_is_stopped_before_its_home_is_removed() {
    let docker = Docker::start();
    let far =
        Far::of(|folder| Agent::with_engine(folder, &folder.join("base"), &docker, &["--network=none"]));
    let mut host = far.host(TransportKind::OpenSsh);
    let made = host.create(&wishes("a")).unwrap();
    let id = made.id().unwrap();
    host.restart(&id).unwrap();
    assert_eq!(host.restart(&id).unwrap_err().code(), "already-running");
    assert!(host.get(&id).unwrap().running && host.list().unwrap()[0].running);
    host.delete(&id).unwrap();
    assert_eq!(docker.run(&["ps", "--all", "--quiet"]), "", "its container runs on without a home");
    assert!(!far.base().join(id.as_str()).exists());
}
