//! A whole run, struck at every single effect it has on the disk.

use testkit::crash::{Blow, Effect};
use testkit::tree::Tree;

use crate::world::{World, machine_in};

/// After every blow: what a person would type next brings the disk to where it should be, and back.
fn strike(blow: Blow) {
    let mut world = machine_in(testkit::crash::place());
    let effects = world.tool(&world.whole()).effects();
    assert!(effects.len() > 50, "only {} effects: the loop would prove little", effects.len());
    let moved = world.tree().without_times();
    for effect in &effects {
        let when = format!("after {blow:?} at {effect}");
        let before = struck(&mut world, effect, blow);
        go_on(&world, &when);
        moved.assert_same(&world.tree().without_times(), &format!("resumed {when}"));
        world.say(0, &["undo"]);
        before.assert_same(&world.tree(), &format!("undone, resumed {when}"));

        let before = struck(&mut world, effect, blow);
        if world.has_run() {
            world.say(0, &["undo"]);
        }
        before.assert_same(&world.tree(), &format!("undone {when}"));
    }
}

/// The disk before the blow.
fn struck(world: &mut World, effect: &Effect, blow: Blow) -> Tree {
    world.begin_again();
    let before = world.tree();
    world.tool(&world.whole()).run_struck(effect, blow);
    before
}

/// The same command again; if it says that a run must be resumed first, that.
fn go_on(world: &World, when: &str) {
    let again = world.run(&world.whole());
    match again.code {
        Some(0) => {}
        Some(7) => drop(world.say(0, &["resume"])),
        code => panic!("{when}: exit {code:?}\n{}{}", again.stdout, again.stderr),
    }
}

#[test]
fn killed_at_any_effect_of_reapplying_the_sidecar_is_the_one_or_the_other() {
    let mut world = World::in_dir(testkit::crash::place(), testkit::cowork::Session::numbered(7));
    let prepare = |world: &World| {
        world.move_it(0, &[]);
        world.first_load();
        world.tree()
    };
    prepare(&world);
    let reapply = ["reapply".to_owned()];
    for effect in world.tool(&reapply).effects() {
        world.begin_again();
        let before = prepare(&world);
        world.tool(&reapply).run_struck(&effect, Blow::Kill);
        let when = format!("after a kill at {effect}");
        let again = world.run(&reapply);
        match again.code {
            Some(0) => {}
            Some(7) => drop(world.say(0, &["resume"])),
            code => panic!("{when}: exit {code:?}\n{}{}", again.stdout, again.stderr),
        }
        world.say(0, &["verify"]);
        world.say(0, &["undo"]);
        before.assert_same(&world.tree(), &when);
    }
}

#[test]
fn killed_at_any_effect_nothing_is_lost_and_nothing_half_done() {
    strike(Blow::Kill);
}

#[test]
fn a_full_disk_at_any_effect_leaves_nothing_half_done() {
    strike(Blow::Error("ENOSPC"));
}
