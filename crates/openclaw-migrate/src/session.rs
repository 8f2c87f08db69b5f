//! What becomes of one session, whatever else there is.

use durable_files::PathText;
use legacy_readers::openclaw::{Message, Moment, Session, Source};
use serde_json::value::RawValue;
use session_model::{Finding, Timestamp};
use session_store::transcript::{Conversion, Shape, header};
use session_store::{BuiltEntry, Format, Left, NewEntry, Why};

/// A session as it would arrive.
#[derive(Debug, Clone)]
pub(crate) struct Arriving {
    pub(crate) entry: String,
    /// When it was last used, in milliseconds since 1970.
    pub(crate) updated_at: i64,
    pub(crate) conversion: Conversion,
    pub(crate) findings: Vec<Finding>,
}

/// What all sessions of a run have in common.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Common<'a> {
    pub(crate) format: Format,
    /// The workspace, as the header of a transcript names it.
    pub(crate) cwd: &'a str,
    /// Whether old files are copied.
    pub(crate) has_backup: bool,
}

/// The members of a session file that are known, and used.
const KNOWN: [&str; 4] = ["session_id", "metadata", "created_at", "updated_at"];

/// The name of a session's transcript.
pub(crate) fn file_name(id: &str) -> String {
    format!("{id}.jsonl")
}

/// The key that a session's own metadata names.
pub(crate) fn explicit_key(session: &Session) -> Option<String> {
    let metadata = Message::parse(session.get("metadata")?.get()).ok()?;
    let key: String = serde_json::from_str(metadata.get("session_key")?.get()).ok()?;
    (!key.is_empty()).then_some(key)
}

/// Decides all that does not depend on other sessions.
pub(crate) fn arriving(source: &Source, session: &Session, common: Common<'_>) -> Arriving {
    let mtime = Moment { micros: session.fingerprint.mtime.div_euclid(1000) };
    let mut findings = of_the_file(source, session);
    let created = session.time("created_at");
    let updated = session.time("updated_at");
    let begun = created.or(updated).unwrap_or(mtime);
    let last = updated.or(session.messages.latest).or(created).unwrap_or(mtime);
    if updated.is_none() {
        let from = match (session.messages.latest, created) {
            (Some(_), _) => "that of its latest message",
            (None, Some(_)) => "created_at",
            (None, None) => "its file's time",
        };
        let message = format!("updated_at is no time; {from} is taken");
        findings.push(Finding::warning("updated-at-derived", message));
    }
    let file = file_name(&source.id);
    let metadata = session.get("metadata").map(RawValue::get);
    let entry = NewEntry { session_id: &source.id, updated_at: last.millis(), session_file: &file, metadata };
    let BuiltEntry { text, left, .. } = entry.build(common.format);
    findings.extend(of_the_messages(session, common.format));
    findings.extend(of_what_is_left(session, &left, common));
    let shape = match common.format {
        Format::Python => Shape::Python { fill: fill(session, begun) },
        Format::OpenClaw => {
            let legacy = legacy(source, session, &left);
            Shape::OpenClaw { header: header(&source.id, begun, common.cwd, &legacy) }
        }
    };
    let conversion = Conversion {
        source: PathText::from(source.path.clone()),
        expect: session.fingerprint,
        digest: session.digest,
        series: session.messages.series,
        filled: begun.micros,
        shape,
    };
    Arriving { entry: text, updated_at: last.millis(), conversion, findings }
}

/// The time of a message without one, as JSON: spelled as the file spells it where it is text there.
fn fill(session: &Session, begun: Moment) -> String {
    let spelled = ["created_at", "updated_at"].into_iter().find(|name| session.time(name).is_some());
    let spelled = spelled.and_then(|name| session.get(name)).map(RawValue::get);
    match spelled.filter(|value| value.starts_with('"')) {
        Some(value) => value.to_owned(),
        None => format!("\"{}\"", aware(begun)),
    }
}

/// As Python's `isoformat` writes a time in UTC.
fn aware(at: Moment) -> String {
    let form = if at.micros.rem_euclid(1_000_000) == 0 {
        "%Y-%m-%dT%H:%M:%S+00:00"
    } else {
        "%Y-%m-%dT%H:%M:%S.%6f+00:00"
    };
    Timestamp::from_microsecond(at.micros).unwrap_or(Timestamp::UNIX_EPOCH).strftime(form).to_string()
}

fn of_the_file(source: &Source, session: &Session) -> Vec<Finding> {
    let mut findings = Vec::new();
    if session.has_byte_order_mark {
        findings.push(Finding::note(
            "byte-order-mark",
            "its file begins with a byte order mark, which is left out",
        ));
    }
    let inner = session.get("session_id").map(|value| serde_json::from_str::<String>(value.get()));
    if !matches!(inner, Some(Ok(inner)) if inner == source.id) {
        let message = "session_id is not the name of its file, which counts";
        findings.push(Finding::warning("id-mismatch", message));
    }
    if !session.repeated.is_empty() {
        let names = session.repeated.join(", ");
        let message = format!("there more than once, of which the last counts: {names}");
        findings.push(Finding::warning("repeated-key", message));
    }
    for name in ["created_at", "updated_at"] {
        if session.get(name).is_some_and(|value| !value.get().starts_with('"'))
            && session.time(name).is_some()
        {
            let message = format!("{name} is a number: milliseconds from 1e11 on, seconds below");
            findings.push(Finding::warning("number-as-time", message));
        }
    }
    findings
}

fn of_the_messages(session: &Session, format: Format) -> Vec<Finding> {
    let messages = &session.messages;
    let lost = match format {
        Format::Python => "is added",
        Format::OpenClaw => "is taken for it",
    };
    let counted = [
        (messages.without_timestamp, "timestamp-filled", format!("the session's own time {lost}")),
        (messages.without_role, "role-filled", format!("`user` {lost}")),
        (messages.without_content, "content-filled", format!("empty text {lost}")),
        (messages.odd_timestamps, "odd-timestamp", "it is kept as it is".to_owned()),
    ];
    let mut findings: Vec<Finding> = counted
        .into_iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, code, what)| {
            let which = match code {
                "timestamp-filled" => "no timestamp",
                "role-filled" => "no role",
                "content-filled" => "no content",
                _ => "a timestamp that is no time",
            };
            Finding::warning(code, format!("{count} of {} messages have {which}; {what}", messages.count))
        })
        .collect();
    if messages.count == 0 {
        findings.push(Finding::note("no-messages", "it has no messages; its transcript says so"));
    }
    findings
}

/// What has no place in the entry, and where it is to be found.
fn of_what_is_left(session: &Session, left: &[Left], common: Common<'_>) -> Vec<Finding> {
    let kept = match (common.format, common.has_backup) {
        (Format::OpenClaw, _) => "kept in the transcript's header",
        (Format::Python, true) => "kept in backup only",
        (Format::Python, false) => "kept in original only",
    };
    let mut unplaced = Vec::new();
    let mut findings = Vec::new();
    for left in left {
        match left.why {
            Why::Unset => {}
            Why::NoField if left.name == "session_key" && is_key_or_unset(&left.value) => {}
            Why::NoField if left.name == "session_key" => {
                let message = format!("metadata.session_key is no text that can be a key; {kept}");
                findings.push(Finding::warning("wrong-type", message));
            }
            Why::NoField | Why::NeverCopied => unplaced.push(format!("metadata.{}", left.name)),
            Why::WrongType(_) => {
                let message = format!("metadata.{} has a value that readers do not take; {kept}", left.name);
                findings.push(Finding::warning("wrong-type", message));
            }
            Why::Repeated => {
                let message = format!("metadata.{} is there more than once; the last counts", left.name);
                findings.push(Finding::warning("repeated-key", message));
            }
        }
    }
    let others = session.members.iter().map(|(name, _)| name).filter(|name| !KNOWN.contains(&name.as_str()));
    unplaced.extend(others.cloned());
    if session.get("created_at").is_some() {
        unplaced.push("created_at".to_owned());
    }
    if !unplaced.is_empty() {
        findings.push(Finding::note("no-field", format!("{kept}: {}", unplaced.join(", "))));
    }
    findings
}

/// Whether the value of a key is one, or says that there is none.
fn is_key_or_unset(value: &str) -> bool {
    value == "null" || serde_json::from_str::<String>(value).is_ok()
}

/// What real OpenClaw has no field for, to be kept in the header.
fn legacy(source: &Source, session: &Session, left: &[Left]) -> Vec<(String, Box<RawValue>)> {
    let mut kept: Vec<(String, Box<RawValue>)> = Vec::new();
    let metadata: Vec<String> = left
        .iter()
        .filter(|left| !matches!(left.why, Why::Unset | Why::Repeated))
        .map(|left| format!("\"{}\": {}", left.name, left.value))
        .collect();
    if !metadata.is_empty() {
        let object = format!("{{{}}}", metadata.join(", "));
        kept.extend(RawValue::from_string(object).ok().map(|object| ("metadata".to_owned(), object)));
    }
    let is_other_id =
        |value: &RawValue| serde_json::from_str::<String>(value.get()).ok().as_ref() != Some(&source.id);
    for (name, value) in &session.members {
        let is_kept = match name.as_str() {
            "metadata" => false,
            "session_id" => is_other_id(value),
            _ => true,
        };
        if is_kept {
            kept.push((name.clone(), value.clone()));
        }
    }
    kept
}
