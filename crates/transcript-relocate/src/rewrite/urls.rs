//! URLs in a text: those that name files are paths of their own spelling, all others are left alone.

use std::ops::Range;

use session_model::{ForeignPath, PathRoot, PathStyle};

use super::bounds::may_end;
use super::matcher::{Path, Reached};
use super::rules::{PathRules, Rule};
use super::scan::Change;
use super::spelling::{Alphabet, URL_PATH, char_at, percent_byte, percent_encode, separator_at};
use super::tail::{LONGEST_TAIL, balanced_parenthesis, closing_delimiter};

/// A URL of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Url {
    pub(super) scheme: Scheme,
    pub(super) start: usize,
    /// Behind the `://`.
    pub(super) rest: usize,
    pub(super) end: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    File,
    Computer,
    Other,
}

/// No scheme is longer; what is, is other text that runs into a URL.
const LONGEST_SCHEME: usize = 32;

/// The URL whose `://` is at `colon`, nothing before `floor` being a part of it.
pub(super) fn url_at(text: &[u8], colon: usize, floor: usize) -> Option<Url> {
    let floor = floor.max(colon.saturating_sub(LONGEST_SCHEME));
    let is_scheme = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'.' | b'-');
    let letters = text[floor..colon].iter().rev().take_while(|byte| is_scheme(byte)).count();
    let skipped = text[colon - letters..colon].iter().take_while(|byte| !byte.is_ascii_alphabetic()).count();
    let mut start = colon - letters + skipped;
    if colon - start < 2 {
        return None; // a drive
    }
    if matches!(text[..=start], [.., b'\\', b'n' | b'r' | b't'])
        && scheme_of(&text[start + 1..colon]) != Scheme::Other
    {
        start += 1;
    }
    let (scheme, rest) = (scheme_of(&text[start..colon]), colon + 3);
    Some(Url { scheme, start, rest, end: url_end(text, start, rest, scheme) })
}

fn scheme_of(letters: &[u8]) -> Scheme {
    match letters.to_ascii_lowercase().as_slice() {
        b"file" => Scheme::File,
        b"computer" => Scheme::Computer,
        _ => Scheme::Other,
    }
}

/// Links to files are often written with blanks in them: what delimits them says where they end.
fn url_end(text: &[u8], start: usize, rest: usize, scheme: Scheme) -> usize {
    let opener = start.checked_sub(1).map(|before| text[before]);
    // a URL of the web is passed over as a whole, one that may be a path is no longer than a path
    let text = if scheme == Scheme::Other { text } else { &text[..text.len().min(rest + LONGEST_TAIL)] };
    if scheme != Scheme::Other
        && let Some(close) = closing_delimiter(text, start, rest)
    {
        return close;
    }
    let stops = |at: &usize| match text[*at] {
        b'"' | b'<' | b'>' | b'`' | b'|' => true,
        b'\'' => opener == Some(b'\''),
        b'\\' => matches!(text.get(at + 1), None | Some(b'n' | b'r' | b't' | b'"')),
        byte => byte.is_ascii_whitespace() || byte.is_ascii_control(),
    };
    let end = (rest..text.len()).find(stops).unwrap_or(text.len());
    balanced_parenthesis(&text[..end], rest).unwrap_or(end)
}

/// The source that a `file:` or `computer:` URL names.
pub(super) fn reached_by(rules: &PathRules, text: &[u8], url: &Url) -> Option<Reached> {
    let text = &text[..url.end];
    let ends = |at: usize| may_end(text, at, Alphabet::Percent, true);
    let path = |at: usize| Path { text, at, alphabet: Alphabet::Percent, ends: &ends };
    let mut at = url.rest;
    if text[at..].get(..9).is_some_and(|host| host.eq_ignore_ascii_case(b"localhost")) {
        at += 9;
    }
    let behind_slash = at + usize::from(text.get(at) == Some(&b'/'));
    match drive_at(text, behind_slash) {
        Some((letter, separator)) => rules.sources.on_drive(letter, path(separator)),
        None => rules.sources.on_posix(path(at)),
    }
}

/// The letter of a drive and where the path goes on behind its colon.
fn drive_at(text: &[u8], at: usize) -> Option<(u8, usize)> {
    let letter = *text.get(at).filter(|letter| letter.is_ascii_alphabetic())?;
    match (text.get(at + 1)?, percent_byte(text, at + 1)) {
        (b':' | b'|', _) => Some((letter, at + 2)),
        (_, Some(b':' | b'|')) => Some((letter, at + 4)),
        _ => None,
    }
}

/// The changes that make the URL one of the new place; `None` if a URL cannot name that.
pub(super) fn changes(
    rule: &Rule,
    text: &[u8],
    url: &Url,
    reached: Reached,
    rename: &dyn Fn(&str) -> Option<String>,
) -> Option<Vec<Change>> {
    let has_tail = separator_at(text, reached.end, Alphabet::Percent).is_some();
    let place = url_path(&rule.to, url.scheme, has_tail)?;
    let mut changes = vec![Change { at: url.rest..reached.end, text: place }];
    let tail = reached.end..tail_end(text, reached.end, url.end);
    let respell = rule.from.style() == PathStyle::Posix && rule.to.style() == PathStyle::Windows;
    changes.extend(tail_changes(text, tail, respell, rename));
    Some(changes)
}

/// What stands behind `scheme://` for a place.
fn url_path(place: &ForeignPath, scheme: Scheme, has_tail: bool) -> Option<String> {
    let spelled = place.spelled('/');
    let spelled = if has_tail { spelled.trim_end_matches('/') } else { &spelled };
    let encoded = percent_encode(spelled, URL_PATH, false);
    match (place.root(), scheme) {
        (PathRoot::Drive(_), _) => Some(format!("/{encoded}")),
        (PathRoot::Posix, _) => Some(encoded),
        (PathRoot::Share { .. }, Scheme::File) => encoded.strip_prefix("//").map(str::to_owned),
        (PathRoot::Share { .. }, _) => None,
    }
}

/// A query or a fragment is no part of the path.
fn tail_end(text: &[u8], from: usize, end: usize) -> usize {
    memchr::memchr2(b'?', b'#', &text[from..end]).map_or(end, |at| from + at)
}

/// Slashes throughout; where the names come from another system (`respell`), renamed as they were on extraction and
/// encoded where they were not.
fn tail_changes(
    text: &[u8],
    tail: Range<usize>,
    respell: bool,
    rename: &dyn Fn(&str) -> Option<String>,
) -> Vec<Change> {
    let mut changes = Vec::new();
    let text = &text[..tail.end];
    let mut at = tail.start;
    while at < tail.end {
        let mut end = at + 1;
        if let Some(separator) = separator_at(text, at, Alphabet::Plain) {
            end = at + separator.len;
            if &text[at..end] != b"/" {
                changes.push(Change { at: at..end, text: "/".to_owned() });
            }
        } else {
            end += text[end..].iter().position(|byte| matches!(byte, b'/' | b'\\')).unwrap_or(tail.end - end);
            if respell {
                changes.extend(name_change(text, at..end, rename));
            }
        }
        at = end;
    }
    changes
}

fn name_change(text: &[u8], at: Range<usize>, rename: &dyn Fn(&str) -> Option<String>) -> Option<Change> {
    let mut name = String::new();
    let mut pos = at.start;
    while pos < at.end {
        let (letter, len) = char_at(&text[..at.end], pos, Alphabet::Percent, 0)?;
        name.push(letter);
        pos += len;
    }
    let raw = &text[at.clone()];
    let illegal = |byte: &u8| matches!(byte, b' ' | b'"' | b'<' | b'>' | b'`' | b'^' | b'{' | b'}' | b'|');
    let renamed = rename(&name);
    let respelled = renamed.is_some() || raw.iter().any(illegal);
    // parentheses that balance may stay in a Markdown link, and read better
    let kept = "-._~!$&'()*+,;=@";
    respelled.then(|| Change { at, text: percent_encode(renamed.as_deref().unwrap_or(&name), kept, false) })
}
