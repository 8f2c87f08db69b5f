//! A whole move between two profiles.

use serde_json::json;
use testkit::cowork::Session;

use crate::world::World;

#[test]
fn a_session_is_moved_whole_and_taken_back() {
    let world = World::new(Session::numbered(7));
    world.lay_out_image(&[
        ("calm-amber-noether-7/notes/plan?.md", "what only the machine had\n"),
        ("calm-amber-noether-7/.cache/x", "fetched again\n"),
        ("other-vm/secret", "somebody else's\n"),
    ]);
    let before = world.tree();
    let ended = world.move_it(0, &[]);
    eprintln!("{}{}", ended.stdout, ended.stderr);
    let sidecar = world.sidecar();
    assert_eq!(
        sidecar["userSelectedFolders"],
        json!([r"C:\Users\otto\drafts", r"C:\Users\otto\cowork-archive\calm-amber-noether-7"])
    );
    eprintln!("{}", world.new_transcript());
    for name in world.tree().names() {
        if name.contains("otto") {
            eprintln!("{name}");
        }
    }
    let verify = world.say(0, &["verify"]);
    eprintln!("{}", verify.stdout);
    world.say(0, &["undo"]);
    before.assert_same(&world.tree(), "undone");
}
