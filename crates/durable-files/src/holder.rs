//! Who else has a file open.

use std::path::{Path, PathBuf};
use std::{fmt, io};

/// What Windows answers to whoever opens what another program shares with nobody.
const SHARING_VIOLATION: i32 = 32;

/// A process that has a file open, for whatever purpose: one that only reads now may well write a moment later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The file.
    pub path: PathBuf,
    /// The name of its program.
    pub program: Option<String>,
    /// Its id.
    pub process: Option<u32>,
}

impl Holder {
    /// Some other process that has one of these files open, or one below one of these folders.
    ///
    /// On Linux it is looked for in `/proc`, which tells other users' processes only to root. On Windows a file that
    /// cannot be opened without sharing it is held, nobody knows by whom, and folders are passed over. Elsewhere nobody
    /// is ever found.
    pub fn of(places: &[PathBuf]) -> Option<Self> {
        let real = |place: &PathBuf| place.canonicalize().ok();
        find(&places.iter().filter_map(real).collect::<Vec<_>>())
    }

    /// Who is in the way, if that is why a file could not be opened: on Windows a program may share what it has open with
    /// nobody.
    pub fn behind(error: &io::Error, path: &Path) -> Option<Self> {
        let is_held = cfg!(windows) && error.raw_os_error() == Some(SHARING_VIOLATION);
        is_held.then(|| Self { path: path.to_path_buf(), program: None, process: None })
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let program = self.program.as_deref().unwrap_or("another program");
        write!(out, "{} is in use by {program}", self.path.display())?;
        self.process.map_or(Ok(()), |process| write!(out, " (process {process})"))
    }
}

#[cfg(not(windows))]
fn find(places: &[PathBuf]) -> Option<Holder> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.filter(|process| *process != std::process::id()).find_map(|process| of_process(process, places))
}

#[cfg(not(windows))]
fn of_process(process: u32, places: &[PathBuf]) -> Option<Holder> {
    let about = Path::new("/proc").join(process.to_string());
    let open = std::fs::read_dir(about.join("fd")).ok()?.flatten();
    let mut open = open.filter_map(|file| std::fs::read_link(file.path()).ok());
    let is_meant = |file: &PathBuf| places.iter().any(|place| file.starts_with(place));
    let path = open.find(|file| is_meant(file) && file.is_file())?;
    let program = std::fs::read_to_string(about.join("comm")).ok().map(|name| name.trim().to_owned());
    Some(Holder { path, program, process: Some(process) })
}

#[cfg(windows)]
fn find(places: &[PathBuf]) -> Option<Holder> {
    use std::os::windows::fs::OpenOptionsExt;
    let mut alone = std::fs::File::options();
    alone.read(true).share_mode(0);
    let mut files = places.iter().filter(|path| path.is_file());
    files.find_map(|path| Holder::behind(&alone.open(path).err()?, path))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn who_has_a_file_open_is_named_by_whatever_name_the_file_goes() {
        let folder = tempfile::tempdir().unwrap();
        let [file, other, link] = ["file", "other", "link"].map(|name| folder.path().join(name));
        for file in [&file, &other] {
            std::fs::write(file, "").unwrap();
        }
        std::os::unix::fs::symlink(folder.path(), &link).unwrap();
        for how in ["<", ">>"] {
            let holder = testkit::holder::Holder::of(&file, how);
            for name in [file.clone(), link.join("file"), folder.path().into()] {
                let found = Holder::of(&[name]).unwrap();
                assert_eq!((found.program.as_deref(), found.process), (Some("sh"), Some(holder.process())));
                assert!(
                    found
                        .to_string()
                        .ends_with(&format!("file is in use by sh (process {})", holder.process()))
                );
            }
            assert_eq!(Holder::of(&[other.clone(), folder.path().join("gone")]), None);
        }
        let _ours = std::fs::File::open(&file).unwrap();
        assert_eq!(Holder::of(&[file]), None, "what this process has open itself is not held");
    }
}
