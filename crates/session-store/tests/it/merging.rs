//! What a run adds to a store that others use, and what it takes back.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use migration_engine::steps::{Bytes, InstallFile};
use migration_engine::{Cx, Look, NoProgress, RunId, Slot, State, Step, StepError, World};
use session_model::Timestamp;
use session_store::{
    Document, Format, Held, InstallTranscript, KeyedEntry, LOCK, MergeEntries, Merged, NewEntry, Patience,
    STORE, StoreFiles,
};
use tempfile::{TempDir, tempdir};
use testkit::tree::Tree;

const THEIRS: &str = "{\n  \"theirs\": {\"session_id\": \"t\", \"updated_at\": 7.50}\n}\n";

static GO: AtomicBool = AtomicBool::new(false);

fn cx() -> Cx<'static> {
    Cx { stop: &GO, progress: &NoProgress, now: Timestamp::now }
}

struct Scene {
    folder: TempDir,
    run: TempDir,
    world: StoreFiles,
}

impl Scene {
    /// A store that holds this.
    fn new(store: &str) -> Self {
        let scene = Self { folder: tempdir().unwrap(), run: tempdir().unwrap(), world: new_world() };
        fs::write(scene.store(), store).unwrap();
        let long_ago = fs::File::options().write(true).open(scene.store()).unwrap();
        long_ago.set_modified(std::time::SystemTime::now() - Duration::from_hours(24)).unwrap();
        scene
    }

    fn store(&self) -> PathBuf {
        self.folder.path().join(STORE)
    }

    fn text(&self) -> String {
        fs::read_to_string(self.store()).unwrap()
    }

    fn tree(&self) -> Tree {
        Tree::of(self.folder.path())
    }

    fn slot(&self, step: u32) -> Slot {
        Slot::new(RunId::new(Timestamp::UNIX_EPOCH, 0), step, self.run.path().to_path_buf())
    }

    /// The step for a session whose transcript is there.
    fn step(&self, id: &str, keys: &[&str]) -> MergeEntries {
        step(&self.store(), id, keys)
    }

    fn inspect(&mut self, step: &MergeEntries, merged: Option<&Merged>) -> State {
        step.inspect(&mut self.world, merged, Look::Full, &cx()).unwrap()
    }

    fn stage(&mut self, number: u32, step: &MergeEntries) -> Result<Merged, StepError> {
        let slot = self.slot(number);
        step.stage(&mut self.world, &slot, &cx())
    }

    fn publish(&mut self, number: u32, step: &MergeEntries, merged: &Merged) -> Result<(), StepError> {
        let slot = self.slot(number);
        self.world.persist()?;
        step.publish(&mut self.world, &slot, merged)?;
        self.world.settle()
    }

    fn apply(&mut self, step: &MergeEntries) -> Merged {
        let merged = self.stage(1, step).unwrap();
        self.publish(1, step, &merged).unwrap();
        merged
    }

    fn undo(&mut self, step: &MergeEntries, merged: &Merged) -> Result<(), StepError> {
        let slot = self.slot(1);
        step.revert(&mut self.world, &slot, Some(merged), &cx())?;
        self.world.settle()
    }
}

fn new_world() -> StoreFiles {
    StoreFiles::new(Patience { limit: Duration::ZERO, ..Patience::default() })
}

fn step(store: &Path, id: &str, keys: &[&str]) -> MergeEntries {
    let transcript = format!("{id}.jsonl");
    fs::write(store.with_file_name(&transcript), "").unwrap();
    let metadata = Some(r#"{"label": "x"}"#);
    let entry = NewEntry { session_id: id, updated_at: 100, session_file: &transcript, metadata };
    let entry = entry.build(Format::Python).text;
    let entries = keys.iter().map(|key| KeyedEntry { key: (*key).into(), entry: entry.clone() }).collect();
    let (store, format, session) = (store.into(), Format::Python, id.into());
    MergeEntries { store, format, session, transcript, entries, is_known: false }
}

#[test]
fn entries_come_behind_what_is_there_and_an_undo_leaves_the_store_as_it_was_to_the_time() {
    for before in [THEIRS, "", "{ }", "\u{feff}{\"a\":1}"] {
        let mut scene = Scene::new(before);
        let step = scene.step("s", &["k", "alias"]);
        let tree = scene.tree();
        assert_eq!(scene.inspect(&step, None), State::Pending);
        let merged = scene.apply(&step);
        let document = Document::parse(scene.text().as_bytes()).unwrap();
        assert_eq!(document.entries().len(), 2 + Document::parse(before.as_bytes()).unwrap().entries().len());
        assert_eq!(scene.inspect(&step, Some(&merged)), State::Done);
        assert_eq!(scene.inspect(&step, None), State::Done, "again changes nothing");
        scene.undo(&step, &merged).unwrap();
        tree.assert_same(&scene.tree(), before);
    }
}

#[test]
fn what_others_change_in_a_store_at_any_time_is_kept() {
    let mut scene = Scene::new(THEIRS);
    let step = scene.step("s", &["k"]);
    let meanwhile = THEIRS.replace("7.50", "8.50");
    fs::write(scene.store(), &meanwhile).unwrap();
    let merged = scene.apply(&step);
    let added = scene.text();
    assert!(added.starts_with(meanwhile.trim_end().trim_end_matches("\n}")));

    let later = added.replace("\n}\n", ",\n  \"later\": {\"session_id\": \"l\", \"updated_at\": 1}\n}\n");
    fs::write(scene.store(), later).unwrap();
    assert_eq!(scene.inspect(&step, Some(&merged)), State::Done);
    scene.undo(&step, &merged).unwrap();
    let theirs = ",\n  \"later\": {\"session_id\": \"l\", \"updated_at\": 1}\n}\n";
    assert_eq!(scene.text(), meanwhile.replace("\n}\n", theirs));
}

#[test]
fn a_key_a_session_or_a_transcript_that_is_taken_fails_its_own_item_alone() {
    let theirs =
        "{\"theirs\": {\"session_id\": \"t\", \"updated_at\": 7, \"session_file\": \"./shared.jsonl\"}}";
    let mut scene = Scene::new(theirs);
    for taken in [scene.step("s", &["theirs"]), scene.step("t", &["k"]), scene.step("shared", &["k"])] {
        assert!(matches!(scene.inspect(&taken, None), State::Conflict(_)));
        let Err(StepError::Item(cause)) = scene.stage(0, &taken) else { panic!("it is taken") };
        assert!(cause.needs_new_plan);
    }
    let step = scene.step("s", &["k"]);
    scene.apply(&step);
    assert!(scene.text().contains("\"k\"") && !scene.folder.path().join(LOCK).exists());
}

#[test]
fn another_key_of_a_session_that_is_known_leads_to_it() {
    let mut scene = Scene::new(THEIRS);
    let step = MergeEntries { is_known: true, ..scene.step("t", &["k"]) };
    scene.apply(&step);
    assert!(scene.text().contains("\"k\""));
}

#[test]
fn no_entry_leads_to_nothing() {
    let mut scene = Scene::new(THEIRS);
    let step = scene.step("s", &["k"]);
    fs::remove_file(scene.folder.path().join("s.jsonl")).unwrap();
    assert!(matches!(scene.stage(1, &step), Err(StepError::Item(_))));
}

#[test]
fn a_transcript_stays_as_long_as_an_entry_leads_to_it_that_stays() {
    let mut scene = Scene::new(THEIRS);
    let target = scene.folder.path().join("s.jsonl");
    let file = InstallFile::of(Bytes(b"{}\n".to_vec()), &target, 0);
    let transcript = InstallTranscript { file, store: scene.store().into(), format: Format::Python };
    let slot = scene.slot(0);
    let installed = transcript.stage(&mut scene.world, &slot, &cx()).unwrap();
    let entries = scene.step("s", &["k"]);
    fs::remove_file(&target).unwrap();
    transcript.publish(&mut scene.world, &slot, &installed).unwrap();
    let merged = scene.apply(&entries);
    let ours = scene.text();

    let mut look = |store: &str| {
        fs::write(scene.store(), store).unwrap();
        scene.inspect(&entries, Some(&merged));
        transcript.inspect(&mut scene.world, Some(&installed), Look::Full, &cx()).unwrap()
    };
    assert_eq!(look(&ours), State::Done);
    let others = [
        ours.replace("100", "101"),
        ours.replace("\"k\"", "\"renamed\""),
        ours.replace("\"t\"", "\"t\", \"session_file\": \"s.jsonl\""),
        "{".to_owned(),
    ];
    for store in others {
        assert!(matches!(look(&store), State::Superseded(_)), "{store}");
    }
    assert_eq!(look(THEIRS), State::Done, "nothing leads to it any more");
}

#[test]
fn what_was_staged_and_taken_back_never_comes_to_the_store() {
    let mut scene = Scene::new(THEIRS);
    let (one, other) = (scene.step("s", &["k"]), scene.step("o", &["o"]));
    let staged = [scene.stage(1, &one).unwrap(), scene.stage(2, &other).unwrap()];
    let slot = scene.slot(1);
    one.revert(&mut scene.world, &slot, Some(&staged[0]), &cx()).unwrap();
    scene.publish(2, &other, &staged[1]).unwrap();
    assert!(scene.text().contains("\"o\"") && !scene.text().contains("\"k\""));

    let tree = scene.tree();
    scene.stage(1, &one).unwrap();
    scene.world.abandon();
    tree.assert_same(&scene.tree(), "a wave that was given up");
}

#[test]
fn an_entry_that_was_used_since_is_not_taken_back_unasked_and_not_lost_when_asked() {
    let mut scene = Scene::new(THEIRS);
    let step = scene.step("s", &["k"]);
    let merged = scene.apply(&step);
    let ours = scene.text();
    for (from, to, is_more) in [
        ("100", "101", true),
        ("\"x\"", "\"x\",\n    \"channel\": \"irc\"", true),
        ("100", "99", false),
        ("\"s\"", "\"other\"", false),
    ] {
        fs::write(scene.store(), ours.replace(from, to)).unwrap();
        let state = scene.inspect(&step, Some(&merged));
        assert_eq!(matches!(state, State::Superseded(_)), is_more, "{to}: {state:?}");
        assert_eq!(matches!(state, State::Conflict(_)), !is_more, "{to}: {state:?}");
        let tree = scene.tree();
        assert!(matches!(scene.undo(&step, &merged), Err(StepError::Item(_))));
        scene.world.abandon();
        tree.assert_same(&scene.tree(), to);
    }
    let aside = tempdir().unwrap();
    let slot = scene.slot(1);
    step.set_aside(&mut scene.world, &slot, &merged, aside.path(), &cx()).unwrap();
    scene.world.settle().unwrap();
    assert_eq!(scene.text(), THEIRS);
    let kept = fs::read_to_string(aside.path().join("1-sessions.json")).unwrap();
    assert!(kept.contains("\"k\"") && kept.contains("\"other\""), "{kept}");
}

#[test]
fn an_entry_that_somebody_has_removed_is_not_missed_by_an_undo() {
    let mut scene = Scene::new(THEIRS);
    let step = scene.step("s", &["k"]);
    let merged = scene.apply(&step);
    fs::write(scene.store(), "{}").unwrap();
    assert_eq!(scene.inspect(&step, Some(&merged)), State::Pending);
    scene.undo(&step, &merged).unwrap();
    assert_eq!(scene.text(), "{}");
}

#[test]
fn while_somebody_holds_the_store_nothing_is_written_to_it() {
    let mut scene = Scene::new(THEIRS);
    let step = scene.step("s", &["k"]);
    let held = Held::take(scene.folder.path(), &Patience::default(), &GO).unwrap();
    let tree = scene.tree();
    let Err(StepError::World(cause)) = scene.stage(1, &step) else { panic!("it is held") };
    assert!(cause.message.starts_with("Failed to acquire lock: "), "{cause}");
    tree.assert_same(&scene.tree(), "held");
    held.release().unwrap();
    scene.apply(&step);
}

#[test]
fn what_is_written_without_regard_to_the_lock_is_not_overwritten() {
    let mut scene = Scene::new(THEIRS);
    let step = scene.step("s", &["k"]);
    let merged = scene.stage(1, &step).unwrap();
    let rude = THEIRS.replace("7.50", "9.75");
    fs::write(scene.store(), &rude).unwrap();
    assert!(matches!(scene.publish(1, &step, &merged), Err(StepError::World(_))));
    scene.world.abandon();
    assert_eq!(scene.text(), rude);
    assert_eq!(fs::read_dir(scene.folder.path()).unwrap().count(), 2, "a transcript, a store, nothing else");
    assert_eq!(scene.inspect(&step, Some(&merged)), State::Pending, "a later try goes on from there");
    scene.apply(&step);
    assert!(scene.text().contains("9.75") && scene.text().contains("\"k\""));
}

#[test]
fn without_its_lock_a_run_writes_nothing() {
    let mut scene = Scene::new(THEIRS);
    let step = scene.step("s", &["k"]);
    let merged = scene.stage(1, &step).unwrap();
    fs::remove_file(scene.folder.path().join(LOCK)).unwrap();
    assert!(matches!(scene.publish(1, &step, &merged), Err(StepError::World(_))));
    assert_eq!(scene.text(), THEIRS);
}

#[test]
fn a_store_that_cannot_be_read_is_never_overwritten() {
    let mut scene = Scene::new("{\"a\": {");
    let step = scene.step("s", &["k"]);
    let tree = scene.tree();
    let error = scene.stage(1, &step).unwrap_err();
    assert!(error.to_string().contains("line 1, column"), "{error}");
    scene.world.abandon();
    tree.assert_same(&scene.tree(), "unreadable");
}

#[cfg(unix)]
#[test]
fn a_store_that_is_there_keeps_its_mode_and_a_new_one_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let mut scene = Scene::new(THEIRS);
    fs::set_permissions(scene.store(), fs::Permissions::from_mode(0o640)).unwrap();
    let merge = scene.step("s", &["k"]);
    scene.apply(&merge);
    assert_eq!(mode(&scene.store()), 0o640);
    let new = tempdir().unwrap();
    scene.apply(&step(&new.path().join(STORE), "s", &["k"]));
    assert_eq!(mode(&new.path().join(STORE)), 0o600);
}

#[test]
fn an_entry_that_came_in_a_later_attempt_is_taken_out_as_well_and_the_store_is_what_it_was() {
    for before in [THEIRS, "{ }"] {
        let mut scene = Scene::new(before);
        let (one, other) = (scene.step("s", &["k"]), scene.step("o", &["o"]));
        let tree = scene.tree();
        let first = scene.apply(&one);
        let later = scene.stage(2, &other).unwrap();
        scene.publish(2, &other, &later).unwrap();
        let slot = scene.slot(2);
        other.revert(&mut scene.world, &slot, Some(&later), &cx()).unwrap();
        scene.undo(&one, &first).unwrap();
        tree.assert_same(&scene.tree(), before);
    }
}

#[test]
fn a_store_that_cannot_be_read_any_more_is_kept_whole_and_is_what_it_was() {
    let mut scene = Scene::new(THEIRS);
    let step = scene.step("s", &["k"]);
    let tree = scene.tree();
    let merged = scene.apply(&step);
    let damaged = scene.text() + "{}";
    fs::write(scene.store(), &damaged).unwrap();
    assert!(matches!(scene.inspect(&step, Some(&merged)), State::Conflict(_)));
    assert!(matches!(scene.undo(&step, &merged), Err(StepError::Item(_))));
    scene.world.abandon();
    let aside = tempdir().unwrap();
    let slot = scene.slot(1);
    step.set_aside(&mut scene.world, &slot, &merged, aside.path(), &cx()).unwrap();
    scene.world.settle().unwrap();
    tree.assert_same(&scene.tree(), "set aside");
    assert_eq!(fs::read_to_string(aside.path().join("1-sessions.json")).unwrap(), damaged);
}
