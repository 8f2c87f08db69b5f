//! Where on a disk the filesystem is: all of it, or a partition of a GPT or an MBR.

use crate::bytes::{narrow, u16_le, u32_le, u64_le, wide};
use crate::disk::Disk;
use crate::error::{DiskError, TreeError};

/// Where ext2, ext3 and ext4 have their magic number, from the start of the volume.
const MAGIC_AT: u64 = 1024 + 56;
const MAGIC: u16 = 0xEF53;
/// Tables usually have 128 entries of 128 bytes.
const MOST_ENTRIES: u32 = 1024;
const MBR_TABLE: usize = 446;

/// The part of a disk that holds one filesystem.
#[derive(Debug)]
pub(crate) struct Volume {
    disk: Disk,
    start: u64,
    size: u64,
}

impl Volume {
    /// Finds the first ext4 on `disk`.
    pub(crate) fn find(disk: Disk) -> Result<Self, TreeError> {
        if has_ext4(&disk, 0)? {
            let size = disk.size();
            return Ok(Self { disk, start: 0, size });
        }
        let sectors = disk.logical_sector().map_or(vec![512, 4096], |sector| vec![sector]);
        let mut partitions = Vec::new();
        for sector in sectors {
            partitions.extend(gpt(&disk, u64::from(sector))?);
        }
        if partitions.is_empty() {
            partitions = mbr(&disk, u64::from(disk.logical_sector().unwrap_or(512)))?;
        }
        for &(start, end) in &partitions {
            let end = end.min(disk.size()); // a filesystem that is longer will say so
            if start < end && has_ext4(&disk, start)? {
                return Ok(Self { disk, start, size: end - start });
            }
        }
        Err(TreeError::NoFilesystem { found: what_is_there(&disk, partitions.len())? })
    }

    /// Its size in bytes.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    pub(crate) fn disk(&self) -> &Disk {
        &self.disk
    }

    /// Fills `into` from a byte of the volume on.
    pub(crate) fn read(&self, offset: u64, into: &mut [u8]) -> Result<(), DiskError> {
        let length = wide(into.len());
        match offset.checked_add(length) {
            Some(end) if end <= self.size => self.disk.read(self.start + offset, into),
            _ => Err(DiskError::BeyondEnd { offset, length, end: self.size }),
        }
    }
}

fn has_ext4(disk: &Disk, start: u64) -> Result<bool, DiskError> {
    let magic = read_if_there(disk, start.saturating_add(MAGIC_AT), 2)?;
    Ok(magic.is_some_and(|bytes| u16_le(&bytes, 0) == MAGIC))
}

/// The partitions of a GUID partition table, from byte to byte.
fn gpt(disk: &Disk, sector: u64) -> Result<Vec<(u64, u64)>, DiskError> {
    let Some(header) = read_if_there(disk, sector, 92)?.filter(|header| header.starts_with(b"EFI PART"))
    else {
        return Ok(Vec::new());
    };
    let (count, size) = (u32_le(&header, 80).min(MOST_ENTRIES), u32_le(&header, 84));
    if !(128..=4096).contains(&size) {
        return Ok(Vec::new());
    }
    let table = u64_le(&header, 72).saturating_mul(sector);
    let mut found = Vec::new();
    for index in 0..u64::from(count) {
        let at = table.saturating_add(index * u64::from(size));
        let Some(entry) = read_if_there(disk, at, 48)? else { break };
        if entry[..16].iter().any(|byte| *byte != 0) {
            let end = u64_le(&entry, 40).saturating_add(1);
            found.push((u64_le(&entry, 32).saturating_mul(sector), end.saturating_mul(sector)));
        }
    }
    Ok(found)
}

/// The primary partitions of a master boot record.
fn mbr(disk: &Disk, sector: u64) -> Result<Vec<(u64, u64)>, DiskError> {
    let Some(record) = read_if_there(disk, 0, 512)?.filter(|record| record.ends_with(&[0x55, 0xAA])) else {
        return Ok(Vec::new());
    };
    let used = record[MBR_TABLE..510].chunks_exact(16).filter(|entry| entry[4] != 0);
    let range = |entry: &[u8]| {
        let (start, length) = (u64::from(u32_le(entry, 8)), u64::from(u32_le(entry, 12)));
        (start * sector, (start + length) * sector)
    };
    Ok(used.map(range).collect())
}

/// For the person who has to find out why there is no filesystem.
fn what_is_there(disk: &Disk, partitions: usize) -> Result<String, DiskError> {
    let size = disk.size();
    if partitions > 0 {
        return Ok(format!("{partitions} partitions without one on a disk of {size} bytes"));
    }
    let first = read_if_there(disk, 0, size.min(4096))?.unwrap_or_default();
    let begin = if first.iter().all(|byte| *byte == 0) { "zeros" } else { "something else" };
    Ok(format!("neither that nor a partition table on a disk of {size} bytes that begins with {begin}"))
}

fn read_if_there(disk: &Disk, offset: u64, length: u64) -> Result<Option<Vec<u8>>, DiskError> {
    if offset.checked_add(length).is_none_or(|end| end > disk.size()) {
        return Ok(None);
    }
    let mut bytes = vec![0; narrow(length)];
    disk.read(offset, &mut bytes)?;
    Ok(Some(bytes))
}
