//! What there is.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use insta::assert_snapshot;
use serde_json::json;

use crate::place::{Place, Typing, uuid};

#[test]
fn the_sessions_of_a_machine_are_listed_as_they_stand_the_last_first() {
    let place = Place::new();
    place.lay(1, "billing refactor", &[("port", json!(8080)), ("dns_name", json!("billing"))]);
    place.lay(2, "odd \u{1b}[2J name", &[("port", json!(53)), ("protocol", json!("udp"))]);
    place.lay(3, "locked", &[]);
    fs::write(place.base().join(format!("{}.lock", uuid(3))), "4194303").unwrap();
    place.lay(4, "broken", &[("port", json!("8080"))]);
    assert_snapshot!("list", place.says(0, &["list"]).all());
    assert_snapshot!("list-json", serde_json::to_string_pretty(&place.tells(0, &["list"])["items"]).unwrap());
    assert_snapshot!("show", place.says(0, &["show", "billing refactor"]).all());
    assert_snapshot!("show-locked", place.says(0, &["show", &uuid(3)[..8]]).all());
}

#[test]
fn what_is_no_session_is_refused_by_its_own_words() {
    let place = Place::new();
    place.lay(1, "billing", &[]);
    place.lay(2, "billing", &[]);
    place.lay(3, "broken", &[("port", json!("8080"))]);
    let nobody = uuid(9);
    assert_eq!(
        place.refuses(4, "no-such-session", &["show", &nobody]),
        format!("session {nobody:?} does not exist")
    );
    assert_eq!(place.refuses(4, "no-such-session", &["kill", "nobody"]), "there is no session \"nobody\"");
    let said = place.refuses(4, "session-json", &["show", &uuid(3)]);
    assert!(said.starts_with("failed to parse session metadata: "), "{said}");
    for ambiguous in ["billing", "0000"] {
        let said = place.refuses(2, "ambiguous", &["delete", ambiguous]);
        assert!(said.contains(&uuid(1)) && said.contains(&uuid(2)), "{said}");
    }
    assert_eq!(place.refuses(4, "no-such-session", &["show", "000"]), "there is no session \"000\"");
}

#[test]
fn a_machine_on_its_own_says_where_its_things_are() {
    let place = Place::new();
    assert_snapshot!("settings", place.says(0, &["settings"]).all());
    assert_snapshot!("agents", place.says(0, &["agents"]).all());
    place.tells(0, &["settings"]);
}

#[test]
fn whoever_may_not_work_with_the_sessions_is_told_who_may() {
    let place = Place::new();
    fs::set_permissions(place.folder.path(), fs::Permissions::from_mode(0o711)).unwrap();
    fs::set_permissions(place.base(), fs::Permissions::from_mode(0o700)).unwrap();
    let output = place.tool(&["list"]).unprivileged().run();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{said}");
    let hint = "hint: must run as user \"root\" (uid 0), currently uid 65534 \u{2014} try: sudo -u root convocate-session\n";
    assert!(said.starts_with("error: cannot list the sessions in ") && said.ends_with(hint), "{said}");
}

#[test]
fn without_a_terminal_there_is_no_screen() {
    let place = Place::new();
    assert_snapshot!("no-terminal", place.says(2, &[]).all());
}

#[test]
fn a_session_of_a_long_name_does_not_make_every_row_as_wide() {
    let place = Place::new();
    place.lay(1, &"n".repeat(5000), &[]);
    place.lay(2, &"m".repeat(64), &[]);
    let listed = place.says(0, &["list"]).out;
    assert!(listed.lines().all(|line| line.chars().count() < 200), "{listed}");
    assert!(listed.contains(&format!("{}\u{2026} ", "n".repeat(63))) && listed.contains(&"m".repeat(64)));
    assert_eq!(place.tells(0, &["list"])["items"][1]["name"].as_str().unwrap().len(), 5000);
    assert!(place.says(0, &["show", &uuid(1)]).out.contains(&"n".repeat(5000)));
}
