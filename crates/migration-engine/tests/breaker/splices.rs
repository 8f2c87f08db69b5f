//! Spliced files in the hands of others.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

use migration_engine::{Changed, Run, UndoError, Wave};
use testkit::tree::Tree;

use crate::place::{Events, Place, Watched, outcomes};

const BEFORE: &str = "the old story, and more of it\n";
const AFTER: &str = "the new and longer story, and more of it\n";

/// A file of which one place shall change.
fn place() -> Place {
    let place = Place::new("a");
    place.write("new/history", BEFORE);
    place
}

fn begin(place: &Place) -> Run<Watched> {
    let task = place.splice(0, "new/history", ["old", "new and longer"]);
    place.begin(vec![vec![Wave::publish(vec![task])]])
}

fn applied(place: &Place) -> Run<Watched> {
    let run = begin(place);
    assert_eq!(outcomes(&place.apply(&run, &Events::none()).unwrap()), "a=migrated");
    assert_eq!(place.read("new/history").unwrap(), AFTER);
    run
}

fn append(path: &std::path::Path, text: &str) {
    OpenOptions::new().append(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
}

/// The name beside the target that holds the file which does not have its place.
fn other(run: &Run<Watched>, place: &Place) -> PathBuf {
    place.path(&format!("new/.history.rehome-{}-0.other", run.id()))
}

fn set_aside(run: &Run<Watched>) -> Vec<String> {
    let kept = std::fs::read_dir(run.dir().join("set-aside")).unwrap();
    let mut kept: Vec<_> = kept.map(|kept| std::fs::read_to_string(kept.unwrap().path()).unwrap()).collect();
    kept.sort();
    kept
}

fn assert_refused(place: &Place, run: &Run<Watched>) {
    let before = place.tree();
    let error = place.undo(run, &Events::none(), Changed::Refuse).unwrap_err();
    assert!(matches!(error, UndoError::Drifted(_)), "{error}");
    before.assert_same(&place.tree(), "a refused undo");
}

#[test]
fn nothing_is_left_beside_a_spliced_file_and_its_undo_makes_it_again() {
    let place = place();
    let before = place.tree();
    let run = applied(&place);
    assert_eq!(place.tree().names(), before.names());
    assert!(place.verify(&run).unwrap().passes());
    let run = place.reopen(run);
    place.undo(&run, &Events::none(), Changed::Refuse).unwrap();
    before.assert_same(&place.tree(), "made again");
}

#[test]
fn a_spliced_file_that_has_grown_is_superseded_and_comes_back_only_when_it_is_set_aside() {
    let place = place();
    let before = place.tree();
    let run = applied(&place);
    append(&place.path("new/history"), "the next day\n");
    let verdict = place.verify(&run).unwrap();
    assert!(verdict.passes() && verdict.findings[0].1.code == migration_engine::Verdict::SUPERSEDED);
    assert_refused(&place, &run);
    place.undo(&run, &Events::none(), Changed::SetAside).unwrap();
    before.assert_same(&place.tree(), "set aside");
    assert_eq!(set_aside(&run), [format!("{AFTER}the next day\n")]);
}

#[test]
fn a_spliced_file_that_was_rewritten_stays_since_what_was_there_cannot_be_made_again() {
    let place = place();
    let run = applied(&place);
    place.write("new/history", "another story\n");
    assert!(!place.verify(&run).unwrap().passes());
    assert_refused(&place, &run);
    for gone in [false, true] {
        if gone {
            std::fs::remove_file(place.path("new/history")).unwrap();
        }
        let refused = place.undo(&run, &Events::none(), Changed::SetAside).unwrap_err();
        let UndoError::Drifted(drifted) = refused else { panic!("{refused}") };
        assert!(drifted[0].found.contains("cannot be made again"), "{drifted:?}");
        assert_eq!(drifted[0].aside, None);
    }
    place.write("new/history", "another story\n");
    place.undo(&run, &Events::none(), Changed::Keep).unwrap();
    assert_eq!(place.read("new/history").unwrap(), "another story\n");
}

#[test]
fn what_is_written_in_the_last_moment_before_a_splice_is_put_back_and_stays() {
    for theirs in ["the old story, and more of it\nand more\n", "another story\n"] {
        let place = place();
        let names = place.tree().names();
        let run = begin(&place);
        let path = place.path("new/history");
        let events = Events::at("publish new/history", move || {
            std::fs::write(path, theirs).unwrap();
            Ok(())
        });
        let receipt = place.apply(&run, &events).unwrap();
        assert_eq!(outcomes(&receipt), "a=failed(source-changed)");
        assert_eq!(place.read("new/history").unwrap(), theirs);
        assert_eq!(place.tree().names(), names);
    }
}

/// As far as a kill between the exchange of the names and the look at what came out.
#[test]
fn what_was_written_in_the_last_moment_before_a_kill_comes_back() {
    for resume in [true, false] {
        let place = place();
        let run = begin(&place);
        place.apply(&run, &Events::killed("publish new/history")).unwrap_err();
        append(&place.path("new/history"), "and more\n");
        let grown = Tree::of(&place.path("new")).without(&[other(&run, &place)
            .file_name()
            .unwrap()
            .to_str()
            .unwrap()]);
        durable_files::exchange(&other(&run, &place), &place.path("new/history")).unwrap();
        let run = place.reopen(run);
        if resume {
            let receipt = place.apply(&run, &Events::none()).unwrap();
            assert_eq!(outcomes(&receipt), "a=conflict(occupied)");
            grown.assert_same(&Tree::of(&place.path("new")), "what they wrote");
        } else {
            assert_refused(&place, &run);
            place.undo(&run, &Events::none(), Changed::SetAside).unwrap();
            assert_eq!(place.read("new/history").unwrap(), BEFORE);
            assert_eq!(set_aside(&run), [format!("{BEFORE}and more\n")]);
        }
    }
}

#[test]
fn what_was_written_in_the_last_moment_before_an_undo_was_killed_is_not_removed() {
    for changed in [Changed::Keep, Changed::SetAside] {
        let place = place();
        let before = place.tree();
        let run = applied(&place);
        let looks = std::fs::metadata(place.path("new/history")).unwrap();
        // as far as a kill right after the exchange, of a file that had grown after the look at it
        std::fs::rename(place.path("new/history"), other(&run, &place)).unwrap();
        append(&other(&run, &place), "the next day\n");
        place.write("new/history", BEFORE);
        let file = OpenOptions::new().write(true).open(place.path("new/history")).unwrap();
        file.set_modified(looks.modified().unwrap()).unwrap();
        assert_refused(&place, &run);
        place.undo(&run, &Events::none(), changed).unwrap();
        let grown = format!("{AFTER}the next day\n");
        if changed == Changed::Keep {
            assert_eq!(std::fs::read_to_string(other(&run, &place)).unwrap(), grown);
        } else {
            assert_eq!(set_aside(&run), [grown]);
            before.assert_same(&place.tree(), "set aside");
        }
    }
}

#[test]
fn an_old_file_that_somebody_still_writes_to_is_not_removed_and_verify_says_where_it_is() {
    let place = place();
    let before = place.tree();
    let mut held = OpenOptions::new().append(true).open(place.path("new/history")).unwrap();
    let run = begin(&place);
    let events = Events::at("published new/history", move || {
        held.write_all(b"written to the old one\n").unwrap();
        Ok(())
    });
    place.apply(&run, &events).unwrap();
    let grown = format!("{BEFORE}written to the old one\n");
    assert_eq!(std::fs::read_to_string(other(&run, &place)).unwrap(), grown);
    let verdict = place.verify(&run).unwrap();
    assert!(!verdict.passes() && verdict.findings[0].1.message.contains(".other"), "{verdict:?}");
    assert_refused(&place, &run);
    place.undo(&run, &Events::none(), Changed::SetAside).unwrap();
    before.assert_same(&place.tree(), "set aside");
    assert_eq!(set_aside(&run), [grown]);
}

#[test]
fn two_splices_of_one_file_in_two_runs_are_taken_back_in_turn() {
    let place = place();
    let before = place.tree();
    let first = applied(&place);
    let id = first.id().clone();
    drop(first); // and with it the locks
    let between = place.tree();
    let task = place.splice(0, "new/history", ["more of it", "less"]);
    let second = place.begin(vec![vec![Wave::publish(vec![task])]]);
    place.apply(&second, &Events::none()).unwrap();
    assert_eq!(place.read("new/history").unwrap(), "the new and longer story, and less\n");
    let second_id = second.id().clone();
    drop(second);

    let first = Run::open(&place.root(), &id).unwrap();
    assert_refused(&place, &first);
    drop(first);
    let second = Run::open(&place.root(), &second_id).unwrap();
    place.undo(&second, &Events::none(), Changed::Refuse).unwrap();
    between.assert_same(&place.tree(), "the second taken back");
    drop(second);
    let first = Run::open(&place.root(), &id).unwrap();
    place.undo(&first, &Events::none(), Changed::Refuse).unwrap();
    before.assert_same(&place.tree(), "both taken back");
}

#[test]
fn a_splice_that_does_not_fit_its_file_changes_nothing() {
    let place = place();
    let before = place.tree();
    let mut task = place.splice(0, "new/history", ["old", "new"]);
    task.step.claim_offset(5);
    let run = place.begin(vec![vec![Wave::publish(vec![task])]]);
    assert_eq!(outcomes(&place.apply(&run, &Events::none()).unwrap()), "a=failed(source-changed)");
    before.assert_same(&place.tree(), "not spliced");
}

#[test]
fn a_splice_that_changes_no_byte_is_done_once_and_taken_back() {
    let place = place();
    let before = place.tree();
    let run = place.begin(vec![vec![Wave::publish(vec![place.splice(0, "new/history", ["old", "old"])])]]);
    place.apply(&run, &Events::none()).unwrap();
    assert!(place.verify(&run).unwrap().passes());
    place.undo(&run, &Events::none(), Changed::Refuse).unwrap();
    before.assert_same(&place.tree(), "taken back");
}
