//! The ids that a stitch gives to rows whose uuid is taken: derived, so that the same input gives the same bytes.

use std::collections::HashSet;

use uuid::Uuid;

use crate::{Id, Index};

/// The namespace of fresh ids: chosen once for this crate, never to be changed.
const NAMESPACE: Uuid = Uuid::from_u128(0x7f1d_52c6_9a3e_4b08_8d6f_0e4b_c2a9_51d3);

/// The uuid of occurrence `ordinal` (the second is 1) of the row `old` in the transcript `stem`. While `taken` says that an
/// id exists already, the name is made longer.
pub(crate) fn fresh_uuid(stem: &str, old: &[u8], ordinal: usize, taken: impl Fn(&str) -> bool) -> String {
    let ordinal = ordinal.to_string();
    let mut name = [stem.as_bytes(), old, ordinal.as_bytes()].join(&0);
    loop {
        let uuid = Uuid::new_v5(&NAMESPACE, &name).to_string();
        if !taken(&uuid) {
            return uuid;
        }
        name.push(0);
    }
}

/// The ids of a transcript that an earlier stitch took apart: those it gave, and those whose copies got them.
#[derive(Debug, Default)]
pub(crate) struct FreshIds(HashSet<Id>);

impl FreshIds {
    /// Finds them by deriving them again.
    pub(crate) fn find(index: &Index, stem: &str) -> Self {
        let mut found = HashSet::new();
        for id in index.ids().filter(|&id| !index.rows_of(id).is_empty()) {
            let text = index.text(id);
            let given = |ordinal| index.id_of(fresh_uuid(stem, &text, ordinal, |_| false).as_bytes());
            let before = found.len();
            found.extend((1..).map_while(given));
            if found.len() > before {
                found.insert(id);
            }
        }
        Self(found)
    }

    pub(crate) fn contains(&self, id: Id) -> bool {
        self.0.contains(&id)
    }
}
