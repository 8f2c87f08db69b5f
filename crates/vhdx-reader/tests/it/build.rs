//! VHDX images written here, byte by byte, for what `qemu-img` does not make: logs, large sectors, odd states.

use crate::fixture::MIB;

pub(crate) const LOG_AT: u64 = MIB;
pub(crate) const BAT_AT: u64 = 3 * MIB;
pub(crate) const METADATA_AT: u64 = 2 * MIB;
pub(crate) const PAYLOAD_AT: u64 = 4 * MIB;
pub(crate) const GUID: [u8; 16] = *b"the log's own id";

const BAT: [u8; 16] = guid(0x2DC2_7766, 0xF623, 0x4200, 0x9D64_115E_9BFD_4A08);
const METADATA: [u8; 16] = guid(0x8B7C_A206, 0x4790, 0x4B9A, 0xB8FE_575F_050F_886E);
const ITEMS: [([u8; 16], usize); 3] = [
    (guid(0xCAA1_6737, 0xFA36, 0x4D43, 0xB3B6_33F0_AA44_E76B), 8),
    (guid(0x2FA5_4224, 0xCD1B, 0x4876, 0xB211_5DBE_D83B_F4B8), 8),
    (guid(0x8141_BF1D, 0xA96F, 0x4709, 0xBA47_F233_A8FA_AB5F), 4),
];

const fn guid(a: u32, b: u16, c: u16, d: u64) -> [u8; 16] {
    let (a, b, c, d) = (a.to_le_bytes(), b.to_le_bytes(), c.to_le_bytes(), d.to_be_bytes());
    [a[0], a[1], a[2], a[3], b[0], b[1], c[0], c[1], d[0], d[1], d[2], d[3], d[4], d[5], d[6], d[7]]
}

/// What an image is to look like.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) block_size: u64,
    pub(crate) sector: u32,
}

/// A closed VHDX with `disk` in it; blocks of zeros are left out.
pub(crate) fn vhdx(shape: Shape, disk: &[u8]) -> Vec<u8> {
    let mut image = vec![0; usize::try_from(PAYLOAD_AT).unwrap()];
    image[..8].copy_from_slice(b"vhdxfile");
    header(&mut image, 0, 7, [0; 16]);
    header(&mut image, 1, 6, [0; 16]);
    let regions = [(BAT, BAT_AT), (METADATA, METADATA_AT)];
    for table in [192 << 10, 256 << 10] {
        put(&mut image, table, b"regi");
        put(&mut image, table + 8, &2_u32.to_le_bytes());
        for (nth, (guid, offset)) in (0_u64..).zip(regions) {
            let at = table + 16 + 32 * nth;
            put(&mut image, at, &guid);
            put(&mut image, at + 16, &offset.to_le_bytes());
            put(&mut image, at + 24, &small(MIB));
            put(&mut image, at + 28, &1_u32.to_le_bytes());
        }
        seal(&mut image, table, 64 << 10);
    }
    metadata(&mut image, shape, disk.len() as u64);
    let ratio = (u64::from(shape.sector) << 23) / shape.block_size;
    for (nth, block) in (0_u64..).zip(disk.chunks(usize::try_from(shape.block_size).unwrap())) {
        if block.iter().any(|byte| *byte != 0) {
            let offset = (image.len() as u64).next_multiple_of(MIB);
            image.resize(usize::try_from(offset).unwrap(), 0);
            image.extend_from_slice(block);
            put(&mut image, BAT_AT + 8 * (nth + nth / ratio), &(offset | 6).to_le_bytes());
        }
    }
    image.resize(image.len().next_multiple_of(1 << 20), 0);
    image
}

fn metadata(image: &mut [u8], shape: Shape, size: u64) {
    put(image, METADATA_AT, b"metadata");
    put(image, METADATA_AT + 10, &[3, 0]);
    let values = [shape.block_size.to_le_bytes(), size.to_le_bytes(), u64::from(shape.sector).to_le_bytes()];
    for (nth, ((guid, length), value)) in (0_u64..).zip(ITEMS.iter().zip(values)) {
        let (at, offset) = (METADATA_AT + 32 + 32 * nth, (64 << 10) + 8 * nth);
        put(image, at, guid);
        put(image, at + 16, &small(offset));
        put(image, at + 20, &small(*length as u64));
        put(image, at + 24, &4_u32.to_le_bytes());
        put(image, METADATA_AT + offset, &value[..*length]);
    }
}

/// Writes header 0 or 1; `log` is the identity of a log to be replayed.
pub(crate) fn header(image: &mut [u8], which: u64, sequence: u64, log: [u8; 16]) {
    let at = (64 << 10) * (1 + which);
    put(image, at, b"head");
    put(image, at + 8, &sequence.to_le_bytes());
    put(image, at + 48, &log);
    put(image, at + 66, &1_u16.to_le_bytes());
    put(image, at + 68, &small(MIB));
    put(image, at + 72, &LOG_AT.to_le_bytes());
    seal(image, at, 4096);
}

/// Gives a structure its checksum.
pub(crate) fn seal(image: &mut [u8], at: u64, length: u64) {
    put(image, at + 4, &[0; 4]);
    let range = usize::try_from(at).unwrap()..usize::try_from(at + length).unwrap();
    let crc = crc32c::crc32c(&image[range]);
    put(image, at + 4, &crc.to_le_bytes());
}

pub(crate) fn put(image: &mut [u8], at: u64, bytes: &[u8]) {
    let at = usize::try_from(at).unwrap();
    image[at..at + bytes.len()].copy_from_slice(bytes);
}

/// A number of four bytes.
fn small(number: u64) -> [u8; 4] {
    u32::try_from(number).unwrap().to_le_bytes()
}

/// What an entry of a log tells to do.
pub(crate) enum Write {
    Page(u64, Box<[u8; 4096]>),
    Zeros(u64, u64),
}

/// An entry of a log, before it is put somewhere.
pub(crate) struct Entry {
    pub(crate) sequence: u64,
    pub(crate) tail: u64,
    pub(crate) guid: [u8; 16],
    /// How long the image must be, and how long it shall become.
    pub(crate) lengths: (u64, u64),
    pub(crate) writes: Vec<Write>,
}

impl Entry {
    pub(crate) fn new(sequence: u64, tail: u64, writes: Vec<Write>) -> Self {
        Self { sequence, tail, guid: GUID, lengths: (0, 0), writes }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let head = (64 + 32 * self.writes.len()).next_multiple_of(4096);
        let mut bytes = vec![0; head];
        for (nth, write) in (0_u64..).zip(&self.writes) {
            let at = 64 + 32 * nth;
            put(&mut bytes, at + 24, &self.sequence.to_le_bytes());
            match write {
                Write::Zeros(offset, length) => {
                    put(&mut bytes, at, b"zero");
                    put(&mut bytes, at + 8, &length.to_le_bytes());
                    put(&mut bytes, at + 16, &offset.to_le_bytes());
                }
                Write::Page(offset, page) => {
                    put(&mut bytes, at, b"desc");
                    put(&mut bytes, at + 4, &page[4092..]);
                    put(&mut bytes, at + 8, &page[..8]);
                    put(&mut bytes, at + 16, &offset.to_le_bytes());
                    bytes.extend_from_slice(&self.data(page));
                }
            }
        }
        let length = bytes.len() as u64;
        put(&mut bytes, 0, b"loge");
        put(&mut bytes, 8, &small(length));
        put(&mut bytes, 12, &small(self.tail));
        put(&mut bytes, 16, &self.sequence.to_le_bytes());
        put(&mut bytes, 24, &small(self.writes.len() as u64));
        put(&mut bytes, 32, &self.guid);
        put(&mut bytes, 48, &self.lengths.0.to_le_bytes());
        put(&mut bytes, 56, &self.lengths.1.to_le_bytes());
        seal(&mut bytes, 0, length);
        bytes
    }

    fn data(&self, page: &[u8; 4096]) -> [u8; 4096] {
        let mut sector = *page;
        sector[..4].copy_from_slice(b"data");
        sector[4..8].copy_from_slice(&small(self.sequence >> 32));
        sector[4092..].copy_from_slice(&small(self.sequence & 0xFFFF_FFFF));
        sector
    }

    /// Puts it into the log area, around its end if need be, and tells where the next one goes.
    pub(crate) fn write(&self, image: &mut [u8], at: u64) -> u64 {
        let bytes = self.bytes();
        for (nth, sector) in (0_u64..).zip(bytes.chunks(4096)) {
            put(image, LOG_AT + (at + 4096 * nth) % MIB, sector);
        }
        (at + bytes.len() as u64) % MIB
    }
}
