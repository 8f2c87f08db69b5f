//! A tree of everything that makes trees hard to move.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, PermissionsExt, symlink};
use std::path::Path;
use std::time::{Duration, SystemTime};

/// Everything a session's folder may hold and a stream has to carry.
///
/// # Panics
/// If there is no room for it.
pub fn lay_out(root: &Path) {
    let long = "n".repeat(255);
    let deep = root.join("deep").join("d".repeat(120)).join("e".repeat(120));
    fs::create_dir_all(&deep).unwrap();
    for name in
        ["Makefile", "makefile", "caf\u{e9}", "cafe\u{301}", " two  spaces ", "new\nline", "-dash", "\\", "*"]
    {
        fs::write(root.join(name), name).unwrap();
    }
    fs::write(root.join(OsStr::from_bytes(b"bad\xff\xfename")), [0, 159, 146, 150]).unwrap();
    fs::write(root.join(&long), "long").unwrap();
    fs::write(deep.join(&long), "long and deep").unwrap();
    fs::write(root.join("empty"), "").unwrap();
    fs::write(root.join("big"), vec![7; 3 << 20]).unwrap();
    symlink("/home/claude/.claude-shared/settings.json", root.join("dangling")).unwrap();
    symlink("l".repeat(3000), root.join("long link")).unwrap();
    symlink("a//b/./../c/", root.join("odd link")).unwrap();
    fs::hard_link(root.join("big"), root.join("deep/another name")).unwrap();
    fs::hard_link(deep.join(&long), root.join("zz further name of a long one")).unwrap();
    let sparse = File::create(root.join("sparse")).unwrap();
    sparse.set_len(64 << 20).unwrap();
    (0..40u64).for_each(|part| sparse.write_all_at(&[1; 4096], part << 20).unwrap());
    let hole = File::create(root.join("one hole")).unwrap();
    hole.set_len(5 << 20).unwrap();
    dated(&root.join("sparse"), 1_700_000_000, 123_456_789);
    dated(&root.join("empty"), -1, 999_999_999);
    dated(&root.join("Makefile"), -5, 0);
    fs::set_permissions(root.join("makefile"), fs::Permissions::from_mode(0o0000)).unwrap();
    fs::set_permissions(root.join("*"), fs::Permissions::from_mode(0o6755)).unwrap();
    fs::set_permissions(root.join("deep"), fs::Permissions::from_mode(0o1511)).unwrap();
    dated(&root.join("deep"), 1_500_000_000, 42);
}

fn dated(path: &Path, seconds: i64, nanoseconds: u32) {
    let whole = Duration::from_secs(seconds.unsigned_abs());
    let second = if seconds < 0 { SystemTime::UNIX_EPOCH - whole } else { SystemTime::UNIX_EPOCH + whole };
    let time = second + Duration::from_nanos(nanoseconds.into());
    File::open(path).unwrap().set_modified(time).unwrap();
}
