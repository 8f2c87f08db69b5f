//! What people on Windows read and type.

use std::borrow::Cow;

use super::steers;

/// The text without the prefix by which Windows takes a path as it is, however long it is and whatever it is called.
/// Programs need it; nobody should have to read it.
pub(super) fn plain(text: &str) -> Cow<'_, str> {
    without(text, [(r"\\?\UNC\", r"\\"), (r"\\?\", "")])
}

/// The same of a JSON document, where each backslash is two.
pub(super) fn plain_json(document: &str) -> Cow<'_, str> {
    without(document, [(r"\\\\?\\UNC\\", r"\\\\"), (r"\\\\?\\", "")])
}

fn without<'t>(text: &'t str, prefixes: [(&str, &str); 2]) -> Cow<'t, str> {
    prefixes.into_iter().fold(Cow::Borrowed(text), |text, (prefix, plain)| {
        if text.contains(prefix) { text.replace(prefix, plain).into() } else { text }
    })
}

/// Plain, or in double quotes, which both shells of Windows read; what one of them would expand there goes into single
/// quotes, for PowerShell alone.
pub(super) fn word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_+=:./\\-".contains(c);
    let expands = |c: char| "\"$`%!".contains(c) || steers(c);
    match text {
        plain if !plain.is_empty() && plain.chars().all(is_plain) => plain.to_owned(),
        quotable if !quotable.contains(expands) && !quotable.ends_with('\\') => format!("\"{quotable}\""),
        other => format!("'{}'", other.replace(steers, "?").replace('\'', "''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_has_to_read_how_programs_spell_long_paths() {
        for (path, shown) in [
            (r"found \\?\C:\Users\mira here", r"found C:\Users\mira here"),
            (r"\\?\UNC\nas\share\x", r"\\nas\share\x"),
            (r"C:\?\x", r"C:\?\x"),
        ] {
            assert_eq!(plain(path), shown);
            let document = serde_json::to_string(path).unwrap();
            assert_eq!(serde_json::from_str::<String>(&plain_json(&document)).unwrap(), shown);
        }
    }

    #[test]
    fn a_command_printed_on_windows_can_be_typed_in_both_of_its_shells() {
        for (text, typed) in [
            (r"C:\Users\otto\x-1.md", r"C:\Users\otto\x-1.md"),
            (r"C:\Users\Jörn K\x", r#""C:\Users\Jörn K\x""#),
            ("it's", r#""it's""#),
            ("a,b", r#""a,b""#),
            ("", r#""""#),
            (r"C:\a b\", r"'C:\a b\'"),
            ("100 $ of it's", "'100 $ of it''s'"),
        ] {
            assert_eq!(word(text), typed);
        }
    }
}
