//! The strings of a JSON text, found without building anything.
//!
//! Nothing here recurses: a text that is nested 100,000 deep costs 100,000 bits. Invalid UTF-8 inside a string is let
//! pass, since transcripts have it and their readers do.

use std::ops::Range;

/// Member names are remembered this deep; what is nested deeper has none.
const NAMED_DEPTH: usize = 64;

/// One string of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct JsonString {
    /// What stands between the quotes.
    pub(super) inside: Range<usize>,
    /// Whether it is the name of a member.
    pub(super) is_key: bool,
    /// The name of the member that the string is in, between its quotes; of a name: the member that its object is in.
    /// Empty if there is none.
    pub(super) member: Range<usize>,
}

/// The text is not JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotJson;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expect {
    Value,
    ValueOrEnd,
    Key,
    KeyOrEnd,
    Colon,
    CommaOrEnd,
    Nothing,
}

/// Reads one JSON text from its beginning to its end.
pub(super) struct Lexer<'t> {
    text: &'t [u8],
    at: usize,
    expect: Expect,
    open: Nesting,
    /// By depth: the name of the member in hand, or of the one that holds the array.
    names: Vec<Range<usize>>,
}

impl<'t> Lexer<'t> {
    pub(super) fn new(text: &'t [u8]) -> Self {
        Self { text, at: 0, expect: Expect::Value, open: Nesting::default(), names: Vec::new() }
    }

    /// The next string, in order; `None` at the end of a text that is well-formed JSON throughout.
    pub(super) fn next_string(&mut self) -> Result<Option<JsonString>, NotJson> {
        loop {
            let Some(byte) = self.skip_blanks() else {
                return if self.expect == Expect::Nothing { Ok(None) } else { Err(NotJson) };
            };
            let (expect, start) = (self.expect, self.at);
            self.at += 1;
            match (byte, expect) {
                (b'"', Expect::Key | Expect::KeyOrEnd) => return self.key().map(Some),
                (b'"', Expect::Value | Expect::ValueOrEnd) => return self.string_value().map(Some),
                (b'{', Expect::Value | Expect::ValueOrEnd) => self.enter(true),
                (b'[', Expect::Value | Expect::ValueOrEnd) => self.enter(false),
                (b'}', Expect::KeyOrEnd | Expect::CommaOrEnd) => self.leave(true)?,
                (b']', Expect::ValueOrEnd | Expect::CommaOrEnd) => self.leave(false)?,
                (b':', Expect::Colon) => self.expect = Expect::Value,
                (b',', Expect::CommaOrEnd) => {
                    self.expect = if self.open.in_object() { Expect::Key } else { Expect::Value };
                }
                (_, Expect::Value | Expect::ValueOrEnd) => {
                    self.at = scalar_end(self.text, start)?;
                    self.after_value();
                }
                _ => return Err(NotJson),
            }
        }
    }

    fn key(&mut self) -> Result<JsonString, NotJson> {
        let inside = self.string_body()?;
        let depth = self.open.depth;
        let member = if depth >= 2 { self.name_at(depth - 2) } else { 0..0 };
        if let Some(name) = self.names.get_mut(depth - 1) {
            *name = inside.clone();
        }
        self.expect = Expect::Colon;
        Ok(JsonString { inside, is_key: true, member })
    }

    fn string_value(&mut self) -> Result<JsonString, NotJson> {
        let inside = self.string_body()?;
        let member = self.open.depth.checked_sub(1).map_or(0..0, |depth| self.name_at(depth));
        self.after_value();
        Ok(JsonString { inside, is_key: false, member })
    }

    fn name_at(&self, depth: usize) -> Range<usize> {
        self.names.get(depth).cloned().unwrap_or(0..0)
    }

    fn enter(&mut self, object: bool) {
        let depth = self.open.depth;
        if depth < NAMED_DEPTH {
            let inherited = depth.checked_sub(1).map_or(0..0, |outer| self.name_at(outer));
            self.names.truncate(depth);
            self.names.push(if object { 0..0 } else { inherited });
        }
        self.open.push(object);
        self.expect = if object { Expect::KeyOrEnd } else { Expect::ValueOrEnd };
    }

    fn leave(&mut self, object: bool) -> Result<(), NotJson> {
        if self.open.depth == 0 || self.open.in_object() != object {
            return Err(NotJson);
        }
        self.open.pop();
        self.after_value();
        Ok(())
    }

    fn after_value(&mut self) {
        self.expect = if self.open.depth == 0 { Expect::Nothing } else { Expect::CommaOrEnd };
    }

    fn skip_blanks(&mut self) -> Option<u8> {
        loop {
            match self.text.get(self.at)? {
                b' ' | b'\t' | b'\n' | b'\r' => self.at += 1,
                &byte => return Some(byte),
            }
        }
    }

    /// From behind the opening quote to behind the closing one.
    fn string_body(&mut self) -> Result<Range<usize>, NotJson> {
        let start = self.at;
        loop {
            self.at = plain_end(self.text, self.at);
            match self.text.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(start..self.at - 1);
                }
                Some(b'\\') => self.at = escape_end(self.text, self.at)?,
                _ => return Err(NotJson),
            }
        }
    }
}

/// Whether the text is one JSON value and nothing else.
pub(super) fn is_json(text: &[u8]) -> bool {
    let mut lexer = Lexer::new(text);
    loop {
        match lexer.next_string() {
            Ok(Some(_)) => {}
            Ok(None) => return true,
            Err(NotJson) => return false,
        }
    }
}

/// Where the run of ordinary string content that begins at `at` ends: at a quote, a backslash or a control character.
///
/// Most runs are a few words or many kilobytes long: words of eight bytes find the end of the short ones, and strides of
/// which the compiler makes vector instructions pass over the long ones.
fn plain_end(text: &[u8], mut at: usize) -> usize {
    const STRIDE: usize = 32;
    // in numbers, not in truth values: only so do vectors come of it
    let special = |byte: u8| u8::from(byte < 0x20) | u8::from(byte == b'"') | u8::from(byte == b'\\');
    loop {
        for _ in 0..STRIDE / 8 {
            let Some(word) = text[at..].first_chunk() else {
                let last = text[at..].iter().position(|&byte| special(byte) != 0);
                return last.map_or(text.len(), |more| at + more);
            };
            let found = special_bytes(u64::from_le_bytes(*word));
            if found != 0 {
                return at + found.trailing_zeros() as usize / 8;
            }
            at += 8;
        }
        while let Some(stride) = text[at..].first_chunk::<STRIDE>()
            && stride.iter().fold(0, |any, &byte| any | special(byte)) == 0
        {
            at += STRIDE;
        }
    }
}

/// The high bits of the bytes that end a run; exact for the lowest of them, which is the first in the text.
fn special_bytes(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 255;
    const HIGH: u64 = ONES << 7;
    let equal = |byte: u8| {
        let zero_there = word ^ (ONES * u64::from(byte));
        zero_there.wrapping_sub(ONES) & !zero_there
    };
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    (equal(b'"') | equal(b'\\') | control) & HIGH
}

fn escape_end(text: &[u8], backslash: usize) -> Result<usize, NotJson> {
    match text.get(backslash + 1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(backslash + 2),
        Some(b'u') => match text.get(backslash + 2..backslash + 6) {
            Some(digits) if digits.iter().all(u8::is_ascii_hexdigit) => Ok(backslash + 6),
            _ => Err(NotJson),
        },
        _ => Err(NotJson),
    }
}

fn scalar_end(text: &[u8], start: usize) -> Result<usize, NotJson> {
    for word in ["true", "false", "null"] {
        if text[start..].starts_with(word.as_bytes()) {
            return Ok(start + word.len());
        }
    }
    number_end(text, start).ok_or(NotJson)
}

fn number_end(text: &[u8], start: usize) -> Option<usize> {
    let digits = |from: usize| {
        let count = text[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        (count > 0).then_some(from + count)
    };
    let mut at = start + usize::from(text[start] == b'-');
    at = if text.get(at) == Some(&b'0') { at + 1 } else { digits(at)? };
    if text.get(at) == Some(&b'.') {
        at = digits(at + 1)?;
    }
    if let Some(b'e' | b'E') = text.get(at) {
        let signed = matches!(text.get(at + 1), Some(b'+' | b'-'));
        at = digits(at + 1 + usize::from(signed))?;
    }
    Some(at)
}

/// Which brackets are open: one bit each.
#[derive(Debug, Default)]
struct Nesting {
    depth: usize,
    objects: Vec<u64>,
}

impl Nesting {
    fn push(&mut self, object: bool) {
        let (word, bit) = (self.depth / 64, self.depth % 64);
        if word == self.objects.len() {
            self.objects.push(0);
        }
        self.objects[word] = (self.objects[word] & !(1 << bit)) | (u64::from(object) << bit);
        self.depth += 1;
    }

    fn pop(&mut self) {
        self.depth -= 1;
    }

    fn in_object(&self) -> bool {
        self.depth.checked_sub(1).is_some_and(|top| self.objects[top / 64] >> (top % 64) & 1 == 1)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn strings(text: &str) -> Vec<(String, bool, String)> {
        let mut lexer = Lexer::new(text.as_bytes());
        let mut found = Vec::new();
        while let Some(it) = lexer.next_string().unwrap() {
            found.push((text[it.inside].to_owned(), it.is_key, text[it.member].to_owned()));
        }
        found
    }

    #[test]
    fn every_string_is_found_with_the_member_it_is_in() {
        let text = r#"{"a":"1","b":["2",["3",{"c":"4"}],"5"],"d":{"e":"6"},"f\"":"7"}"#;
        let values: Vec<String> = strings(text)
            .into_iter()
            .map(|(inside, is_key, member)| format!("{member}{}{inside}", if is_key { "." } else { "=" }))
            .collect();
        let expected =
            [".a", "a=1", ".b", "b=2", "b=3", "b.c", "c=4", "b=5", ".d", "d.e", "e=6", r#".f\""#, r#"f\"=7"#];
        assert_eq!(values, expected);
        assert_eq!(strings(r#" "alone" "#), [("alone".into(), false, String::new())]);
    }

    #[test]
    fn a_text_nested_beyond_any_stack_is_read() {
        let deep = |n: usize| [vec![b'['; n], vec![b']'; n]].concat();
        assert!(is_json(&deep(1_000_000)));
        assert!(!is_json(&deep(1_000_000)[1..]));
    }

    #[test]
    fn invalid_utf8_in_a_string_does_not_make_a_line_invalid() {
        assert!(is_json(b"{\"a\":\"\xff\xfe\"}"));
        assert!(is_json(br#""\ud83d lone""#));
        assert!(!is_json(b"\xef\xbb\xbf{}"), "a byte order mark");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases * 8))]

        #[test]
        fn what_is_json_is_what_serde_json_takes_for_json(text in r#"[\[\]{}:,"\\ un0123456789abtrefalsn\-+.eE/\t]{0,24}"#) {
            let theirs = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
            prop_assert_eq!(is_json(text.as_bytes()), theirs, "{}", text);
        }

        #[test]
        fn damaged_json_is_judged_as_serde_json_judges_it(cut in 0usize..80, byte in any::<u8>()) {
            let mut text = br#"{"a":[1,-0.5e+3,true,null,{"b\n":"c\u00e9\\"}],"d":"","e":{},"f":[]} "#.to_vec();
            if cut < text.len() { text[cut] = byte; } else { text.truncate(cut - 40); }
            let theirs = serde_json::from_slice::<serde::de::IgnoredAny>(&text).is_ok();
            prop_assert_eq!(is_json(&text), theirs, "{}", String::from_utf8_lossy(&text));
        }
    }
}
