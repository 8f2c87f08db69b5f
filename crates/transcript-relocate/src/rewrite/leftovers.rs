//! What names an old place and stays: found in the same pass, in everything that no match covers.

use serde::{Deserialize, Serialize};
use session_model::fold_case;

use super::bounds::{may_begin, may_end};
use super::literal::backslashes_before;
use super::rules::PathRules;
use super::scan::Piece;
use super::spelling::{Alphabet, char_at, percent_byte, separator_at};

/// Why something that names an old place was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Group {
    /// Below a mount of a virtual machine that no rule maps.
    UnmappedMount,
    /// The short spelling of old file systems, `MIRA~1`: nothing says whose it is.
    ShortName,
    /// Inside a URL that names no file.
    Url,
    /// Percent-encoded where that is not known to be a path.
    Percent,
    /// A path as the name of one folder. Lookups do not mind these: for information.
    Slug,
    /// `Users\mira` without a root before it.
    Rootless,
    /// Nobody can tell where the path ends, and only half of it could have been converted.
    AmbiguousTail,
    /// In a line that is no JSON, which stays as it is.
    InvalidLine,
    /// On another drive, inside a longer path, on a share.
    Other,
}

impl Group {
    /// Whether a strict run may end well with it.
    pub fn is_harmless(self) -> bool {
        self == Self::Slug
    }
}

/// Base64 this long on end is data, whatever names it happens to spell.
const BLOB: usize = 200;

/// Goes through a text once, and reports only what it was not told to skip.
pub(super) struct LeftoverScan<'s> {
    rules: &'s PathRules,
    text: &'s [u8],
    /// Where to go on.
    at: usize,
    /// The first anchor at or after where it was looked for last; `None` if there is no more.
    next: Option<usize>,
}

impl<'s> LeftoverScan<'s> {
    pub(super) fn new(rules: &'s PathRules, text: &'s [u8]) -> Self {
        Self { rules, text, at: 0, next: rules.anchors.next(text, 0) }
    }

    /// Reports what is left up to `end`.
    pub(super) fn until(&mut self, end: usize, sink: &mut dyn FnMut(Piece)) {
        while let Some(at) = self.next_before(end) {
            if let Some(group) = self.group_of(at) {
                sink(Piece::Leftover { group, at });
            }
        }
    }

    /// Reports what is left in a URL, up to its end.
    pub(super) fn inside_url(&mut self, end: usize, sink: &mut dyn FnMut(Piece)) {
        while let Some(at) = self.next_before(end) {
            if self.group_of(at).is_some() {
                sink(Piece::Leftover { group: Group::Url, at });
            }
        }
    }

    /// Goes on behind `to`, which has been dealt with.
    pub(super) fn skip_to(&mut self, to: usize) {
        self.at = self.at.max(to);
    }

    fn next_before(&mut self, end: usize) -> Option<usize> {
        if self.next.is_some_and(|next| next < self.at) {
            self.next = self.rules.anchors.next(self.text, self.at);
        }
        let at = self.next.filter(|&at| at < end)?;
        self.at = at + 1;
        Some(at)
    }

    /// What kind of leftover begins with the separator at `at`, if it is one.
    fn group_of(&self, at: usize) -> Option<Group> {
        let (alphabet, name) = match percent_byte(self.text, at) {
            Some(b'/' | b'\\') => (Alphabet::Percent, at + 3),
            Some(_) => return None,
            None => (Alphabet::Plain, at + 1),
        };
        let names = &self.rules.names;
        let goes_on = |end: usize| !matches!(percent_byte(self.text, end), None | Some(b'/' | b'\\'));
        let ends = |end: usize| may_end(self.text, end, alphabet, false) && !goes_on(end);
        if names.slugs.iter().any(|slug| self.spells(name, slug, alphabet, true).is_some()) {
            return Some(Group::Slug);
        }
        for user in &names.users {
            if self.spells(name, &user.name, alphabet, true).is_some_and(ends) {
                return self.of_user(at, alphabet);
            }
            if self.spells(name, &user.stem, alphabet, true).is_some_and(|end| self.is_short(end)) {
                return Some(Group::ShortName);
            }
        }
        let machines = names.machines.iter();
        let end = machines
            .filter_map(|name_of| self.spells(name, name_of, alphabet, false))
            .find(|&end| ends(end))?;
        self.of_machine(at, end, alphabet)
    }

    /// Where the name ends, if the text has it at `at`.
    fn spells(&self, at: usize, name: &str, alphabet: Alphabet, fold: bool) -> Option<usize> {
        name.chars().try_fold(at, |at, wanted| {
            let (letter, len) = char_at(self.text, at, alphabet, 0)?;
            let same = letter == wanted || (fold && fold_case(letter) == fold_case(wanted));
            same.then_some(at + len)
        })
    }

    fn is_short(&self, end: usize) -> bool {
        matches!(self.text[end..], [b'~', b'1'..=b'9', ..])
            && may_end(self.text, end + 2, Alphabet::Plain, false)
    }

    fn of_user(&self, at: usize, alphabet: Alphabet) -> Option<Group> {
        if alphabet == Alphabet::Percent {
            return Some(Group::Percent);
        }
        if self.is_in_blob(at) {
            return None;
        }
        let rootless = ["users", "home"].iter().find_map(|folder| self.folder_before(at, folder));
        match rootless {
            Some(folder) if !self.text[..folder].ends_with(b"/") && !self.text[..folder].ends_with(b"\\") => {
                Some(Group::Rootless)
            }
            _ => Some(Group::Other),
        }
    }

    fn of_machine(&self, at: usize, end: usize, alphabet: Alphabet) -> Option<Group> {
        if alphabet == Alphabet::Percent {
            return Some(Group::Percent);
        }
        let sessions = self.folder_before(at, "sessions")?;
        let root = sessions.checked_sub(1).filter(|&slash| self.text[slash] == b'/');
        let is_ours = root.is_some_and(|slash| may_begin(self.text, slash));
        Some(if is_ours && is_below_mnt(self.text, end, alphabet) {
            Group::UnmappedMount
        } else {
            Group::Other
        })
    }

    /// Where the folder of this name begins whose separator is at `at`.
    fn folder_before(&self, at: usize, folder: &str) -> Option<usize> {
        let end = backslashes_before(self.text, at);
        let start = end.checked_sub(folder.len())?;
        self.text[start..end].eq_ignore_ascii_case(folder.as_bytes()).then_some(start)
    }

    fn is_in_blob(&self, at: usize) -> bool {
        let is_base64 = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
        let before = self.text[..at].iter().rev().take(BLOB).take_while(is_base64).count();
        let after = self.text[at..].iter().take(BLOB).take_while(is_base64).count();
        before + after >= BLOB
    }
}

/// Whether the text goes on with `/mnt/` and a name.
pub(super) fn is_below_mnt(text: &[u8], at: usize, alphabet: Alphabet) -> bool {
    let below = |at: usize| separator_at(text, at, alphabet).map(|separator| at + separator.len);
    let name = below(at).filter(|&at| text[at..].starts_with(b"mnt")).and_then(|at| below(at + 3));
    name.and_then(|at| char_at(text, at, alphabet, 0))
        .is_some_and(|(letter, _)| !letter.is_whitespace() && !"/\\\"'`<>".contains(letter))
}
