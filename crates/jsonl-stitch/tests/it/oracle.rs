//! The loaders again, slow and plain: as they are described, over parsed values.

use std::collections::{BTreeSet, HashMap};

use jsonl_stitch::load::{Limits, Loader, Strategy};
use serde_json::Value;

/// What a loader shows: the offsets of the lines of its rows.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) strategy: Strategy,
    pub(crate) offsets: BTreeSet<usize>,
}

/// What `loader` shows of `file`.
pub(crate) fn load(file: &[u8], loader: Loader, limits: Limits) -> Shown {
    let (strategy, start, end) = layer_1(file, loader, limits);
    let mut rows = Vec::new();
    for (offset, piece) in pieces(&file[start..end], start) {
        let line = piece.strip_suffix(b"\r").unwrap_or(piece);
        rows.extend(parse(line).map(|value| (offset, value)));
    }
    let values: Vec<&Value> = rows.iter().map(|(_, value)| value).collect();
    let offsets = layer_2(&values, loader, strategy).into_iter().map(|row| rows[row].0).collect();
    Shown { strategy, offsets }
}

/// A strategy, and the range of bytes that is read.
fn layer_1(file: &[u8], loader: Loader, limits: Limits) -> (Strategy, usize, usize) {
    let (big, window) = (size(limits.big), size(limits.window));
    if file.len() <= big {
        let end = file.iter().rposition(|&byte| byte == b'\n').map_or(0, |last| last + 1);
        return (Strategy::None, 0, end);
    }
    let mut hit = None;
    let start = file.len() - window.min(file.len());
    for (offset, piece) in pieces(&file[start..], start) {
        let is_cut = offset == start && start > 0 && file[start - 1] != b'\n';
        let mark = b"\"compact_boundary\"";
        if !is_cut && piece.windows(mark.len()).any(|bytes| bytes == mark) {
            let boundary = parse(piece).filter(is_boundary);
            hit = boundary.map(|row| (offset + piece.len() + 1, segment(&row).is_some())).or(hit);
        }
    }
    match hit {
        Some((_, true)) if loader == Loader::V1 => (Strategy::None, 0, file.len()),
        Some((_, true)) => (Strategy::Preserved, 0, file.len()),
        Some((offset, false)) => (Strategy::Compaction, offset.min(file.len()), file.len()),
        None => {
            let start = file.len() - big;
            let first = file[start..].iter().position(|&byte| byte == b'\n');
            (Strategy::Tail, first.map_or(file.len(), |at| start + at + 1), file.len())
        }
    }
}

/// The numbers of the rows that are shown.
fn layer_2(rows: &[&Value], loader: Loader, strategy: Strategy) -> Vec<usize> {
    let last = rows.iter().rposition(|row| is_boundary(row));
    let last_with_segment = rows.iter().rposition(|row| is_boundary(row) && segment(row).is_some());
    let mut map = HashMap::new();
    for (at, row) in rows.iter().enumerate() {
        map.extend(id(row, "uuid").map(|uuid| (uuid, (id(row, "parentUuid"), at))));
    }
    let mut keep = BTreeSet::new();
    if let Some(last) = last.filter(|_| last == last_with_segment) {
        let segment = segment(rows[last]).unwrap_or(&Value::Null);
        keep = walk(&map, id(segment, "tailUuid"), id(segment, "headUuid"), last).unwrap_or_default();
    }
    let hides = loader == Loader::V1 || strategy != Strategy::None;
    let cut = if hides { last.map_or(0, |last| last + 1) } else { 0 };
    let is_shown = |at: usize, row: &Value| {
        (at >= cut || id(row, "uuid").is_some_and(|uuid| keep.contains(uuid)))
            && row["type"].as_str().is_some_and(|kind| VISIBLE.contains(&kind))
            && !is_truthy(&row["isCompactSummary"])
            && !is_truthy(&row["isVisibleInTranscriptOnly"])
    };
    (0..rows.len()).filter(|&at| is_shown(at, rows[at])).collect()
}

fn walk<'a>(
    map: &HashMap<&'a str, (Option<&'a str>, usize)>,
    tail: Option<&'a str>,
    head: Option<&'a str>,
    last: usize,
) -> Option<BTreeSet<&'a str>> {
    let mut kept = BTreeSet::new();
    let mut current = tail;
    while let Some(uuid) = current.filter(|uuid| !kept.contains(uuid)) {
        let &(parent, at) = map.get(uuid)?;
        if at >= last {
            return None;
        }
        kept.insert(uuid);
        if Some(uuid) == head {
            return Some(kept);
        }
        current = parent;
    }
    None
}

const VISIBLE: [&str; 10] = [
    "user",
    "assistant",
    "system",
    "result",
    "stream_event",
    "tool_use_summary",
    "tool_progress",
    "auth_status",
    "prompt_suggestion",
    "rate_limit_event",
];

fn size(bytes: u64) -> usize {
    usize::try_from(bytes).expect("tests have small files")
}

/// What lies between line feeds, with its offset, but for empty pieces.
pub(crate) fn pieces(bytes: &[u8], from: usize) -> Vec<(usize, &[u8])> {
    let mut offset = from;
    let mut pieces = Vec::new();
    for piece in bytes.split(|&byte| byte == b'\n') {
        pieces.extend((!piece.is_empty()).then_some((offset, piece)));
        offset += piece.len() + 1;
    }
    pieces
}

/// A line as JavaScript reads it. What only `serde_json` refuses in the generated lines is made harmless first.
pub(crate) fn parse(line: &[u8]) -> Option<Value> {
    let text = String::from_utf8_lossy(line).replace("\\udc00", "?").replace("1e999", "1");
    serde_json::from_str(&text).ok()
}

pub(crate) fn is_boundary(row: &Value) -> bool {
    row["type"] == "system" && row["subtype"] == "compact_boundary"
}

fn segment(row: &Value) -> Option<&Value> {
    Some(&row["compactMetadata"]["preservedSegment"]).filter(|segment| is_truthy(segment))
}

/// An id: text that is not empty.
pub(crate) fn id<'a>(row: &'a Value, name: &str) -> Option<&'a str> {
    row[name].as_str().filter(|id| !id.is_empty())
}

fn is_truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(is) => *is,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(_) | Value::Object(_) => true,
    }
}
