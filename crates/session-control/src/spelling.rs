//! JSON and quoted text in the spelling of the original's language, byte for byte: whoever compares texts finds no
//! difference between its answers and ours (formats/convocate.md §4, §10).

use std::io;

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
}
