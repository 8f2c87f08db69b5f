//! JSON at the level of bytes: is it well-formed, and where do the members of an object lie?
//!
//! What is accepted is what `JSON.parse` accepts of a line that was decoded as UTF-8: inside strings invalid UTF-8 and lone
//! surrogate escapes are legal, outside of them only ASCII is. Nesting is bounded by the length of the input alone and
//! takes one bit a level, so that no line, however hostile, overflows the stack.

mod string;

use std::borrow::Cow;
use std::ops::Range;

/// Where something lies in the bytes that were scanned.
pub type Span = Range<usize>;

/// The spans of an object's member: its name without the quotes, and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The name, between its quotes, as it is spelled.
    pub name: Span,
    /// The value.
    pub value: Span,
}

/// The end of the well-formed value that begins at `at` or after white space there.
pub fn value_end(bytes: &[u8], at: usize) -> Option<usize> {
    let mut open = Nesting::default();
    let mut at = skip_space(bytes, at);
    loop {
        at = match bytes.get(at)? {
            b'{' => match first_in(bytes, at, b'}') {
                First::Empty(end) => end,
                First::Something(start) => {
                    open.push(true);
                    at = value_of_member(bytes, start)?;
                    continue;
                }
            },
            b'[' => match first_in(bytes, at, b']') {
                First::Empty(end) => end,
                First::Something(start) => {
                    open.push(false);
                    at = start;
                    continue;
                }
            },
            _ => scalar_end(bytes, at)?,
        };
        loop {
            let Some(is_object) = open.top() else { return Some(at) };
            at = skip_space(bytes, at);
            match (bytes.get(at)?, is_object) {
                (b',', true) => {
                    at = value_of_member(bytes, skip_space(bytes, at + 1))?;
                    break;
                }
                (b',', false) => {
                    at = skip_space(bytes, at + 1);
                    break;
                }
                (b'}', true) | (b']', false) => {
                    open.pop();
                    at += 1;
                }
                _ => return None,
            }
        }
    }
}

/// Whether this is one well-formed value and nothing else, white space around it allowed.
pub fn is_json(bytes: &[u8]) -> bool {
    value_end(bytes, 0).is_some_and(|end| skip_space(bytes, end) == bytes.len())
}

/// Calls `member` for every member of the well-formed object that begins at `at`, in order, and answers where the object
/// ends. `value` says where a member's value ends; it may look inside on the way.
pub fn each_member(
    bytes: &[u8],
    at: usize,
    mut value: impl FnMut(&[u8], Span, usize) -> Option<usize>,
) -> Option<usize> {
    let mut at = match opened_by(bytes, at, b'{').map(|at| first_in(bytes, at, b'}'))? {
        First::Empty(end) => return Some(end),
        First::Something(start) => start,
    };
    loop {
        let start = value_of_member(bytes, at)?;
        let name = at + 1..name_end(bytes, at)?;
        let end = value(bytes, name, start)?;
        match next(bytes, end, b'}')? {
            Next::Another(start) => at = start,
            Next::End(end) => return Some(end),
        }
    }
}

/// The same for the elements of an array.
pub fn each_element(
    bytes: &[u8],
    at: usize,
    mut value: impl FnMut(&[u8], usize) -> Option<usize>,
) -> Option<usize> {
    let mut at = match opened_by(bytes, at, b'[').map(|at| first_in(bytes, at, b']'))? {
        First::Empty(end) => return Some(end),
        First::Something(start) => start,
    };
    loop {
        let end = value(bytes, at)?;
        match next(bytes, end, b']')? {
            Next::Another(start) => at = start,
            Next::End(end) => return Some(end),
        }
    }
}

/// The members of the object that is all of `bytes`, white space around it allowed; `None` if it is anything else.
pub fn members(bytes: &[u8]) -> Option<Vec<Member>> {
    let mut found = Vec::new();
    let end = each_member(bytes, skip_space(bytes, 0), |bytes, name, start| {
        let end = value_end(bytes, start)?;
        found.push(Member { name, value: start..end });
        Some(end)
    })?;
    (skip_space(bytes, end) == bytes.len()).then_some(found)
}

/// The last member of this name: the one that counts.
pub fn member<'a>(bytes: &[u8], members: &'a [Member], name: &str) -> Option<&'a Member> {
    members.iter().rev().find(|member| decode(&bytes[member.name.clone()]) == name.as_bytes())
}

/// What the inside of a string stands for, as JavaScript decodes it: what is no UTF-8 becomes U+FFFD, and an escape that is
/// half of a surrogate pair the three bytes of generalised UTF-8. So two spellings of one string give the same bytes, and
/// two strings never do.
pub fn decode(inside: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'\\', inside).is_none() {
        return if inside.is_ascii() { Cow::Borrowed(inside) } else { lossy(inside) };
    }
    let mut out = Vec::with_capacity(inside.len());
    let mut rest = inside;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        out.extend_from_slice(&lossy(&rest[..at]));
        let (length, code) = escape(&rest[at..]);
        push_code(&mut out, code);
        rest = &rest[at + length..];
    }
    out.extend_from_slice(&lossy(rest));
    Cow::Owned(out)
}

fn lossy(bytes: &[u8]) -> Cow<'_, [u8]> {
    match String::from_utf8_lossy(bytes) {
        Cow::Borrowed(_) => Cow::Borrowed(bytes),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    }
}

/// Bytes that [`decode`] gave, as a string with its quotes.
pub fn encode(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 2);
    out.push(b'"');
    let mut rest = text;
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        match (byte, behind) {
            (b'"' | b'\\', _) => out.extend([b'\\', byte]),
            (0..0x20, _) => out.extend(format!("\\u{byte:04x}").bytes()),
            // The three bytes of a lone surrogate.
            (0xED, &[high @ 0xA0..=0xBF, low @ 0x80..=0xBF, ref after @ ..]) => {
                let unit = 0xD000 | u32::from(high & 0x3F) << 6 | u32::from(low & 0x3F);
                out.extend(format!("\\u{unit:04x}").bytes());
                rest = after;
            }
            _ => out.push(byte),
        }
    }
    out.push(b'"');
    out
}

/// Whether a well-formed value is true to JavaScript's `if`.
pub fn is_truthy(value: &[u8]) -> bool {
    match value {
        b"null" | b"false" | b"\"\"" => false,
        [b'-' | b'0'..=b'9', ..] => {
            std::str::from_utf8(value).ok().and_then(|text| text.parse::<f64>().ok()) != Some(0.0)
        }
        _ => true,
    }
}

/// The inside of a string value, if it is one.
pub fn string_inside(value: &[u8]) -> Option<&[u8]> {
    match value {
        [b'"', inside @ .., b'"'] => Some(inside),
        _ => None,
    }
}

pub(crate) fn skip_space(bytes: &[u8], mut at: usize) -> usize {
    while matches!(bytes.get(at), Some(b' ' | b'\t' | b'\r' | b'\n')) {
        at += 1;
    }
    at
}

enum First {
    Empty(usize),
    Something(usize),
}

/// What follows the bracket at `at`.
fn first_in(bytes: &[u8], at: usize, close: u8) -> First {
    let start = skip_space(bytes, at + 1);
    if bytes.get(start) == Some(&close) { First::Empty(start + 1) } else { First::Something(start) }
}

fn opened_by(bytes: &[u8], at: usize, open: u8) -> Option<usize> {
    (bytes.get(at) == Some(&open)).then_some(at)
}

enum Next {
    Another(usize),
    End(usize),
}

fn next(bytes: &[u8], end: usize, close: u8) -> Option<Next> {
    let at = skip_space(bytes, end);
    match *bytes.get(at)? {
        b',' => Some(Next::Another(skip_space(bytes, at + 1))),
        byte if byte == close => Some(Next::End(at + 1)),
        _ => None,
    }
}

/// Where the closing quote of the name that begins at `at` is.
fn name_end(bytes: &[u8], at: usize) -> Option<usize> {
    (bytes.get(at) == Some(&b'"')).then(|| string::end(bytes, at + 1))?.map(|end| end - 1)
}

/// Where the value of the member whose name begins at `at` begins.
fn value_of_member(bytes: &[u8], at: usize) -> Option<usize> {
    let colon = skip_space(bytes, name_end(bytes, at)? + 1);
    (bytes.get(colon) == Some(&b':')).then(|| skip_space(bytes, colon + 1))
}

/// The end of the well-formed string, number or literal that begins at `at`.
pub fn scalar_end(bytes: &[u8], at: usize) -> Option<usize> {
    match *bytes.get(at)? {
        b'"' => string::end(bytes, at + 1),
        b't' => literal_end(bytes, at, b"true"),
        b'f' => literal_end(bytes, at, b"false"),
        b'n' => literal_end(bytes, at, b"null"),
        b'-' | b'0'..=b'9' => number_end(bytes, at),
        _ => None,
    }
}

fn literal_end(bytes: &[u8], at: usize, literal: &[u8]) -> Option<usize> {
    bytes[at..].starts_with(literal).then_some(at + literal.len())
}

fn number_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    at += usize::from(bytes[at] == b'-');
    at = if bytes.get(at) == Some(&b'0') { at + 1 } else { digits_end(bytes, at)? };
    if bytes.get(at) == Some(&b'.') {
        at = digits_end(bytes, at + 1)?;
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        let signed = matches!(bytes.get(at + 1), Some(b'+' | b'-'));
        at = digits_end(bytes, at + 1 + usize::from(signed))?;
    }
    Some(at)
}

/// At least one digit.
fn digits_end(bytes: &[u8], at: usize) -> Option<usize> {
    let digits = bytes.get(at..)?.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (digits > 0).then_some(at + digits)
}

/// The length of a well-formed escape and the code unit or point it stands for.
fn escape(bytes: &[u8]) -> (usize, u32) {
    let simple = |byte: u8| (2, u32::from(byte));
    match bytes.get(1) {
        Some(b'b') => simple(8),
        Some(b'f') => simple(12),
        Some(b'n') => simple(b'\n'),
        Some(b'r') => simple(b'\r'),
        Some(b't') => simple(b'\t'),
        Some(b'u') => unicode_escape(bytes),
        Some(&byte) => simple(byte),
        None => (1, u32::from(b'\\')),
    }
}

fn unicode_escape(bytes: &[u8]) -> (usize, u32) {
    let unit = |at: usize| {
        let digits = std::str::from_utf8(bytes.get(at..at + 4)?).ok()?;
        u32::from_str_radix(digits, 16).ok()
    };
    let Some(high) = unit(2) else { return (2, u32::from(b'u')) };
    if (0xD800..0xDC00).contains(&high)
        && bytes.get(6..8) == Some(b"\\u")
        && let Some(low @ 0xDC00..=0xDFFF) = unit(8)
    {
        return (12, 0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00));
    }
    (6, high)
}

fn push_code(out: &mut Vec<u8>, code: u32) {
    if let Some(char) = char::from_u32(code) {
        out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
    } else {
        // A lone surrogate: three bytes, as in generalised UTF-8.
        let bits = |shift: u32| u8::try_from((code >> shift) & 0x3F).unwrap_or_default();
        out.extend([0xE0 | bits(12), 0x80 | bits(6), 0x80 | bits(0)]);
    }
}

/// Which brackets are open, one bit each: `true` is an object.
#[derive(Debug, Clone, Default)]
pub struct Nesting {
    full: Vec<u64>,
    bits: u64,
    depth: usize,
}

impl Nesting {
    /// One more is open.
    pub fn push(&mut self, is_object: bool) {
        if self.depth > 0 && self.depth.is_multiple_of(64) {
            self.full.push(self.bits);
        }
        self.bits = (self.bits << 1) | u64::from(is_object);
        self.depth += 1;
    }

    /// The innermost is closed; there must be one.
    pub fn pop(&mut self) {
        self.depth -= 1;
        self.bits = if self.depth > 0 && self.depth.is_multiple_of(64) {
            self.full.pop().unwrap_or_default()
        } else {
            self.bits >> 1
        };
    }

    /// How many are open.
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// Whether the innermost is an object; `None` if none is open.
    pub fn top(&self) -> Option<bool> {
        (self.depth > 0).then_some(self.bits & 1 == 1)
    }
}
