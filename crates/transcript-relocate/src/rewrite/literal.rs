//! Pieces of JSON that are quoted in a text which is no JSON itself.

use std::ops::Range;

/// Strings quoted deeper than this are taken as they look.
const DEEPEST: usize = 6;

/// The quotes of a text, found as far as they are asked for. Places must be asked for in ascending order: then all
/// answers together take time linear in the text.
pub(super) struct Quotes<'t> {
    text: &'t [u8],
    /// Up to where quotes have been looked for on the left side.
    passed: usize,
    /// By depth - 1: the last quote before `passed`.
    last: [Option<usize>; DEEPEST],
    /// By depth - 1: from where a quote was looked for on the right side, and what was found.
    ahead: [Option<(usize, Option<usize>)>; DEEPEST],
}

impl<'t> Quotes<'t> {
    pub(super) fn new(text: &'t [u8]) -> Self {
        Self { text, passed: 0, last: [None; DEEPEST], ahead: [None; DEEPEST] }
    }

    /// How many levels deeper than the text this part of it is, being inside a string literal of JSON; 0 if it is in
    /// none.
    pub(super) fn depth_of(&mut self, part: Range<usize>) -> u32 {
        self.pass(part.start);
        let inside = (1..=DEEPEST).rev().find(|&depth| self.is_inside(depth, &part));
        inside.map_or(0, |depth| u32::try_from(depth).unwrap_or(0))
    }

    /// A literal stands where a value or a name may stand, and is followed by what may follow one.
    fn is_inside(&mut self, depth: usize, part: &Range<usize>) -> bool {
        let Some(open) = self.last[depth - 1] else { return false };
        if !matches!(significant_before(self.text, open), Some(b':' | b',' | b'[' | b'{')) {
            return false;
        }
        self.next_quote(part.end, depth).is_some_and(|close| {
            matches!(significant_after(self.text, close), None | Some(b',' | b':' | b'}' | b']'))
        })
    }

    fn next_quote(&mut self, from: usize, depth: usize) -> Option<usize> {
        if let Some((since, found)) = self.ahead[depth - 1]
            && since <= from
            && found.is_none_or(|found| found >= from)
        {
            return found;
        }
        let mut quotes = memchr::memchr_iter(b'"', &self.text[from..]).map(|at| at + from);
        let found = quotes.find(|&quote| depth_of_quote(self.text, quote) == depth);
        self.ahead[depth - 1] = Some((from, found));
        found
    }

    fn pass(&mut self, to: usize) {
        for quote in memchr::memchr_iter(b'"', &self.text[self.passed..to]).map(|at| at + self.passed) {
            if let Some(last) = self.last.get_mut(depth_of_quote(self.text, quote) - 1) {
                *last = Some(quote);
            }
        }
        self.passed = to;
    }
}

/// A quote that delimits a string at depth `d` has `2^(d-1) - 1` backslashes of its own; before them there may be any
/// number of `2^d`, which belong to the content.
pub(super) fn depth_of_quote(text: &[u8], quote: usize) -> usize {
    let run = quote - backslashes_before(text, quote);
    run.trailing_ones() as usize + 1
}

/// Where the run of backslashes begins that ends at `at`.
pub(super) fn backslashes_before(text: &[u8], at: usize) -> usize {
    text[..at].iter().rposition(|&byte| byte != b'\\').map_or(0, |other| other + 1)
}

/// The last byte before a quote and its backslashes that is no blank, escaped or not.
fn significant_before(text: &[u8], quote: usize) -> Option<u8> {
    let mut end = backslashes_before(text, quote);
    loop {
        match text[..end] {
            [.., b'\\', b'n' | b'r' | b't'] => end = backslashes_before(text, end - 1),
            [.., b' ' | b'\t' | b'\n' | b'\r'] => end -= 1,
            [.., byte] => return Some(byte),
            [] => return None,
        }
    }
}

fn significant_after(text: &[u8], quote: usize) -> Option<u8> {
    text[quote + 1..].iter().copied().find(|byte| !byte.is_ascii_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn depth(text: &str) -> u32 {
        let start = text.find('/').unwrap();
        Quotes::new(text.as_bytes()).depth_of(start..start + 2)
    }

    #[test]
    fn a_string_of_json_inside_prose_is_told_from_other_quotes() {
        for (text, expected) in [
            ("see /x now", 0),
            (r#"got {"path": "/x", "n": 1} here"#, 1),
            (r#"got {"/x": 1} here"#, 1),
            (r#"["/x"]"#, 1),
            (r#""cwd": "/x""#, 1),
            (r#"open("/x")"#, 0),
            (r#"he said "/x" twice"#, 0),
            (r#"{"a":"{\"b\":\"/x\"}"} and"#, 2),
            (r#"{"a":"{\n  \"b\": [\n \"/x\"]}"} and"#, 2),
            (r#"{"a": "b"} /x {"c": "d"}"#, 0),
            (r#"{"a": "/x never closed"#, 0),
            (r#"{"a": "/x C:\\", "b": 1} and"#, 1),
        ] {
            assert_eq!(depth(text), expected, "{text}");
        }
    }
}
