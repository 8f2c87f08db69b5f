//! The one abstraction: an effect taken apart until every kill is harmless.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use durable_files::{CopyError, FileError, PublishError};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use session_model::Timestamp;

use crate::{Progress, RunId};

/// One effect as plain data: what it expects to find, and what it promises to leave.
///
/// The engine calls [`stage`](Step::stage), makes the [`Evidence`](Step::Evidence) durable, and only then calls
/// [`publish`](Step::publish). Whatever happens in between, [`inspect`](Step::inspect) finds out where things stand and
/// [`revert`](Step::revert) takes them back.
pub trait Step: Clone + Serialize + DeserializeOwned + Send + Sync {
    /// The live handles the step works with.
    type World: World;
    /// What only doing it can tell: digests, row ids, where the old thing was set aside.
    type Evidence: Clone + Serialize + DeserializeOwned + Send + Sync;

    /// What the step does, for people: a verb and its object, without any content.
    fn describe(&self) -> String;

    /// What the step will take of which destination.
    fn cost(&self) -> Cost {
        Cost::default()
    }

    /// Where things stand. Without evidence the step has never been published by this run, so whatever stands at its
    /// target is somebody else's: [`State::Done`] then means that they have already done exactly this. A full look may
    /// be long and is interruptible, like staging. With evidence, its item error says that an undo can do no more than
    /// leave this: it cannot be looked at, or nothing brings back what was there ([`Cause::lost`]).
    fn inspect(
        &self,
        world: &mut Self::World,
        evidence: Option<&Self::Evidence>,
        look: Look,
        cx: &Cx<'_>,
    ) -> Result<State, StepError>;

    /// The long part: repeatable, interruptible (see [`Cx::check`]), invisible to every reader of the target. What it
    /// writes is durable when it returns, or after [`World::persist`].
    fn stage(&self, world: &mut Self::World, slot: &Slot, cx: &Cx<'_>) -> Result<Self::Evidence, StepError>;

    /// The short part: makes visible what was staged, in one step that happens or does not.
    fn publish(
        &self,
        world: &mut Self::World,
        slot: &Slot,
        evidence: &Self::Evidence,
    ) -> Result<(), StepError>;

    /// Takes everything back, repeatably: removes staging and, with evidence, takes Done back to Pending, setting aside
    /// before deleting. Without evidence the target is left alone.
    fn revert(
        &self,
        world: &mut Self::World,
        slot: &Slot,
        evidence: Option<&Self::Evidence>,
        cx: &Cx<'_>,
    ) -> Result<(), StepError>;

    /// Removes what is left of staging, and leaves whatever stands at the target: what the step itself put there before
    /// it was killed, or something else (`undo --keep-changed`).
    fn unstage(
        &self,
        _world: &mut Self::World,
        _slot: &Slot,
        _evidence: &Self::Evidence,
        _cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        Ok(())
    }

    /// Moves what stands at the target, though it is no longer what the step left, to `folder`, and takes the step
    /// back (`undo --set-aside`). Asked of a step only if [`aside`](Step::aside) says where to.
    fn set_aside(
        &self,
        _world: &mut Self::World,
        _slot: &Slot,
        _evidence: &Self::Evidence,
        _folder: &Path,
        _cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        Err(Cause::new("cannot-set-aside", format!("cannot set aside: {}", self.describe())).item())
    }

    /// Where [`set_aside`](Step::set_aside) puts what stands at the target, for people: `folder`, unless that is on
    /// another host. None, as long as a step does not say otherwise, if it cannot: then nothing of the run is touched.
    fn aside(&self, _slot: &Slot, _folder: &Path) -> Option<String> {
        None
    }

    /// Whether [`revert`](Step::revert) can take it back once it is done.
    fn reversible(&self) -> bool {
        true
    }

    /// Files outside the run's directory that only an undo needs: `runs forget` removes them, nothing else does.
    fn stashes(&self, _slot: &Slot, _evidence: &Self::Evidence) -> Vec<PathBuf> {
        Vec::new()
    }
}

/// The live handles of a lane: open databases, connections, folders that still need a sync.
pub trait World {
    /// Makes durable what was staged since the last call, in as few syncs as there can be. Called when a wave is staged
    /// whole, before its evidence is written down.
    fn persist(&mut self) -> Result<(), StepError>;

    /// Makes durable and final everything published since the last call: COMMIT, one sync a touched folder.
    fn settle(&mut self) -> Result<(), StepError>;

    /// Gives up what is not settled: ROLLBACK. Called after a failure; must not fail.
    fn abandon(&mut self);
}

/// How closely to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Identity, size and time of what was published: for re-runs and recovery.
    Quick,
    /// Every byte: for `verify` and before an undo.
    Full,
}

/// Where a step stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Nothing has happened yet, and it still may.
    Pending,
    /// All that was promised.
    Done,
    /// All that was promised, and more since: the text says what.
    Superseded(String),
    /// Neither: the text says what was found instead.
    Conflict(String),
}

/// What a step will take of a destination, and how much there is to show for it on a progress bar.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cost {
    /// The bytes that are written there.
    pub bytes: u64,
    /// The bytes that pass and take no room on this machine: they go to another.
    pub passing: u64,
    /// Where room is needed; `None` is the run's own folder.
    pub at: Option<PathBuf>,
    /// Files and folders created there.
    pub inodes: u64,
}

/// Why a step did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// It concerns this item alone: the item is taken back, the run goes on.
    #[error("{0}")]
    Item(Cause),
    /// It would concern the next item as well (no room, I/O, link or database lost): the run stops where it stands.
    #[error("{0}")]
    World(Cause),
    /// The stop flag was seen.
    #[error("stopped")]
    Stopped,
}

/// The code of a cause: something else stands where a step would put its own.
pub(crate) const OCCUPIED: &str = "occupied";

/// A reason with a stable name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// A stable, kebab-case name that programs may match on.
    pub code: String,
    /// One sentence: what was being done, on what, what was expected and found.
    pub message: String,
    /// Whether trying the same step again is pointless, because the world is not what the plan was made for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub needs_new_plan: bool,
}

impl Cause {
    /// The code of [`source_changed`](Self::source_changed).
    pub const SOURCE_CHANGED: &str = "source-changed";

    /// The code of [`source_gone`](Self::source_gone).
    pub const SOURCE_GONE: &str = "source-gone";

    /// A cause that a later `resume` may find gone.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), needs_new_plan: false }
    }

    /// A source that is not what the plan was made for.
    pub fn source_changed(message: impl Into<String>) -> Self {
        Self { needs_new_plan: true, ..Self::new(Self::SOURCE_CHANGED, message) }
    }

    /// A source that somebody else has taken away: what came of it may be all there is, and an undo would take that.
    pub fn source_gone(message: impl Into<String>) -> Self {
        Self::new(Self::SOURCE_GONE, message)
    }

    /// What has changed so that nothing brings back what was there.
    pub fn lost(found: impl Into<String>) -> Self {
        Self::new("changed", found)
    }

    /// As an error of this item alone.
    pub fn item(self) -> StepError {
        StepError::Item(self)
    }

    /// As an error of the whole run.
    pub fn world(self) -> StepError {
        StepError::World(self)
    }
}

/// Performs one step, without plan and journal: for programs that embed a single step and keep its evidence
/// themselves, to [`Step::revert`] it later. A step that fails leaves no staging behind.
pub fn perform<S: Step>(
    step: &S,
    world: &mut S::World,
    slot: &Slot,
    cx: &Cx<'_>,
) -> Result<S::Evidence, StepError> {
    if let State::Conflict(found) = step.inspect(world, None, Look::Quick, cx)? {
        return Err(Cause::new("occupied", format!("cannot {}: {found}", step.describe())).item());
    }
    let performed = step.stage(world, slot, cx).and_then(|evidence| {
        world.persist()?;
        step.publish(world, slot, &evidence)?;
        world.settle()?;
        Ok(evidence)
    });
    if performed.is_err() {
        world.abandon();
        step.revert(world, slot, None, cx)?;
    }
    performed
}

impl StepError {
    /// The same error, of the whole run if it was of an item.
    pub(crate) fn fatal(self) -> Self {
        if let Self::Item(cause) = self { Self::World(cause) } else { self }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<FileError> for StepError {
    fn from(error: FileError) -> Self {
        let cause = Cause::new("io", error.to_string());
        if error.is_world_failure() { cause.world() } else { cause.item() }
    }
}

impl From<CopyError> for StepError {
    fn from(error: CopyError) -> Self {
        match error {
            CopyError::Stopped => Self::Stopped,
            CopyError::File(error) => error.into(),
            CopyError::SourceChanged(_) => Cause::source_changed(error.to_string()).item(),
            CopyError::Damaged { .. } => Cause::new("damaged", error.to_string()).world(),
        }
    }
}

impl From<PublishError> for StepError {
    fn from(error: PublishError) -> Self {
        match error {
            PublishError::File(error) => error.into(),
            PublishError::Occupied(_) => Cause::new(OCCUPIED, error.to_string()).item(),
        }
    }
}

/// What a step is given for its private use: names that a recovery can derive again.
#[derive(Debug, Clone)]
pub struct Slot {
    run: RunId,
    step: u32,
    dir: PathBuf,
}

impl Slot {
    /// The slot of the step with this number, in a run whose private folder is `dir`: for embedders that perform a
    /// single step without a run.
    pub fn new(run: RunId, step: u32, dir: PathBuf) -> Self {
        Self { run, step, dir }
    }

    /// The run this is part of.
    pub fn run(&self) -> &RunId {
        &self.run
    }

    /// The number of the step in its plan.
    pub fn step(&self) -> u32 {
        self.step
    }

    /// The name beside `target` for what is staged or set aside there: `.NAME.rehome-RUN-STEP.ROLE`.
    pub fn beside(&self, target: &Path, role: &str) -> PathBuf {
        durable_files::beside(target, &format!("{}-{}", self.run, self.step), role)
    }

    /// A file of this step in the run's own directory.
    pub fn private(&self, name: &str) -> PathBuf {
        self.dir.join(format!("{}-{name}", self.step))
    }
}

/// What an effect may know of its surroundings: the stop flag, the progress display and the clock, all of them the
/// caller's.
#[derive(Clone, Copy)]
pub struct Cx<'a> {
    /// Set by a signal handler: staging and looking end within a mebibyte, a publish is finished.
    pub stop: &'a AtomicBool,
    /// Where progress is shown.
    pub progress: &'a dyn Progress,
    /// The clock.
    pub now: fn() -> Timestamp,
}

impl Cx<'_> {
    /// Fails if the stop flag is set.
    pub fn check(&self) -> Result<(), StepError> {
        if self.stop.load(Ordering::Relaxed) { Err(StepError::Stopped) } else { Ok(()) }
    }
}

impl durable_files::Meter for Cx<'_> {
    fn passed(&mut self, bytes: u64) -> std::ops::ControlFlow<()> {
        self.progress.advance(bytes);
        match self.check() {
            Ok(()) => std::ops::ControlFlow::Continue(()),
            Err(_) => std::ops::ControlFlow::Break(()),
        }
    }
}

impl fmt::Debug for Cx<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cx").field("stop", &self.stop).finish_non_exhaustive()
    }
}
