//! The strings of a JSON text, found without building anything.
//!
//! Nothing here recurses: a text that is nested 100,000 deep costs 100,000 bits. Invalid UTF-8 inside a string is let
//! pass, since transcripts have it and their readers do.

use std::ops::Range;

use jsonl_stitch::json::{Nesting, scalar_end};

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
                    self.expect = if self.open.top() == Some(true) { Expect::Key } else { Expect::Value };
                }
                (_, Expect::Value | Expect::ValueOrEnd) => {
                    self.at = scalar_end(self.text, start).ok_or(NotJson)?;
                    self.after_value();
                }
                _ => return Err(NotJson),
            }
        }
    }

    fn key(&mut self) -> Result<JsonString, NotJson> {
        let inside = self.string_body()?;
        let depth = self.open.depth();
        let member = if depth >= 2 { self.name_at(depth - 2) } else { 0..0 };
        if let Some(name) = self.names.get_mut(depth - 1) {
            *name = inside.clone();
        }
        self.expect = Expect::Colon;
        Ok(JsonString { inside, is_key: true, member })
    }

    fn string_value(&mut self) -> Result<JsonString, NotJson> {
        let inside = self.string_body()?;
        let member = self.open.depth().checked_sub(1).map_or(0..0, |depth| self.name_at(depth));
        self.after_value();
        Ok(JsonString { inside, is_key: false, member })
    }

    fn name_at(&self, depth: usize) -> Range<usize> {
        self.names.get(depth).cloned().unwrap_or(0..0)
    }

    fn enter(&mut self, object: bool) {
        let depth = self.open.depth();
        if depth < NAMED_DEPTH {
            let inherited = depth.checked_sub(1).map_or(0..0, |outer| self.name_at(outer));
            self.names.truncate(depth);
            self.names.push(if object { 0..0 } else { inherited });
        }
        self.open.push(object);
        self.expect = if object { Expect::KeyOrEnd } else { Expect::ValueOrEnd };
    }

    fn leave(&mut self, object: bool) -> Result<(), NotJson> {
        if self.open.top() != Some(object) {
            return Err(NotJson);
        }
        self.open.pop();
        self.after_value();
        Ok(())
    }

    fn after_value(&mut self) {
        self.expect = if self.open.depth() == 0 { Expect::Nothing } else { Expect::CommaOrEnd };
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
        self.at = scalar_end(self.text, start - 1).ok_or(NotJson)?;
        Ok(start..self.at - 1)
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

    fn reads(text: &[u8]) -> bool {
        let mut lexer = Lexer::new(text);
        std::iter::from_fn(|| lexer.next_string().transpose()).all(|string| string.is_ok())
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
        assert!(reads(&deep(1_000_000)));
        assert!(!reads(&deep(1_000_000)[1..]));
    }

    #[test]
    fn invalid_utf8_in_a_string_does_not_make_a_line_invalid() {
        assert!(reads(b"{\"a\":\"\xff\xfe\"}"));
        assert!(reads(br#""\ud83d lone""#));
        assert!(!reads(b"\xef\xbb\xbf{}"), "a byte order mark");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases * 8))]

        #[test]
        fn what_is_read_to_its_end_is_what_serde_json_takes_for_json(text in r#"[\[\]{}:,"\\ un0123456789abtrefalsn\-+.eE/\t]{0,24}"#) {
            let theirs = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
            prop_assert_eq!(reads(text.as_bytes()), theirs, "{}", text);
        }

        #[test]
        fn damaged_json_is_judged_as_serde_json_judges_it(cut in 0usize..80, byte in any::<u8>()) {
            let mut text = br#"{"a":[1,-0.5e+3,true,null,{"b\n":"c\u00e9\\"}],"d":"","e":{},"f":[]} "#.to_vec();
            if cut < text.len() { text[cut] = byte; } else { text.truncate(cut - 40); }
            let theirs = serde_json::from_slice::<serde::de::IgnoredAny>(&text).is_ok();
            prop_assert_eq!(reads(&text), theirs, "{}", String::from_utf8_lossy(&text));
        }
    }
}
