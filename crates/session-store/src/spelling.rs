//! JSON written with other white space between its tokens, and compared without regard to it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jsonl_stitch::json::{decode, each_element, members, string_inside, value_end};

/// The white space between tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spacing {
    /// A blank after each comma and colon, as Python writes.
    Python,
    /// None, as JavaScript writes.
    Compact,
}

/// A well-formed value whose lines, if there are several, begin as those of what is around it: with this indentation for
/// each level, the value itself being `depth` deep. Every other byte stays.
pub(crate) fn indented<'v>(json: &'v str, line: &str, indent: &str, depth: usize) -> Cow<'v, str> {
    if !json.contains('\n') {
        return json.into();
    }
    let (mut out, mut rest, mut level) = (String::with_capacity(json.len()), json, depth);
    while let Some(at) = rest.find(['"', '{', '[', '}', ']', '\r', '\n']) {
        let (before, from) = rest.split_at(at);
        out += before;
        let end = match from.as_bytes()[0] {
            b'"' => string_end(from.as_bytes()),
            b'\r' | b'\n' => from.len() - from.trim_start().len(),
            _ => 1,
        };
        let (token, behind) = from.split_at(end);
        rest = behind;
        match token.as_bytes()[0] {
            b'{' | b'[' => level += 1,
            b'}' | b']' => level = level.saturating_sub(1),
            b'\r' | b'\n' => {
                let deep = level - usize::from(level > 0 && rest.starts_with(['}', ']']));
                out += line;
                (0..deep).for_each(|_| out += indent);
                continue;
            }
            _ => {}
        }
        out += token;
    }
    (out + rest).into()
}

/// Appends a well-formed value. Its tokens stay as they are spelled, but for three separators that some readers take for
/// the end of a line: they become escapes (formats/openclaw.md §6, 9).
pub(crate) fn respaced(json: &str, spacing: Spacing, out: &mut Vec<u8>) {
    out.reserve(json.len() + json.len() / 8);
    let mut rest = json.as_bytes();
    loop {
        let quote = memchr::memchr(b'"', rest);
        let (between, string) = rest.split_at(quote.unwrap_or(rest.len()));
        for &byte in between {
            match (byte, spacing) {
                (b' ' | b'\t' | b'\n' | b'\r', _) => {}
                (b',' | b':', Spacing::Python) => out.extend([byte, b' ']),
                _ => out.push(byte),
            }
        }
        if string.is_empty() {
            return;
        }
        let (string, behind) = string.split_at(string_end(string));
        push_on_one_line(string, out);
        rest = behind;
    }
}

/// Behind the closing quote of the string that the bytes begin with.
fn string_end(bytes: &[u8]) -> usize {
    let mut at = 1;
    while let Some(found) = memchr::memchr2(b'"', b'\\', bytes.get(at..).unwrap_or_default()) {
        at += found;
        if bytes[at] == b'"' {
            return at + 1;
        }
        at += 2;
    }
    bytes.len()
}

fn push_on_one_line(string: &[u8], out: &mut Vec<u8>) {
    let mut rest = string;
    while let Some(at) = memchr::memchr2(0xC2, 0xE2, rest) {
        let (escape, len) = match &rest[at..] {
            [0xC2, 0x85, ..] => (&b"\\u0085"[..], 2),
            [0xE2, 0x80, 0xA8, ..] => (&b"\\u2028"[..], 3),
            [0xE2, 0x80, 0xA9, ..] => (&b"\\u2029"[..], 3),
            _ => (&rest[at..=at], 1),
        };
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(escape);
        rest = &rest[at + len..];
    }
    out.extend_from_slice(rest);
}

/// How deep values are compared member by member; what lies deeper is compared as it is spelled.
const DEEPEST: u32 = 64;

/// Whether two well-formed values say the same: white space, the order of members and the spelling of strings do not
/// count, and of members of one name the last does. Whole numbers are compared digit by digit.
pub fn says_the_same(a: &str, b: &str) -> bool {
    a == b || at_depth(a.trim(), b.trim(), 0)
}

/// Whether one object says all that another does: each of its members, with a value that says the same.
pub fn says_all_of(object: &str, other: &str) -> bool {
    let (Some(object), Some(other)) = (by_name(object.trim()), by_name(other.trim())) else { return false };
    other.iter().all(|(name, value)| object.get(name).is_some_and(|found| says_the_same(found, value)))
}

fn at_depth(a: &str, b: &str, depth: u32) -> bool {
    if a == b {
        return true;
    }
    let kind = |json: &str| json.bytes().next().unwrap_or_default();
    match (kind(a), kind(b)) {
        (b'"', b'"') => inside(a) == inside(b),
        (b'{' | b'[', b'{' | b'[') if depth == DEEPEST => {
            let compact = |json: &str| {
                let mut out = Vec::new();
                respaced(json, Spacing::Compact, &mut out);
                out
            };
            compact(a) == compact(b)
        }
        (b'{', b'{') => same_objects(a, b, depth),
        (b'[', b'[') => {
            let (Some(a), Some(b)) = (elements(a), elements(b)) else { return false };
            a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| at_depth(a, b, depth + 1))
        }
        (b'-' | b'0'..=b'9', b'-' | b'0'..=b'9') => {
            let is_whole = |json: &str| !json.contains(['.', 'e', 'E']);
            let number = |json: &str| json.parse::<f64>().ok();
            !(is_whole(a) && is_whole(b)) && number(a).is_some_and(f64::is_finite) && number(a) == number(b)
        }
        _ => false,
    }
}

fn inside(string: &str) -> Option<Cow<'_, [u8]>> {
    string_inside(string.as_bytes()).map(decode)
}

fn same_objects(a: &str, b: &str, depth: u32) -> bool {
    let (Some(a), Some(b)) = (by_name(a), by_name(b)) else { return false };
    a.len() == b.len()
        && a.iter()
            .zip(&b)
            .all(|((name, value), (other, found))| name == other && at_depth(value, found, depth + 1))
}

/// The members of an object by their names, the last of each.
fn by_name(object: &str) -> Option<BTreeMap<Cow<'_, [u8]>, &str>> {
    let members = members(object.as_bytes())?;
    Some(
        members
            .into_iter()
            .map(|member| (decode(&object.as_bytes()[member.name]), &object[member.value]))
            .collect(),
    )
}

fn elements(array: &str) -> Option<Vec<&str>> {
    let mut found = Vec::new();
    each_element(array.as_bytes(), 0, |bytes, at| {
        let end = value_end(bytes, at)?;
        found.push(&array[at..end]);
        Some(end)
    })?;
    Some(found)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn spaced(json: &str, spacing: Spacing) -> String {
        let mut out = Vec::new();
        respaced(json, spacing, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn tokens_keep_their_spelling_and_no_reader_sees_a_second_line() {
        let json = "{ \"a\" :\n[1.0,1e3 , 123456789012345678901234567890], \"\\u00e9 \\ud83d, :\": \"é\u{2028}\u{85}x\u{2029}\" , \"e\":{}}";
        let python = "{\"a\": [1.0, 1e3, 123456789012345678901234567890], \"\\u00e9 \\ud83d, :\": \"é\\u2028\\u0085x\\u2029\", \"e\": {}}";
        assert_eq!(spaced(json, Spacing::Python), python);
        assert_eq!(spaced(json, Spacing::Compact).len(), python.len() - 7);
        assert!(says_the_same(json, python));
    }

    #[test]
    fn what_differs_in_a_digit_or_a_member_is_not_the_same() {
        for (a, b, same) in [
            ("1.0", "1", true),
            ("1e3", "1000.0", true),
            ("123456789012345678901234567890", "123456789012345678901234567891", false),
            ("\"\\u00e9\"", "\"é\"", true),
            ("\"\\ud83d\"", "\"\\ud83e\"", false),
            ("{\"a\":1,\"b\":2}", "{\"b\": 2, \"a\": 1}", true),
            ("{\"a\":1,\"a\":2}", "{\"a\": 2}", true),
            ("{\"a\":1}", "{\"a\":1,\"b\":null}", false),
            ("[1,2]", "[2,1]", false),
            ("null", "false", false),
            ("1", "\"1\"", false),
        ] {
            assert_eq!(says_the_same(a, b), same, "{a} {b}");
        }
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let text = || prop_oneof![any::<String>(), Just("\u{85}\u{2028}\\\"\u{2029}".to_owned())];
        let leaf =
            prop_oneof![Just(Value::Null), any::<i64>().prop_map(Value::from), text().prop_map(Value::from)];
        leaf.prop_recursive(4, 24, 5, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::vec((text(), inner), 0..5)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_anew_says_the_same(value in any_value()) {
            let pretty = serde_json::to_string_pretty(&value).unwrap();
            for spacing in [Spacing::Python, Spacing::Compact] {
                let written = spaced(&pretty, spacing);
                prop_assert_eq!(&serde_json::from_str::<Value>(&written).unwrap(), &value);
                prop_assert!(says_the_same(&pretty, &written));
                let is_one_line = !written.contains(['\n', '\u{85}', '\u{2028}', '\u{2029}']);
                prop_assert!(is_one_line);
            }
        }
    }
}
