//! What a user may say on the command line.

use camino::Utf8PathBuf;
use migration_cli::{SshOptions, Verbs};
use migration_engine::RunId;
use session_model::ForeignPath;
use transcript_relocate::rewrite::Links;

use crate::drives::Drive;

/// The options of `cowork-migrate`.
#[derive(Debug, Clone, Default, clap::Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct Options {
    /// Where the session is: a profile's folder, a base with one profile, or a bundle made by `pack`; on another host
    /// it is `ssh://HOST/PATH` or `ssh://USER@HOST:PORT/PATH`
    #[arg(long, value_name = "PROFILE|BUNDLE")]
    pub from: Option<Utf8PathBuf>,

    /// Where it goes: a profile's folder, or a base
    #[arg(long, value_name = "PROFILE")]
    pub to: Option<Utf8PathBuf>,

    /// Where this machine's own profiles are looked for, instead of the usual places
    #[arg(long, value_name = "DIR")]
    pub base: Option<Utf8PathBuf>,

    /// The session: the beginning of one of its ids, or its title
    #[arg(long, value_name = "ID-PREFIX|TITLE")]
    pub session: Option<String>,

    /// A folder that lies elsewhere in the new world; both sides as that machine spells them
    #[arg(long, value_name = "SRC=DST")]
    pub map: Vec<Moved>,

    /// The disk image of the virtual machine, if it is not beside the sessions
    #[arg(long, value_name = "FILE")]
    pub vhdx: Option<Utf8PathBuf>,

    /// The folder for what was in the virtual machine, and for copies of the sidecar
    #[arg(long, value_name = "DIR")]
    pub archive: Option<Utf8PathBuf>,

    /// Where a drive of the Windows machine lies here, such as 'C:=/mnt/c'
    #[arg(long, value_name = "DRIVE=DIR")]
    pub drive: Vec<Drive>,

    /// What becomes of links to files of the virtual machine
    #[arg(long, value_name = "HOW", value_enum, default_value_t)]
    pub links: LinkHandling,

    /// Fail if anything still names the old world
    #[arg(long)]
    pub strict: bool,

    /// If the session is there already, move that aside
    #[arg(long)]
    pub replace: bool,

    /// Keep what belongs to the old machine in the sidecar: connections, displays, tokens
    #[arg(long)]
    pub keep_machine_local: bool,

    /// For `verify`: the application's main.log, with its last word on the session
    #[arg(long, value_name = "FILE")]
    pub log: Option<Utf8PathBuf>,

    // Last, since its heading stays.
    /// How the host of an ssh:// is reached
    #[command(flatten)]
    pub ssh: SshOptions,
}

/// What becomes of links to files of the virtual machine.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LinkHandling {
    /// They lead to where the files are now
    #[default]
    Rewrite,
    /// They stay, for builds that open them through the machine
    Keep,
}

impl From<LinkHandling> for Links {
    fn from(handling: LinkHandling) -> Self {
        match handling {
            LinkHandling::Rewrite => Self::Rewrite,
            LinkHandling::Keep => Self::Keep,
        }
    }
}

/// A folder and where it is now: `SRC=DST`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// Where it was.
    pub from: ForeignPath,
    /// Where it is.
    pub to: ForeignPath,
}

impl std::str::FromStr for Moved {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (from, to) = text.split_once('=').ok_or("expected SRC=DST")?;
        let path = |text: &str| text.trim().parse::<ForeignPath>().map_err(|error| error.to_string());
        Ok(Self { from: path(from)?, to: path(to)? })
    }
}

/// The verbs that only this tool has.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum Verb {
    /// List the sessions of a profile or bundle
    Inventory {
        /// Where they are, as --from says it
        #[arg(value_name = "PROFILE|BUNDLE", conflicts_with = "from")]
        place: Option<Utf8PathBuf>,
    },
    /// Copy a session into a folder that can be carried to another machine
    Pack {
        /// The folder to make
        #[arg(long, value_name = "DIR")]
        out: Utf8PathBuf,
    },
    /// Take the files of a session out of the disk image of its virtual machine
    Extract {
        /// Caches and dependencies too
        #[arg(long)]
        all: bool,
    },
    /// Rewrite the paths in a transcript, a sidecar, or everything of a session, in place
    Rewrite {
        /// Transcripts, sidecars, or folders of sessions
        #[arg(value_name = "FILE|DIR", required = true)]
        paths: Vec<Utf8PathBuf>,
    },
    /// Put the rewritten sidecar back, after the application has loaded the session once and was quit
    Reapply {
        /// The run that moved the session; the newest one if left out
        #[arg(value_name = "RUN")]
        run: Option<RunId>,
    },
}

impl Verbs for Verb {
    const NAMES: &'static [&'static str] = &["inventory", "pack", "extract", "rewrite", "reapply"];

    fn name(&self) -> &'static str {
        match self {
            Self::Inventory { .. } => "inventory",
            Self::Pack { .. } => "pack",
            Self::Extract { .. } => "extract",
            Self::Rewrite { .. } => "rewrite",
            Self::Reapply { .. } => "reapply",
        }
    }
}
