//! What a fuzzer tries, and a test on its corpus.

use serde_json::{Map, Value};
use session_store::Document;

const KEY: &str = "a key that no store has";
const ENTRY: &str = "{\"session_id\": \"s\"}";

/// Whatever the bytes are: what is read is what `serde_json` reads, every byte stays that nobody changes, and what is changed
/// is still a store.
pub(crate) fn edit(bytes: &[u8]) {
    let theirs =
        serde_json::from_slice::<Map<String, Value>>(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes));
    let document = match Document::parse(bytes) {
        Ok(document) => document,
        Err(error) => {
            assert!(theirs.is_err() && error.line > 0 && error.column > 0);
            return;
        }
    };
    let is_blank = theirs.as_ref().is_err_and(serde_json::Error::is_eof);
    assert!(is_blank || document.to_string().as_bytes() == bytes);
    if let Ok(theirs) = theirs {
        let ours = document.entries();
        assert_eq!(ours.len(), theirs.len());
        for (key, entry) in ours {
            assert_eq!(serde_json::from_str::<Value>(entry).unwrap(), theirs[&*key]);
        }
    }
    if document.get(KEY).is_some() {
        return;
    }
    let grown = document.with_new_entries([(KEY, ENTRY)]);
    let mut grown = Document::parse(&grown).unwrap();
    assert_eq!(grown.get(KEY), Some(ENTRY));
    grown.set(KEY, "label", "1").unwrap();
    assert!(grown.unset(KEY, "label").unwrap() && grown.get(KEY) == Some(ENTRY));
    assert!(grown.remove(KEY));
    assert!(document.entries().is_empty() || grown == document);
}

#[test]
fn what_a_store_met_once_it_stands_for_ever() {
    let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/store");
    let seeds: Vec<_> = std::fs::read_dir(corpus).unwrap().map(Result::unwrap).collect();
    assert!(!seeds.is_empty());
    for seed in seeds {
        edit(&std::fs::read(seed.path()).unwrap());
    }
}
