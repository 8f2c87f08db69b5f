//! Disks that take nothing, and files that are not ours to read.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;
use testkit::crash::hand_over;
use testkit::disk::Disk;

use crate::troubled;
use crate::world::{World, item};

#[test]
fn on_a_disk_that_is_only_read_nothing_is_begun() {
    let world = World::of("app");
    let workspace = world.workspace();
    let disk = Disk::again(&workspace, &workspace);
    disk.becomes("bind,ro");
    let before = world.tree();
    for format in ["python", "openclaw"] {
        let refused = world.migrate(4, &["--format", format]);
        assert!(refused.stderr.contains("@HERE@/home/.openclaw"), "{}", refused.stderr);
        before.assert_same(&world.tree(), format);
        assert!(!world.has_run());
    }
    world.migrate(0, &["--dry-run"]);
    disk.becomes("bind,rw");
    world.migrate(0, &[]);
}

#[test]
fn without_room_for_backup_and_transcripts_nothing_is_begun() {
    let world = World::of("app");
    let disk = Disk::in_memory(&world.workspace(), "size=3m");
    let big = troubled::session("big", &json!({"filler": "x".repeat(1_900_000)}));
    world.put("big.json", big.to_string());
    let before = world.tree();
    for format in ["python", "openclaw"] {
        let refused = world.migrate(4, &["--format", format]);
        assert!(refused.stderr.contains("room") || refused.stderr.contains("free"), "{}", refused.stderr);
        before.assert_same(&world.tree(), format);
        assert!(!world.has_run());
    }
    disk.becomes("size=20m");
    world.migrate(0, &[]);
}

#[test]
fn what_somebody_may_not_read_costs_only_that() {
    let world = World::of("app");
    let locked = "4c1d90aa-7be2-4f13-8a60-2e5b6f7c8d90";
    fs::set_permissions(world.sessions().join(format!("{locked}.json")), fs::Permissions::from_mode(0o000))
        .unwrap();
    hand_over(&world.path());
    let output = world.migration(&["--json", "--remove-originals"]).unprivileged().run();
    world.ended(3, &["unprivileged"], &output);
    let report = serde_json::from_slice(&output.stdout).unwrap();
    let unread = item(&report, locked);
    assert_eq!((&unread["bucket"], &unread["reason"]), (&json!("quarantined"), &json!("unreadable")));
    assert_eq!(report["summary"]["migrated"], json!(3), "two sessions and the map");
    let output = world.tool(&["undo"]).unprivileged().run();
    world.ended(0, &["undo"], &output);
}

#[test]
fn where_somebody_may_not_write_nothing_is_begun() {
    let world = World::of("app");
    hand_over(&world.path());
    fs::set_permissions(world.sessions(), fs::Permissions::from_mode(0o555)).unwrap();
    let before = world.tree();
    let output = world.migration(&[]).unprivileged().run();
    let refused = world.ended(4, &["unprivileged"], &output);
    assert!(refused.stderr.contains(".sessions"), "{}", refused.stderr);
    before.assert_same(&world.tree(), "refused");
    fs::set_permissions(world.sessions(), fs::Permissions::from_mode(0o755)).unwrap();
}
