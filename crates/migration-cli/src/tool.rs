//! What makes a tool of the house: its options, its plan, its judgement.

use std::path::Path;

use durable_files::PathText;
use migration_engine::{Cx, Header, Plan, Step, Worlds};

use crate::{Refusal, Surroundings};

/// A migration tool. Everything it does not say here is the same for all tools, and done by [`crate::run`].
pub trait Tool {
    /// The options of the migration itself. None may be required: verbs do without them, and a tool that misses one
    /// says so with [`Refusal::usage`].
    type Options: clap::Args;
    /// What its plans consist of.
    type Step: Step;
    /// Opens the live handles of its runs, and judges their items.
    type Worlds: Worlds<Self::Step>;

    /// The name of the command.
    const NAME: &'static str;
    /// Its version: `env!("CARGO_PKG_VERSION")`.
    const VERSION: &'static str;
    /// What it is for, in one sentence.
    const ABOUT: &'static str;
    /// How many lanes it works on at a time.
    const JOBS: usize = 1;

    /// The existing folders whose locks keep every other run off the target. Called first; a target that must exist
    /// and does not is refused here.
    fn targets(&self, options: &Self::Options, here: &Surroundings) -> Result<Vec<PathText>, Refusal>;

    /// Guards, survey and plan, with the targets locked and no interrupted run on them.
    ///
    /// The driver sets the plan's tool, version and locks. After `cx.stop` was seen any refusal will do: the driver
    /// ends with the code of the signal.
    fn prepare(
        &self,
        options: &Self::Options,
        mode: Mode,
        here: &Surroundings,
        cx: &Cx<'_>,
    ) -> Result<Prepared<Self>, Refusal>;

    /// Opens the worlds of a run again, with the guards that the purpose needs. All it needs to know is in the plan's
    /// header and the run's own folder.
    fn worlds(
        &self,
        header: &Header,
        run_dir: &Path,
        purpose: Purpose,
        here: &Surroundings,
    ) -> Result<Self::Worlds, Refusal>;
}

/// A plan, with the handles and guards that were taken for it and are held until the run has ended.
#[derive(Debug)]
pub struct Prepared<T: Tool + ?Sized> {
    /// What will happen.
    pub plan: Plan<T::Step>,
    /// Opens the world of each lane: for the run and then again for the look at what it left, never twice at a time.
    /// After [`Mode::DryRun`], or if the plan is settled, it is not asked for any.
    pub worlds: T::Worlds,
}

/// Whether anything may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The plan will be carried out.
    Apply,
    /// The plan is only shown: no byte may change anywhere.
    DryRun,
}

/// What the worlds of an earlier run are opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To finish it.
    Apply,
    /// To take it back.
    Undo,
    /// To look at it; nothing may be written.
    Verify,
}
