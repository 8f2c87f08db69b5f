//! A rewriter that is slow and obviously right, for texts of the kind that the properties make: words without blanks
//! inside. It knows nothing of raw bytes: it works on what a line decodes to.

use serde_json::{Value, json};
use transcript_relocate::rewrite::{PathRules, Rule, RuleClass};

/// What a line decodes to, through every level, each text passed through `each`.
pub(crate) fn expanded(value: &Value, each: &dyn Fn(&str) -> String) -> Value {
    match value {
        Value::String(text) => expanded_text(text, each),
        Value::Array(items) => items.iter().map(|item| expanded(item, each)).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| json!([expanded_text(name, each), expanded(value, each)]))
            .collect(),
        other => other.clone(),
    }
}

fn expanded_text(text: &str, each: &dyn Fn(&str) -> String) -> Value {
    if let Ok(value @ (Value::Object(_) | Value::Array(_) | Value::String(_))) = serde_json::from_str(text) {
        return json!({ "json": expanded(&value, each) });
    }
    if !text.contains('\n') {
        return json!({ "text": each(text) });
    }
    let line = |line: &str| match serde_json::from_str(line) {
        Ok(value @ (Value::Object(_) | Value::Array(_))) => json!({ "json": expanded(&value, each) }),
        _ => json!({ "text": each(line) }),
    };
    json!({ "lines": text.split('\n').map(line).collect::<Vec<_>>() })
}

/// The text of the new world.
pub(crate) fn rewritten(rules: &PathRules, text: &str) -> String {
    let mut longest_first: Vec<&Rule> = rules.rules().iter().collect();
    longest_first.sort_by_key(|rule| std::cmp::Reverse(rule.from.to_string().len()));
    let words = text.split(' ').map(|word| word_rewritten(&longest_first, word));
    words.collect::<Vec<_>>().join(" ")
}

fn word_rewritten(rules: &[&Rule], word: &str) -> String {
    if word.contains("://") {
        return word.to_owned();
    }
    let chars: Vec<char> = word.chars().collect();
    for start in 0..chars.len() {
        let fits = start == 0 || matches!(chars[start - 1], '(' | '=' | '"' | '\'' | '`');
        let found = rules.iter().filter(|_| fits).find_map(|rule| Some((rule, end_of(rule, &chars, start)?)));
        if let Some((rule, end)) = found {
            let before: String = chars[..start].iter().collect();
            return before + &path_rewritten(rule, &chars[start..], end - start);
        }
    }
    word.to_owned()
}

/// Where the source ends, if the characters from `start` on name it.
fn end_of(rule: &Rule, chars: &[char], start: usize) -> Option<usize> {
    let windows = rule.from.to_string().starts_with(|letter: char| letter != '/');
    let mut at = start;
    for wanted in rule.from.to_string().chars() {
        let found = *chars.get(at)?;
        let separators = wanted == '\\' && found == '/';
        let same = if windows { wanted.to_lowercase().eq(found.to_lowercase()) } else { wanted == found };
        if !separators && !same {
            return None;
        }
        at += 1;
    }
    let goes_on = |c: &char| c.is_alphanumeric() || "_-.".contains(*c);
    (!chars.get(at).is_some_and(goes_on)).then_some(at)
}

fn path_rewritten(rule: &Rule, path: &[char], len: usize) -> String {
    let tail: String = path[len..].iter().collect();
    let is_mount =
        rule.class == RuleClass::VmHome && tail.strip_prefix("/mnt/").is_some_and(|name| !name.is_empty());
    if is_mount {
        return path.iter().collect();
    }
    let (from, to) = (rule.from.to_string(), rule.to.to_string());
    if from.starts_with('/') && !to.starts_with('/') {
        return to + &tail.replace('/', "\\");
    }
    if to.starts_with('/') && !from.starts_with('/') {
        return to + &tail.replace('\\', "/");
    }
    let slashes = path.iter().find(|c| matches!(c, '/' | '\\')) == Some(&'/');
    if slashes { to.replace('\\', "/") + &tail } else { to + &tail }
}
