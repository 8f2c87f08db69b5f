//! The scanner beside `serde_json`, on whatever bytes there are.

use jsonl_stitch::json::{decode, encode, is_truthy, value_end};
use proptest::prelude::*;
use serde_json::Value;

use crate::exercise::{Decoded, agree};

fn string() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(
        &[
            "a",
            "b",
            " ",
            "é",
            "日",
            "😀",
            "{",
            "}",
            "[",
            ":",
            ",",
            "'",
            "\\\"",
            "\\\\",
            "\\/",
            "\\n",
            "\\u00e9",
            "\\ud83d\\ude00",
            "\\udc00",
            "\\ud800",
            "\\u0041",
            "abcdefghijklmnopqrstuvwxyz",
            "\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\",
        ][..],
    );
    prop::collection::vec(piece, 0..40).prop_map(|pieces| format!("\"{}\"", pieces.concat()))
}

fn value() -> impl Strategy<Value = String> {
    let scalar = prop_oneof![
        string(),
        prop::sample::select(
            &[
                "true",
                "false",
                "null",
                "0",
                "-0",
                "1",
                "-12.5e+30",
                "1E9",
                "0.1",
                "123456789012345678901234567890"
            ][..]
        )
        .prop_map(str::to_owned),
    ];
    let space = prop::sample::select(&["", " ", "\t", "\r\n "][..]);
    scalar.prop_recursive(5, 60, 6, move |inner| {
        let separated = (space.clone(), prop::collection::vec(inner.clone(), 0..6));
        let array = separated
            .prop_map(|(space, values)| format!("[{space}{}{space}]", values.join(&format!("{space},"))));
        let member = (string(), inner).prop_map(|(name, value)| format!("{name}:{value}"));
        let members = (space.clone(), prop::collection::vec(member, 0..6));
        let object = members
            .prop_map(|(space, members)| format!("{space}{{{}}}{space}", members.join(&format!(",{space}"))));
        prop_oneof![array, object]
    })
}

/// Bytes that are near to JSON: a byte is put somewhere, taken away or changed.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        4 => prop::sample::select(&b"\"\\{}[]:,0-.eEu+tfn \x00\x1f\x7f\xff\xc3\xed\n"[..]),
        1 => any::<u8>(),
    ];
    let change = (0..3_u8, any::<prop::sample::Index>(), byte);
    (value(), prop::collection::vec(change, 0..3)).prop_map(|(text, changes)| {
        let mut bytes = text.into_bytes();
        for (how, at, byte) in changes {
            let at = at.index(bytes.len() + 1);
            match how {
                0 => bytes.insert(at, byte),
                1 if at < bytes.len() => drop(bytes.remove(at)),
                _ if at < bytes.len() => bytes[at] = byte,
                _ => {}
            }
        }
        bytes
    })
}

proptest! {
    #![proptest_config(crate::times(8))]

    #[test]
    fn what_is_json_to_others_is_json_here(bytes in mutated()) {
        agree(&bytes);
    }

    #[test]
    fn what_is_noise_to_others_is_noise_here(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        agree(&bytes);
        agree(&[b"\"", &bytes[..]].concat());
    }

    #[test]
    fn a_string_is_decoded_as_others_decode_it_and_written_so_that_they_read_it_again(text in string()) {
        let expected: Decoded = serde_json::from_str(&text).unwrap();
        let decoded = decode(&text.as_bytes()[1..text.len() - 1]);
        prop_assert_eq!(&*decoded, &expected.0[..]);
        let again: Decoded = serde_json::from_slice(&encode(&decoded)).unwrap();
        prop_assert_eq!(again, expected);
    }

    #[test]
    fn a_value_is_true_when_javascript_says_so(text in value()) {
        let text = text.trim();
        let expected = match serde_json::from_str(text) {
            Ok(Value::Null | Value::Bool(false)) => false,
            Ok(Value::Number(number)) => number.as_f64() != Some(0.0),
            _ => text != "\"\"",
        };
        prop_assert_eq!(is_truthy(text.as_bytes()), expected);
    }
}

#[test]
fn quotes_and_escapes_on_the_borders_of_blocks_end_a_string_where_it_ends() {
    let marks =
        ["\"", "\\\"", "\\\\", "\\\\\\", "\\u0041", "\\u004", "\\x", "\u{1}", "é", "\\\\\\\\\"", "\\ud800"];
    for length in 0..200 {
        for mark in marks {
            let text = format!("\"{}{mark}", "a".repeat(length));
            for more in ["", "\"", "bc\"", "\\\"\"", &"d".repeat(70), &format!("{}\" ", "e".repeat(70))] {
                agree(format!("{text}{more}").as_bytes());
                agree(format!("{{{text}{more}:1}}").as_bytes());
            }
        }
    }
}

#[test]
fn numbers_are_what_json_says_they_are() {
    for number in [
        "0",
        "-0",
        "00",
        "01",
        "-",
        "+1",
        "1.",
        ".5",
        "1.5",
        "1e",
        "1e+",
        "1e-7",
        "1E+07",
        "0e0",
        "0.0e-0",
        "-1.0",
        "1e999",
        "1-",
        "--1",
        "0x1",
        "1_0",
        "Infinity",
        "NaN",
        "1.5.5",
        "1e5e5",
        "9".repeat(400).as_str(),
    ] {
        agree(number.as_bytes());
        agree(format!("[{number}]").as_bytes());
        agree(format!("{{\"a\":{number},\"b\":1}}").as_bytes());
    }
}

#[test]
fn a_hundred_thousand_levels_are_no_reason_to_fall_over() {
    const DEEP: usize = 100_000;
    let mixed = |open: &str, close: &str| format!("{}1{}", open.repeat(DEEP), close.repeat(DEEP));
    for text in [mixed("[", "]"), mixed("{\"a\":", "}"), mixed("[{\"a\":", "}]")] {
        assert_eq!(value_end(text.as_bytes(), 0), Some(text.len()));
        assert_eq!(value_end(&text.as_bytes()[..text.len() - 1], 0), None);
        agree(format!("{{\"deep\":{text}}}").as_bytes());
    }
    let crossed = format!("{}1{}", "[{\"a\":".repeat(DEEP), "]}".repeat(DEEP));
    assert_eq!(value_end(crossed.as_bytes(), 0), None);
}

#[test]
fn what_is_no_text_is_decoded_as_javascript_does() {
    assert_eq!(&*decode(b"a\xFFb\xC3"), "a\u{FFFD}b\u{FFFD}".as_bytes());
    assert_eq!(&*decode(b"\xFF\\u0061\xC3\\n"), "\u{FFFD}a\u{FFFD}\n".as_bytes());
    // Three raw bytes that look like a surrogate are none; an escape is.
    assert_ne!(decode(b"\xED\xB0\x80"), decode(b"\\udc00"));
}
