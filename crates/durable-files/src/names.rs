//! Names of temporary and set-aside files.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// The longest file name that every file system in use accepts, in bytes.
const LONGEST_NAME: usize = 255;

/// The name beside `target` under which something of it is staged or set aside: `.NAME.rehome-TAG.ROLE`.
///
/// It depends on nothing but its arguments, so whoever comes after a crash finds the file again. A long `NAME` is cut;
/// the tag alone must therefore tell two targets of one folder apart.
pub fn beside(target: &Path, tag: &str, role: &str) -> PathBuf {
    let suffix = format!(".rehome-{tag}.{role}");
    let mut name = OsString::from(".");
    name.push(cut(target.file_name().unwrap_or_default(), LONGEST_NAME - 1 - suffix.len()));
    name.push(suffix);
    target.with_file_name(name)
}

/// The name of `file` with a tag before it, `TAG-NAME`, cut like those of [`beside`]: for what is kept in a folder of
/// its own.
pub fn tagged(file: &Path, tag: &str) -> OsString {
    let mut name = OsString::from(format!("{tag}-"));
    name.push(cut(file.file_name().unwrap_or_default(), LONGEST_NAME - name.len()));
    name
}

#[cfg(unix)]
fn cut(name: &OsStr, most: usize) -> &OsStr {
    use std::os::unix::ffi::OsStrExt;
    let bytes = name.as_bytes();
    let mut end = bytes.len().min(most);
    while end > 0 && end < bytes.len() && bytes[end] & 0xC0 == 0x80 {
        end -= 1; // not inside a UTF-8 sequence
    }
    OsStr::from_bytes(&bytes[..end])
}

#[cfg(not(unix))]
fn cut(name: &OsStr, most: usize) -> OsString {
    // 255 UTF-16 units there; a third of that in characters is always short enough.
    name.to_string_lossy().chars().take(most / 3).collect::<String>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_at_the_limit_still_has_a_place_to_be_staged() {
        for name in ["x".repeat(255), "é".repeat(127)] {
            let staged = beside(&Path::new("/folder").join(&name), "20260101-000000-abcd-12345", "tmp");
            assert!(staged.file_name().unwrap().len() <= LONGEST_NAME);
            assert!(staged.to_str().unwrap().ends_with(".rehome-20260101-000000-abcd-12345.tmp"));
        }
        assert_eq!(beside(Path::new("/f/a.jsonl"), "R-1", "tmp"), Path::new("/f/.a.jsonl.rehome-R-1.tmp"));
    }
}
