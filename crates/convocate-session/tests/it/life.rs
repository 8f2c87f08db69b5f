//! The whole life of a session, on this machine and on an agent: what the engine and the disk say of it, not we.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use testkit::cluster::AGENTS;
use testkit::person::Person;
use testkit::tree::Tree;

use crate::attaching::line;
use crate::place::{Place, Shell, Typing, lay, uuid};

/// All that is in a base. The engine makes the folder for the host's own settings.
fn names(base: &Path) -> Vec<String> {
    let entries = fs::read_dir(base).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = entries.collect();
    names.sort();
    names
}

/// The ids of the sessions in a base.
fn ids(base: &Path) -> Vec<String> {
    names(base).into_iter().filter(|name| name.len() == 36).collect()
}

fn document(base: &Path, uuid: &str) -> Value {
    serde_json::from_slice(&fs::read(base.join(uuid).join("session.json")).unwrap()).unwrap()
}

/// From its making to its end, on the host with this base, which is called so.
fn lives(there: &impl Typing, base: &Path, host: &[&str], on: &str) {
    let say = |code, words: &[&str]| there.says(code, &[words, host].concat());
    let refused = |code, words: &[&str], message: &str| {
        let said = there.refuses(4, code, words);
        assert!(said.ends_with(message), "{said}");
    };
    let made = say(0, &["new", "my app", "--port", "auto"]);
    let [uuid] = &ids(base)[..] else { panic!("{:?}", ids(base)) };
    let expected = format!("Created session \"my app\" ({uuid}){on}\n  published port 1001/tcp\n");
    assert_eq!(made.out, expected);
    assert_eq!(document(base, uuid)["port"], 1001);
    assert_eq!(there.container(uuid), "", "it does not run yet");

    let started = say(0, &["restart", "my app"]);
    assert_eq!(started.out, format!("Started session \"my app\" ({uuid}){on}\n"));
    assert_eq!(there.container(uuid), "running");
    let container = format!("convocate-session-{uuid}");
    let ports = there.docker().run(&["port", &container]);
    assert!(ports.starts_with("1001/tcp -> "), "{ports}");
    there.docker().wait_for_tmux(&container);
    let listed = there.tells(0, &["list"]);
    assert_eq!((&listed["items"][0]["status"], &listed["items"][0]["running"]), (&json!("R"), &json!(true)));
    refused("already-running", &["restart", uuid], "session \"my app\" already running");
    refused("not-connected", &["background", uuid], "session \"my app\" is not connected");

    let saved = say(0, &["edit", &uuid[..8], "--name", "our app", "--port", "none"]);
    assert!(saved.out.starts_with(&format!("Saved session \"our app\" ({uuid}){on}\n")), "{}", saved.out);
    assert!(saved.out.contains("[takes-effect-later]"), "{}", saved.out);
    let said = document(base, uuid);
    assert_eq!((&said["name"], said.get("port")), (&json!("our app"), None));

    fs::write(base.join(uuid).join("work"), "much of it").unwrap();
    let cloned = say(0, &["clone", "our app", "their app"]);
    let copy = ids(base).into_iter().find(|id| id != uuid).unwrap();
    assert!(
        cloned.out.starts_with(&format!("Cloned session \"their app\" ({copy}) from {uuid}{on}\n")),
        "{}",
        cloned.out
    );
    assert!(cloned.out.contains("[copied-live]"), "{}", cloned.out);
    assert_eq!(fs::read_to_string(base.join(&copy).join("work")).unwrap(), "much of it");
    assert_eq!(document(base, &copy)["name"], "their app");

    there.refuses(2, "not-confirmed", &["kill", "our app"]);
    assert_eq!(there.container(uuid), "running", "nobody said yes");
    let killed = say(0, &["kill", "our app", "--yes"]);
    assert_eq!(killed.out, format!("Killed session \"our app\" ({uuid})\n"));
    assert_eq!(there.container(uuid), "");
    refused("not-running", &["kill", uuid, "--yes"], "session \"our app\" is not running");

    say(0, &["restart", "our app"]);
    there.refuses(2, "not-confirmed", &["delete", "our app"]);
    let dry = say(0, &["delete", "our app", "--dry-run"]);
    assert!(dry.out.starts_with(&format!("would delete session \"our app\" ({uuid}){on}\n")), "{}", dry.out);
    assert_eq!(there.container(uuid), "running");
    let deleted = say(0, &["delete", "our app", "--yes"]);
    assert_eq!(deleted.out, format!("Deleted session \"our app\" ({uuid})\n"));
    assert_eq!((there.container(uuid), ids(base)), (String::new(), vec![copy.clone()]));
    assert_eq!(names(base), [".claude", &copy], "nothing is left of it");
    say(0, &["delete", &copy, "--yes"]);
}

#[test]
fn a_session_lives_and_ends_on_this_machine() {
    let place = Place::alive();
    lives(&place, &place.base(), &[], " on this machine");
}

#[test]
fn a_session_lives_and_ends_on_an_agent() {
    let shell = Shell::alive();
    let agent = shell.cluster.agent(1);
    let on = format!(" on agent {} (root@127.0.0.1:@PORT@)", AGENTS[1]);
    lives(&shell, agent.base(), &["--agent", AGENTS[1]], &on);
    assert_eq!(
        ids(shell.cluster.agent(0).base()),
        Vec::<String>::new(),
        "the other agent has nothing to do with it"
    );
    assert_eq!(ids(&shell.cluster.shell()), Vec::<String>::new());
}

#[test]
fn what_cannot_be_said_of_a_session_is_said_in_the_words_that_its_users_know() {
    let place = Place::new();
    lay(&place.base(), 1, "one", &[("port", json!(8080)), ("dns_name", json!("one"))]);
    let before = Tree::of(&place.base());
    let long = "a".repeat(65);
    let invalid: [(&[&str], &str); 7] = [
        (&["new", "  "], "session name cannot be empty"),
        (&["new", &long], "session name cannot exceed 64 characters"),
        (
            &["new", "a/b"],
            "session name contains invalid character: '/' (only letters, digits, spaces, _, -, . allowed)",
        ),
        (&["new", "x", "--protocol", "sctp"], "protocol must be \"tcp\" or \"udp\", got \"sctp\""),
        (&["edit", "one", "--dns=-a"], "DNS label cannot start or end with '-'"),
        (&["edit", "one", "--name", ""], "session name cannot be empty"),
        (
            &["clone", "one", "x", "--dns", "a_b"],
            "DNS name contains invalid character '_' (only a-z, 0-9, -, . allowed)",
        ),
    ];
    for (words, message) in invalid {
        assert_eq!(place.refuses(2, "invalid", words), message);
    }
    let said = place.refuses(2, "usage", &["new", "x", "--port", "http"]);
    assert!(said.ends_with("port must be a number"), "{said}");
    assert!(
        place
            .refuses(2, "usage", &["new", "x", "--port", "65536"])
            .ends_with("port must be between 0 and 65535")
    );
    let said = place.refuses(4, "port-taken", &["new", "x", "--port", "8080"]);
    assert_eq!(said, "port 8080/tcp is already assigned to another session");
    let said = place.refuses(4, "dns-taken", &["new", "x", "--dns", "ONE"]);
    assert!(said.starts_with("DNS name \"one\" is already assigned to another session"), "{said}");
    place.refuses(2, "nothing-to-change", &["edit", "one"]);
    before.assert_same(&Tree::of(&place.base()), "nothing was written");
    place.says(0, &["new", "x", "--port", "8080", "--protocol", "udp"]);
}

#[test]
fn a_lock_is_respected_as_long_as_its_owner_lives_and_shown_before_it_is_taken() {
    let place = Place::new();
    lay(&place.base(), 1, "one", &[]);
    let lock = place.base().join(format!("{}.lock", uuid(1)));
    let said = place.refuses(4, "not-locked", &["override", "one", "--yes"]);
    assert_eq!(said, format!("session {:?} is not locked", uuid(1)));
    let owner = std::process::id().to_string();
    fs::write(&lock, &owner).unwrap();
    let held = format!("session {:?} is already locked (another instance may be running)", uuid(1));
    let words: [&[&str]; 3] =
        [&["restart", "one"], &["edit", "one", "--port", "auto"], &["clone", "one", "two"]];
    for words in words {
        assert_eq!(place.refuses(4, "locked", words), held);
    }
    let said = place.refuses(4, "locked", &["delete", "one", "--yes"]);
    assert_eq!(said, format!("session {:?} is currently locked (in use)", uuid(1)));
    let document = place.tells(4, &["override", "one", "--yes"]);
    let message = format!("session {:?} is actively in use by process {owner}", uuid(1));
    assert_eq!(
        (&document["error"]["code"], &document["error"]["message"]),
        (&json!("locked"), &json!(message))
    );
    let shown = document["findings"][0]["message"].as_str().unwrap();
    assert!(shown.starts_with(&format!("its lock is held by process {owner} of user ")), "{shown}");
    let asked = place.refuses(2, "not-confirmed", &["override", "one", "--force"]);
    assert!(asked.contains(&format!("which is held by process {owner} of user ")), "{asked}");
    assert!(lock.exists());
    // After a day it is told to be stale, and is his all the same.
    let written = std::time::SystemTime::now() - std::time::Duration::from_hours(25);
    fs::File::options().write(true).open(&lock).unwrap().set_modified(written).unwrap();
    assert_eq!(place.tells(0, &["list"])["items"][0]["lock_stale"], true);
    place.refuses(4, "locked", &["override", "one", "--yes"]);
    place.refuses(4, "locked", &["delete", "one", "--yes"]);
    let removed = place.says(0, &["override", "one", "--force", "--yes"]);
    let told = format!(
        "Removed the lock of session \"one\" ({})\nwarning: its lock was held by process {owner} of user ",
        uuid(1)
    );
    assert!(removed.out.starts_with(&told), "{}", removed.out);
    assert!(!lock.exists());
    fs::write(&lock, "4194303").unwrap();
    place.says(0, &["override", "one", "--yes"]);
    assert!(!lock.exists());
}

#[test]
fn a_lock_that_goes_over_to_another_while_a_question_stands_stays_his() {
    let place = Place::new();
    lay(&place.base(), 1, "one", &[]);
    let lock = place.base().join(format!("{}.lock", uuid(1)));
    let mut owners = [1, 2].map(|_| Command::new("sleep").arg("1000").spawn().unwrap());
    let [first, second] = [owners[0].id(), owners[1].id()];
    fs::write(&lock, first.to_string()).unwrap();
    let ada = Person::sits_down(180, 24);
    ada.types(&line(&place, &["override", "one", "--force"]));
    ada.waits_to_see(&format!("which is held by process {first} "));
    fs::write(&lock, second.to_string()).unwrap();
    ada.types("y");
    ada.waits_to_see(&format!("is actively in use by process {second}"));
    assert_eq!(fs::read_to_string(&lock).unwrap(), second.to_string());
    for owner in &mut owners {
        owner.kill().unwrap();
        owner.wait().unwrap();
    }
}
