//! A packed tree, unpacked by the tar of the machine, is the tree.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use durable_files::Quiet;
use remote_transfer::{About, Kind, Parcel, Tree, What};
use testkit::odd_tree;

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
    odd_tree::lay_out(source.path());
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
    odd_tree::lay_out(folder.path());
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
