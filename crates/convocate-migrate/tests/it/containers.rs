//! Sessions and real containers: one that runs stays, and one that has arrived lives.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use serde_json::Value;
use testkit::crash::Program;
use testkit::docker::{Docker, IMAGE};
use testkit::tree::Tree;

use crate::hosts::{AGENT, Hosts, said, session_user, uuid};

const MOVING: &str = env!("CARGO_BIN_EXE_convocate-migrate");

/// The tool on a disk that cannot read this file.
fn on_a_bad_disk(file: &std::path::Path) -> Program {
    let words = ["-qq", "-f", "-b", "execve", "-o", "/dev/null", "-P", file.to_str().unwrap()];
    let program = words.iter().fold(Program::new("strace"), |program, word| program.arg(*word));
    program.arg("-e").arg("inject=read,pread64,readv,preadv:error=EIO").arg("--").arg(MOVING)
}

#[test]
fn of_fifty_sessions_all_move_but_the_six_that_may_not_each_named_with_its_reason() {
    session_user();
    let (hosts, docker) = (Hosts::with(50), Docker::start());
    let folder = |n: usize| hosts.shell().join(uuid(n));
    docker.container("by-another-name", &[&format!("{}:/work", folder(1).display())]);
    fs::write(hosts.shell().join(format!("{}.lock", uuid(2))), std::process::id().to_string()).unwrap();
    fs::write(folder(3).join("session.json"), "{\"uuid\":").unwrap();
    fs::create_dir(hosts.agent().join(uuid(4))).unwrap();
    fs::create_dir(hosts.agent().join(uuid(99))).unwrap();
    let taken = format!("{{\"uuid\": \"{}\", \"port\": 8005}}", uuid(99));
    fs::write(hosts.agent().join(uuid(99)).join("session.json"), taken).unwrap();
    let bad = folder(6).join("Makefile");
    let sources: Vec<Tree> = (1..=6).map(|n| Tree::of(&folder(n))).collect();
    let moves = || {
        let words = ["--agent", AGENT, "--all", "--json"];
        let output = hosts.tool_as(on_a_bad_disk(&bad), &words).env("DOCKER_HOST", docker.host()).run();
        assert_eq!(output.status.code(), Some(3), "{}", said(&output));
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let stayed = |item: &&Value| item["bucket"] != "migrated";
        let named = report["items"].as_array().unwrap().iter().filter(stayed).map(|item| {
            assert!(item["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{item}");
            let text = |member: &str| item[member].as_str().unwrap_or_default().to_owned();
            (text("source"), text("bucket"), text("reason"))
        });
        let mut named: Vec<_> = named.collect();
        named.sort();
        (named, report["summary"]["migrated"].as_u64().unwrap())
    };

    let expected = [
        ("conflict", "container-running"),
        ("conflict", "locked"),
        ("quarantined", "session-json"),
        ("conflict", "on-agent"),
        ("conflict", "port-taken"),
        ("failed", "unreadable"),
    ];
    let expected: Vec<_> = (1..=6)
        .map(|n| folder(n).display().to_string())
        .zip(expected)
        .map(|(source, (bucket, reason))| (source, bucket.to_owned(), reason.to_owned()))
        .collect();
    assert_eq!(moves(), (expected.clone(), 44));
    let after = hosts.both();
    assert_eq!(moves(), (expected, 0));
    after[0].assert_same(&Tree::of(&hosts.shell()), "a second run moves nothing here");
    after[1].assert_same(&Tree::of(&hosts.agent()), "a second run moves nothing there");
    for (n, source) in (1..=6).zip(&sources) {
        source.assert_same(&Tree::of(&folder(n)), "what stays is as it was");
    }
}

#[test]
fn a_container_that_only_watches_holds_up_nothing_and_is_named() {
    session_user();
    let (hosts, docker) = (Hosts::with(1), Docker::start());
    docker.container("watching", &[&format!("{}:/host:ro", hosts.folder.path().display())]);
    let words = ["--agent", AGENT, "--all"];
    let output = hosts.tool_as(Program::new(MOVING), &words).env("DOCKER_HOST", docker.host()).run();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&output).contains("container watching may read a folder around it"), "{}", said(&output));
}

#[test]
fn an_engine_that_cannot_be_asked_is_no_leave_to_move() {
    let hosts = Hosts::with(1);
    let before = hosts.both();
    let nobody = format!("unix://{}", hosts.folder.path().join("no-socket").display());
    let words = ["--agent", AGENT, "--all", "--json"];
    let output = hosts.tool_as(Program::new(MOVING), &words).env("DOCKER_HOST", nobody).run();
    assert_eq!(output.status.code(), Some(4), "{}", said(&output));
    assert!(said(&output).contains("--no-docker-check"), "{}", said(&output));
    before[1].assert_same(&Tree::of(&hosts.agent()), "nothing was brought");
}

#[test]
fn a_session_that_has_arrived_lives_there_and_its_user_can_write_every_file() {
    session_user();
    let (hosts, docker) = (Hosts::with(1), Docker::start());
    let session = hosts.shell().join(uuid(0));
    fs::create_dir(session.join("by root")).unwrap();
    fs::write(session.join("by root/its\nown"), "by sudo\n").unwrap();
    for (path, mode) in [("by root", 0o700), ("by root/its\nown", 0o600)] {
        fs::set_permissions(session.join(path), fs::Permissions::from_mode(mode)).unwrap();
    }
    hosts.moves(0, &["--all"]);
    let base = hosts.agent();
    let [uid, gid] = ["-u", "-g"].map(|what| {
        let id = Command::new("id").args([what, "claude"]).output().unwrap();
        String::from_utf8(id.stdout).unwrap().trim().to_owned()
    });
    start(&hosts, &docker, &uid, &gid);

    let name = format!("convocate-session-{}", uuid(0));
    let as_user = |script: &str| docker.run(&["exec", &name, "su", "claude", "-c", script]);
    let mounted = "-path ./.claude-shared -prune -o ! -name .gitconfig";
    let files = format!("find . {mounted} -type f");
    let refused = as_user(&format!("{files} ! -exec sh -c 'echo more >> \"$1\"' _ {{}} ';' -print"));
    assert_eq!(refused, "", "files that their user cannot write");
    assert_eq!(as_user("id -u"), uid);
    as_user("cd /home/claude && echo > new && cat .claude/projects/-home-claude/a.jsonl");
    let grown = fs::read_to_string(base.join(uuid(0)).join("by root/its\nown")).unwrap();
    assert_eq!(grown, "by sudo\nmore\n");
    // Inside the container the link leads to the host's own settings.
    assert_eq!(as_user("cat /home/claude/.claude/settings.json"), "{}");
}

/// As an agent starts it (formats/convocate.md §7); what this machine may lack is given by files of the test's own.
pub(crate) fn start(hosts: &Hosts, docker: &Docker, uid: &str, gid: &str) {
    let (base, id) = (hosts.agent(), uuid(0));
    fs::create_dir(base.join(".claude")).unwrap();
    fs::write(base.join(".claude/settings.json"), "{}\n").unwrap();
    fs::create_dir(base.join(".ssh")).unwrap();
    fs::write(base.join(".gitconfig"), "").unwrap();
    let program = docker.folder().join("claude");
    fs::write(&program, "").unwrap();
    let (base, socket) = (base.display(), docker.socket());
    let volumes = [
        format!("{base}/{id}:/home/claude"),
        format!("{base}/.claude:/home/claude/.claude-shared:ro"),
        format!("{}:/var/run/docker.sock", socket.display()),
        format!("{base}/.ssh:/home/claude/.ssh:ro"),
        format!("{base}/.gitconfig:/home/claude/.gitconfig:ro"),
        format!("{}:/usr/local/bin/claude:ro", program.display()),
    ];
    let (name, host) = (format!("convocate-session-{id}"), format!("convocate-{}", &id[..8]));
    let environment = [format!("CLAUDE_UID={uid}"), format!("CLAUDE_GID={gid}")];
    let mut words = vec!["run", "--rm", "--detach", "--name", &name, "--hostname", &host];
    words.extend(["-w", "/home/claude", "--cgroup-parent", "convocate-sessions.slice"]);
    words.extend(volumes.iter().flat_map(|volume| ["-v", volume]));
    words.extend(["-p", "8000:8000/tcp", "--dns", "127.0.0.1"]);
    words.extend(environment.iter().flat_map(|variable| ["-e", variable]));
    words.push(IMAGE);
    docker.run(&words);
    let running = docker.run(&["inspect", "-f", "{{.State.Running}}", &name]);
    assert_eq!(running, "true");
}

/// An engine that does this when it is asked what runs, and then says this.
fn engine(hosts: &Hosts, does: &str, says: &str) -> String {
    let program = hosts.folder.path().join("engine");
    let text = format!(
        "#!/bin/sh\n[ \"$1\" = --remote ] || exit 64\n\
         case $2 in ps) {does}; echo {says};; inspect) printf '{{\"Name\":\"/%s\"}}' {says};; esac\n"
    );
    fs::write(&program, text).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    program.to_str().unwrap().to_owned()
}

#[test]
fn the_engine_that_is_named_is_the_one_that_is_asked() {
    let hosts = Hosts::with(1);
    let engine = engine(&hosts, ":", &format!("convocate-session-{}", uuid(0)));
    let words =
        ["--agent", AGENT, "--session", &uuid(0), "--docker", &engine, "--docker-argument", "--remote"];
    let output = hosts.tool_as(Program::new(MOVING), &words).run();
    assert_eq!(output.status.code(), Some(4), "{}", said(&output));
    assert!(said(&output).contains("docker stop convocate-session-"), "{}", said(&output));
}

#[test]
fn a_session_that_is_locked_in_the_last_moment_is_refused_and_no_run_stands_in_the_way_of_the_next() {
    let hosts = Hosts::with(2);
    let before = hosts.both();
    let lock = hosts.shell().join(format!("{}.lock", uuid(0)));
    // The engine is asked after the locks were read.
    let engine = engine(&hosts, &format!("printf %s {} > {}", std::process::id(), lock.display()), "");
    let words = [
        "--agent",
        AGENT,
        "--all",
        "--jobs",
        "1",
        "--json",
        "--docker",
        &engine,
        "--docker-argument",
        "--remote",
    ];
    let output = hosts.tool_as(Program::new(MOVING), &words).run();
    assert_eq!(output.status.code(), Some(4), "{}", said(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["error"]["code"], "locked", "{report}");
    assert_eq!(fs::read_to_string(&lock).unwrap(), std::process::id().to_string());
    fs::remove_file(lock).unwrap();
    before[0].assert_same(&Tree::of(&hosts.shell()), "refused, here");
    before[1].assert_same(&Tree::of(&hosts.agent()), "refused, there");
    session_user();
    hosts.moves(0, &["--all"]);
}
