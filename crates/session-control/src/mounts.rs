//! Where a path lies, by whatever name it goes: a folder that is mounted at a second place is still the same folder.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// What is mounted where, as Linux tells. Elsewhere nothing is known, and a path lies where it says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct MountTable(Vec<Mounted>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Mounted {
    /// Which file system, by its device's number.
    device: OsString,
    /// What of it.
    root: PathBuf,
    /// Where.
    at: PathBuf,
}

/// A file system, by its device's number, and a path in it.
pub(crate) type Location = (OsString, PathBuf);

impl MountTable {
    /// As this process sees it.
    pub(crate) fn here() -> Self {
        Self::read(&std::fs::read("/proc/self/mountinfo").unwrap_or_default())
    }

    /// `ID PARENT DEVICE ROOT PLACE …`, a line each.
    fn read(text: &[u8]) -> Self {
        let lines = text.split(|&byte| byte == b'\n');
        let mounted = lines.filter_map(|line| {
            let mut words = line.split(|&byte| byte == b' ').skip(2).map(unescaped);
            Some(Mounted { device: words.next()?, root: words.next()?.into(), at: words.next()?.into() })
        });
        Self(mounted.collect())
    }

    /// What was mounted last at this path, which has no links in it, or below it.
    pub(crate) fn last_below(&self, path: &Path) -> Option<&Path> {
        self.0.iter().map(|mounted| mounted.at.as_path()).rfind(|at| at.starts_with(path))
    }

    /// Where this path lies, which has no links in it.
    pub(crate) fn locate(&self, path: &Path) -> Location {
        // What is mounted last hides what was mounted there before.
        let around = self.0.iter().filter(|mounted| path.starts_with(&mounted.at));
        match around.max_by_key(|mounted| mounted.at.as_os_str().len()) {
            Some(mounted) => {
                let rest = path.strip_prefix(&mounted.at).expect("because it is around the path");
                let within = mounted.root.components().chain(rest.components()).collect();
                (mounted.device.clone(), within)
            }
            None => (OsString::new(), path.to_owned()),
        }
    }
}

/// Where something is mounted in a folder, the last if several are: it would be emptied with the folder.
pub fn mounted_in(folder: &Path) -> Option<PathBuf> {
    MountTable::here().last_below(&folder.canonicalize().ok()?).map(Path::to_owned)
}

/// A space is `\040` there, and so are three more that would spoil a line.
fn unescaped(word: &[u8]) -> OsString {
    let mut bytes = Vec::new();
    let mut rest = word;
    while let Some((&first, more)) = rest.split_first() {
        let number = |octal: &[u8]| u8::from_str_radix(std::str::from_utf8(octal).ok()?, 8).ok();
        let escaped = more.get(..3).and_then(number).filter(|_| first == b'\\');
        bytes.push(escaped.unwrap_or(first));
        rest = escaped.map_or(more, |_| &more[3..]);
    }
    OsString::from_vec(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_mounted_a_second_time_lies_where_it_lay() {
        let table = MountTable::read(
            b"1 0 8:1 / / rw - ext4 /dev/sda rw\n2 1 8:1 /home/claude /mnt/a\\040b rw - ext4 /dev/sda rw\n\
              3 1 0:5 / /mnt/a\\040b/tmp rw - tmpfs tmpfs rw\n4 1 0:6 / /hidden rw - tmpfs a rw\n5 1 0:7 /x /hidden rw - tmpfs b rw\n",
        );
        let located = |path: &str| {
            let (device, path) = table.locate(Path::new(path));
            (device.into_string().unwrap(), path.display().to_string())
        };
        let at = |device: &str, path: &str| (device.to_owned(), path.to_owned());
        assert_eq!(located("/home/claude/s"), at("8:1", "/home/claude/s"));
        assert_eq!(located("/mnt/a b/s"), located("/home/claude/s"));
        assert_eq!(located("/mnt/a b/tmp/s"), at("0:5", "/s"));
        assert_eq!(located("/hidden"), at("0:7", "/x"));
        assert_eq!(table.last_below(Path::new("/mnt")), Some(Path::new("/mnt/a b/tmp")));
        assert_eq!(table.last_below(Path::new("/home/claude")), None);
        assert_eq!(MountTable::default().locate(Path::new("/a")), (OsString::new(), "/a".into()));
        assert_eq!(unescaped(b"a\\0"), OsString::from("a\\0"));
    }
}
