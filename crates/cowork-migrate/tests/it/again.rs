//! A second run, and a session that is there already.

use testkit::cowork::Session;

use crate::world::{World, with_machine};

#[test]
fn a_second_run_finds_everything_and_writes_no_byte() {
    let world = with_machine();
    world.move_it(0, &[]);
    let (before, state) = (world.tree(), testkit::tree::Tree::of(&world.path().join("state")));
    let report = world.report(0, &world.whole());
    assert_eq!(report["items"][0]["bucket"], "already_present");
    assert_eq!(report["run"], serde_json::Value::Null);
    before.assert_same(&world.tree(), "after the second run");
    state.assert_same(&testkit::tree::Tree::of(&world.path().join("state")), "after the second run");
}

#[test]
fn a_session_that_has_gone_on_in_its_new_home_is_left_alone() {
    let world = World::new(Session::numbered(7));
    world.move_it(0, &[]);
    world.first_load();
    let before = world.tree();
    let report = world.report(0, &world.whole());
    assert_eq!(report["items"][0]["bucket"], "superseded");
    before.assert_same(&world.tree(), "after the second run");
}

#[test]
fn a_session_that_was_worked_with_in_its_new_home_is_not_a_stranger_there() {
    let world = World::new(Session::numbered(7));
    world.move_it(0, &[]);
    std::fs::write(world.moved(&world.placed.directory).join(".claude/.claude.json"), "{\"numStartups\":4}")
        .unwrap();
    let before = world.tree();
    assert_eq!(world.report(0, &world.whole())["items"][0]["bucket"], "superseded");
    before.assert_same(&world.tree(), "after the second run");
}

#[test]
fn another_state_of_the_session_is_never_replaced_unasked() {
    let world = World::new(Session::numbered(7));
    world.session.clone().with(&serde_json::json!({"title": "another"})).lay_out(&world.profile_of("otto"));
    let before = world.tree();
    let refused = world.move_it(4, &[]);
    assert!(refused.stderr.contains("the session is there already"), "{}", refused.stderr);
    before.assert_same(&world.tree(), "refused");
    world.move_it(0, &["--replace"]);
    let aside = world.archive().join("00000007-replaced");
    let name = world.placed.sidecar.file_name().unwrap();
    assert!(std::fs::read_to_string(aside.join(name)).unwrap().contains("another"));
    assert_eq!(
        std::fs::read_dir(world.profile_of("otto")).unwrap().count(),
        2,
        "nothing is kept in the profile"
    );
    world.say(0, &["undo"]);
    before.assert_same(&world.tree(), "undone");
}

#[test]
fn a_replacement_is_taken_back_after_any_kill() {
    let mut world = World::in_dir(testkit::crash::place(), Session::numbered(7));
    let lay_out = |world: &World| {
        let another = world.session.clone().with(&serde_json::json!({"title": "another"}));
        another.lay_out(&world.profile_of("otto"));
        world.tree()
    };
    lay_out(&world);
    let replace = world.whole_and(&["--replace"]);
    let effects = world.tool(&replace).effects();
    for effect in effects.iter().filter(|effect| effect.is("renameat2", "") || effect.is("rename", "")) {
        world.begin_again();
        let before = lay_out(&world);
        world.tool(&replace).run_struck(effect, testkit::crash::Blow::Kill);
        if world.has_run() {
            world.say(0, &["undo"]);
        }
        before.assert_same(&world.tree(), &format!("undone after a kill at {effect}"));
    }
}
