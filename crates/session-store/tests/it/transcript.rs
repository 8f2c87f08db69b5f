//! What becomes of a session's messages.

use std::io::Read;

use durable_files::Fingerprint;
use legacy_readers::openclaw::Moment;
use serde_json::{Value, json};
use session_store::transcript::{Conversion, Shape, Standing, header, standing};

fn conversion(shape: Shape) -> Conversion {
    let expect = Fingerprint { dev: 0, ino: 0, size: 0, mtime: 0, ctime: 0 };
    Conversion {
        source: "session.json".into(),
        expect,
        digest: None,
        series: 1,
        filled: 1_767_366_000_000_000,
        shape,
    }
}

fn python() -> Conversion {
    conversion(Shape::Python { fill: "\"2026-01-02T15:00:00+00:00\"".into() })
}

fn openclaw() -> Conversion {
    let header = header("s", Moment { micros: 1_767_366_000_000_000 }, "/home/me", &[]);
    conversion(Shape::OpenClaw { header })
}

fn lines(conversion: &Conversion, session: &str) -> String {
    let mut text = String::new();
    conversion.lines(session.as_bytes()).read_to_string(&mut text).unwrap();
    text
}

#[test]
fn a_message_keeps_all_its_members_in_their_order_and_spelling() {
    let session = r#"{"messages": [
        {"role":"user","content":"When do I sow peas?","timestamp":"2026-01-02T15:00:01.250000","tool_calls":null,
         "tool_call_id":null,"name":null,"images":null},
        {"x": 1.0, "y":[1e3,{ }], "content": "\u00e9 \ud83d", "role": "user", "timestamp": null}]}"#;
    assert_eq!(
        lines(&python(), session),
        concat!(
            r#"{"role": "user", "content": "When do I sow peas?", "timestamp": "2026-01-02T15:00:01.250000", "#,
            r#""tool_calls": null, "tool_call_id": null, "name": null, "images": null}"#,
            "\n",
            r#"{"x": 1.0, "y": [1e3, {}], "content": "\u00e9 \ud83d", "role": "user", "timestamp": null}"#,
            "\n"
        )
    );
}

#[test]
fn what_a_reader_expects_and_a_message_lacks_is_added_behind_the_rest() {
    let session = r#"{"messages": [{}, {"n": 1}, {"content": null}]}"#;
    let default = r#""role": "user", "content": "", "timestamp": "2026-01-02T15:00:00+00:00"}"#;
    let expected = format!(
        "{{{default}\n{{\"n\": 1, {default}\n{{\"content\": null, {}\n",
        default.replace("\"content\": \"\", ", "")
    );
    assert_eq!(lines(&python(), session), expected);
}

#[test]
fn of_two_lists_of_messages_the_last_counts() {
    let session = r#"{"messages": [{"content": "old"}], "messages": [{"content": "new", "role": "user", "timestamp": 1}]}"#;
    let second = Conversion { series: 2, ..python() };
    assert_eq!(lines(&second, session), "{\"content\": \"new\", \"role\": \"user\", \"timestamp\": 1}\n");
    assert_eq!(lines(&Conversion { series: 0, ..python() }, r#"{"messages": null}"#), "");
}

#[test]
fn openclaw_is_given_the_shapes_that_its_importer_takes_for_active_messages() {
    let session = r#"{"messages": [
        {"role":"user","content":"When do I sow peas?","timestamp":"2026-01-02T15:00:01.250000","images":null},
        {"role":"assistant","content":"Looking.","timestamp":"2026-01-02T15:00:02","tool_calls":
          [{"id":"c1","type":"function","function":{"name":"almanac","arguments":"{\"q\": \"peas\"}"}}]},
        {"role":"tool","content":"March","timestamp":"2026-01-02T15:00:03","tool_call_id":"c1","name":"almanac"}]}"#;
    assert_eq!(
        lines(&openclaw(), session),
        concat!(
            r#"{"type":"session","version":3,"id":"s","timestamp":"2026-01-02T15:00:00.000Z","cwd":"/home/me"}"#,
            "\n",
            r#"{"type":"message","id":"00000000","parentId":null,"timestamp":"2026-01-02T15:00:01.250Z","#,
            r#""message":{"role":"user","content":[{"type":"text","text":"When do I sow peas?"}],"timestamp":1767366001250}}"#,
            "\n",
            r#"{"type":"message","id":"00000001","parentId":"00000000","timestamp":"2026-01-02T15:00:02.000Z","#,
            r#""message":{"role":"assistant","content":[{"type":"text","text":"Looking."},{"type":"toolCall","id":"c1","#,
            r#""name":"almanac","arguments":{"q":"peas"}}],"timestamp":1767366002000}}"#,
            "\n",
            r#"{"type":"message","id":"00000002","parentId":"00000001","timestamp":"2026-01-02T15:00:03.000Z","#,
            r#""message":{"role":"toolResult","toolCallId":"c1","toolName":"almanac","content":[{"type":"text","#,
            r#""text":"March"}],"isError":false,"timestamp":1767366003000}}"#,
            "\n"
        )
    );
}

#[test]
fn what_openclaw_has_no_place_for_is_kept_beside_it() {
    let line = |message: Value| -> Value {
        let session = json!({"messages": [message]}).to_string();
        serde_json::from_str(lines(&openclaw(), &session).lines().nth(1).unwrap()).unwrap()
    };
    let odd = line(json!({
        "role": "user", "content": [{"type": "image"}], "timestamp": "2026-01-02T15:00:01.250999", "mood": {"x": 1},
        "images": ["a.png"], "name": "ada",
    }));
    assert_eq!(odd["message"]["content"], json!([{"type": "image"}]));
    assert_eq!(odd["timestamp"], "2026-01-02T15:00:01.250Z");
    assert_eq!(
        odd["legacy"],
        json!({"timestamp": "2026-01-02T15:00:01.250999", "mood": {"x": 1}, "images": ["a.png"], "name": "ada"})
    );
    let calls = json!([{"id": 3, "function": {"name": "f", "arguments": "not json"}}, "what"]);
    let called = line(json!({"role": 7, "content": 5, "tool_calls": calls}));
    assert_eq!(called["legacy"], json!({"role": 7, "content": 5, "tool_calls": calls}));
    assert_eq!(
        called["message"]["content"],
        json!([
            {"type": "text", "text": "5"},
            {"type": "toolCall", "name": "f", "arguments": {"_raw": "not json"}},
            {"type": "toolCall", "arguments": {}},
        ])
    );
    assert_eq!(
        line(json!({}))["message"],
        json!({"role": "user", "content": [], "timestamp": 1_767_366_000_000_i64})
    );
}

#[test]
fn a_transcript_that_others_wrote_or_went_on_with_is_told_from_one_that_differs() {
    let session = r#"{"messages": [{"role":"user","content":"é","timestamp":null}, {"role":"user","content":"b","timestamp":null}]}"#;
    let of = |found: &str| standing(python().lines(session.as_bytes()), found.as_bytes()).unwrap();
    let ours = lines(&python(), session);
    assert_eq!(of(&ours), Standing::Equal);
    assert_eq!(of(&ours.replace(": ", ":").replace('é', "\\u00e9")), Standing::Equal);
    assert_eq!(of(&format!("{ours}{{\"role\"")), Standing::Longer);
    assert_eq!(of(ours.trim_end()), Standing::Equal, "without its last end of line");
    assert_eq!(of(&ours.replace("\"b\"", "\"c\"")), Standing::Differs(2));
    assert_eq!(of(ours.lines().next().unwrap()), Standing::Differs(2));
    assert_eq!(of(""), Standing::Differs(1));
}
