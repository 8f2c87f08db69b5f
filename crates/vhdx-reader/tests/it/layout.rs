//! How a file's data can lie on the disk.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::FileExt;

use crate::fixture::{Fixture, MIB, content, debugfs, hashes_of, noise, open, run, tool};

const FEATURES: [&[&str]; 2] = [&["-b", "4096"], &["-b", "1024", "-O", "^extents,^64bit,^metadata_csum"]];

#[test]
fn holes_come_out_as_holes_and_data_beside_them_as_data() {
    let fixture = Fixture::empty();
    let file = File::create(fixture.place(b"sparse")).unwrap();
    for (at, seed) in [(1 << 20, 1), (50 << 20, 2), (300 << 20, 3)] {
        file.write_all_at(&noise(seed, 10_000), at).unwrap();
    }
    file.set_len(400 << 20).unwrap();
    for options in FEATURES {
        let tree = open(&fixture.raw(40 * MIB, options));
        let (bytes, holes) = content(&tree, b"sparse");
        assert!(bytes == fs::read(fixture.place(b"sparse")).unwrap());
        assert!((399 << 20..400 << 20).contains(&holes), "{holes}");
    }
}

#[test]
fn a_file_that_is_one_hole_is_one_step_however_long() {
    let fixture = Fixture::empty();
    File::create(fixture.place(b"empty")).unwrap().set_len(15 << 40).unwrap();
    let image = fixture.raw(8 * MIB, &["-b", "4096"]);
    let tree = open(&image);
    let file = tree.find(b"empty").unwrap().unwrap();
    let mut content = tree.read(&file).unwrap();
    assert_eq!(content.next_piece().unwrap(), Some(vhdx_reader::Piece::Hole(15 << 40)));
    assert_eq!(content.next_piece().unwrap(), None);
}

#[test]
fn room_that_was_set_aside_and_never_written_reads_as_zeros_not_as_what_was_there_before() {
    let fixture = Fixture::empty();
    fixture.file(b"reserved", b"");
    fixture.file(b"other", &noise(4, 30_000));
    let image = fixture.path("disk.img");
    fs::write(&image, noise(3, 16 << 20)).unwrap();
    fixture.format(&image, &["-E", "nodiscard", "-b", "4096"]);
    debugfs(&image, &["fallocate /reserved 10 20", "set_inode_field /reserved size 409600"]);
    assert!(debugfs(&image, &["extents /reserved"]).contains("Uninit"));
    let tree = open(&image);
    assert!(content(&tree, b"reserved") == (vec![0; 409_600], 409_600));
    assert_eq!(content(&tree, b"other").0, noise(4, 30_000));
}

#[test]
fn a_file_in_a_thousand_pieces_is_put_together() {
    let fixture = Fixture::empty();
    let file = File::create(fixture.place(b"pieces")).unwrap();
    for nth in 0..3000 {
        file.write_all_at(&noise(nth, 4096), nth * 8192).unwrap();
    }
    for options in FEATURES {
        let image = fixture.raw(40 * MIB, options);
        assert_eq!(hashes_of(&open(&image)), fixture.hashes());
    }
    let image = fixture.raw(40 * MIB, &["-b", "1024"]);
    assert!(debugfs(&image, &["extents /pieces"]).contains(" 2/ 2"), "the tree should have three levels");
    assert_eq!(hashes_of(&open(&image)), fixture.hashes());
}

#[test]
fn an_indexed_directory_is_listed_as_any_other() {
    let fixture = Fixture::empty();
    for nth in 0..500 {
        fixture.file(format!("many/{nth}-{}", "x".repeat(200)).as_bytes(), b"");
    }
    let image = fixture.raw(40 * MIB, &["-b", "1024", "-N", "1000"]);
    run(tool("e2fsck", "e2fsprogs").arg("-fyD").arg(&image));
    assert!(debugfs(&image, &["htree_dump /many"]).contains("Root node dump"));
    assert_eq!(hashes_of(&open(&image)), fixture.hashes());
}

#[test]
fn whoever_reads_through_io_read_gets_the_same_bytes() {
    let fixture = Fixture::empty();
    let file = File::create(fixture.place(b"sparse")).unwrap();
    file.write_all_at(&noise(1, 300_000), 100_000).unwrap();
    file.set_len(1_000_001).unwrap();
    let tree = open(&fixture.raw(8 * MIB, &[]));
    let entry = tree.find(b"sparse").unwrap().unwrap();
    let (mut reader, mut bytes) = (tree.read(&entry).unwrap(), Vec::new());
    let mut buffer = [1; 977];
    loop {
        match reader.read(&mut buffer).unwrap() {
            0 => break,
            read => bytes.extend_from_slice(&buffer[..read]),
        }
    }
    assert!(bytes == content(&tree, b"sparse").0);
}

#[test]
fn times_modes_owners_and_hard_links_are_told() {
    let fixture = Fixture::empty();
    fixture.file(b"note", b"a note");
    fs::hard_link(fixture.place(b"note"), fixture.place(b"same")).unwrap();
    let times =
        run(tool("touch", "coreutils").args(["-d", "2001-02-03T04:05:06.789Z"]).arg(fixture.place(b"note")));
    assert_eq!(times, "");
    let image = fixture.raw(8 * MIB, &["-I", "256"]);
    let fields = ["mode 0100640", "uid 70001", "gid 1001"];
    let commands: Vec<String> = fields.iter().map(|field| format!("set_inode_field /note {field}")).collect();
    debugfs(&image, &commands.iter().map(String::as_str).collect::<Vec<_>>());
    let tree = open(&image);
    let note = tree.find(b"/note/").unwrap().unwrap();
    assert_eq!((note.mode(), note.uid(), note.gid(), note.links()), (0o640, 70_001, 1001, 2));
    assert_eq!(note.modified().seconds, 981_173_106);
    assert_eq!(note.inode(), tree.find(b"same").unwrap().unwrap().inode());
    let known = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(981_173_106);
    assert!(note.modified().to_system_time().unwrap().duration_since(known).unwrap().as_secs() == 0);
}
