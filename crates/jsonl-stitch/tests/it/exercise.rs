//! What a fuzzer tries, and a test on its corpus.

use std::fmt;
use std::io::Read as _;

use jsonl_stitch::json::{decode, members, value_end};
use jsonl_stitch::load::{Limits, Loader};
use jsonl_stitch::{Options, Splice, Spliced, Why, check, decide, reversed, unstitch};
use serde::de::{Deserialize, Deserializer, IgnoredAny, Visitor};

/// A string as `serde_json` decodes it where bytes are asked for: lone surrogates are legal then, as in JavaScript.
#[derive(Debug, PartialEq)]
pub(crate) struct Decoded(pub(crate) Vec<u8>);

impl<'de> Deserialize<'de> for Decoded {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;
        impl Visitor<'_> for Bytes {
            type Value = Decoded;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Decoded, E> {
                Ok(Decoded(bytes.to_vec()))
            }
        }
        deserializer.deserialize_bytes(Bytes)
    }
}

/// `serde_json` looks at no more of a value than whether it is one; it nests without bound and knows lone surrogates.
fn is_json(bytes: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(bytes).is_ok()
}

/// The scanner and `serde_json` say the same of these bytes.
pub(crate) fn agree(bytes: &[u8]) {
    let end = value_end(bytes, 0);
    let text = || String::from_utf8_lossy(bytes);
    let is_whole = end.is_some_and(|end| bytes[end..].iter().all(|byte| b" \t\r\n".contains(byte)));
    assert_eq!(is_whole, is_json(bytes), "{}", text());
    if let Some(end) = end {
        assert!(is_json(&bytes[..end]), "a prefix of {}", text());
    }
    let found = members(bytes);
    let is_object = is_whole && bytes.iter().find(|byte| !b" \t\r\n".contains(byte)) == Some(&b'{');
    assert_eq!(found.is_some(), is_object, "{}", text());
    for member in found.unwrap_or_default() {
        let name = &bytes[member.name.start - 1..=member.name.end];
        let lossy = String::from_utf8_lossy(name).into_owned();
        let expected: Decoded = serde_json::from_str(&lossy).expect("a name is a string");
        assert_eq!(decode(&bytes[member.name]), expected.0, "{lossy}");
        assert_eq!(value_end(bytes, member.value.start), Some(member.value.end));
        assert!(is_json(&bytes[member.value]));
    }
}

/// Decides about a transcript, whatever it is, and takes it back. The first bytes say with which options and limits.
pub(crate) fn stitch_and_take_back(input: &[u8]) {
    let Some((&[flags, big_high, big_low, window_high, window_low], file)) = input.split_first_chunk() else {
        return;
    };
    let number = |high: u8, low: u8| u64::from(high) << 8 | u64::from(low);
    let big = number(big_high, big_low);
    let limits = Limits { big, window: number(window_high, window_low).min(big) };
    let options = Options {
        anchor: flags & 1 != 0,
        join_roots: flags & 2 != 0,
        no_weave: flags & 4 != 0,
        move_anchor: flags & 8 != 0,
    };
    let targets = match flags >> 4 & 3 {
        1 => &Loader::ALL[..1],
        2 => &Loader::ALL[1..],
        _ => &Loader::ALL[..],
    };
    let decided = |file: &[u8]| {
        let checked = check(file, "fuzz", limits).expect("bytes can be read");
        decide(checked, targets, options, || Ok(std::io::Cursor::new(file.to_vec())))
            .expect("nothing changes meanwhile")
    };

    let decision = decided(file);
    let splices = decision.splices();
    let stitched = apply(file, &splices);
    assert_eq!(decision.why == Why::Better, !splices.is_empty());
    assert!(
        decision
            .before
            .iter()
            .zip(&decision.after)
            .all(|(before, after)| after.rows_lost() <= before.rows_lost())
    );
    assert_eq!(decided(&stitched).edits, [], "{}", stitched.escape_ascii());

    assert_eq!(apply(&stitched, &reversed(&splices)), file);
    let back = unstitch(&decision.edits, stitched.len() as u64, &stitched[..]).expect("bytes can be read");
    assert_eq!(apply(&stitched, &back), file);
}

fn apply(file: &[u8], splices: &[Splice]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut result = Spliced::new(file, splices).expect("edits are in order");
    result.read_to_end(&mut out).expect("edits fit");
    out
}
