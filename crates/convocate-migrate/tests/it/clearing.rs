//! What is left behind goes only when nobody needs it and somebody says so.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use testkit::disk::Disk;
use testkit::tree::Tree;

use crate::hosts::{AGENT, Hosts, said, session_user, uuid};

const LOST: &str = "20260131-174501-3f9a";

fn gc<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["gc", "--agent", AGENT, "--older-than", "0"], more].concat()
}

/// Three sessions that have moved by a run whose journal is lost, one of which is gone from the agent since, and what a
/// run that was interrupted has left there.
fn left_behind() -> (Hosts, PathBuf) {
    session_user();
    let hosts = Hosts::with(3);
    hosts.moves(0, &["--all"]);
    fs::remove_dir_all(hosts.folder.path().join("state")).unwrap();
    fs::remove_file(hosts.agent().join(uuid(1)).join("session.json")).unwrap(); // a folder alone is no session
    let staging = hosts.agent().join(format!(".incoming-{}", uuid(7)));
    fs::create_dir_all(staging.join(uuid(7))).unwrap();
    fs::write(staging.join(uuid(7)).join("half"), "half").unwrap();
    fs::write(staging.join("run"), LOST).unwrap();
    (hosts, staging)
}

#[test]
fn what_no_run_knows_of_goes_when_somebody_says_yes_but_never_an_only_copy() {
    let (hosts, staging) = left_behind();
    let before = hosts.both();
    hosts.expect(2, &gc(&[])); // nobody is there to be asked
    let listed = hosts.expect(0, &gc(&["--dry-run"]));
    assert!(listed.contains(LOST) && listed.contains("[only-copy]"), "{listed}");
    let document: Value = serde_json::from_str(&hosts.expect(0, &gc(&["--dry-run", "--json"]))).unwrap();
    let schema = serde_json::from_str(include_str!("../../../../docs/report.schema.json")).unwrap();
    let offences: Vec<_> = jsonschema::validator_for(&schema)
        .unwrap()
        .iter_errors(&document)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(offences.is_empty() && document["items"].as_array().unwrap().len() == 3, "{offences:?}");
    let young = hosts.expect(0, &["gc", "--agent", AGENT, "--yes"]);
    assert!(young.contains("[nothing-left]"), "{young}");
    for (was, is) in before.iter().zip(hosts.both()) {
        was.assert_same(&is, "nothing was removed");
    }
    let report = hosts.expect(0, &gc(&["--yes"]));
    assert!(report.contains("[removed]"), "{report}");
    let kept: Vec<_> = fs::read_dir(hosts.shell().join(".migrated")).unwrap().map(Result::unwrap).collect();
    assert_eq!(kept.len(), 1, "{report}");
    assert!(kept[0].file_name().to_str().unwrap().starts_with(&uuid(1)), "the only copy stays");
    assert!(
        !staging.exists() && hosts.agent().join(uuid(0)).exists() && hosts.agent().join(uuid(2)).exists()
    );
}

#[test]
fn what_a_run_may_need_is_no_leftover() {
    session_user();
    let hosts = Hosts::with(2);
    let before = hosts.both();
    hosts.moves(0, &["--all"]);
    let moved = hosts.both();
    let report = hosts.expect(0, &gc(&["--yes"]));
    assert!(report.contains("[nothing-left]"), "{report}");
    for (was, is) in moved.iter().zip(hosts.both()) {
        was.assert_same(&is, "nothing was removed");
    }
    hosts.expect(0, &["undo"]);
    for (was, is) in before.iter().zip(hosts.both()) {
        was.assert_same(&is, "undone");
    }
}

#[test]
fn what_a_link_leads_to_is_not_removed() {
    let hosts = Hosts::with(1);
    let victim = hosts.folder.path().join("victim");
    fs::create_dir_all(victim.join(format!("{}-{LOST}", uuid(0)))).unwrap();
    fs::write(victim.join("precious"), "precious").unwrap();
    fs::write(victim.join("run"), LOST).unwrap();
    let precious = Tree::of(&victim);
    std::os::unix::fs::symlink(&victim, hosts.agent().join(format!(".incoming-{}", uuid(7)))).unwrap();
    fs::create_dir(hosts.agent().join(format!(".incoming-{}", uuid(8)))).unwrap();
    let inside = hosts.agent().join(format!(".incoming-{}", uuid(8))).join(uuid(8));
    std::os::unix::fs::symlink(&victim, inside).unwrap();
    fs::write(hosts.agent().join(format!(".incoming-{}/run", uuid(8))), LOST).unwrap();
    std::os::unix::fs::symlink(&victim, hosts.shell().join(".migrated")).unwrap();
    hosts.expect(0, &gc(&["--yes"]));
    precious.assert_same(&Tree::of(&victim), "whatever leads there");
    assert!(!hosts.agent().join(format!(".incoming-{}", uuid(8))).exists());
}

#[test]
fn what_is_only_called_like_a_leftover_is_not_removed() {
    let (hosts, staging) = left_behind();
    let as_long = "x".repeat(36);
    let theirs = [
        ".incoming-mail",
        &format!(".incoming-{as_long}"),
        &format!(".incoming-{}.old", uuid(7)),
        &format!(".incoming-{}", uuid(8)),
    ];
    let theirs = theirs.map(|name| hosts.agent().join(name));
    for (folder, label) in theirs.iter().zip([LOST, LOST, LOST, "a walk"]) {
        fs::create_dir(folder).unwrap();
        fs::write(folder.join("run"), label).unwrap();
    }
    let unlabelled = hosts.agent().join(format!(".incoming-{}.{LOST}", uuid(8)));
    fs::create_dir(&unlabelled).unwrap();
    fs::write(unlabelled.join("run"), "").unwrap();
    hosts.expect(0, &gc(&["--yes"]));
    assert!(theirs.iter().all(|folder| folder.exists()));
    assert!(!staging.exists() && !unlabelled.exists());
}

#[test]
fn what_could_not_be_removed_in_the_middle_is_a_failure_and_no_refusal() {
    let (hosts, staging) = left_behind();
    let disk = Disk::in_memory(&staging.join(uuid(7)), "size=1m"); // which nobody can remove
    let failed = hosts.tool(&gc(&["--yes"])).run();
    assert_eq!(failed.status.code(), Some(1), "{}", said(&failed));
    let kept = fs::read_dir(hosts.shell().join(".migrated")).unwrap().count();
    assert_eq!(kept, 1, "the sources that may go have gone");
    drop(disk);
    hosts.expect(0, &gc(&["--yes"]));
    assert!(!staging.exists());
}
