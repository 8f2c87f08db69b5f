//! An orphan on its way to an agent, and how far it has come.

use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use migration_cli::{Exit, Refusal};
use migration_engine::Progress;
use session_control::SessionId;
use session_model::Level;

use super::workers::Shared;
use super::{Event, Failure, Share};
use crate::{moves, moving};

/// How often it is told.
const PAUSE: Duration = Duration::from_millis(100);

/// Brings the orphan to the agent. Gives what there is to say of that.
pub(super) fn migrate(
    shared: &Shared,
    id: &SessionId,
    agent: &str,
    (number, events): (u64, &Sender<Event>),
) -> Result<Option<String>, Failure> {
    let network = moves::network(&shared.options, &shared.here)?;
    let state = camino::Utf8Path::from_path(&shared.root);
    let begun = Mutex::new((Share::default(), Instant::now()));
    let telling = Arc::new(Telling { number, events: events.clone(), state: begun });
    let migrated = moving::migrate_orphan(id, agent, &network, state, telling, &shared.here)?;
    let worth = migrated.findings.into_iter().filter(|finding| finding.level != Level::Note);
    let mut words: Vec<String> = worth.map(|finding| finding.message).collect();
    if migrated.exit == Exit::Done {
        return Ok((!words.is_empty()).then(|| words.join("\n")));
    }
    words.extend(migrated.next);
    Err(Refusal::failure("migration", words.join("\n"), "").into())
}

/// Tells the screen how far it has come.
struct Telling {
    number: u64,
    events: Sender<Event>,
    /// And when that was told last.
    state: Mutex<(Share, Instant)>,
}

impl Telling {
    fn now(&self, change: impl FnOnce(&mut Share), at_once: bool) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut state.0);
        if at_once || state.1.elapsed() >= PAUSE {
            state.1 = Instant::now();
            let _ = self.events.send(Event::Progress(self.number, state.0)); // whoever has gone has gone
        }
    }
}

impl Progress for Telling {
    fn begin(&self, _phase: &str, bytes: u64, _steps: u64) {
        self.now(|share| *share = Share { done: 0, all: bytes }, true);
    }

    fn advance(&self, bytes: u64) {
        self.now(|share| share.done += bytes, false);
    }

    fn step_done(&self) {}

    fn end(&self) {
        self.now(|share| share.done = share.all, true);
    }
}
