//! From rows that change to bytes that change.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::ops::Range;

use memchr::memchr;

use super::{Boundary, EditKind, RowEdit, Stitch, segment};
use crate::fresh::fresh_uuid;
use crate::json::{Member, member, members};
use crate::scan::{Chunk, each_chunk, split_ending};
use crate::{Flags, Index, RowNo, Splice};

/// A splice, the line it is in (counted from 1) and why it is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// What changes.
    pub splice: Splice,
    /// The line, counted from 1.
    pub line: u64,
    /// Why.
    pub kind: EditKind,
}

/// Why the edits of a stitch could not be made.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// Reading failed.
    #[error(transparent)]
    Read(#[from] io::Error),
    /// The file is not the one that was indexed.
    #[error("line {0} is not what it was when the file was read before")]
    Changed(u64),
}

/// A change within a line.
pub(super) struct Change {
    pub(super) place: Range<usize>,
    pub(super) new: Vec<u8>,
    pub(super) kind: EditKind,
}

impl Stitch {
    /// The edits of this stitch, in order. `input` is the file that was indexed, from its beginning.
    pub fn edits(&self, index: &Index, input: impl Read) -> Result<Vec<Edit>, EditError> {
        let texts = Texts { index, stitch: self };
        let mut edits = Vec::new();
        let mut failed = None;
        each_chunk(input, |chunk| {
            failed = failed.take().or_else(|| self.edit_chunk(&texts, chunk, &mut edits).err());
            Ok(())
        })?;
        if let Some(error) = failed {
            return Err(error);
        }
        edits.extend(self.at_the_end(&texts));
        Ok(edits)
    }

    /// The edits of the lines of a chunk.
    fn edit_chunk(&self, texts: &Texts<'_>, chunk: Chunk<'_>, edits: &mut Vec<Edit>) -> Result<(), EditError> {
        let index = texts.index;
        let first = index.first_row_from(chunk.offset);
        let end = index.first_row_from(chunk.offset + chunk.bytes.len() as u64);
        let of_segment = match self.segment {
            Some((Boundary::Row(row), _)) => Some(row).filter(|row| (first..end).contains(row)),
            _ => None,
        };
        let mut rows: Vec<RowNo> = self.rows.range(first..end).map(|(&row, _)| row).chain(of_segment).collect();
        rows.sort_unstable();
        rows.dedup();
        for row in rows {
            let start = usize::try_from(index.offset(row) - chunk.offset).unwrap_or_default();
            let rest = &chunk.bytes[start..];
            let line = &rest[..memchr(b'\n', rest).map_or(rest.len(), |end| end + 1)];
            let changes = self.changes(texts, row, split_ending(line).0);
            let mut changes = changes.ok_or(EditError::Changed(index.line(row)))?;
            changes.sort_by_key(|change| (change.place.start, change.place.end));
            edits.extend(changes.into_iter().map(|Change { place, new, kind }| Edit {
                splice: Splice {
                    offset: index.offset(row) + place.start as u64,
                    old: line[place].to_vec(),
                    new,
                },
                line: index.line(row),
                kind,
            }));
        }
        Ok(())
    }

    /// What changes in a row's line; `None` if the line is not the row's.
    fn changes(&self, texts: &Texts<'_>, row: RowNo, line: &[u8]) -> Option<Vec<Change>> {
        let members = members(line)?;
        let value = |name| member(line, &members, name).map(|found| found.value.clone());
        let RowEdit { fresh, parent, revert } = self.rows.get(&row).copied().unwrap_or_default();
        let mut changes = Vec::new();
        if fresh.is_some() {
            changes.push(Change { place: value("uuid")?, new: quoted(&texts.of(row)), kind: EditKind::Fresh });
        }
        if let Some((parent, kind)) = parent {
            changes.push(new_parent(line, &members, &quoted(&texts.of(parent)), kind)?);
        }
        if revert {
            let new = quoted(b"compact_boundary");
            changes.push(Change { place: value("subtype")?, new, kind: EditKind::Revert });
        }
        if let Some((Boundary::Row(boundary), new)) = self.segment
            && boundary == row
        {
            changes.extend(segment::changes(line, &members, &segment::Ids::of(new, texts))?);
        }
        changes.retain(|change| line[change.place.clone()] != change.new);
        Some(changes)
    }

    /// What is added behind the last line.
    fn at_the_end(&self, texts: &Texts<'_>) -> Vec<Edit> {
        let index = texts.index;
        let ending: &[u8] = if index.previous_line_is_crlf() { b"\r\n" } else { b"\n" };
        let added = |new: Vec<u8>, line, kind| Edit {
            splice: Splice { offset: index.size(), old: Vec::new(), new },
            line,
            kind,
        };
        let last_line = index.len().checked_sub(1).map_or(0, |row| index.line(row));
        let mut edits = Vec::new();
        if self.ending {
            edits.push(added(ending.to_vec(), last_line, EditKind::Ending));
        }
        if let Some((Boundary::Appended, new)) = self.segment {
            let mut line = segment::appended(index.last_line(), &texts.of(index.len()), &segment::Ids::of(new, texts));
            line.extend_from_slice(ending);
            edits.push(added(line, last_line + 1, EditKind::Anchor));
        }
        edits
    }
}

/// The edits that do nothing but end the last line.
pub fn ending_only(index: &Index) -> Vec<Edit> {
    let ending = !index.ends_with_line_feed();
    let stitch = Stitch { stem: String::new(), rows: BTreeMap::new(), segment: None, ending };
    stitch.at_the_end(&Texts { index, stitch: &stitch })
}

/// The ids that rows have once the stitch is made.
pub(super) struct Texts<'a> {
    index: &'a Index,
    stitch: &'a Stitch,
}

impl Texts<'_> {
    /// The id of a row; the row behind the last is the appended boundary.
    pub(super) fn of(&self, row: RowNo) -> Vec<u8> {
        let index = self.index;
        let taken = |text: &str| index.id_of(text.as_bytes()).is_some();
        if row == index.len() {
            let last = index.rows().rev().find_map(|row| index.uuid(row)).map(|id| index.text(id).into_owned());
            return fresh_uuid(&self.stitch.stem, &last.unwrap_or_default(), 0, taken).into_bytes();
        }
        let Some(id) = index.uuid(row) else { return Vec::new() };
        let text = index.text(id);
        match self.stitch.rows.get(&row).and_then(|edit| edit.fresh) {
            Some(ordinal) => fresh_uuid(&self.stitch.stem, &text, ordinal as usize, taken).into_bytes(),
            None => text.into_owned(),
        }
    }
}

/// Gives a line another parent: in the last `parentUuid`, or in a first member if there is none.
fn new_parent(line: &[u8], members: &[Member], id: &[u8], kind: EditKind) -> Option<Change> {
    if let Some(found) = member(line, members, "parentUuid") {
        return Some(Change { place: found.value.clone(), new: id.to_vec(), kind });
    }
    let at = members.first()?.name.start - 1;
    Some(Change { place: at..at, new: [b"\"parentUuid\":", id, b","].concat(), kind })
}

/// Bytes that were decoded from JSON as a JSON string.
pub(super) fn quoted(text: &[u8]) -> Vec<u8> {
    crate::json::encode(text)
}

impl Index {
    /// Whether the last line that has an ending ends with CR LF.
    fn previous_line_is_crlf(&self) -> bool {
        let ended = self.rows().rev().find(|&row| !self.is(row, Flags::UNTERMINATED));
        ended.is_some_and(|row| self.is(row, Flags::CRLF))
    }
}
