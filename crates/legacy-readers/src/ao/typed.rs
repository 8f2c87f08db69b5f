//! A map of settings, read key by key with the types that the old orchestrator demanded.

use super::yaml::{Node, Value, Wrong};

/// A map node. A key that is there with `null` counts as absent.
#[derive(Clone, Copy)]
pub(super) struct Map<'a>(&'a [(String, Node)]);

impl<'a> Map<'a> {
    /// The node as a map; `null` is an empty one.
    pub(super) fn of(node: &'a Node, what: &str) -> Result<Self, Wrong> {
        match &node.value {
            Value::Map(entries) => Ok(Self(entries)),
            _ if node.is_null() => Ok(Self(&[])),
            _ => Err(node.wrong(format!("expected {what} to be a map, found {}", node.kind()))),
        }
    }

    /// All entries, in the order of the file.
    pub(super) fn entries(self) -> &'a [(String, Node)] {
        self.0
    }

    /// The keys that are set, in the order of the file.
    pub(super) fn keys(self) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(|(_, node)| !node.is_null()).map(|(key, _)| key.as_str())
    }

    /// The value of a key that is set.
    pub(super) fn get(self, key: &str) -> Option<&'a Node> {
        self.0.iter().find(|(name, node)| name == key && !node.is_null()).map(|(_, node)| node)
    }

    /// The text under a key; a number or a boolean without quotes is a wrong type.
    pub(super) fn text(self, key: &str) -> Result<Option<String>, Wrong> {
        self.get(key).map(|node| node.text(key)).transpose()
    }

    /// The scalar under a key as it was written, whatever its type.
    pub(super) fn raw(self, key: &str) -> Result<Option<String>, Wrong> {
        self.get(key).map(|node| node.raw(key)).transpose()
    }

    /// The map under a key, empty when there is none.
    pub(super) fn map(self, key: &str) -> Result<Self, Wrong> {
        self.get(key).map_or(Ok(Self(&[])), |node| Self::of(node, &format!("`{key}`")))
    }

    /// The list of texts under a key, empty when there is none.
    pub(super) fn texts(self, key: &str) -> Result<Vec<String>, Wrong> {
        let Some(node) = self.get(key) else { return Ok(Vec::new()) };
        match &node.value {
            Value::List(items) => items.iter().map(|item| item.text(&format!("{key}[]"))).collect(),
            _ => Err(node.wrong(format!("expected `{key}` to be a list, found {}", node.kind()))),
        }
    }
}

impl Node {
    fn text(&self, key: &str) -> Result<String, Wrong> {
        match &self.value {
            Value::Quoted(text) => Ok(text.clone()),
            Value::Plain(text) if !self.is_null() && !is_number(text) && !is_boolean(text) => {
                Ok(text.clone())
            }
            _ => Err(self.wrong(format!("expected `{key}` to be text, found {}", self.kind()))),
        }
    }

    /// The scalar as it was written; `null` is the empty text.
    pub(super) fn raw(&self, key: &str) -> Result<String, Wrong> {
        match &self.value {
            Value::Plain(_) if self.is_null() => Ok(String::new()),
            Value::Plain(text) | Value::Quoted(text) => Ok(text.clone()),
            Value::List(_) | Value::Map(_) => {
                Err(self.wrong(format!("expected `{key}` to be a scalar, found {}", self.kind())))
            }
        }
    }

    fn kind(&self) -> &'static str {
        match &self.value {
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
            Value::Plain(_) if self.is_null() => "nothing",
            Value::Plain(text) if is_number(text) => "a number",
            Value::Plain(text) if is_boolean(text) => "a boolean",
            Value::Quoted(_) | Value::Plain(_) => "text",
        }
    }
}

fn is_boolean(text: &str) -> bool {
    matches!(text, "true" | "True" | "TRUE" | "false" | "False" | "FALSE")
}

/// Whether YAML 1.2 takes a plain scalar for a number.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if let Some(hex) = text.strip_prefix("0x") {
        return !hex.is_empty() && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    }
    if let Some(octal) = text.strip_prefix("0o") {
        return !octal.is_empty() && octal.bytes().all(|byte| (b'0'..=b'7').contains(&byte));
    }
    matches!(digits, ".inf" | ".Inf" | ".INF")
        || matches!(text, ".nan" | ".NaN" | ".NAN")
        || (digits.starts_with(|first: char| first.is_ascii_digit() || first == '.')
            && digits.parse::<f64>().is_ok())
}

/// The number that a scalar without quotes is.
pub(super) fn number(node: &Node) -> Option<f64> {
    match &node.value {
        Value::Plain(text) if is_number(text) => text.parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_yaml_1_2_and_everything_else_is_text() {
        for number in [
            "0",
            "-1",
            "+1",
            "08",
            "1.5",
            ".5",
            "1e3",
            "40817e225566",
            "0x1f",
            "0o17",
            ".inf",
            "-.inf",
            ".nan",
        ] {
            assert!(is_number(number), "{number}");
        }
        for text in [
            "",
            "+",
            "-",
            ".",
            "1_000",
            "1.2.3",
            "0xg",
            "0o8",
            "0x",
            "inf",
            "nan",
            "1 000",
            "2026-01-11",
            "e3",
        ] {
            assert!(!is_number(text), "{text}");
        }
    }
}
