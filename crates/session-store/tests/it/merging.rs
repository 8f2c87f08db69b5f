//! What a run adds to a store that others use, and what it takes back.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use migration_engine::{Cx, Look, NoProgress, RunId, Slot, State, Step, StepError, World};
use session_model::Timestamp;
use session_store::{
    Document, Format, Held, KeyedEntry, LOCK, MergeEntries, Merged, NewEntry, Patience, STORE, StoreFiles,
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
    world: StoreFiles,
}

impl Scene {
    /// A store that holds this.
    fn new(store: &str) -> Self {
        let scene = Self { folder: tempdir().unwrap(), world: new_world() };
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
        Slot::new(RunId::new(Timestamp::UNIX_EPOCH, 0), step, self.folder.path().join("run"))
    }

    /// The step for a session whose transcript is there.
    fn step(&self, id: &str, keys: &[&str]) -> MergeEntries {
        fs::write(self.folder.path().join(format!("{id}.jsonl")), "").unwrap();
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
    let file = format!("{id}.jsonl");
    let metadata = Some(r#"{"label": "x"}"#);
    let entry = NewEntry { session_id: id, updated_at: 100, session_file: &file, metadata };
    let entry = entry.build(Format::Python).text;
    let keyed =
        |key: &&str| KeyedEntry { key: (*key).into(), transcript: file.clone(), entry: entry.clone() };
    MergeEntries { store: store.into(), format: Format::Python, entries: keys.iter().map(keyed).collect() }
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
        scene.undo(&step, &merged).unwrap();
        tree.assert_same(&scene.tree(), before);
    }
}

#[test]
fn what_others_change_in_a_store_before_a_merge_is_kept() {
    let mut scene = Scene::new(THEIRS);
    let step = scene.step("s", &["k"]);
    let meanwhile = THEIRS.replace("7.50", "8.50");
    fs::write(scene.store(), &meanwhile).unwrap();
    scene.apply(&step);
    assert!(scene.text().starts_with(meanwhile.trim_end().trim_end_matches("\n}")));
}

#[test]
fn a_key_that_leads_elsewhere_stays_and_no_entry_leads_to_nothing() {
    let mut scene = Scene::new(THEIRS);
    let mut step = scene.step("s", &["theirs", "k"]);
    step.entries.push(KeyedEntry { key: "gone".into(), transcript: "gone.jsonl".into(), entry: "{}".into() });
    scene.apply(&step);
    let document = Document::parse(scene.text().as_bytes()).unwrap();
    let keys: Vec<_> = document.entries().into_iter().map(|(key, _)| key.into_owned()).collect();
    assert_eq!(keys, ["theirs", "k"]);
    assert!(scene.text().starts_with(THEIRS.trim_end().trim_end_matches("\n}")));
}

#[test]
fn a_wave_that_was_given_up_leaves_nothing_but_what_recovery_finds() {
    let mut scene = Scene::new(THEIRS);
    let step = scene.step("s", &["k"]);
    let tree = scene.tree();
    scene.stage(1, &step).unwrap();
    scene.world.abandon();
    let slot = scene.slot(1);
    step.revert(&mut scene.world, &slot, None, &cx()).unwrap();
    scene.world.settle().unwrap();
    tree.assert_same(&scene.tree(), "taken back");
}

#[test]
fn a_store_that_was_used_since_is_not_taken_back_unasked_and_not_lost_when_asked() {
    let mut scene = Scene::new(THEIRS);
    let step = scene.step("s", &["k"]);
    let merged = scene.apply(&step);
    let ours = scene.text();
    for (from, to, is_more) in
        [("100", "101", true), ("7.50", "7.75", true), ("100", "99", false), ("\"s\"", "\"other\"", false)]
    {
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
fn a_new_store_that_says_other_things_by_now_is_not_taken_back_and_nothing_is_stuck() {
    let mut scene = Scene::new("");
    fs::remove_file(scene.store()).unwrap();
    let step = scene.step("s", &["k"]);
    let merged = scene.apply(&step);
    for theirs in [THEIRS, "{}", "no store"] {
        fs::write(scene.store(), theirs).unwrap();
        let state = scene.inspect(&step, Some(&merged));
        assert!(matches!(state, State::Conflict(_)), "{theirs}: {state:?}");
    }
}

#[test]
fn a_store_that_another_made_before_ours_came_stays_and_a_resume_adds_to_it() {
    let mut scene = Scene::new("");
    fs::remove_file(scene.store()).unwrap();
    let step = scene.step("s", &["k"]);
    let merged = scene.stage(1, &step).unwrap();
    fs::write(scene.store(), THEIRS).unwrap();
    scene.world.abandon();
    assert_eq!(scene.inspect(&step, Some(&merged)), State::Pending);
    scene.undo(&step, &merged).unwrap();
    assert_eq!(scene.text(), THEIRS);
    assert_eq!(fs::read_dir(scene.folder.path()).unwrap().count(), 2, "a transcript, a store, nothing else");
    scene.apply(&step);
    assert!(scene.text().contains("7.50") && scene.text().contains("\"k\""));
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
    assert!(matches!(scene.publish(1, &step, &merged), Err(StepError::Item(_))));
    scene.world.abandon();
    assert_eq!(scene.text(), rude);
    assert_eq!(
        scene.inspect(&step, Some(&merged)),
        State::Pending,
        "resume goes on from there, undo is done"
    );
    scene.undo(&step, &merged).unwrap();
    assert_eq!(scene.text(), rude);
    assert_eq!(fs::read_dir(scene.folder.path()).unwrap().count(), 2, "a transcript, a store, nothing else");
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
    fs::write(new.path().join("s.jsonl"), "").unwrap();
    scene.apply(&step(&new.path().join(STORE), "s", &["k"]));
    assert_eq!(mode(&new.path().join(STORE)), 0o600);
}
