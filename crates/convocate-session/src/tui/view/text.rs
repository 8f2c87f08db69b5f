//! Names come from strangers: what is shown never steers the terminal, and takes the columns that it seems to.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The text with every character that would steer a terminal, turn the writing round, or take no room written as
/// `\u{…}`.
pub(in crate::tui) fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let shown = c.width().is_some_and(|width| width > 0) && !turns(c);
        if shown { out.push(c) } else { out.extend(c.escape_default()) }
    }
    out
}

/// Whether a character has a say in how its neighbours are shown.
fn turns(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// How many columns it takes.
pub(super) fn width(text: &str) -> usize {
    text.width()
}

/// As much of it as fits into so many columns, with `...` where something is left out.
pub(super) fn cut(text: &str, room: usize) -> String {
    if width(text) <= room {
        return text.to_owned();
    }
    let dots = if room > 3 { "..." } else { "" };
    let mut out = first(text, room - dots.len());
    out.push_str(dots);
    out
}

/// What of its beginning fits.
fn first(text: &str, room: usize) -> String {
    let mut taken = 0;
    let fits = |c: &char| {
        taken += c.width().unwrap_or_default();
        taken <= room
    };
    text.chars().take_while(fits).collect()
}

/// What of its end fits.
pub(super) fn cut_left(text: &str, room: usize) -> String {
    let backwards: String = text.chars().rev().collect();
    first(&backwards, room).chars().rev().collect()
}

/// The same filled up with spaces.
pub(super) fn padded(text: &str, room: usize) -> String {
    let mut out = cut(text, room);
    out.extend(std::iter::repeat_n(' ', room.saturating_sub(width(&out))));
    out
}

/// In lines of so many columns, broken at spaces where that is possible.
pub(super) fn wrapped(text: &str, room: usize) -> Vec<String> {
    let room = room.max(2); // a wide character has to fit
    let mut lines = Vec::new();
    let mut rest = text;
    while width(rest) > room {
        let whole = first(rest, room);
        let fits = whole.len();
        let at_space = rest.as_bytes().get(fits) == Some(&b' ');
        let end = if at_space { fits } else { whole.rfind(' ').filter(|&at| at > 0).unwrap_or(fits) };
        lines.push(rest[..end].to_owned());
        rest = rest[end..].trim_start_matches(' ');
    }
    lines.push(rest.to_owned());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_steers_the_terminal_or_turns_the_writing_round() {
        assert_eq!(visible("a\x1b[31m\u{202e}b\u{301}\u{200b}"), "a\\u{1b}[31m\\u{202e}b\\u{301}\\u{200b}");
        assert_eq!(visible("\u{6f22}\u{5b57} \u{1f600}"), "\u{6f22}\u{5b57} \u{1f600}");
    }

    #[test]
    fn wide_characters_are_cut_where_they_do_not_fit() {
        assert_eq!(cut("\u{6f22}\u{5b57}\u{6f22}\u{5b57}", 8), "\u{6f22}\u{5b57}\u{6f22}\u{5b57}");
        assert_eq!(cut("\u{6f22}\u{5b57}\u{6f22}\u{5b57}", 7), "\u{6f22}\u{5b57}...");
        assert_eq!(padded("\u{6f22}\u{5b57}\u{6f22}\u{5b57}", 6), "\u{6f22}... ");
    }

    #[test]
    fn long_lines_are_broken_at_spaces_and_lose_nothing() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("abcdefgh ij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrapped("", 4), [""]);
    }
}
