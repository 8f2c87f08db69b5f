//! What will happen to each session: a lane of its own.

use std::path::Path;

use durable_files::{Digest, Fingerprint, PathText};
use legacy_readers::convocate::{Content, Session};
use migration_cli::Refusal;
use migration_engine::steps::Retire;
use migration_engine::{Block, Bucket, Header, Item, ItemId, Lane, Outcome, Plan, Task, Wave};
use remote_transfer::{Change, DeliverTree, Place};
use serde_json::json;
use session_model::{Finding, InputId};

use crate::agent_end::AgentEnd;
use crate::checks::{Ready, owner, staging};
use crate::effect::Effect;
use crate::far_lock::Lockable;
use crate::options::{Compress, Options};
use crate::settings::{Held, Moving, Settings};
use crate::step::{Purge, SetLockAside};

/// The folder of sources that were moved aside. A list of sessions does not look into it: its name is no id.
pub const RETIRED: &str = ".migrated";
/// The folder of receipts, at both ends.
pub const RECEIPTS: &str = ".migrations";

/// The plan as it grows.
pub(crate) struct Draft<'a> {
    base: &'a Path,
    end: &'a AgentEnd,
    options: &'a Options,
    items: Vec<Item>,
    lanes: Vec<Lane<Effect>>,
    moving: Vec<Moving>,
    pub(crate) takes: u64,
    pub(crate) entries: u64,
}

impl<'a> Draft<'a> {
    pub(crate) fn new(base: &'a Path, end: &'a AgentEnd, options: &'a Options) -> Self {
        let (items, lanes, moving) = (Vec::new(), Vec::new(), Vec::new());
        Self { base, end, options, items, lanes, moving, takes: 0, entries: 0 }
    }

    /// A session that stays, with the reason.
    pub(crate) fn stays(&mut self, session: &Session, outcome: Outcome) {
        self.items.push(item(session, outcome));
    }

    /// A session that moves.
    pub(crate) fn moves(&mut self, session: &Session, ready: Ready) -> Result<(), Refusal> {
        let id = ItemId(u32::try_from(self.items.len()).expect("because a base holds few sessions"));
        let task = |step: Effect| Task { item: Some(id), step };
        let expect = ready.walked.manifest.digest();
        let (bytes, entries) = (ready.walked.manifest.bytes(), ready.walked.manifest.entries().len() as u64);
        let mut lane = Vec::new();
        if let Some(lock) = session.lock.as_ref().filter(|lock| owner(lock).is_none()) {
            let mtime = i64::try_from(lock.modified.as_nanosecond()).unwrap_or_default();
            let (lock, text, mode) = (lock.path.clone().into(), lock.text.clone(), lock.mode);
            lane.push(Wave::publish(vec![task(SetLockAside { lock, text, mode, mtime }.into())]));
        }
        lane.push(Wave::publish(vec![task(self.delivery(session, &ready, expect, bytes).into())]));
        let retired = PathText::from(self.base.join(RETIRED));
        let fingerprint = Fingerprint::of_file(&session.path)?;
        let source = PathText::from(session.path.clone());
        let gone: Effect = if self.options.purge_source {
            Purge { source, expect: fingerprint, by_way_of: retired }.into()
        } else {
            Retire { source, expect: fingerprint, into: Some(retired) }.into()
        };
        lane.push(Wave::retire(vec![task(gone)]));
        self.lanes.push(lane);
        self.moving.push(moving(session, &ready, expect));
        self.takes += ready.walked.takes;
        self.entries += entries;
        let mut item = item(session, Outcome::plain(Bucket::Migrated));
        let base = remote_transfer::display(&self.end.base);
        item.targets = vec![format!("{}:{base}/{}", self.end.ssh.host, session.uuid)];
        item.findings = ready.findings;
        item.own.insert("bytes".to_owned(), json!(bytes));
        self.items.push(item);
        Ok(())
    }

    fn delivery(&self, session: &Session, ready: &Ready, expect: Digest, bytes: u64) -> DeliverTree {
        let Content::Read { text, .. } = &session.content else {
            unreachable!("because only a session that was read is ready")
        };
        let stamped = Change {
            path: b"session.json".to_vec(),
            expect: Digest::of(text),
            content: ready.arrives.to_text().into_bytes(),
        };
        let place = Place {
            base: self.end.base.clone(),
            name: session.uuid.clone(),
            staging: staging(&session.uuid),
            receipts: RECEIPTS.to_owned(),
            aside: Some(RETIRED.to_owned()),
            lock: Some(Lockable::name(&session.uuid)),
        };
        DeliverTree {
            source: session.path.clone().into(),
            expect,
            content: None, // it is read here
            bytes,
            host: self.end.id.clone(),
            place,
            owner: self.end.owner.clone(),
            changes: vec![stamped],
            receipts: Some(self.base.join(RECEIPTS).into()),
            note: json!({"agent_id": self.end.id, "session_json": String::from_utf8_lossy(text)}),
        }
    }

    /// That nothing is compressed though it shall be.
    fn uncompressed(&self) -> Option<Finding> {
        let asked = self.options.compress == Some(Compress::Gzip) && !self.end.remote.far().can_decompress();
        let message = "nothing is compressed: the agent has no gzip";
        asked.then(|| Finding::warning("no-gzip", message))
    }

    /// The whole plan.
    pub(crate) fn finish(self) -> Result<Plan<Effect>, Refusal> {
        let purges = self.options.purge_source.then(purges);
        let findings = [purges, self.uncompressed()].into_iter().flatten().collect();
        let inputs: Vec<InputId> = self.items.iter().map(|item| item.input.clone()).collect();
        let concerns = self.moving.iter().map(|moving| self.base.join(&moving.uuid).into()).collect();
        let settings = Settings {
            base: self.base.into(),
            agent: self.end.id.clone(),
            ssh: self.end.ssh.clone(),
            api: self.end.api.clone(),
            as_root: self.end.as_root,
            there: self.end.base.clone(),
            compress: self.options.compress.unwrap_or_default(),
            lanes: self.moving,
        };
        let header = Header {
            tool: String::new(), // the driver knows it, and the version and the locks
            version: String::new(),
            blocks: vec![Block { kind: "session".into(), title: "sessions".into(), inputs: 0 }],
            locks: Vec::new(),
            concerns,
            settings: serde_json::to_value(settings).expect("because settings are plain data with text keys"),
            partial: false,
            findings,
        };
        Plan::new(header, &inputs, self.items, self.lanes).map_err(|error| {
            Refusal::failure("plan", error.to_string(), "this is a defect of the tool: please report it")
        })
    }
}

fn purges() -> Finding {
    Finding::warning(
        "purges",
        "sources are deleted once the agent's copy is confirmed: that cannot be undone",
    )
}

fn moving(session: &Session, ready: &Ready, expect: Digest) -> Moving {
    let stale = session.lock.as_ref().filter(|lock| owner(lock).is_none());
    Moving {
        uuid: session.uuid.clone(),
        expect,
        held: Held::of(&ready.walked.manifest),
        stale: stale.map(|lock| lock.text.clone()),
        arrives: ready.arrives.fields().into(),
    }
}

fn item(session: &Session, outcome: Outcome) -> Item {
    let input = InputId::new("session", session.path.display().to_string());
    let name = session.document().map(|document| document.fields().name.escape_debug().to_string());
    let shown = match name.filter(|name| !name.is_empty()) {
        Some(name) => format!("{} ({name})", session.uuid),
        None => session.uuid.clone(),
    };
    let mut item = Item::new(input, shown, outcome);
    item.source = Some(session.path.display().to_string());
    item
}
