//! Which containers use a session, told by a real engine.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use session_control::{Containers, ContainersError, Local, LocalHost, Profile, SessionHost, Unknown, Use};
use testkit::disk::Disk;
use testkit::docker::Docker;

const UUID: &str = "3f0c1d2e-5b6a-4c7d-8e9f-0a1b2c3d4e5f";

fn asking(docker: &Docker, within: Duration) -> Containers {
    let arguments = vec!["--host".into(), docker.host().into()];
    Containers { arguments, socket: docker.socket(), within, ..Containers::default() }
}

fn uses(docker: &Docker, session: &Path) -> Vec<(String, Use)> {
    let running = asking(docker, Duration::from_mins(1)).running().unwrap();
    let mut uses: Vec<_> = running
        .iter()
        .filter_map(|container| Some((container.name().to_owned(), container.use_of(UUID, session)?)))
        .collect();
    uses.sort_by(|one, other| one.0.cmp(&other.0));
    uses
}

/// A session with something in it, and an engine that knows nothing of it yet.
fn session() -> (tempfile::TempDir, PathBuf, Docker) {
    let folder = tempfile::tempdir().unwrap();
    let session = folder.path().canonicalize().unwrap().join("home").join(UUID);
    fs::create_dir_all(session.join("src")).unwrap();
    fs::create_dir(folder.path().join("else")).unwrap();
    (folder, session, Docker::start())
}

#[test]
fn a_session_in_use_is_seen_by_whatever_name_its_container_goes() {
    let (folder, session, docker) = session();
    assert_eq!(uses(&docker, &session), []);
    let around = session.parent().unwrap();
    let at = |path: &Path, rest: &str| format!("{}:/mnt{rest}", path.display());
    symlink(&session, folder.path().join("alias")).unwrap();

    docker.container(&format!("claude-session-{UUID}"), &[]);
    docker.container(&format!("convocate-session-{UUID}"), &[]);
    docker.container("foreign", &[&at(&session, "")]);
    docker.container("inside", &[&at(&session.join("src"), ":ro")]);
    docker.container("around", &[&at(around, "")]);
    docker.container("by-a-link", &[&at(&folder.path().join("alias"), "")]);
    docker.container("watching", &[&at(around, ":ro")]);
    docker.container("unconcerned", &[&at(&folder.path().join("else"), "")]);
    docker.container(&format!("convocate-session-{}", UUID.replace('3', "4")), &[]);
    docker.container("stopped", &[&at(&session, "")]);
    docker.run(&["stop", "--time", "0", "stopped"]);
    docker.run(&["create", "--name", "never-started", "--volume", &at(&session, ""), testkit::docker::IMAGE]);
    docker.container("paused", &[&at(&session, "")]);
    docker.run(&["pause", "paused"]);

    let in_use = |name: &str| (name.to_owned(), Use::InUse);
    let expected = [
        in_use("around"),
        in_use("by-a-link"),
        in_use(&format!("claude-session-{UUID}")),
        in_use(&format!("convocate-session-{UUID}")),
        in_use("foreign"),
        in_use("inside"),
        in_use("paused"),
        ("watching".to_owned(), Use::Watched),
    ];
    assert_eq!(uses(&docker, &session), expected);
    docker.run(&["unpause", "paused"]);
}

#[test]
fn a_session_in_use_is_seen_where_its_folder_is_mounted_a_second_time() {
    let (folder, session, docker) = session();
    let at = |name: &str| folder.path().join(name);
    let [base, inside] = [(session.parent().unwrap(), "base again"), (&session.join("src"), "src again")]
        .map(|(folder, name)| {
            fs::create_dir(at(name)).unwrap();
            Disk::again(folder, &at(name))
        });
    docker.container("by-the-base", &[&format!("{}:/mnt", base.path().join(UUID).display())]);
    docker.container("by-a-part", &[&format!("{}:/mnt:ro", inside.path().display())]);
    docker.container("watching", &[&format!("{}:/mnt:ro", base.path().display())]);
    docker.container("unconcerned", &[&format!("{}:/mnt", at("else").display())]);
    let expected = [("by-a-part", Use::InUse), ("by-the-base", Use::InUse), ("watching", Use::Watched)];
    assert_eq!(uses(&docker, &session), expected.map(|(name, used)| (name.to_owned(), used)));
}

#[test]
fn an_engine_that_does_not_answer_is_not_taken_for_one_without_containers() {
    let docker = Docker::start();
    docker.container("one", &[]);
    let within = |time| asking(&docker, time).running();
    assert_eq!(within(Duration::from_mins(2)).unwrap().len(), 1);
    docker.freezes();
    let error = within(Duration::from_secs(2)).unwrap_err();
    assert!(
        matches!(&error, ContainersError::Program { source, .. } if source.kind() == std::io::ErrorKind::TimedOut),
        "{error}"
    );
}

#[test]
fn an_engine_that_does_not_answer_is_not_waited_for_longer_than_the_caller_waits() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join(UUID)).unwrap();
    fs::write(folder.path().join(UUID).join("session.json"), format!("{{\"uuid\": \"{UUID}\"}}")).unwrap();
    let engine = folder.path().join("engine");
    fs::write(&engine, "#!/bin/sh\nexec sleep 1000\n").unwrap();
    fs::set_permissions(&engine, fs::Permissions::from_mode(0o755)).unwrap();
    let patient = Duration::from_hours(1);
    let containers =
        Containers { program: engine, within: patient, looking: patient, ..Containers::default() };
    let local = Local { containers, ..Local::new(folder.path(), Profile::CONVOCATE) };
    let mut host = LocalHost::new(local);
    host.end_by(Instant::now() + Duration::from_secs(1));
    let [session] = &host.list().unwrap()[..] else { panic!("it is there") };
    assert_eq!(session.unknown, Some(Unknown::Running));
}

#[test]
fn only_where_there_is_neither_program_nor_socket_is_there_no_engine() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("socket");
    let none =
        Containers { program: "/no/such/docker".into(), socket: socket.clone(), ..Containers::default() };
    assert_eq!(none.running().unwrap(), []);
    fs::write(&socket, "").unwrap();
    assert!(matches!(none.running(), Err(ContainersError::Program { .. })));
    let dead = Containers {
        arguments: vec!["--host".into(), format!("unix://{}", socket.display()).into()],
        ..Containers::default()
    };
    let error = dead.running().unwrap_err();
    assert!(matches!(error, ContainersError::Refused { .. }), "{error}");
}

/// As podman 4.3 answers if both of its containers have ended since it told of them, or one has.
#[test]
fn a_container_that_ends_while_it_is_asked_about_hides_no_other_whatever_the_engine() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("podman");
    let said = |inspected: &str| {
        let complaint = "echo 'Error: inspecting object: no such container one' >&2; exit 125";
        let script = format!(
            "#!/bin/sh\ncase $1 in ps) echo one; echo two;; *) echo '{inspected}'; {complaint};; esac\n"
        );
        fs::write(&program, script).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let containers = Containers { program: program.clone(), ..Containers::default() };
        let running = containers.running().unwrap();
        running.iter().map(|container| container.name().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(said("[]"), Vec::<String>::new());
    assert_eq!(said(r#"{"Name":"two","Mounts":[]}"#), ["two"]);
}
