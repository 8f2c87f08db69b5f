//! What a user gets to see, as golden snapshots.

use std::path::Path;

use insta::assert_snapshot;
use testkit::fixture;

use crate::world::{World, with_machine};

#[test]
fn what_a_person_reads() {
    let world = with_machine();
    assert_snapshot!("text-plan", world.move_it(0, &["--dry-run"]).stdout);
    assert_snapshot!("text-apply", world.move_it(0, &["--verbose"]).stdout);
    assert_snapshot!("text-again", world.move_it(0, &[]).stdout);
    world.first_load();
    assert_snapshot!("text-verify-mangled", world.say(5, &["verify"]).stdout);
    assert_snapshot!("text-reapply", world.say(0, &["reapply"]).stdout);
    assert_snapshot!("text-verify", world.say(0, &["verify"]).stdout);
    world.say(0, &["undo"]);
    assert_snapshot!("text-undo", world.say(0, &["undo"]).stdout);
}

#[test]
fn what_a_program_reads() {
    let world = with_machine();
    world.report(0, &world.whole_and(&["--dry-run"]));
    assert_snapshot!("json-plan", world.move_it(0, &["--dry-run", "--json"]).stdout);
}

#[test]
fn what_help_says() {
    let world = with_machine();
    assert_snapshot!("help", world.say(0, &["--help"]).stdout);
}

#[test]
fn what_every_profile_holds() {
    for case in fixture::cases("cowork-migrate") {
        let home = tempfile::tempdir().unwrap();
        let home = fixture::lay_out(&format!("cowork-migrate/{case}"), home.path());
        for base in bases(&home) {
            let name = base.strip_prefix(&home).unwrap().display().to_string().replace(['/', ' ', '.'], "-");
            let output = World::tool_alone(&home, &["inventory", "--from", base.to_str().unwrap()]);
            let text = [output.stdout, output.stderr].concat();
            let text = fixture::redacted(&String::from_utf8_lossy(&text), &home);
            assert_snapshot!(format!("inventory-{case}-{name}"), text);
        }
    }
}

/// Every base of a fixture, and every bundle.
fn bases(home: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    let mut ahead = vec![home.to_path_buf()];
    while let Some(folder) = ahead.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        let entries: Vec<_> = entries.flatten().collect();
        let names: Vec<String> =
            entries.iter().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        let is_bundle = names.iter().any(|name| {
            name.starts_with("local_") && Path::new(name).extension().is_some_and(|end| end == "json")
        });
        if names.iter().any(|name| name == "local-agent-mode-sessions") || is_bundle {
            found.push(folder);
            continue;
        }
        ahead.extend(
            entries
                .iter()
                .filter(|it| it.file_type().is_ok_and(|it| it.is_dir()))
                .map(std::fs::DirEntry::path),
        );
    }
    found.sort();
    found
}
