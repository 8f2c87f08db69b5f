//! The rewritten sidecar put back after the application's first load.

use std::fs;

use serde_json::json;
use testkit::cowork::Session;
use testkit::crash::Blow;

use crate::world::{World, with_machine};

#[test]
fn what_the_application_dropped_on_loading_is_put_back() {
    let world = with_machine();
    world.move_it(0, &[]);
    let promised = fs::read(world.new_sidecar()).unwrap();
    world.first_load();
    let loaded = fs::read(world.new_sidecar()).unwrap();
    let told = world.say(5, &["verify"]);
    assert!(told.stdout.contains("reapply"), "{}", told.stdout);
    world.say(0, &["reapply"]);
    assert_eq!(fs::read(world.new_sidecar()).unwrap(), promised);
    assert_eq!(fs::read(world.archive().join("00000007-loaded-sidecar.json")).unwrap(), loaded);
    let names: Vec<_> =
        fs::read_dir(world.profile_of("otto")).unwrap().map(|it| it.unwrap().file_name()).collect();
    let sidecars = names.iter().filter(|name| {
        let is_json = std::path::Path::new(name).extension().is_some_and(|end| end == "json");
        is_json && name.to_str().unwrap().starts_with("local_")
    });
    assert_eq!(sidecars.count(), 1, "{names:?}");
    world.say(0, &["verify"]);
    let report = world.report(0, &["reapply".to_owned()]);
    assert_eq!(report["items"][0]["bucket"], "already_present");
}

#[test]
fn a_session_that_has_gone_on_gets_only_its_folders_back() {
    let world = with_machine();
    world.move_it(0, &[]);
    let promised = world.sidecar();
    world.first_load();
    let mut gone_on = world.sidecar();
    gone_on["lastActivityAt"] = json!(1_769_000_000_000_u64);
    gone_on["title"] = json!("Renamed since");
    fs::write(world.new_sidecar(), gone_on.to_string()).unwrap();
    world.say(0, &["reapply"]);
    let now = world.sidecar();
    assert_eq!(now["title"], "Renamed since");
    assert_eq!(now["lastActivityAt"], gone_on["lastActivityAt"]);
    assert_eq!(now["userSelectedFolders"], promised["userSelectedFolders"]);
    assert_eq!(now["resolvedFolderKinds"], promised["resolvedFolderKinds"]);
}

#[test]
fn both_runs_are_taken_back_one_after_the_other() {
    let world = with_machine();
    let before = world.tree();
    world.move_it(0, &[]);
    world.first_load();
    world.say(0, &["reapply"]);
    world.first_load();
    world.say(0, &["undo"]);
    world.say(0, &["undo"]);
    let kept = fs::read_dir(world.archive()).unwrap().count();
    assert_eq!(kept, 2, "what the application wrote, both times");
    fs::remove_dir_all(world.archive()).unwrap();
    before.assert_same(&world.tree(), "undone");
}

#[test]
fn without_a_move_there_is_nothing_to_put_back() {
    let world = with_machine();
    let refused = world.say(4, &["reapply"]);
    assert!(refused.stderr.contains("no run is known"), "{}", refused.stderr);
}

#[test]
fn a_move_that_was_interrupted_goes_first() {
    let world = World::in_dir(testkit::crash::place(), Session::numbered(7));
    let tool = world.tool(&world.whole());
    let effects = tool.effects();
    world.say(0, &["undo"]);
    tool.run_struck(&effects[effects.len() - 20], Blow::Kill);
    let refused = world.say(7, &["reapply"]);
    assert!(refused.stderr.contains("cowork-migrate resume"), "{}", refused.stderr);
}

#[test]
fn of_several_sessions_that_were_moved_none_is_forgotten() {
    let world = World::new(Session::numbered(7));
    Session::numbered(8).lay_out(&world.profile_of("mira"));
    world.move_it(0, &["--session", "00000007"]);
    world.move_it(0, &["--session", "00000008"]);
    let promised = fs::read(world.new_sidecar()).unwrap();
    world.first_load();
    world.say(0, &["reapply"]);
    assert_eq!(fs::read(world.new_sidecar()).unwrap(), promised, "the older move is the one that needs it");

    world.first_load();
    let other = world.new_sidecar().with_file_name("local_00000008-5e11-4c0f-9d3a-1b2c3d4e5f60.json");
    let mut loaded: serde_json::Value = serde_json::from_slice(&fs::read(&other).unwrap()).unwrap();
    loaded["userSelectedFolders"] = json!([]);
    fs::write(&other, loaded.to_string()).unwrap();
    let report = world.report(0, &["reapply".to_owned()]);
    let said = report["findings"][0]["message"].as_str().unwrap();
    assert!(said.contains("local_00000007") && said.contains("cowork-migrate reapply 20"), "{said}");
    world.say(0, &["reapply"]);
    assert!(world.say(0, &["reapply"]).stdout.contains("nothing left to do"));
}
