//! How the characters and separators of a path are written in a decoded text.

/// In which alphabet a path is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alphabet {
    /// As it is, or as it looks in a piece of JSON that is quoted in the text.
    Plain,
    /// With `%XX`, as in URLs.
    Percent,
}

/// A separator as it was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Separator {
    pub(super) len: usize,
    pub(super) slash: bool,
    /// How many levels deeper than the text itself this one is escaped, where that can be told.
    pub(super) depth: Option<u32>,
}

/// The separator that begins at `at`.
///
/// A backslash that is quoted `k` levels deeper is a run of `2^k` of them; `\/` is a slash that somebody escaped.
pub(super) fn separator_at(text: &[u8], at: usize, alphabet: Alphabet) -> Option<Separator> {
    match (text.get(at)?, alphabet) {
        (b'/', _) => Some(Separator { len: 1, slash: true, depth: None }),
        (b'\\', _) => {
            let run = text[at..].iter().take_while(|&&byte| byte == b'\\').count();
            if text.get(at + run) == Some(&b'/') {
                return Some(Separator { len: run + 1, slash: true, depth: Some(run.ilog2() + 1) });
            }
            run.is_power_of_two().then(|| Separator { len: run, slash: false, depth: Some(run.ilog2()) })
        }
        (b'%', Alphabet::Percent) => match percent_byte(text, at)? {
            b'/' => Some(Separator { len: 3, slash: true, depth: None }),
            b'\\' => Some(Separator { len: 3, slash: false, depth: None }),
            _ => None,
        },
        _ => None,
    }
}

/// The character that begins at `at` and how many bytes write it; `None` at the end and where the bytes are no text.
///
/// `depth` is how much deeper the path is escaped than the text: there, `\u00e9` is a letter.
pub(super) fn char_at(text: &[u8], at: usize, alphabet: Alphabet, depth: u32) -> Option<(char, usize)> {
    match text.get(at)? {
        b'%' if alphabet == Alphabet::Percent => percent_char(text, at).or(Some(('%', 1))),
        b'\\' if depth > 0 => escaped_char(text, at, depth),
        &byte if byte.is_ascii() => Some((char::from(byte), 1)),
        _ => utf8_char(&text[at..text.len().min(at + 4)]),
    }
}

/// The character that ends right before `at`.
pub(super) fn char_before(text: &[u8], at: usize) -> Option<char> {
    let start = (1..=4.min(at)).map(|back| at - back).find(|&start| text[start] & 0xC0 != 0x80)?;
    utf8_char(&text[start..at]).map(|(letter, _)| letter)
}

fn utf8_char(bytes: &[u8]) -> Option<(char, usize)> {
    let valid = match std::str::from_utf8(bytes) {
        Ok(all) => all,
        Err(error) => std::str::from_utf8(&bytes[..error.valid_up_to()]).ok()?,
    };
    valid.chars().next().map(|letter| (letter, letter.len_utf8()))
}

fn escaped_char(text: &[u8], at: usize, depth: u32) -> Option<(char, usize)> {
    let run = text[at..].iter().take_while(|&&byte| byte == b'\\').count();
    let introduced_inside = run.is_power_of_two() && run.ilog2() < depth;
    let digits = text.get(at + run + 1..at + run + 5)?;
    if !introduced_inside || text[at + run] != b'u' || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let code = u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    char::from_u32(code).map(|letter| (letter, run + 5))
}

/// What a `%XX` at `at` stands for.
pub(super) fn percent_byte(text: &[u8], at: usize) -> Option<u8> {
    let digit = |at: usize| char::from(*text.get(at)?).to_digit(16);
    if text.get(at) != Some(&b'%') {
        return None;
    }
    u8::try_from(digit(at + 1)? * 16 + digit(at + 2)?).ok()
}

fn percent_char(text: &[u8], at: usize) -> Option<(char, usize)> {
    let mut bytes = [percent_byte(text, at)?, 0, 0, 0];
    let len = match bytes[0] {
        0..0x80 => 1,
        0xC0..0xE0 => 2,
        0xE0..0xF0 => 3,
        0xF0.. => 4,
        _ => return None,
    };
    for (index, byte) in bytes.iter_mut().enumerate().take(len).skip(1) {
        *byte = percent_byte(text, at + 3 * index)?;
    }
    utf8_char(&bytes[..len])
        .filter(|(letter, _)| letter.len_utf8() == len)
        .map(|(letter, _)| (letter, 3 * len))
}

/// Which characters a percent encoding leaves as they are, beside letters and digits of ASCII.
pub(super) const URL_PATH: &str = "-._~/:!$&'*+,;=@";
/// The same for a text that has to be a single component.
pub(super) const COMPONENT: &str = "-._~!*'()";

/// Percent-encodes what is neither a letter nor a digit of ASCII nor one of `kept`.
pub(super) fn percent_encode(text: &str, kept: &str, lower_hex: bool) -> String {
    let mut encoded = String::with_capacity(text.len() + 8);
    for byte in text.bytes() {
        let plain = char::from(byte);
        if plain.is_ascii_alphanumeric() || kept.contains(plain) {
            encoded.push(plain);
        } else {
            let digits =
                hex_digits(byte).map(|digit| if lower_hex { digit } else { digit.to_ascii_uppercase() });
            encoded.push('%');
            encoded.extend(digits);
        }
    }
    encoded
}

/// The two digits of a byte, in lower case.
pub(super) fn hex_digits(byte: u8) -> [char; 2] {
    [byte >> 4, byte & 15].map(|half| char::from_digit(u32::from(half), 16).unwrap_or('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_separator_tells_how_deep_it_is_quoted() {
        let plain =
            |text: &[u8]| separator_at(text, 0, Alphabet::Plain).map(|it| (it.len, it.slash, it.depth));
        assert_eq!(plain(b"/x"), Some((1, true, None)));
        assert_eq!(plain(br"\x"), Some((1, false, Some(0))));
        assert_eq!(plain(br"\\x"), Some((2, false, Some(1))));
        assert_eq!(plain(br"\\\\x"), Some((4, false, Some(2))));
        assert_eq!(plain(br"\\\x"), None, "no depth writes three of them");
        assert_eq!(plain(br"\/x"), Some((2, true, Some(1))));
        assert_eq!(plain(br"\\/x"), Some((3, true, Some(2))));
        assert_eq!(plain(b"x"), None);
        let percent = |text: &[u8]| separator_at(text, 0, Alphabet::Percent).map(|it| (it.len, it.slash));
        assert_eq!(percent(b"%5cx"), Some((3, false)));
        assert_eq!(percent(b"%2Fx"), Some((3, true)));
        assert_eq!(percent(b"%2"), None);
    }

    #[test]
    fn a_letter_is_read_however_it_is_written() {
        assert_eq!(char_at("é".as_bytes(), 0, Alphabet::Plain, 0), Some(('é', 2)));
        assert_eq!(char_at(b"%C3%a9", 0, Alphabet::Percent, 0), Some(('é', 6)));
        assert_eq!(char_at(b"%C3%", 0, Alphabet::Percent, 0), Some(('%', 1)));
        assert_eq!(char_at(br"\u00e9", 0, Alphabet::Plain, 1), Some(('é', 6)));
        assert_eq!(char_at(br"\\u00e9", 0, Alphabet::Plain, 1), None, "escaped deeper than the path");
        assert_eq!(char_at(br"\u00e9", 0, Alphabet::Plain, 0), Some(('\\', 1)));
        assert_eq!(char_at(b"\xff", 0, Alphabet::Plain, 0), None);
        assert_eq!(char_before("xé".as_bytes(), 3), Some('é'));
        assert_eq!(char_before(b"\xff", 1), None);
    }
}
