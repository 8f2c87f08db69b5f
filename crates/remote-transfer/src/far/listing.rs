//! What `find` and `sha256sum` of the far side print.

use std::collections::HashMap;

use durable_files::Digest;

use super::digest_of;
use crate::manifest::{Entry, Kind, Manifest};

/// What a listing is that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MalformedListing {
    /// It does not consist of what it should consist of.
    #[error("entry {0} is not what was asked for")]
    Entry(usize),
    /// A digest is missing, or one too many.
    #[error("{found} digests for {expected} files")]
    Digests {
        /// How many there should be.
        expected: usize,
        /// How many there were.
        found: usize,
    },
}

/// Reads what `list.sh` prints: three texts for each entry.
pub(super) fn read(printed: &[u8]) -> Result<Manifest, MalformedListing> {
    let mut texts: Vec<&[u8]> = printed.split(|&byte| byte == 0).collect();
    texts.pop(); // what comes after the last NUL is nothing
    let (listed, rest) = texts.as_chunks::<3>();
    if !rest.is_empty() {
        return Err(MalformedListing::Entry(listed.len()));
    }
    let mut linked: HashMap<&[u8], Vec<usize>> = HashMap::new();
    let mut entries = Vec::with_capacity(listed.len());
    for (at, &[attributes, path, link]) in listed.iter().enumerate() {
        let (entry, inode) = entry(attributes, path, link).ok_or(MalformedListing::Entry(at))?;
        if let Some(inode) = inode {
            linked.entry(inode).or_default().push(at);
        }
        entries.push(entry);
    }
    for mut names in linked.into_values() {
        names.sort_unstable_by(|&a, &b| entries[a].path.cmp(&entries[b].path));
        let first = entries[names[0]].path.clone();
        for &further in &names[1..] {
            entries[further].kind = Kind::HardLink { to: first.clone() };
        }
    }
    Ok(Manifest::new(entries))
}

/// Reads what `tell.sh` prints: the same, an empty text, and what a program says of the digests of all files.
pub(super) fn told(printed: &[u8], program: &str) -> Result<Manifest, MalformedListing> {
    let end = listed(printed).ok_or(MalformedListing::Entry(0))?;
    let mut manifest = read(&printed[..end])?;
    let line_end = if program == "openssl" { b'\n' } else { 0 };
    let lines: HashMap<&[u8], &[u8]> = printed[end + 1..]
        .split(|&byte| byte == line_end)
        .filter_map(|line| Some((line.get(64 + " ./".len() + 1..)?, line.get(..64)?)))
        .collect();
    let files = manifest.entries_mut().iter_mut();
    let mut found = 0;
    let mut expected = 0;
    for entry in files {
        let Kind::File { digest, .. } = &mut entry.kind else { continue };
        expected += 1;
        *digest = lines.get(entry.path.as_slice()).and_then(|hex| digest_of(hex));
        found += usize::from(digest.is_some());
    }
    if found == expected { Ok(manifest) } else { Err(MalformedListing::Digests { expected, found }) }
}

/// Where the listing ends: at an empty text in the place of attributes.
fn listed(printed: &[u8]) -> Option<usize> {
    let mut at = 0;
    for text in 0.. {
        let len = printed[at..].iter().position(|&byte| byte == 0)?;
        if len == 0 && text % 3 == 0 {
            return Some(at);
        }
        at += len + 1;
    }
    None
}

/// One entry, and the inode of a file that has several names.
fn entry<'a>(attributes: &'a [u8], path: &[u8], link: &[u8]) -> Option<(Entry, Option<&'a [u8]>)> {
    let parts: Vec<&[u8]> = attributes.split(|&byte| byte == b' ').collect();
    let &[kind, mode, size, time, links, inode] = parts.as_slice() else { return None };
    let text = |bytes| std::str::from_utf8(bytes).ok();
    let kind = match kind {
        b"d" => Kind::Folder,
        b"l" => Kind::Symlink { text: link.to_owned() },
        b"f" => Kind::File { size: text(size)?.parse().ok()?, digest: None },
        // Whatever else there may be, nobody has sent it: it differs from everything that was.
        _ => Kind::Symlink { text: Vec::new() },
    };
    let several = links != b"1" && matches!(kind, Kind::File { .. });
    let mode = u32::from_str_radix(text(mode)?, 8).ok()?;
    let entry = Entry { path: path.to_owned(), mode, mtime: nanoseconds(text(time)?)?, kind };
    Some((entry, several.then_some(inode)))
}

/// `1700000000.1234567890`: seconds with ten digits after the point, of which nine count. GNU find rounds the seconds
/// down and counts the fraction from there, so that half a second before 1970 is `-1.5000000000`.
pub(super) fn nanoseconds(text: &str) -> Option<i64> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let fraction: i64 = format!("{fraction:0<9.9}").parse().ok()?;
    seconds.parse::<i64>().ok()?.checked_mul(1_000_000_000)?.checked_add(fraction)
}

/// Reads what `hash.sh` prints: a digest, two characters and a name for each file, ended by NUL.
pub(super) fn digests(printed: &[u8], expected: usize) -> Result<Vec<Digest>, MalformedListing> {
    let mut lines: Vec<&[u8]> = printed.split(|&byte| byte == 0).collect();
    lines.pop();
    if lines.len() != expected {
        return Err(MalformedListing::Digests { expected, found: lines.len() });
    }
    let digest = |(at, line): (usize, &&[u8])| {
        let hex = line.get(..64).and_then(digest_of);
        hex.ok_or(MalformedListing::Entry(at))
    };
    lines.iter().enumerate().map(digest).collect()
}
