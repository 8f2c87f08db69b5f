//! Identities as VHDX stores them.

use std::fmt;

use crate::bytes::{u16_le, u32_le};

/// A GUID in the byte order of the disk: its first three fields have their bytes swapped.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Guid([u8; 16]);

impl Guid {
    pub(super) const NONE: Self = Self([0; 16]);

    /// From the usual spelling's five groups, the last two as one number.
    pub(super) const fn new(a: u32, b: u16, c: u16, rest: u64) -> Self {
        let (a, b, c, rest) = (a.to_le_bytes(), b.to_le_bytes(), c.to_le_bytes(), rest.to_be_bytes());
        Self([
            a[0], a[1], a[2], a[3], b[0], b[1], c[0], c[1], rest[0], rest[1], rest[2], rest[3], rest[4],
            rest[5], rest[6], rest[7],
        ])
    }

    pub(super) fn at(bytes: &[u8], at: usize) -> Self {
        Self(bytes.get(at..).and_then(<[u8]>::first_chunk).copied().unwrap_or_default())
    }
}

impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(bytes) = self;
        write!(f, "{:08X}-{:04X}-{:04X}-", u32_le(bytes, 0), u16_le(bytes, 4), u16_le(bytes, 6))?;
        for (index, byte) in bytes.iter().enumerate().skip(8) {
            write!(f, "{}{byte:02X}", if index == 10 { "-" } else { "" })?;
        }
        Ok(())
    }
}

impl fmt::Debug for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guid_is_spelled_as_everybody_spells_it() {
        let guid = Guid::new(0x2DC2_7766, 0xF623, 0x4200, 0x9D64_115E_9BFD_4A08);
        assert_eq!(guid.to_string(), "2DC27766-F623-4200-9D64-115E9BFD4A08");
        assert_eq!(guid.0[..4], [0x66, 0x77, 0xC2, 0x2D]);
    }
}
