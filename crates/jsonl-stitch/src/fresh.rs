//! The ids that a stitch gives to rows whose uuid is taken: derived, so that the same input gives the same bytes.

use std::collections::HashSet;

use uuid::Uuid;

use crate::{Id, Index, RowNo};

/// The namespace of fresh ids: chosen once for this crate, never to be changed.
const NAMESPACE: Uuid = Uuid::from_u128(0x7f1d_52c6_9a3e_4b08_8d6f_0e4b_c2a9_51d3);

/// The uuids for occurrence `ordinal` (the second is 1) of the row `old` in the transcript `stem`: the first, and what is
/// taken if that exists already, and so on.
fn candidates(stem: &str, old: &[u8], ordinal: RowNo) -> impl Iterator<Item = String> {
    let ordinal = ordinal.to_string();
    let mut name = [stem.as_bytes(), old, ordinal.as_bytes()].join(&0);
    std::iter::repeat_with(move || {
        let uuid = Uuid::new_v5(&NAMESPACE, &name).to_string();
        name.push(0);
        uuid
    })
}

/// The uuid that an occurrence gets.
pub(crate) fn fresh_uuid(index: &Index, stem: &str, old: &[u8], ordinal: RowNo) -> String {
    let is_free = |uuid: &String| index.id_of(uuid.as_bytes()).is_none();
    candidates(stem, old, ordinal).find(is_free).unwrap_or_default()
}

/// The ids of a transcript that earlier stitches took apart: those they gave, and those whose copies got them.
#[derive(Debug, Default)]
pub(crate) struct FreshIds(HashSet<Id>);

impl FreshIds {
    /// Finds them by deriving them again.
    pub(crate) fn find(index: &Index, stem: &str) -> Self {
        let mut found = HashSet::new();
        for id in index.ids().filter(|&id| !index.rows_of(id).is_empty()) {
            let text = index.text(id);
            let given = |ordinal| {
                let ids = candidates(stem, &text, ordinal).map_while(|uuid| index.id_of(uuid.as_bytes()));
                Some(ids.collect::<Vec<Id>>()).filter(|ids| !ids.is_empty())
            };
            let copies: Vec<Id> = (1..).map_while(given).flatten().collect();
            found.extend(Some(id).filter(|_| !copies.is_empty()));
            found.extend(copies);
        }
        Self(found)
    }

    pub(crate) fn contains(&self, id: Id) -> bool {
        self.0.contains(&id)
    }
}
