//! The application must not run while its files are read and written (formats/cowork.md F).

use std::path::{Path, PathBuf};

use durable_files::Holder;
use migration_cli::Refusal;

/// Refuses if a program has a file below one of these places open.
pub(crate) fn must_not_run(places: &[PathBuf]) -> Result<(), Refusal> {
    let Some(holder) = Holder::of(places) else { return Ok(()) };
    let hint = "quit Claude, in the notification area too, then say the same command again";
    Err(Refusal::new("application-running", holder.to_string(), hint))
}

/// What the application holds open while it runs.
pub(crate) fn held_places(base: Option<&Path>, profile: &Path, image: Option<&Path>) -> Vec<PathBuf> {
    // A person may well have the log open; only where processes cannot be looked at does it have to tell.
    let log = base.map(|base| base.join("logs/main.log")).filter(|_| cfg!(windows));
    [Some(profile.to_path_buf()), log, image.map(Path::to_path_buf)].into_iter().flatten().collect()
}
