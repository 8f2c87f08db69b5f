//! The world of most tests: Mira's session moves to Otto.

use std::ops::ControlFlow;

use serde_json::{Value, json};
use transcript_relocate::rewrite::{
    Group, Links, Members, PathRules, Rewritten, Rule, RuleClass, keep_name, rewrite_jsonl,
};

pub(crate) const VM: &str = "/sessions/calm-amber-noether";

pub(crate) fn rule(class: RuleClass, from: &str, to: &str) -> Rule {
    Rule { class, from: from.parse().unwrap(), to: to.parse().unwrap() }
}

pub(crate) fn usual() -> Vec<Rule> {
    vec![
        rule(RuleClass::Home, r"C:\Users\mira", r"C:\Users\otto"),
        rule(RuleClass::Mount, &format!("{VM}/mnt/drafts"), r"C:\Users\otto\drafts"),
        rule(RuleClass::Mount, &format!("{VM}/mnt/outputs"), r"C:\Users\otto\s\outputs"),
        rule(RuleClass::VmHome, VM, r"C:\Users\otto\cowork-archive\calm-amber-noether"),
    ]
}

pub(crate) fn compiled(rules: Vec<Rule>) -> PathRules {
    PathRules::compile(rules, Links::Rewrite).unwrap()
}

/// Rewrites whole lines.
pub(crate) fn rewrite(rules: &PathRules, input: &[u8]) -> (Vec<u8>, Rewritten) {
    let mut output = Vec::new();
    let goes_on = |_| ControlFlow::Continue(());
    let report = rewrite_jsonl(rules, Members::TRANSCRIPT, &keep_name, input, &mut output, goes_on).unwrap();
    (output, report)
}

/// What the text of a message says afterwards.
pub(crate) fn said(rules: &PathRules, text: &str) -> String {
    member(rules, "text", text)
}

/// What a member says afterwards.
pub(crate) fn member(rules: &PathRules, name: &str, text: &str) -> String {
    let line = json!({ name: text }).to_string();
    let (output, _) = rewrite(rules, line.as_bytes());
    let value: Value = serde_json::from_slice(&output).unwrap();
    value[name].as_str().unwrap().to_owned()
}

/// The groups of the leftovers of a text, with their counts.
pub(crate) fn left(rules: &PathRules, text: &str) -> Vec<(Group, u64)> {
    let (_, report) = rewrite(rules, json!({ "text": text }).to_string().as_bytes());
    report.leftovers.into_iter().map(|(group, left)| (group, left.count)).collect()
}

/// Each text and what becomes of it, with the usual rules.
#[track_caller]
pub(crate) fn all_become(cases: &[(&str, &str)]) {
    let rules = compiled(usual());
    for (before, after) in cases {
        assert_eq!(said(&rules, before), *after, "{before}");
    }
}

/// Each text stays, and what is reported of it.
#[track_caller]
pub(crate) fn all_stay(cases: &[(&str, &[(Group, u64)])]) {
    let rules = compiled(usual());
    for (text, groups) in cases {
        assert_eq!(said(&rules, text), *text);
        assert_eq!(left(&rules, text), *groups, "{text}");
    }
}
