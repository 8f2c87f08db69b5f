//! How far a path goes on after the source that it begins with.

use super::literal::{backslashes_before, depth_of_quote};
use super::spelling::{Alphabet, Separator, char_at, char_before, separator_at};

/// The longest text that may be a path as a whole although it has blanks.
const LONGEST_PATH: usize = 1024;
/// How far behind the start of a path what ends it is looked for: further than any path is long.
pub(super) const LONGEST_TAIL: usize = 4096;

/// What follows a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tail {
    /// It ends here.
    Ends(usize),
    /// It may end here or go on after a blank: nobody can tell.
    Ambiguous,
}

/// Which separators belong to a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Separators {
    /// Slashes. A backslash escapes something, or ends the path.
    Slashes,
    /// Slashes, and backslashes that are quoted this much deeper than the text.
    Both(u32),
}

impl Separators {
    /// The separator at `at`, if it is one of this path's.
    pub(super) fn at(self, text: &[u8], at: usize) -> Option<Separator> {
        let found = separator_at(text, at, Alphabet::Plain)?;
        let belongs = match self {
            Self::Slashes => found.slash,
            Self::Both(depth) => found.slash || found.depth == Some(depth),
        };
        (belongs && (found.slash || text.get(at + found.len) != Some(&b'"'))).then_some(found)
    }
}

/// The end of a tail in running text. `start` is where the path begins, `end` where its source does.
pub(super) fn tail_in_prose(text: &[u8], start: usize, end: usize, separators: Separators) -> Tail {
    if let Some(close) = closing_delimiter(text, start, end)
        && !(end..close).any(|at| begins_another(text, at))
        && first_escape(&text[..close], end, separators).is_none()
    {
        return Tail::Ends(close);
    }
    let stop = first_stop(text, end, separators);
    let kept = without_punctuation(text, end, stop);
    if kept < stop || !goes_on(text, stop, separators != Separators::Slashes) {
        return Tail::Ends(kept);
    }
    let blank = char_at(text, stop, Alphabet::Plain, 0).is_some_and(|(c, _)| c.is_whitespace());
    if blank && has_extension(&text[start..stop]) { Tail::Ends(stop) } else { Tail::Ambiguous }
}

/// Whether the text as a whole is one path: it begins with a root, and either is known to be one (`known`), or has no
/// blanks, or looks like the name of one file and nothing else.
pub(super) fn is_whole_path(text: &[u8], known: bool) -> bool {
    if !begins_with_root(text) || memchr::memchr2(b'\n', b'\r', text).is_some() {
        return false;
    }
    let single_root = || !(1..text.len()).any(|at| begins_another(text, at));
    known
        || (!text.iter().any(u8::is_ascii_whitespace) && single_root())
        || (text.len() <= LONGEST_PATH && !is_shell_like(text) && has_extension(text) && single_root())
}

fn is_shell_like(text: &[u8]) -> bool {
    let signs: [&[u8]; 6] = [b" -", b"&&", b"|", b";", b"\"", b"`"];
    let apostrophe = |at: usize| {
        // inside a word it is a letter, elsewhere a quote
        text[at - 1].is_ascii_alphanumeric() && text.get(at + 1).is_some_and(u8::is_ascii_alphanumeric)
    };
    signs.iter().any(|sign| memchr::memmem::find(text, sign).is_some())
        || memchr::memchr_iter(b'\'', text).any(|at| at == 0 || !apostrophe(at))
}

fn begins_with_root(text: &[u8]) -> bool {
    let text = text.strip_prefix(br"\\?\").unwrap_or(text);
    text.first() == Some(&b'/') || is_drive(text)
}

/// `C:` and a separator.
fn is_drive(text: &[u8]) -> bool {
    matches!(text, [letter, b':', b'\\' | b'/', ..] if letter.is_ascii_alphabetic())
}

/// Whether another path or URL begins at `at`, after something that no name goes on with.
fn begins_another(text: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).map(|before| text[before]);
    let opens = matches!(
        before,
        Some(
            b' ' | b'\t'
                | b','
                | b';'
                | b':'
                | b'='
                | b'|'
                | b'&'
                | b'"'
                | b'\''
                | b'`'
                | b'('
                | b'<'
                | b'['
                | b'{'
        )
    );
    let rest = &text[at..];
    let slash = matches!(rest, [b'/', next, ..] if next.is_ascii_alphanumeric());
    rest.starts_with(b"://") || (opens && (is_drive(rest) || slash))
}

/// Where the delimiter closes that opens right before `start`, if one does.
pub(super) fn closing_delimiter(text: &[u8], start: usize, end: usize) -> Option<usize> {
    let text = &text[..text.len().min(end + LONGEST_TAIL)];
    let find = |closer: &str| memchr::memmem::find(&text[end..], closer.as_bytes()).map(|at| end + at);
    match char_before(text, start)? {
        '"' => {
            let depth = depth_of_quote(text, start - 1);
            let mut quotes = memchr::memchr_iter(b'"', &text[end..]).map(|at| end + at);
            let close = quotes.find(|&quote| depth_of_quote(text, quote) == depth)?;
            Some(backslashes_before(text, close).max(end))
        }
        '\'' => find("'").filter(|&at| !text.get(at + 1).is_some_and(u8::is_ascii_alphanumeric)),
        '`' => find("`"),
        '<' => find(">"),
        '“' => find("”"),
        '‘' => find("’"),
        '«' => find("»"),
        '(' if start >= 2 && text[start - 2] == b']' => balanced_parenthesis(text, end),
        _ => None,
    }
}

pub(super) fn balanced_parenthesis(text: &[u8], from: usize) -> Option<usize> {
    let mut open = 0_usize;
    for at in memchr::memchr2_iter(b'(', b')', &text[from..]).map(|at| from + at) {
        match (text[at], open) {
            (b'(', _) => open += 1,
            (_, 0) => return Some(at),
            _ => open -= 1,
        }
    }
    None
}

/// The first backslash that is no separator of the path.
fn first_escape(text: &[u8], from: usize, separators: Separators) -> Option<usize> {
    let mut at = from;
    while let Some(more) = memchr::memchr(b'\\', &text[at..]) {
        at += more;
        match separators.at(text, at) {
            Some(separator) => at += separator.len,
            None => return Some(at),
        }
    }
    None
}

/// The first place at which running text leaves the path.
fn first_stop(text: &[u8], from: usize, separators: Separators) -> usize {
    let mut at = from;
    while at < text.len() {
        let (letter, len) = char_at(text, at, Alphabet::Plain, 0).unwrap_or((char::REPLACEMENT_CHARACTER, 1));
        let next = text.get(at + len);
        let leaves = match letter {
            '\\' => match separators.at(text, at) {
                Some(separator) => {
                    at += separator.len;
                    continue;
                }
                None => true,
            },
            ':' if next.is_some_and(u8::is_ascii_digit) => true,
            ':' | ';' | ',' | '=' | '(' | '[' | '{' | '&' => begins_another(text, at + len),
            other => {
                other.is_whitespace() || other.is_control() || is_quote(other) || "<>|?*".contains(other)
            }
        };
        if leaves {
            return at;
        }
        at += len;
    }
    at
}

fn is_quote(letter: char) -> bool {
    matches!(letter, '"' | '\'' | '`' | '“' | '”' | '‘' | '’' | '«' | '»' | '「' | '」' | '『' | '』')
}

/// The end without the punctuation of the sentence around it, and without closers that nothing in the tail opened.
fn without_punctuation(text: &[u8], from: usize, mut end: usize) -> usize {
    let pairs = [(b'(', b')'), (b'[', b']'), (b'{', b'}')];
    // How many more closers than openers there are, by pair: counted once, or a row of closers would cost its square.
    let mut excess: Option<[usize; 3]> = None;
    while end > from {
        let last = text[end - 1];
        if let Some(pair) = pairs.iter().position(|&(_, closer)| closer == last) {
            let excess = excess.get_or_insert_with(|| {
                let count = |wanted: u8| memchr::memchr_iter(wanted, &text[from..end]).count();
                pairs.map(|(opener, closer)| count(closer).saturating_sub(count(opener)))
            });
            if excess[pair] == 0 {
                break;
            }
            excess[pair] -= 1;
        } else if !matches!(last, b'.' | b',' | b';' | b':' | b'!' | b'?') {
            break;
        }
        end -= 1;
    }
    end
}

/// Whether what follows the stop may be more of the same path.
fn goes_on(text: &[u8], stop: usize, windows: bool) -> bool {
    let Some((letter, len)) = char_at(text, stop, Alphabet::Plain, 0) else { return false };
    let rest = &text[stop..];
    let is_separator = |byte: u8| byte == b'/' || (windows && byte == b'\\');
    match letter {
        ' ' => {
            let word = rest.trim_ascii_start();
            let word = &word[..word.iter().position(u8::is_ascii_whitespace).unwrap_or(word.len())];
            is_word_of_a_name(word) && word.iter().copied().any(is_separator)
        }
        '\'' if !rest.get(len).is_some_and(u8::is_ascii_alphanumeric) => false,
        '\\' if matches!(rest.get(len), None | Some(b'n' | b'r' | b't' | b'"' | b'\\')) => false,
        '*' | '?' | '\'' | '\\' => {
            let word =
                rest[len..].trim_ascii_start().iter().copied().take_while(|byte| !byte.is_ascii_whitespace());
            word.take_while(|byte| !matches!(byte, b'"' | b'`' | b'<' | b'>' | b'|')).any(is_separator)
        }
        _ => false,
    }
}

/// Whether a word can be the second word of a name: it begins no path, URL, option, variable or quotation.
fn is_word_of_a_name(word: &[u8]) -> bool {
    let Some(first) = char_at(word, 0, Alphabet::Plain, 0) else { return false };
    let begins_something = is_quote(first.0) || "/\\~-$<>|&;*".contains(first.0) || begins_another(word, 1);
    let relative = word.starts_with(b"./") || word.starts_with(b"../") || word.starts_with(br".\");
    !begins_something && !relative && !is_drive(word) && memchr::memmem::find(word, b"://").is_none()
}

/// Whether the last name of a path ends in `.` and up to eight letters or digits.
fn has_extension(path: &[u8]) -> bool {
    let name = path.rsplit(|byte| matches!(byte, b'/' | b'\\')).next().unwrap_or_default();
    let mut parts = name.rsplitn(2, |&byte| byte == b'.');
    match (parts.next(), parts.next()) {
        (Some(extension), Some(stem)) => {
            !stem.is_empty()
                && (1..=8).contains(&extension.len())
                && extension.iter().all(u8::is_ascii_alphanumeric)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tail after `/v`, which stands for a source.
    fn tail(text: &str) -> Option<&str> {
        let start = text.find("/v").unwrap();
        match tail_in_prose(text.as_bytes(), start, start + 2, Separators::Slashes) {
            Tail::Ends(end) => Some(&text[start + 2..end]),
            Tail::Ambiguous => None,
        }
    }

    #[test]
    fn a_path_in_a_sentence_ends_where_a_reader_ends_it() {
        for (text, expected) in [
            ("see /v/a.txt, please", "/a.txt"),
            ("see (/v/a).", "/a"),
            ("see /v/a(1).txt!", "/a(1).txt"),
            ("is it /v/a?", "/a"),
            ("cp /v/a /v/b", "/a"),
            ("cd /v/a && make -C x/y", "/a"),
            ("/v/a>/dev/null", "/a"),
            ("/v/a:/v/b", "/a"),
            ("/v/a.rs:12:5", "/a.rs"),
            ("/v/é/日本.txt。", "/é/日本.txt。"),
            ("ls /v/ a", "/"),
            (r"/v/a\nnext", "/a"),
            ("/v/a.txt or b/c", "/a.txt"),
            ("/v/a, b/c", "/a"),
            ("/v/a ./b/c", "/a"),
        ] {
            assert_eq!(tail(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn a_delimiter_right_before_a_path_says_where_it_ends() {
        for (text, expected) in [
            (r#"open("/v/a b.txt")"#, "/a b.txt"),
            (r#"{\"p\":\"/v/a b\",\"q\":1"#, "/a b"),
            ("run '/v/a b/c d' now", "/a b/c d"),
            ("`/v/a b`", "/a b"),
            ("</v/a b>", "/a b"),
            ("[x](/v/a (1) b.txt)", "/a (1) b.txt"),
            ("“/v/a b”", "/a b"),
            (r#"echo "/v/a /v/b""#, "/a"),
            (r#"{"said":"/v/a\nb/c","#, "/a"),
        ] {
            assert_eq!(tail(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_may_go_on_after_a_blank_is_not_half_converted() {
        for text in ["in /v/My Folder/a.txt", "/v and/or", "/v/**/x.rs", "/v/it's/x", r"/v/My\ Dir/x"] {
            assert_eq!(tail(text), None, "{text}");
        }
    }

    #[test]
    fn a_text_that_is_one_path_is_told_from_a_command() {
        for whole in ["/v/a", "/v/a(1)+#ü'x", r"C:\a\b", "/v/Plan (v2)/My File's copy.txt", r"\\?\C:\a"] {
            assert!(is_whole_path(whole.as_bytes(), false), "{whole}");
        }
        for prose in [
            "/v/a b",
            "v/a",
            "/v/a:/v/b",
            "/v/a -x b.txt",
            "/v/a | b.txt",
            "/v/a && b.txt",
            "/v/x 'a'.txt",
            "/v/a\nb.txt",
            "see /v/a.txt",
            "/v/a.txt /v/b.txt",
        ] {
            assert!(!is_whole_path(prose.as_bytes(), false), "{prose}");
        }
        assert!(is_whole_path(b"/v/a b", true));
        assert!(!is_whole_path(b"see /v/a b", true));
    }
}
