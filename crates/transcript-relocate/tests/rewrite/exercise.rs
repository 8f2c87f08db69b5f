//! What a fuzzer tries, and a test on its corpus.

use std::ops::ControlFlow;

use serde::de::IgnoredAny;
use serde_json::Value;
use transcript_relocate::rewrite::{Links, Members, PathRules, Rule, RuleClass, keep_name, rewrite_jsonl};

/// Any bytes are rewritten without a panic: what was JSON is JSON after it, at every depth, and the rest is as it was.
pub(crate) fn rewrite_anything(input: &[u8]) {
    let mut output = Vec::new();
    let goes_on = |_| ControlFlow::Continue(());
    let report =
        rewrite_jsonl(&rules(), Members::TRANSCRIPT, &keep_name, input, &mut output, goes_on).unwrap();
    let (before, after) = (lines(input), lines(&output));
    assert_eq!(before.len(), after.len());
    for (before, after) in before.into_iter().zip(after) {
        if serde_json::from_slice::<IgnoredAny>(before).is_err() {
            assert_eq!(before, after);
            continue;
        }
        serde_json::from_slice::<IgnoredAny>(after).unwrap();
        if let (Ok(before), Ok(after)) = (serde_json::from_slice(before), serde_json::from_slice(after)) {
            still_parses(&before, &after);
        }
    }
    assert!(report.changed_lines <= report.lines);
}

fn rules() -> PathRules {
    let rule =
        |class, from: &str, to: &str| Rule { class, from: from.parse().unwrap(), to: to.parse().unwrap() };
    let rules = [
        rule(RuleClass::Home, r"C:\Users\mi", r"C:\Users\otto & co"),
        rule(RuleClass::Folder, r"C:\Users\mi\é", "/srv/é"),
        rule(RuleClass::Mount, "/sessions/vm/mnt/d", r"C:\Users\mi\d"),
        rule(RuleClass::VmHome, "/sessions/vm", r"D:\a\vm"),
    ];
    PathRules::compile(rules, Links::Rewrite).unwrap()
}

fn lines(bytes: &[u8]) -> Vec<&[u8]> {
    bytes.split(|&byte| byte == b'\n').collect()
}

/// Every string that was JSON is JSON, and so on inside it.
fn still_parses(before: &Value, after: &Value) {
    match (before, after) {
        (Value::String(before), Value::String(after)) => {
            if let Ok(value @ (Value::Object(_) | Value::Array(_) | Value::String(_))) =
                serde_json::from_str(before)
            {
                still_parses(&value, &serde_json::from_str(after).unwrap());
            }
        }
        (Value::Array(before), Value::Array(after)) => {
            assert_eq!(before.len(), after.len());
            before.iter().zip(after).for_each(|(before, after)| still_parses(before, after));
        }
        (Value::Object(before), Value::Object(after)) if before.len() == after.len() => {
            before.values().zip(after.values()).for_each(|(before, after)| still_parses(before, after));
        }
        (Value::Object(_), Value::Object(_)) => {} // two names became one
        (before, after) => assert_eq!(before, after),
    }
}
