//! The two headers: which of them counts, and whether there is a log to replay.

use crate::bytes::{crc32c_without, u16_le, u32_le, u64_le};
use crate::error::DiskError;
use crate::image::ReadAt;

use super::log::Log;
use super::{Guid, MIB};

const PLACES: [u64; 2] = [64 << 10, 128 << 10];
const SIZE: usize = 4096;
/// Where the second region table ends: no image is shorter.
const SMALLEST_IMAGE: u64 = 320 << 10;
/// Hyper-V makes logs of a few MiB.
const LONGEST_LOG: u64 = 256 << 20;

pub(super) struct Header {
    place: u64,
    sequence: u64,
    log_guid: Guid,
    log_version: u16,
    version: u16,
    log_length: u32,
    log_offset: u64,
    image_size: u64,
}

impl Header {
    /// The valid header with the higher sequence number.
    pub(super) fn current(image: &dyn ReadAt) -> Result<Self, DiskError> {
        let image_size = image.size();
        if image_size < SMALLEST_IMAGE {
            let what = "the header section of a VHDX";
            return Err(DiskError::Truncated { what, expected: SMALLEST_IMAGE, found: image_size });
        }
        let mut best: Option<Self> = None;
        for place in PLACES {
            let mut bytes = [0; SIZE];
            image.read_exact_at(place, &mut bytes).map_err(|source| DiskError::Read {
                offset: place,
                length: SIZE as u64,
                source,
            })?;
            let header = Self::parse(place, &bytes, image_size);
            if header.as_ref().map(|it| it.sequence) > best.as_ref().map(|it| it.sequence) {
                best = header;
            }
        }
        let none = "at bytes 65536 and 131072, neither with the signature \"head\" and its checksum";
        let header =
            best.ok_or_else(|| DiskError::malformed("the VHDX headers", PLACES[0], "a valid one", none))?;
        if header.version != 1 {
            return Err(DiskError::malformed("the VHDX version", header.place + 66, "1", header.version));
        }
        Ok(header)
    }

    fn parse(place: u64, bytes: &[u8; SIZE], image_size: u64) -> Option<Self> {
        let valid = bytes.starts_with(b"head") && u32_le(bytes, 4) == crc32c_without(bytes, 4);
        valid.then(|| Self {
            place,
            sequence: u64_le(bytes, 8),
            log_guid: Guid::at(bytes, 48),
            log_version: u16_le(bytes, 64),
            version: u16_le(bytes, 66),
            log_length: u32_le(bytes, 68),
            log_offset: u64_le(bytes, 72),
            image_size,
        })
    }

    /// The log that must be replayed before anything else is believed; none if the image was closed cleanly.
    pub(super) fn log(&self) -> Result<Option<Log>, DiskError> {
        if self.log_guid == Guid::NONE {
            return Ok(None);
        }
        if self.log_version != 0 {
            return Err(DiskError::malformed(
                "the version of the log",
                self.place + 64,
                "0",
                self.log_version,
            ));
        }
        let length = u64::from(self.log_length);
        if length == 0 || length % MIB != 0 || length > LONGEST_LOG {
            let expected = "a multiple of 1 MiB, up to 256 MiB";
            return Err(DiskError::malformed("the length of the log", self.place + 68, expected, length));
        }
        if self.log_offset < MIB || !self.log_offset.is_multiple_of(MIB) {
            let expected = "a multiple of 1 MiB";
            return Err(DiskError::malformed(
                "the offset of the log",
                self.place + 72,
                expected,
                self.log_offset,
            ));
        }
        let end = self.log_offset.saturating_add(length);
        if end > self.image_size {
            return Err(DiskError::Truncated { what: "the log", expected: end, found: self.image_size });
        }
        Ok(Some(Log::new(self.log_offset, length, self.log_guid)))
    }
}
