//! From rows that change to bytes that change.

use std::io::{self, Read};
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::rows::RowEdit;
use super::{EditKind, Stitch, segment};
use crate::fresh::fresh_uuid;
use crate::json::{Member, encode, member, members};
use crate::scan::{Chunk, content, each_chunk};
use crate::{Index, RowNo, Splice};

/// A splice, the line it is in and why it is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    /// What changes.
    #[serde(flatten)]
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
    #[error("the file has changed since it was read first: line {line} is not what it was")]
    Changed {
        /// The line, counted from 1.
        line: u64,
    },
}

/// The most edits that are not of a row: a segment, an ending, a boundary.
const BESIDE_ROWS: usize = 5;

/// A change within a line.
pub(super) struct Change {
    pub(super) place: Range<usize>,
    pub(super) new: Vec<u8>,
    pub(super) kind: EditKind,
}

impl Stitch {
    /// The edits of this stitch, in order. `input` is the file that was indexed, from its beginning.
    pub(super) fn edits(&self, index: &Index, input: impl Read) -> Result<Vec<Edit>, EditError> {
        let mut editor = Editor {
            index,
            stitch: self,
            edits: Vec::with_capacity(self.rows.values() + BESIDE_ROWS),
            boundary: Vec::new(),
        };
        let mut size = 0;
        each_chunk(input, |chunk| {
            size = chunk.end();
            editor.edit(chunk)
        })?;
        if size != index.size() {
            return Err(EditError::Changed { line: index.lines() });
        }
        editor.append();
        Ok(editor.edits)
    }

    /// The id that a row has once the stitch is made.
    pub(super) fn id_of(&self, index: &Index, row: RowNo) -> Vec<u8> {
        let text = |row| index.uuid(row).map(|id| index.text(id).into_owned()).unwrap_or_default();
        if row == index.len() {
            // The boundary that is appended is named for the last row that has a name.
            let last = index.rows().rev().find(|&row| index.uuid(row).is_some()).map(text);
            return fresh_uuid(index, &self.stem, &last.unwrap_or_default(), 0).into_bytes();
        }
        match self.rows.get(row).fresh {
            Some(ordinal) => fresh_uuid(index, &self.stem, &text(row), ordinal).into_bytes(),
            None => text(row),
        }
    }
}

struct Editor<'a> {
    index: &'a Index,
    stitch: &'a Stitch,
    edits: Vec<Edit>,
    /// The boundary that is to be appended, once the row before it has been read.
    boundary: Vec<u8>,
}

impl Editor<'_> {
    /// The edits of the lines of a chunk.
    fn edit(&mut self, chunk: Chunk<'_>) -> Result<(), EditError> {
        let index = self.index;
        let here = index.first_row_from(chunk.offset)..index.first_row_from(chunk.end());
        let mut rows: Vec<RowNo> = self.stitch.rows.within(&here).collect();
        let new = self.stitch.segment;
        if let Err(place) = rows.binary_search(&new.boundary)
            && here.contains(&new.boundary)
        {
            rows.insert(place, new.boundary);
        }
        for row in rows {
            let line = content(chunk.line_at(index.offset(row)));
            let changes = self.changes(row, line).ok_or(EditError::Changed { line: index.line(row) })?;
            self.edits.extend(changes.into_iter().map(|change| Edit {
                splice: Splice {
                    offset: index.offset(row) + change.place.start as u64,
                    old: line[change.place].into(),
                    new: change.new.into(),
                },
                line: index.line(row),
                kind: change.kind,
            }));
        }
        if new.boundary == index.len() && here.contains(&new.tail) {
            let tail = content(chunk.line_at(index.offset(new.tail)));
            self.boundary = segment::appended(tail, &self.quoted_id(new.boundary), &self.segment_ids());
        }
        Ok(())
    }

    /// What changes in a row's line, in order; `None` if the line is not the row's.
    fn changes(&self, row: RowNo, line: &[u8]) -> Option<Vec<Change>> {
        let members = members(line)?;
        let value = |name| member(line, &members, name).map(|found| found.value.clone());
        let RowEdit { fresh, parent, revert } = self.stitch.rows.get(row);
        let mut changes = Vec::new();
        if fresh.is_some() {
            changes.push(Change { place: value("uuid")?, new: self.quoted_id(row), kind: EditKind::Fresh });
        }
        if let Some((parent, kind)) = parent {
            changes.push(new_parent(line, &members, self.quoted_id(parent), kind)?);
        }
        if revert {
            let new = encode(b"compact_boundary");
            changes.push(Change { place: value("subtype")?, new, kind: EditKind::Revert });
        }
        if row == self.stitch.segment.boundary {
            changes.extend(segment::changes(line, &members, &self.segment_ids())?);
        }
        changes.retain(|change| line[change.place.clone()] != change.new);
        changes.sort_by_key(|change| (change.place.start, change.place.end));
        Some(changes)
    }

    /// What is added behind the last line.
    fn append(&mut self) {
        self.edits.extend(missing_ending(self.index));
        if !self.boundary.is_empty() {
            let new = [&self.boundary, ending(self.index)].concat();
            self.edits.push(appended(self.index, new, self.index.lines() + 1, EditKind::Anchor));
        }
    }

    fn segment_ids(&self) -> segment::Ids {
        let new = self.stitch.segment;
        segment::Ids {
            head: self.quoted_id(new.head),
            tail: self.quoted_id(new.tail),
            anchor: new.anchor.map(|row| self.quoted_id(row)),
        }
    }

    /// The id that a row has once the stitch is made, as a JSON string.
    fn quoted_id(&self, row: RowNo) -> Vec<u8> {
        encode(&self.stitch.id_of(self.index, row))
    }
}

/// The edit that ends a last line which has no ending.
pub(crate) fn missing_ending(index: &Index) -> Option<Edit> {
    let edit = || appended(index, ending(index).to_vec(), index.lines(), EditKind::Ending);
    (!index.ends_with_line_feed()).then(edit)
}

/// The ending of new lines: that of the last line that has one.
fn ending(index: &Index) -> &'static [u8] {
    if index.last_ending_is_crlf() { b"\r\n" } else { b"\n" }
}

fn appended(index: &Index, new: Vec<u8>, line: u64, kind: EditKind) -> Edit {
    Edit { splice: Splice { offset: index.size(), old: Box::default(), new: new.into() }, line, kind }
}

/// Gives a line another parent: in the last `parentUuid`, or in a first member if there is none.
fn new_parent(line: &[u8], members: &[Member], id: Vec<u8>, kind: EditKind) -> Option<Change> {
    if let Some(found) = member(line, members, "parentUuid") {
        return Some(Change { place: found.value.clone(), new: id, kind });
    }
    let quote = members.first()?.name.start - 1;
    Some(Change { place: quote..quote, new: [b"\"parentUuid\":", id.as_slice(), b","].concat(), kind })
}
