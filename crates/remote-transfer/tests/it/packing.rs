//! A packed tree, unpacked by the tar of the machine, is the tree.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use durable_files::Quiet;
use remote_transfer::{About, Kind, Parcel, Tree, What};
use rustix::fs::{AtFlags, Timespec, Timestamps, utimensat};

fn dated(path: &Path, seconds: i64, nanoseconds: i64) {
    let time = Timespec { tv_sec: seconds, tv_nsec: nanoseconds };
    let times = Timestamps { last_access: time, last_modification: time };
    utimensat(rustix::fs::CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW).expect("a time can be set");
}

/// Everything a session's folder may hold and a stream has to carry.
pub(crate) fn lay_out(root: &Path) {
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
    dated(&root.join("dangling"), 1_600_000_000, 1);
    fs::set_permissions(root.join("makefile"), fs::Permissions::from_mode(0o0000)).unwrap();
    fs::set_permissions(root.join("*"), fs::Permissions::from_mode(0o6755)).unwrap();
    fs::set_permissions(root.join("deep"), fs::Permissions::from_mode(0o1511)).unwrap();
    dated(&root.join("deep"), 1_500_000_000, 42);
}

/// The far side, as far as packing is concerned.
fn unpack(stream: &[u8], into: &Path) {
    let mut tar = Command::new("tar");
    tar.args(["--extract", "--file=-", "--preserve-permissions", "--no-same-owner", "--directory"]).arg(into);
    let mut tar = tar.stdin(Stdio::piped()).spawn().expect("there is a tar");
    tar.stdin.take().unwrap().write_all(stream).unwrap();
    assert!(tar.wait().unwrap().success());
}

#[test]
fn whatever_a_folder_holds_arrives_through_the_tar_of_the_other_host() {
    let (source, target) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    lay_out(source.path());
    let tree = Tree::open(source.path()).unwrap();
    let mut parcel = Parcel::new(&tree, tree.walk(&mut Quiet).unwrap());
    let mut stream = Vec::new();
    let packed = parcel.send(&|_| true, &mut stream, &mut Quiet).unwrap();
    assert_eq!(packed.stream.digest, durable_files::Digest::of(&stream));
    assert!(stream.len() < 8 << 20, "holes are not sent: {}", stream.len());
    unpack(&stream, target.path());

    let arrived = Tree::open(target.path()).unwrap();
    let mut read = Parcel::new(&arrived, arrived.walk(&mut Quiet).unwrap());
    read.send(&|_| true, &mut std::io::sink(), &mut Quiet).unwrap();
    let differences = parcel.manifest().differences(read.manifest());
    let differing: Vec<_> = differences.iter().map(|d| (remote_transfer::display(&d.path), d.what)).collect();
    // Modes that would keep the far side from reading what has arrived are set when it was verified.
    assert_eq!(differing, [("deep".to_owned(), What::Attributes), ("makefile".to_owned(), What::Attributes)]);
    let deep = read.manifest().get(b"deep").unwrap();
    assert_eq!((deep.mode, deep.mtime), (0o1711, 1_500_000_000_000_000_042));
    let linked = read.manifest().get(b"deep/another name").unwrap();
    assert_eq!(linked.kind, Kind::HardLink { to: b"big".to_vec() });
}

#[test]
fn what_does_not_arrive_as_it_is_is_said() {
    let folder = tempfile::tempdir().unwrap();
    lay_out(folder.path());
    let _socket = std::os::unix::net::UnixListener::bind(folder.path().join("socket")).unwrap();
    let tree = Tree::open(folder.path()).unwrap();
    let walked = tree.walk(&mut Quiet).unwrap();
    let said = |path: &[u8]| {
        walked
            .remarks
            .iter()
            .filter(|remark| remark.path == path)
            .map(|remark| remark.about.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(said(b"socket"), [About::Special("socket")]);
    assert_eq!(said(b"*"), [About::SetsIds]);
    assert_eq!(said(b"dangling"), [About::AbsoluteLink]);
    assert!(walked.remarks.iter().all(|remark| !remark.about.forbids()));
    assert!(walked.manifest.get(b"socket").is_none());
}
