//! The document for programs.

use super::Report;
use crate::escape::visible_json;

/// One JSON document, indented, with a newline at its end.
pub(crate) fn to_json(report: &Report) -> String {
    let document =
        serde_json::to_string_pretty(report).expect("because a report is plain data with text keys");
    visible_json(&document) + "\n"
}
