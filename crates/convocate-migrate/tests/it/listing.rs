//! What counts as an orphan, and what keeps one here.

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, SystemTime};

use serde_json::Value;
use testkit::tree::Tree;

use crate::hosts::{Hosts, uuid};

/// The sessions that are listed, each with why it cannot move.
fn listed(hosts: &Hosts) -> BTreeMap<String, Option<String>> {
    let report: Value = serde_json::from_str(&hosts.expect(0, &["list", "--json"])).unwrap();
    let items = report["items"].as_array().unwrap().iter();
    let named = items.map(|item| {
        let text = |member: &str| item[member].as_str().map(str::to_owned);
        (text("uuid").unwrap(), text("stays_because"))
    });
    named.collect()
}

#[test]
fn a_lock_keeps_a_session_here_only_while_its_owner_lives_and_is_never_removed_by_looking() {
    let hosts = Hosts::with(6);
    let lock = |n: usize| hosts.shell().join(format!("{}.lock", uuid(n)));
    let alive = std::process::id().to_string();
    let texts = [alive.as_str(), "4194303", "", "x", &format!("{alive}\n"), "1"];
    for (n, text) in texts.iter().enumerate() {
        fs::write(lock(n), text).unwrap();
    }
    let a_day_ago = SystemTime::now() - Duration::from_hours(25);
    fs::File::options().write(true).open(lock(0)).unwrap().set_modified(a_day_ago).unwrap();
    let before = Tree::of(&hosts.shell());
    let stays: Vec<bool> = listed(&hosts).into_values().map(|why| why.as_deref() == Some("locked")).collect();
    assert_eq!(stays, [true, false, false, false, true, true]);
    before.assert_same(&Tree::of(&hosts.shell()), "looking changes nothing");
}

#[test]
fn only_a_folder_named_by_an_id_is_a_session() {
    let hosts = Hosts::with(1);
    let document = fs::read(hosts.shell().join(uuid(0)).join("session.json")).unwrap();
    let id = uuid(7);
    let none = [
        format!(".{id}~"),
        id.to_uppercase(),
        id.replace('-', ""),
        format!(".incoming-{id}"),
        format!("urn:uuid:{id}"),
        ".migrated".to_owned(),
    ];
    for name in none {
        let folder = hosts.shell().join(name);
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("session.json"), &document).unwrap();
    }
    fs::create_dir(hosts.shell().join(uuid(8))).unwrap(); // without a document
    std::os::unix::fs::symlink(hosts.shell().join(uuid(0)), hosts.shell().join(uuid(9))).unwrap();
    let expected = [(uuid(0), None), (uuid(9), Some("not-a-folder".to_owned()))];
    assert_eq!(listed(&hosts), BTreeMap::from(expected));
}
