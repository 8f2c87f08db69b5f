//! What a user may say on the command line.

use camino::Utf8PathBuf;
use jsonl_stitch::load::Loader;
use migration_cli::Verbs;

/// The options of `cowork-stitch`.
#[derive(Debug, Clone, Default, clap::Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct Options {
    /// The transcripts to stitch, in place
    #[arg(value_name = "FILE")]
    pub files: Vec<Utf8PathBuf>,

    /// The builds of the application that must show everything
    #[arg(long, value_name = "BUILD", value_enum, default_value_t)]
    pub target: Target,

    /// Let the preserved history have an anchor: when the session is resumed, the model is then sent all of it again
    #[arg(long)]
    pub anchor: bool,

    /// Join a conversation that began anew (an earlier root) to the one before it
    #[arg(long)]
    pub join_roots: bool,

    /// Leave parallel tool results beside the chain
    #[arg(long)]
    pub no_weave: bool,

    /// If the last compaction is out of the application's reach, append a boundary at the end of the file
    #[arg(long)]
    pub move_anchor: bool,

    /// Also keep a full copy of each file in this folder
    #[arg(long, value_name = "DIR")]
    pub backup: Option<Utf8PathBuf>,
}

/// The builds of the application that must show everything.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Target {
    /// Builds of early 2026
    V1,
    /// Later builds
    V2,
    /// All builds
    #[default]
    Both,
}

/// The verbs that only this tool has.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum Verb {
    /// Show how much of each transcript every build of the application would load, and why not all of it
    Check {
        /// The transcripts
        #[arg(value_name = "FILE", required = true)]
        files: Vec<Utf8PathBuf>,
    },
    /// Take an earlier stitch back from transcripts that may have gone on since
    Unstitch {
        /// The transcripts
        #[arg(value_name = "FILE", required = true)]
        files: Vec<Utf8PathBuf>,
    },
}

impl Verbs for Verb {
    const NAMES: &'static [&'static str] = &["check", "unstitch"];

    fn name(&self) -> &'static str {
        match self {
            Self::Check { .. } => "check",
            Self::Unstitch { .. } => "unstitch",
        }
    }
}

impl Target {
    /// The loaders of these builds.
    pub fn loaders(self) -> &'static [Loader] {
        match self {
            Self::V1 => &[Loader::V1],
            Self::V2 => &[Loader::V2],
            Self::Both => &Loader::ALL,
        }
    }
}

impl Options {
    pub(crate) fn stitch(&self) -> jsonl_stitch::Options {
        jsonl_stitch::Options {
            anchor: self.anchor,
            join_roots: self.join_roots,
            no_weave: self.no_weave,
            move_anchor: self.move_anchor,
        }
    }
}
