//! Numbers inside byte fields.
//!
//! Every buffer that is decoded has its structure's full size; should one be shorter, what is missing reads as zero
//! rather than as a panic.

fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes.get(at..).and_then(<[u8]>::first_chunk).copied().unwrap_or([0; N])
}

pub(crate) fn u16_le(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(array(bytes, at))
}

pub(crate) fn u32_le(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(array(bytes, at))
}

pub(crate) fn u64_le(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(array(bytes, at))
}

pub(crate) fn u16_be(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes(array(bytes, at))
}

pub(crate) fn u32_be(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(array(bytes, at))
}

pub(crate) fn u64_be(bytes: &[u8], at: usize) -> u64 {
    u64::from_be_bytes(array(bytes, at))
}

/// Two halves of a number that a structure keeps apart.
pub(crate) fn joined(high: u32, low: u32) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}

/// A length in memory as an offset on disk.
pub(crate) fn wide(length: usize) -> u64 {
    length as u64
}

/// An offset inside a buffer that is known to be small enough.
pub(crate) fn narrow(offset: u64) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

/// CRC-32C of `bytes` with `zeroed` read as four zero bytes: how structures carry their own checksum.
pub(crate) fn crc32c_without(bytes: &[u8], zeroed: usize) -> u32 {
    let (before, rest) = bytes.split_at(zeroed.min(bytes.len()));
    let crc = crc32c::crc32c_append(crc32c::crc32c(before), &[0; 4]);
    crc32c::crc32c_append(crc, rest.get(4..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_beyond_the_end_reads_as_zero_and_never_panics() {
        assert_eq!(u32_le(&[1, 2, 3, 4, 5], 1), 0x0504_0302);
        assert_eq!(u32_le(&[1, 2, 3, 4, 5], 2), 0);
        assert_eq!(u64_be(&[], usize::MAX), 0);
        assert_eq!(crc32c_without(&[1, 2], 7), crc32c::crc32c(&[1, 2, 0, 0, 0, 0]));
    }
}
