//! Where the name of a mapped place may begin and end in a text.

use unicode_normalization::char::is_combining_mark;

use super::literal::backslashes_before;
use super::spelling::{Alphabet, char_at, char_before};

/// Whether a path may begin at `start`: nothing before it makes it a part of something longer.
///
/// An escape that is quoted in the text, like the `\n` of a piece of JSON, ends what was before it.
pub(super) fn may_begin(text: &[u8], start: usize) -> bool {
    let Some(before) = char_before(text, start) else {
        return start == 0 || !text[start - 1].is_ascii(); // invalid UTF-8 is no name
    };
    match before {
        'n' | 'r' | 't' if text[..start - 1].ends_with(b"\\") => true,
        ':' => !ends_with_drive_or_scheme(&text[..start - 1]),
        '~' => text[..start - 1].ends_with(b"~"), // one is a home, two are markup
        '_' | '-' | '.' | '/' | '\\' => false,
        letter => !continues_word(letter),
    }
}

/// `D:/sessions` is no path below `/`, nor is `file:/sessions` one of this system.
fn ends_with_drive_or_scheme(before_colon: &[u8]) -> bool {
    let is_drive = matches!(before_colon, [.., letter] if letter.is_ascii_alphabetic())
        && may_begin(before_colon, before_colon.len() - 1);
    let tail = &before_colon[before_colon.len().saturating_sub(8)..];
    is_drive || [&b"file"[..], b"computer"].iter().any(|scheme| tail.to_ascii_lowercase().ends_with(scheme))
}

/// If a path at `start` has `\\?\` before it: where that begins.
pub(super) fn verbatim_prefix(text: &[u8], start: usize) -> Option<usize> {
    let question = backslashes_before(text, start).checked_sub(1)?;
    let behind = start - question - 1;
    if text[question] != b'?' || !behind.is_power_of_two() {
        return None;
    }
    let begin = backslashes_before(text, question);
    (question - begin == 2 * behind).then_some(begin)
}

/// Whether the last name of a source may end at `at`. In a text that is a path as a whole, only what no file system
/// allows in a name ends one, and the punctuation of a sentence around it.
pub(super) fn may_end(text: &[u8], at: usize, alphabet: Alphabet, whole: bool) -> bool {
    let Some((letter, len)) = char_at(text, at, alphabet, 0) else { return true };
    let after = char_at(text, at + len, alphabet, 0).map(|(letter, _)| letter);
    let sentence_ends = after.is_none_or(|after| after.is_whitespace() || is_closing(after));
    match letter {
        '\\' => after != Some(' '), // a blank that a shell shall not see
        '/' => true,
        '.' => sentence_ends,
        '~' if after.is_some_and(|after| after.is_ascii_digit()) => false, // a short name
        letter if continues_word(letter) || matches!(letter, '_' | '-') => false,
        '"' | '<' | '>' | '|' | '?' | '*' | ':' => true,
        '#' if alphabet == Alphabet::Percent => text[at] == b'#',
        ',' | ';' | '!' | ')' | ']' | '}' if whole => sentence_ends,
        _ => !whole,
    }
}

fn is_closing(letter: char) -> bool {
    matches!(letter, ')' | ']' | '}' | '"' | '\'' | '`' | '>' | ',' | ';' | ':' | '!' | '?')
}

/// A letter or digit of any script, a mark on one, or a pictograph.
pub(super) fn continues_word(letter: char) -> bool {
    letter.is_alphanumeric() || is_combining_mark(letter) || ('\u{1F000}'..='\u{1FAFF}').contains(&letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_begins_only_where_nothing_longer_goes_on() {
        for (before, expected) in [
            ("", true),
            (" ", true),
            ("=", true),
            ("(", true),
            ("**", true),
            (r"\n", true),
            ("a:", false),
            ("host:", true),
            ("x", false),
            ("é", false),
            ("e\u{301}", false),
            ("9", false),
            ("_", false),
            ("-", false),
            (".", false),
            ("/", false),
            ("\\", false),
            ("~", false),
            ("~~", true),
            ("D:", false),
            ("file:", false),
            ("。", true),
        ] {
            let text = format!("{before}/v");
            assert_eq!(may_begin(text.as_bytes(), before.len()), expected, "{text}");
        }
        assert!(may_begin(b"\xff/v", 1));
    }

    #[test]
    fn a_verbatim_prefix_is_recognised_at_every_depth() {
        for (text, expected) in
            [(r"\\?\C:", Some(0)), (r" \\\\?\\C:", Some(1)), (r"\\?\\C:", None), (r"\?\C:", None)]
        {
            assert_eq!(verbatim_prefix(text.as_bytes(), text.len() - 2), expected, "{text}");
        }
    }

    #[test]
    fn a_name_that_goes_on_is_another_name() {
        let ends = |after: &str, whole| may_end(after.as_bytes(), 0, Alphabet::Plain, whole);
        for after in ["", "/", "\\", ":", ".", ". A", ".)", ".\"", "\"", ", x", "?"] {
            assert!(ends(after, false), "{after}");
        }
        for after in ["2", "a", "ü", "\u{301}", "_", "-7", ".d", "..", "日", "~1"] {
            assert!(!ends(after, false), "{after}");
            assert!(!ends(after, true), "{after}");
        }
        for after in [" x", "(1)", "+x", "'s", "#", "@", ",x"] {
            assert!(ends(after, false), "{after}");
            assert!(!ends(after, true), "{after}");
        }
    }
}
