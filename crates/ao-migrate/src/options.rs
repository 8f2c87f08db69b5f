//! What a user may say on the command line.

use camino::Utf8PathBuf;

/// The options of `ao-migrate`. A flag beats its environment variable; an empty variable counts as unset.
#[derive(Debug, Clone, Default, clap::Args)]
#[allow(clippy::doc_markdown, reason = "these comments are what --help prints")]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct Options {
    /// The old orchestrator's state root [default: ~/.agent-orchestrator]
    #[arg(long, value_name = "DIR")]
    pub legacy_root: Option<Utf8PathBuf>,

    /// The old orchestrator's global config [env: AO_GLOBAL_CONFIG] [default: $XDG_CONFIG_HOME/agent-orchestrator/config.yaml,
    /// else config.yaml in the state root]
    #[arg(long, value_name = "FILE")]
    pub legacy_config: Option<Utf8PathBuf>,

    /// The daemon's data directory, with ao.db in it [env: AO_DATA_DIR] [default: ~/.ao/data]
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<Utf8PathBuf>,

    /// The file in which a running daemon names itself [env: AO_RUN_FILE] [default: ~/.ao/running.json]
    #[arg(long, value_name = "FILE")]
    pub run_file: Option<Utf8PathBuf>,

    /// Claude Code's directory, the one that holds projects/ [env: CLAUDE_CONFIG_DIR] [default: ~/.claude]
    #[arg(long, value_name = "DIR")]
    pub claude_home: Option<Utf8PathBuf>,

    /// Migrate only this project (may be repeated)
    #[arg(long, value_name = "ID")]
    pub project: Vec<String>,

    /// Admit a database of this schema version, one of 13 to 19, instead of 12
    #[arg(long, value_name = "N")]
    pub schema: Option<u32>,

    /// Write the rows so that the daemon can resume the sessions, instead of listing them as live
    #[arg(long)]
    pub restorable: bool,

    /// Also move each session's git worktree to where the daemon looks for it (implies --restorable)
    #[arg(long)]
    pub move_worktrees: bool,

    /// Give copied transcripts the time of this run instead of their own, so that Claude Code's clean-up spares them
    #[arg(long)]
    pub touch: bool,
}
