//! A whole JSON file: a sidecar, what describes a subagent.

use super::line::Rewriter;
use super::members::Members;
use super::report::Rewritten;
use super::rules::PathRules;
use super::scan::NameMap;

/// Rewrites a JSON document. One that is no JSON comes back as it is, and says so among its leftovers.
pub fn rewrite_document(
    rules: &PathRules,
    members: Members<'_>,
    names: &NameMap<'_>,
    document: &[u8],
) -> (Vec<u8>, Rewritten) {
    let mut rewriter = Rewriter::new(rules, members, names);
    let mut rewritten = Vec::with_capacity(document.len() + 256);
    rewriter.line(document, &mut rewritten).expect("because writing to memory does not fail");
    (rewritten, rewriter.into_report())
}
