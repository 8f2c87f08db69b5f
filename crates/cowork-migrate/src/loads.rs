//! What each build of the application would load, as reports show it.

use jsonl_stitch::load::Load;
use serde_json::{Map, Value, json};
use session_model::Finding;

/// The loads of a transcript: `{"v1": {…}, "v2": {…}}`.
pub(crate) fn to_json(loads: &[Load]) -> Value {
    let one = |load: &Load| (load.loader.name().to_owned(), of_load(load));
    Value::Object(loads.iter().map(one).collect())
}

fn of_load(load: &Load) -> Value {
    let lost: Map<String, Value> =
        load.lost.iter().map(|(loss, extent)| (loss.code().to_owned(), json!(extent))).collect();
    let mut value = json!({
        "strategy": load.strategy, "shown": load.shown, "of": load.of, "lost": lost, "hidden": load.hidden,
    });
    if let Some(walk) = &load.walk {
        value["walk"] = Value::String(walk.to_string());
    }
    if load.queued_commands > 0 {
        value["queued_commands"] = json!(load.queued_commands);
    }
    value
}

/// One finding for every reason for which rows are not shown.
pub(crate) fn findings(loads: &[Load]) -> Vec<Finding> {
    let of_load = |load: &Load| {
        let name = load.loader.name();
        let findings = load.lost.iter().map(|(loss, extent)| {
            let message = format!(
                "{name}: {} rows will not be shown (lines {} to {})",
                extent.rows, extent.first_line, extent.last_line
            );
            Finding::warning(loss.code(), message)
        });
        findings.collect::<Vec<_>>()
    };
    loads.iter().flat_map(of_load).collect()
}

/// Whether a transcript loads at least what was promised of it: it may have grown since.
pub(crate) fn keeps(promised: &Value, now: &[Load]) -> bool {
    now.iter().all(|load| {
        let promised = &promised[load.loader.name()];
        let count = |member: &str| promised[member].as_u64().unwrap_or_default();
        load.shown >= count("shown") && load.of - load.shown <= count("of") - count("shown")
    })
}
