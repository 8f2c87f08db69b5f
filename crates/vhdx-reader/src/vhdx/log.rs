//! The log: what a writer had promised to change when it was last heard of.
//!
//! The area is circular. An entry is whole sectors of 4 KiB: a header, descriptors, and a sector of data for each page
//! that is replaced. The *active sequence* is a run of entries with consecutive numbers which contains the entry that
//! its last one names as its tail; of several such runs the one with the highest number counts. Replaying it from the
//! tail on gives an [`Overlay`].

use std::collections::BTreeMap;

use crate::bytes::{joined, narrow, u32_le, u64_le, wide};
use crate::error::DiskError;
use crate::image::ReadAt;

use super::Guid;
use super::overlay::{Overlay, PAGE, Page};

const SECTOR: u64 = 4096;
const HEADER: u64 = 64;
const DESCRIPTOR: u64 = 32;
/// How many bytes are checksummed in the search for entries, in logs; a sound log needs one.
const MOST_ROUNDS: u64 = 64;
/// Of Hyper-V's logs none comes near; it bounds the memory that an overlay takes.
const MOST_DESCRIPTORS: u64 = 1 << 20;

/// Where the log is, and whose entries count.
pub(super) struct Log {
    offset: u64,
    length: u64,
    guid: Guid,
}

/// A valid entry; all places are relative to the log area.
#[derive(Clone, Copy)]
struct Entry {
    at: u64,
    length: u64,
    tail: u64,
    sequence: u64,
    descriptors: u64,
    /// The image is at least this long once all that the log does not hold is on disk.
    flushed: u64,
    /// The image is at least this long once the entry is replayed.
    last: u64,
}

impl Entry {
    fn parse(at: u64, header: &[u8]) -> Self {
        Self {
            at,
            length: u64::from(u32_le(header, 8)),
            tail: u64::from(u32_le(header, 12)),
            sequence: u64_le(header, 16),
            descriptors: u64::from(u32_le(header, 24)),
            flushed: u64_le(header, 48),
            last: u64_le(header, 56),
        }
    }

    /// Where the first sector of data stands.
    fn data(&self) -> u64 {
        self.at + (HEADER + DESCRIPTOR * self.descriptors).next_multiple_of(SECTOR)
    }
}

impl Log {
    pub(super) fn new(offset: u64, length: u64, guid: Guid) -> Self {
        Self { offset, length, guid }
    }

    /// What the active sequence changes, and how many entries it has.
    pub(super) fn replay(&self, image: &dyn ReadAt) -> Result<(Overlay, u64), DiskError> {
        let entries = self.entries(image)?;
        let active = self.active(&entries).ok_or_else(|| {
            let found = format!("{} valid entries and no whole sequence", entries.len());
            let what = "the log of an image that was not closed";
            DiskError::malformed(what, self.offset, "a sequence of valid entries to replay", found)
        })?;
        let head = active.last().expect("a sequence has an entry");
        if head.flushed > image.size() {
            let what = "what had been written when the log was";
            return Err(DiskError::Truncated { what, expected: head.flushed, found: image.size() });
        }
        let mut overlay = Overlay::of_length(head.last);
        for entry in &active {
            self.apply(image, entry, &mut overlay)?;
        }
        Ok((overlay, wide(active.len())))
    }

    /// From the tail to the head of the sequence that counts.
    fn active(&self, entries: &BTreeMap<u64, Entry>) -> Option<Vec<Entry>> {
        let next = |entry: &Entry| {
            let next = entries.get(&((entry.at + entry.length) % self.length))?;
            (Some(next.sequence) == entry.sequence.checked_add(1)).then_some(next)
        };
        let mut heads: Vec<&Entry> = entries.values().filter(|entry| next(entry).is_none()).collect();
        heads.sort_by_key(|head| std::cmp::Reverse(head.sequence));
        heads.into_iter().find_map(|head| {
            let tail = entries.get(&head.tail).filter(|tail| tail.sequence <= head.sequence)?;
            let run: Vec<Entry> = std::iter::successors(Some(tail), |entry| next(entry)).copied().collect();
            run.last().is_some_and(|last| last.at == head.at).then_some(run)
        })
    }

    /// All valid entries by their place.
    fn entries(&self, image: &dyn ReadAt) -> Result<BTreeMap<u64, Entry>, DiskError> {
        let mut found = BTreeMap::new();
        let mut effort = MOST_ROUNDS * self.length;
        for at in (0..self.length).step_by(narrow(SECTOR)) {
            let mut header = [0; 64];
            self.read(image, at, &mut header)?;
            let entry = Entry::parse(at, &header);
            if !self.is_plausible(&entry, &header) {
                continue;
            }
            effort = effort.checked_sub(entry.length).ok_or_else(|| {
                let what = "the log of an image that was not closed";
                DiskError::malformed(what, self.offset, "entries one after the other", "overlapping ones")
            })?;
            if self.is_whole(image, &entry)? {
                found.insert(at, entry);
            }
        }
        Ok(found)
    }

    /// What the header alone tells.
    fn is_plausible(&self, entry: &Entry, header: &[u8; 64]) -> bool {
        header.starts_with(b"loge")
            && Guid::at(header, 32) == self.guid
            && entry.sequence > 0
            && (SECTOR..=self.length).contains(&entry.length)
            && entry.length.is_multiple_of(SECTOR)
            && entry.tail < self.length
            && entry.tail.is_multiple_of(SECTOR)
            && entry.data() <= entry.at + entry.length
    }

    /// The checksum over all of it, and each descriptor with its data.
    fn is_whole(&self, image: &dyn ReadAt, entry: &Entry) -> Result<bool, DiskError> {
        let mut sector = [0; 4096];
        let (mut crc, mut expected) = (0, 0);
        for at in (0..entry.length).step_by(narrow(SECTOR)) {
            self.read(image, entry.at + at, &mut sector)?;
            if at == 0 {
                expected = u32_le(&sector, 4);
                sector[4..8].fill(0);
            }
            crc = crc32c::crc32c_append(crc, &sector);
        }
        if crc != expected {
            return Ok(false);
        }
        let mut sound = true;
        self.each_descriptor(image, entry, |descriptor, data| {
            sound &= u64_le(descriptor, 24) == entry.sequence
                && u64_le(descriptor, 16).is_multiple_of(PAGE)
                && match Kind::of(descriptor) {
                    Kind::Zero => u64_le(descriptor, 8).is_multiple_of(PAGE),
                    Kind::Data => self.is_data_of(image, entry, data)?,
                    Kind::Unknown => false,
                };
            Ok(())
        })?;
        Ok(sound)
    }

    fn is_data_of(&self, image: &dyn ReadAt, entry: &Entry, data: u64) -> Result<bool, DiskError> {
        let (mut front, mut back) = ([0; 8], [0; 4]);
        self.read(image, data, &mut front)?;
        self.read(image, data + SECTOR - 4, &mut back)?;
        let sequence = joined(u32_le(&front, 4), u32_le(&back, 0));
        Ok(front.starts_with(b"data") && sequence == entry.sequence && data < entry.at + entry.length)
    }

    fn apply(&self, image: &dyn ReadAt, entry: &Entry, overlay: &mut Overlay) -> Result<(), DiskError> {
        self.each_descriptor(image, entry, |descriptor, data| {
            let offset = u64_le(descriptor, 16);
            if let Kind::Zero = Kind::of(descriptor) {
                overlay.zero(offset, offset.saturating_add(u64_le(descriptor, 8)));
            } else {
                let body = self.offset + (data + 8) % self.length;
                let leading = u64_le(descriptor, 8).to_le_bytes();
                overlay.write(offset, Page { leading, body, trailing: u32_le(descriptor, 4).to_le_bytes() });
            }
            Ok(())
        })
    }

    /// Calls `each` with every descriptor and the place of the data sector that is the next one's.
    fn each_descriptor(
        &self,
        image: &dyn ReadAt,
        entry: &Entry,
        mut each: impl FnMut(&[u8], u64) -> Result<(), DiskError>,
    ) -> Result<(), DiskError> {
        if entry.descriptors > MOST_DESCRIPTORS {
            let (what, expected) = ("the number of descriptors in an entry of the log", "at most 1048576");
            return Err(DiskError::malformed(what, self.offset + entry.at + 24, expected, entry.descriptors));
        }
        let mut data = entry.data();
        for index in 0..entry.descriptors {
            let mut descriptor = [0; 32];
            self.read(image, entry.at + HEADER + DESCRIPTOR * index, &mut descriptor)?;
            each(&descriptor, data)?;
            if let Kind::Data = Kind::of(&descriptor) {
                data += SECTOR;
            }
        }
        Ok(())
    }

    /// Reads from the circular area; nothing that is read at once crosses a sector.
    fn read(&self, image: &dyn ReadAt, at: u64, into: &mut [u8]) -> Result<(), DiskError> {
        let (offset, length) = (self.offset + at % self.length, wide(into.len()));
        image.read_exact_at(offset, into).map_err(|source| DiskError::Read { offset, length, source })
    }
}

enum Kind {
    Zero,
    Data,
    Unknown,
}

impl Kind {
    fn of(descriptor: &[u8]) -> Self {
        match descriptor {
            [b'z', b'e', b'r', b'o', ..] => Self::Zero,
            [b'd', b'e', b's', b'c', ..] => Self::Data,
            _ => Self::Unknown,
        }
    }
}
