//! The segment that the last boundary preserves.

use super::EditKind;
use super::edit::Change;
use crate::json::{Member, Span, member, members};

/// A segment's ids, as JSON strings.
pub(super) struct Ids {
    pub(super) head: Vec<u8>,
    pub(super) tail: Vec<u8>,
    pub(super) anchor: Option<Vec<u8>>,
}

impl Ids {
    /// Its members, in the order in which they are written. An anchor that is there is never changed.
    fn members(&self) -> impl Iterator<Item = (&'static str, &[u8])> {
        let anchor = self.anchor.iter().map(|id| ("anchorUuid", id.as_slice()));
        [("headUuid", self.head.as_slice()), ("tailUuid", self.tail.as_slice())].into_iter().chain(anchor)
    }

    fn object(&self) -> Vec<u8> {
        let members: Vec<Vec<u8>> =
            self.members().map(|(name, id)| [b"\"", name.as_bytes(), b"\":", id].concat()).collect();
        [b"{".to_vec(), members.join(&b','), b"}".to_vec()].concat()
    }
}

/// What changes in a boundary's line so that it preserves this segment.
pub(super) fn changes(line: &[u8], outer: &[Member], ids: &Ids) -> Option<Vec<Change>> {
    let metadata = || [b"{\"preservedSegment\":".to_vec(), ids.object(), b"}".to_vec()].concat();
    let Some(found) = member(line, outer, "compactMetadata") else {
        return Some(vec![appended_member(line, &(0..line.len()), "compactMetadata", &metadata())?]);
    };
    let Some(inner) = members(&line[found.value.clone()]).map(|inner| shifted(inner, found.value.start))
    else {
        return Some(vec![change(found.value.clone(), metadata())]);
    };
    let Some(segment) = member(line, &inner, "preservedSegment") else {
        return Some(vec![appended_member(line, &found.value, "preservedSegment", &ids.object())?]);
    };
    let Some(within) =
        members(&line[segment.value.clone()]).map(|within| shifted(within, segment.value.start))
    else {
        return Some(vec![change(segment.value.clone(), ids.object())]);
    };
    if within.is_empty() {
        return Some(vec![change(segment.value.clone(), ids.object())]);
    }
    ids.members()
        .filter_map(|(name, id)| match member(line, &within, name) {
            Some(_) if name == "anchorUuid" => None,
            Some(found) => Some(Some(change(found.value.clone(), id.to_vec()))),
            None => Some(appended_member(line, &segment.value, name, id)),
        })
        .collect()
}

/// The boundary that is appended behind a history that ends with the row on the line `tail`: in the same session, of the
/// same time.
pub(super) fn appended(tail: &[u8], uuid: &[u8], ids: &Ids) -> Vec<u8> {
    let known = members(tail).unwrap_or_default();
    let value = |name: &str| member(tail, &known, name).map(|found| &tail[found.value.clone()]);
    let mut line = b"{\"parentUuid\":null".to_vec();
    let mut put = |name: &str, value: Option<&[u8]>| {
        if let Some(value) = value {
            line.extend([b",\"", name.as_bytes(), b"\":", value].concat());
        }
    };
    put("logicalParentUuid", Some(&ids.tail));
    put("isSidechain", Some(b"false"));
    for name in ["userType", "cwd", "sessionId", "version"] {
        put(name, value(name));
    }
    put("type", Some(b"\"system\""));
    put("subtype", Some(b"\"compact_boundary\""));
    put("content", Some(b"\"History kept whole\""));
    put("timestamp", value("timestamp"));
    put("uuid", Some(uuid));
    put(
        "compactMetadata",
        Some(&[b"{\"trigger\":\"manual\",\"preservedSegment\":", &*ids.object(), b"}"].concat()),
    );
    line.push(b'}');
    line
}

fn change(place: Span, new: Vec<u8>) -> Change {
    Change { place, new, kind: EditKind::Segment }
}

/// A member behind the last one of the object at `object`.
fn appended_member(line: &[u8], object: &Span, name: &str, value: &[u8]) -> Option<Change> {
    let text = &line[object.clone()];
    let close = object.start + memchr::memrchr(b'}', text)?;
    let comma: &[u8] = if members(text)?.is_empty() { b"" } else { b"," };
    Some(change(close..close, [comma, b"\"", name.as_bytes(), b"\":", value].concat()))
}

fn shifted(found: Vec<Member>, by: usize) -> Vec<Member> {
    let shift = |span: Span| span.start + by..span.end + by;
    found.into_iter().map(|found| Member { name: shift(found.name), value: shift(found.value) }).collect()
}
