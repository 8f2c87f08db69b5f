//! What a move does, and the handles it does it with.

use migration_engine::{Cx, Look, Slot, State, Step, StepError, World, compose_steps};
use remote_transfer::{DeliverTree, Remote, RetireFar, RetiredFar};
use serde::{Deserialize, Serialize};

use super::hold::{Held, Wanted};

compose_steps! {
    /// One effect.
    pub enum Effect, Trace in Handles {
        /// Sets a stale lock aside.
        Unlock(SetLockAside) with source,
        /// Puts the session where it goes.
        Deliver(DeliverTree) with to,
        /// Moves the source aside, where it is.
        Retire(RetireFar) with from,
    }
}

/// The live handles of a move: both hosts, and the session's lock.
pub struct Handles {
    pub(super) source: Source,
    pub(super) from: Remote,
    pub(super) to: Remote,
}

/// The host that has the session, with its lock.
pub struct Source {
    pub(super) remote: Remote,
    pub(super) wanted: Option<Wanted>,
    pub(super) held: Option<Held>,
}

impl Source {
    /// Takes the lock, unless it has it, or a stale one is to be set aside before.
    pub(super) fn take(&mut self) -> Result<(), StepError> {
        if let (Some(wanted), None) = (&self.wanted, &self.held) {
            let link = self.remote.far().link().another();
            self.held = wanted.take(link)?;
        }
        Ok(())
    }

    /// Gives the lock back for good.
    fn release(&mut self) {
        self.wanted = None;
        self.held = None;
    }
}

impl World for Source {
    fn persist(&mut self) -> Result<(), StepError> {
        Ok(())
    }

    /// Takes the lock if a stale one was in its way until now.
    fn settle(&mut self) -> Result<(), StepError> {
        self.take()
    }

    fn abandon(&mut self) {}
}

impl World for Handles {
    fn persist(&mut self) -> Result<(), StepError> {
        self.to.persist()
    }

    fn settle(&mut self) -> Result<(), StepError> {
        self.source.settle()?;
        self.from.settle()?;
        self.to.settle()
    }

    fn abandon(&mut self) {
        self.from.abandon();
        self.to.abandon();
    }
}

/// A lock file whose owner is gone makes room for ours, and comes back with an undo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetLockAside {
    /// The lock file, and where it is put.
    #[serde(flatten)]
    pub lock: RetireFar,
}

impl Step for SetLockAside {
    type World = Source;
    type Evidence = RetiredFar;

    fn describe(&self) -> String {
        format!("set the stale lock {} on {} aside", self.lock.name, self.lock.host)
    }

    fn inspect(
        &self,
        world: &mut Source,
        evidence: Option<&RetiredFar>,
        look: Look,
        cx: &Cx<'_>,
    ) -> Result<State, StepError> {
        let state = self.lock.inspect(&mut world.remote, evidence, look, cx)?;
        // Our own lock stands there now, or that of the run which an undo belongs to.
        let is_aside = matches!(state, State::Conflict(_)) && evidence.is_some();
        Ok(if is_aside { State::Done } else { state })
    }

    fn stage(&self, world: &mut Source, slot: &Slot, cx: &Cx<'_>) -> Result<RetiredFar, StepError> {
        self.lock.stage(&mut world.remote, slot, cx)
    }

    fn publish(&self, world: &mut Source, slot: &Slot, evidence: &RetiredFar) -> Result<(), StepError> {
        self.lock.publish(&mut world.remote, slot, evidence)
    }

    fn revert(
        &self,
        world: &mut Source,
        slot: &Slot,
        evidence: Option<&RetiredFar>,
        cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        world.release();
        self.lock.revert(&mut world.remote, slot, evidence, cx)
    }
}
