//! What a stitch makes of a transcript, known without reading it again: a loader sees ids, boundaries and places, and the
//! edits say of each what becomes of it.

use std::collections::BTreeMap;

use super::rows::RowEdit;
use super::{Edit, EditKind, Segment, Stitch};
use crate::record::{self, Flags, Record};
use crate::scan::content;
use crate::{Id, Index, RowNo};

/// The index of the file that these edits leave; `stitch` is what they were made by, if it was a stitch.
pub(crate) fn edited(mut index: Index, stitch: Option<&Stitch>, edits: &[Edit]) -> Index {
    if let Some(stitch) = stitch {
        stitch.rename(&mut index);
    }
    index.splice(edits.iter().map(|edit| &edit.splice));
    let boundary = edits.iter().rev().find(|edit| edit.kind == EditKind::Anchor);
    if let Some(Edit { splice, .. }) = boundary {
        let offset = index.size() - splice.new.len() as u64;
        index.push(offset, Record::of(content(&splice.new)));
    }
    index
}

impl Stitch {
    /// Every row gets its new id, its new parent and what else it has from then on.
    fn rename(&self, index: &mut Index) {
        // All of them are derived before the first is given: they keep clear of those that are there.
        let fresh = self.rows.iter().filter(|(_, edit)| edit.fresh.is_some()).map(|(row, _)| row);
        let fresh: Vec<(RowNo, Vec<u8>)> = fresh.map(|row| (row, self.id_of(index, row))).collect();
        let fresh: BTreeMap<RowNo, Id> =
            fresh.into_iter().filter_map(|(row, id)| Some((row, index.intern_text(&id)?))).collect();
        let id_of = |index: &Index, row: RowNo| fresh.get(&row).copied().or_else(|| index.uuid(row));
        for (row, RowEdit { parent, revert, .. }) in self.rows.iter() {
            if let Some((parent, _)) = parent {
                let parent = id_of(index, parent);
                index.set_parent(row, parent);
            }
            if revert {
                index.set_flags(row, Flags::DISABLED, false);
                index.set_flags(row, Flags::BOUNDARY | Flags::LITERAL, true);
            }
        }
        let Segment { boundary, head, tail, .. } = self.segment;
        if boundary < index.len() {
            let segment = record::Segment { head: id_of(index, head), tail: id_of(index, tail) };
            index.set_segment(boundary, segment);
        }
        index.set_uuids(&fresh);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use crate::load::Limits;
    use crate::stitch::{Options, edited, stitch};
    use crate::{Flags, Index, Spliced};

    /// Two compactions, an id that was given twice, a boundary that was disabled and a last line without an ending.
    const SESSION: &str = concat!(
        "{\"type\":\"user\",\"uuid\":\"a\",\"parentUuid\":null}\n",
        "{\"type\":\"assistant\",\"uuid\":\"b\",\"parentUuid\":\"a\"}\n\n",
        "{\"type\":\"system\",\"subtype\":\"compact_boundary_disabled\",\"uuid\":\"c\",\"parentUuid\":null}\n",
        "{\"type\":\"user\",\"uuid\":\"b\",\"parentUuid\":\"c\"}\n",
        "{\"type\":\"assistant\",\"uuid\":\"d\",\"parentUuid\":\"b\"}\r\n",
        "{\"type\":\"system\",\"subtype\":\"compact_boundary\",\"uuid\":\"e\",\"parentUuid\":null}\n",
        "{\"type\":\"user\",\"parentUuid\":\"e\",\"uuid\":\"f\"}",
    );

    /// All that loaders see of a file.
    fn seen(index: &Index) -> impl PartialEq + std::fmt::Debug + use<> {
        let text = |id| String::from_utf8_lossy(&index.text(id)).into_owned();
        let row = |row| {
            let uuid = index.uuid(row);
            let same = uuid.map(|id| index.rows_of(id).to_vec());
            let segment = index.segment(row).map(|found| (found.head.map(text), found.tail.map(text)));
            let flags = index.flags(row) - Flags::CRLF;
            (
                index.offset(row),
                index.line(row),
                uuid.map(text),
                index.parent(row).map(text),
                flags,
                same,
                segment,
            )
        };
        (index.rows().map(row).collect::<Vec<_>>(), index.size(), index.ends_with_line_feed())
    }

    #[test]
    fn what_a_stitch_promises_is_what_the_file_holds_afterwards() {
        let size = SESSION.len() as u64;
        let small = Limits { big: size / 2, window: size / 4 };
        let moved = Options { move_anchor: true, ..Options::default() };
        let near = Limits { big: size / 2, window: size / 2 };
        for (limits, options) in
            [(Limits::default(), Options::default()), (near, Options::default()), (small, moved)]
        {
            let index = Index::read(SESSION.as_bytes()).unwrap();
            let made = stitch(&index, "t", options, limits, || Ok(SESSION.as_bytes())).unwrap();
            let (stitch, edits) = made.unwrap();
            let splices: Vec<_> = edits.iter().map(|edit| edit.splice.clone()).collect();
            let mut file = Vec::new();
            Spliced::new(SESSION.as_bytes(), &splices).unwrap().read_to_end(&mut file).unwrap();
            let told = edited(index, Some(&stitch), &edits);
            assert_eq!(
                seen(&told),
                seen(&Index::read(&file[..]).unwrap()),
                "{}",
                String::from_utf8_lossy(&file)
            );
        }
    }
}
