//! What stands in a store stays as it is spelled, whatever its layout.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use session_store::{Document, EditError};

const ENTRY: &str = "{\n    \"session_id\": \"new\",\n    \"updated_at\": 1\n  }";

fn value(text: &str) -> Map<String, Value> {
    serde_json::from_str(text.trim_start_matches('\u{feff}')).unwrap()
}

fn grown(store: &str) -> String {
    let document = Document::parse(store.as_bytes()).unwrap();
    String::from_utf8(document.with_new_entries([("k", ENTRY), ("k\"2", ENTRY)])).unwrap()
}

#[test]
fn a_new_store_looks_as_its_readers_would_write_it() {
    let expected = format!("{{\n  \"k\": {ENTRY},\n  \"k\\\"2\": {ENTRY}\n}}\n");
    assert_eq!(grown(""), expected);
    assert_eq!(grown(" \r\n"), expected);
    assert_eq!(grown("{ }\n"), expected);
}

#[test]
fn entries_that_are_there_keep_every_byte_whatever_the_layout() {
    for (store, behind_the_last_value) in [
        ("{\n  \"a\": {\"x\": 1.0, \"y\": \"\\u00e9\"}\n}\n", "\n}\n"),
        ("\u{feff}{\r\n\t\"a\" :{\"x\":1e3}\r\n}\r\n", "\r\n}\r\n"),
        ("{\"a\":{\"x\":\"\\ud83d\"}}", "}"),
        ("{ \"a\": 7, \"a\": null }  ", " }  "),
    ] {
        let grown = grown(store);
        let kept = store.strip_suffix(behind_the_last_value).unwrap();
        assert!(grown.starts_with(kept) && grown.ends_with(behind_the_last_value), "{grown}");
        let document = Document::parse(grown.as_bytes()).unwrap();
        let keys: Vec<_> = document.entries().into_iter().map(|(key, _)| key.into_owned()).collect();
        assert_eq!(keys, ["a", "k", "k\"2"]);
        assert_eq!(value(document.get("k").unwrap()), value(ENTRY));
    }
}

#[test]
fn a_new_entry_is_indented_as_the_others_are() {
    for (line, indent) in [("\n", "  "), ("\n", "    "), ("\n", "\t"), ("\r\n", "\t"), ("\n", "")] {
        let of = |entries: &str| format!("{{{line}{indent}\"a\": {{}}{entries}{line}}}{line}");
        let entry = concat!(
            "{\n    \"label\": \"[\\\"{\\n\",\n    \"list\": [\n      1,\n      {}\n    ],\n    ",
            "\"flat\": [1, {\"x\": 2}]\n  }"
        );
        let at = |depth: usize| format!("{line}{}", indent.repeat(depth));
        let expected = of(&format!(
            ",{}\"k\": {{{}\"label\": \"[\\\"{{\\n\",{}\"list\": [{}1,{}{{}}{}],{}\"flat\": [1, {{\"x\": 2}}]{}}}",
            at(1),
            at(2),
            at(2),
            at(3),
            at(3),
            at(2),
            at(2),
            at(1)
        ));
        let mut document = Document::parse(of("").as_bytes()).unwrap();
        assert_eq!(document.with_new_entries([("k", entry)]), expected.as_bytes(), "{indent:?}");
        document.insert("k", entry).unwrap();
        assert_eq!(document.to_string(), expected);
        assert_eq!(document.with_new_entries([]), expected.as_bytes(), "laid out already, it stays");
    }
}

#[test]
fn a_key_that_stands_there_twice_is_told_and_the_last_entry_counts() {
    let document = Document::parse(br#"{"a": 1, "b": 2, "\u0061": 3, "a": 4}"#).unwrap();
    assert_eq!(document.repeated(), ["a", "a"]);
    assert_eq!(document.entries(), [("b".into(), "2"), ("a".into(), "4")]);
}

#[test]
fn a_store_that_cannot_be_read_is_named_by_line_and_column_without_its_content() {
    for (bytes, line, column, reason) in [
        (&b"{\n  \"a\": {\n"[..], 3, 1, "end of the file"),
        (b"{\"a\": NaN}", 1, 7, "something else"),
        (b"\xef\xbb\xbf{\"a\" 1}", 1, 9, "something else"),
        (b"{}\n{}", 2, 1, "something else"),
        (b"\n [1]", 2, 2, "another value"),
        (b"{\n\"a\": \"\xff\"}", 2, 7, "other bytes"),
    ] {
        let error = Document::parse(bytes).unwrap_err();
        assert!(error.reason.contains(reason), "{error}");
        assert_eq!((error.line, error.column), (line, column), "{error} of {bytes:?}");
    }
}

#[test]
fn a_change_to_one_entry_leaves_unknown_fields_and_all_others_to_the_byte() {
    let store = "{\n  \"a\": {\n    \"label\": \"x\",\n    \"odd\": [1,  2]\n  },\n  \"b\": {}\n}\n";
    let mut document = Document::parse(store.as_bytes()).unwrap();
    document.set("a", "label", "\"y\"").unwrap();
    document.set("b", "count", "3").unwrap();
    document.set("a", "more", "true").unwrap();
    assert_eq!(
        document.to_string(),
        "{\n  \"a\": {\n    \"label\": \"y\",\n    \"odd\": [1,  2],\n    \"more\": true\n  },\n  \
         \"b\": {\n    \"count\": 3\n  }\n}\n"
    );
    assert!(document.unset("a", "label").unwrap() && !document.unset("a", "label").unwrap());
    assert!(document.remove("b") && !document.remove("b"));
    assert_eq!(document.to_string(), "{\n  \"a\": {\n    \"odd\": [1,  2],\n    \"more\": true\n  }\n}\n");
    assert_eq!(document.set("c", "x", "1"), Err(EditError::NoEntry("c".into())));
    assert_eq!(document.set("a", "x", "1 2"), Err(EditError::NotJson("a".into())));
    assert_eq!(document.insert("a", "[]"), Err(EditError::NotJson("a".into())));
    assert!(document.remove("a"));
    assert_eq!(document.to_string(), "{}\n");
}

fn store() -> impl Strategy<Value = Map<String, Value>> {
    let leaf = prop_oneof![any::<i64>().prop_map(Value::from), ".*".prop_map(Value::from), Just(json!(null))];
    let entry = proptest::collection::hash_map(".{0,6}", leaf, 0..4);
    proptest::collection::hash_map(".{0,6}", entry, 0..5)
        .prop_map(|store| store.into_iter().map(|(key, entry)| (key, entry.into_iter().collect())).collect())
}

fn spelled(store: &Map<String, Value>, layout: u8) -> String {
    match layout {
        0 => serde_json::to_string(store).unwrap(),
        1 => serde_json::to_string_pretty(store).unwrap() + "\n",
        _ => "\u{feff}".to_owned() + &serde_json::to_string_pretty(store).unwrap().replace('\n', "\r\n"),
    }
}

proptest! {
    #[test]
    fn what_is_read_is_what_others_read_and_comes_back_to_the_byte(store in store(), layout in 0u8..3) {
        let text = spelled(&store, layout);
        let document = Document::parse(text.as_bytes()).unwrap();
        prop_assert_eq!(document.to_string(), text);
        let read: Map<String, Value> = document
            .entries()
            .into_iter()
            .map(|(key, entry)| (key.into_owned(), serde_json::from_str(entry).unwrap()))
            .collect();
        prop_assert_eq!(read, store);
    }

    #[test]
    fn whatever_is_changed_others_read_just_that(
        mut store in store(), layout in 0u8..3, pick in any::<prop::sample::Index>(), member in ".{0,4}", what in 0u8..5,
    ) {
        let mut document = Document::parse(spelled(&store, layout).as_bytes()).unwrap();
        let new = json!({"session_id": "s", "é\"": [1]});
        let key = match store.keys().nth(pick.index(store.len() + 1)) {
            Some(key) if what != 0 => key.clone(),
            _ => member.clone(),
        };
        match what {
            0 | 1 => {
                document.insert(&key, &new.to_string()).unwrap();
                store.insert(key, new);
            }
            2 => {
                prop_assert_eq!(document.remove(&key), store.shift_remove(&key).is_some());
            }
            _ => if let Some(Value::Object(entry)) = store.get_mut(&key) {
                if what == 3 {
                    document.set(&key, &member, "[true]").unwrap();
                    entry.insert(member, json!([true]));
                } else {
                    let was_there = entry.shift_remove(&member).is_some();
                    prop_assert_eq!(document.unset(&key, &member).unwrap(), was_there);
                }
            }
        }
        prop_assert_eq!(value(&document.to_string()), store);
    }

    /// An undo by taking the entries away again would be exact.
    #[test]
    fn what_was_added_can_be_taken_away_to_the_byte(store in store(), layout in 0u8..3) {
        prop_assume!(!store.is_empty() && !store.contains_key("k") && !store.contains_key("k\"2"));
        let text = spelled(&store, layout);
        let mut document = Document::parse(grown(&text).as_bytes()).unwrap();
        prop_assert!(document.remove("k") && document.remove("k\"2"));
        prop_assert_eq!(document.to_string(), text);
    }

    #[test]
    fn no_bytes_are_more_than_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
        if let Ok(document) = Document::parse(&bytes) {
            let blank = bytes.iter().all(|byte| b" \t\r\n\xef\xbb\xbf".contains(byte));
            prop_assert!(blank || document.to_string().as_bytes() == bytes);
        }
    }
}
