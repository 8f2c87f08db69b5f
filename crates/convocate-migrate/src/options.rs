//! What a user may say on the command line.

use std::ffi::OsString;
use std::path::PathBuf;

use camino::Utf8PathBuf;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use migration_cli::{SshOptions, Verbs};
use remote_transfer::Compression;
use serde::{Deserialize, Serialize};
use session_control::{Containers, Profile};

/// The options of `convocate-migrate`.
#[derive(Debug, Clone, Default, clap::Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct Options {
    /// The agent that gets the sessions
    #[arg(long, value_name = "ID")]
    pub agent: Option<String>,

    /// A session to move; may be said several times
    #[arg(long, value_name = "UUID", conflicts_with = "all")]
    pub session: Vec<String>,

    /// Move every orphan session
    #[arg(long)]
    pub all: bool,

    /// How many sessions to move at a time
    // An sshd allows ten commands at a time on a connection, and a session may need two.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=4))]
    pub jobs: u8,

    /// Whether to compress on the way [default: auto, and for `resume` as the run began]
    #[arg(long, value_name = "HOW", value_enum)]
    pub compress: Option<Compress>,

    /// Which releases made the sessions: sets the names of folders, users and containers
    #[arg(long, value_name = "NAME", value_parser = profiles(), default_value = Profile::default().name)]
    pub profile: Profile,

    /// Where the sessions are on this host, instead of the profile's home
    #[arg(long, value_name = "DIR")]
    pub shell_base: Option<Utf8PathBuf>,

    /// Where agents are registered, instead of the profile's folder
    #[arg(long, value_name = "DIR")]
    pub agent_keys_dir: Option<Utf8PathBuf>,

    /// Where sessions are on the agent, instead of the profile's home
    #[arg(long, value_name = "DIR")]
    pub agent_base: Option<Utf8PathBuf>,

    /// If a session's port is taken on the agent
    #[arg(long, value_name = "WHAT", value_enum, default_value_t)]
    pub on_port_conflict: OnConflict,

    /// If a session's DNS name is taken in the cluster
    #[arg(long, value_name = "WHAT", value_enum, default_value_t)]
    pub on_dns_conflict: OnConflict,

    /// Move sessions with a DNS name though an agent cannot be asked for its names
    #[arg(long)]
    pub allow_unverified_dns: bool,

    /// The container engine's program, such as podman [default: docker]
    #[arg(long, value_name = "PROGRAM")]
    pub docker: Option<PathBuf>,

    /// Something to say to that program before all else; may be said several times
    #[arg(long, value_name = "ARGUMENT", allow_hyphen_values = true)]
    pub docker_argument: Vec<OsString>,

    /// Do not ask the container engine of this host what runs
    #[arg(long)]
    pub no_docker_check: bool,

    /// Delete the source once the agent's copy is confirmed, instead of moving it aside: cannot be undone
    #[arg(long, alias = "delete-source")]
    pub purge_source: bool,

    // Last, since its heading stays.
    /// How the agent is reached, where the registry or the profile says otherwise
    #[command(flatten)]
    pub ssh: SshOptions,
}

impl Options {
    /// The container engine of this host.
    pub(crate) fn containers(&self) -> Containers {
        let engine = Containers { arguments: self.docker_argument.clone(), ..Containers::default() };
        match &self.docker {
            Some(program) => Containers { program: program.clone(), ..engine },
            None => engine,
        }
    }
}

/// How streams are compressed, by its name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Compress {
    /// Where there is much to send over a link that is measured slow
    #[default]
    Auto,
    /// Not at all
    Never,
    /// Always, if the agent has gzip
    Gzip,
}

impl From<Compress> for Compression {
    fn from(name: Compress) -> Self {
        match name {
            Compress::Auto => Self::Auto,
            Compress::Never => Self::Never,
            Compress::Gzip => Self::Gzip,
        }
    }
}

/// A profile on the command line: by its name.
pub fn profiles() -> impl TypedValueParser<Value = Profile> {
    let name = |profile: Profile| PossibleValue::new(profile.name).help(profile.releases);
    PossibleValuesParser::new(Profile::ALL.map(name)).map(|name| Profile::named(&name).unwrap_or_default())
}

/// What becomes of a port or name that another session has already.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum OnConflict {
    /// The session stays here
    #[default]
    Refuse,
    /// It arrives without
    Clear,
}

/// The verbs that only `convocate-migrate` has.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum Verb {
    /// Show the orphan sessions of this host, and why one cannot move
    List,
    /// Remove what no run knows of any more: sources that were moved aside, and what interrupted runs have left on the
    /// agent
    ///
    /// What a run keeps goes with it: `runs gc` and `runs forget`.
    Gc {
        /// How many days nothing must have happened to it
        #[arg(long, value_name = "DAYS", default_value_t = 30)]
        older_than: u32,
    },
}

impl Verbs for Verb {
    const NAMES: &'static [&'static str] = &["list", "gc"];

    fn name(&self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Gc { .. } => "gc",
        }
    }
}
