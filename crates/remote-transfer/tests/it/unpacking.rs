//! A stream that is unpacked here is the tree it says, or is refused; whoever made it does not get out of the folder.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

use durable_files::Quiet;
use remote_transfer::{About, Limits, Manifest, Parcel, Remark, Tree, UnpackError, unpack};
use tar::EntryType::{self, Block, Char, Directory, Fifo, Link, Regular, Symlink, XGlobalHeader};
use tar::{Builder, Header};
use testkit::disk::Disk;
use testkit::odd_tree;

use crate::exercise::unpack_and_look;

const PLENTY: Limits = Limits { bytes: 1 << 30, entries: 1000 };

fn read(folder: &Path) -> Manifest {
    let tree = Tree::open(folder).unwrap();
    let mut parcel = Parcel::new(&tree, tree.walk(&mut Quiet).unwrap());
    parcel.send(&|_| true, &mut std::io::sink(), &mut Quiet).unwrap();
    parcel.manifest().clone()
}

/// What the tar of this machine makes of a folder.
fn packed(folder: &Path, words: &[&str]) -> Vec<u8> {
    let mut tar = Command::new("tar");
    tar.args(words).args(["-cf", "-", "-C"]).arg(folder).arg(".").output().unwrap().stdout
}

#[test]
fn whatever_a_folder_holds_is_unpacked_as_it_was_whoever_packed_it() {
    let source = tempfile::tempdir().unwrap();
    odd_tree::lay_out(source.path());
    let tree = Tree::open(source.path()).unwrap();
    let mut ours = Vec::new();
    Parcel::new(&tree, tree.walk(&mut Quiet).unwrap()).send(&|_| true, &mut ours, &mut Quiet).unwrap();
    let streams = [
        // Which part of a second, what is readable to its owner: each way of packing leaves something out.
        (packed(source.path(), &["--format=gnu", "--sparse"]), 1_000_000_000, 0, 1),
        (packed(source.path(), &["--format=pax"]), 1, 0, 1),
        (ours, 1, 0o700, 0),
    ];
    for (at, (stream, second, readable, remarks)) in streams.into_iter().enumerate() {
        let target = tempfile::tempdir().unwrap();
        let unpacked = unpack(&mut &stream[..], target.path(), PLENTY, &mut Quiet).unwrap();
        let found = read(target.path());
        assert_eq!(unpacked.manifest.differences(&found), [], "stream {at}");
        let coarse = |manifest: &Manifest| {
            let mut entries = manifest.entries().to_vec();
            for entry in &mut entries {
                entry.mtime = entry.mtime.div_euclid(second);
                entry.mode |= readable;
            }
            Manifest::new(entries)
        };
        assert_eq!(coarse(&read(source.path())).differences(&coarse(&found)), [], "stream {at}");
        assert_eq!(unpacked.remarks.len(), remarks, "{:?}", unpacked.remarks);
        let sets_ids = Remark { path: b"*".to_vec(), about: About::SetsIds };
        assert!(unpacked.remarks.iter().all(|remark| *remark == sets_ids));
        let blocks = |folder: &Path| folder.join("sparse").metadata().unwrap().blocks();
        assert!(at == 1 || blocks(target.path()) <= blocks(source.path()), "stream {at} lost its holes");
    }
    let foreign = packed(source.path(), &["--format=pax", "--sparse", "--sparse-version=0.0"]);
    let target = tempfile::tempdir().unwrap();
    let error = unpack(&mut &foreign[..], target.path(), PLENTY, &mut Quiet).unwrap_err().to_string();
    assert!(error.contains("its holes described in a way that is not read here"), "{error}");
}

/// One entry of a stream: its kind, its name, where it leads or what it holds.
type Row<'a> = (EntryType, &'a [u8], &'a [u8]);

fn stream(rows: &[Row<'_>]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for (kind, name, rest) in rows {
        let mut header = Header::new_gnu();
        let gnu = header.as_gnu_mut().unwrap();
        gnu.name[..name.len()].copy_from_slice(name);
        let leads = matches!(kind, Symlink | Link);
        let content = if leads { &b""[..] } else { rest };
        if leads {
            gnu.linkname[..rest.len()].copy_from_slice(rest);
        }
        header.set_entry_type(*kind);
        header.set_mode(0o755);
        header.set_size(content.len() as u64);
        header.set_mtime(1_700_000_000);
        header.set_cksum();
        builder.append(&header, content).unwrap();
    }
    builder.into_inner().unwrap()
}

/// What a hostile stream is made of, and what is said of it.
const HOSTILE: [(&[Row<'_>], &str); 24] = [
    (&[(Regular, b"/tmp/rehome-was-here", b"x")], "has an absolute name"),
    (&[(Regular, b"//tmp/rehome-was-here", b"x")], "has an absolute name"),
    (&[(Regular, b"../victim/x", b"x")], "leads elsewhere"),
    (&[(Regular, b"./../victim/x", b"x")], "leads elsewhere"),
    (&[(Directory, b"a/", b""), (Regular, b"a/../../victim/x", b"x")], "leads elsewhere"),
    (&[(Directory, b"..", b"")], "leads elsewhere"),
    (&[(Directory, b"a", b""), (Regular, b"a/./x", b"x")], "leads elsewhere"),
    (&[(Directory, b"a", b""), (Regular, b"a//x", b"x")], "leads elsewhere"),
    (&[(Regular, b"", b"x")], "leads elsewhere"),
    (&[(Symlink, b"a", b"../victim"), (Regular, b"a/x", b"x")], "is in no folder of the stream"),
    (&[(Symlink, b"a", b"/tmp"), (Directory, b"a", b"")], "comes twice"),
    (&[(Symlink, b"a", b"../victim/precious"), (Regular, b"a", b"x")], "comes twice"),
    (
        &[(Directory, b"a", b""), (Symlink, b"a/b", b"../../victim"), (Symlink, b"a/b/c", b"x")],
        "is in no folder",
    ),
    (&[(Symlink, b".", b"../victim")], "would take the place of the root"),
    (&[(Regular, b"./", b"x")], "would take the place of the root"),
    (&[(Link, b"a", b"../victim/precious")], "is a further name of what is no file"),
    (&[(Link, b"a", b"/etc/passwd")], "is a further name of what is no file"),
    (&[(Symlink, b"a", b"../victim/precious"), (Link, b"b", b"a")], "is a further name of what is no file"),
    (&[(Regular, b"a", b"x"), (Regular, b"a", b"y")], "comes twice"),
    (&[(Regular, b"a", b"x"), (Regular, b"a/b", b"y")], "is in no folder"),
    (&[(Char, b"null", b"")], "is neither file, folder nor link"),
    (&[(Block, b"sda", b"")], "is neither file, folder nor link"),
    (&[(Fifo, b"pipe", b"")], "is neither file, folder nor link"),
    (&[(XGlobalHeader, b"g", b"12 path=../x\n")], "is neither file, folder nor link"),
];

#[test]
fn a_stream_that_would_get_out_is_refused_by_the_name_of_its_entry() {
    for (rows, why) in HOSTILE {
        let error = unpack_and_look(&stream(rows)).unwrap_err().to_string();
        assert!(error.contains(why), "{:?}: {error}", rows.last().unwrap().1.escape_ascii().to_string());
    }
    let harmless: &[Row<'_>] = &[
        (Directory, b"./", b""),
        (Directory, b"a/", b""),
        (Regular, b"a/b", b"x"),
        (Link, b"c", b"./a/b"),
        (Symlink, b"d", b"/etc/passwd"),
    ];
    assert_eq!(unpack_and_look(&stream(harmless)).unwrap().manifest.entries().len(), 5);
}

#[test]
fn a_stream_that_is_more_than_it_may_be_or_less_than_it_was_is_refused() {
    let said = |stream: &[u8]| unpack_and_look(stream).unwrap_err().to_string();
    assert!(
        said(&stream(&[(Regular, b"a", &vec![0; 1 << 20]), (Regular, b"b", b"x")])).contains("1048576 bytes")
    );
    let names: Vec<String> = (0..201).map(|n| format!("f{n}")).collect();
    let many: Vec<Row<'_>> = names.iter().map(|name| (Regular, name.as_bytes(), &b""[..])).collect();
    assert!(said(&stream(&many)).contains("more than 200 entries"));

    // A hole of eight exbibytes takes no room in a stream.
    let mut header = Header::new_gnu();
    header.set_path("hole").unwrap();
    header.set_entry_type(EntryType::GNUSparse);
    header.set_mode(0o600);
    header.set_mtime(0);
    header.set_size(0);
    let gnu = header.as_gnu_mut().unwrap();
    gnu.realsize[0] = 0x80;
    gnu.realsize[4..].copy_from_slice(&(i64::MAX as u64).to_be_bytes());
    gnu.sparse[0].offset[0] = 0x80;
    gnu.sparse[0].offset[4..].copy_from_slice(&(i64::MAX as u64).to_be_bytes());
    gnu.sparse[0].numbytes.copy_from_slice(b"00000000000\0");
    header.set_cksum();
    let mut builder = Builder::new(Vec::new());
    builder.append(&header, std::io::empty()).unwrap();
    let hole = builder.into_inner().unwrap();
    assert!(said(&hole).contains("1048576 bytes"), "{}", said(&hole));

    // Neither does a name without end, while it is sent.
    let mut header = Header::new_gnu();
    header.set_path("././@LongLink").unwrap();
    header.set_entry_type(EntryType::GNULongName);
    header.set_size(1 << 40);
    header.set_cksum();
    let endless = std::io::Read::chain(&header.as_bytes()[..], std::io::repeat(b'n'));
    let target = tempfile::tempdir().unwrap();
    let error = unpack(&mut { endless }, target.path(), PLENTY, &mut Quiet).unwrap_err();
    assert!(
        matches!(&error, UnpackError::Stream(said) if said.to_string().contains("longer than")),
        "{error}"
    );

    let whole = stream(&[(Directory, b"a", b""), (Regular, b"a/b", &[7; 2000]), (Regular, b"c", b"x")]);
    assert!(unpack_and_look(&whole).is_ok());
    for len in (0..whole.len() - 512).step_by(256) {
        assert!(unpack_and_look(&whole[..len]).is_err(), "cut after {len} bytes");
    }
}

#[test]
fn nothing_is_unpacked_over_what_is_there_or_through_a_link() {
    let target = tempfile::tempdir().unwrap();
    fs::write(target.path().join("theirs"), "theirs").unwrap();
    let stream = stream(&[(Regular, b"a", b"x")]);
    let error = unpack(&mut &stream[..], target.path(), PLENTY, &mut Quiet).unwrap_err();
    assert!(matches!(error, UnpackError::File(_)), "{error}");
    let link = target.path().join("link");
    std::os::unix::fs::symlink(tempfile::tempdir().unwrap().path(), &link).unwrap();
    assert!(unpack(&mut &stream[..], &link, PLENTY, &mut Quiet).is_err(), "through a link");
}

#[test]
fn names_that_are_one_here_are_both_named() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = Disk::that_folds_case(folder.path()) else {
        eprintln!("SKIPPED: no disk that folds names could be mounted (ntfs-3g, FUSE), so nothing was shown");
        return;
    };
    let into = disk.path().join("into");
    fs::create_dir(&into).unwrap();
    let stream = stream(&[(Regular, b"Makefile", b"x"), (Regular, b"makefile", b"y")]);
    let error = unpack(&mut &stream[..], &into, PLENTY, &mut Quiet).unwrap_err().to_string();
    assert_eq!(error, "entry makefile of the stream and Makefile would be one name here");
    assert_eq!(fs::read(into.join("Makefile")).unwrap(), b"x");
}

fn seeds() -> Vec<Vec<u8>> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/unpack");
    fs::read_dir(corpus).unwrap().map(|seed| fs::read(seed.unwrap().path()).unwrap()).collect()
}

#[test]
fn every_seed_of_the_fuzzer_is_unpacked_or_refused() {
    let unpacked: Vec<bool> = seeds().iter().map(|seed| unpack_and_look(seed).is_ok()).collect();
    assert!(unpacked.contains(&true) && unpacked.contains(&false), "{unpacked:?}");
}

/// The header around a place says again that it is right.
fn sealed(stream: &mut [u8], at: usize) {
    let header = &mut stream[at / 512 * 512..][..512];
    header[148..156].fill(b' ');
    let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

#[test]
fn damage_that_a_checksum_does_not_show_leads_nowhere_either() {
    let every = if std::env::var_os("PROPTEST_CASES").is_some() { 1 } else { 23 };
    for seed in seeds() {
        for at in (0..seed.len()).step_by(every) {
            for byte in [0, b'/', b'7', 0xFF] {
                let mut damaged = seed.clone();
                damaged[at] = byte;
                sealed(&mut damaged, at);
                let _ = unpack_and_look(&damaged);
            }
        }
    }
}
