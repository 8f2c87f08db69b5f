//! What each build would load, as reports show it.

use jsonl_stitch::load::Load;
use serde_json::{Map, Value, json};
use session_model::Finding;

/// The loads of a transcript as a member of the report's document: `{"v1": {…}, "v2": {…}}`.
pub(crate) fn to_json(loads: &[Load]) -> Value {
    let loads = loads.iter().map(|load| (load.loader.name().to_owned(), one(load)));
    Value::Object(loads.collect::<Map<_, _>>())
}

fn one(load: &Load) -> Value {
    let lost: Map<String, Value> =
        load.lost.iter().map(|(loss, extent)| (loss.code().to_owned(), json!(extent))).collect();
    let mut value = json!({
        "strategy": load.strategy,
        "shown": load.shown,
        "of": load.of,
        "lost": lost,
        "hidden": load.hidden,
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
    loads.iter().flat_map(of_load).collect()
}

fn of_load(load: &Load) -> impl Iterator<Item = Finding> {
    load.lost.iter().map(|(loss, extent)| {
        let rows = if extent.rows == 1 { "1 row is".to_owned() } else { format!("{} rows are", extent.rows) };
        let lines = match (extent.first_line, extent.last_line) {
            (first, last) if first == last => format!("line {first}"),
            (first, last) => format!("lines {first} to {last}"),
        };
        let walk = load.walk.as_ref().filter(|_| loss.code() == "cut/walk-failed");
        let why = walk.map_or_else(String::new, |walk| format!(": {walk}"));
        let message = format!("{}: {rows} not shown ({lines}){why}", load.loader.name());
        Finding::warning(loss.code(), message)
    })
}

/// Whether a transcript loads at least what was promised of it: it may have grown since.
pub(crate) fn keeps(promised: &Value, now: &[Load]) -> bool {
    now.iter().all(|load| {
        let promised = &promised[load.loader.name()];
        let count = |member: &str| promised[member].as_u64().unwrap_or_default();
        load.shown >= count("shown") && load.of - load.shown <= count("of") - count("shown")
    })
}
