//! What has to stand in a text before it can concern any rule.

use std::collections::BTreeSet;

use aho_corasick::{Span, packed};
use session_model::{ForeignPath, fold_case};

/// Finds the places at which a path of the rules may be named, in raw lines of any depth as well as in decoded texts.
///
/// Whoever names a mapped place names a last component of a source, after a separator. A separator ends in `/` or `\`
/// at every depth, unless it is itself spelled with `\u` or `%`.
#[derive(Debug, Clone)]
pub(super) struct Anchors {
    /// In lower case, without the separator before them.
    names: Vec<Vec<u8>>,
    /// Drives that are sources as a whole: their letter and colon stand *before* the separator.
    drives: Vec<u8>,
    /// Whether a name can be spelled without any ASCII letter.
    beyond_ascii: bool,
    /// Finds the first bytes of all of them at once; `None` if there are too many, or the processor cannot.
    finder: Option<packed::Searcher>,
}

/// How much of a name the finder looks for: it looks for both cases of every letter.
const FOUND_BY: usize = 2;
/// The most patterns that the finder takes.
const MOST_PATTERNS: usize = 60;

impl Anchors {
    pub(super) fn new<'n>(names: impl IntoIterator<Item = &'n str>, drives: Vec<u8>) -> Self {
        let mut anchors = Self { names: Vec::new(), drives, beyond_ascii: false, finder: None };
        names.into_iter().for_each(|name| anchors.add(name));
        anchors.names.sort();
        anchors.names.dedup();
        let patterns = anchors.patterns();
        if anchors.drives.is_empty() && patterns.len() <= MOST_PATTERNS {
            anchors.finder = packed::Config::new().builder().extend(patterns).build();
        }
        anchors
    }

    /// What every anchor begins with.
    fn patterns(&self) -> BTreeSet<Vec<u8>> {
        let mut patterns = BTreeSet::new();
        for separator in [b'/', b'\\'] {
            let starts = self.names.iter().map(|name| &name[..name.len().min(FOUND_BY)]);
            patterns.extend(starts.flat_map(both_cases).map(|start| [&[separator], &start[..]].concat()));
        }
        let digits = if self.beyond_ascii { "0123456789abcdefABCDEF" } else { "234567" };
        patterns.extend(digits.bytes().map(|digit| vec![b'%', digit]));
        patterns.insert(if self.beyond_ascii { b"\\u".to_vec() } else { b"\\u00".to_vec() });
        patterns
    }

    /// Takes the start of a name that is the same bytes in either case, ASCII aside; or both cases of its first letter.
    fn add(&mut self, name: &str) {
        let caseless = |c: &char| c.is_ascii() || (fold_case(*c) == *c && c.to_uppercase().eq([*c]));
        let start: String = name.chars().take_while(caseless).collect();
        self.beyond_ascii |= !name.is_ascii();
        match name.chars().next() {
            None => {}
            Some(first) if start.is_empty() => {
                self.names.push(first.to_lowercase().to_string().into_bytes());
                self.names.push(first.to_uppercase().to_string().into_bytes());
            }
            Some(_) => self.names.push(start.to_ascii_lowercase().into_bytes()),
        }
    }

    /// The first anchor at or after `from`: the position of its separator or percent sign.
    pub(super) fn next(&self, text: &[u8], mut from: usize) -> Option<usize> {
        let Some(finder) = &self.finder else { return self.next_sign(text, from) };
        loop {
            let at = finder.find_in(text, Span { start: from, end: text.len() })?.start();
            if self.is_anchor(text, at) {
                return Some(at);
            }
            from = at + 1;
        }
    }

    /// The same, sign by sign.
    fn next_sign(&self, text: &[u8], from: usize) -> Option<usize> {
        let signs = memchr::memchr3_iter(b'/', b'\\', b'%', &text[from..]);
        signs.map(|at| from + at).find(|&at| self.is_anchor(text, at))
    }

    fn is_anchor(&self, text: &[u8], at: usize) -> bool {
        match text[at..] {
            [b'%', digit, ..] => {
                matches!(digit, b'2'..=b'7') || (self.beyond_ascii && digit.is_ascii_hexdigit())
            }
            [sign, ref rest @ ..] => {
                self.starts_with_a_name(rest)
                    || (sign == b'\\' && self.is_hidden(rest))
                    || self.ends_a_drive(&text[..at])
            }
            [] => false,
        }
    }

    fn ends_a_drive(&self, before: &[u8]) -> bool {
        !self.drives.is_empty()
            && matches!(before, [.., letter, b':'] if self.drives.contains(&letter.to_ascii_lowercase()))
    }

    fn starts_with_a_name(&self, at: &[u8]) -> bool {
        self.names
            .iter()
            .any(|name| at.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name)))
    }

    /// `\u` and the digits of a printable character of ASCII, or of any if a name needs others.
    fn is_hidden(&self, escape: &[u8]) -> bool {
        escape.first() == Some(&b'u')
            && (self.beyond_ascii || matches!(escape.get(1..4), Some([b'0', b'0', b'2'..=b'7'])))
    }
}

/// Every spelling of a few letters in upper and lower case.
fn both_cases(letters: &[u8]) -> Vec<Vec<u8>> {
    letters.iter().fold(vec![Vec::new()], |starts, letter| {
        let cases = BTreeSet::from([letter.to_ascii_lowercase(), letter.to_ascii_uppercase()]);
        let longer =
            |start: &Vec<u8>| cases.iter().map(|&case| [&start[..], &[case]].concat()).collect::<Vec<_>>();
        starts.iter().flat_map(longer).collect()
    })
}

/// The first six characters of a name as the short spelling of old file systems keeps them.
pub(super) fn short_stem(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, ' ' | '.')).take(6).collect()
}

/// A path as the name of one folder: what Claude Code makes of a working directory.
pub(super) fn slug(path: &ForeignPath) -> String {
    crate::project_slug(&path.to_string())
}
