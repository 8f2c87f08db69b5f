//! Sessions started, attached to, left and stopped, with a real engine; what is looked at is what the engine says.

use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use session_control::{
    AgentFolder, Containers, HostError, Local, LocalHost, Profile, SessionError, SessionHost, SessionId,
    Wishes,
};
use testkit::docker::Docker;
use testkit::tree::Tree;

/// A base that belongs to somebody, with what an agent's base has.
struct Place {
    _folder: tempfile::TempDir,
    base: PathBuf,
    docker: Docker,
}

impl Place {
    fn with(docker: Docker) -> Self {
        let folder = tempfile::Builder::new().prefix("sessions-").tempdir_in("/var/tmp").unwrap();
        let base = folder.path().canonicalize().unwrap().join("home");
        for name in ["", ".claude", ".ssh"] {
            fs::create_dir(base.join(name)).unwrap();
            chown(base.join(name), Some(1337), Some(1338)).unwrap();
        }
        fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        Self { _folder: folder, base, docker }
    }

    fn local(&self) -> Local {
        let arguments = vec!["--host".into(), self.docker.host().into()];
        let (socket, within) = (self.docker.socket(), Duration::from_mins(1));
        let stopping = Duration::from_mins(2);
        let containers = Containers { arguments, socket, within, stopping, ..Containers::default() };
        let image = AgentFolder::at("/no/agent").image(&Profile::CONVOCATE).unwrap();
        Local {
            containers,
            image,
            claude: self.docker.claude(),
            ..Local::new(&self.base, Profile::CONVOCATE)
        }
    }

    fn host(&self) -> LocalHost {
        LocalHost::new(self.local())
    }

    fn new_session(&self, name: &str, port: i64) -> (SessionId, String) {
        let wishes = Wishes { name: name.into(), port, ..Wishes::default() };
        let id = self.host().create(&wishes).unwrap().id().unwrap();
        let container = Profile::CONVOCATE.container(&id);
        (id, container)
    }

    /// What the engine says of a container that is there.
    fn inspect(&self, container: &str) -> Value {
        let text = self.docker.run(&["inspect", "--type", "container", container]);
        serde_json::from_str::<Value>(&text).unwrap()[0].take()
    }

    fn containers(&self) -> String {
        self.docker.run(&["ps", "--all", "--format", "{{.Names}}"])
    }
}

fn until(what: &str, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_mins(2), "never: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn document(base: &Path, id: &SessionId) -> Value {
    serde_json::from_slice(&fs::read(base.join(id.as_str()).join("session.json")).unwrap()).unwrap()
}

/// Somebody at a terminal who attaches as people do.
fn attach(docker: &Docker, container: &str) -> Child {
    let command =
        format!("docker exec -it {container} sudo -E -u claude -H -- tmux attach-session -t claude");
    let mut script = Command::new("script");
    script.args(["-qec", &command, "/dev/null"]).env("DOCKER_HOST", docker.host()).env("TERM", "xterm");
    script.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

#[test]
fn a_session_is_started_as_an_agent_starts_it_shared_left_running_and_stopped() {
    let place = Place::with(Docker::with_sessions());
    let mut host = place.host();
    fs::write(place.base.join(".gitconfig"), "").unwrap();
    let (id, container) = place.new_session("billing refactor", 8080);
    let told = |host: &mut LocalHost| host.get(&id).unwrap().state().letter();
    assert_eq!(told(&mut host), '-');
    let not_running = "session \"billing refactor\" is not running";
    assert_eq!(host.kill(&id).unwrap_err().to_string(), not_running);
    let not_connected = "session \"billing refactor\" is not connected";
    assert_eq!(host.background(&id).unwrap_err().to_string(), not_connected);

    let before = document(&place.base, &id);
    host.restart(&id).unwrap();
    let after = document(&place.base, &id);
    assert_eq!(before["created_at"], after["created_at"]);
    assert!(before["last_accessed"].as_str() < after["last_accessed"].as_str(), "{after}");
    started_as_an_agent_does(&place, &id, &container);
    assert_eq!(told(&mut host), 'R');
    let already = "session \"billing refactor\" already running";
    assert_eq!(host.restart(&id).unwrap_err().to_string(), already);

    place.docker.wait_for_tmux(&container);
    let mut people = [attach(&place.docker, &container), attach(&place.docker, &container)];
    let clients = || place.docker.tmux(&container, &["list-clients"]).lines().count();
    until("both are attached", || clients() == 2);
    assert_eq!(host.list().unwrap()[0].state().letter(), 'C');
    host.background(&id).unwrap();
    for one in &mut people {
        assert!(one.wait().unwrap().success());
    }
    assert_eq!((clients(), told(&mut host)), (0, 'R'));
    assert_eq!(host.background(&id).unwrap_err().to_string(), not_connected);

    host.kill(&id).unwrap();
    assert_eq!((place.containers().as_str(), told(&mut host)), ("", '-'));
    host.restart(&id).unwrap(); // at once: its name is free again
    place.docker.wait_for_tmux(&container);
    place.docker.tmux(&container, &["send-keys", "-t", "claude", "/exit", "Enter"]);
    until("it ends by itself", || place.containers().is_empty());
    assert_eq!(told(&mut host), '-');

    host.restart(&id).unwrap();
    let copy = host.duplicate(&id, "copy").unwrap().id().unwrap();
    assert_eq!(told(&mut host), 'R', "it goes on");
    host.delete(&id).unwrap();
    assert_eq!(place.containers(), "");
    let left = Tree::of(&place.base).names();
    assert!(left.iter().all(|name| name.starts_with('.') || name.starts_with(copy.as_str())), "{left:?}");
}

/// formats/convocate.md §7, as the engine has understood it.
fn started_as_an_agent_does(place: &Place, id: &SessionId, container: &str) {
    let base = place.base.display();
    let found = place.inspect(container);
    let (host, config) = (&found["HostConfig"], &found["Config"]);
    let mut binds: Vec<&str> = host["Binds"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let mut expected = [
        format!("{base}/{id}:/home/claude"),
        format!("{base}/.claude:/home/claude/.claude-shared:ro"),
        format!("{}:/var/run/docker.sock", place.docker.socket().display()),
        format!("{base}/.ssh:/home/claude/.ssh:ro"),
        format!("{base}/.gitconfig:/home/claude/.gitconfig:ro"),
        format!("{}:/usr/local/bin/claude:ro", place.docker.claude().display()),
    ];
    binds.sort_unstable();
    expected.sort();
    assert_eq!(binds, expected);
    assert_eq!(host["AutoRemove"], true);
    assert_eq!(host["CgroupParent"], "convocate-sessions.slice");
    assert!(host["Dns"].as_array().is_none_or(Vec::is_empty), "the host's resolver is the engine's affair");
    assert_eq!(host["PortBindings"], serde_json::json!({"8080/tcp": [{"HostIp": "", "HostPort": "8080"}]}));
    assert_eq!(config["Hostname"], format!("convocate-{}", id.short()));
    assert_eq!(
        (&config["WorkingDir"], &config["Image"]),
        (&"/home/claude".into(), &"convocate:latest".into())
    );
    let environment = config["Env"].as_array().unwrap();
    assert!(
        environment.contains(&"CLAUDE_UID=1337".into()) && environment.contains(&"CLAUDE_GID=1338".into())
    );
}

#[test]
fn what_is_not_known_to_stand_still_is_not_removed() {
    let place = Place::with(Docker::start());
    fs::write(place.docker.claude(), "").unwrap();
    let (id, container) = place.new_session("a", 0);
    let mut host = place.host();
    host.restart(&id).unwrap();
    let before = Tree::of(&place.base);

    // It does not end when asked to, and the engine has less time than that takes.
    let impatient = Containers { stopping: Duration::from_secs(1), ..place.local().containers };
    let mut hasty = LocalHost::new(Local { containers: impatient, ..place.local() });
    let error = hasty.delete(&id).unwrap_err();
    assert!(matches!(&error, HostError::Session(SessionError::Stop(_))), "{error}");
    assert_eq!(before.difference(&Tree::of(&place.base)), "");

    // A container of an earlier release is this session's too.
    until("it has been stopped after all", || place.containers().is_empty());
    place.docker.container(&container.replace("convocate", "claude"), &[]);
    assert!(host.get(&id).unwrap().running);
    assert_eq!(host.restart(&id).unwrap_err().code(), "already-running");

    place.docker.freezes();
    let asking = Containers { within: Duration::from_millis(500), ..place.local().containers };
    let mut host = LocalHost::new(Local { containers: asking, ..place.local() });
    let listed = [host.list().unwrap().remove(0), host.get(&id).unwrap()];
    assert_eq!(host.findings()[0].code, "container");
    assert_eq!(listed.map(|it| it.state().letter()), ['?'; 2]);
    let not_known = [
        host.kill(&id),
        host.background(&id),
        host.restart(&id),
        host.delete(&id),
        host.edit(&id, &Wishes { name: "b".into(), ..Wishes::default() }).map(drop),
    ];
    for error in not_known.map(Result::unwrap_err) {
        let said = error.to_string();
        assert!(said.starts_with("check running: cannot ask docker which containers run: "), "{said}");
        assert_eq!(error.code(), "container");
    }
    assert_eq!(before.difference(&Tree::of(&place.base)), "");
}

#[test]
fn what_cannot_be_started_says_so_and_leaves_nothing_behind() {
    let place = Place::with(Docker::start());
    let claude = place.docker.claude();
    let (id, _) = place.new_session("a", 0);
    let before = Tree::of(&place.base);
    let error = place.host().restart(&id).unwrap_err().to_string();
    let expected = format!(
        "failed to start container: there is no {}, which every session runs: install it there first",
        claude.display()
    );
    assert_eq!(error, expected);
    assert!(!claude.exists(), "an engine would have made a folder of it");
    assert_eq!(before.difference(&Tree::of(&place.base)), "");

    fs::write(&claude, "").unwrap();
    let unknown = Local { image: "no-such-image:latest".into(), ..place.local() };
    let error = LocalHost::new(unknown).restart(&id).unwrap_err().to_string();
    assert!(error.starts_with("failed to start container: exit status 125: "), "{error}");
    assert_eq!(place.containers(), "");
    assert_eq!(place.host().get(&id).unwrap().state().letter(), '-');
}
