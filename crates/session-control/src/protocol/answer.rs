//! An agent's answer: written as the original writes it, with what a client of ours looks for beside that.

use serde::Deserialize;
use serde_json::Value;
use session_model::Finding;

use super::BadRequest;
use crate::spelling::json;

/// An answer that was read.
#[derive(Debug, Deserialize)]
pub(crate) struct Answer {
    pub(crate) ok: bool,
    #[serde(default)]
    pub(crate) result: Value,
    #[serde(default)]
    pub(crate) error: String,
    #[serde(default)]
    pub(crate) code: String,
    #[serde(default)]
    pub(crate) findings: Vec<Finding>,
}

/// The answer that has this result, as a line. What else there is to say stands beside it, where an original client does
/// not look.
pub(crate) fn told(result: &str, findings: &[Finding]) -> String {
    let besides =
        if findings.is_empty() { String::new() } else { format!(",\"findings\":{}", json(findings)) };
    format!("{{\"ok\":true,\"result\":{result}{besides}}}\n")
}

/// The answer that says why not, as a line, with the short name of it that an original client does not look for.
pub(crate) fn refused(why: &str, code: Option<&str>) -> String {
    // An empty text is left out, as everywhere.
    let member = |name: &str, text: &str| {
        if text.is_empty() { String::new() } else { format!(",\"{name}\":{}", json(text)) }
    };
    format!("{{\"ok\":false{}{}}}\n", member("error", why), member("code", code.unwrap_or_default()))
}

impl BadRequest {
    /// The answer to it, as a line.
    pub(crate) fn answer(&self) -> String {
        refused(&self.to_string(), matches!(self, Self::NotAnId(_)).then_some("not-an-id"))
    }
}
