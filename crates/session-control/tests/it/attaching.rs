//! People at terminals of their own, and sessions in real containers.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use session_control::{Local, LocalHost, Profile, Session, SessionHost};
use testkit::cluster::Cluster;
use testkit::crash::example;
use testkit::docker::Docker;
use testkit::person::Person;
use testkit::sshd::Sshd;

const ID: &str = "3f0c1d2e-5b6a-4c7d-8e9f-0a1b2c3d4e5f";
const CONTAINER: &str = "convocate-session-3f0c1d2e-5b6a-4c7d-8e9f-0a1b2c3d4e5f";
const LEAVE: [&str; 2] = ["C-b", "d"];

/// A session that does not run yet.
fn session_in(base: &Path) -> PathBuf {
    let folder = base.join(ID);
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("session.json"), format!("{{\"uuid\": \"{ID}\", \"name\": \"one\"}}")).unwrap();
    chown(&folder, Some(1337), Some(1337)).unwrap();
    folder
}

#[track_caller]
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_mins(1), "never: {what}");
        thread::sleep(Duration::from_millis(50));
    }
}

fn clients(docker: &Docker) -> usize {
    docker.tmux(CONTAINER, &["list-clients", "-t", "claude"]).lines().count()
}

fn size_within(docker: &Docker) -> String {
    docker.tmux(CONTAINER, &["display-message", "-p", "-t", "claude", "#{window_width}x#{window_height}"])
}

/// The words that attach there.
fn there(kind: &str, sshd: &Sshd) -> String {
    let [key, known] = [sshd.identity(), sshd.known_hosts()].map(|path| path.display().to_string());
    let (attach, port) = (example("attach"), sshd.port());
    format!("{} {kind} 127.0.0.1 {port} root {key} {known} {ID}", attach.display())
}

fn signal(name: &str, of: &str) {
    let pids = Command::new("pgrep").args(["-f", of]).output().unwrap().stdout;
    for pid in String::from_utf8(pids).unwrap().split_whitespace() {
        Command::new("kill").args([name, pid]).status().unwrap();
    }
}

/// A machine with a session that runs.
struct Here {
    docker: Docker,
    base: tempfile::TempDir,
    home: PathBuf,
    host: LocalHost,
    /// What people type there.
    attach: String,
}

impl Here {
    fn new() -> Self {
        let (docker, base) = (Docker::with_sessions(), tempfile::tempdir().unwrap());
        let home = session_in(base.path());
        docker.session(CONTAINER, &home, &[]);
        let mut local = Local::new(base.path(), Profile::CONVOCATE);
        local.containers.arguments = vec!["--host".into(), docker.host().into()];
        let (engine, program) = (docker.host(), example("attach"));
        let attach =
            format!("DOCKER_HOST={engine} {} here {} {ID}", program.display(), base.path().display());
        Self { host: LocalHost::new(local), docker, base, home, attach }
    }

    fn session(&mut self) -> Session {
        self.host.get(&ID.parse().unwrap()).unwrap()
    }

    fn notes(&self) -> PathBuf {
        self.base.path().join("notes")
    }

    /// What is found as `docker` in this folder meets the SIGHUP that the shell of a lost terminal sends to whoever ran on
    /// it, at the worst moments: when he is just being seen out of the container, before that has a group of its own, and
    /// once it has.
    fn engine_of_a_lost_terminal(&self) -> PathBuf {
        let folder = self.base.path().join("bin");
        fs::create_dir(&folder).unwrap();
        let script = "#!/bin/sh
case $* in *environ*)
    [ -e \"$0-tried\" ] || { : > \"$0-tried\"; kill -HUP $$; }
    kill -HUP -$(ps -o pgid= $PPID | tr -d ' ')
    sleep 1 ;;
esac
PATH=${PATH#*:} exec docker \"$@\"
";
        fs::write(folder.join("docker"), script).unwrap();
        fs::set_permissions(folder.join("docker"), fs::Permissions::from_mode(0o755)).unwrap();
        folder
    }

    /// She attaches once more, on an empty screen.
    fn again(&self, person: &Person) {
        person.types("clear");
        person.types(&format!("{}; echo \"status: $?\"", self.attach));
    }
}

#[test]
fn people_of_one_machine_share_a_session_and_leave_it_running_however_they_go() {
    let mut here = Here::new();
    let [ann, bob] = [(80, 24), (100, 30)].map(|(cols, rows)| Person::sits_down(cols, rows));
    let before = ann.notes_settings(&here.notes());
    ann.types(&here.attach);
    ann.waits_to_see("Claude listens.");
    bob.types(&here.attach);
    bob.waits_to_see("Claude listens.");
    ann.types("good morning");
    bob.waits_to_see("heard: good morning");
    bob.types("and to you");
    ann.waits_to_see("heard: and to you");
    assert_eq!(fs::read_to_string(here.home.join("claude-heard")).unwrap(), "good morning\nand to you\n");
    assert!(here.session().attached);

    ann.presses(&LEAVE);
    ann.waits_to_see("Detached");
    until("only one is attached", || clients(&here.docker) == 1);
    assert_eq!(ann.notes_settings(&here.notes()), before);
    assert_eq!(ann.about("#{alternate_on}"), "0");
    until("it has the size of who is left", || size_within(&here.docker) == "100x29");
    bob.resizes(120, 40);
    until("it grows with his window", || size_within(&here.docker) == "120x39");

    ann.types(&here.attach);
    until("both are attached", || clients(&here.docker) == 2);
    here.host.background(&ID.parse().unwrap()).unwrap();
    for person in [&ann, &bob] {
        person.waits_for("was detached", |seen| seen.contains("Detached") && seen.ends_with('$'));
    }
    until("nobody is attached", || !here.session().attached);
    assert!(here.session().running);
    bob.types(&format!("PATH={}:$PATH {}", here.engine_of_a_lost_terminal().display(), here.attach));
    until("he is there", || clients(&here.docker) == 1);
    bob.vanishes();
    until("he is there no more", || clients(&here.docker) == 0);
    a_program_that_is_killed_or_wrong_leaves(&here, &ann, &before);
    the_end_of_a_session_is_told(&mut here, &ann, &before);
}

fn a_program_that_is_killed_or_wrong_leaves(here: &Here, ann: &Person, before: &str) {
    for (name, says) in [("-TERM", "Stopped"), ("-USR1", "status: 101")] {
        here.again(ann);
        until("she is there", || clients(&here.docker) == 1);
        ann.waits_to_see("Claude listens.");
        signal(name, &format!("attach here {}", here.base.path().display()));
        ann.waits_to_see(says);
        assert_eq!(ann.notes_settings(&here.notes()), before, "{name}");
        assert_eq!(ann.about("#{alternate_on}"), "0");
        until("she is there no more", || clients(&here.docker) == 0);
    }
}

fn the_end_of_a_session_is_told(here: &mut Here, ann: &Person, before: &str) {
    here.again(ann);
    ann.waits_to_see("heard: good morning");
    ann.types("/exit");
    ann.waits_to_see("Over");
    until("it runs no more", || !here.session().running);
    here.again(ann);
    ann.waits_to_see("error: cannot attach to the session: ");
    assert_eq!(ann.notes_settings(&here.notes()), before);

    what_is_just_coming_up_is_not_disturbed(here, ann);
    assert_eq!(ann.notes_settings(&here.notes()), before);

    // One that was just started is waited for.
    here.docker.begins(CONTAINER, &here.home, &[]);
    ann.types("clear");
    ann.types(&format!("{} --started", here.attach));
    ann.waits_to_see("Claude listens.");
    here.docker.run(&["kill", CONTAINER]);
    ann.waits_to_see("Over");
    assert_eq!(ann.notes_settings(&here.notes()), before);
    assert_eq!(ann.about("#{alternate_on}"), "0");
}

/// In a container whose session takes its time, tmux is asked whether there is one, and nothing that starts a server.
fn what_is_just_coming_up_is_not_disturbed(here: &Here, ann: &Person) {
    let (asked, tmux) = (here.home.join("asked"), here.base.path().join("tmux"));
    let script = "#!/bin/sh\necho \"$1\" >> /home/claude/asked\n[ \"$1\" != new-session ] || exec sleep 1000\nexit 1\n";
    fs::write(&tmux, script).unwrap();
    fs::set_permissions(&tmux, fs::Permissions::from_mode(0o755)).unwrap();
    let volumes = [(&here.home, "/home/claude"), (&tmux, "/usr/local/bin/tmux")]
        .map(|(from, to)| format!("--volume={}:{to}", from.display()));
    let words =
        ["run", "--rm", "--detach", "--name", CONTAINER, "-e", "CLAUDE_UID=1337", "-e", "CLAUDE_GID=1337"];
    let image = [&*volumes[0], &*volumes[1], testkit::docker::IMAGE];
    here.docker.run(&[&words[..], &image].concat());
    let said = || fs::read_to_string(&asked).unwrap_or_default();
    until("it is coming up", || said() == "new-session\n");
    here.again(ann);
    ann.waits_to_see("error: cannot attach to the session: ");
    assert_eq!(said(), "new-session\nhas-session\n");
    here.docker.run(&["kill", CONTAINER]);
    until("it is gone", || here.docker.run(&["ps", "--all", "--quiet"]).is_empty());
}

#[test]
fn an_agent_of_ours_is_attached_to_over_ssh_and_a_lost_link_is_told_and_leaves_nothing_behind() {
    let docker = Docker::with_sessions();
    let serve = |verb: &str, base: &Path| match verb {
        "attach" => format!("{} serve {}", example("attach").display(), base.display()),
        _ => "false".to_owned(),
    };
    let cluster = Cluster::of(&docker, &|verb, place| serve(verb, &place.base));
    let agent = cluster.agent(0);
    let home = session_in(agent.base());
    let attach = there("ours", agent.sshd());
    let notes = cluster.folder().join("notes");
    let ann = Person::sits_down(80, 24);
    let before = ann.notes_settings(&notes);

    ann.types(&attach);
    ann.waits_to_see("error: cannot attach to the session: ");
    ann.types("clear");
    docker.begins(CONTAINER, &home, &[]);
    ann.types(&format!("{attach} --started"));
    ann.waits_to_see("Claude listens.");
    ann.types("good morning {\"ok\":false");
    ann.waits_to_see("heard: good morning {\"ok\":false");
    until("it has the size of the window", || size_within(&docker) == "80x23");
    ann.resizes(120, 40);
    until("it grows with the window", || size_within(&docker) == "120x39");
    ann.presses(&LEAVE);
    ann.waits_to_see("Detached");
    assert_eq!(ann.notes_settings(&notes), before);
    until("nobody is attached", || clients(&docker) == 0);

    ann.types("clear");
    ann.types(&attach);
    ann.waits_to_see("Claude listens.");
    for process in agent.sshd().children() {
        Command::new("kill").args(["-KILL", &process.to_string()]).status().unwrap();
    }
    ann.waits_to_see("error: ");
    assert!(ann.sees().contains("closed by remote host"), "{}", ann.sees());
    assert_eq!(ann.notes_settings(&notes), before);
    assert_eq!(ann.about("#{alternate_on}"), "0");
    until("nobody is attached", || clients(&docker) == 0);

    // Whoever comes as the original's client comes without a terminal.
    let bob = Person::sits_down(90, 30);
    bob.types(&there("original", agent.sshd()));
    bob.waits_to_see("Claude listens.");
    until("it has the size that he said", || size_within(&docker) == "90x29");
    bob.types("and to you");
    bob.waits_to_see("heard: and to you");
    bob.presses(&LEAVE);
    bob.waits_to_see("Detached");
    bob.types("clear");
    bob.types(&there("original", agent.sshd()));
    bob.waits_to_see("Claude listens.");
    bob.vanishes();
    until("nobody is attached", || clients(&docker) == 0);

    ann.types("clear");
    ann.types(&there("ours", cluster.agent(1).sshd()));
    ann.waits_to_see(&format!("attach: session \"{ID}\" not found"));
    assert_eq!(fs::read_to_string(home.join("claude-heard")).unwrap().lines().count(), 2);
}

#[test]
fn an_original_agent_is_attached_to_without_a_terminal_and_loses_no_key() {
    let docker = Docker::with_sessions();
    let base = tempfile::tempdir().unwrap();
    let home = session_in(base.path());
    let lines = testkit::original_attach::offered(&base.path().join("attach"), base.path(), &docker.host());
    let sshd = Sshd::start(&lines.each_ref().map(String::as_str));
    let attach = there("original", &sshd);
    let notes = base.path().join("notes");
    let ann = Person::sits_down(100, 30);
    let before = ann.notes_settings(&notes);

    docker.begins(CONTAINER, &home, &[]);
    ann.types(&format!("{attach} --started"));
    // Typed before there is anybody to read it.
    ann.types("good morning");
    ann.waits_to_see("heard: good morning");
    assert_eq!(size_within(&docker), "100x29");
    ann.presses(&LEAVE);
    ann.waits_to_see("Detached");
    assert_eq!(ann.notes_settings(&notes), before);

    ann.types("clear");
    ann.types(&attach);
    ann.waits_to_see("heard: good morning");
    docker.run(&["kill", CONTAINER]);
    ann.waits_to_see("Over");
    ann.types("clear");
    ann.types(&attach);
    ann.waits_to_see("error: cannot attach to the session: ");
    assert_eq!(ann.about("#{alternate_on}"), "0");
    assert_eq!(ann.notes_settings(&notes), before);

    // An agent of ours that is asked without a terminal says no in one line, and nothing else.
    let mut serve = Command::new(example("attach"));
    serve.arg("serve").arg(base.path()).stdin(Stdio::piped()).stdout(Stdio::piped());
    for (header, says) in [
        ("{\"id\":\"\"}\n", "{\"ok\":false,\"error\":\"attach: session \\\"\\\" not found\"}\n"),
        ("null\n", "{\"ok\":false,\"error\":\"attach: session \\\"\\\" not found\"}\n"),
        ("{\"ID\":\"../x\"}\n", "{\"ok\":false,\"error\":\"attach: session \\\"../x\\\" not found\"}\n"),
        ("[]\n", "{\"ok\":false,\"error\":\"bad attach header: "),
        ("{\"id\":7}\n", "{\"ok\":false,\"error\":\"bad attach header: "),
        ("", "{\"ok\":false,\"error\":\"bad attach header: EOF\"}\n"),
    ] {
        let mut child = serve.spawn().unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), header.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(said.starts_with(says) && said.ends_with("\"}\n"), "{header:?}: {said}");
        assert_eq!(output.status.code(), Some(1));
    }
}
