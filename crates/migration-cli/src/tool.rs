//! What makes a tool of the house: its options, its plan, its judgement.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use durable_files::PathText;
use migration_engine::{Cx, Header, Plan, Progress, Receipt, StateRoot, Step, Worlds};
use session_model::Finding;

use crate::{Exit, Refusal, Streams, Surroundings};

/// A migration tool. Everything it does not say here is the same for all tools, and done by [`crate::run`].
pub trait Tool {
    /// The options of the migration itself. None may be required: verbs do without them, and a tool that misses one
    /// says so with [`Refusal::usage`].
    type Options: clap::Args;
    /// The verbs that only this tool has; [`NoVerbs`] if there are none.
    type Verb: Verbs;
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

    /// Whether a report on several items ends with a table of them, each with its size: `bytes` in [`Item::own`] says it.
    ///
    /// [`Item::own`]: migration_engine::Item
    const ENDS_IN_A_TABLE: bool = false;

    /// The codes of causes that refuse a migration which they stop before it has done anything: it is taken back and
    /// forgotten. What they stop later on stands where it is, as with all others.
    const REFUSALS: &'static [&'static str] = &[];

    /// Another name of the verb `undo`, by which the users of this tool know it.
    const UNDO_ALIAS: Option<&'static str> = None;

    /// What a report says beside what every tool's says, in the words of a guide that its users follow.
    fn words(_mode: Mode, _exit: Exit, _receipt: &Receipt) -> Words {
        Words::default()
    }

    /// The existing folders whose locks keep every other run off the target. Called first; a target that must exist
    /// and does not is refused here.
    fn targets(&self, ask: Ask<'_, Self>, here: &Surroundings) -> Result<Vec<PathText>, Refusal>;

    /// Guards, survey and plan, with the targets locked and no interrupted run on them.
    ///
    /// The driver sets the plan's tool, version and locks. After `cx.stop` was seen any refusal will do: the driver
    /// ends with the code of the signal.
    fn prepare(
        &self,
        ask: Ask<'_, Self>,
        mode: Mode,
        here: &Surroundings,
        cx: &Cx<'_>,
    ) -> Result<Prepared<Self>, Refusal>;

    /// Opens the worlds of a run again, with the guards that the purpose needs. All it needs to know is in the plan's
    /// header and the run's own folder; the options are those of the verb's command line.
    fn worlds(
        &self,
        header: &Header,
        run_dir: &Path,
        options: &Self::Options,
        purpose: Purpose,
        here: &Surroundings,
    ) -> Result<Self::Worlds, Refusal>;

    /// How many lanes it works on at a time.
    fn jobs(&self, _options: &Self::Options) -> usize {
        1
    }

    /// What comes after a run of such a plan, beside its undo: a label and a verb of the tool's own, which is offered
    /// with the run's id.
    fn onward(&self, _header: &Header) -> Vec<(&'static str, &'static str)> {
        Vec::new()
    }

    /// What an undo of such a run has left on purpose, and where.
    fn left(&self, _header: &Header) -> Vec<Finding> {
        Vec::new()
    }

    /// Makes known elsewhere that such a run has been carried out or taken back, if somebody has to know. Done is done: what
    /// did not go well is only told.
    fn make_known(&self, _header: &Header, _here: &Surroundings) -> Vec<Finding> {
        Vec::new()
    }

    /// Everything that the tool has brought from elsewhere below the state root, to move it from there.
    fn brought(&self, _root: &StateRoot) -> Result<Vec<PathBuf>, Refusal> {
        Ok(Vec::new())
    }

    /// What of that a run of such a plan needs. It goes when the last run that needs it is forgotten.
    fn needs(&self, _header: &Header) -> Result<Vec<PathBuf>, Refusal> {
        Ok(Vec::new())
    }

    /// What a verb of the tool's own that only looks has to show; `None` if the verb is a migration, which is prepared
    /// and carried out like the bare tool's.
    fn look(
        &self,
        _ask: Ask<'_, Self>,
        _here: &Surroundings,
        _cx: &Cx<'_>,
    ) -> Option<Result<Listing, Refusal>> {
        None
    }

    /// What a verb of the tool's own would do that no undo takes back, such as removing something for good or starting a
    /// container; `None` if the verb does no such thing. Nothing is done before somebody has said yes to what the deed
    /// asks, and a dry run only shows it.
    fn act(&self, _ask: Ask<'_, Self>, _here: &Surroundings, _cx: &Cx<'_>) -> Option<Result<Deed, Refusal>> {
        None
    }

    /// What has the streams, or the terminal, to itself until it ends: a screen, or a protocol. `None` if neither the verb
    /// nor, without one, the bare tool is such a thing. It has no dry run, and no report but its refusal.
    fn take_over<'a>(&'a self, _ask: Ask<'a, Self>, _here: &'a Surroundings) -> Option<TakeOver<'a>> {
        None
    }
}

/// The verbs of a tool's own.
pub trait Verbs: clap::Subcommand {
    /// The names of all of them, as they are typed.
    const NAMES: &'static [&'static str];

    /// The name of this one.
    fn name(&self) -> &'static str;
}

/// What was asked of a tool: its options, and which of its own verbs.
pub struct Ask<'a, T: Tool + ?Sized> {
    /// The options.
    pub options: &'a T::Options,
    /// The verb; without one it is the migration itself.
    pub verb: Option<&'a T::Verb>,
    /// Where runs are kept.
    pub root: &'a StateRoot,
    /// Whether the answer is for a program. The driver sees to that, but for what takes the streams over.
    pub json: bool,
}

impl<T: Tool + ?Sized> Clone for Ask<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Tool + ?Sized> Copy for Ask<'_, T> {}

/// The verbs of a tool that has none of its own.
#[derive(Debug, Clone, Copy)]
pub enum NoVerbs {}

impl Verbs for NoVerbs {
    const NAMES: &'static [&'static str] = &[];

    fn name(&self) -> &'static str {
        match *self {}
    }
}

impl clap::FromArgMatches for NoVerbs {
    fn from_arg_matches(_: &clap::ArgMatches) -> Result<Self, clap::Error> {
        Err(clap::Error::new(clap::error::ErrorKind::InvalidSubcommand))
    }

    fn update_from_arg_matches(&mut self, _: &clap::ArgMatches) -> Result<(), clap::Error> {
        match *self {}
    }
}

impl clap::Subcommand for NoVerbs {
    fn augment_subcommands(command: clap::Command) -> clap::Command {
        command
    }

    fn augment_subcommands_for_update(command: clap::Command) -> clap::Command {
        command
    }

    fn has_subcommand(_: &str) -> bool {
        false
    }
}

/// What a verb that only looks has found: rows for a table, and for the document.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// The headings of the table.
    pub columns: Vec<&'static str>,
    /// How many of the columns, from the left, are text rather than numbers.
    pub text_columns: usize,
    /// The rows.
    pub rows: Vec<Listed>,
    /// What there is to say about all of them.
    pub findings: Vec<Finding>,
    /// What people read beside, or in the place of, a table.
    pub words: Words,
    /// How the tool ends.
    pub exit: Exit,
}

/// Something to be done that no undo takes back.
pub struct Deed {
    /// What it is about, for a dry run.
    pub listing: Listing,
    /// What somebody has to say yes to first, one after the other.
    pub questions: Vec<Question>,
    /// Does it, and answers with what there is to show then.
    pub act: Act,
}

/// Does what a [`Deed`] is, and shows on this how far it has come.
pub type Act = Box<dyn FnOnce(&Arc<dyn Progress>) -> Result<Listing, Refusal>>;

/// Has the streams to itself until it ends.
pub type TakeOver<'a> = Box<dyn FnOnce(&mut Streams<'_>) -> Result<Exit, Refusal> + 'a>;

/// What somebody has to say yes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The question.
    pub text: String,
    /// If `--yes` is not enough of an answer: the option that is one, beside it.
    pub needs: Option<&'static str>,
}

impl From<String> for Question {
    /// One that `--yes` answers.
    fn from(text: String) -> Self {
        Self { text, needs: None }
    }
}

/// What a tool says in words of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words {
    /// Lines on standard error, unless `--quiet` was said.
    pub log: Vec<String>,
    /// Lines at the head of the report as text.
    pub block: Vec<String>,
    /// Its last line.
    pub closing: Option<String>,
}

/// A row of a [`Listing`].
#[derive(Debug, Clone, Default)]
pub struct Listed {
    /// What kind of thing it is.
    pub kind: &'static str,
    /// What people call it.
    pub id: String,
    /// Where it is.
    pub source: Option<String>,
    /// The cells of the table.
    pub cells: Vec<String>,
    /// The members of the document that only this verb has.
    pub own: serde_json::Map<String, serde_json::Value>,
    /// What there is to say about it.
    pub findings: Vec<Finding>,
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
