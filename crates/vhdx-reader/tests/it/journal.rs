//! A filesystem that was not unmounted: its journal is replayed in memory.

use std::fs;
use std::path::Path;

use vhdx_reader::{Tree, TreeError, Warning};

use crate::fixture::{Fixture, MIB, content, debugfs, noise, open, sha256};

const BLOCK: usize = 1024;

/// An image with a journal of 1,024 blocks, and a file of one block, whose number is told.
fn image_with_file(fixture: &Fixture, options: &[&str]) -> (std::path::PathBuf, String) {
    fixture.file(b"note", &noise(1, BLOCK));
    for seed in 2..6 {
        fs::write(fixture.path(&format!("new{seed}")), noise(seed, BLOCK)).unwrap();
    }
    let options = [&["-b", "1024", "-J", "size=1"], options].concat();
    let image = fixture.raw(16 * MIB, &options);
    let told = debugfs(&image, &["blocks /note"]);
    let block = told.lines().last().unwrap().trim().to_owned();
    (image, block)
}

/// Adds transactions to the journal; each is what follows `jw`.
fn add(image: &Path, open: &str, transactions: &[String]) {
    let mut commands = vec![open];
    let writes: Vec<String> = transactions.iter().map(|it| format!("jw {it}")).collect();
    commands.extend(writes.iter().map(String::as_str));
    commands.push("jc");
    debugfs(image, &commands);
}

fn write(fixture: &Fixture, block: &str, seed: u64) -> String {
    format!("-b {block} {}", fixture.path(&format!("new{seed}")).display())
}

fn note(image: &Path) -> Vec<u8> {
    content(&open(image), b"note").0
}

#[test]
fn what_stands_only_in_the_journal_is_read_from_there_and_nothing_is_written() {
    for (options, opening) in [
        (&[][..], "jo -c -v 3"),
        (&["-O", "^metadata_csum"], "jo -c -v 2"),
        (&["-O", "^metadata_csum"], "jo"),
        (&["-O", "^metadata_csum,^64bit"], "jo"),
        (&["-O", "^metadata_csum,^64bit"], "jo -c -v 3"),
    ] {
        let fixture = Fixture::empty();
        let (image, block) = image_with_file(&fixture, options);
        add(&image, opening, &[write(&fixture, &block, 2), write(&fixture, &block, 3)]);
        let before = sha256(&fs::read(&image).unwrap());
        assert!(note(&image) == noise(3, BLOCK), "{options:?} {opening}");
        assert_eq!(open(&image).warnings(), [Warning::JournalReplayed { transactions: 2 }]);
        assert_eq!(sha256(&fs::read(&image).unwrap()), before);
    }
}

#[test]
fn a_block_that_was_revoked_keeps_what_it_became() {
    let fixture = Fixture::empty();
    let (image, block) = image_with_file(&fixture, &[]);
    let revoke = format!("-r {block}");
    add(&image, "jo -c", &[write(&fixture, &block, 2), revoke.clone()]);
    assert!(note(&image) == noise(1, BLOCK));
    add(&image, "jo -c", &[write(&fixture, &block, 3)]);
    assert!(note(&image) == noise(3, BLOCK));
}

#[test]
fn a_block_that_looks_like_the_journals_own_comes_out_as_it_was() {
    let fixture = Fixture::empty();
    let (image, block) = image_with_file(&fixture, &[]);
    let mut bytes = noise(9, BLOCK);
    bytes[..4].copy_from_slice(&0xC03B_3998_u32.to_be_bytes());
    fs::write(fixture.path("new9"), &bytes).unwrap();
    add(&image, "jo -c", &[write(&fixture, &block, 9)]);
    assert!(note(&image) == bytes);
}

#[test]
fn a_journal_goes_round_its_end() {
    let fixture = Fixture::empty();
    let (image, block) = image_with_file(&fixture, &[]);
    let told = debugfs(&image, &["blocks <8>"]);
    let blocks: Vec<usize> =
        told.lines().last().unwrap().split_whitespace().map(|it| it.parse().unwrap()).collect();
    add(&image, "jo -c", &[write(&fixture, &block, 2), write(&fixture, &block, 3)]);
    let original = fs::read(&image).unwrap();
    let head = blocks[0] * BLOCK;
    let length = u32::from_be_bytes(original[head + 16..head + 20].try_into().unwrap()) as usize;
    for start in [length - 1, length - 2, length - 4, length - 5, 17] {
        let mut bytes = original.clone();
        for nth in 1..length {
            let to = 1 + (nth - 1 + start - 1) % (length - 1);
            let (from, to) = (blocks_at(&blocks, nth), blocks_at(&blocks, to));
            bytes[to..to + BLOCK].copy_from_slice(&original[from..from + BLOCK]);
        }
        bytes[head + 28..head + 32].copy_from_slice(&u32::try_from(start).unwrap().to_be_bytes());
        seal(&mut bytes[head..head + BLOCK]);
        fs::write(&image, &bytes).unwrap();
        assert!(note(&image) == noise(3, BLOCK), "from block {start} of {length}");
    }
}

/// `debugfs` lists the blocks of the extent tree too, before the data they lead to; the journal has none of them.
fn blocks_at(blocks: &[usize], nth: usize) -> usize {
    blocks[nth] * BLOCK
}

/// The checksum of the journal's superblock, as ext4 keeps them: not inverted at the end.
fn seal(superblock: &mut [u8]) {
    superblock[252..256].fill(0);
    let crc = !crc32c::crc32c(superblock);
    superblock[252..256].copy_from_slice(&crc.to_be_bytes());
}

#[test]
fn a_transaction_without_its_end_never_happened_and_a_damaged_one_is_told() {
    let fixture = Fixture::empty();
    let (image, block) = image_with_file(&fixture, &[]);
    add(&image, "jo -c", &[write(&fixture, &block, 2), write(&fixture, &block, 3)]);
    let original = fs::read(&image).unwrap();
    let copy = |seed: u64| {
        let wanted = noise(seed, BLOCK);
        BLOCK * original.chunks(BLOCK).position(|block| block == wanted).unwrap()
    };

    let mut bytes = original.clone();
    bytes[copy(3) + BLOCK + 20] ^= 1; // in the commit block
    fs::write(&image, &bytes).unwrap();
    assert!(note(&image) == noise(2, BLOCK));
    assert_eq!(open(&image).warnings(), [Warning::JournalReplayed { transactions: 1 }]);

    let mut bytes = original.clone();
    bytes[copy(3) + 20] ^= 1; // in what it committed
    fs::write(&image, &bytes).unwrap();
    assert!(note(&image) == noise(2, BLOCK));
    let told = open(&image).warnings().to_owned();
    assert!(matches!(
        told[..],
        [Warning::JournalReplayed { transactions: 1 }, Warning::JournalDamaged { .. }]
    ));
}

#[test]
fn fast_commits_are_refused_by_name() {
    let fixture = Fixture::empty();
    let (image, block) = image_with_file(&fixture, &[]);
    let told = debugfs(&image, &["blocks <8>"]);
    let first: usize = told.lines().last().unwrap().split_whitespace().next().unwrap().parse().unwrap();
    add(&image, "jo -c", &[write(&fixture, &block, 2)]);
    let mut bytes = fs::read(&image).unwrap();
    let head = first * BLOCK;
    bytes[head + 43] |= 0x20;
    seal(&mut bytes[head..head + BLOCK]);
    fs::write(&image, &bytes).unwrap();
    let error = Tree::open(vhdx_reader::Disk::open(&image).unwrap()).unwrap_err();
    assert!(
        matches!(error, TreeError::Unsupported { .. }) && error.to_string().contains("fast_commit"),
        "{error}"
    );
}
