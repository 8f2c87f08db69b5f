//! Installed folders in the hands of others.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;

use durable_files::Fingerprint;
use migration_engine::steps::{Bytes, Entry, Files, InstallTree, Node, Verbatim};
use migration_engine::{Changed, Look, Run, RunId, Slot, State, Step, StepError, UndoError, Wave, perform};
use proptest::prelude::*;
use session_model::Timestamp;
use testkit::disk::Disk;
use testkit::tree::Tree;

use crate::place::{Events, Place, Watched, outcomes};

fn begin(place: &Place) -> Run<Watched> {
    place.begin(vec![vec![Wave::publish(vec![place.tree_of(0, &["old/a", "old/b"], "new/x/s")])]])
}

fn applied(place: &Place) -> Run<Watched> {
    let run = begin(place);
    assert_eq!(outcomes(&place.apply(&run, &Events::none()).unwrap()), "a=migrated");
    assert_eq!(place.read("new/x/s/deep/a").unwrap(), "the story of a\n");
    run
}

/// Where an undo puts the folder before it removes it.
fn aside(run: &Run<Watched>, place: &Place) -> std::path::PathBuf {
    place.path(&format!("new/x/.s.rehome-{}-0.old", run.id()))
}

fn assert_refused(place: &Place, run: &Run<Watched>) {
    let before = place.tree();
    let error = place.undo(run, &Events::none(), Changed::Refuse).unwrap_err();
    assert!(matches!(error, UndoError::Drifted(_)), "{error}");
    before.assert_same(&place.tree(), "a refused undo");
}

fn findings(place: &Place, run: &Run<Watched>) -> String {
    let found = place.verify(run).unwrap().findings;
    let shown = found.iter().map(|(_, finding)| format!("{}: {}", finding.code, finding.message));
    shown.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_folder_that_somebody_made_in_the_last_moment_is_theirs() {
    let place = Place::new("ab");
    let run = begin(&place);
    let target = place.path("new/x/s");
    let events = Events::at("publish x/s", move || {
        std::fs::create_dir(&target).unwrap();
        Ok(())
    });
    assert_eq!(outcomes(&place.apply(&run, &events).unwrap()), "a=failed(occupied)");
    place.undo(&run, &Events::none(), Changed::Refuse).unwrap();
    assert_eq!(place.tree().names(), ["new", "new/x", "new/x/s", "old", "old/a", "old/b"]);
}

#[test]
fn a_folder_that_holds_the_same_is_not_taken_for_ours() {
    let place = Place::new("ab");
    let run = applied(&place);
    let names = ["new/x/s", "copy"].map(|name| place.path(name));
    assert!(Command::new("cp").arg("-a").args(names).status().unwrap().success());
    std::fs::remove_dir_all(place.path("new/x/s")).unwrap();
    std::fs::rename(place.path("copy"), place.path("new/x/s")).unwrap();
    assert_refused(&place, &run);
}

#[test]
fn a_folder_that_is_there_already_counts_as_arrived_and_stays() {
    let place = Place::new("ab");
    let plan = place.plan(vec![vec![Wave::publish(vec![place.tree_of(0, &["old/a"], "new/s")])]]);
    std::fs::create_dir_all(place.path("new/s/deep")).unwrap();
    place.write("new/s/deep/a", "the story of a\n"); // they were quicker
    let before = place.tree();
    let run = place.create(plan);
    assert_eq!(outcomes(&place.apply(&run, &Events::none()).unwrap()), "a=migrated");
    place.undo(&run, &Events::none(), Changed::Refuse).unwrap();
    before.assert_same(&place.tree(), "theirs");
    drop(run);

    place.write("new/s/deep/a", "another story\n");
    let plan = place.plan(vec![vec![Wave::publish(vec![place.tree_of(0, &["old/a"], "new/s")])]]);
    let run = place.create(plan);
    assert_eq!(outcomes(&place.apply(&run, &Events::none()).unwrap()), "a=conflict(occupied)");
}

#[test]
fn verify_names_what_has_come_to_a_folder_grown_changed_or_gone() {
    let place = Place::new("ab");
    let run = applied(&place);
    assert_eq!(findings(&place, &run), "");
    place.write("new/x/s/notes", "theirs\n");
    place.write("new/x/s/deep/a", "the story of a\nand more\n");
    assert!(place.verify(&run).unwrap().passes());
    let found = findings(&place, &run);
    assert!(
        found.starts_with("superseded: ") && found.contains("deep/a: it has grown by 9 bytes"),
        "{found}"
    );
    assert!(found.contains("notes: it is new"), "{found}");
    place.write("new/x/s/deep/b", "the glory of b\n");
    std::fs::remove_file(place.path("new/x/s/deep/a")).unwrap();
    let found = findings(&place, &run);
    assert!(found.starts_with("changed: ") && found.contains("deep/a: it is gone; deep/b: other"), "{found}");
    assert!(!place.verify(&run).unwrap().passes());
}

#[test]
fn what_has_come_to_a_folder_is_never_removed_with_it() {
    for changed in [Changed::Keep, Changed::SetAside] {
        let place = Place::new("ab");
        let before = place.tree();
        let run = applied(&place);
        place.write("new/x/s/notes", "theirs\n");
        let now = Tree::of(&place.path("new/x/s"));
        assert_refused(&place, &run);
        place.undo(&run, &Events::none(), changed).unwrap();
        if changed == Changed::Keep {
            now.assert_same(&Tree::of(&place.path("new/x/s")), "kept");
        } else {
            before.assert_same(&place.tree(), "set aside");
            now.assert_same(&Tree::of(&run.dir().join("set-aside/0-s")), "set aside");
        }
    }
}

#[test]
fn what_comes_to_a_folder_while_it_is_taken_back_stays_with_it() {
    let place = Place::new("ab");
    let run = applied(&place);
    let notes = place.path("new/x/s/notes");
    let events = Events::at("revert x/s", move || {
        std::fs::write(&notes, "theirs\n").unwrap();
        Ok(())
    });
    let error = place.undo(&run, &events, Changed::Refuse).unwrap_err();
    assert!(matches!(error, UndoError::Halted(_)), "{error}");
    assert_eq!(place.read("new/x/s/notes").unwrap(), "theirs\n");
    assert_eq!(place.read("new/x/s/deep/a").unwrap(), "the story of a\n");
    assert_refused(&place, &run);
}

/// As far as a kill right after the folder was moved aside, and somebody whose working folder it is goes on in it.
#[test]
fn what_comes_to_a_folder_that_was_moved_aside_is_not_removed() {
    for changed in [Changed::Keep, Changed::SetAside] {
        let place = Place::new("ab");
        let before = place.tree();
        let run = applied(&place);
        std::fs::rename(place.path("new/x/s"), aside(&run, &place)).unwrap();
        std::fs::write(aside(&run, &place).join("notes"), "theirs\n").unwrap();
        assert_refused(&place, &run);
        let run = place.reopen(run);
        place.undo(&run, &Events::none(), changed).unwrap();
        if changed == Changed::Keep {
            assert_eq!(place.read("new/x/s/notes").unwrap(), "theirs\n");
        } else {
            before.assert_same(&place.tree(), "set aside");
            let kept = std::fs::read_to_string(run.dir().join("set-aside/0-s/notes")).unwrap();
            assert_eq!(kept, "theirs\n");
        }
    }
}

#[test]
fn without_the_list_of_what_was_installed_nothing_is_removed() {
    for gone in [true, false] {
        let place = Place::new("ab");
        let run = applied(&place);
        let list = run.dir().join("0-manifest");
        if gone {
            std::fs::remove_file(&list).unwrap();
        } else {
            std::fs::write(&list, std::fs::read_to_string(&list).unwrap().replace("deep/a", "deep/c"))
                .unwrap();
        }
        assert_refused(&place, &run);
        let found = findings(&place, &run);
        assert!(
            found.starts_with("changed: ") && found.contains("cannot tell what was installed"),
            "{found}"
        );
        place.undo(&run, &Events::none(), Changed::SetAside).unwrap();
        assert_eq!(place.tree().names(), ["new", "old", "old/a", "old/b"]);
    }
}

#[test]
fn a_folder_with_a_source_that_changed_is_not_installed_at_all() {
    let place = Place::new("ab");
    let run = begin(&place);
    place.write("old/b", "rewritten meanwhile\n");
    assert_eq!(outcomes(&place.apply(&run, &Events::none()).unwrap()), "a=failed(source-changed)");
    assert_eq!(place.tree().names(), ["new", "old", "old/a", "old/b"]);
}

#[test]
fn a_link_put_in_the_place_of_a_folder_in_it_is_not_followed_by_an_undo() {
    let place = Place::new("ab");
    let run = applied(&place);
    std::fs::rename(place.path("new/x/s/deep"), place.path("elsewhere")).unwrap();
    std::os::unix::fs::symlink(place.path("elsewhere"), place.path("new/x/s/deep")).unwrap();
    assert_refused(&place, &run);
    place.undo(&run, &Events::none(), Changed::SetAside).unwrap();
    assert_eq!(place.read("elsewhere/a").unwrap(), "the story of a\n");
}

/// A tree of one file, performed without a run.
fn alone(
    place: &Place,
    entries: Vec<Entry<Bytes>>,
) -> (InstallTree<Bytes>, Slot, Result<migration_engine::steps::InstalledTree, StepError>) {
    let step = InstallTree::of(&place.path("new/s"), entries).unwrap();
    let slot = Slot::new(RunId::new(Timestamp::UNIX_EPOCH, 0), 0, place.path("state"));
    let performed = perform(&step, &mut Files::default(), &slot, &place.cx());
    (step, slot, performed)
}

fn bytes(path: impl AsRef<Path>, content: &[u8]) -> Entry<Bytes> {
    let node = Node::File { content: Bytes(content.to_vec()), mode: 0o600, mtime: Some(5) };
    Entry { path: path.as_ref().into(), node }
}

#[test]
fn a_folder_can_be_installed_and_taken_back_without_a_run() {
    let place = Place::new("");
    let before = place.tree();
    let (step, slot, performed) = alone(&place, vec![bytes("a", b"months\n")]);
    let installed = performed.unwrap();
    assert_eq!((installed.files, installed.bytes), (1, 7));
    step.revert(&mut Files::default(), &slot, Some(&installed), &place.cx()).unwrap();
    before.assert_same(&place.tree(), "taken back");
    assert_eq!(std::fs::read_dir(place.path("state")).unwrap().count(), 0);
}

#[test]
fn what_came_along_when_a_folder_was_moved_aside_comes_back_with_it() {
    let place = Place::new("");
    let (step, slot, performed) = alone(&place, vec![bytes("a", b"months\n")]);
    let installed = performed.unwrap();
    place.write("new/s/notes", "theirs\n");
    let now = place.tree();
    std::fs::rename(place.path("new/s"), &installed.aside).unwrap(); // all that is left of an undo that was killed
    step.revert(&mut Files::default(), &slot, Some(&installed), &place.cx()).unwrap_err();
    now.assert_same(&place.tree(), "come back");
}

#[test]
fn a_file_with_holes_keeps_them() {
    let place = Place::new("");
    let source = place.path("old/sparse");
    std::fs::File::create(&source).unwrap().set_len(8 << 20).unwrap();
    let expect = Fingerprint::of_file(&source).unwrap();
    let content = Verbatim { sparse: true, ..Verbatim::of(&source, expect) };
    let node = Node::File { content, mode: 0o600, mtime: None };
    let step = InstallTree::of(&place.path("new/s"), vec![Entry { path: "sparse".into(), node }]).unwrap();
    let slot = Slot::new(RunId::new(Timestamp::UNIX_EPOCH, 0), 0, place.path("state"));
    perform(&step, &mut Files::default(), &slot, &place.cx()).unwrap();
    let found = std::fs::metadata(place.path("new/s/sparse")).unwrap();
    assert_eq!((found.len(), found.blocks()), (8 << 20, 0));
}

#[test]
fn names_that_are_one_where_they_go_are_named_and_neither_is_lost_to_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = Disk::that_folds_case(folder.path()) else {
        eprintln!("SKIPPED: no disk that folds names could be mounted (ntfs-3g, FUSE), so nothing was shown");
        return;
    };
    let place = Place::new("");
    let step = |names: [&str; 2]| {
        let entries = names.map(|name| bytes(name, name.as_bytes()));
        InstallTree::of(&disk.path().join("s"), entries.into()).unwrap()
    };
    let slot = Slot::new(RunId::new(Timestamp::UNIX_EPOCH, 0), 0, place.path("state"));
    let error = perform(&step(["Notes", "notes"]), &mut Files::default(), &slot, &place.cx()).unwrap_err();
    let StepError::Item(cause) = error else { panic!("{error}") };
    assert_eq!(cause.code, "names-clash");
    assert!(cause.message.contains("Notes and notes have one name"), "{cause}");
    assert_eq!(std::fs::read_dir(disk.path()).unwrap().count(), 0);
    // and a name that is listed as another is not taken for one that has come
    let (step, mut files) = (step(["Notes", "Others"]), Files::default());
    let ours = perform(&step, &mut files, &slot, &place.cx()).unwrap();
    assert_eq!(step.inspect(&mut files, Some(&ours), Look::Full, &place.cx()).unwrap(), State::Done);
    step.revert(&mut files, &slot, Some(&ours), &place.cx()).unwrap();
    assert_eq!(std::fs::read_dir(disk.path()).unwrap().count(), 0);
}

/// Names of files and folders below each other, and what the files hold.
fn shapes() -> impl Strategy<Value = Vec<(Vec<u8>, Option<Vec<u8>>)>> {
    let name =
        prop_oneof![Just(b"a".to_vec()), Just(b"b c".to_vec()), Just(vec![0xFF, b'.']), Just("é".into())];
    let content = proptest::option::of(proptest::collection::vec(0..3_u8, 0..20));
    proptest::collection::vec((proptest::collection::vec(name, 1..4), content), 0..8).prop_map(|files| {
        files.into_iter().map(|(names, content)| (names.join(&b"/"[..]), content)).collect()
    })
}

/// As entries: each below the folders it needs, those that fit beside each other.
fn entries(shapes: Vec<(Vec<u8>, Option<Vec<u8>>)>) -> Vec<Entry<Bytes>> {
    use std::os::unix::ffi::OsStringExt;
    let mut entries: Vec<Entry<Bytes>> = Vec::new();
    for (path, content) in shapes {
        let path = std::path::PathBuf::from(std::ffi::OsString::from_vec(path));
        let mut with = entries.clone();
        let folders: Vec<_> = path.ancestors().skip(1).filter(|dir| !dir.as_os_str().is_empty()).collect();
        for dir in folders.into_iter().rev() {
            if !with.iter().any(|entry| &*entry.path == dir) {
                with.push(Entry { path: dir.into(), node: Node::Folder { mode: 0o750, mtime: Some(9) } });
            }
        }
        with.push(match content {
            Some(content) => bytes(&path, &content),
            None => Entry { path: path.into(), node: Node::Symlink { target: "a".into() } },
        });
        if InstallTree::of(Path::new("/new"), with.clone()).is_ok() {
            entries = with;
        }
    }
    entries
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases / 5, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is in it, a folder arrives whole; whatever is done to one of its files is seen, and nothing is removed then.
    #[test]
    fn any_folder_arrives_and_goes_and_any_change_in_it_keeps_it(
        shapes in shapes(),
        pick in any::<prop::sample::Index>(),
        change in 0..4_u8,
    ) {
        let place = Place::new("");
        let before = place.tree();
        let (step, slot, performed) = alone(&place, entries(shapes));
        let ours = performed.unwrap();
        let (root, mut files) = (place.path("new/s"), Files::default());
        for entry in &step.entries {
            let path = root.join(&entry.path);
            match &entry.node {
                Node::File { content, .. } => prop_assert_eq!(&std::fs::read(path).unwrap(), &content.0),
                Node::Folder { .. } => prop_assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o750),
                Node::Symlink { .. } => prop_assert!(path.is_symlink()),
            }
        }
        for look in [Look::Quick, Look::Full] {
            prop_assert_eq!(step.inspect(&mut files, Some(&ours), look, &place.cx()).unwrap(), State::Done);
            prop_assert_eq!(step.inspect(&mut files, None, look, &place.cx()).unwrap(), State::Done);
        }
        let now: Vec<_> = step.entries.iter().filter(|entry| matches!(entry.node, Node::File { .. })).collect();
        if !now.is_empty() && change < 3 {
            let path = root.join(&now[pick.index(now.len())].path);
            match change {
                0 => std::fs::remove_file(&path).unwrap(),
                1 => std::fs::write(&path, [&std::fs::read(&path).unwrap()[..], b"more"].concat()).unwrap(),
                _ => std::fs::write(path.with_file_name("new"), b"").unwrap(),
            }
            let changed = place.tree();
            let state = step.inspect(&mut files, Some(&ours), Look::Quick, &place.cx()).unwrap();
            prop_assert_eq!(matches!(state, State::Superseded(_)), change != 0, "{:?}", state);
            prop_assert_eq!(matches!(state, State::Conflict(_)), change == 0);
            prop_assert!(step.revert(&mut files, &slot, Some(&ours), &place.cx()).is_err());
            prop_assert_eq!(changed.difference(&place.tree()), "");
        } else {
            step.revert(&mut files, &slot, Some(&ours), &place.cx()).unwrap();
            prop_assert_eq!(before.difference(&place.tree()), "");
        }
    }
}
