//! A line as the Python project writes it (formats/openclaw.md §3, §11 "Messages").

use legacy_readers::openclaw::Message;

use crate::spelling::{Spacing, respaced};

/// Appends the line of a message: every member as it is spelled, and behind them what its reader expects and it lacks.
pub(super) fn push_line(message: &Message<'_>, fill: &str, out: &mut Vec<u8>) {
    respaced(message.text, Spacing::Python, out);
    let is_empty = message.members.is_empty();
    let mut added = String::new();
    for (name, value) in [("role", "\"user\""), ("content", "\"\""), ("timestamp", fill)] {
        if message.get(name).is_none() {
            let comma = if is_empty && added.is_empty() { "" } else { ", " };
            added.push_str(comma);
            added.push('"');
            added.push_str(name);
            added.push_str("\": ");
            added.push_str(value);
        }
    }
    if !added.is_empty() {
        out.pop(); // the closing brace
        out.extend_from_slice(added.as_bytes());
        out.push(b'}');
    }
    out.push(b'\n');
}
