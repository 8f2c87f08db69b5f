//! What has to stand in a text before it can concern any rule.

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
    /// Whether a byte can stand behind a slash or a backslash.
    after_separator: Box<[bool; 256]>,
    /// Whether a name can be spelled without any ASCII letter.
    beyond_ascii: bool,
}

impl Anchors {
    pub(super) fn new<'n>(names: impl IntoIterator<Item = &'n str>, drives: Vec<u8>) -> Self {
        let mut anchors =
            Self { names: Vec::new(), drives, after_separator: Box::new([false; 256]), beyond_ascii: false };
        names.into_iter().for_each(|name| anchors.add(name));
        anchors.names.sort();
        anchors.names.dedup();
        for name in &anchors.names {
            let first = name[0];
            anchors.after_separator[usize::from(first)] = true;
            anchors.after_separator[usize::from(first.to_ascii_uppercase())] = true;
        }
        anchors.after_separator[usize::from(b'u')] = true; // `\u`
        anchors
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
    pub(super) fn next(&self, text: &[u8], from: usize) -> Option<usize> {
        let found = memchr::memchr3_iter(b'/', b'\\', b'%', &text[from..]);
        let is_anchor = |&at: &usize| self.is_anchor(&text[at..]) || self.ends_a_drive(&text[..at]);
        found.map(|at| from + at).find(is_anchor)
    }

    fn ends_a_drive(&self, before: &[u8]) -> bool {
        !self.drives.is_empty()
            && matches!(before, [.., letter, b':'] if self.drives.contains(&letter.to_ascii_lowercase()))
    }

    fn is_anchor(&self, at: &[u8]) -> bool {
        let Some(&second) = at.get(1) else { return false };
        if at[0] == b'%' {
            return matches!(second, b'2'..=b'7') || (self.beyond_ascii && second.is_ascii_hexdigit());
        }
        self.after_separator[usize::from(second)]
            && (self.starts_with_a_name(&at[1..]) || (at[0] == b'\\' && self.is_hidden(&at[1..])))
    }

    fn starts_with_a_name(&self, at: &[u8]) -> bool {
        self.names
            .iter()
            .any(|name| at.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name)))
    }

    /// `\u` and the digits of a printable character of ASCII, or of any if a name needs others.
    fn is_hidden(&self, escape: &[u8]) -> bool {
        escape[0] == b'u'
            && (self.beyond_ascii || matches!(escape.get(1..4), Some([b'0', b'0', b'2'..=b'7'])))
    }
}

/// The first six characters of a name as the short spelling of old file systems keeps them.
pub(super) fn short_stem(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, ' ' | '.')).take(6).collect()
}

/// A path as the name of one folder: what Claude Code makes of a working directory.
pub(super) fn slug(path: &ForeignPath) -> String {
    crate::project_slug(&path.to_string())
}
