//! A transcript as a graph: one pass over its bytes, and a few dozen bytes a row kept of it.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::io::{self, Read};

use crate::id::{Id, Ids, Name};
use crate::pieces::Pieces;
use crate::record::{Compaction, Flags, Record, Segment};
use crate::scan::{Chunk, each_chunk};
use crate::{Splice, growth};

/// The position of a row among the rows of its file. Blank lines are no rows.
pub type RowNo = u32;

const NO_ROW: RowNo = RowNo::MAX;

/// What is kept of a row: sixteen bytes, since there may be a million of them.
#[derive(Debug, Clone, Copy)]
struct Row {
    /// Enough for 256 terabytes.
    offset: [u8; 6],
    flags: Flags,
    uuid: Option<Id>,
    parent: Option<Id>,
}

impl Row {
    fn offset(&self) -> u64 {
        let mut bytes = [0; 8];
        bytes[..6].copy_from_slice(&self.offset);
        u64::from_le_bytes(bytes)
    }

    fn set_offset(&mut self, offset: u64) {
        self.offset.copy_from_slice(&offset.to_le_bytes()[..6]);
    }
}

/// A transcript as a graph of rows.
///
/// It takes about 56 bytes a row, whatever the rows hold.
#[derive(Debug, Clone, Default)]
pub struct Index {
    rows: Pieces<Row>,
    ids: Ids,
    /// The first row of every id, by its number.
    first: Pieces<RowNo>,
    /// All rows of the ids that have several.
    several: HashMap<Id, Vec<RowNo>>,
    compactions: HashMap<RowNo, Compaction<Id>>,
    /// The row before which each blank line stands.
    blanks: Vec<RowNo>,
    size: u64,
    ends_with_line_feed: bool,
}

impl Index {
    /// Reads a transcript to its end. Who wants to know how far it is, or to stop it, wraps the reader.
    pub fn read(input: impl Read) -> io::Result<Self> {
        let mut index = Self::default();
        each_chunk(input, |chunk| {
            index.take(chunk);
            Ok::<(), io::Error>(())
        })?;
        Ok(index)
    }

    /// Adds the rows of the next chunk.
    fn take(&mut self, chunk: Chunk<'_>) {
        let scanned = chunk.scan();
        let before = self.len();
        let blanks = scanned.blanks.into_iter().map(|at| before + RowNo::try_from(at).unwrap_or(NO_ROW));
        self.blanks.extend(blanks);
        for (offset, record) in scanned.records {
            self.push(offset, record);
        }
        self.size = chunk.end();
        self.ends_with_line_feed = chunk.bytes.last().map_or(self.ends_with_line_feed, |&last| last == b'\n');
    }

    /// Adds the next row.
    pub(crate) fn push(&mut self, offset: u64, record: Record) {
        let no = self.len();
        let uuid = record.uuid.map(|name| self.intern(name));
        let parent = record.parent.map(|name| self.intern(name));
        if let Some(id) = uuid {
            self.enter(id, no);
        }
        if let Some(compaction) = record.compaction {
            let compaction = compaction.map(|name| self.intern(name));
            self.compactions.insert(no, compaction);
        }
        let mut row = Row { offset: [0; 6], flags: record.flags, uuid, parent };
        row.set_offset(offset);
        self.rows.push(row);
    }

    fn intern(&mut self, name: Name) -> Id {
        let id = self.ids.intern(name);
        if self.first.len() < self.ids.len() {
            self.first.push(NO_ROW);
        }
        id
    }

    /// Notes that a row, which comes after all that were noted, has this id.
    fn enter(&mut self, id: Id, row: RowNo) {
        match self.first[id.index()] {
            NO_ROW => self.first[id.index()] = row,
            first => self.several.entry(id).or_insert_with(|| vec![first]).push(row),
        }
    }

    /// The id of this text, which no row may have yet; `None` of no text.
    pub(crate) fn intern_text(&mut self, text: &[u8]) -> Option<Id> {
        Name::of(text).map(|name| self.intern(name))
    }

    /// Gives rows other ids.
    pub(crate) fn set_uuids(&mut self, uuids: &BTreeMap<RowNo, Id>) {
        for (&row, &id) in uuids {
            self.rows[row as usize].uuid = Some(id);
        }
        self.first.iter_mut().for_each(|first| *first = NO_ROW);
        self.several.clear();
        for row in self.rows() {
            if let Some(id) = self.uuid(row) {
                self.enter(id, row);
            }
        }
    }

    /// Gives a row another parent.
    pub(crate) fn set_parent(&mut self, row: RowNo, parent: Option<Id>) {
        self.rows[row as usize].parent = parent;
    }

    /// Sets or clears these flags of a row.
    pub(crate) fn set_flags(&mut self, row: RowNo, flags: Flags, on: bool) {
        self.rows[row as usize].flags.set(flags, on);
    }

    /// Lets a boundary preserve a segment.
    pub(crate) fn set_segment(&mut self, boundary: RowNo, segment: Segment<Id>) {
        self.set_flags(boundary, Flags::SEGMENT, true);
        let nothing = Compaction { logical_parent: None, segment: None };
        self.compactions.entry(boundary).or_insert(nothing).segment = Some(segment);
    }

    /// Moves every row to where it is after these splices, which leave each row a row; what is added behind the last one
    /// ends it.
    pub(crate) fn splice<'s>(&mut self, splices: impl IntoIterator<Item = &'s Splice>) {
        let mut splices = splices.into_iter().peekable();
        let mut longer = 0;
        for row in self.rows.iter_mut() {
            while let Some(before) = splices.next_if(|splice| splice.offset < row.offset()) {
                longer += growth([before]);
            }
            row.set_offset(row.offset().saturating_add_signed(longer));
        }
        for splice in splices {
            if splice.offset == self.size {
                self.ends_with_line_feed = true;
                self.rows
                    .iter_mut()
                    .next_back()
                    .into_iter()
                    .for_each(|row| row.flags.remove(Flags::UNTERMINATED));
            }
            longer += growth([splice]);
        }
        self.size = self.size.saturating_add_signed(longer);
    }

    fn row(&self, row: RowNo) -> &Row {
        &self.rows[row as usize]
    }

    /// How many rows there are.
    pub fn len(&self) -> RowNo {
        RowNo::try_from(self.rows.len()).unwrap_or(NO_ROW)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether any row is well-formed JSON: a file without one is something else than a transcript.
    pub fn has_json(&self) -> bool {
        self.rows().any(|row| !self.is(row, Flags::BAD_JSON))
    }

    /// The numbers of all rows.
    pub fn rows(&self) -> impl DoubleEndedIterator<Item = RowNo> + use<> {
        0..self.len()
    }

    /// How many lines there are, blank ones included.
    pub fn lines(&self) -> u64 {
        (self.rows.len() + self.blanks.len()) as u64
    }

    /// The size of the file, in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Whether the file's last line has its ending, or there is no line.
    pub fn ends_with_line_feed(&self) -> bool {
        self.ends_with_line_feed || self.size == 0
    }

    /// Where the line of a row begins.
    pub fn offset(&self, row: RowNo) -> u64 {
        self.row(row).offset()
    }

    /// The first row whose line begins at or after this offset.
    pub(crate) fn first_row_from(&self, offset: u64) -> RowNo {
        RowNo::try_from(self.rows.partition_point(|row| row.offset() < offset)).unwrap_or(NO_ROW)
    }

    /// The row that a row's parent is: a row can only be the child of something that was already written.
    pub(crate) fn parent_row(&self, row: RowNo) -> Option<RowNo> {
        self.last_before(row, self.parent(row)?)
    }

    /// The number of a row's line, counted from 1, blank lines included.
    pub fn line(&self, row: RowNo) -> u64 {
        u64::from(row) + 1 + self.blanks.partition_point(|&blank| blank <= row) as u64
    }

    /// The `uuid` of a row; what is no text in it is replaced.
    pub fn uuid_text(&self, row: RowNo) -> Option<String> {
        self.uuid(row).map(|id| String::from_utf8_lossy(&self.text(id)).into_owned())
    }

    /// What is known of a row.
    pub(crate) fn flags(&self, row: RowNo) -> Flags {
        self.row(row).flags
    }

    /// Whether a row has one of these flags.
    pub(crate) fn is(&self, row: RowNo, any: Flags) -> bool {
        self.row(row).flags.intersects(any)
    }

    /// The id of a row.
    pub(crate) fn uuid(&self, row: RowNo) -> Option<Id> {
        self.row(row).uuid
    }

    /// The id that a row names as its parent.
    pub(crate) fn parent(&self, row: RowNo) -> Option<Id> {
        self.row(row).parent
    }

    /// The rows that have this id, in order.
    pub(crate) fn rows_of(&self, id: Id) -> &[RowNo] {
        match (self.several.get(&id), &self.first[id.index()]) {
            (Some(rows), _) => rows,
            (None, &NO_ROW) => &[],
            (None, first) => std::slice::from_ref(first),
        }
    }

    /// The last row with this id before `row`.
    pub(crate) fn last_before(&self, row: RowNo, id: Id) -> Option<RowNo> {
        let rows = self.rows_of(id);
        rows[..rows.partition_point(|&found| found < row)].last().copied()
    }

    /// The ids that several rows have, in no order.
    pub(crate) fn shared_ids(&self) -> impl Iterator<Item = Id> {
        self.several.keys().copied()
    }

    /// The rows at which the history was compacted, in no order.
    pub(crate) fn compactions(&self) -> impl Iterator<Item = RowNo> {
        self.compactions.keys().copied()
    }

    /// The row that a compaction names as its logical parent.
    pub(crate) fn logical_parent(&self, row: RowNo) -> Option<Id> {
        self.compactions.get(&row)?.logical_parent
    }

    /// The segment that a boundary preserved.
    pub(crate) fn segment(&self, row: RowNo) -> Option<Segment<Id>> {
        self.compactions.get(&row)?.segment
    }

    /// The id of this text, if a row has or names it.
    pub(crate) fn id_of(&self, text: &[u8]) -> Option<Id> {
        self.ids.find(text)
    }

    /// The text of an id.
    pub(crate) fn text(&self, id: Id) -> Cow<'_, [u8]> {
        self.ids.text(id)
    }

    /// Every id that a row has or names.
    pub(crate) fn ids(&self) -> impl Iterator<Item = Id> + use<> {
        self.ids.all()
    }

    /// Whether the last line that has an ending ends with CR LF.
    pub(crate) fn last_ending_is_crlf(&self) -> bool {
        let ended = self.rows().rev().find(|&row| !self.is(row, Flags::UNTERMINATED));
        ended.is_some_and(|row| self.is(row, Flags::CRLF))
    }
}
