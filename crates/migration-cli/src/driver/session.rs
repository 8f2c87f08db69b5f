//! What every verb needs to know.

use std::ffi::OsString;
use std::sync::Arc;

use migration_engine::{Cx, NoProgress, Progress, RunId, StateRoot};

use crate::arguments::{Common, LineOf};
use crate::place::{state_root, with_state_root};
use crate::progress::Bars;
use crate::{Ask, Refusal, Surroundings, Tool, shell_word};

/// One invocation of a tool.
pub(super) struct Session<'a, T: Tool> {
    pub(super) tool: &'a T,
    pub(super) options: &'a T::Options,
    pub(super) common: &'a Common,
    pub(super) here: &'a Surroundings,
    pub(super) root: StateRoot,
    args: &'a [OsString],
    pub(super) progress: Arc<dyn Progress>,
}

impl<'a, T: Tool> Session<'a, T> {
    pub(super) fn open(
        tool: &'a T,
        line: &'a LineOf<T>,
        args: &'a [OsString],
        here: &'a Surroundings,
    ) -> Result<Self, Refusal> {
        let LineOf::<T> { options, common, .. } = line;
        let root = state_root(common.state_dir.as_deref(), here)?;
        let shows_bars = here.terminals.stderr && !common.quiet && !common.json;
        let progress: Arc<dyn Progress> =
            if shows_bars { Arc::new(Bars::default()) } else { Arc::new(NoProgress) };
        Ok(Self { tool, options, common, here, root, args, progress })
    }

    /// Within another program, which shows the progress itself.
    pub(super) fn within(
        (tool, options): (&'a T, &'a T::Options),
        common: &'a Common,
        here: &'a Surroundings,
        progress: Arc<dyn Progress>,
    ) -> Result<Self, Refusal> {
        let root = state_root(common.state_dir.as_deref(), here)?;
        Ok(Self { tool, options, common, here, root, args: &[], progress })
    }

    /// What was asked of the tool.
    pub(super) fn ask<'s>(&'s self, verb: Option<&'s T::Verb>) -> Ask<'s, T> {
        Ask { options: self.options, verb, root: &self.root, json: self.common.json }
    }

    pub(super) fn cx(&self) -> Cx<'_> {
        Cx { stop: self.here.stop.flag(), progress: &*self.progress, now: self.here.now }
    }

    /// The command that does something with a run of this tool.
    pub(super) fn command(&self, verb: &str, run: &RunId) -> String {
        self.command_of(T::NAME, verb, run)
    }

    /// The command that removes whatever nothing needs any more.
    pub(super) fn gc(&self) -> String {
        format!("{} runs gc --older-than 0{}", shell_word(T::NAME), self.with_root())
    }

    /// The command of any tool that does something with a run of its own.
    pub(super) fn command_of(&self, tool: &str, verb: &str, run: &RunId) -> String {
        format!("{} {verb} {run}{}", shell_word(tool), self.with_root())
    }

    fn with_root(&self) -> String {
        with_state_root(self.common.state_dir.as_deref(), &self.root)
    }

    /// What was typed, but for real.
    pub(super) fn without_dry_run(&self) -> String {
        let args = self.args.iter().skip(1).filter(|arg| *arg != "--dry-run").map(shell_word);
        std::iter::once(T::NAME.to_owned()).chain(args).collect::<Vec<_>>().join(" ")
    }

    /// A verb that has no dry run must not be mistaken for one.
    pub(super) fn refuse_dry_run(&self, verb: &str) -> Result<(), Refusal> {
        if !self.common.dry_run {
            return Ok(());
        }
        Err(Refusal::usage(
            "no-dry-run",
            format!("`{verb}` has no dry run: it looks at everything before it touches anything"),
            format!("`{} verify` looks without touching anything", T::NAME),
        ))
    }
}
