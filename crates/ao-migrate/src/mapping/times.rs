//! Times: read strictly, written one way (formats/ao.md §6.2).

use legacy_readers::ao::Field;
use session_model::{Finding, Timestamp, parse_time, to_millis_utc};

/// The time in a field, written as the database wants it. What is there and is no time is reported, not used.
pub(super) fn of_field(key: &str, field: &Field, findings: &mut Vec<Finding>) -> Option<String> {
    match field {
        Field::Absent => None,
        Field::Text(text) => of_text(key, text, findings),
        Field::NotText => {
            findings.push(invalid(key));
            None
        }
    }
}

/// The time in a text.
pub(super) fn of_text(key: &str, text: &str, findings: &mut Vec<Finding>) -> Option<String> {
    let Some((written, assumed_utc)) =
        parse_time(text).and_then(|parsed| Some((written(parsed.at)?, parsed.assumed_utc)))
    else {
        findings.push(invalid(key));
        return None;
    };
    if assumed_utc {
        findings.push(Finding::note("time-without-offset", format!("`{key}` has no offset: read as UTC")));
    }
    Some(written)
}

/// A file's time, the last resort.
pub(super) fn of_file(what: &str, mtime: Timestamp, findings: &mut Vec<Finding>) -> String {
    findings.push(Finding::note(
        "time-from-file",
        format!("no source gives a valid {what}: the file's modification time is used"),
    ));
    written(mtime).unwrap_or_else(|| to_millis_utc(Timestamp::UNIX_EPOCH))
}

/// The time as text, if its year has four digits in UTC too.
pub(super) fn written(at: Timestamp) -> Option<String> {
    let text = to_millis_utc(at);
    (!text.starts_with('-')).then_some(text)
}

/// A time that is there and cannot be used.
pub(super) fn invalid(key: &str) -> Finding {
    Finding::warning("time-invalid", format!("`{key}` is not an RFC 3339 time: the next source is used"))
}
