//! How a record lies in the file, so that a torn end is told from damage.
//!
//! A frame is one line: eight hexadecimal digits of a checksum, the offset at which its batch begins, the record. A
//! batch is what was made durable with one sync; its offset in every frame is its number. A frame that does not read
//! is the torn end of a batch that was never synced, unless a batch that begins *after* it reads: then it had been
//! durable, and something has damaged it since.

use durable_files::Digest;

/// The frames of a journal that can be trusted.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frames<'a> {
    /// The records, in order.
    pub(crate) records: Vec<&'a [u8]>,
    /// The length of what reads: whoever appends truncates here first.
    pub(crate) valid_len: u64,
}

/// A frame that had been durable and does not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the record at byte {offset} is damaged: later records were written after it had been made durable")]
pub struct Damaged {
    /// Where the record begins.
    pub offset: u64,
}

/// Appends one frame to `out`.
pub(crate) fn encode(out: &mut Vec<u8>, batch: u64, record: &[u8]) {
    let body = [format!("{batch} ").as_bytes(), record].concat();
    out.extend_from_slice(checksum(&body).as_bytes());
    out.push(b' ');
    out.extend_from_slice(&body);
    out.push(b'\n');
}

/// Reads frames up to the torn end.
pub(crate) fn decode(bytes: &[u8]) -> Result<Frames<'_>, Damaged> {
    let mut frames = Frames { records: Vec::new(), valid_len: 0 };
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let Some((_, record)) = read(line) else { break };
        frames.records.push(record);
        frames.valid_len += line.len() as u64;
    }
    let rest = &bytes[usize::try_from(frames.valid_len).expect("because it is a length in memory")..];
    let later = |line: &[u8]| read(line).is_some_and(|(batch, _)| batch > frames.valid_len);
    if rest.split_inclusive(|byte| *byte == b'\n').any(later) {
        return Err(Damaged { offset: frames.valid_len });
    }
    Ok(frames)
}

/// The batch and the record of a whole, intact line.
fn read(line: &[u8]) -> Option<(u64, &[u8])> {
    let line = line.strip_suffix(b"\n")?;
    let (sum, body) = (line.get(..8)?, line.get(9..)?);
    if line[8] != b' ' || checksum(body).as_bytes() != sum {
        return None;
    }
    let space = body.iter().position(|byte| *byte == b' ')?;
    let batch = std::str::from_utf8(&body[..space]).ok()?.parse().ok()?;
    Some((batch, &body[space + 1..]))
}

fn checksum(body: &[u8]) -> String {
    let mut hex = Digest::of(body).to_string();
    hex.truncate(8);
    hex
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A journal of three batches, and the offset at which each begins.
    fn journal() -> (Vec<u8>, Vec<usize>) {
        let (mut bytes, mut starts) = (Vec::new(), Vec::new());
        for batch in [vec!["began"], vec!["staged 0", "staged 1"], vec!["settled", "ended"]] {
            starts.push(bytes.len());
            let start = bytes.len() as u64;
            for record in batch {
                encode(&mut bytes, start, record.as_bytes());
            }
        }
        (bytes, starts)
    }

    #[test]
    fn a_journal_cut_anywhere_still_tells_all_that_was_whole() {
        let (bytes, _) = journal();
        for cut in 0..=bytes.len() {
            let whole = bytes[..cut].split(|byte| *byte == b'\n').count() - 1;
            assert_eq!(decode(&bytes[..cut]).unwrap().records.len(), whole, "cut at {cut}");
        }
    }

    #[test]
    fn damage_before_a_later_batch_is_never_taken_for_a_torn_end() {
        let (bytes, starts) = journal();
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x20;
            let expect_damage = at < starts[2];
            assert_eq!(decode(&damaged).is_err(), expect_damage, "flipped a bit of byte {at}");
        }
    }

    proptest! {
        #[test]
        fn whatever_lies_in_a_journal_reading_it_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = decode(&bytes);
        }
    }
}
