//! What is left at the far end to tell where a tree came from.

use migration_engine::RunId;
use serde::Serialize;

use super::{DeliverTree, Delivered};

/// The text of a receipt: one JSON document.
#[derive(Serialize)]
struct Receipt<'a> {
    run: String,
    from: &'a str,
    to: &'a str,
    name: &'a str,
    stream_sha256: Option<String>,
    manifest_sha256: String,
    entries: u64,
    changed: Vec<String>,
    note: &'a serde_json::Value,
}

/// The name of the receipt of a run.
pub(super) fn name(step: &DeliverTree, run: &RunId) -> String {
    format!("{}-{run}.json", step.place.name)
}

pub(super) fn text(step: &DeliverTree, run: &RunId, delivered: &Delivered) -> Vec<u8> {
    let receipt = Receipt {
        run: run.to_string(),
        from: &step.source.display().to_string(),
        to: &step.host,
        name: &step.place.name,
        stream_sha256: delivered.stream.map(|stream| stream.to_string()),
        manifest_sha256: delivered.digest.to_string(),
        entries: delivered.entries,
        changed: step.changes.iter().map(|change| crate::display(&change.path)).collect(),
        note: &step.note,
    };
    let mut text =
        serde_json::to_vec_pretty(&receipt).expect("because receipts are plain data with text keys");
    text.push(b'\n');
    text
}
