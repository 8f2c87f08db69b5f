//! How a session ends that is broken, or has files that whoever ends it may not remove; and what is stopped by Ctrl-C.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::cluster::{AGENTS, Cluster};
use testkit::crash::{Program, hand_over};
use testkit::docker::Docker;
use testkit::tree::Tree;

use crate::place::{Place, Shell, Typing, lay, uuid};

/// A broken session comes to its end, on the host with this base.
fn ends(there: &impl Typing, base: &Path, told: &str) {
    for n in [1, 2] {
        lay(base, n, "whole", &[]);
    }
    let broken = uuid(1);
    fs::write(base.join(&broken).join("session.json"), "{\n  \"uuid\": ").unwrap();
    let container = format!("convocate-session-{broken}");
    there.docker().container(&container, &[]);

    let listed = there.tells(0, &["list"]);
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    let finding = &listed["findings"][0];
    assert_eq!((&finding["level"], &finding["code"]), (&json!("warning"), &json!("session-json")));
    let message = finding["message"].as_str().unwrap();
    assert!(message.starts_with(&format!("{told}session {broken} is not listed: ")), "{message}");
    assert!(message.contains("line 2, column "), "{message}");

    // By its whole id, and not without a yes to what is wrong with it.
    there.refuses(4, "no-such-session", &["kill", &broken[..8], "--yes"]);
    there.refuses(4, "session-json", &["edit", &broken, "--port", "auto"]);
    let asked = there.refuses(2, "not-confirmed", &["kill", &broken]);
    assert!(asked.contains("failed to parse session metadata: "), "{asked}");
    assert!(asked.contains("kill it all the same?"), "{asked}");
    there.says(0, &["kill", &broken, "--yes"]);
    assert_eq!(there.container(&broken), "");
    there.refuses(4, "not-running", &["kill", &broken, "--yes"]);

    let lock = base.join(format!("{broken}.lock"));
    let mut owner = Command::new("sleep").arg("1000").spawn().unwrap();
    fs::write(&lock, owner.id().to_string()).unwrap();
    there.refuses(4, "locked", &["override", &broken, "--yes"]);
    if told.is_empty() {
        // Whoever takes it by force has seen whose it is.
        let taken = there.tells(0, &["override", &broken, "--yes", "--force"]);
        let owner = format!("process {} ", owner.id());
        assert!(taken["findings"][0]["message"].as_str().unwrap().contains(&owner), "{taken}");
        assert!(!lock.exists());
    } else {
        there.refuses(4, "locked", &["override", &broken, "--yes", "--force"]);
    }
    owner.kill().unwrap();
    owner.wait().unwrap();
    fs::write(&lock, "4194303").unwrap();
    there.says(0, &["override", &broken, "--yes"]);
    assert!(!lock.exists());
    there.says(0, &["delete", &broken, "--yes"]);
    assert!(!base.join(&broken).exists() && base.join(uuid(2)).exists());
    assert_eq!(there.tells(0, &["list"])["findings"], json!([]));
}

#[test]
fn a_session_that_cannot_be_read_is_told_of_and_ended_by_its_whole_id() {
    let place = Place::new();
    ends(&place, &place.base(), "");
}

#[test]
fn a_session_of_an_agent_that_cannot_be_read_is_told_of_and_ended_by_its_whole_id() {
    let shell = Shell::new();
    let agent = shell.cluster.agent(1);
    ends(&shell, agent.base(), &format!("agent {}: ", AGENTS[1]));
}

/// A base of the session user's, with a session that has a folder of root's in it.
fn of_the_session_user() -> Place {
    let place = Place::new();
    for n in [1, 2] {
        place.lay(n, "mine", &[]);
    }
    for n in [1, 2] {
        fs::create_dir(place.base().join(uuid(n)).join("roots")).unwrap();
        fs::write(place.base().join(uuid(n)).join("roots/file"), "").unwrap();
    }
    hand_over(&place.base());
    for n in [1, 2] {
        for name in ["roots", "roots/file"] {
            chown(place.base().join(uuid(n)).join(name), Some(0), Some(0)).unwrap();
        }
    }
    for folder in ["state", "names"] {
        fs::create_dir(place.at(folder)).unwrap();
        hand_over(&place.at(folder));
    }
    fs::set_permissions(place.folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
    place
}

/// The tool as the session user says it, who may not ask the engine: nothing runs.
fn his(place: &Place, words: &[&str]) -> Program {
    place.tool(&[&["--docker", "/bin/true"], words].concat()).unprivileged()
}

#[test]
fn the_session_user_deletes_what_has_files_of_root_and_is_told_how_to_remove_those() {
    let place = of_the_session_user();
    let left = |n| place.base().join(format!(".deleted-{}-0.left", uuid(n)));
    let output = his(&place, &["delete", &uuid(1), "--yes"]).run();
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(
        said.contains(&format!("sudo rm -rf --one-file-system -- '{}' [left-behind]", left(1).display())),
        "{said}"
    );
    assert_eq!(Tree::of(&left(1)).names(), ["roots", "roots/file"]);

    // Over the wire too: done, with a word beside the result that an original client does not look at.
    let program = his(&place, &["agent", "rpc"]);
    let mut words = program.words();
    let mut call = Command::new(words.next().unwrap());
    let mut child = call.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let question = json!({"op": "delete", "params": {"id": uuid(2)}});
    writeln!(child.stdin.take().unwrap(), "{question}").unwrap();
    let answer: Value = serde_json::from_slice(&child.wait_with_output().unwrap().stdout).unwrap();
    assert_eq!((&answer["ok"], &answer["result"]), (&json!(true), &json!({})));
    let said = answer["findings"][0]["message"].as_str().unwrap();
    assert!(said.contains(&left(2).display().to_string()), "{said}");

    let listed: Value = serde_json::from_slice(&his(&place, &["list", "--json"]).run().stdout).unwrap();
    assert_eq!(listed["items"], json!([]));
    assert_eq!(listed["findings"].as_array().unwrap().len(), 2, "both are told of until they are gone");
}

#[test]
fn whoever_asks_what_a_deletion_would_do_is_told_that_something_is_mounted_there() {
    let place = Place::new();
    place.lay(1, "mine", &[]);
    says_what_is_mounted(&place, &place.base());

    // An agent of this machine may keep its sessions elsewhere.
    let (base, registered) = (place.at("elsewhere"), place.at("keys").join(AGENTS[0]));
    fs::create_dir_all(&registered).unwrap();
    fs::rename(place.base(), &base).unwrap();
    fs::create_dir(place.base()).unwrap();
    fs::write(registered.join("shell_to_agent_ed25519_key"), "").unwrap();
    fs::write(registered.join("agent-host"), "local\n").unwrap();
    fs::write(registered.join("session-control.json"), json!({"base": base}).to_string()).unwrap();
    says_what_is_mounted(&place, &base);
}

#[track_caller]
fn says_what_is_mounted(place: &Place, base: &Path) {
    let session = base.join(uuid(1));
    let at = session.join("mnt");
    fs::create_dir_all(&at).unwrap();
    let script = format!("mount -t tmpfs none '{}'; exec \"$@\"", at.display());
    for words in [["delete", "mine", "--dry-run"], ["delete", "mine", "--yes"]] {
        let tool = place.tool(&[&["--docker", "/bin/true"][..], &words].concat());
        let mut unshared = Command::new("unshare");
        unshared.args(["--map-root-user", "--mount", "sh", "-ec", &script, "sh"]).args(tool.words());
        let output = unshared.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(4), "{words:?}: {said}");
        assert!(said.contains(&format!("sudo umount -- '{}'", at.display())), "{said}");
    }
    assert!(session.join("session.json").exists());
}

#[test]
fn whoever_may_not_copy_a_file_is_told_what_to_type() {
    let place = of_the_session_user();
    let file = place.base().join(uuid(1)).join("roots/file");
    fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
    let before = Tree::of(&place.base());
    let output = his(&place, &["clone", &uuid(1), "the copy"]).run();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{said}");
    let base = place.base();
    let hint =
        format!("hint: sudo convocate-session clone --base {} {} 'the copy'\n", base.display(), uuid(1));
    assert!(said.ends_with(&hint), "{said}");
    before.assert_same(&Tree::of(&place.base()), "nothing is left of it");
}

#[test]
fn whoever_cannot_work_with_a_session_is_told_why_and_what_to_type() {
    let place = of_the_session_user();
    let told = |words: &[&str]| {
        let output = his(&place, words).run();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(4), "{said}");
        said
    };
    let said = told(&["restart", &uuid(1), "--claude", "/no/such/claude"]);
    assert!(said.contains("there is no /no/such/claude") && said.contains("--claude FILE\n"), "{said}");

    let document = |n| place.base().join(uuid(n)).join("session.json");
    fs::set_permissions(document(1), PermissionsExt::from_mode(0o600)).unwrap();
    chown(document(1), Some(0), Some(0)).unwrap();
    let said = told(&["show", &uuid(1)]);
    assert!(said.contains("session.json: Permission denied"), "{said}");
    assert!(said.contains("must run as user \"root\" (uid 0)") && said.contains("sudo -u root"), "{said}");
    let said = his(&place, &["kill", &uuid(1), "--yes"]).run().stderr;
    assert!(String::from_utf8_lossy(&said).contains("is not running"), "it is a session all the same");

    fs::remove_file(document(2)).unwrap();
    assert!(Command::new("mkfifo").arg(document(2)).status().unwrap().success());
    let said = told(&["show", &uuid(2)]);
    assert!(said.contains("expected a regular file, found something else"), "{said}");
}

#[test]
fn a_clone_ends_with_ctrl_c_and_leaves_nothing() {
    let place = Place::new();
    place.lay(1, "one", &[]);
    // Nothing but a hole: it takes no room, and longer to copy than anybody waits.
    let file = fs::File::create(place.base().join(uuid(1)).join("hole")).unwrap();
    file.set_len(8 << 40).unwrap();
    let program = place.tool(&["clone", "one", "two"]);
    let mut words = program.words();
    let mut command = Command::new(words.next().unwrap());
    command.args(words).env("DOCKER_HOST", place.docker.host()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let names = || fs::read_dir(place.base()).unwrap().map(|entry| entry.unwrap().file_name());
    while !names().any(|name| name.to_string_lossy().starts_with(".cloning-")) {
        assert!(child.try_wait().unwrap().is_none());
        thread::sleep(Duration::from_millis(10));
    }
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(names().collect::<Vec<_>>(), [uuid(1).as_str()]);
}

/// An agent that is at work with a start for as long as it is asked, and shows it, as one that copies much does; with an
/// edit as well, and silent.
const AT_WORK: &str = "#!/bin/sh
read -r asked
case $asked in
*restart*) : >\"$1/at-work\"; while printf ' '; do sleep 0.3; done ;;
*'\"edit\"'*) : >\"$1/at-work\"; exec sleep 1000 ;;
*) shift; printf '%s\\n' \"$asked\" | exec \"$@\" ;;
esac
";

/// A shell host with such agents, and a session at the first.
fn at_work() -> Shell {
    let docker = Docker::start();
    let cluster = Cluster::of(&docker, &|verb, place| {
        let (base, folder) = (place.base.display(), place.folder.display());
        let program = place.folder.join("slow");
        fs::write(&program, AT_WORK).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let ours = env!("CARGO_BIN_EXE_convocate-session");
        format!("{folder}/slow {folder} {ours} agent {verb} --base {base} --agent-dir {folder}")
    });
    let shell = Shell { cluster, docker };
    lay(shell.cluster.agent(0).base(), 1, "one", &[]);
    shell
}

/// Asks the agent for this, and waits until it is at work with it.
fn asked(shell: &Shell, words: &[&str]) -> Child {
    let program = shell.tool(words);
    let mut words = program.words();
    let mut command = Command::new(words.next().unwrap());
    command.args(words).env("DOCKER_HOST", shell.docker.host()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    while !shell.cluster.agent(0).folder().join("at-work").exists() {
        assert!(child.try_wait().unwrap().is_none());
        thread::sleep(Duration::from_millis(10));
    }
    child
}

#[test]
fn an_agent_that_is_at_work_keeps_nobody_from_leaving_with_ctrl_c() {
    let shell = at_work();
    let mut child = asked(&shell, &["restart", "one", "--json"]);
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if begun.elapsed() > Duration::from_mins(2) {
            let _ = child.kill();
        }
        thread::sleep(Duration::from_millis(10));
    }
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stdout));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["error"]["code"], "stopped");
    let hint = document["error"]["hint"].as_str().unwrap();
    assert!(hint.contains("convocate-session list"), "{document}");
}

#[test]
fn what_was_asked_when_the_link_broke_is_not_told_as_if_it_had_not_begun() {
    let shell = at_work();
    let child = asked(&shell, &["edit", "one", "--port", "8080", "--json"]);
    for process in shell.cluster.agent(0).sshd().children() {
        Command::new("kill").args(["-KILL", &process.to_string()]).status().unwrap();
    }
    let output = child.wait_with_output().unwrap();
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["error"]["code"], "link-lost", "{document}");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn whoever_attaches_while_a_session_is_to_be_deleted_keeps_it() {
    let place = Place::new();
    place.lay(1, "one", &[]);
    // An engine where somebody attaches after the first look.
    let (engine, seen, stopped) = (place.at("engine"), place.at("seen"), place.at("stopped"));
    let script = format!(
        "#!/bin/sh\ncase $1 in\nps) echo convocate-session-{} ;;\nexec) if [ -e {seen} ]; then echo client; fi; : >{seen} ;;\n\
         *) : >{stopped} ;;\nesac\n",
        uuid(1),
        seen = seen.display(),
        stopped = stopped.display()
    );
    fs::write(&engine, script).unwrap();
    fs::set_permissions(&engine, PermissionsExt::from_mode(0o755)).unwrap();
    let engine = engine.display().to_string();
    let said = place.refuses(4, "connected", &["--docker", &engine, "delete", "one", "--yes"]);
    assert!(said.ends_with("nothing was done"), "{said}");
    assert!(place.base().join(uuid(1)).exists() && !stopped.exists());
}
