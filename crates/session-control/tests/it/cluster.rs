//! All hosts of a cluster: two agents behind stock sshds, and what was left behind on their shell host.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use remote_transfer::{Target, TransportKind};
use serde_json::json;
use session_control::{
    Cluster, Containers, Layout, Local, LocalHost, NameError, NotFound, Place, Profile, Registry,
    RegistryError, SessionState, Wishes,
};

use crate::remote::Far;

const FIRST: &str = "3f0c1d2e-5b6a-4c7d-8e9f-0a1b2c3d4e5f";
const SECOND: &str = "3f0c9999-1e2f-4a3b-8c4d-5e6f7a8b9c0d";
const THIRD: &str = "9a8b7c6d-1e2f-4a3b-8c4d-5e6f7a8b9c0d";
const LEFT: &str = "c0ffee00-0000-4000-8000-000000000000";

/// A shell host of two agents.
pub(crate) struct Shell {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) agents: [Far; 2],
}

impl Shell {
    pub(crate) fn new() -> Self {
        let shell = Self { folder: tempfile::tempdir().unwrap(), agents: [Far::new(), Far::new()] };
        for folder in ["base", "registry"] {
            fs::create_dir(shell.folder.path().join(folder)).unwrap();
        }
        for (id, agent) in ["aaaa", "bbbb"].into_iter().zip(&shell.agents) {
            let port = agent.sshd.port();
            let about = json!({"api": "sshd", "port": port, "user": "root", "base": agent.base()});
            shell.registers(id, &format!("root@127.0.0.1:{port}"), &about.to_string());
            fs::copy(agent.sshd.known_hosts(), shell.known_hosts(port)).unwrap();
            fs::copy(agent.sshd.identity(), shell.registry().join(id).join("shell_to_agent_ed25519_key"))
                .unwrap();
        }
        shell
    }

    fn registers(&self, id: &str, host: &str, about: &str) {
        let folder = self.registry().join(id);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("shell_to_agent_ed25519_key"), "").unwrap();
        fs::write(folder.join("agent-host"), host).unwrap();
        fs::write(folder.join("session-control.json"), about).unwrap();
    }

    fn registry(&self) -> PathBuf {
        self.folder.path().join("registry")
    }

    fn base(&self) -> PathBuf {
        self.folder.path().join("base")
    }

    fn known_hosts(&self, port: u16) -> PathBuf {
        self.folder.path().join(format!("known-{port}"))
    }

    fn layout(&self) -> Layout {
        let (around, nowhere) = (self.folder.path().to_owned(), self.folder.path().join("no engine"));
        Layout {
            registry: Registry::at(self.registry()),
            base: self.base(),
            local_id: "local".to_owned(),
            here: Arc::new(move |id, base| {
                let (program, socket) = (nowhere.clone(), nowhere.clone());
                let containers = Containers { program, socket, ..Containers::default() };
                let local = Local::new(base, Profile::CONVOCATE);
                LocalHost::new(Local { id: id.to_owned(), containers, ..local })
            }),
            dial: Arc::new(move |agent| {
                TransportKind::OpenSsh.open(Target {
                    user: Some(agent.api.user.clone()),
                    port: Some(agent.api.port),
                    identity: Some(agent.identity.clone()),
                    known_hosts: Some(around.join(format!("known-{}", agent.api.port))),
                    ..Target::new("127.0.0.1")
                })
            }),
        }
    }

    pub(crate) fn cluster(&self) -> Cluster {
        Cluster::of(&self.layout()).unwrap()
    }
}

pub(crate) fn session(base: &Path, uuid: &str, name: &str, last: &str, dns_name: &str) {
    fs::create_dir_all(base.join(uuid)).unwrap();
    let document =
        json!({"uuid": uuid, "name": name, "created_at": last, "last_accessed": last, "dns_name": dns_name});
    fs::write(base.join(uuid).join("session.json"), document.to_string()).unwrap();
}

/// Sessions everywhere, one of them at two places.
fn peopled() -> Shell {
    let shell = Shell::new();
    let [first, second] = shell.agents.each_ref().map(Far::base);
    session(&first, FIRST, "billing", "2026-03-02T17:00:00Z", "Billing");
    session(&second, SECOND, "notes", "2026-03-02T17:00:00.5Z", "");
    session(&second, THIRD, "notes", "2026-01-01T00:00:00Z", "");
    session(&shell.base(), LEFT, "old notes", "2026-02-01T00:00:00Z", "old");
    session(&shell.base(), THIRD, "notes", "2026-03-03T00:00:00Z", "");
    shell
}

#[test]
fn every_hosts_sessions_are_told_in_one_order_and_each_once() {
    let survey = peopled().cluster().survey();
    assert_eq!(survey.unreachable, []);
    let rows: Vec<_> = survey.rows.iter().map(|row| (&*row.session.uuid, &*row.member, row.state)).collect();
    assert_eq!(
        rows,
        [
            (SECOND, "bbbb", SessionState::Stopped),
            (FIRST, "aaaa", SessionState::Stopped),
            (LEFT, "local", SessionState::Orphan),
            (THIRD, "bbbb", SessionState::Stopped),
        ]
    );
    // The agent's session is the one that lives; what was left behind is a copy of it.
    assert_eq!(survey.rows[3].also, ["local"]);
    assert!(survey.rows[..3].iter().all(|row| row.also.is_empty()));
}

#[test]
fn a_session_is_found_by_what_people_call_it_and_never_guessed() {
    let shell = peopled();
    let survey = shell.cluster().survey();
    let found = |name: &str| survey.find(name).map(|row| row.session.uuid.as_str());
    assert_eq!(found(FIRST), Ok(FIRST));
    assert_eq!(found("3f0c1"), Ok(FIRST));
    assert_eq!(found("billing"), Ok(FIRST));
    assert_eq!(found("old notes"), Ok(LEFT));
    for short in ["", "3", "3f0", "Billing", "agent-unreachable:aaaa"] {
        assert!(matches!(found(short), Err(NotFound::Missing { .. })), "{short}");
    }
    for several in ["3f0c", "notes"] {
        let Err(NotFound::Ambiguous { candidates, .. }) = found(several) else { panic!("{several}") };
        assert_eq!(candidates.len(), 2, "{candidates:?}");
    }
    // Blanks around a name are not seen, and not said.
    session(&shell.agents[0].base(), "beef1111-0000-4000-8000-000000000000", " q ", "", "");
    let survey = shell.cluster().survey();
    for name in ["q", " q "] {
        assert_eq!(survey.find(name).unwrap().session.name, " q ");
    }
    // A name that is also the beginning of another's id may mean either.
    session(&shell.agents[0].base(), "beef0000-0000-4000-8000-000000000000", "3f0c1", "", "");
    assert!(matches!(shell.cluster().find("3f0c1"), Err(NotFound::Ambiguous { .. })));
}

#[test]
fn an_agent_that_is_down_hides_nobody_elses_sessions_and_may_have_given_a_name_away() {
    let shell = peopled();
    shell.agents[1].agent.answers("list", "{\"ok\":false,\"error\":\"disk on fire\"}\n");
    shell.registers("cccc", "agent-3", "what is this?");
    let survey = shell.cluster().survey();
    let told: Vec<_> = survey.unreachable.iter().map(|host| (&*host.member, host.reason.as_str())).collect();
    assert!(matches!(told[..], [("cccc", _), ("bbbb", "agent op \"list\": disk on fire")]), "{told:?}");
    let rows: Vec<_> = survey.rows.iter().map(|row| &*row.session.uuid).collect();
    assert_eq!(rows, [THIRD, FIRST, LEFT]);

    let taken = survey.name_is_free("BILLING", None, true).unwrap_err();
    assert_eq!(taken.code(), "dns-taken");
    assert!(taken.to_string().starts_with("DNS name \"BILLING\" is already assigned to another session"));
    assert!(survey.name_is_free("billing", Some(FIRST), true).is_ok());
    // What was left behind has no name any more.
    assert!(survey.name_is_free("old", None, true).is_ok());
    let unverified = survey.name_is_free("old", None, false);
    assert!(matches!(unverified, Err(NameError::Unverified { .. })), "{unverified:?}");
    assert!(survey.name_is_free("", None, false).is_ok());
    let missing = survey.find("nobody").unwrap_err().to_string();
    assert_eq!(missing, "there is no session \"nobody\", but cccc, bbbb could not be asked");
}

#[test]
fn without_a_registry_this_machine_is_all_there_is() {
    let shell = peopled();
    fs::remove_dir_all(shell.registry()).unwrap();
    let cluster = shell.cluster();
    assert!(!cluster.is_shell());
    let survey = cluster.survey();
    let rows: Vec<_> = survey.rows.iter().map(|row| (&*row.session.uuid, row.place, row.state)).collect();
    assert_eq!(
        rows,
        [(THIRD, Place::Here, SessionState::Stopped), (LEFT, Place::Here, SessionState::Stopped)]
    );
    // One without agents is a shell host all the same.
    fs::create_dir(shell.registry()).unwrap();
    let cluster = shell.cluster();
    assert!(cluster.is_shell());
    assert!(cluster.survey().rows.iter().all(|row| row.state == SessionState::Orphan));
}

#[test]
fn what_an_agent_on_this_machine_keeps_here_was_not_left_behind() {
    let shell = peopled();
    let places = |shell: &Shell| -> Vec<_> {
        shell.cluster().members().iter().map(|member| (member.id.clone(), member.place)).collect()
    };
    let (here, orphans) = (("dddd".to_owned(), Place::Agent), ("local".to_owned(), Place::Orphans));
    shell.registers("dddd", "local", "{}");
    assert_eq!(places(&shell)[2..], std::slice::from_ref(&here)[..]);
    let survey = shell.cluster().survey();
    let left = survey.find(LEFT).unwrap();
    assert_eq!((&*left.member, left.state), ("dddd", SessionState::Stopped));
    // By its address, and by another name of the folder.
    let alias = shell.folder.path().join("alias");
    std::os::unix::fs::symlink(shell.base(), &alias).unwrap();
    shell.registers("dddd", "u@127.0.0.1", &json!({"base": alias}).to_string());
    assert_eq!(places(&shell)[2..], std::slice::from_ref(&here)[..]);
    shell.registers("dddd", "u@127.0.0.1", &json!({"base": shell.folder.path()}).to_string());
    assert_eq!(places(&shell)[2..], [here.clone(), orphans.clone()]);
    // The same path on another machine is another folder.
    shell.registers("dddd", "u@192.0.2.7", &json!({"base": shell.base()}).to_string());
    assert_eq!(places(&shell)[2..], [here, orphans]);
}

#[test]
fn what_was_left_behind_is_removed_here_and_nothing_else_is_done_to_it() {
    let shell = peopled();
    let cluster = shell.cluster();
    let mut left = cluster.member("local").unwrap().open();
    let id = LEFT.parse().unwrap();
    assert_eq!(left.get(&id).unwrap().name, "old notes");
    let wishes = Wishes { name: "a".to_owned(), ..Wishes::default() };
    let words = "session is a local orphan; migrate it to a convocate-agent before operating on it";
    let refused = [
        left.create(&wishes).map(|_| ()),
        left.edit(&id, &wishes).map(|_| ()),
        left.duplicate(&id, "a").map(|_| ()),
        left.kill(&id),
        left.background(&id),
        left.restart(&id),
    ];
    for refused in refused {
        let error = refused.unwrap_err();
        assert_eq!((error.code(), &*error.to_string()), ("orphan", words));
    }
    assert!(shell.agents.iter().all(|agent| agent.agent.asked().is_empty()));
}

/// Has this test run once more by somebody who may nothing, with the variable telling it so.
pub(crate) fn as_nobody(around: &Path, test: &str, variable: &str, value: &Path) {
    // The program where others may run it, whatever this one's folder says.
    let program = around.join("program");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let mut nobody = Command::new("setpriv");
    nobody.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&program);
    let output = nobody.args([test, "--nocapture"]).env(variable, value).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
}

/// Told by this test, run by somebody who may not look: it names the registry.
const LOOK: &str = "REHOME_TEST_LOOK_AT";

#[test]
fn a_registry_that_may_not_be_looked_at_is_not_one_without_agents() {
    if let Some(registry) = std::env::var_os(LOOK) {
        let registry = Registry::at(registry);
        let looked = registry.exists().and_then(|_| registry.agents());
        let words = looked.map(|_| ()).unwrap_err().to_string();
        assert!(words.contains("Permission denied"), "{words}");
        return;
    }
    let shell = Shell::new();
    let around = shell.folder.path();
    let (keys, agent) = (shell.registry(), shell.registry().join("aaaa"));
    let mode = |path: &Path, mode: u32| {
        fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
    };
    for closed in [&keys, &agent] {
        mode(around, 0o755);
        mode(&keys, 0o755);
        mode(closed, 0o700);
        as_nobody(around, "a_registry_that_may_not_be_looked_at", LOOK, &keys);
    }
    let no_folder = around.join("program");
    assert!(matches!(Registry::at(no_folder).agents(), Err(RegistryError::Unreadable { .. })));
}
