//! Truncated, flipped and random images: an error or the files, never a panic, a hang or a write.

use std::fs;
use std::io;
use std::sync::Arc;

use vhdx_reader::{Disk, Found, ReadAt, Skip, Tree};

use crate::build::{Entry, GUID, Shape, Write, header, vhdx};
use crate::exercise::everything;
use crate::fixture::{Fixture, MIB, Random, debugfs, noise};

/// An image with a few of its bytes changed, and what lies behind its end cut off. Nobody could write into it.
struct Damaged {
    image: Arc<[u8]>,
    flips: Vec<(u64, u8)>,
    size: u64,
}

impl Damaged {
    fn boxed(image: &Arc<[u8]>, flips: Vec<(u64, u8)>) -> Box<Self> {
        Box::new(Self { image: Arc::clone(image), flips, size: image.len() as u64 })
    }
}

impl ReadAt for Damaged {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_exact_at(&self, offset: u64, into: &mut [u8]) -> io::Result<()> {
        let there = &self.image[..usize::try_from(self.size).unwrap()];
        there.read_exact_at(offset, into)?;
        for (at, mask) in &self.flips {
            if let Some(byte) =
                at.checked_sub(offset).and_then(|it| into.get_mut(usize::try_from(it).unwrap()))
            {
                *byte ^= mask;
            }
        }
        Ok(())
    }
}

/// A small tree with everything whose reading has a shape of its own.
fn tree() -> Fixture {
    let fixture = Fixture::empty();
    for nth in 0..40 {
        fixture.file(format!("many/{nth}{}", "y".repeat(60)).as_bytes(), b"x");
    }
    let pieces = fs::File::create(fixture.place(b"pieces")).unwrap();
    for nth in 0..60 {
        std::os::unix::fs::FileExt::write_all_at(&pieces, &noise(nth, 1024), nth * 3072).unwrap();
    }
    fixture.file(b"a/b/c/file", &noise(1, 20_000));
    fixture.symlink(&"x/".repeat(100), "long");
    fixture.symlink("many", "short");
    fixture
}

/// Raw images, of which one has no checksums (so that damage gets far), one a journal to be replayed, one an index.
fn filesystems() -> Vec<Vec<u8>> {
    let fixture = tree();
    let plain = |options: &[&str]| fs::read(fixture.raw(2 * MIB, options)).unwrap();
    let mut all = vec![
        plain(&["-b", "1024", "-N", "128"]),
        plain(&["-b", "1024", "-N", "128", "-O", "^metadata_csum,^has_journal"]),
        plain(&["-b", "1024", "-N", "128", "-O", "^metadata_csum,^has_journal,^extents,^64bit"]),
    ];
    for (features, open) in [("^metadata_csum", "jo"), ("metadata_csum", "jo -c")] {
        let image = fixture.raw(4 * MIB, &["-b", "1024", "-N", "128", "-J", "size=1", "-O", features]);
        let told = debugfs(&image, &["blocks /a/b/c/file"]);
        let blocks: Vec<&str> = told.lines().last().unwrap().split_whitespace().take(3).collect();
        fs::write(fixture.path("new"), noise(2, 3072)).unwrap();
        let write = format!("jw -b {} {}", blocks.join(","), fixture.path("new").display());
        debugfs(&image, &[open, &write, &format!("jw -r {}", blocks[0]), "jc"]);
        all.push(fs::read(&image).unwrap());
    }
    let image = fixture.raw(2 * MIB, &["-b", "1024", "-N", "128", "-O", "^has_journal"]);
    let mut check = crate::fixture::tool("e2fsck", "e2fsprogs");
    check.args(["-fyD"]).arg(&image).output().unwrap();
    all.push(fs::read(&image).unwrap());
    all
}

/// VHDX around a filesystem: closed, and with a log to be replayed that holds its tables.
fn containers(disk: &[u8]) -> Vec<Vec<u8>> {
    let closed = vhdx(Shape { block_size: MIB, sector: 512 }, disk);
    let mut dirty = closed.clone();
    let page = |at: usize| Box::new(closed[at..at + 4096].try_into().unwrap());
    let writes = vec![Write::Page(3 << 20, page(3 << 20)), Write::Zeros(60 << 20, 1 << 40)];
    header(&mut dirty, 0, 9, GUID);
    let start = MIB - 8192;
    let next = Entry::new(1, start, writes).write(&mut dirty, start);
    Entry::new(2, start, vec![Write::Page(2 << 20, page(2 << 20))]).write(&mut dirty, next);
    vec![closed, dirty]
}

/// Where an image is not zero, in pieces of 512 bytes: what is worth damaging.
fn used(image: &[u8]) -> Vec<u64> {
    let pieces = (0_u64..).zip(image.chunks(512));
    pieces.filter(|(_, piece)| piece.iter().any(|byte| *byte != 0)).map(|(nth, _)| 512 * nth).collect()
}

#[test]
fn thousands_of_flipped_bits_in_a_filesystem_are_errors_or_nothing() {
    let mut random = Random::new(11);
    for (which, image) in filesystems().into_iter().enumerate() {
        let used = used(&image);
        let image: Arc<[u8]> = image.into();
        let whole = everything(Damaged::boxed(&image, Vec::new()));
        assert!(whole.files == 42 && whole.errors == 0, "filesystem {which}: {whole:?}");
        for _ in 0..1500 {
            let flips = (0..=random.below(3)).map(|_| {
                let piece = used[usize::try_from(random.below(used.len() as u64)).unwrap()];
                (piece + random.below(512), 1 << random.below(8))
            });
            everything(Damaged::boxed(&image, flips.collect()));
        }
    }
}

/// All that a walk tells, or none if anything of it is an error.
fn listing(image: Box<Damaged>) -> Option<Vec<(Vec<u8>, u64)>> {
    let tree = Tree::open(Disk::of_image(image).ok()?).ok()?;
    let walk = tree.walk(&tree.root().ok()?, Skip::nothing()).ok()?;
    walk.map(|visit| match visit.found {
        Found::Directory(entry) | Found::File(entry) => Some((visit.path, entry.size())),
        Found::Unreadable(_) => None,
        _ => Some((visit.path, 0)),
    })
    .collect()
}

#[test]
fn no_flipped_bit_in_metadata_with_checksums_gives_other_files() {
    let fixture = Fixture::empty();
    for nth in 0..150 {
        fixture.file(format!("{}/{nth}", nth % 7).as_bytes(), b"");
    }
    let image = fs::read(fixture.raw(2 * MIB, &["-b", "1024", "-N", "256", "-O", "^has_journal"])).unwrap();
    let used = used(&image);
    let image: Arc<[u8]> = image.into();
    let whole = listing(Damaged::boxed(&image, Vec::new())).unwrap();
    assert_eq!(whole.len(), 150 + 7 + 1);
    let (mut random, mut told) = (Random::new(15), 0);
    for _ in 0..3000 {
        let piece = used[usize::try_from(random.below(used.len() as u64)).unwrap()];
        let (at, bit) = (piece + random.below(512), random.below(8));
        match listing(Damaged::boxed(&image, vec![(at, 1 << bit)])) {
            None => told += 1,
            Some(found) => assert!(found == whole, "bit {bit} of byte {at}"),
        }
    }
    assert!(told > 1500, "only {told} of 3000 were noticed");
}

#[test]
fn checksums_are_looked_at_where_nothing_else_would_notice() {
    let image: Arc<[u8]> = filesystems().swap_remove(0).into();
    for (at, what) in
        [(1024 + 0x88, "the superblock's checksum: "), (2048 + 0xC, "the checksum of group descriptor 0: ")]
    {
        let disk = Disk::of_image(Damaged::boxed(&image, vec![(at, 1)])).unwrap();
        let error = Tree::open(disk).and_then(|tree| tree.root()).unwrap_err().to_string();
        assert!(error.starts_with(what), "{error}");
    }
}

#[test]
fn numbers_at_their_limits_in_a_filesystem_are_errors_or_nothing() {
    let mut random = Random::new(12);
    for image in filesystems() {
        let used = used(&image);
        let image: Arc<[u8]> = image.into();
        for _ in 0..1500 {
            let piece = used[usize::try_from(random.below(used.len() as u64)).unwrap()];
            let at = piece + 4 * random.below(128);
            let value = [0_u32, 1, 0xFFFF, 0x7FFF_FFFF, u32::MAX][usize::try_from(random.below(5)).unwrap()];
            let now = &image[usize::try_from(at).unwrap()..][..4];
            let flips =
                (at..).zip(now.iter().zip(value.to_le_bytes())).map(|(at, (now, new))| (at, now ^ new));
            everything(Damaged::boxed(&image, flips.collect()));
        }
    }
}

#[test]
fn thousands_of_flipped_bits_in_a_vhdx_are_errors_or_nothing() {
    let mut random = Random::new(13);
    for image in containers(&filesystems().swap_remove(1)) {
        let used: Vec<u64> = used(&image).into_iter().filter(|at| *at < 4 * MIB).collect();
        let image: Arc<[u8]> = image.into();
        assert_eq!(everything(Damaged::boxed(&image, Vec::new())).files, 42);
        for _ in 0..2000 {
            let flips = (0..=random.below(3)).map(|_| {
                let piece = used[usize::try_from(random.below(used.len() as u64)).unwrap()];
                (piece + random.below(512), 1 << random.below(8))
            });
            everything(Damaged::boxed(&image, flips.collect()));
        }
    }
}

#[test]
fn an_image_that_was_cut_anywhere_is_an_error_or_has_what_is_left() {
    let mut random = Random::new(14);
    let disk = filesystems().swap_remove(0);
    for image in containers(&disk).into_iter().chain([disk]) {
        let image: Arc<[u8]> = image.into();
        let length = image.len() as u64;
        let steps = (0..=length).step_by(64 << 10);
        let edges = steps.flat_map(|at| [at.saturating_sub(1), at, at + 1]).filter(|at| *at < length);
        for size in edges.chain((0..300).map(|_| random.below(length))).collect::<Vec<_>>() {
            let cut = Damaged { image: Arc::clone(&image), flips: Vec::new(), size };
            let reached = everything(Box::new(cut));
            assert!(reached.files < 42 || reached.errors > 0 || size > length - MIB, "{size}: {reached:?}");
        }
    }
}

#[test]
fn random_images_are_errors() {
    for seed in 0..300 {
        let mut image = noise(seed, 400 << 10);
        if seed % 2 == 0 {
            image[..8].copy_from_slice(b"vhdxfile");
        }
        if seed % 3 == 0 {
            image[1080..1082].copy_from_slice(&[0x53, 0xEF]);
            image[1024 + 0x60..1024 + 0x68].fill(0);
        }
        assert!(!everything(Box::new(image)).tree);
    }
}
