//! The ids of rows, interned: a row holds two small numbers instead of two strings.

use std::borrow::Cow;
use std::collections::HashMap;
use std::num::NonZeroU32;

use hashbrown::HashTable;
use sha2::{Digest as _, Sha256};

use crate::pieces::Pieces;

/// What an id is found by: the sixteen bytes of a UUID in its usual spelling, and of any other text the first sixteen of
/// its SHA-256. Other texts are kept, and compared too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Key([u8; 16]);

/// The number of an id in a file, in the order of appearance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Id(NonZeroU32);

/// An id as it was read: its key, and its text where the key does not tell it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name {
    key: Key,
    text: Option<Box<[u8]>>,
}

impl Name {
    /// The name of a decoded, non-empty text.
    pub(crate) fn of(text: &[u8]) -> Option<Self> {
        if text.is_empty() {
            return None;
        }
        Some(match uuid_bytes(text) {
            Some(key) => Self { key, text: None },
            None => Self { key: digest(text), text: Some(text.into()) },
        })
    }
}

fn digest(text: &[u8]) -> Key {
    let mut key = [0; 16];
    key.copy_from_slice(&Sha256::digest(text)[..16]);
    Key(key)
}

/// Only the usual spelling, lower case with hyphens: another spelling is another text.
fn uuid_bytes(text: &[u8]) -> Option<Key> {
    const PAIRS: [usize; 16] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
    let text: &[u8; 36] = text.try_into().ok()?;
    let digit = |at: usize| DIGITS[usize::from(text[at])];
    let is_uuid = [8, 13, 18, 23].iter().all(|&at| text[at] == b'-')
        && PAIRS.iter().all(|&at| (digit(at) | digit(at + 1)) < 16);
    is_uuid.then(|| Key(PAIRS.map(|at| digit(at) << 4 | digit(at + 1))))
}

/// What lower-case hexadecimal digits are worth; all else more than a digit can be.
const DIGITS: [u8; 256] = {
    let mut digits = [u8::MAX; 256];
    let mut value = 0;
    while value < 16 {
        digits[b"0123456789abcdef"[value as usize] as usize] = value;
        value += 1;
    }
    digits
};

/// All ids of a file: about 30 bytes each.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ids {
    keys: Pieces<Key>,
    table: HashTable<Id>,
    /// The ids that are no UUIDs in their usual spelling.
    texts: HashMap<Id, Box<[u8]>>,
}

impl Ids {
    pub(crate) fn intern(&mut self, Name { key, text }: Name) -> Id {
        let (keys, texts) = (&self.keys, &self.texts);
        let next = Id::of_index(keys.len());
        let is_this = |id: &Id| keys[id.index()] == key && texts.get(id) == text.as_ref();
        let entry = self.table.entry(hash(key), is_this, |id| hash(keys[id.index()]));
        let id = *entry.or_insert(next).get();
        if id == next {
            self.keys.push(key);
            self.texts.extend(text.map(|text| (id, text)));
        }
        id
    }

    /// The id of this text.
    pub(crate) fn find(&self, text: &[u8]) -> Option<Id> {
        let Name { key, text } = Name::of(text)?;
        let is_this = |id: &Id| self.keys[id.index()] == key && self.texts.get(id) == text.as_ref();
        self.table.find(hash(key), is_this).copied()
    }

    /// The text of an id.
    pub(crate) fn text(&self, id: Id) -> Cow<'_, [u8]> {
        let usual = || uuid::Uuid::from_bytes(self.keys[id.index()].0).to_string().into_bytes();
        self.texts.get(&id).map_or_else(|| Cow::Owned(usual()), |text| Cow::Borrowed(&**text))
    }

    /// All of them.
    pub(crate) fn all(&self) -> impl Iterator<Item = Id> + use<> {
        (0..self.keys.len()).map(Id::of_index)
    }

    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }
}

impl Id {
    fn of_index(index: usize) -> Self {
        let number = u32::try_from(index + 1).unwrap_or(u32::MAX);
        Self(NonZeroU32::new(number).unwrap_or(NonZeroU32::MAX))
    }

    /// Its position among the ids of its file.
    pub(crate) fn index(self) -> usize {
        self.0.get() as usize - 1
    }
}

/// UUIDs are random and digests are too; a file written by an enemy only makes its own index slow, so both halves are
/// mixed and that is all.
fn hash(Key(bytes): Key) -> u64 {
    let half =
        |at: usize| bytes[at..at + 8].iter().fold(0_u64, |value, &byte| (value << 8) | u64::from(byte));
    let product = u128::from(half(0) ^ half(8).rotate_left(32)) * 0x9E37_79B9_7F4A_7C15;
    // The table looks at the lowest bits, and those of a product know nothing of the highest of what was multiplied: of
    // ids that only count, nearly all would be one.
    let [low, high] = [product, product >> 64].map(|half| half & u128::from(u64::MAX));
    u64::try_from(low ^ high).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_only_count_do_not_fall_into_one_place_of_the_table() {
        let places = |key: fn(u32) -> [u8; 16]| {
            let places: std::collections::HashSet<u64> =
                (0..4096).map(|n| hash(Key(key(n))) % 4096).collect();
            places.len()
        };
        for counted in [
            places(|n| u128::from(n).to_be_bytes()),
            places(|n| (u128::from(n) << 32).to_be_bytes()),
            places(|n| (u128::from(n) << 64).to_be_bytes()),
            places(|n| (u128::from(n) << 96).to_be_bytes()),
        ] {
            assert!(counted > 2000, "{counted} of 4096");
        }
    }
}
