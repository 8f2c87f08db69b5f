//! Taking a stitch back from a transcript that has gone on since.

use std::collections::HashMap;
use std::io::{self, Read};

use crate::json::{decode, member, members, string_inside};
use crate::scan::{each_chunk, lines, split_ending};
use crate::stitch::{Edit, EditKind};
use crate::{Splice, growth, reversed};

/// The splices that take `edits` back from a file that begins with what they left, `stitched` bytes, and goes on with new
/// lines. Where those name an id that the stitch gave, they name the old one again.
///
/// Whether the file still begins so is for the caller to see, by its digest.
pub fn unstitch(edits: &[Edit], stitched: u64, input: impl Read) -> io::Result<Vec<Splice>> {
    let splices: Vec<Splice> = edits.iter().map(|edit| edit.splice.clone()).collect();
    let mut back = reversed(&splices);
    let original: HashMap<&[u8], &[u8]> = edits
        .iter()
        .filter(|edit| edit.kind == EditKind::Fresh)
        .map(|edit| (edit.splice.new.as_slice(), edit.splice.old.as_slice()))
        .collect();
    if original.is_empty() {
        return Ok(back);
    }
    each_chunk(input, |chunk| {
        let mut offset = chunk.offset;
        for line in lines(chunk.bytes) {
            if offset >= stitched {
                back.extend(old_names(split_ending(line).0, offset, &original));
            }
            offset += line.len() as u64;
        }
        Ok(())
    })?;
    Ok(back)
}

/// The size that a file had before `edits`, given the size that they left.
pub fn size_before(edits: &[Edit], stitched: u64) -> u64 {
    let splices: Vec<Splice> = edits.iter().map(|edit| edit.splice.clone()).collect();
    stitched.saturating_add_signed(-growth(&splices))
}

/// The parents of a line that have a given id, put back.
fn old_names(line: &[u8], offset: u64, original: &HashMap<&[u8], &[u8]>) -> Vec<Splice> {
    let Some(members) = members(line) else { return Vec::new() };
    let mut found: Vec<Splice> = ["parentUuid", "logicalParentUuid"]
        .into_iter()
        .filter_map(|name| {
            let value = member(line, &members, name)?.value.clone();
            let id = crate::json::encode(&decode(string_inside(&line[value.clone()])?));
            let old = original.get(id.as_slice())?;
            let offset = offset + value.start as u64;
            Some(Splice { offset, old: line[value].to_vec(), new: old.to_vec() })
        })
        .collect();
    found.sort_by_key(|splice| splice.offset);
    found
}
