//! What will happen: one lane, of what was found at both ends.

use convocate_migrate::parts::{Held, RECEIPTS, RETIRED, staging};
use durable_files::Digest;
use migration_cli::Refusal;
use migration_engine::{Block, Bucket, Header, Item, ItemId, Lane, Outcome, Plan, Task, Wave};
use remote_transfer::{Change, DeliverTree, LeftBehind, Place, RetireFar};
use serde_json::{Value, json};
use session_model::InputId;

use super::Request;
use super::hold::lock_of;
use super::known::{Known, shown};
use super::settings::{End, Settings};
use super::step::{Deliver, Effect, Leaves, MoveAside};

/// The plan of a session that goes.
pub(super) fn plan(request: &Request, known: &Known) -> Result<Plan<Effect>, Refusal> {
    let uuid = request.session.as_str();
    let becomes = known.arrives.fields().uuid.as_str();
    let task = |step: Effect| Task { item: Some(ItemId(0)), step };
    let mut lane: Lane<Effect> = Vec::new();
    if let Some(identity) = &known.stale {
        let lock = aside(known, Leaves::StaleLock, &lock_of(uuid), identity, None);
        lane.push(Wave::publish(vec![task(lock.into())]));
    }
    lane.push(Wave::publish(vec![task(Deliver { tree: delivery(known, uuid, becomes) }.into())]));
    if request.copy.is_none() {
        let note = json!({
            "to_agent": known.to.id,
            "to": shown(&known.to, uuid),
            "session_json": String::from_utf8_lossy(&known.text),
        });
        let source = aside(known, Leaves::Session, uuid, known.seen.identity(), Some(note));
        lane.push(Wave::retire(vec![task(source.into())]));
    }
    let mut item = Item::new(input(known, uuid), called(known, uuid), Outcome::plain(Bucket::Migrated));
    item.source = Some(shown(&known.from, uuid));
    item.targets = vec![shown(&known.to, becomes)];
    item.findings.clone_from(&known.findings);
    item.own.insert("bytes".to_owned(), json!(known.seen.manifest.bytes()));
    made(vec![item], vec![lane], &settings(request, known))
}

/// That the session is there already.
pub(super) fn already_there(request: &Request) -> Result<Plan<Effect>, Refusal> {
    let place = format!("{}:{}", request.to, request.session);
    let mut item = Item::new(
        InputId::new("session", place.clone()),
        request.session.as_str(),
        Outcome::plain(Bucket::AlreadyPresent),
    );
    item.source = Some(place);
    made(vec![item], Vec::new(), &Value::Null)
}

fn made(
    items: Vec<Item>,
    lanes: Vec<Lane<Effect>>,
    settings: &impl serde::Serialize,
) -> Result<Plan<Effect>, Refusal> {
    let settings = serde_json::to_value(settings).expect("because settings are plain data with text keys");
    let inputs: Vec<InputId> = items.iter().map(|item| item.input.clone()).collect();
    let concerns = items.iter().flat_map(|item| item.source.iter().chain(&item.targets));
    let concerns = concerns.map(|place| std::path::PathBuf::from(place).into()).collect();
    let header = Header {
        tool: String::new(), // the driver knows it, and the version and the locks
        version: String::new(),
        blocks: vec![Block { kind: "session".into(), title: "sessions".into(), inputs: 0 }],
        locks: Vec::new(),
        concerns,
        settings,
        partial: false,
        findings: Vec::new(),
    };
    Plan::new(header, &inputs, items, lanes).map_err(|error| {
        Refusal::failure("plan", error.to_string(), "this is a defect of the tool: please report it")
    })
}

fn settings(request: &Request, known: &Known) -> Settings {
    Settings {
        from: End::from(&known.from),
        to: End::from(&known.to),
        uuid: request.session.to_string(),
        becomes: known.arrives.fields().uuid.clone(),
        expect: known.seen.manifest.digest(),
        held: Held::of(&known.seen.manifest),
        holder: known.holder.clone(),
        identity: known.seen.identity().to_owned(),
        moves: request.copy.is_none(),
        named: known.named,
        stale: known.stale.clone(),
        bundle: known.bundle.clone().map(Into::into),
        arrives: known.arrives.fields().into(),
    }
}

fn aside(known: &Known, what: Leaves, name: &str, identity: &str, note: Option<Value>) -> MoveAside {
    let place = RetireFar {
        host: known.from.id.clone(),
        base: known.from.base.clone(),
        name: name.to_owned(),
        expect: identity.to_owned(),
        into: RETIRED.to_owned(),
        receipt: note.map(|note| LeftBehind { folder: RECEIPTS.to_owned(), note }),
    };
    MoveAside { what, place }
}

fn delivery(known: &Known, uuid: &str, becomes: &str) -> DeliverTree {
    let stamped = Change {
        path: b"session.json".to_vec(),
        expect: Digest::of(&known.text),
        content: known.arrives.to_text().into_bytes(),
    };
    let place = Place {
        base: known.to.base.clone(),
        name: becomes.to_owned(),
        staging: staging(becomes),
        receipts: RECEIPTS.to_owned(),
        aside: Some(RETIRED.to_owned()),
        lock: Some(lock_of(becomes)),
    };
    let note = json!({
        "agent_id": known.to.id,
        "from_agent": known.from.id,
        "from": shown(&known.from, uuid),
        "session_json": String::from_utf8_lossy(&known.text),
    });
    let content = known.brought.clone().map(|mut brought| {
        brought.replace(&stamped.path, &stamped.content);
        brought.digest()
    });
    DeliverTree {
        source: known.source(),
        expect: known.seen.manifest.digest(),
        content,
        bytes: known.seen.manifest.bytes(),
        host: known.to.id.clone(),
        place,
        owner: known.to.owner.clone(),
        changes: vec![stamped],
        receipts: None, // the other one is left where the source is, by whoever moves it aside
        note,
    }
}

fn input(known: &Known, uuid: &str) -> InputId {
    InputId::new("session", shown(&known.from, uuid))
}

fn called(known: &Known, uuid: &str) -> String {
    let name = known.arrives.fields().name.escape_debug().to_string();
    if name.is_empty() { uuid.to_owned() } else { format!("{uuid} ({name})") }
}
