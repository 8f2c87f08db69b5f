//! The fuzzer's corpus, run as a test.

use std::fs;
use std::path::{Path, PathBuf};

use crate::build::{Entry, GUID, Shape, Write, header, put, vhdx};
use crate::exercise::{SEAL, Sparse, everything};
use crate::fixture::MIB;

const SMALL: &[u8] = include_bytes!("small.img");

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/vhdx")
}

#[test]
fn every_seed_of_the_fuzzer_still_reaches_a_file() {
    for seed in fs::read_dir(corpus()).unwrap().map(Result::unwrap) {
        let image = Sparse::parse(&fs::read(seed.path()).unwrap()).unwrap();
        let reached = everything(Box::new(image));
        assert!(reached.files > 0 && reached.errors == 0, "{}: {reached:?}", seed.path().display());
    }
}

#[test]
fn the_fuzzer_begins_with_every_format() {
    let closed = vhdx(Shape { block_size: MIB, sector: 512 }, SMALL);
    let mut dirty = closed.clone();
    header(&mut dirty, 0, 9, GUID);
    let table: [u8; 4096] = closed[3 << 20..][..4096].try_into().unwrap();
    let next = Entry::new(1, MIB - 4096, vec![Write::Zeros(8 << 20, 4096)]).write(&mut dirty, MIB - 4096);
    Entry::new(2, MIB - 4096, vec![Write::Page(3 << 20, Box::new(table))]).write(&mut dirty, next);
    let mut partition = vec![0; 4096];
    put(&mut partition, 510, &[0x55, 0xAA]);
    put(&mut partition, 450, &[0x83, 0, 0, 0, 8, 0, 0, 0, 128]);
    partition.extend_from_slice(SMALL);
    let seeds = [
        ("raw", told(SMALL, 0)),
        ("partition", told(&partition, 0)),
        ("closed", told(&closed, SEAL)),
        ("dirty", told(&dirty, SEAL)),
        ("sectors-4096", told(&vhdx(Shape { block_size: 2 * MIB, sector: 4096 }, SMALL), SEAL)),
    ];
    for (name, seed) in seeds {
        let made = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::write(&made, &seed).unwrap();
        let same = fs::read(corpus().join(name)).is_ok_and(|there| there == seed);
        assert!(same, "fuzz/corpus/vhdx/{name} is not what it is made of: copy it from {}", made.display());
    }
}

/// What [`Sparse::parse`] makes `image` of.
fn told(image: &[u8], flags: u8) -> Vec<u8> {
    let size = u32::try_from(image.len() >> 10).unwrap();
    let mut told = [&[flags], size.to_le_bytes().as_slice()].concat();
    let (chunks, mut nth) = (image.as_chunks::<64>().0, 0);
    while nth < chunks.len() {
        let used = chunks[nth..].iter().take(1000).take_while(|chunk| **chunk != [0; 64]).count();
        if used > 0 {
            told.extend_from_slice(&u32::try_from(nth).unwrap().to_le_bytes());
            told.extend_from_slice(&u16::try_from(64 * used).unwrap().to_le_bytes());
            told.extend_from_slice(chunks[nth..nth + used].as_flattened());
        }
        nth += used.max(1);
    }
    told
}
