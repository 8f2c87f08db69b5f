//! The application must not run while its files are read and written (formats/cowork.md F).

use std::path::{Path, PathBuf};

use migration_cli::Refusal;

/// Refuses if a program has a file below one of these places open.
pub(crate) fn must_not_run(places: &[PathBuf]) -> Result<(), Refusal> {
    let Some(holder) = holder(places) else { return Ok(()) };
    let message = format!("{} is in use by {}", holder.path.display(), holder.name);
    let hint = "quit Claude, in the notification area too, then say the same command again";
    Err(Refusal::new("application-running", message, hint))
}

/// Who holds what.
#[derive(Debug, PartialEq, Eq)]
struct Holder {
    path: PathBuf,
    name: String,
}

#[cfg(not(windows))]
fn holder(places: &[PathBuf]) -> Option<Holder> {
    let own = std::process::id().to_string();
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let is_other = |name: &str| name.bytes().all(|byte| byte.is_ascii_digit()) && name != own;
    processes.filter(|entry| entry.file_name().to_str().is_some_and(is_other)).find_map(|process| {
        let files = std::fs::read_dir(process.path().join("fd")).into_iter().flatten().flatten();
        let mut files = files.filter_map(|file| std::fs::read_link(file.path()).ok());
        let path = files.find(|file| places.iter().any(|place| file.starts_with(place)) && file.is_file())?;
        let name = std::fs::read_to_string(process.path().join("comm")).unwrap_or_default();
        let name = format!("{} (process {})", name.trim(), process.file_name().to_string_lossy());
        Some(Holder { path, name })
    })
}

/// A file that another program has open for writing cannot be opened by somebody who shares it with nobody.
#[cfg(windows)]
fn holder(places: &[PathBuf]) -> Option<Holder> {
    use std::os::windows::fs::OpenOptionsExt;
    const SHARING_VIOLATION: i32 = 32;
    let held = |path: &&PathBuf| {
        let opened = std::fs::File::options().read(true).share_mode(0).open(path);
        opened.is_err_and(|error| error.raw_os_error() == Some(SHARING_VIOLATION))
    };
    let path = places.iter().filter(|path| path.is_file()).find(held)?;
    Some(Holder { path: path.clone(), name: "another program".into() })
}

/// What the application holds open while it runs.
pub(crate) fn held_places(base: Option<&Path>, profile: &Path, image: Option<&Path>) -> Vec<PathBuf> {
    // A person may well have the log open; only where processes cannot be looked at does it have to tell.
    let log = base.map(|base| base.join("logs/main.log")).filter(|_| cfg!(windows));
    [Some(profile.to_path_buf()), log, image.map(Path::to_path_buf)].into_iter().flatten().collect()
}
