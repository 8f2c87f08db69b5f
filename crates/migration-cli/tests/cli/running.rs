//! Runs that somebody is at work on right now.

use migration_cli::Exit;
use migration_engine::Run;

use crate::place::{MIGRATE, Place};
use crate::toy::{Effect, Trouble};

/// A place with a run that another process has taken up.
fn at_work() -> (Place, Run<Effect>) {
    let place = Place::interrupted();
    let run = place.runs().remove(0);
    let run = Run::open(&place.root(), &run.id).unwrap();
    (place, run)
}

#[test]
fn a_run_at_work_is_not_called_interrupted() {
    let (place, run) = at_work();
    assert_eq!(place.say("runs --json").json()["items"][0]["state"], "running");
    assert!(place.say("runs").out.contains("  running "));
    assert!(place.say(&format!("runs show {}", run.id())).out.contains("is running;"));
    drop(run);
    assert_eq!(place.say("runs --json").json()["items"][0]["state"], "interrupted");
}

#[test]
fn a_run_at_work_is_left_alone_by_every_verb() {
    let (place, run) = at_work();
    let before = place.everything();
    let id = run.id();
    for verb in ["verify", "undo", "resume"] {
        for line in [verb.to_owned(), format!("{verb} {id}")] {
            let said = place.say(&line);
            assert_eq!(said.exit, Exit::Refused, "{line}: {}", said.all());
            assert!(
                said.err.contains(&format!("run {id} of copy-folder is at work right now")),
                "{}",
                said.err
            );
        }
    }
    let said = place.say(&format!("runs forget {id} --yes"));
    assert_eq!(said.exit, Exit::Refused, "{}", said.all());
    let said = place.say("runs gc --older-than 0 --yes");
    assert_eq!(said.exit, Exit::Done, "{}", said.all());
    assert!(said.out.contains("is at work right now [left]"), "{}", said.out);
    assert_eq!(place.say(MIGRATE).exit, Exit::Refused);
    before.assert_same(&place.everything(), "left alone");
}

#[test]
fn resume_means_the_run_that_nobody_is_at_work_on() {
    let (mut place, run) = at_work();
    std::fs::create_dir(place.path("other")).unwrap();
    place.troubled(Trouble::Disk, "--from old --to other");
    let said = place.say("resume --json");
    assert_eq!((said.exit, &said.json()["summary"]["migrated"]), (Exit::Done, &2.into()));
    assert!(place.path("other/a").exists() && !place.path("new/a").exists());
    drop(run);
}
