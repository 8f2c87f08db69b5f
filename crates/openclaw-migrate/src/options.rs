//! What a user may say on the command line.

use camino::Utf8PathBuf;
use session_store::Format;

/// The options of `openclaw-migrate`.
#[derive(Debug, Clone, clap::Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct Options {
    /// The workspace whose `.sessions` folder is migrated
    #[arg(value_name = "WORKSPACE")]
    pub workspace: Option<Utf8PathBuf>,

    /// The agent whose sessions they are, where nothing else says so
    #[arg(long, value_name = "ID", default_value = "main")]
    pub agent_id: String,

    /// Make no copy of the old files
    #[arg(long)]
    pub no_backup: bool,

    /// For which program the new files are
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    pub format: FormatName,

    /// Remove each old file once its copy in the backup and what came of it have been verified
    #[arg(long, conflicts_with = "no_backup")]
    pub remove_originals: bool,

    /// How long to wait for another program's lock on the store
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    pub lock_timeout: u64,

    /// With `undo`: leave the backup where it is
    #[arg(long)]
    pub keep_backup: bool,
}

/// A format by its name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum FormatName {
    /// The Python project, as its guide shows
    #[default]
    Python,
    /// OpenClaw itself
    Openclaw,
}

impl From<FormatName> for Format {
    fn from(name: FormatName) -> Self {
        match name {
            FormatName::Python => Self::Python,
            FormatName::Openclaw => Self::OpenClaw,
        }
    }
}
