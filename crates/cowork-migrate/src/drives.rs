//! Where the drives of a Windows machine lie here: the only way from a path of that machine to one that can be opened.

use std::path::{Path, PathBuf};

use migration_cli::Refusal;
use serde::{Deserialize, Serialize};
use session_model::{ForeignPath, PathRoot, same_name};
use transcript_relocate::resolve_physically;

/// A drive and the folder that is its root here: `C:=/mnt/c`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drive {
    /// Its letter, in upper case.
    pub letter: char,
    /// Its root.
    pub root: PathBuf,
}

impl std::str::FromStr for Drive {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("expected a drive and a folder such as C:=/mnt/c, found {text:?}");
        let (drive, root) = text.split_once('=').ok_or_else(wrong)?;
        let drive = drive.trim_end_matches(['\\', '/']);
        match drive.as_bytes() {
            [letter, b':'] if letter.is_ascii_alphabetic() && !root.is_empty() => {
                Ok(Self { letter: letter.to_ascii_uppercase().into(), root: root.into() })
            }
            _ => Err(wrong()),
        }
    }
}

/// The drives that can be reached.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Drives {
    known: Vec<Drive>,
    /// Whether this is a Windows machine whose own drives need no telling.
    native: bool,
}

impl Drives {
    /// The drives that the user named; roots are taken from `cwd` on. Without any, a Windows machine's own.
    pub(crate) fn new(named: &[Drive], cwd: &Path) -> Result<Self, Refusal> {
        let mut known: Vec<Drive> = Vec::new();
        for Drive { letter, root } in named {
            let (letter, root) = (*letter, resolve_physically(&cwd.join(root)));
            if !root.is_dir() {
                let message = format!(
                    "expected a folder at {}, where --drive says {letter}: lies, found none",
                    root.display()
                );
                return Err(Refusal::new("missing", message, "check the path"));
            }
            if let Some(other) = known.iter().find(|drive| drive.letter == letter && drive.root != root) {
                let (one, other) = (root.display(), other.root.display());
                let message = format!("expected one place for the drive {letter}:, found {other} and {one}");
                let hint =
                    "--drive is about the machine that the session goes to; the old one's drives need none";
                return Err(Refusal::usage("drive-twice", message, hint));
            }
            known.push(Drive { letter, root });
        }
        Ok(Self { known, native: cfg!(windows) && named.is_empty() })
    }

    /// Where a path of that machine is here; `None` if its drive cannot be reached. Names are found in whatever case
    /// they are written.
    pub(crate) fn local(&self, path: &ForeignPath) -> Option<PathBuf> {
        let PathRoot::Drive(letter) = path.root() else {
            return self.native.then(|| path.to_string().into());
        };
        if self.native {
            return Some(path.to_string().into());
        }
        let drive = self.known.iter().find(|drive| drive.letter == *letter)?;
        Some(
            path.components()
                .iter()
                .fold(drive.root.clone(), |folder, name| folder.join(as_found(&folder, name))),
        )
    }

    /// What that machine calls a path of this one.
    pub(crate) fn foreign(&self, path: &Path) -> Option<ForeignPath> {
        let path = resolve_physically(path);
        if self.native {
            return path.to_str()?.parse().ok();
        }
        let below = |drive: &Drive| Some((drive.letter, path.strip_prefix(&drive.root).ok()?.to_path_buf()));
        let (letter, rest) =
            self.known.iter().filter_map(below).min_by_key(|(_, rest)| rest.components().count())?;
        let root: ForeignPath = format!("{letter}:\\").parse().ok()?;
        Some(root.join(rest.to_str()?))
    }
}

/// A place of the new world, under both of its names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    /// Where it is here.
    pub(crate) local: PathBuf,
    /// What the new machine calls it.
    pub(crate) foreign: ForeignPath,
}

impl Place {
    pub(crate) fn join(&self, name: &str) -> Self {
        Self { local: self.local.join(name), foreign: self.foreign.join(name) }
    }
}

/// The name in a folder that Windows would take for this one.
fn as_found(folder: &Path, name: &str) -> String {
    if folder.join(name).symlink_metadata().is_ok() {
        return name.to_owned();
    }
    let names = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names = names.filter_map(|entry| entry.file_name().into_string().ok());
    names.find(|found| same_name(found, name)).unwrap_or_else(|| name.to_owned())
}

/// The home of a user on a Windows machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Home {
    /// What that machine calls it.
    pub(crate) foreign: ForeignPath,
    /// Where it is here.
    pub(crate) local: PathBuf,
    /// Whether its drive is only assumed.
    pub(crate) assumed: bool,
}

impl Home {
    /// The home that a base lies in, `…/Users/<name>/AppData/…`.
    pub(crate) fn around(base: &Path, drives: &Drives) -> Option<Self> {
        let is_home = |folder: &&Path| {
            let below = base.strip_prefix(folder).ok().and_then(|rest| rest.iter().next());
            let above = folder.parent().and_then(Path::file_name);
            let is = |name: Option<&std::ffi::OsStr>, wanted| {
                name.and_then(std::ffi::OsStr::to_str).is_some_and(|name| same_name(name, wanted))
            };
            is(below, "AppData") && is(above, "Users")
        };
        let local = base.ancestors().find(is_home)?.to_path_buf();
        let known = drives.foreign(&local);
        let foreign = known.clone().or_else(|| assumed(&local))?;
        Some(Self { foreign, local, assumed: known.is_none() })
    }
}

/// `/mnt/c/Users/mira` is what WSL makes of `C:\Users\mira`; other places say nothing of their drive.
fn assumed(home: &Path) -> Option<ForeignPath> {
    let names: Vec<&str> = home.to_str()?.rsplit(['/', '\\']).take(3).collect();
    let [user, users, drive] = names.as_slice() else { return None };
    let drive = drive.strip_suffix(':').unwrap_or(drive); // an SFTP server there says /D:/Users/mira
    let letter = Some(drive).filter(|drive| drive.len() == 1 && drive.as_bytes()[0].is_ascii_alphabetic());
    format!("{}:\\{users}\\{user}", letter.unwrap_or("C")).parse().ok()
}

/// Whether a path is a user's home, `C:\Users\<name>`.
pub(crate) fn is_home(path: &ForeignPath) -> bool {
    home_in(path).is_some_and(|home| home.same_place(path))
}

/// The user's home that a path of a Windows machine lies in.
pub(crate) fn home_in(path: &ForeignPath) -> Option<ForeignPath> {
    let PathRoot::Drive(letter) = path.root() else { return None };
    match path.components() {
        [users, name, ..] if same_name(users, "Users") && !same_name(name, "Public") => {
            format!("{letter}:\\{users}\\{name}").parse().ok()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_the_other_machine_is_opened_only_through_its_drive() {
        let here = tempfile::tempdir().unwrap();
        let here = here.path().canonicalize().unwrap();
        std::fs::create_dir_all(here.join("Users/Otto")).unwrap();
        let drives =
            Drives::new(&[format!("c:\\={}", here.display()).parse().unwrap()], Path::new("/")).unwrap();
        let local = |path: &str| drives.local(&path.parse().unwrap());
        if cfg!(not(windows)) {
            assert_eq!(local(r"c:\users\OTTO\new"), Some(here.join("Users/Otto/new")));
            assert_eq!(local(r"D:\x"), None);
            assert_eq!(local(r"\\nas\share\x"), None);
            assert_eq!(local("/home/otto"), None);
        }
        let foreign = drives.foreign(&here.join("Users/Otto/a b")).unwrap();
        assert_eq!(foreign.to_string(), r"C:\Users\Otto\a b");
        assert_eq!(drives.foreign(Path::new("/elsewhere")), None);
    }

    #[test]
    fn a_home_is_found_around_a_base_wherever_its_disk_is_mounted() {
        let home = |base: &str| Home::around(Path::new(base), &Drives::default());
        let found = home("/mnt/d/Users/mira/AppData/Roaming/Claude").unwrap();
        assert_eq!((found.foreign.to_string().as_str(), found.assumed), (r"D:\Users\mira", true));
        assert_eq!(found.local, Path::new("/mnt/d/Users/mira"));
        assert_eq!(home("/d:/Users/mira/AppData/Local/x").unwrap().foreign.to_string(), r"D:\Users\mira");
        let found = home("/old/disk/users/mira/appdata/Local/Claude-Data").unwrap();
        assert_eq!(found.foreign.to_string(), r"C:\users\mira");
        assert_eq!(home("/home/mira/.config/Claude"), None);
    }

    #[test]
    fn drives_are_told_apart_from_folders() {
        for wrong in ["/mnt/c", "C=/mnt/c", "C:/mnt/c", "CD:=/x", "C:="] {
            assert!(wrong.parse::<Drive>().is_err(), "{wrong}");
        }
    }
}
