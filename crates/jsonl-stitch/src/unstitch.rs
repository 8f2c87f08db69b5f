//! Taking a stitch back from a transcript that has gone on since.

use std::collections::HashMap;
use std::io::{self, Read};

use crate::json::{decode, encode, member, members, string_inside};
use crate::scan::{content, each_chunk, lines};
use crate::stitch::{Edit, EditKind};
use crate::{Splice, reversed};

/// The splices that take `edits` back from a file that begins with what they left, `stitched` bytes, and may have gone on
/// with new lines. Where those name an id that the stitch gave, they name the old one again.
///
/// Whether the file still begins so is for the caller to see, by its digest.
pub fn unstitch(edits: &[Edit], stitched: u64, input: impl Read) -> io::Result<Vec<Splice>> {
    let original = Originals::of(edits);
    let (mut named, mut size) = (Vec::new(), 0);
    each_chunk(input, |chunk| {
        let mut offset = chunk.offset;
        for line in lines(chunk.bytes) {
            if offset >= stitched {
                named.extend(original.put_back(content(line), offset));
            }
            offset += line.len() as u64;
        }
        size = chunk.end();
        Ok::<(), io::Error>(())
    })?;
    let splices: Vec<Splice> = edits.iter().map(|edit| edit.splice.clone()).collect();
    let back = reversed(&splices).into_iter().zip(edits);
    // New lines need the line before them to have an ending.
    let back = back.filter(|(_, edit)| size <= stitched || edit.kind != EditKind::Ending);
    Ok(back.map(|(splice, _)| splice).chain(named).collect())
}

/// What the ids that a stitch gave were before: both as JSON strings.
struct Originals(HashMap<Box<[u8]>, Box<[u8]>>);

impl Originals {
    fn of(edits: &[Edit]) -> Self {
        let fresh = edits.iter().filter(|edit| edit.kind == EditKind::Fresh);
        let fresh = fresh.map(|edit| (edit.splice.new.clone(), edit.splice.old.clone()));
        let mut originals = Self(fresh.collect());
        // A boundary that was appended goes; what follows it follows the row before it.
        for line in edits.iter().filter(|edit| edit.kind == EditKind::Anchor).map(|edit| &edit.splice.new) {
            let members = members(line).unwrap_or_default();
            let value =
                |name| member(line, &members, name).map(|found| Box::from(&line[found.value.clone()]));
            if let (Some(uuid), Some(before)) = (value("uuid"), value("logicalParentUuid")) {
                let before = originals.0.get(&before).cloned().unwrap_or(before);
                originals.0.insert(uuid, before);
            }
        }
        originals
    }

    /// The parents of a line that a stitch gave, put back.
    fn put_back(&self, line: &[u8], offset: u64) -> Vec<Splice> {
        if self.0.is_empty() {
            return Vec::new();
        }
        let members = members(line).unwrap_or_default();
        let put_back = |name| {
            let value = member(line, &members, name)?.value.clone();
            let id = encode(&decode(string_inside(&line[value.clone()])?));
            let new = self.0.get(&*id)?.clone();
            Some(Splice { offset: offset + value.start as u64, old: line[value].into(), new })
        };
        let mut found: Vec<Splice> =
            ["parentUuid", "logicalParentUuid"].into_iter().filter_map(put_back).collect();
        found.sort_by_key(|splice| splice.offset);
        found
    }
}
