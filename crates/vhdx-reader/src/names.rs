//! Names that Windows can have, from names that Linux had.
//!
//! One rule for all: who extracts files and who rewrites the paths that name them must come to the same.

use std::collections::{HashMap, HashSet};
use std::fmt::Write;

/// NTFS counts a name's UTF-16 units.
const LONGEST: usize = 255;

/// How each of `names`, which are the names of one directory, is called where Windows can have it; in the same order.
///
/// Each is [`safe_name`]. Where some are equal but for upper and lower case, one keeps it, and before the extension of
/// the others `~2`, `~3` and so on is put, whatever is free. Names that need no change come first, then the others, in
/// the order of their bytes; the order in which they are given makes no difference.
///
/// ```
/// use vhdx_reader::safe_names;
///
/// let names: [&[u8]; 5] = [b"readme.md", b"README.md", b"why?", b"con.txt", b"caf\xE9"];
/// assert_eq!(safe_names(names), ["readme~2.md", "README.md", "why%3F", "_con.txt", "caf%E9"]);
/// ```
pub fn safe_names<'n>(names: impl IntoIterator<Item = &'n [u8]>) -> Vec<String> {
    let names: Vec<&[u8]> = names.into_iter().collect();
    let mut safe: Vec<String> = names.iter().map(|name| safe_name(name)).collect();
    let mut order: Vec<usize> = (0..names.len()).collect();
    order.sort_by_key(|&at| (safe[at].as_bytes() != names[at], names[at]));
    let mut taken = HashSet::new();
    let mut counts: HashMap<String, u32> = HashMap::new();
    order.retain(|&at| !taken.insert(folded(&safe[at])));
    for at in order {
        let count = counts.entry(folded(&safe[at])).or_insert(2);
        while !taken.insert(folded(&numbered(&safe[at], *count))) {
            *count += 1;
        }
        safe[at] = numbered(&safe[at], *count);
    }
    safe
}

/// How a name is called where Windows can have it, if nothing else there is called so.
///
/// Characters that Windows does not allow, control characters, bytes that are not UTF-8, and a dot or space at the end
/// become `%` and two hexadecimal digits. A device's name, whatever its extension, gets `_` in front. What is too long
/// then is cut and gets a checksum of the whole.
pub fn safe_name(name: &[u8]) -> String {
    let mut safe = String::with_capacity(name.len());
    if is_device(name) {
        safe.push('_');
    }
    for chunk in name.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\0'..' ' | '<' | '>' | ':' | '"' | '|' | '?' | '*' | '\\' | '/' => {
                    escape(&mut safe, character as u8);
                }
                _ => safe.push(character),
            }
        }
        chunk.invalid().iter().for_each(|byte| escape(&mut safe, *byte));
    }
    if let Some(last @ ('.' | ' ')) = safe.chars().next_back() {
        safe.pop();
        escape(&mut safe, last as u8);
    }
    if units(&safe) > LONGEST {
        let sum = format!("~{:08x}", crc32c::crc32c(name));
        return shortened(&safe, &sum);
    }
    safe
}

fn escape(safe: &mut String, byte: u8) {
    write!(safe, "%{byte:02X}").expect("a string takes everything");
}

fn numbered(name: &str, count: u32) -> String {
    shortened(name, &format!("~{count}"))
}

/// `name` with `mark` before its extension, and with as much less before the mark as it takes to be short enough.
fn shortened(name: &str, mark: &str) -> String {
    let (stem, extension) = match name.rfind('.') {
        Some(at) if at > 0 && units(&name[at..]) < LONGEST / 2 => name.split_at(at),
        _ => (name, ""),
    };
    let room = LONGEST - units(mark) - units(extension);
    let mut used = 0;
    let fits = |character: &char| {
        used += character.len_utf16();
        used <= room
    };
    let stem: String = stem.chars().take_while(fits).collect();
    format!("{stem}{mark}{extension}")
}

fn units(name: &str) -> usize {
    name.encode_utf16().count()
}

/// As Windows compares names: character by character, by their capitals. Of what some systems take for one name and
/// some for two (the Kelvin sign and k), the stricter view holds.
fn folded(name: &str) -> String {
    let capital = |character| single(single(character, char::to_lowercase), char::to_uppercase);
    name.chars().map(capital).collect()
}

/// The other case of a character, if that is a single one.
fn single<I: Iterator<Item = char>>(character: char, other_case: fn(char) -> I) -> char {
    let mut others = other_case(character);
    match (others.next(), others.next()) {
        (Some(other), None) => other,
        _ => character,
    }
}

/// Windows looks only at what stands before the first dot, without the spaces behind it.
fn is_device(name: &[u8]) -> bool {
    let stem =
        name.split(|byte| *byte == b'.').next().unwrap_or_default().trim_ascii_end().to_ascii_uppercase();
    match stem.as_slice() {
        b"CON" | b"PRN" | b"AUX" | b"NUL" | b"CONIN$" | b"CONOUT$" => true,
        [b'C', b'O', b'M', number @ ..] | [b'L', b'P', b'T', number @ ..] => {
            matches!(number, [b'0'..=b'9']) || ["¹", "²", "³"].iter().any(|it| it.as_bytes() == number)
        }
        _ => false,
    }
}
