//! Small transcripts in which everything that goes wrong goes wrong often.

use std::fmt::{self, Write as _};

use jsonl_stitch::load::Limits;
use proptest::prelude::*;

/// A transcript, and loaders for which it may be big.
#[derive(Clone)]
pub(crate) struct Transcript {
    pub(crate) bytes: Vec<u8>,
    pub(crate) limits: Limits,
}

impl fmt::Debug for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?}\n{}",
            self.limits,
            self.bytes.escape_ascii().to_string().replace("\\n", "\n").replace("\\\"", "\"")
        )
    }
}

/// Which id a row has or names.
#[derive(Debug, Clone)]
enum Name {
    /// The row's own; for a parent that of the row before, and so on.
    Usual,
    /// That of the row so many rows further up.
    Up(usize),
    Absent,
    Null,
    /// One of a few, so that rows share them; some that no row has.
    Shared(&'static str),
    /// No id at all.
    Odd(&'static str),
}

#[derive(Debug, Clone)]
struct Row {
    kind: &'static str,
    uuid: Name,
    parent: Name,
    metadata: Metadata,
    logical: Name,
    more: Vec<&'static str>,
}

#[derive(Debug, Clone)]
enum Metadata {
    Absent,
    Plain(&'static str),
    Segment(Name, Name, &'static str),
}

#[derive(Debug, Clone)]
enum Line {
    Row(Row),
    Other(&'static [u8]),
}

const SHARED: [&str; 6] = [
    r#""a""#,
    r#""b""#,
    r#""\u0061""#,
    r#""0b7e2c1a-5d7f-4c30-9f51-22d1f3a9c001""#,
    r#""0B7E2C1A-5D7F-4C30-9F51-22D1F3A9C001""#,
    r#""never written""#,
];
const ODD: [&str; 4] = ["7", r#""""#, "false", r#"{"uuid":"a"}"#];

const KINDS: [&str; 14] = [
    r#""type":"user","message":{"role":"user","content":"go on"}"#,
    r#""type":"assistant","message":{"content":[{"type":"tool_use","id":"t"}]}"#,
    r#""type":"user","message":{"content":[{"type":"tool_result","content":"é"}]}"#,
    r#""type":"system","subtype":"compact_boundary","content":"Conversation compacted""#,
    r#""type":"system","subtype":"compact\u005fboundary""#,
    r#""type":"system","subtype":"compact_boundary_disabled""#,
    r#""type":"system","subtype":"microcompact_boundary""#,
    r#""type":"user","subtype":"compact_boundary","message":{"content":"\"compact_boundary\""}"#,
    r#""type":"progress","data":"{\"subtype\":\"compact_boundary\"}""#,
    r#""type":"attachment","attachment":{"type":"queued_command","source_uuid":"q"}"#,
    r#""subtype":"compact_boundary""#,
    r#""type":7"#,
    r#""type":"user","type":"queue-operation""#,
    r#""\u0074ype":"result","x":"\udc00\\\"","n":1e999"#,
];
/// Often the first few.
const MORE: [&str; 12] = [
    r#""isCompactSummary":true"#,
    r#""isVisibleInTranscriptOnly":true"#,
    r#""isSidechain":true"#,
    r#""isSidechain":false"#,
    r#""isCompactSummary":"""#,
    r#""isCompactSummary":-0.0"#,
    r#""isVisibleInTranscriptOnly":"no""#,
    r#""isMeta":true"#,
    r#""uuid":"shadowed by a later one""#,
    r#""parentUuid":"shadowed""#,
    r#""cwd" : "C:\\Users\\mira" "#,
    r#""deep":[[[{"uuid":"no","a":[1,-2.50e+3,{}]}]]]"#,
];
const METADATA: [&str; 9] = [
    "{}",
    "null",
    r#""text""#,
    "[1]",
    r#"{"trigger":"auto","preTokens":1}"#,
    r#"{"preservedSegment":null}"#,
    r#"{"preservedSegment":{}}"#,
    r#"{"preservedSegment":[]}"#,
    r#"{"preservedSegment":0,"trigger":"auto"}"#,
];
const OTHERS: [&[u8]; 10] = [
    b"",
    b"  \t",
    b"\r",
    b"[1,2]",
    b"null",
    br#"{"type":"user","uuid":"a""#,
    b"not json",
    b"\xEF\xBB\xBF{\"type\":\"user\",\"uuid\":\"b\"}",
    b"{\"type\":\"user\",\"uuid\":\"\xFF\xC3\",\"parentUuid\":\"a\"}",
    b"  {\"type\":\"user\",\"parentUuid\" :null , \"uuid\": \"a\" } ",
];

fn name() -> impl Strategy<Value = Name> {
    prop_oneof![
        24 => Just(Name::Usual),
        2 => Just(Name::Null),
        1 => Just(Name::Absent),
        4 => prop::sample::select(&SHARED[..]).prop_map(Name::Shared),
        1 => prop::sample::select(&ODD[..]).prop_map(Name::Odd),
    ]
}

fn parent() -> impl Strategy<Value = Name> {
    prop_oneof![6 => name(), 1 => (1..3_usize).prop_map(Name::Up)]
}

fn metadata() -> impl Strategy<Value = Metadata> {
    let anchor = prop::sample::select(&["", r#""anchorUuid":"kept","x":1,"#, r#""headUuid":7,"#][..]);
    prop_oneof![
        2 => Just(Metadata::Absent),
        2 => prop::sample::select(&METADATA[..]).prop_map(Metadata::Plain),
        3 => (prop_oneof![name(), (0..4_usize).prop_map(Name::Up)], name(), anchor).prop_map(|(head, tail, anchor)| Metadata::Segment(head, tail, anchor)),
    ]
}

fn row() -> impl Strategy<Value = Row> {
    let kind = prop_oneof![
        6 => prop::sample::select(&KINDS[..2]),
        4 => Just(KINDS[2]),
        4 => Just(KINDS[3]),
        3 => prop::sample::select(&KINDS[4..]),
        2 => Just(KINDS[5]),
    ];
    let more = prop::collection::vec(prop::sample::select(&MORE[..]), 0..3);
    let more = prop_oneof![3 => Just(Vec::new()), 1 => more];
    (kind, name(), parent(), metadata(), parent(), more).prop_map(
        |(kind, uuid, parent, metadata, logical, more)| Row { kind, uuid, parent, metadata, logical, more },
    )
}

fn line() -> impl Strategy<Value = (Line, &'static [u8])> {
    let line = prop_oneof![
        8 => row().prop_map(Line::Row),
        1 => prop::sample::select(&OTHERS[..]).prop_map(Line::Other),
    ];
    (line, prop_oneof![6 => Just(&b"\n"[..]), 1 => Just(&b"\r\n"[..])])
}

pub(crate) fn transcript() -> impl Strategy<Value = Transcript> {
    let limits = prop_oneof![
        3 => Just((Big::At(u64::MAX), 0)),
        4 => ((0..1800_u64).prop_map(Big::At), 0..1800_u64),
        2 => ((0..300_u64).prop_map(Big::About), 0..4000_u64),
    ];
    (prop::collection::vec(line(), 0..16), any::<bool>(), limits).prop_map(|(lines, ended, (big, window))| {
        let mut bytes = Vec::new();
        for (number, (line, ending)) in lines.iter().enumerate() {
            match line {
                Line::Row(row) => bytes.extend_from_slice(written(row, number).as_bytes()),
                Line::Other(other) => bytes.extend_from_slice(other),
            }
            if ended || number + 1 < lines.len() {
                bytes.extend_from_slice(ending);
            }
        }
        let big = match big {
            Big::At(big) => big,
            Big::About(more) => (bytes.len() as u64 + more).saturating_sub(50),
        };
        Transcript { bytes, limits: Limits { big, window: window.min(big) } }
    })
}

/// From which size on a file is big.
#[derive(Debug, Clone, Copy)]
enum Big {
    At(u64),
    /// This many bytes more than fifty below its own size, so that a stitch makes it big or small.
    About(u64),
}

fn written(row: &Row, number: usize) -> String {
    let mut line = String::from("{");
    for more in &row.more {
        let _ = write!(line, "{more},");
    }
    put(&mut line, "parentUuid", &row.parent, number.checked_sub(1));
    line.push_str(row.kind);
    line.push(',');
    put(&mut line, "logicalParentUuid", &row.logical, number.checked_sub(2));
    put(&mut line, "uuid", &row.uuid, Some(number));
    match &row.metadata {
        Metadata::Absent => {}
        Metadata::Plain(metadata) => {
            let _ = write!(line, r#""compactMetadata":{metadata},"#);
        }
        Metadata::Segment(head, tail, more) => {
            let _ = write!(line, r#""compactMetadata":{{"preservedSegment":{{{more}"#);
            put(&mut line, "headUuid", head, number.checked_sub(1));
            put(&mut line, "tailUuid", tail, number.checked_sub(1));
            line.push_str(r#""y":2}},"#);
        }
    }
    line.push_str(r#""timestamp":"2026-02-03T04:05:06.789Z"}"#);
    line
}

fn put(line: &mut String, member: &str, name: &Name, usual: Option<usize>) {
    let value = match (name, usual) {
        (Name::Absent, _) => return,
        (Name::Null, _) | (Name::Usual, None) => "null".to_owned(),
        (Name::Usual, Some(number)) => format!("\"row {number}\""),
        (&Name::Up(rows), number) => {
            let row = number.and_then(|number| number.checked_sub(rows));
            row.map_or("null".to_owned(), |row| format!("\"row {row}\""))
        }
        (Name::Shared(id) | Name::Odd(id), _) => (*id).to_owned(),
    };
    let _ = write!(line, "\"{member}\":{value},");
}
