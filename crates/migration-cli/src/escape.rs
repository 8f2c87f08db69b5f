//! Names come from strangers: what is printed may neither steer a terminal nor a shell.

mod windows;

use std::borrow::Cow;
use std::ffi::OsStr;
use std::fmt::Write;

/// Whether a character would do something to a terminal other than appear: control characters, line separators, and
/// those that turn the direction of writing.
fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The text with every character that steers a terminal written as `\u{…}`, and paths of Windows as people spell them.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    let text = if cfg!(windows) { windows::plain(text) } else { Cow::Borrowed(text) };
    if !text.contains(steers) {
        return text;
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if steers(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// A JSON document with the same care: there such characters stand in strings only, and have an escape of their own.
pub(crate) fn visible_json(document: &str) -> String {
    let document = if cfg!(windows) { windows::plain_json(document) } else { Cow::Borrowed(document) };
    let mut out = String::with_capacity(document.len());
    for c in document.chars() {
        if steers(c) && c != '\n' {
            let _ = write!(out, "\\u{:04x}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out
}

/// A word of a shell command that stands for exactly this text: as it is where it can be, else in quotes, and where it
/// holds something that steers a terminal, in `$'…'`, which bash, zsh and ksh read. On Windows as both of its shells
/// read it.
///
/// ```
/// use migration_cli::shell_word;
/// assert_eq!(shell_word("/home/kim/app"), "/home/kim/app");
/// # #[cfg(unix)]
/// assert_eq!(shell_word("it's"), r"'it'\''s'");
/// # #[cfg(unix)]
/// assert_eq!(shell_word("red\x1b[31m"), r"$'red\033[31m'");
/// ```
pub fn shell_word(text: impl AsRef<OsStr>) -> String {
    let text = text.as_ref();
    if cfg!(windows) {
        return windows::word(&text.to_string_lossy());
    }
    match text.to_str() {
        Some(plain) if !plain.is_empty() && plain.chars().all(is_plain) => plain.to_owned(),
        Some(quotable) if !quotable.contains(steers) => format!("'{}'", quotable.replace('\'', r"'\''")),
        _ => format!("$'{}'", text.as_encoded_bytes().iter().map(|byte| ansi_c(*byte)).collect::<String>()),
    }
}

fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c)
}

fn ansi_c(byte: u8) -> String {
    match byte {
        b'\'' | b'\\' => format!("\\{}", char::from(byte)),
        b' '..=b'~' => char::from(byte).to_string(),
        _ => format!("\\{byte:03o}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_can_steer_the_terminal_of_whoever_reads_a_report() {
        let hostile = "a\u{1b}]0;title\u{7}\u{9b}31m\r\n\u{202e}b\u{2028}\u{7f}";
        assert_eq!(visible(hostile), r"a\u{1b}]0;title\u{7}\u{9b}31m\u{d}\u{a}\u{202e}b\u{2028}\u{7f}");
        assert_eq!(visible("zoë 😀"), "zoë 😀");
        let document = serde_json::to_string(hostile).unwrap();
        let shown = visible_json(&document);
        assert!(!shown.contains(steers), "{shown:?}");
        assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), hostile);
    }

    #[cfg(unix)]
    #[test]
    fn a_printed_command_names_the_very_thing_it_is_about() {
        use std::os::unix::ffi::OsStrExt;
        for bytes in [
            &b"plain/x.y"[..],
            b"",
            b"two words",
            b"it's",
            b"$HOME `id` \\",
            b"nl\n\x1b'\xff",
            "ë😀".as_bytes(),
        ] {
            let word = shell_word(OsStr::from_bytes(bytes));
            let echoed = std::process::Command::new("bash")
                .args(["-c", &format!("printf %s {word}")])
                .env("LC_ALL", "C.UTF-8")
                .output()
                .unwrap();
            assert_eq!(echoed.stdout, bytes, "{word}");
            assert!(!word.contains(steers), "{word:?}");
        }
    }
}
