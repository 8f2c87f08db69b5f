//! Any bytes as a session file: what others do not take for JSON is none, nothing panics, and every message becomes one
//! line that says the same.

#![no_main]

use std::io::Read;

use legacy_readers::openclaw::{Event, Message, SessionFile};
use libfuzzer_sys::fuzz_target;
use session_store::says_the_same;
use session_store::transcript::{Conversion, Shape, header};

/// The messages of the last series, or nothing if the file is none of a session.
fn messages(input: &[u8]) -> Option<(u32, Vec<String>)> {
    let mut file = SessionFile::new(input);
    let (mut series, mut messages) = (0, Vec::new());
    while let Some(event) = file.next_event().ok()? {
        match event {
            Event::Messages => {
                series += 1;
                messages.clear();
            }
            Event::Message(message) => messages.push(message.text.to_owned()),
            Event::Member { .. } => {}
        }
    }
    Some((series, messages))
}

fn lines(input: &[u8], series: u32, shape: Shape) -> Vec<String> {
    let expect = durable_files::Fingerprint { dev: 0, ino: 0, size: 0, mtime: 0, ctime: 0 };
    let conversion = Conversion { source: "s".into(), expect, digest: None, series, filled: 0, shape };
    let mut text = String::new();
    conversion.lines(input).read_to_string(&mut text).expect("because it was read before");
    assert!(text.is_empty() || text.ends_with('\n'));
    text.split_terminator('\n').map(str::to_owned).collect()
}

fuzz_target!(|input: &[u8]| {
    let Some((series, messages)) = messages(input) else { return };
    let text = input.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(input);
    let session: Option<&serde_json::value::RawValue> = serde_json::from_slice(text).ok();
    assert!(session.is_some(), "others do not take it for JSON");

    let python = lines(input, series, Shape::Python { fill: "\"2026-01-02\"".into() });
    assert_eq!(python.len(), messages.len());
    for (line, message) in python.iter().zip(&messages) {
        assert!(!line.contains(['\u{85}', '\u{2028}', '\u{2029}']));
        let of = |text| Message::parse(text).expect("because it is an object");
        let (line, message) = (of(line), of(message));
        for (number, (name, value)) in message.members.iter().enumerate() {
            let (found, said) = &line.members[number];
            assert!(found == name && says_the_same(said.get(), value.get()));
        }
    }
    let begun = legacy_readers::openclaw::Moment { micros: 0 };
    let openclaw = lines(input, series, Shape::OpenClaw { header: header("s", begun, "/", &[]) });
    assert_eq!(openclaw.len(), messages.len() + 1);
    for line in &openclaw {
        let is_json = serde_json::from_str::<&serde_json::value::RawValue>(line).is_ok();
        assert!(is_json, "{line}");
    }
});
