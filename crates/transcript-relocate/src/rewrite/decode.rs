//! What a string says, and which raw bytes say it, through any number of levels of escaping.
//!
//! A line is never decoded level by level into copies: each text is decoded straight from the raw line, and of the map
//! back to it only one mark every few kilobytes is kept. So a line costs its own size once more at the most.

use std::cell::Cell;
use std::ops::Range;

use jsonl_stitch::json::scalar_end;

use super::spelling::hex_digits;

/// How far the marks are apart, in decoded bytes.
const MARK_EVERY: usize = 4 << 10;

/// One step of decoding: what a level says at one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    /// A byte as it is: ASCII, or a part of whatever the line has there, valid or not.
    Byte(u8),
    /// What `\uXXXX` stands for.
    Char(char),
}

/// Reads a raw line as it looks inside `level` levels of JSON strings. Between two units `at` is its whole state.
#[derive(Debug, Clone)]
struct Reader<'l> {
    line: &'l [u8],
    at: usize,
    end: usize,
}

impl Reader<'_> {
    /// The next unit of a level. What is no escape after all is taken as it stands.
    fn unit(&mut self, level: u32) -> Option<Unit> {
        let (length, byte) = match (level, &self.line[self.at..self.end]) {
            (_, []) => return None,
            (1, [b'\\', escape, ..]) if let Some(byte) = simple_escape(*escape) => (2, byte),
            (1.., [b'\\', ..]) => return self.escape(level),
            (_, [byte, ..]) => (1, *byte), // every escape of every level begins with a backslash
        };
        self.at += length;
        Some(Unit::Byte(byte))
    }

    fn escape(&mut self, level: u32) -> Option<Unit> {
        let first = self.unit(level - 1)?;
        if first != Unit::Byte(b'\\') {
            return Some(first);
        }
        let Some(Unit::Byte(escape)) = self.unit(level - 1) else { return Some(first) };
        Some(match simple_escape(escape) {
            Some(byte) => Unit::Byte(byte),
            None => self.code_point(level),
        })
    }

    /// Behind a `\u`. A surrogate without its other half is U+FFFD.
    fn code_point(&mut self, level: u32) -> Unit {
        let Some(first) = self.hex4(level - 1) else { return Unit::Char(char::REPLACEMENT_CHARACTER) };
        let mut code = first;
        if (0xD800..0xDC00).contains(&first) {
            let behind = self.at;
            let escaped = [self.unit(level - 1), self.unit(level - 1)]
                == [Some(Unit::Byte(b'\\')), Some(Unit::Byte(b'u'))];
            match escaped.then(|| self.hex4(level - 1)).flatten() {
                Some(second @ 0xDC00..0xE000) => {
                    code = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
                }
                _ => self.at = behind,
            }
        }
        match char::from_u32(code) {
            Some(ascii) if ascii.is_ascii() => Unit::Byte(ascii as u8),
            Some(other) => Unit::Char(other),
            None => Unit::Char(char::REPLACEMENT_CHARACTER),
        }
    }

    fn hex4(&mut self, level: u32) -> Option<u32> {
        (0..4).try_fold(0, |value, _| match self.unit(level)? {
            Unit::Byte(digit) => Some(value * 16 + char::from(digit).to_digit(16)?),
            Unit::Char(_) => None,
        })
    }
}

/// What a backslash and this byte stand for; `None` if more bytes say it.
fn simple_escape(escape: u8) -> Option<u8> {
    match escape {
        b'b' => Some(8),
        b'f' => Some(12),
        b'n' => Some(b'\n'),
        b'r' => Some(b'\r'),
        b't' => Some(b'\t'),
        b'u' => None,
        itself => Some(itself),
    }
}

/// What a part of a line says at a level.
#[derive(Debug)]
pub(super) struct Text<'l> {
    line: &'l [u8],
    raw: Range<usize>,
    level: u32,
    /// `None`: the raw bytes say it literally.
    decoded: Option<Vec<u8>>,
    /// `(decoded, raw)`, ascending.
    marks: Vec<(usize, usize)>,
    /// The same for the place that was asked for last: the next is mostly a little further on.
    recent: Cell<(usize, usize)>,
}

impl<'l> Text<'l> {
    /// Decodes this part of the line, which is the inside of a string at depth `level` (0: of no string).
    pub(super) fn decode(line: &'l [u8], raw: Range<usize>, level: u32) -> Self {
        let literal = level == 0 || memchr::memchr(b'\\', &line[raw.clone()]).is_none();
        let recent = Cell::new((0, raw.start));
        let mut text = Self { line, raw, level, decoded: None, marks: Vec::new(), recent };
        if !literal {
            text.decode_escapes();
        }
        text
    }

    /// A run of bytes without a backslash says itself at every level, since every escape of every level begins with one.
    fn decode_escapes(&mut self) {
        let mut reader = Reader { line: self.line, at: self.raw.start, end: self.raw.end };
        let mut decoded = Vec::with_capacity(self.raw.len());
        let mut next_mark = MARK_EVERY;
        while reader.at < reader.end {
            if decoded.len() >= next_mark {
                self.marks.push((decoded.len(), reader.at));
                next_mark = decoded.len() + MARK_EVERY;
            }
            let ahead = &self.line[reader.at..reader.end.min(reader.at + MARK_EVERY)];
            let run = memchr::memchr(b'\\', ahead).unwrap_or(ahead.len());
            decoded.extend_from_slice(&ahead[..run]);
            reader.at += run;
            if run < ahead.len() {
                match reader.unit(self.level) {
                    Some(Unit::Byte(byte)) => decoded.push(byte),
                    Some(Unit::Char(letter)) => {
                        decoded.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
                    }
                    None => {}
                }
            }
        }
        self.decoded = Some(decoded);
    }

    /// What it says.
    pub(super) fn bytes(&self) -> &[u8] {
        self.decoded.as_deref().unwrap_or(&self.line[self.raw.clone()])
    }

    pub(super) fn line(&self) -> &'l [u8] {
        self.line
    }

    pub(super) fn level(&self) -> u32 {
        self.level
    }

    /// Which raw bytes say this range of it.
    pub(super) fn raw_of(&self, range: Range<usize>) -> Range<usize> {
        if self.decoded.is_none() {
            return self.raw.start + range.start..self.raw.start + range.end;
        }
        let start = self.walk_to(range.start);
        start..self.walk_to(range.end)
    }

    fn walk_to(&self, position: usize) -> usize {
        let behind = self.marks.partition_point(|mark| mark.0 <= position);
        let mark = behind.checked_sub(1).map_or((0, self.raw.start), |last| self.marks[last]);
        let recent = self.recent.get();
        let (decoded, at) = if (mark.0..=position).contains(&recent.0) { recent } else { mark };
        let mut walk = Walk { reader: Reader { line: self.line, at, end: self.raw.end }, decoded };
        walk.to(position, self.level);
        self.recent.set((walk.decoded, walk.reader.at));
        walk.reader.at
    }
}

struct Walk<'l> {
    reader: Reader<'l>,
    decoded: usize,
}

impl Walk<'_> {
    /// Goes on to a decoded position.
    fn to(&mut self, position: usize, level: u32) {
        while self.decoded < position {
            let wanted = position - self.decoded;
            let ahead = &self.reader.line[self.reader.at..self.reader.end];
            let ahead = &ahead[..ahead.len().min(wanted)];
            let run = memchr::memchr(b'\\', ahead).unwrap_or(ahead.len());
            self.reader.at += run;
            self.decoded += run;
            if run < ahead.len() {
                match self.reader.unit(level) {
                    Some(Unit::Byte(_)) => self.decoded += 1,
                    Some(Unit::Char(letter)) => self.decoded += letter.len_utf8(),
                    None => break,
                }
            }
        }
    }
}

/// Writes a text as it has to stand inside `level` levels of JSON strings.
pub(super) fn encode(text: &str, level: u32) -> String {
    let mut spelled = text.to_owned();
    for _ in 0..level {
        let mut outer = String::with_capacity(spelled.len() + 16);
        for letter in spelled.chars() {
            match letter {
                '"' | '\\' => outer.extend(['\\', letter]),
                '\0'..' ' => {
                    outer.push_str("\\u00");
                    outer.extend(hex_digits(letter as u8));
                }
                _ => outer.push(letter),
            }
        }
        spelled = outer;
    }
    spelled
}

/// Whether these raw bytes say `text` at `level`, and can stand there without opening or closing anything around them:
/// with that, a line still reads after they were put in, and so does every JSON text inside it.
pub(super) fn says(raw: &[u8], level: u32, text: &str) -> bool {
    let said = (0..level).try_fold(raw.to_vec(), |raw, _| {
        let is_inside = scalar_end(&[b"\"", &*raw, b"\""].concat(), 0) == Some(raw.len() + 2);
        is_inside.then(|| Text::decode(&raw, 0..raw.len(), 1).bytes().to_vec())
    });
    said.is_some_and(|said| said == text.as_bytes())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Level by level, with somebody else's decoder.
    fn slowly(raw: &str, level: u32) -> String {
        (0..level).fold(raw.to_owned(), |text, _| serde_json::from_str(&format!("\"{text}\"")).unwrap())
    }

    fn said(raw: &[u8], level: u32) -> Vec<u8> {
        Text::decode(raw, 0..raw.len(), level).bytes().to_vec()
    }

    #[test]
    fn escapes_of_escapes_are_read_through_every_level() {
        assert_eq!(said(br"C:\\\\a", 2), br"C:\a");
        assert_eq!(said(br"\u005c\u005ca\/b", 1), br"\\a/b");
        assert_eq!(said(br"\u005c\u005ca", 2), br"\a");
        assert_eq!(said(br"\u005cu0041", 2), b"A");
        assert_eq!(said(br"\ud83d\ude00\ud83d.\ude00", 1), "😀\u{FFFD}.\u{FFFD}".as_bytes());
        assert_eq!(said(b"\xff\\n\xfe", 1), b"\xff\n\xfe");
    }

    #[test]
    fn a_replacement_that_could_end_its_string_is_noticed() {
        assert!(says(br"C:\\\\a", 2, r"C:\a"));
        assert!(!says(br"C:\\a", 2, "C:a"), "an escape that JSON does not know");
        assert!(!says(br#"a"b"#, 1, r#"a"b"#));
        assert!(!says(br#"a\"b"#, 2, r#"a"b"#));
        assert!(!says(br"a\", 1, "a"));
    }

    proptest! {
        #[test]
        fn what_was_written_is_read_back_at_every_level(text in any::<String>(), level in 0u32..6) {
            let raw = encode(&text, level);
            prop_assert_eq!(said(raw.as_bytes(), level), text.as_bytes());
            prop_assert!(says(raw.as_bytes(), level, &text));
            prop_assert_eq!(slowly(&raw, level), text);
        }

        #[test]
        fn every_place_of_a_text_is_found_in_the_line(
            parts in prop::collection::vec(("[a-zé😀\\\\\"\n]{0,8}", 0usize..1500), 1..20), level in 0u32..4,
        ) {
            let text: String = parts.iter().map(|(word, more)| word.clone() + &"x".repeat(*more)).collect();
            let raw = encode(&text, level).into_bytes();
            let decoded = Text::decode(&raw, 0..raw.len(), level);
            for (from, _) in text.char_indices().step_by(97) {
                for to in [from, text.len(), text.ceil_char_boundary((from + 5000).min(text.len()))] {
                    let range = decoded.raw_of(from..to.max(from));
                    prop_assert_eq!(said(&raw[range], level), &text.as_bytes()[from..to.max(from)]);
                }
            }
        }
    }
}
