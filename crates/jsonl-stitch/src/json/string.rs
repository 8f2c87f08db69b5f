//! Where a string ends. Strings are nearly all of a transcript, and text that was escaped twice has something special in
//! every dozen bytes, so they are looked at 64 bytes at a time and without a branch for each byte.

use wide::u8x16;

const BLOCK: usize = 64;

/// The end of the string whose inside begins at `at`: after its closing quote.
pub(super) fn end(bytes: &[u8], mut at: usize) -> Option<usize> {
    let mut first_is_escaped = false;
    while let Some(block) = bytes.get(at..).and_then(<[u8]>::first_chunk::<BLOCK>) {
        let special = Special::of(block);
        if special.quotes | special.backslashes | special.controls == 0 {
            if first_is_escaped && !is_escape(bytes, at) {
                return None;
            }
            first_is_escaped = false;
            at += BLOCK;
            continue;
        }
        let escaped = Escaped::behind(special.backslashes, first_is_escaped);
        let quotes = special.quotes & !escaped.bytes;
        let inside = quotes.wrapping_sub(1) & !quotes; // the bits below the lowest quote, all if there is none
        let known = special.quotes | special.backslashes | letters_of_escapes(block);
        let unusual = escaped.bytes & inside & !known;
        if special.controls & inside != 0 || !ones(unusual).all(|bit| is_escape(bytes, at + bit)) {
            return None;
        }
        if quotes != 0 {
            return Some(at + quotes.trailing_zeros() as usize + 1);
        }
        first_is_escaped = escaped.next_block;
        at += BLOCK;
    }
    end_of_short(bytes, at, first_is_escaped)
}

/// The same byte by byte, for the end of a line.
fn end_of_short(bytes: &[u8], mut at: usize, mut escaped: bool) -> Option<usize> {
    loop {
        match *bytes.get(at)? {
            _ if escaped => {
                if !is_escape(bytes, at) {
                    return None;
                }
                escaped = false;
            }
            b'"' => return Some(at + 1),
            b'\\' => escaped = true,
            0..0x20 => return None,
            _ => {}
        }
        at += 1;
    }
}

/// Whether what stands at `at`, behind a backslash, is an escape.
fn is_escape(bytes: &[u8], at: usize) -> bool {
    match bytes.get(at) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => true,
        Some(b'u') => {
            bytes.get(at + 1..at + 5).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
        }
        _ => false,
    }
}

/// What is special in a block: bit `n` is byte `n`.
struct Special {
    quotes: u64,
    backslashes: u64,
    controls: u64,
}

impl Special {
    fn of(block: &[u8; BLOCK]) -> Self {
        Self {
            quotes: mask(block, |bytes| is(bytes, b'"')),
            backslashes: mask(block, |bytes| is(bytes, b'\\')),
            controls: mask(block, |bytes| is(bytes.max(u8x16::splat(0x1F)), 0x1F)),
        }
    }
}

/// The bytes that make an escape behind a backslash, but for quotes and backslashes, which are known, and `u`, which wants
/// digits too.
fn letters_of_escapes(block: &[u8; BLOCK]) -> u64 {
    mask(block, |bytes| {
        let b_or_f = is(bytes | u8x16::splat(b'b' ^ b'f'), b'f');
        b_or_f | is(bytes, b'n') | is(bytes, b'r') | is(bytes, b't') | is(bytes, b'/')
    })
}

fn is(bytes: u8x16, byte: u8) -> u8x16 {
    bytes.simd_eq(u8x16::splat(byte))
}

fn mask(block: &[u8; BLOCK], test: impl Fn(u8x16) -> u8x16) -> u64 {
    let lanes = block.as_chunks::<16>().0.iter().enumerate();
    lanes
        .fold(0, |mask, (lane, bytes)| mask | u64::from(test(u8x16::new(*bytes)).to_bitmask()) << (lane * 16))
}

/// The bytes that stand behind a backslash which is not itself escaped.
struct Escaped {
    bytes: u64,
    next_block: bool,
}

impl Escaped {
    /// Of a run of backslashes every second is escaped, and what follows the run if it is of an odd length. Subtracting the
    /// first of each run from the odd bits behind it carries through the run: no loop, no branch.
    fn behind(backslashes: u64, first: bool) -> Self {
        const ODD: u64 = 0xAAAA_AAAA_AAAA_AAAA;
        let first = u64::from(first);
        let starting = backslashes & !first;
        let ends = ((starting << 1) | ODD).wrapping_sub(starting) ^ ODD;
        Self { bytes: ends ^ (backslashes | first), next_block: (ends & backslashes) >> 63 == 1 }
    }
}

/// The positions of the bits that are set.
fn ones(mut bits: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let lowest = (bits != 0).then(|| bits.trailing_zeros() as usize)?;
        bits &= bits - 1;
        Some(lowest)
    })
}
