//! The command line, which is the same for every tool but for the options of its migration.

use camino::Utf8PathBuf;
use clap::{ArgAction, CommandFactory, FromArgMatches};
use migration_engine::{Changed, RunId};

use crate::Tool;

/// A command line, understood.
#[derive(clap::Parser)]
#[command(disable_help_subcommand = true, infer_long_args = false)]
pub(crate) struct CommandLine<O: clap::Args, V: clap::Subcommand> {
    #[command(flatten)]
    pub(crate) options: O,
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) verb: Option<Verb<V>>,
}

const STATE_DIR: &str = "Where runs are kept: journals, and what an undo needs [default: $REHOME_STATE_DIR, else the \
                         user's state folder]";
const COLOR: &str = "When to use colour; `auto` is on a terminal, unless NO_COLOR is set";

/// The options that every tool has, before or after a verb.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Common options")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag on the command line")]
pub(crate) struct Common {
    /// Show what would happen, and write nothing anywhere
    #[arg(long, global = true)]
    pub(crate) dry_run: bool,
    /// Report as one JSON document
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[arg(long, value_name = "DIR", global = true, help = STATE_DIR)]
    pub(crate) state_dir: Option<Utf8PathBuf>,
    /// Show no progress
    #[arg(long, global = true)]
    pub(crate) quiet: bool,
    /// Report every item
    #[arg(long, short, global = true, action = ArgAction::SetTrue)]
    pub(crate) verbose: bool,
    #[arg(long, help = COLOR, value_name = "WHEN", value_enum, default_value_t, global = true, hide_default_value = true)]
    pub(crate) color: Color,
    /// Answer questions with yes; never implies removing a source
    #[arg(long, global = true)]
    pub(crate) yes: bool,
}

// The variants have no doc comments, or the help would spell out each of them.
/// When to use colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Color {
    #[default]
    Auto,
    Always,
    Never,
}

/// What to do instead of a migration.
#[derive(clap::Subcommand)]
pub(crate) enum Verb<V: clap::Subcommand> {
    #[command(flatten)]
    Own(V),
    /// Look whether everything a run left still stands, byte for byte and by meaning
    Verify {
        /// The run [default: the newest that changed something]
        run: Option<RunId>,
    },
    /// Take a run back, after looking at all of it
    Undo(UndoArgs),
    /// Finish an interrupted run, or try again what an ended one could not do
    ///
    /// That is: what failed, and sources that stay because what came of them was not accepted. What failed because its
    /// source had changed is not tried again, since the run has no plan for what it holds by now: migrate anew.
    Resume {
        /// The run [default: the interrupted one, else the newest]
        run: Option<RunId>,
    },
    /// List and look after the runs of every tool
    Runs {
        #[command(subcommand)]
        verb: Option<RunsVerb>,
    },
    /// Print the completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
}

/// What to take back, and what to do with what has changed since.
#[derive(Debug, clap::Args)]
pub(crate) struct UndoArgs {
    /// The run [default: the newest that changed something]
    pub(crate) run: Option<RunId>,
    /// Leave alone what has changed since the run, and take back the rest
    #[arg(long)]
    keep_changed: bool,
    /// Move what has changed since the run to a folder of the run, then take back everything
    #[arg(long, conflicts_with = "keep_changed")]
    set_aside: bool,
}

impl UndoArgs {
    pub(crate) fn sets_aside(&self) -> bool {
        self.set_aside
    }

    pub(crate) fn changed(&self) -> Changed {
        match (self.keep_changed, self.set_aside) {
            (true, _) => Changed::Keep,
            (_, true) => Changed::SetAside,
            _ => Changed::Refuse,
        }
    }
}

/// What to do with the runs.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum RunsVerb {
    /// List all runs
    List,
    /// Show what became of every input of a run
    Show {
        /// The run
        run: RunId,
    },
    /// Remove runs and everything they keep for an undo
    Forget {
        /// The runs
        #[arg(required = true)]
        runs: Vec<RunId>,
    },
    /// Forget all runs of this tool that began some time ago and are not under way
    Gc {
        /// How many days ago at least
        #[arg(long, value_name = "DAYS")]
        older_than: u32,
    },
}

/// The whole command line of a tool.
pub(crate) fn command<T: Tool>() -> clap::Command {
    let command = CommandLine::<T::Options, T::Verb>::command()
        .name(T::NAME)
        .bin_name(T::NAME)
        .version(T::VERSION)
        .about(T::ABOUT)
        .long_about(None);
    // A verb accepts the options of the migration, but neither needs them nor speaks of them in its help.
    let own = arguments_of::<T::Options>().into_iter().filter(may_stand_anywhere);
    let hidden: Vec<clap::Arg> = own.map(|arg| arg.global(true).hide(true)).collect();
    let dry_run = command.get_arguments().find(|arg| arg.get_id() == "dry_run").cloned();
    let dry_run = dry_run.map(|arg| arg.hide(true));
    let command = match T::UNDO_ALIAS {
        Some(alias) => command.mut_subcommand("undo", |undo| undo.visible_alias(alias)),
        None => command,
    };
    command.mut_subcommands(|verb| {
        let without_dry_run = dry_run.iter().filter(|_| verb.get_name() != "runs").cloned();
        let hidden: Vec<_> = hidden.iter().cloned().chain(without_dry_run).collect();
        verb.args(hidden)
    })
}

/// The command line of a tool.
pub(crate) type LineOf<T> = CommandLine<<T as Tool>::Options, <T as Tool>::Verb>;

/// Understands a command line.
pub(crate) fn parse<T: Tool>(
    command: clap::Command,
    args: &[std::ffi::OsString],
) -> Result<LineOf<T>, clap::Error> {
    CommandLine::from_arg_matches(&command.try_get_matches_from(args)?)
}

/// clap lets only options that are not required be global.
fn may_stand_anywhere(arg: &clap::Arg) -> bool {
    !arg.is_positional() && !arg.is_required_set()
}

/// The arguments that a set of options consists of.
fn arguments_of<O: clap::Args>() -> Vec<clap::Arg> {
    O::augment_args(clap::Command::new("options")).get_arguments().cloned().collect()
}
