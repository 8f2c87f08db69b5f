//! Every format that an image can have.

use std::fs;
use std::path::Path;

use vhdx_reader::{Disk, DiskError, OpenTreeError, Tree, TreeError};

use crate::build::{self, Shape, put};
use crate::fixture::{Fixture, MIB, hashes_of, noise, open, run, sha256, tool};

/// All files are as they were, the image is known for what it is, and it has not changed.
fn holds_all(fixture: &Fixture, image: &Path) {
    let before = sha256(&fs::read(image).unwrap());
    let tree = open(image);
    assert_eq!(hashes_of(&tree), fixture.hashes());
    assert_eq!((tree.label(), tree.warnings()), (b"sessions".as_slice(), [].as_slice()));
    assert_eq!(sha256(&fs::read(image).unwrap()), before);
}

#[test]
fn every_file_comes_out_of_a_vhdx_whatever_its_blocks() {
    let fixture = Fixture::home();
    let raw = fixture.raw(40 * MIB, &[]);
    for options in [
        "subformat=dynamic,block_size=1M",
        "subformat=dynamic,block_size=8M",
        "subformat=dynamic,block_size=32M",
        "subformat=dynamic,block_size=8M,block_state_zero=off",
        "subformat=fixed",
    ] {
        holds_all(&fixture, &fixture.vhdx(&raw, options));
    }
    holds_all(&fixture, &raw);
}

#[test]
fn every_file_comes_out_whatever_the_filesystem_looks_like() {
    let fixture = Fixture::home();
    for options in [
        &["-b", "1024"][..],
        &["-b", "1024", "-O", "^extents,^64bit,^metadata_csum"],
        &["-b", "4096", "-O", "^extents,^64bit,^metadata_csum,^has_journal"],
        &["-b", "2048", "-I", "128"],
        &["-b", "65536"],
        &["-O", "bigalloc", "-b", "1024"],
        &["-O", "bigalloc"],
        &["-O", "metadata_csum_seed,quota,project,orphan_file,mmp,ea_inode,large_dir,encrypt"],
        &["-t", "ext2"],
        &["-t", "ext3"],
    ] {
        let raw = fixture.raw(60 * MIB, options);
        holds_all(&fixture, &fixture.vhdx(&raw, "subformat=dynamic,block_size=1M"));
    }
}

#[test]
fn a_filesystem_is_found_in_a_partition() {
    const START: u64 = 2 * MIB;
    let fixture = Fixture::home();
    let raw = fixture.raw(30 * MIB, &[]);
    let volume = fs::read(&raw).unwrap();
    for sector in [512, 4096] {
        for table in [gpt, mbr] {
            let mut disk = vec![0; usize::try_from(START).unwrap()];
            table(&mut disk, sector, START / sector, volume.len() as u64 / sector);
            disk.extend_from_slice(&volume);
            disk.resize(disk.len() + (1 << 20), 0);
            let shape = Shape { block_size: MIB, sector: u32::try_from(sector).unwrap() };
            let image = fixture.path("partitioned.vhdx");
            fs::write(&image, build::vhdx(shape, &disk)).unwrap();
            holds_all(&fixture, &image);
            if sector == 512 || disk[4096..].starts_with(b"EFI PART") {
                let image = fixture.path("partitioned.img");
                fs::write(&image, &disk).unwrap();
                holds_all(&fixture, &image);
            }
        }
    }
}

/// A table whose first partition holds something else.
fn gpt(disk: &mut [u8], sector: u64, start: u64, length: u64) {
    put(disk, sector, b"EFI PART");
    put(disk, sector + 72, &2_u64.to_le_bytes());
    put(disk, sector + 80, &128_u32.to_le_bytes());
    put(disk, sector + 84, &128_u32.to_le_bytes());
    for (nth, (first, last)) in [(34, 40), (start, start + length - 1)].into_iter().enumerate() {
        let at = 2 * sector + 128 * (3 * nth as u64 + 1);
        put(disk, at, b"a type of its own");
        put(disk, at + 32, &u64::to_le_bytes(first));
        put(disk, at + 40, &u64::to_le_bytes(last));
    }
}

fn mbr(disk: &mut [u8], _sector: u64, start: u64, length: u64) {
    put(disk, 510, &[0x55, 0xAA]);
    for (nth, (first, count)) in [(1, 1), (start, length)].into_iter().enumerate() {
        let at = 446 + 16 * (2 * nth as u64 + 1);
        put(disk, at + 4, &[0x83]);
        put(disk, at + 8, &u32::try_from(first).unwrap().to_le_bytes());
        put(disk, at + 12, &u32::try_from(count).unwrap().to_le_bytes());
    }
}

#[test]
fn a_partition_that_the_image_does_not_hold_to_its_end_is_told() {
    let fixture = Fixture::home();
    let mut disk = vec![0; 1 << 20];
    mbr(&mut disk, 512, 2048, 30 * MIB / 512);
    disk.extend_from_slice(&fs::read(fixture.raw(30 * MIB, &[])).unwrap());
    disk.truncate(20 << 20);
    let error = Tree::open(Disk::of_image(Box::new(disk)).unwrap()).unwrap_err().to_string();
    assert!(error.starts_with("the number of blocks in the superblock: expected at most "), "{error}");
}

#[test]
fn threads_may_share_a_tree() {
    fn shared<T: Send + Sync>() {}
    shared::<Tree>();
    shared::<Disk>();
}

#[test]
fn a_disk_with_sectors_of_4096_bytes_is_read() {
    let fixture = Fixture::home();
    let disk = fs::read(fixture.raw(30 * MIB, &[])).unwrap();
    let image = fixture.path("disk.vhdx");
    fs::write(&image, build::vhdx(Shape { block_size: 32 * MIB, sector: 4096 }, &disk)).unwrap();
    holds_all(&fixture, &image);
    assert_eq!(Disk::open(&image).unwrap().logical_sector(), Some(4096));
}

#[test]
fn blocks_behind_a_sector_bitmap_of_the_table_are_where_they_are() {
    const FAR: u64 = 9 << 30;
    let fixture = Fixture::empty();
    let raw = fixture.path("far.img");
    let file = fs::File::create(&raw).unwrap();
    file.set_len(FAR + 3 * MIB).unwrap();
    let blocks = [(0, 1), (4 << 30, 2), ((4 << 30) - 5000, 3), (FAR, 4)];
    for (at, seed) in blocks {
        std::os::unix::fs::FileExt::write_all_at(&file, &noise(seed, 4000), at).unwrap();
    }
    let disk = Disk::open(&fixture.vhdx(&raw, "subformat=dynamic,block_size=1M")).unwrap();
    assert_eq!(disk.size(), FAR + 3 * MIB);
    for (at, seed) in blocks {
        let mut found = vec![1; 4000];
        disk.read(at, &mut found).unwrap();
        assert_eq!(found, noise(seed, 4000), "at {at}");
    }
    assert!(matches!(disk.read(FAR + 3 * MIB - 1, &mut [0; 2]), Err(DiskError::BeyondEnd { .. })));
    assert!(matches!(disk.read(u64::MAX, &mut [0; 2]), Err(DiskError::BeyondEnd { .. })));
}

#[test]
fn a_differencing_disk_is_refused_as_one() {
    let disk = noise(1, 1 << 20);
    let mut image = build::vhdx(Shape { block_size: MIB, sector: 512 }, &disk);
    let flags = build::METADATA_AT + (64 << 10) + 4;
    put(&mut image, flags, &2_u32.to_le_bytes());
    assert!(matches!(Disk::of_image(Box::new(image.clone())), Err(DiskError::Differencing)));
    put(&mut image, flags, &0_u32.to_le_bytes());
    put(&mut image, build::BAT_AT, &(build::PAYLOAD_AT | 7).to_le_bytes());
    let opened = Disk::of_image(Box::new(image)).unwrap();
    assert!(matches!(opened.read(0, &mut [0]), Err(DiskError::Differencing)));
}

#[test]
fn states_without_a_block_read_as_zeros_and_unknown_ones_are_errors() {
    let mut image = build::vhdx(Shape { block_size: MIB, sector: 512 }, &noise(1, 1 << 20));
    for state in 0..8_u64 {
        put(&mut image, build::BAT_AT, &(build::PAYLOAD_AT | state).to_le_bytes());
        let (disk, mut byte) = (Disk::of_image(Box::new(image.clone())).unwrap(), [9]);
        match (state, disk.read(77, &mut byte)) {
            (0..=3, Ok(())) => assert_eq!(byte, [0]),
            (6, Ok(())) => assert_eq!(byte, noise(1, 78)[77..]),
            (7, Err(DiskError::Differencing)) | (4 | 5, Err(DiskError::Malformed { .. })) => {}
            (state, found) => panic!("state {state}: {found:?}"),
        }
    }
}

#[test]
fn the_newer_of_two_headers_counts_unless_it_is_damaged() {
    let mut image = build::vhdx(Shape { block_size: MIB, sector: 512 }, &noise(1, 1 << 20));
    build::header(&mut image, 1, 8, build::GUID);
    let newer = Disk::of_image(Box::new(image.clone())).unwrap_err();
    assert!(
        newer.to_string().starts_with("the log of an image that was not closed at byte 1048576"),
        "{newer}"
    );
    image[(128 << 10) + 100] ^= 1;
    assert!(Disk::of_image(Box::new(image)).is_ok());
}

#[test]
fn a_filesystem_that_is_not_understood_is_refused_by_its_features_names() {
    let fixture = Fixture::empty();
    fixture.file(b"note", b"a note");
    for (options, feature) in
        [(["-O", "inline_data"], "inline_data"), (["-O", "meta_bg,^resize_inode"], "meta_bg")]
    {
        let raw = fixture.raw(8 * MIB, &options);
        let error = Tree::open_image(&raw).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "looking for files in the disk image {}: the filesystem uses features that this reader does not \
                 know: {feature}",
                raw.display()
            )
        );
    }
}

#[test]
fn what_is_no_image_of_files_is_refused_with_what_it_is() {
    let fixture = Fixture::empty();
    let image = fixture.path("disk.img");
    let refusal = |content: &[u8]| {
        fs::write(&image, content).unwrap();
        match Tree::open_image(&image).unwrap_err() {
            OpenTreeError::Tree { source: TreeError::NoFilesystem { found }, .. } => found,
            other => panic!("{other}"),
        }
    };
    let start = "neither that nor a partition table on a disk of";
    assert_eq!(refusal(b""), format!("{start} 0 bytes that begins with zeros"));
    assert_eq!(refusal(b"notes"), format!("{start} 5 bytes that begins with something else"));
    let mut disk = vec![0; 3 << 20];
    mbr(&mut disk, 512, 2048, 4096);
    assert_eq!(refusal(&disk), "2 partitions without one on a disk of 3145728 bytes");

    let folder = Tree::open_image(&fixture.tree()).unwrap_err();
    let expected = format!("opening the disk image {}: it is not a regular file", fixture.tree().display());
    assert_eq!(folder.to_string(), expected);
    run(tool("mkfifo", "coreutils").arg(fixture.path("pipe")));
    assert!(Tree::open_image(&fixture.path("pipe")).is_err(), "a pipe must not be waited for");
    assert!(Tree::open_image(&fixture.path("gone")).is_err());
}
