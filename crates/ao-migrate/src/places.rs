//! Where everything is: flags first, then variables, then defaults (formats/ao.md §2.1, §8.1, §10).

use std::path::{Path, PathBuf};

use camino::{Utf8Path, Utf8PathBuf};
use legacy_readers::ao;
use migration_cli::{Refusal, Surroundings};
use serde::{Deserialize, Serialize};
use transcript_relocate::Homes;

use crate::Options;

/// Every place that a run touches or looks at, absolute: what `undo`, `resume` and `verify` need to know later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Places {
    /// The daemon's data directory.
    pub data_dir: Utf8PathBuf,
    /// The file in which a running daemon names itself.
    pub run_file: Utf8PathBuf,
    /// Claude Code's directories in which transcripts are looked for.
    pub claude_read: Vec<Utf8PathBuf>,
    /// The one to which they go.
    pub claude_write: Utf8PathBuf,
    /// The database's schema version when the plan was made.
    pub schema: u32,
}

impl Places {
    /// The places of a new run.
    pub(crate) fn of(options: &Options, here: &Surroundings) -> Result<Self, Refusal> {
        let home = home(here)?;
        let data_dir = choose(options.data_dir.as_deref(), here, "AO_DATA_DIR", || home.join(".ao/data"))?;
        let run_file =
            choose(options.run_file.as_deref(), here, "AO_RUN_FILE", || home.join(".ao/running.json"))?;
        let claude_home = home.join(".claude");
        let claude_write =
            choose(options.claude_home.as_deref(), here, "CLAUDE_CONFIG_DIR", || claude_home.clone())?;
        let mut claude_read = vec![claude_write.clone(), claude_home];
        claude_read.dedup();
        Ok(Self { data_dir, run_file, claude_read, claude_write, schema: crate::database::SCHEMA })
    }

    /// The daemon's database.
    pub(crate) fn database(&self) -> PathBuf {
        self.data_dir.join("ao.db").into()
    }

    /// Claude Code's directories.
    pub(crate) fn homes(&self) -> Homes {
        Homes::new(self.claude_read.iter().map(PathBuf::from).collect(), self.claude_write.clone().into())
    }
}

/// What the reader of the old files has to be told.
pub(crate) fn legacy(options: &Options, here: &Surroundings) -> Result<ao::Options, Refusal> {
    let home = home(here)?;
    let state_root = match &options.legacy_root {
        Some(root) => ao::Source::named(absolute(root, here)?),
        None => ao::Source::by_default(home.join(".agent-orchestrator")),
    };
    let config = if let Some(file) = &options.legacy_config {
        ao::Source::named(absolute(file, here)?)
    } else if let Some(file) = variable(here, "AO_GLOBAL_CONFIG")? {
        ao::Source::named(file)
    } else if let Some(dir) = variable(here, "XDG_CONFIG_HOME")?.filter(|_| options.legacy_root.is_none()) {
        ao::Source::by_default(dir.join("agent-orchestrator/config.yaml"))
    } else {
        ao::Source::by_default(state_root.path.join("config.yaml"))
    };
    Ok(ao::Options { state_root, config, home })
}

fn home(here: &Surroundings) -> Result<Utf8PathBuf, Refusal> {
    utf8(here.home()?)
}

fn choose(
    flag: Option<&Utf8Path>,
    here: &Surroundings,
    name: &str,
    default: impl FnOnce() -> Utf8PathBuf,
) -> Result<Utf8PathBuf, Refusal> {
    match flag {
        Some(path) => absolute(path, here),
        None => Ok(variable(here, name)?.unwrap_or_else(default)),
    }
}

fn variable(here: &Surroundings, name: &str) -> Result<Option<Utf8PathBuf>, Refusal> {
    here.path_var(name).map(|path| utf8(&path)).transpose()
}

fn absolute(path: &Utf8Path, here: &Surroundings) -> Result<Utf8PathBuf, Refusal> {
    utf8(&here.named(path)?)
}

fn utf8(path: &Path) -> Result<Utf8PathBuf, Refusal> {
    Utf8PathBuf::from_path_buf(path.to_path_buf()).map_err(|path| {
        let message = format!("expected a path in UTF-8, found {}", path.display());
        Refusal::usage("path-not-utf8", message, "name a path in UTF-8 with the option for it, see --help")
    })
}
