//! Items and worlds that fail at the wrong moment.

use std::sync::{Arc, Mutex};

use migration_engine::{Cause, Changed, Phase, Wave};

use crate::place::{Events, Place, outcomes};

#[test]
fn a_source_whose_retiring_was_interrupted_is_retired_by_resume() {
    let place = Place::new("a");
    let lanes = vec![vec![
        Wave::publish(vec![place.install(0, "old/a", "new/a")]),
        Wave::retire(vec![place.retire(0, "old/a")]),
    ]];
    let run = place.begin(lanes);
    place.apply(&run, &Events::killed("publish old/a")).unwrap_err();
    let receipt = place.apply(&place.reopen(run), &Events::none()).unwrap();
    assert_eq!(receipt.items[0].0.findings, []);
    assert_eq!(place.read("old/a"), None, "the copy stands, so the source goes");
}

#[test]
fn what_needs_an_item_that_can_never_arrive_does_not_arrive_by_trying_again() {
    let mut place = Place::new("ab");
    place.needs = vec![(0, 1)];
    let lane = vec![
        Wave::publish(vec![place.install(0, "old/a", "new/a")]),
        Wave::publish(vec![place.install(1, "old/b", "new/b")]),
    ];
    let run = place.begin(vec![lane]);
    place.write("old/b", "rewritten meanwhile\n");
    for attempt in ["first", "second"] {
        let receipt = place.apply(&run, &Events::none()).unwrap();
        assert_eq!(outcomes(&receipt), "a=failed(needs-failed) b=failed(source-changed)", "{attempt}");
        assert_eq!(place.read("new/a"), None, "{attempt}");
    }
}

#[test]
fn what_needs_an_item_of_a_fallen_transaction_falls_with_it() {
    for moment in ["stage new/b", "publish new/b"] {
        let mut place = Place::new("abcd");
        place.needs = vec![(0, 2), (3, 2)]; // a and d need c, which falls together with b
        let lane = vec![
            Wave::publish(vec![place.install(0, "old/a", "new/a")]),
            Wave::transaction(vec![place.install(1, "old/b", "new/b"), place.install(2, "old/c", "new/c")]),
            Wave::publish(vec![place.install(3, "old/d", "new/d")]),
        ];
        let run = place.begin(vec![lane]);
        let receipt = place.apply(&run, &Events::item_fails(moment)).unwrap();
        assert_eq!(
            outcomes(&receipt),
            "a=failed(needs-failed) b=failed(trouble) c=failed(fell-together) d=failed(needs-failed)"
        );
        assert_eq!((place.read("new/a"), place.read("new/d")), (None, None));
        let receipt = place.apply(&run, &Events::none()).unwrap();
        assert_eq!(outcomes(&receipt), "a=migrated b=migrated c=migrated d=migrated");
    }
}

#[test]
fn an_item_that_failed_for_good_is_taken_back_even_if_that_was_interrupted() {
    let place = Place::new("ab");
    let lane = vec![
        Wave::publish(vec![place.install(0, "old/a", "new/a")]),
        Wave::publish(vec![place.install(0, "old/b", "new/b")]),
    ];
    let run = place.begin(vec![lane]);
    place.write("old/b", "rewritten meanwhile\n");
    place.apply(&run, &Events::killed("revert new/a")).unwrap_err();
    assert!(place.read("new/a").is_some(), "struck before it was taken back");
    let run = place.reopen(run);
    let receipt = place.apply(&run, &Events::none()).unwrap();
    assert_eq!(outcomes(&receipt), "a=failed(source-changed)");
    assert_eq!(place.read("new/a"), None, "what failed is not there");
}

#[test]
fn what_needs_an_item_of_another_lane_is_taken_back_with_it() {
    let mut place = Place::new("ab");
    place.needs = vec![(0, 1)];
    let lanes = vec![
        vec![Wave::publish(vec![place.install(0, "old/a", "new/a")])],
        vec![Wave::publish(vec![place.install(1, "old/b", "new/b")])],
    ];
    let before = place.tree();
    let run = place.begin(lanes);
    let receipt = place.apply(&run, &Events::item_fails("publish new/b")).unwrap();
    assert_eq!(outcomes(&receipt), "a=failed(needs-failed) b=failed(trouble)");
    before.assert_same(&place.tree(), "all failed");
    assert_eq!(outcomes(&place.apply(&run, &Events::none()).unwrap()), "a=migrated b=migrated");
}

#[test]
fn a_replaced_file_that_was_taken_back_can_be_replaced_when_it_is_tried_again() {
    let place = Place::new("ab");
    place.write("new/index", "none\n");
    let before = place.tree();
    let lane = vec![
        Wave::publish(vec![place.replace(0, "old/a", "new/index")]),
        Wave::publish(vec![place.install(0, "old/b", "new/b")]),
    ];
    let run = place.begin(vec![lane]);
    let receipt = place.apply(&run, &Events::item_fails("publish new/b")).unwrap();
    assert_eq!(outcomes(&receipt), "a=failed(trouble)");
    before.assert_same(&place.tree(), "taken back");
    let receipt = place.apply(&place.reopen(run), &Events::none()).unwrap();
    assert_eq!(outcomes(&receipt), "a=migrated");
}

#[test]
fn a_run_that_is_tried_again_counts_as_interrupted_from_its_first_effect() {
    let place = Place::new("a");
    let run = place.begin(vec![vec![Wave::publish(vec![place.install(0, "old/a", "new/a")])]]);
    place.apply(&run, &Events::item_fails("publish new/a")).unwrap();
    assert_eq!(run.phase(), Phase::Applied);
    place.apply(&run, &Events::killed("stage new/a")).unwrap_err();
    assert_eq!(place.reopen(run).phase(), Phase::Interrupted);
}

#[test]
fn an_undo_refused_half_way_can_still_be_told_to_keep_what_changed() {
    for changed in [Changed::Keep, Changed::SetAside] {
        let place = Place::new("ab");
        let waves = vec![place.install(0, "old/a", "new/a"), place.install(1, "old/b", "new/b")];
        let run = place.begin(vec![vec![Wave::publish(waves)]]);
        place.apply(&run, &Events::none()).unwrap();
        place.undo(&run, &Events::killed("revert new/a"), Changed::Refuse).unwrap_err();
        place.write("new/a", "theirs\n");
        let run = place.reopen(run);
        place.undo(&run, &Events::none(), Changed::Refuse).unwrap_err();
        place.undo(&run, &Events::none(), changed).unwrap();
        assert_eq!(run.phase(), Phase::Undone);
        assert_eq!(place.read("new/a").is_some(), changed == Changed::Keep);
    }
}

#[test]
fn what_there_is_to_say_about_an_item_is_said_once() {
    let place = Place::new("ab");
    let lane = vec![
        Wave::publish(vec![place.install(0, "old/a", "new/a"), place.install(1, "old/b", "new/b")]),
        Wave::retire(vec![place.retire(0, "old/a"), place.retire(1, "old/b")]),
    ];
    let run = place.begin(vec![lane]);
    let events = || {
        Events::when(|moment| match moment {
            "stage old/a" => Err(Cause::new("trouble", "made to fail").item()),
            "publish old/b" => Err(Cause::new("killed", "made to end").world()),
            _ => Ok(()),
        })
    };
    for _ in 0..2 {
        place.apply(&run, &events()).unwrap_err();
    }
    assert_eq!(run.receipt().items[0].0.findings.len(), 1);
}

#[test]
fn a_source_is_judged_by_what_came_before_its_retiring_only() {
    let place = Place::new("ab");
    let lane = vec![
        Wave::publish(vec![place.install(0, "old/a", "new/a")]),
        Wave::retire(vec![place.retire(0, "old/a")]),
        Wave::publish(vec![place.install(0, "old/b", "new/b")]),
    ];
    let run = place.begin(vec![lane]);
    place.apply(&run, &Events::none()).unwrap();
    assert_eq!((place.read("old/a"), place.read("new/b").is_some()), (None, true));
}

#[test]
fn a_copy_that_cannot_be_looked_at_keeps_its_source_and_nothing_else() {
    let place = Place::new("ab");
    let lane = vec![
        Wave::publish(vec![place.install(0, "old/a", "new/a"), place.install(1, "old/b", "new/b")]),
        Wave::retire(vec![place.retire(0, "old/a"), place.retire(1, "old/b")]),
    ];
    let run = place.begin(vec![lane]);
    let mut looks = 0;
    let events = Events::when(move |moment| {
        looks += u32::from(moment == "inspect new/a");
        let refused = moment == "inspect new/a" && looks == 2;
        if refused { Err(Cause::new("io", "not allowed").item()) } else { Ok(()) }
    });
    let receipt = place.apply(&run, &events).unwrap();
    assert_eq!(outcomes(&receipt), "a=migrated b=migrated");
    assert_eq!((place.read("old/a").is_some(), place.read("old/b")), (true, None));
    assert_eq!(receipt.items[0].0.findings.len(), 1);
}

/// The moments of this kind, in their order.
fn moments(kind: &'static str) -> (Events, Arc<Mutex<Vec<String>>>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let list = Arc::clone(&seen);
    let events = Events::when(move |moment| {
        list.lock().unwrap().extend(moment.strip_prefix(kind).map(str::to_owned));
        Ok(())
    });
    (events, seen)
}

#[test]
fn a_source_is_back_before_its_copy_goes_and_resume_does_not_look_at_what_is_settled() {
    let place = Place::new("ab");
    let lane = vec![
        Wave::publish(vec![place.install(0, "old/a", "new/a"), place.install(1, "old/b", "new/b")]),
        Wave::publish(vec![place.install(0, "old/a", "new/c")]),
        Wave::retire(vec![place.retire(0, "old/a")]),
    ];
    let run = place.begin(vec![lane]);
    place.apply(&run, &Events::none()).unwrap();
    let (events, looked_at) = moments("inspect ");
    place.apply(&run, &events).unwrap();
    assert!(looked_at.lock().unwrap().is_empty());
    let (events, reverted) = moments("revert ");
    place.undo(&run, &events, Changed::Refuse).unwrap();
    assert_eq!(*reverted.lock().unwrap(), ["old/a", "new/c", "new/b", "new/a"]);
}
