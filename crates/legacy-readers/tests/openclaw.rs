//! Sessions of the Python OpenClaw, read from files as its users have them.

use std::io::{self, Read};

use legacy_readers::openclaw::{self, Content, Event, Fault, SessionFile};
use proptest::prelude::*;
use serde_json::{Value, json};
use session_model::Timestamp;

type Found = (Vec<Value>, Vec<(String, Value)>);

/// What a slow reader says of a file that was read: the messages of the last series, and the other members.
#[allow(clippy::unwrap_used, reason = "a helper of tests")]
fn events(bytes: &[u8], step: usize) -> Result<Found, String> {
    let mut file = SessionFile::new(Trickle { bytes, step });
    let (mut messages, mut members) = (Vec::new(), Vec::new());
    loop {
        match file.next_event() {
            Ok(None) => return Ok((messages, members)),
            Ok(Some(Event::Messages)) => messages.clear(),
            Ok(Some(Event::Message(message))) => messages.push(serde_json::from_str(message.text).unwrap()),
            Ok(Some(Event::Member { name, value })) => {
                members.push((String::from_utf8(name).unwrap(), serde_json::from_str(value.get()).unwrap()));
            }
            Err(Fault::Bad(flaw)) => return Err(format!("{} {}:{}", flaw.code, flaw.line, flaw.column)),
            Err(Fault::Read(error)) => panic!("{error}"),
        }
    }
}

/// Gives a few bytes at a time.
struct Trickle<'a> {
    bytes: &'a [u8],
    step: usize,
}

impl Read for Trickle<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.step.min(out.len()).min(self.bytes.len());
        out[..count].copy_from_slice(&self.bytes[..count]);
        self.bytes = &self.bytes[count..];
        Ok(count)
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_a_session_holds_all_of_it_is_read_in_whatever_pieces_it_comes(
        messages in prop::collection::vec(prop::collection::vec((any::<String>(), any_value()), 0..6), 0..6),
        other in any_value(),
        step in 1_usize..40,
        is_pretty in any::<bool>(),
    ) {
        let messages: Vec<Value> =
            messages.into_iter().map(|members| Value::Object(members.into_iter().collect())).collect();
        let session = json!({"session_id": "s", "messages": messages, "other": other});
        let bytes = if is_pretty { serde_json::to_vec_pretty(&session) } else { serde_json::to_vec(&session) }.unwrap();
        let (found, members) = events(&bytes, step).unwrap();
        prop_assert_eq!(found, messages);
        prop_assert_eq!(members, [("session_id".to_owned(), json!("s")), ("other".to_owned(), other)]);
    }

    #[test]
    fn what_others_do_not_take_for_a_session_is_not_taken_for_one(
        at in 0_usize..200, with in any::<u8>(), cut in any::<bool>(), step in 1_usize..9,
    ) {
        let mut bytes = br#"{"session_id": "s", "messages": [{"role": "user", "n": [1, 2.5e3, true]}, {"content": null}],
            "metadata": {"label": "x\u00e9"}}"#.to_vec();
        let at = at % bytes.len();
        if cut { bytes.truncate(at) } else { bytes[at] = with }
        let others = serde_json::from_slice::<Value>(&bytes);
        let ours = events(&bytes, step);
        if others.is_err() {
            prop_assert!(ours.is_err(), "{:?}", String::from_utf8_lossy(&bytes));
        }
        if let Err(said) = &ours && others.is_ok() {
            let is_ours = ["messages-not-an-array", "message-not-an-object", "not-an-object"];
            prop_assert!(is_ours.iter().any(|code| said.starts_with(code)), "{said}");
        }
    }
}

#[test]
fn what_is_wrong_with_a_session_is_said_with_its_line_and_column() {
    for (bytes, said) in [
        (&b""[..], "empty-file 1:1"),
        (b"  \n ", "empty-file 2:2"),
        (b"[]", "not-an-object 1:1"),
        (b"12", "not-an-object 1:1"),
        (b"NaN", "not-a-number 1:1"),
        (b"hello", "syntax 1:1"),
        (b"{", "truncated 1:2"),
        (b"{\"a\": 1", "truncated 1:8"),
        (b"{\"a\": 1}}", "trailing-data 1:9"),
        (b"{\"a\": 1,}", "syntax 1:9"),
        (b"{\"a\" 1}", "syntax 1:6"),
        (b"{\n\"messages\": [\n{\"n\": NaN}]}", "not-a-number 3:7"),
        (b"{\n\"messages\": [\n{\"n\": -Infinity}]}", "not-a-number 3:8"),
        (b"{\"messages\": [{\"n\": tru}]}", "syntax 1:24"),
        (b"{\"messages\": [{}, 3]}", "message-not-an-object 1:19"),
        (b"{\"messages\": [{}, {\"content\": \"cut", "truncated 1:35"),
        (b"{\"messages\": {}}", "messages-not-an-array 1:14"),
        (b"{\"a\": \"\xff\"}", "not-utf-8 1:8"),
        (b"{\"messages\": [{\"c\": \"\xc3\xa9\xff\"}]}", "not-utf-8 1:24"),
        (b"{\"messages\": [{\"c\": \"\n\"}]}", "syntax 1:22"),
    ] {
        for step in [1, 3, 1000] {
            assert_eq!(events(bytes, step).unwrap_err(), said, "{}", String::from_utf8_lossy(bytes));
        }
    }
}

#[test]
fn halves_of_characters_deep_nesting_and_a_byte_order_mark_lose_no_message() {
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let text = format!("\u{feff}{{\"messages\": [{{\"\\ud83d\": \"\\ud83d\", \"deep\": {deep}}}]}}");
    let mut file = SessionFile::new(text.as_bytes());
    assert!(matches!(file.next_event(), Ok(Some(Event::Messages))));
    let Ok(Some(Event::Message(message))) = file.next_event() else { panic!("the message") };
    assert_eq!(message.members.len(), 2);
    assert_eq!(message.get("deep").unwrap().get(), deep);
    assert!(matches!(file.next_event(), Ok(None)));
    assert!(file.has_byte_order_mark());
}

#[test]
fn a_missing_quote_does_not_read_a_large_file_into_memory() {
    struct Endless(u64);
    impl Read for Endless {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            const HEAD: &[u8] = br#"{"messages": [{"content": "a"b"}, {"content": "#;
            if self.0 == 0 {
                self.0 = HEAD.len() as u64;
                out[..HEAD.len()].copy_from_slice(HEAD);
                return Ok(HEAD.len());
            }
            out.fill(b'x');
            self.0 += out.len() as u64;
            assert!(self.0 < 100 << 20, "went on reading");
            Ok(out.len())
        }
    }
    let mut file = SessionFile::new(Endless(0));
    assert!(matches!(file.next_event(), Ok(Some(Event::Messages))));
    let Err(Fault::Bad(flaw)) = file.next_event() else { panic!("a flaw") };
    assert_eq!((flaw.code, flaw.line, flaw.column), ("syntax", 1, 30));
}

#[test]
fn every_file_of_a_workspace_is_in_the_survey_once_and_told_apart() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join(".sessions");
    std::fs::create_dir_all(folder.join("folder.json")).unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
    write(
        "good.json",
        r#"{"session_id": "x", "messages": [{"role": "user", "timestamp": "2026-01-02T15:00"}],
        "metadata": {}, "metadata": {"label": "l"}}"#,
    );
    write("none.json", r#"{"session_id": "none"}"#);
    write("bad.json", "{");
    write("list-metadata.json", r#"{"messages": [], "metadata": []}"#);
    write("store.json", r#"{"agent:main:x": {"session_id": "x", "updated_at": 1}}"#);
    write("package.json", r#"{"name": "x"}"#);
    write(".hidden.json", "{}");
    write("sessions.json", "{}");
    write("good.jsonl", "");
    write("session_map.json", r#"{"agent:main:a": "good", "agent:main:b": 3, "agent:main:a": "none"}"#);
    std::os::unix::fs::symlink("good.json", folder.join("link.json")).unwrap();
    let survey = openclaw::read(place.path(), Timestamp::UNIX_EPOCH, &|_| Ok(())).unwrap();
    let told: Vec<(String, &str)> = survey
        .found
        .sources
        .iter()
        .map(|source| {
            let what = match &source.content {
                Content::Session(_) => "session",
                Content::Skipped(anomaly) | Content::Quarantined(anomaly) => anomaly.code.as_str(),
            };
            (source.id.clone(), what)
        })
        .collect();
    let told: Vec<(&str, &str)> = told.iter().map(|(id, what)| (id.as_str(), *what)).collect();
    assert_eq!(
        told,
        [
            (".hidden", "hidden"),
            ("bad", "truncated"),
            ("folder", "folder"),
            ("good", "session"),
            ("link", "not-a-file"),
            ("list-metadata", "metadata-not-an-object"),
            ("none", "session"),
            ("package", "not-a-session"),
            ("store", "not-a-session"),
        ]
    );
    let Content::Quarantined(list) = &survey.found.sources[5].content else { panic!("no session") };
    assert!(list.to_string().contains("list-metadata.json:1:30: "), "{list}");
    let Content::Session(good) = &survey.found.sources[3].content else { panic!("a session") };
    assert_eq!(good.get("metadata").unwrap().get(), r#"{"label": "l"}"#);
    assert_eq!(good.repeated, ["metadata"]);
    assert_eq!(good.messages.latest.unwrap().millis(), 1_767_366_000_000);
    let map = survey.found.map.unwrap();
    assert_eq!(map.entries, [("agent:main:a".to_owned(), "none".to_owned())]);
    assert_eq!(map.damage.len(), 1);
    assert_eq!(survey.inputs.len(), 10);
}

#[test]
fn a_workspace_without_sessions_is_an_empty_survey() {
    let place = tempfile::tempdir().unwrap();
    let survey = openclaw::read(place.path(), Timestamp::UNIX_EPOCH, &|_| Ok(())).unwrap();
    assert_eq!((survey.inputs.len(), survey.anomalies[0].code.as_str()), (0, "no-sessions-folder"));
}

#[test]
fn whoever_watches_may_end_the_reading() {
    let place = tempfile::tempdir().unwrap();
    std::fs::create_dir(place.path().join(".sessions")).unwrap();
    std::fs::write(place.path().join(".sessions/a.json"), "{}").unwrap();
    let stopped =
        openclaw::read(place.path(), Timestamp::UNIX_EPOCH, &|_| Err(io::ErrorKind::Interrupted.into()));
    assert_eq!(stopped.unwrap_err().kind(), io::ErrorKind::Interrupted);
}
