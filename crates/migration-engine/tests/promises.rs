//! What a run promises when single items go wrong: in-process, with files that are really there.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use durable_files::Fingerprint;
use migration_engine::steps::{Files, InstallFile, Installed, Retire};
use migration_engine::{
    ApplyError, Block, Bucket, Cause, Changed, Cost, Cx, ForgetError, Header, Item, ItemId, Lane, Look,
    NoProgress, Outcome, Phase, Plan, Receipt, RoomError, Run, RunId, Slot, State, StateRoot, Step,
    StepError, TargetLocks, Task, UndoError, Wave, World, Worlds, check_room, compose_steps, perform,
};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use session_model::{Finding, InputId, Timestamp};
use testkit::tree::Tree;

/// Where a step is made to fail, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    StageItem,
    StageWorld,
    PublishItem,
    PublishWorld,
    Stop,
}

/// Files, and trouble for the targets named here.
#[derive(Default)]
struct Troubled {
    files: Files,
    trouble: BTreeMap<String, Trouble>,
}

impl World for Troubled {
    fn persist(&mut self) -> Result<(), StepError> {
        self.files.persist()
    }

    fn settle(&mut self) -> Result<(), StepError> {
        self.files.settle()
    }

    fn abandon(&mut self) {
        self.files.abandon();
    }
}

/// An [`InstallFile`] that can be made to fail.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Install(InstallFile);

impl Install {
    fn meet(&self, world: &Troubled, here: [Trouble; 2], cx: Option<&Cx<'_>>) -> Result<(), StepError> {
        let name = self.0.target.file_name().unwrap().to_str().unwrap();
        match world.trouble.get(name) {
            Some(trouble) if *trouble == here[0] => {
                Err(StepError::Item(Cause::new("trouble", "made to fail")))
            }
            Some(trouble) if *trouble == here[1] => {
                Err(StepError::World(Cause::new("trouble", "made to fail")))
            }
            Some(Trouble::Stop) => cx.map_or(Ok(()), |_| Err(StepError::Stopped)),
            _ => Ok(()),
        }
    }
}

impl Step for Install {
    type World = Troubled;
    type Evidence = Installed;

    fn describe(&self) -> String {
        self.0.describe()
    }

    fn cost(&self) -> Cost {
        self.0.cost()
    }

    fn inspect(
        &self,
        w: &mut Troubled,
        evidence: Option<&Installed>,
        look: Look,
        cx: &Cx<'_>,
    ) -> Result<State, StepError> {
        self.0.inspect(&mut w.files, evidence, look, cx)
    }

    fn stage(&self, world: &mut Troubled, slot: &Slot, cx: &Cx<'_>) -> Result<Installed, StepError> {
        self.meet(world, [Trouble::StageItem, Trouble::StageWorld], Some(cx))?;
        self.0.stage(&mut world.files, slot, cx)
    }

    fn publish(&self, world: &mut Troubled, slot: &Slot, evidence: &Installed) -> Result<(), StepError> {
        self.meet(world, [Trouble::PublishItem, Trouble::PublishWorld], None)?;
        self.0.publish(&mut world.files, slot, evidence)
    }

    fn revert(
        &self,
        world: &mut Troubled,
        slot: &Slot,
        evidence: Option<&Installed>,
        cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        self.0.revert(&mut world.files, slot, evidence, cx)
    }
}

/// Everything a lane works with.
struct Handles {
    troubled: Troubled,
    files: Files,
}

impl World for Handles {
    fn persist(&mut self) -> Result<(), StepError> {
        self.troubled.persist()
    }

    fn settle(&mut self) -> Result<(), StepError> {
        self.troubled.settle()?;
        self.files.settle()
    }

    fn abandon(&mut self) {
        self.troubled.abandon();
    }
}

compose_steps! {
    /// New files and retired sources.
    enum Effect, Trace in Handles {
        /// A new file.
        Install(Install) with troubled,
        /// A retired source.
        Retire(Retire) with files,
    }
}

/// The trouble to come, and the items that the tool does not accept.
#[derive(Default)]
struct Script {
    trouble: Vec<(&'static str, Trouble)>,
    rejected: Vec<&'static str>,
}

impl Worlds<Effect> for Script {
    fn world(&self, _lane: usize) -> Result<Handles, StepError> {
        let trouble = self.trouble.iter().map(|(name, trouble)| ((*name).to_owned(), *trouble)).collect();
        Ok(Handles { troubled: Troubled { files: Files::default(), trouble }, files: Files::default() })
    }

    fn judge(&self, _world: &mut Handles, item: &Item) -> Vec<Finding> {
        let rejected = self.rejected.contains(&item.name.as_str());
        rejected.then(|| Finding::error("rejected", "not accepted")).into_iter().collect()
    }
}

/// A place with sources `a`, `b`, `c`, … and an empty target folder.
struct Place {
    dir: tempfile::TempDir,
    names: Vec<String>,
    stop: AtomicBool,
}

impl Place {
    fn new(names: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("old")).unwrap();
        std::fs::create_dir(dir.path().join("new")).unwrap();
        let names: Vec<String> = names.chars().map(String::from).collect();
        for name in &names {
            std::fs::write(dir.path().join("old").join(name), format!("the story of {name}\n")).unwrap();
        }
        Self { dir, names, stop: AtomicBool::new(false) }
    }

    fn root(&self) -> StateRoot {
        StateRoot::at(self.dir.path().join("state"))
    }

    fn tree(&self) -> Tree {
        Tree::of(self.dir.path()).without(&["state"])
    }

    fn old(&self, name: &str) -> PathBuf {
        self.dir.path().join("old").join(name)
    }

    fn new_file(&self, name: &str) -> PathBuf {
        self.dir.path().join("new").join(name)
    }

    fn cx(&self) -> Cx<'_> {
        Cx { stop: &self.stop, progress: &NoProgress, now: Timestamp::now }
    }

    fn install(&self, at: usize) -> Task<Effect> {
        let (source, target) = (self.old(&self.names[at]), self.new_file(&self.names[at]));
        let step = InstallFile::plan(&source, Fingerprint::of_file(&source).unwrap(), &target);
        Task { item: Some(item_id(at)), step: Install(step).into() }
    }

    fn retire(&self, at: usize) -> Task<Effect> {
        let source = self.old(&self.names[at]);
        let expect = Fingerprint::of_file(&source).unwrap();
        Task { item: Some(item_id(at)), step: Retire { source: source.into(), expect, into: None }.into() }
    }

    fn installs(&self) -> Vec<Task<Effect>> {
        (0..self.names.len()).map(|at| self.install(at)).collect()
    }

    fn items(&self) -> Vec<Item> {
        let item = |name: &String| {
            Item::new(InputId::new("file", name.clone()), name.clone(), Outcome::plain(Bucket::Migrated))
        };
        self.names.iter().map(item).collect()
    }

    fn plan(&self, items: Vec<Item>, lanes: Vec<Lane<Effect>>) -> Plan<Effect> {
        let header = Header {
            tool: "test".into(),
            version: "0".into(),
            blocks: vec![Block { kind: "file".into(), title: "files".into(), inputs: 0 }],
            locks: vec![self.dir.path().join("new").into()],
            concerns: Vec::new(),
            settings: serde_json::Value::Null,
            partial: false,
            findings: Vec::new(),
        };
        let inputs: Vec<InputId> = items.iter().map(|item| item.input.clone()).collect();
        Plan::new(header, &inputs, items, lanes).unwrap()
    }

    fn run(&self, plan: Plan<Effect>) -> Run<Effect> {
        let salt = u16::try_from(self.root().ids().unwrap().len()).unwrap();
        let locks = TargetLocks::take(&plan.header.locks).unwrap();
        let id = RunId::new(Timestamp::UNIX_EPOCH, salt);
        Run::create(&self.root(), id, plan, locks, Timestamp::UNIX_EPOCH).unwrap()
    }

    /// One lane of one publish wave.
    fn simple_run(&self) -> Run<Effect> {
        self.run(self.plan(self.items(), vec![vec![Wave::publish(self.installs())]]))
    }

    /// The run, closed and opened again: what another process would see.
    fn reopen(&self, run: Run<Effect>) -> Run<Effect> {
        let id = run.id().clone();
        drop(run);
        Run::open(&self.root(), &id).unwrap()
    }
}

fn item_id(at: usize) -> ItemId {
    ItemId(u32::try_from(at).unwrap())
}

/// `a=migrated b=failed(trouble)`.
fn outcomes(receipt: &Receipt) -> String {
    let shown = receipt.items.iter().map(|(item, outcome)| match &outcome.reason {
        Some(reason) => format!("{}={}({reason})", item.name, outcome.bucket),
        None => format!("{}={}", item.name, outcome.bucket),
    });
    shown.collect::<Vec<_>>().join(" ")
}

#[test]
fn a_source_that_changed_after_planning_fails_that_item_alone() {
    let place = Place::new("abc");
    let run = place.simple_run();
    std::fs::write(place.old("b"), "rewritten meanwhile\n").unwrap();
    let receipt = run.apply(&Script::default(), 1, &place.cx()).unwrap();
    assert_eq!(outcomes(&receipt), "a=migrated b=failed(source-changed) c=migrated");
    assert!(!place.new_file("b").exists());
    // trying again cannot help: only a new plan could
    let receipt = place.reopen(run).apply(&Script::default(), 1, &place.cx()).unwrap();
    assert_eq!(outcomes(&receipt), "a=migrated b=failed(source-changed) c=migrated");
}

#[test]
fn what_appeared_at_a_target_after_planning_is_never_overwritten() {
    let place = Place::new("ab");
    let run = place.simple_run();
    std::fs::write(place.new_file("a"), "somebody else's\n").unwrap();
    std::fs::write(place.new_file("b"), "the story of b\n").unwrap();
    let receipt = run.apply(&Script::default(), 1, &place.cx()).unwrap();
    assert_eq!(outcomes(&receipt), "a=conflict(occupied) b=migrated");
    assert_eq!(std::fs::read_to_string(place.new_file("a")).unwrap(), "somebody else's\n");
    // b was put there by somebody else as well, so an undo leaves it
    run.undo(&Script::default(), Changed::Refuse, &place.cx()).unwrap();
    assert!(place.new_file("a").exists() && place.new_file("b").exists());
}

#[test]
fn an_item_that_fails_is_taken_back_with_all_that_needs_it() {
    for trouble in [Trouble::StageItem, Trouble::PublishItem] {
        let place = Place::new("abcd");
        let mut items = place.items();
        items[0].needs = vec![item_id(2)]; // a needs c, d needs a; b is on its own
        items[3].needs = vec![item_id(0)];
        let waves = (0..4).map(|at| Wave::publish(vec![place.install(at)])).collect();
        let run = place.run(place.plan(items, vec![waves]));
        let script = Script { trouble: vec![("c", trouble)], ..Script::default() };
        let receipt = run.apply(&script, 1, &place.cx()).unwrap();
        let expected = "a=failed(needs-failed) b=migrated c=failed(trouble) d=failed(needs-failed)";
        assert_eq!(outcomes(&receipt), expected);
        assert!(receipt.balances() && receipt.is_partial());
        assert_eq!(std::fs::read_dir(place.dir.path().join("new")).unwrap().count(), 1, "only b");

        // the trouble is gone: resume tries again what failed, and all that had been taken back with it
        let receipt = place.reopen(run).apply(&Script::default(), 1, &place.cx()).unwrap();
        assert_eq!(outcomes(&receipt), "a=migrated b=migrated c=migrated d=migrated");
        assert_eq!(std::fs::read_dir(place.dir.path().join("new")).unwrap().count(), 4);
    }
}

#[test]
fn one_transaction_stands_or_falls_together() {
    for trouble in [Trouble::StageItem, Trouble::PublishItem] {
        let place = Place::new("abc");
        let waves = vec![
            Wave::publish(vec![place.install(0)]),
            Wave::transaction(vec![place.install(1), place.install(2)]),
        ];
        let run = place.run(place.plan(place.items(), vec![waves]));
        let script = Script { trouble: vec![("c", trouble)], ..Script::default() };
        let receipt = run.apply(&script, 1, &place.cx()).unwrap();
        assert_eq!(outcomes(&receipt), "a=migrated b=failed(fell-together) c=failed(trouble)");
        assert!(place.new_file("a").exists() && !place.new_file("b").exists());
        let receipt = place.reopen(run).apply(&Script::default(), 1, &place.cx()).unwrap();
        assert_eq!(outcomes(&receipt), "a=migrated b=migrated c=migrated");
    }
}

#[test]
fn a_failing_world_stops_the_run_where_it_stands() {
    for trouble in [Trouble::StageWorld, Trouble::PublishWorld, Trouble::Stop] {
        let place = Place::new("abc");
        let before = place.tree();
        let waves = (0..3).map(|at| Wave::publish(vec![place.install(at)])).collect();
        let run = place.run(place.plan(place.items(), vec![waves]));
        let script = Script { trouble: vec![("b", trouble)], ..Script::default() };
        let error = run.apply(&script, 1, &place.cx()).unwrap_err();
        assert_eq!(matches!(error, ApplyError::Stopped), trouble == Trouble::Stop, "{error}");
        assert!(place.new_file("a").exists() && !place.new_file("c").exists());
        assert_eq!(run.phase(), Phase::Interrupted);
        let interrupted = place.root().interrupted_on(&run.plan().header.locks).unwrap();
        assert_eq!(interrupted.map(|found| found.id), Some(run.id().clone()));

        let run = place.reopen(run);
        run.undo(&Script::default(), Changed::Refuse, &place.cx()).unwrap();
        before.assert_same(&place.tree(), "undone after a failing world");
        assert!(place.root().interrupted_on(&run.plan().header.locks).unwrap().is_none());
    }
}

#[test]
fn a_source_is_retired_only_when_its_copy_was_verified_and_accepted() {
    let place = Place::new("abc");
    let before = place.tree();
    let retires = (0..3).map(|at| place.retire(at)).collect();
    let run = place
        .run(place.plan(place.items(), vec![vec![Wave::publish(place.installs()), Wave::retire(retires)]]));
    let script = Script { rejected: vec!["b"], ..Script::default() };
    let receipt = run.apply(&script, 1, &place.cx()).unwrap();
    assert_eq!(outcomes(&receipt), "a=migrated b=migrated c=migrated");
    assert!(!place.old("a").exists() && place.old("b").exists() && !place.old("c").exists());
    assert!(place.new_file("b").exists(), "a verified copy stays");
    assert_eq!(receipt.items[1].0.findings[0].code, "rejected");
    run.undo(&Script::default(), Changed::Refuse, &place.cx()).unwrap();
    before.assert_same(&place.tree(), "undone");
}

#[test]
fn verify_names_what_is_gone_changed_or_has_grown() {
    let place = Place::new("abcd");
    let run = place.simple_run();
    run.apply(&Script::default(), 1, &place.cx()).unwrap();
    assert!(run.verify(&Script::default(), Look::Full, &place.cx()).unwrap().passes());
    std::fs::remove_file(place.new_file("a")).unwrap();
    std::fs::write(place.new_file("b"), "the glory of b\n").unwrap();
    std::fs::write(place.new_file("c"), "the story of c\nand what came after\n").unwrap();
    let script = Script { rejected: vec!["d"], ..Script::default() };
    let verdict = run.verify(&script, Look::Full, &place.cx()).unwrap();
    assert!(!verdict.passes());
    let mut found: Vec<_> =
        verdict.findings.iter().map(|(item, finding)| (item.unwrap().0, finding.code.as_str())).collect();
    found.sort_unstable();
    assert_eq!(found, [(0, "missing"), (1, "changed"), (2, "superseded"), (3, "rejected")]);
}

#[test]
fn an_undo_touches_nothing_if_anything_has_changed_and_says_what() {
    let place = Place::new("abc");
    let before = place.tree();
    let run = place.simple_run();
    run.apply(&Script::default(), 1, &place.cx()).unwrap();
    std::fs::write(place.new_file("b"), "the story of b\nand what came after\n").unwrap();
    let changed = place.tree();
    let error = run.undo(&Script::default(), Changed::Refuse, &place.cx()).unwrap_err();
    let UndoError::Drifted(drifted) = error else { panic!("{error}") };
    assert_eq!(drifted.len(), 1);
    assert!(drifted[0].step.ends_with("new/b") && drifted[0].found.contains("grown"), "{drifted:?}");
    changed.assert_same(&place.tree(), "a refused undo");

    let kept = run.undo(&Script::default(), Changed::Keep, &place.cx()).unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!(place.tree().difference(&before), "- new/b\n", "only b is left");
    assert_eq!(run.phase(), Phase::Undone);
}

#[test]
fn a_newer_run_on_the_same_target_goes_first_unless_it_changed_something_else_there() {
    let place = Place::new("ab");
    let run = |file: usize, concerns: &[&str]| {
        let mut plan = place.plan(place.items(), vec![vec![Wave::publish(vec![place.install(file)])]]);
        plan.header.concerns = concerns.iter().map(|name| place.new_file(name).into()).collect();
        let run = place.run(plan);
        run.apply(&Script::default(), 1, &place.cx()).unwrap();
        run.id().clone()
    };
    let newer = |run| {
        let newer = place.root().newer_than(&place.root().summary(run).unwrap()).unwrap();
        newer.into_iter().map(|run| run.id).collect::<Vec<_>>()
    };
    let undo = |run| {
        let run = Run::<Effect>::open(&place.root(), run).unwrap();
        run.undo(&Script::default(), Changed::Refuse, &place.cx()).unwrap();
    };
    let (first, second) = (run(0, &["a"]), run(1, &["b"]));
    assert_eq!(newer(&first), []);
    undo(&first);
    let inside = run(0, &["b/inside"]);
    assert_eq!(newer(&second), std::slice::from_ref(&inside), "what is inside of it is a part of it");
    undo(&inside);
    let unsaid = run(0, &[]);
    assert_eq!(newer(&second), [unsaid], "nobody knows what it changed");
}

#[test]
fn forgetting_removes_what_was_kept_for_an_undo_and_nothing_else() {
    let place = Place::new("ab");
    let waves = vec![Wave::publish(place.installs()), Wave::retire(vec![place.retire(0)])];
    let run = place.run(place.plan(place.items(), vec![waves]));
    let id = run.id().clone();
    let run = place.reopen(run);
    assert!(matches!(run.forget(), Err(ForgetError::Unfinished(_))), "an interrupted run is kept");
    let run = Run::open(&place.root(), &id).unwrap();
    run.apply(&Script::default(), 1, &place.cx()).unwrap();
    let kept = run.stashes();
    assert!(kept.len() == 1 && kept[0].exists(), "{kept:?}");
    run.forget().unwrap();
    assert!(place.root().ids().unwrap().is_empty());
    assert_eq!(place.tree().names(), ["new", "new/a", "new/b", "old", "old/b"]);
}

#[test]
fn two_runs_never_work_on_one_target() {
    let place = Place::new("a");
    let run = place.simple_run();
    assert!(TargetLocks::take(&run.plan().header.locks).is_err());
    drop(run);
    assert!(TargetLocks::take(&[place.dir.path().join("new").into()]).is_ok());
}

#[test]
fn a_plan_that_forgets_or_invents_an_input_is_refused() {
    let place = Place::new("ab");
    let items = place.items();
    let header = place.plan(items.clone(), Vec::new()).header;
    let inputs = [InputId::new("file", "a"), InputId::new("file", "b"), InputId::new("file", "c")];
    let refused = |inputs: &[InputId], items| {
        Plan::<Effect>::new(header.clone(), inputs, items, Vec::new()).unwrap_err().to_string()
    };
    assert!(refused(&inputs, items.clone()).contains("1 missing, 0 unknown or twice; first: file c"));
    assert!(refused(&inputs[..2], [items.clone(), items].concat()).contains("0 missing, 2 unknown"));
}

#[test]
fn a_plan_with_an_input_in_no_sum_or_a_step_for_nobody_is_refused() {
    let place = Place::new("ab");
    let refused = |kind: &str, needs: u32, serves: u32| {
        let mut items = place.items();
        items[1].input.kind = kind.into();
        items[1].needs = vec![ItemId(needs)];
        let inputs: Vec<InputId> = items.iter().map(|item| item.input.clone()).collect();
        let header = place.plan(place.items(), Vec::new()).header;
        let task = Task { item: Some(ItemId(serves)), ..place.install(0) };
        let lanes = vec![vec![Wave::publish(vec![task])]];
        Plan::new(header, &inputs, items, lanes).map(drop).map_err(|error| error.to_string())
    };
    assert_eq!(refused("file", 0, 1), Ok(()));
    assert_eq!(refused("folder", 0, 1), Err("the plan has no sums for the kind of folder b".into()));
    assert_eq!(refused("file", 2, 1), Err("the plan speaks of item 2, and has 2".into()));
    assert_eq!(refused("file", 0, 2), Err("the plan speaks of item 2, and has 2".into()));
}

#[test]
fn a_single_step_can_be_performed_and_taken_back_without_a_run() {
    let place = Place::new("a");
    let before = place.tree();
    let step = InstallFile::plan(
        &place.old("a"),
        Fingerprint::of_file(&place.old("a")).unwrap(),
        &place.new_file("a"),
    );
    let slot = Slot::new(RunId::new(Timestamp::UNIX_EPOCH, 0), 0, place.dir.path().join("state"));
    let mut files = Files::default();
    let evidence = perform(&step, &mut files, &slot, &place.cx()).unwrap();
    assert!(place.new_file("a").exists());
    step.revert(&mut files, &slot, Some(&evidence), &place.cx()).unwrap();
    before.assert_same(&place.tree(), "taken back");

    std::fs::write(place.new_file("a"), "somebody else's").unwrap();
    assert!(perform(&step, &mut files, &slot, &place.cx()).is_err());
    assert_eq!(std::fs::read_to_string(place.new_file("a")).unwrap(), "somebody else's");
}

#[test]
fn a_plan_that_does_not_fit_is_refused_before_the_first_write() {
    let place = Place::new("a");
    let mut plan = place.plan(place.items(), vec![vec![Wave::publish(place.installs())]]);
    check_room(&plan, place.root().path()).unwrap();
    let Effect::Install(Install(step)) = &mut plan.lanes[0][0].tasks[0].step else { panic!() };
    step.content.expect.size = u64::MAX / 4;
    let RoomError::Short(shortage) = check_room(&plan, place.root().path()).unwrap_err() else { panic!() };
    assert!(shortage.bytes > shortage.free.bytes);
    assert!(!place.root().path().exists());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases / 4, ..ProptestConfig::default() })]

    /// Whatever fails, in however many lanes: nothing is uncounted, and an undo restores every byte.
    #[test]
    fn whatever_goes_wrong_nothing_is_uncounted_and_undo_restores_all(
        troubles in proptest::collection::vec(0..8_usize, 6),
        lanes in 1..4_usize,
        together in any::<bool>(),
        jobs in 1..3_usize,
    ) {
        const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
        const KINDS: [Trouble; 4] =
            [Trouble::StageItem, Trouble::PublishItem, Trouble::StageWorld, Trouble::PublishWorld];
        let place = Place::new("abcdef");
        let before = place.tree();
        let mut waves: Vec<Vec<Task<Effect>>> = (0..lanes).map(|_| Vec::new()).collect();
        for at in 0..6 {
            waves[at % lanes].push(place.install(at));
        }
        let wave = |tasks| if together { Wave::transaction(tasks) } else { Wave::publish(tasks) };
        let run = place.run(place.plan(place.items(), waves.into_iter().map(|tasks| vec![wave(tasks)]).collect()));
        let trouble = NAMES.iter().zip(troubles).filter_map(|(name, kind)| Some((*name, *KINDS.get(kind)?))).collect();
        let script = Script { trouble, ..Script::default() };
        if let Ok(receipt) = run.apply(&script, jobs, &place.cx()) {
            prop_assert!(receipt.balances());
            for (item, outcome) in &receipt.items {
                prop_assert_eq!(place.new_file(&item.name).exists(), outcome.bucket == Bucket::Migrated);
            }
        }
        let run = place.reopen(run);
        run.undo(&Script::default(), Changed::Refuse, &place.cx()).unwrap();
        let difference = before.difference(&place.tree());
        prop_assert!(difference.is_empty(), "{}", difference);
    }
}
