//! The reader of the old orchestrator, against the fixture homes.

#![allow(clippy::unwrap_used, reason = "helpers of tests panic where a test should fail")]

mod arbitrary;
mod fixtures;
mod odd;

use std::path::Path;

use camino::{Utf8Path, Utf8PathBuf};
use legacy_readers::ao::{self, Legacy, Options, Source};
use session_model::Survey;

fn utf8(path: &Path) -> Utf8PathBuf {
    Utf8Path::from_path(path).unwrap().to_path_buf()
}

/// The defaults of formats/ao.md §2.1 for a home.
fn options(home: &Path) -> Options {
    let home = utf8(home);
    let state_root = home.join(".agent-orchestrator");
    let config = Source::by_default(state_root.join("config.yaml"));
    Options { config, state_root: Source::by_default(state_root), home }
}

fn read(home: &Path) -> Survey<Legacy> {
    ao::read(&options(home)).unwrap()
}
