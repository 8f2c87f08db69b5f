//! A VHDX that was not closed: its log is replayed in memory, and only what is whole in it counts.

use std::fs;

use vhdx_reader::{Disk, DiskError, Tree, Warning};

use crate::build::{BAT_AT, Entry, GUID, LOG_AT, PAYLOAD_AT, Shape, Write, header, put, seal, vhdx};
use crate::fixture::{Fixture, MIB, hashes_of, noise, sha256};

const SHAPE: Shape = Shape { block_size: MIB, sector: 512 };
const DISK: usize = 3 << 20;
/// Where the payload of the disk's second and third block stands.
const SECOND: u64 = PAYLOAD_AT + MIB;
const THIRD: u64 = PAYLOAD_AT + 2 * MIB;

/// An image of [`disk`] that says it has a log, which is still empty.
fn dirty() -> Vec<u8> {
    let mut image = vhdx(SHAPE, &disk());
    header(&mut image, 0, 9, GUID);
    image
}

fn disk() -> Vec<u8> {
    noise(1, DISK)
}

fn page(letter: u8) -> Box<[u8; 4096]> {
    let mut page = Box::new([letter; 4096]);
    page[0] = b'<';
    page[4095] = b'>';
    page
}

/// All bytes of the disk, and how many entries were replayed.
fn replayed(image: &[u8]) -> Result<(Vec<u8>, u64), DiskError> {
    let disk = Disk::of_image(Box::new(image.to_owned()))?;
    let mut bytes = vec![0; usize::try_from(disk.size()).unwrap()];
    disk.read(0, &mut bytes)?;
    match disk.warnings() {
        [Warning::LogReplayed { entries }] => Ok((bytes, *entries)),
        other => panic!("{other:?}"),
    }
}

/// The disk with a page of a letter at each of these places of the image.
fn with_pages(pages: &[(u64, u8)]) -> Vec<u8> {
    let mut disk = disk();
    for (at, letter) in pages {
        put(&mut disk, at - PAYLOAD_AT, page(*letter).as_slice());
    }
    disk
}

/// The page of the image that stands there now, wiped there.
fn taken(image: &mut [u8], at: u64) -> Write {
    let from = usize::try_from(at).unwrap();
    let page = image[from..from + 4096].try_into().unwrap();
    image[from..from + 4096].fill(0xEE);
    Write::Page(at, Box::new(page))
}

fn refused(image: &[u8], why: &str) {
    let error = replayed(image).unwrap_err().to_string();
    assert!(error.contains(why), "{error}");
}

#[test]
fn tables_that_stand_only_in_the_log_are_read_from_there() {
    let mut image = dirty();
    let tables = (0..32).map(|nth| (192 << 10) + 4096 * nth);
    let places: Vec<u64> = tables.chain([BAT_AT, 2 * MIB, (2 << 20) + (64 << 10)]).collect();
    let writes = places.into_iter().map(|at| taken(&mut image, at)).collect();
    Entry::new(1, 0, writes).write(&mut image, 0);
    assert!(replayed(&image).unwrap() == (disk(), 1));
}

#[test]
fn more_descriptors_than_fit_into_the_first_sector_find_their_data() {
    let mut image = dirty();
    let writes = (0..250).map(|nth| match nth {
        100..200 => Write::Zeros(PAYLOAD_AT + 4096 * nth, 4096),
        _ => taken(&mut image, PAYLOAD_AT + 4096 * nth),
    });
    Entry::new(1, 0, writes.collect()).write(&mut image, 0);
    let mut expected = disk();
    expected[100 * 4096..200 * 4096].fill(0);
    assert!(replayed(&image).unwrap() == (expected, 1));
}

#[test]
fn zeros_of_any_length_take_no_room_and_what_comes_after_them_stands() {
    let mut image = dirty();
    let last = page(b'z');
    let writes = vec![
        Write::Zeros(SECOND, 8192),
        Write::Zeros(THIRD, 1 << 62),
        Write::Page(THIRD + 4096, last.clone()),
    ];
    let next = Entry::new(1, 0, writes).write(&mut image, 0);
    Entry::new(2, 0, vec![Write::Zeros(SECOND + 4096, u64::MAX - 4095)]).write(&mut image, next);
    let mut expected = disk();
    expected[1 << 20..].fill(0);
    assert!(replayed(&image).unwrap() == (expected, 2));

    let mut image = dirty();
    let writes = vec![Write::Zeros(THIRD, 1 << 62), Write::Page(THIRD + 4096, last.clone())];
    Entry::new(1, 0, writes).write(&mut image, 0);
    let mut expected = with_pages(&[(THIRD + 4096, b'z')]);
    expected[2 << 20..][..4096].fill(0);
    expected[(2 << 20) + 8192..].fill(0);
    assert!(replayed(&image).unwrap() == (expected, 1));
}

#[test]
fn a_log_goes_round_its_end() {
    let mut image = dirty();
    let start = MIB - 8192;
    let pages = [(SECOND, b'a'), (SECOND + 4096, b'b'), (THIRD, b'c')];
    let writes = pages.map(|(at, letter)| Write::Page(at, page(letter))).into();
    let next = Entry::new(7, start, writes).write(&mut image, start);
    assert_eq!(next, 8192);
    let next = Entry::new(8, start, vec![Write::Page(THIRD, page(b'd'))]).write(&mut image, next);
    Entry::new(9, start, vec![Write::Page(THIRD + 8192, page(b'e'))]).write(&mut image, next);
    let expected = [(SECOND, b'a'), (SECOND + 4096, b'b'), (THIRD, b'd'), (THIRD + 8192, b'e')];
    assert!(replayed(&image).unwrap() == (with_pages(&expected), 3));
}

#[test]
fn of_two_sequences_the_newer_counts_and_only_from_its_tail_on() {
    let mut image = dirty();
    let write = |letter| vec![Write::Page(SECOND, page(letter)), Write::Page(THIRD, page(letter))];
    let next = Entry::new(30, 0, write(b'o')).write(&mut image, 0);
    Entry::new(31, 0, write(b'p')).write(&mut image, next);
    let start = 512 << 10;
    let done = Entry::new(40, start, write(b'q')).write(&mut image, start);
    let tail = done;
    let next = Entry::new(41, tail, vec![Write::Page(SECOND, page(b'r'))]).write(&mut image, done);
    Entry::new(42, tail, vec![Write::Page(SECOND + 4096, page(b's'))]).write(&mut image, next);
    assert!(replayed(&image).unwrap() == (with_pages(&[(SECOND, b'r'), (SECOND + 4096, b's')]), 2));
}

#[test]
fn a_torn_last_entry_never_happened() {
    let mut image = dirty();
    let next = Entry::new(1, 0, vec![Write::Page(SECOND, page(b'a'))]).write(&mut image, 0);
    let last = Entry::new(2, 0, vec![Write::Page(SECOND + 4096, page(b'b'))]).write(&mut image, next);
    let end = Entry::new(3, 0, vec![Write::Page(SECOND, page(b'c'))]).write(&mut image, last);
    let whole = with_pages(&[(SECOND, b'c'), (SECOND + 4096, b'b')]);
    assert!(replayed(&image).unwrap() == (whole, 3));
    let before = with_pages(&[(SECOND, b'a'), (SECOND + 4096, b'b')]);
    for torn in (last..last + 100).chain((last..end).step_by(97)) {
        let mut image = image.clone();
        image[usize::try_from(LOG_AT + torn).unwrap()] ^= 0x10;
        let (found, entries) = replayed(&image).unwrap();
        assert!(found == before && entries == 2, "byte {}", torn - last);
    }
}

#[test]
fn a_sequence_without_its_tail_does_not_count() {
    let mut image = dirty();
    Entry::new(5, 0, vec![Write::Page(SECOND, page(b'a'))]).write(&mut image, 0);
    let start = 512 << 10;
    Entry::new(9, start - 8192, vec![Write::Page(SECOND, page(b'b'))]).write(&mut image, start);
    assert!(replayed(&image).unwrap() == (with_pages(&[(SECOND, b'a')]), 1));
}

#[test]
fn a_log_without_a_whole_sequence_is_refused() {
    refused(&dirty(), "expected a sequence of valid entries to replay, found 0 valid entries");

    let mut image = dirty();
    let mut foreign = Entry::new(1, 0, vec![Write::Page(SECOND, page(b'a'))]);
    foreign.guid = *b"another log's id";
    foreign.write(&mut image, 0);
    refused(&image, "found 0 valid entries");

    let mut image = dirty();
    Entry::new(1, 4096, vec![Write::Page(SECOND, page(b'a'))]).write(&mut image, 0);
    refused(&image, "found 1 valid entries and no whole sequence");
}

#[test]
fn an_entry_whose_parts_contradict_each_other_is_none() {
    let spoil: [(&str, u64, &[u8]); 6] = [
        ("the data's sequence, first half", 4096 + 4, &[1]),
        ("the data's sequence, second half", 4096 + 4092, &[9]),
        ("the data's signature", 4096, b"D"),
        ("the descriptor's sequence", 64 + 24, &[9]),
        ("the descriptor's signature", 64, b"D"),
        ("the page's place", 64 + 16, &[1]),
    ];
    for (what, at, bytes) in spoil {
        let mut image = dirty();
        Entry::new(1, 0, vec![Write::Page(SECOND, page(b'a'))]).write(&mut image, 0);
        put(&mut image, LOG_AT + at, bytes);
        seal(&mut image, LOG_AT, 8192);
        let error = replayed(&image).expect_err(what).to_string();
        assert!(error.contains("found 0 valid entries"), "{what}: {error}");
    }
}

#[test]
fn a_copy_that_lacks_what_was_on_disk_before_the_log_is_refused() {
    let mut image = dirty();
    let mut entry = Entry::new(1, 0, vec![Write::Page(SECOND, page(b'a'))]);
    entry.lengths = (image.len() as u64, image.len() as u64);
    entry.write(&mut image, 0);
    assert!(replayed(&image).is_ok());
    image.truncate(image.len() - 1);
    refused(&image, "what had been written when the log was reaches to byte 7340032, but the image ends at");
}

#[test]
fn a_block_for_which_the_file_had_not_grown_yet_is_zeros() {
    let mut image = dirty();
    let grown = image.len() as u64;
    let mut table: [u8; 4096] = image[usize::try_from(BAT_AT).unwrap()..][..4096].try_into().unwrap();
    table[8..16].copy_from_slice(&(grown | 6).to_le_bytes());
    let writes = vec![Write::Page(BAT_AT, Box::new(table)), Write::Page(grown, page(b'n'))];
    let mut entry = Entry::new(1, 0, writes);
    entry.lengths = (0, grown + MIB);
    entry.write(&mut image, 0);
    let mut expected = with_pages(&[(SECOND, b'n')]);
    expected[(1 << 20) + 4096..2 << 20].fill(0);
    assert!(replayed(&image).unwrap() == (expected, 1));
}

#[test]
fn entries_that_overlap_without_end_are_given_up_on() {
    let mut image = dirty();
    let bytes = Entry::new(1, 0, vec![Write::Page(SECOND, page(b'a'))]).bytes();
    for at in (0..MIB).step_by(4096) {
        put(&mut image, LOG_AT + at, &bytes[..64]);
        put(&mut image, LOG_AT + at + 8, &u32::try_from(MIB).unwrap().to_le_bytes());
    }
    refused(&image, "expected entries one after the other, found overlapping ones");
}

#[test]
fn the_log_of_a_real_image_is_replayed_and_the_image_stays_as_it_is() {
    let fixture = Fixture::home();
    let path = fixture.vhdx(&fixture.raw(24 * MIB, &[]), "subformat=dynamic,block_size=1M");
    let mut image = fs::read(&path).unwrap();
    let table = 2 << 20; // where qemu-img puts it
    let at = (table..3 << 20).step_by(4096).find(|at| image[usize::try_from(*at).unwrap()] & 7 == 6).unwrap();
    let write = taken(&mut image, at);
    header(&mut image, 0, 1 << 40, GUID);
    Entry::new(3, 0, vec![write]).write(&mut image, 0);
    fs::write(&path, &image).unwrap();
    let tree = Tree::open_image(&path).unwrap();
    assert_eq!(hashes_of(&tree), fixture.hashes());
    assert_eq!(tree.warnings(), [Warning::LogReplayed { entries: 1 }]);
    assert_eq!(sha256(&fs::read(&path).unwrap()), sha256(&image));
}
