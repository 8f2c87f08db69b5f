//! A small world in which anything can be made to happen between any two effects of a run.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use durable_files::Fingerprint;
use migration_engine::steps::{
    Entry, Files, InstallFile, InstallTree, Node, ReplaceFile, Retire, SpliceFile, Verbatim,
};
use migration_engine::{
    ApplyError, Block, Bucket, Cause, Changed, Cost, Cx, Drift, Header, Item, ItemId, Lane, Look, NoProgress,
    Outcome, Plan, Receipt, Run, RunId, Slot, State, StateRoot, Step, StepError, TargetLocks, Task,
    UndoError, Verdict, World, Worlds, compose_steps,
};
use serde::{Deserialize, Serialize};
use session_model::{Finding, InputId, Splice, Timestamp};
use testkit::tree::Tree;

/// The folders of a lane, and what happens around them.
pub(crate) struct Handles {
    files: Files,
    hook: Hook,
}

/// Told each moment before it comes: `inspect new/a`, `stage new/a`, `publish new/a`, `revert new/a`, `judge a`, and `published new/a` after it. A judgement that errs accepts nothing.
type Hook = Arc<Mutex<dyn FnMut(&str) -> Result<(), StepError> + Send>>;

impl World for Handles {
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

compose_steps! {
    /// The steps of the engine.
    pub(crate) enum Effect, Trace in Handles {
        /// A new file.
        Install(InstallFile) with files,
        /// A replaced file.
        Replace(ReplaceFile) with files,
        /// A spliced file.
        Splice(SpliceFile) with files,
        /// A new folder.
        Tree(InstallTree) with files,
        /// A retired source.
        Retire(Retire) with files,
    }
}

/// A step at whose every moment something may happen.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Watched(Effect);

impl Watched {
    /// Makes the step of a new file believe that its source has this size.
    pub(crate) fn claim_size(&mut self, size: u64) {
        let Effect::Install(step) = &mut self.0 else { panic!("expected a new file") };
        step.content.expect.size = size;
    }

    /// Makes the step of a new file believe that its source held this.
    pub(crate) fn claim_digest(&mut self, digest: durable_files::Digest) {
        let Effect::Install(step) = &mut self.0 else { panic!("expected a new file") };
        step.content.digest = Some(digest);
    }

    /// Makes the step of a spliced file look in another place of it.
    pub(crate) fn claim_offset(&mut self, offset: u64) {
        let Effect::Splice(step) = &mut self.0 else { panic!("expected a spliced file") };
        step.splices[0].offset = offset;
    }

    fn meet(&self, world: &Handles, moment: &str) -> Result<(), StepError> {
        let shown = self.0.describe();
        let mut names = shown.rsplit('/');
        let (name, folder) = (names.next().unwrap(), names.next().unwrap());
        (world.hook.lock().unwrap())(&format!("{moment} {folder}/{name}"))
    }
}

impl Step for Watched {
    type World = Handles;
    type Evidence = Trace;

    fn describe(&self) -> String {
        self.0.describe()
    }

    fn cost(&self) -> Cost {
        self.0.cost()
    }

    fn inspect(
        &self,
        world: &mut Handles,
        evidence: Option<&Trace>,
        look: Look,
        cx: &Cx<'_>,
    ) -> Result<State, StepError> {
        self.meet(world, "inspect")?;
        self.0.inspect(world, evidence, look, cx)
    }

    fn stage(&self, world: &mut Handles, slot: &Slot, cx: &Cx<'_>) -> Result<Trace, StepError> {
        self.meet(world, "stage")?;
        self.0.stage(world, slot, cx)
    }

    fn publish(&self, world: &mut Handles, slot: &Slot, evidence: &Trace) -> Result<(), StepError> {
        self.meet(world, "publish")?;
        self.0.publish(world, slot, evidence)?;
        self.meet(world, "published")
    }

    fn revert(
        &self,
        world: &mut Handles,
        slot: &Slot,
        evidence: Option<&Trace>,
        cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        self.meet(world, "revert")?;
        self.0.revert(world, slot, evidence, cx)
    }

    fn unstage(
        &self,
        world: &mut Handles,
        slot: &Slot,
        evidence: &Trace,
        cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        self.0.unstage(world, slot, evidence, cx)
    }

    fn aside(&self, slot: &Slot, folder: &Path) -> Option<String> {
        self.0.aside(slot, folder)
    }

    fn set_aside(
        &self,
        world: &mut Handles,
        slot: &Slot,
        evidence: &Trace,
        folder: &Path,
        cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        self.0.set_aside(world, slot, evidence, folder, cx)
    }

    fn stashes(&self, slot: &Slot, evidence: &Trace) -> Vec<PathBuf> {
        self.0.stashes(slot, evidence)
    }
}

/// Opens worlds in which something happens.
pub(crate) struct Events(Hook);

impl Events {
    /// Nothing happens.
    pub(crate) fn none() -> Self {
        Self::when(|_| Ok(()))
    }

    pub(crate) fn when(hook: impl FnMut(&str) -> Result<(), StepError> + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(hook)))
    }

    /// At this moment, this happens, once.
    pub(crate) fn at(
        moment: &'static str,
        event: impl FnOnce() -> Result<(), StepError> + Send + 'static,
    ) -> Self {
        let mut event = Some(event);
        Self::when(
            move |now| {
                if now == moment { event.take().map_or(Ok(()), |event| event()) } else { Ok(()) }
            },
        )
    }

    /// At this moment the item fails, in a way that may be gone the next time.
    pub(crate) fn item_fails(moment: &'static str) -> Self {
        Self::at(moment, || Err(Cause::new("trouble", "made to fail").item()))
    }

    /// At this moment the program is killed, as far as the world can tell.
    pub(crate) fn killed(moment: &'static str) -> Self {
        Self::at(moment, || Err(Cause::new("killed", "made to end").world()))
    }
}

impl Worlds<Watched> for Events {
    fn world(&self, _lane: usize) -> Result<Handles, StepError> {
        Ok(Handles { files: Files::default(), hook: Arc::clone(&self.0) })
    }

    fn judge(&self, world: &mut Handles, item: &Item) -> Vec<Finding> {
        let met = (world.hook.lock().unwrap())(&format!("judge {}", item.name));
        met.err().map(|_| Finding::error("rejected", "not accepted")).into_iter().collect()
    }
}

/// A place with sources `old/a`, `old/b`, …, an empty folder `new`, and a place for runs.
pub(crate) struct Place {
    dir: tempfile::TempDir,
    stop: AtomicBool,
    /// What an item of this name needs.
    pub(crate) needs: Vec<(u32, u32)>,
}

impl Place {
    pub(crate) fn new(names: &str) -> Self {
        Self::at(tempfile::tempdir().unwrap(), names)
    }

    /// The same for a loop that makes hundreds of them.
    pub(crate) fn in_memory(names: &str) -> Self {
        Self::at(testkit::crash::place(), names)
    }

    fn at(dir: tempfile::TempDir, names: &str) -> Self {
        let place = Self { dir, stop: AtomicBool::new(false), needs: Vec::new() };
        std::fs::create_dir(place.path("new")).unwrap();
        std::fs::create_dir(place.path("old")).unwrap();
        for name in names.chars() {
            place.write(&format!("old/{name}"), &format!("the story of {name}\n"));
        }
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: &str) {
        std::fs::write(self.path(name), content).unwrap();
    }

    /// The content; `None` if nothing is there.
    pub(crate) fn read(&self, name: &str) -> Option<String> {
        std::fs::read_to_string(self.path(name)).ok()
    }

    pub(crate) fn tree(&self) -> Tree {
        Tree::of(self.dir.path()).without(&["state"])
    }

    pub(crate) fn root(&self) -> StateRoot {
        StateRoot::at(self.path("state"))
    }

    pub(crate) fn cx(&self) -> Cx<'_> {
        Cx { stop: &self.stop, progress: &NoProgress, now: Timestamp::now }
    }

    /// The step of an item that installs one file as another.
    pub(crate) fn install(&self, item: u32, source: &str, target: &str) -> Task<Watched> {
        let source = self.path(source);
        let expect = Fingerprint::of_file(&source).unwrap();
        self.task(item, InstallFile::plan(&source, expect, &self.path(target)))
    }

    /// The step of an item that puts one file in the place of another.
    pub(crate) fn replace(&self, item: u32, source: &str, target: &str) -> Task<Watched> {
        let (source, target) = (self.path(source), self.path(target));
        let expect_source = Fingerprint::of_file(&source).unwrap();
        let expect_target = Fingerprint::of_file(&target).unwrap();
        let content = Verbatim::of(&source, expect_source);
        self.task(item, ReplaceFile { content, target: target.into(), expect: expect_target })
    }

    /// The step of an item that puts `new` in the place of `old` in a file.
    pub(crate) fn splice(&self, item: u32, target: &str, [old, new]: [&str; 2]) -> Task<Watched> {
        let offset = self.read(target).unwrap().find(old).unwrap() as u64;
        let target = self.path(target);
        let expect = Fingerprint::of_file(&target).unwrap();
        let splices = vec![Splice { offset, old: old.as_bytes().into(), new: new.as_bytes().into() }];
        self.task(item, SpliceFile { target: target.into(), expect, splices })
    }

    /// The step of an item that installs a folder `deep` with copies of sources in it, in a folder.
    pub(crate) fn tree_of(&self, item: u32, sources: &[&str], target: &str) -> Task<Watched> {
        let mut entries =
            vec![Entry { path: "deep".into(), node: Node::Folder { mode: 0o700, mtime: None } }];
        for source in sources {
            let path = self.path(source);
            let content = Verbatim::of(&path, Fingerprint::of_file(&path).unwrap());
            let path = Path::new("deep").join(path.file_name().unwrap());
            entries.push(Entry { path: path.into(), node: Node::File { content, mode: 0o600, mtime: None } });
        }
        self.task(item, InstallTree::of(&self.path(target), entries).unwrap())
    }

    /// The step of an item that moves a file aside.
    pub(crate) fn retire(&self, item: u32, source: &str) -> Task<Watched> {
        let source = self.path(source);
        let expect = Fingerprint::of_file(&source).unwrap();
        self.task(item, Retire { source: source.into(), expect, into: None })
    }

    #[allow(clippy::unused_self, reason = "reads as one family")]
    fn task(&self, item: u32, step: impl Into<Effect>) -> Task<Watched> {
        Task { item: Some(ItemId(item)), step: Watched(step.into()) }
    }

    /// The plan for as many items as the lanes speak of, locked on `new`.
    pub(crate) fn plan(&self, lanes: Vec<Lane<Watched>>) -> Plan<Watched> {
        let tasks = lanes.iter().flatten().flat_map(|wave| &wave.tasks);
        let count = tasks.filter_map(|task| task.item).map(|item| item.0 + 1).max().unwrap_or(0);
        let item = |id: u32| {
            let name = char::from(b'a' + u8::try_from(id).unwrap()).to_string();
            let mut item =
                Item::new(InputId::new("file", name.clone()), name, Outcome::plain(Bucket::Migrated));
            item.needs =
                self.needs.iter().filter(|(who, _)| *who == id).map(|(_, what)| ItemId(*what)).collect();
            item
        };
        let items: Vec<Item> = (0..count).map(item).collect();
        let inputs: Vec<InputId> = items.iter().map(|item| item.input.clone()).collect();
        let header = Header {
            tool: "test".into(),
            version: "0".into(),
            blocks: vec![Block { kind: "file".into(), title: "files".into(), inputs: 0 }],
            locks: vec![self.path("new").into()],
            concerns: Vec::new(),
            settings: serde_json::Value::Null,
            partial: false,
            findings: Vec::new(),
        };
        Plan::new(header, &inputs, items, lanes).unwrap()
    }

    pub(crate) fn create(&self, plan: Plan<Watched>) -> Run<Watched> {
        let locks = TargetLocks::take(&plan.header.locks).unwrap();
        let salt = u16::try_from(self.root().ids().unwrap().len()).unwrap();
        Run::create(&self.root(), RunId::new(Timestamp::UNIX_EPOCH, salt), plan, locks, Timestamp::UNIX_EPOCH)
            .unwrap()
    }

    pub(crate) fn begin(&self, lanes: Vec<Lane<Watched>>) -> Run<Watched> {
        self.create(self.plan(lanes))
    }

    /// The run as the next process sees it.
    pub(crate) fn reopen(&self, run: Run<Watched>) -> Run<Watched> {
        let id = run.id().clone();
        drop(run);
        Run::open(&self.root(), &id).unwrap()
    }

    pub(crate) fn apply(&self, run: &Run<Watched>, events: &Events) -> Result<Receipt, ApplyError> {
        run.apply(events, 1, &self.cx())
    }

    pub(crate) fn undo(
        &self,
        run: &Run<Watched>,
        events: &Events,
        changed: Changed,
    ) -> Result<Vec<Drift>, UndoError> {
        run.undo(events, changed, &self.cx())
    }

    pub(crate) fn verify(&self, run: &Run<Watched>) -> Result<Verdict, StepError> {
        run.verify(&Events::none(), Look::Full, &self.cx())
    }
}

/// `a=migrated b=failed(trouble)`.
pub(crate) fn outcomes(receipt: &Receipt) -> String {
    let shown = receipt.items.iter().map(|(item, outcome)| match &outcome.reason {
        Some(reason) => format!("{}={}({reason})", item.name, outcome.bucket),
        None => format!("{}={}", item.name, outcome.bucket),
    });
    shown.collect::<Vec<_>>().join(" ")
}
