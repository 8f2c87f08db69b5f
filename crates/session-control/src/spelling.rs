//! JSON and quoted text in the spelling of the original's language, byte for byte: whoever compares texts finds no
//! difference between its answers and ours (formats/convocate.md §4, §10).

use std::io;
use std::iter::repeat_n;

use serde::Serialize;
use serde_json::ser::Formatter;

/// Members in their order, no spaces, and what a web page would take for its own spelled out.
pub(crate) fn json<T: Serialize + ?Sized>(value: &T) -> String {
    let mut text = Vec::new();
    let mut writer = serde_json::Serializer::with_formatter(&mut text, Escaping);
    value.serialize(&mut writer).expect("because only texts, numbers and flags are written, to memory");
    String::from_utf8(text).expect("because JSON is text")
}

struct Escaping;

impl Formatter for Escaping {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = rest.find(['<', '>', '&', '\u{2028}', '\u{2029}']) {
            let (before, from) = rest.split_at(at);
            let mut characters = from.chars();
            let special = characters.next().map_or(0, u32::from);
            write!(writer, "{before}\\u{special:04x}")?;
            rest = characters.as_str();
        }
        writer.write_all(rest.as_bytes())
    }
}

/// JSON as the original takes it, which puts U+FFFD where a text is none: for each such byte, and for half a character
/// that is spelled out. All else stays where it is.
pub(crate) fn text_of(json: &[u8]) -> String {
    let mut text = String::with_capacity(json.len());
    for chunk in json.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(repeat_n('\u{fffd}', chunk.invalid().len()));
    }
    let mut at = 0;
    while let Some(found) = text[at..].find('\\') {
        at += found;
        let taken = match (unit(&text[at..]), unit(text.get(at + 6..).unwrap_or_default())) {
            (Some(0xd800..0xdc00), Some(0xdc00..0xe000)) => 12,
            (Some(0xd800..0xe000), _) => {
                text.replace_range(at..at + 6, "\\ufffd");
                6
            }
            (Some(_), _) => 6,
            (None, _) => 1 + text[at + 1..].chars().next().map_or(0, char::len_utf8),
        };
        at += taken;
    }
    text
}

/// What `\uXXXX` stands for, if the text begins with it.
fn unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    let all = digits.bytes().all(|byte| byte.is_ascii_hexdigit()); // a sign is none
    all.then(|| u16::from_str_radix(digits, 16).ok()).flatten()
}

/// What somebody else says, with nothing in it that a terminal would obey.
pub(crate) fn shown(text: &str) -> String {
    let harmless = |c: &char| matches!(c, '"' | '\'' | '\\');
    text.chars().flat_map(|c| if harmless(&c) { vec![c] } else { c.escape_debug().collect() }).collect()
}

/// A text in quotation marks, with what cannot be printed spelled out.
pub(crate) fn quoted(text: &str) -> String {
    let spelled: String = text.chars().map(spelled).collect();
    format!("\"{spelled}\"")
}

fn spelled(c: char) -> String {
    match (c, u32::from(c)) {
        ('"' | '\\', _) => format!("\\{c}"),
        ('\'', _) => "'".to_owned(),
        ('\n', _) => "\\n".to_owned(),
        ('\r', _) => "\\r".to_owned(),
        ('\t', _) => "\\t".to_owned(),
        (_, 7) => "\\a".to_owned(),
        (_, 8) => "\\b".to_owned(),
        (_, 11) => "\\v".to_owned(),
        (_, 12) => "\\f".to_owned(),
        (_, code @ (..0x20 | 0x7f)) => format!("\\x{code:02x}"),
        // What can be printed is what Rust takes for printable; both follow Unicode.
        _ if c.escape_debug().len() == 1 => c.to_string(),
        (_, code @ ..0x1_0000) => format!("\\u{code:04x}"),
        (_, code) => format!("\\U{code:08x}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_what_the_original_would_have_written() {
        let odd = "<a href='x'>&\u{2028}\u{2029}\u{7f}\u{1}\u{8}\u{c}\n\"\\\u{e9}";
        assert_eq!(
            json(odd),
            "\"\\u003ca href='x'\\u003e\\u0026\\u2028\\u2029\u{7f}\\u0001\\b\\f\\n\\\"\\\\\u{e9}\""
        );
        assert_eq!(quoted("a\"b\\\u{1b}\u{0}\n\u{e9}'\u{200b}"), "\"a\\\"b\\\\\\x1b\\x00\\n\u{e9}'\\u200b\"");
    }

    #[test]
    fn what_is_no_text_becomes_one_as_with_the_original() {
        for (said, taken) in [
            (r"\ud800", r"\ufffd"),
            (r"\uDC00\uD800x", r"\ufffd\ufffdx"),
            (r"\ud83d\ude00", r"\ud83d\ude00"),
            (r"\ud800\ud83d\ude00\ud83d", r"\ufffd\ud83d\ude00\ufffd"),
            (r"\\ud800 \", r"\\ud800 \"),
            (r"\u+123\ud80", r"\u+123\ud80"),
        ] {
            assert_eq!(text_of(said.as_bytes()), taken);
        }
        // Two bytes of three, and one that begins nothing.
        assert_eq!(text_of(b"a\xe2\x82b\xffc\xc3\xa9\\\xff"), "a\u{fffd}\u{fffd}b\u{fffd}c\u{e9}\\\u{fffd}");
    }
}
