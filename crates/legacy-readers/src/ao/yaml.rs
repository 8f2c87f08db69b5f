//! YAML as a tree that keeps what a typed reading loses: each scalar as it was written, and where it stands.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, Tag};

/// Aliases copy what they name: this many copied nodes are more than any settings file has, and less than a bomb.
const MOST_COPIES: usize = 10_000;
/// Deeper nesting is no settings file, and a recursive walk must end.
const DEEPEST: usize = 64;

/// A value and where it begins, line and column counted from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) line: u64,
    pub(super) column: u64,
    pub(super) value: Value,
}

/// What stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// A scalar without quotes, as it was written.
    Plain(String),
    /// A scalar that is text by its quotes, its block style or its tag.
    Quoted(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

/// Why a text is no YAML that can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) line: u64,
    pub(super) column: u64,
    pub(super) message: String,
}

/// Reads one document. An empty text is a `null`.
pub(super) fn parse(text: &str) -> Result<Node, Wrong> {
    if let Some(at) = text.find('\0') {
        let before = &text[..at];
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() as u64 + 1;
        return Err(Wrong::new(before.matches('\n').count() as u64 + 1, column, "found a NUL character"));
    }
    let mut builder = Builder::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| Wrong::from(&error))?;
        builder.take(event, span)?;
    }
    Ok(builder.root.unwrap_or(Node { line: 1, column: 1, value: Value::Plain(String::new()) }))
}

/// A collection whose end has not been seen.
struct Open {
    node: Node,
    anchor: usize,
    /// In a map: the key whose value comes next.
    key: Option<String>,
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    copies: usize,
    root: Option<Node>,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Wrong> {
        let (line, column) = position(span);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let value = scalar(text.into_owned(), style, tag.as_deref());
                self.place(Node { line, column, value }, anchor)
            }
            Event::SequenceStart(anchor, _) => {
                self.begin(Node { line, column, value: Value::List(Vec::new()) }, anchor)
            }
            Event::MappingStart(anchor, _) => {
                self.begin(Node { line, column, value: Value::Map(Vec::new()) }, anchor)
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let closed = self.open.pop().expect("because the parser closes only what it opened");
                self.place(closed.node, closed.anchor)
            }
            Event::Alias(anchor) => self.copy(anchor, line, column),
            Event::DocumentStart(_) if self.root.is_some() => {
                Err(Wrong::new(line, column, "expected one document, found a second"))
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => Ok(()),
        }
    }

    fn begin(&mut self, node: Node, anchor: usize) -> Result<(), Wrong> {
        if self.open.len() >= DEEPEST {
            return Err(node.wrong("nested too deeply"));
        }
        self.open.push(Open { node, anchor, key: None });
        Ok(())
    }

    fn copy(&mut self, anchor: usize, line: u64, column: u64) -> Result<(), Wrong> {
        let Some(named) = self.anchors.get(&anchor) else {
            return Err(Wrong::new(line, column, "found an alias of something that contains it"));
        };
        self.copies += named.count();
        if self.copies > MOST_COPIES || self.open.len() + named.depth() > DEEPEST {
            return Err(Wrong::new(line, column, "aliases expand to too much"));
        }
        let node = named.clone();
        self.place(node, 0)
    }

    /// Puts a finished node where it belongs: into the open collection, or at the root.
    fn place(&mut self, node: Node, anchor: usize) -> Result<(), Wrong> {
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        let Some(parent) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match (&mut parent.node.value, parent.key.take()) {
            (Value::List(items), _) => items.push(node),
            (Value::Map(entries), Some(key)) => entries.push((key, node)),
            (Value::Map(entries), None) => parent.key = Some(new_key(node, entries)?),
            (Value::Plain(_) | Value::Quoted(_), _) => {}
        }
        Ok(())
    }
}

fn new_key(node: Node, entries: &[(String, Node)]) -> Result<String, Wrong> {
    let wrong = node.wrong("expected a new key, found one that this map has already");
    match node.value {
        Value::Plain(key) | Value::Quoted(key) => {
            if entries.iter().any(|(other, _)| *other == key) {
                Err(wrong)
            } else {
                Ok(key)
            }
        }
        Value::List(_) | Value::Map(_) => {
            Err(Wrong { message: "expected text as a key, found a collection".into(), ..wrong })
        }
    }
}

fn scalar(text: String, style: ScalarStyle, tag: Option<&Tag>) -> Value {
    let is_text = tag.is_some_and(|tag| tag.is_yaml_core_schema() && tag.suffix == "str");
    if style == ScalarStyle::Plain && !is_text { Value::Plain(text) } else { Value::Quoted(text) }
}

fn position(span: Span) -> (u64, u64) {
    (span.start.line() as u64, span.start.col() as u64 + 1)
}

impl Node {
    /// An error at this node.
    pub(super) fn wrong(&self, message: impl Into<String>) -> Wrong {
        Wrong::new(self.line, self.column, message)
    }

    /// `null`, written out or by leaving the value away.
    pub(super) fn is_null(&self) -> bool {
        matches!(&self.value, Value::Plain(text) if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    fn count(&self) -> usize {
        self.children().map(Self::count).sum::<usize>() + 1
    }

    fn depth(&self) -> usize {
        self.children().map(Self::depth).max().unwrap_or(0) + 1
    }

    fn children(&self) -> Box<dyn Iterator<Item = &Self> + '_> {
        match &self.value {
            Value::Plain(_) | Value::Quoted(_) => Box::new(std::iter::empty()),
            Value::List(items) => Box::new(items.iter()),
            Value::Map(entries) => Box::new(entries.iter().map(|(_, node)| node)),
        }
    }
}

impl Wrong {
    fn new(line: u64, column: u64, message: impl Into<String>) -> Self {
        Self { line, column, message: message.into() }
    }
}

impl From<&ScanError> for Wrong {
    fn from(error: &ScanError) -> Self {
        let at = error.marker();
        Self::new(at.line() as u64, at.col() as u64 + 1, error.info())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Value {
        let root = parse(text).unwrap();
        let Value::Map(mut entries) = root.value else { panic!("no map: {root:?}") };
        entries.pop().unwrap().1.value
    }

    fn wrong(text: &str) -> String {
        let Wrong { line, column, message } = parse(text).unwrap_err();
        format!("{line}:{column}: {message}")
    }

    #[test]
    fn a_scalar_stays_as_it_was_written() {
        for text in ["081234567890", "40817e225566", "1_000", "2026-01-11", "no", "0x1F", "~"] {
            assert_eq!(value(&format!("a: {text}")), Value::Plain(text.into()));
        }
        assert_eq!(value("a: '08'"), Value::Quoted("08".into()));
        assert_eq!(value("a: !!str 08"), Value::Quoted("08".into()));
        assert_eq!(value("\u{feff}a: b"), Value::Plain("b".into()));
    }

    #[test]
    fn an_alias_is_what_it_names() {
        assert_eq!(value("a: &x {b: c}\nd: *x"), value("d:    {b: c}"));
        assert_eq!(wrong("a: &x [*x]"), "1:8: found an alias of something that contains it");
    }

    #[test]
    fn what_would_take_forever_or_overflow_is_refused_at_its_place() {
        assert_eq!(wrong(&"[".repeat(100)), "1:65: nested too deeply");
        assert!(parse(&"[".repeat(100_000)).is_err());
        assert_eq!(wrong(&"- ".repeat(100_000)), "1:129: nested too deeply");
        assert_eq!(wrong("a: b\nc: d\0e: f"), "2:5: found a NUL character");
        assert_eq!(wrong("a: 1\nb: 2\na: 3"), "3:1: expected a new key, found one that this map has already");
        assert_eq!(wrong("? [a]\n: b"), "1:3: expected text as a key, found a collection");
    }
}
