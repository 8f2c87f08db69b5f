//! What a move does, and the handles it does it with.

use std::path::Path;

use durable_files::Quiet;
use migration_engine::{Cause, Cost, Cx, Look, Slot, State, Step, StepError, World, compose_steps};
use remote_transfer::{DeliverTree, Delivered, Remote, RetireFar, RetiredFar};
use serde::{Deserialize, Serialize};

use super::hold::Lock;
use super::source::Source;

compose_steps! {
    /// One effect.
    pub enum Effect, Trace in Handles {
        /// Puts the session where it goes.
        Deliver(Deliver),
        /// Moves the source aside, or a stale lock before it.
        MoveAside(MoveAside) with source,
    }
}

/// The live handles of a move: both hosts, and the session's lock on each.
pub struct Handles {
    pub(super) source: Source,
    pub(super) to: Remote,
    /// That of what was delivered, for as long as it is taken back.
    pub(super) copy: Lock,
}

impl World for Handles {
    fn persist(&mut self) -> Result<(), StepError> {
        self.to.persist()
    }

    fn settle(&mut self) -> Result<(), StepError> {
        self.source.settle()?;
        self.to.settle()
    }

    fn abandon(&mut self) {
        self.source.abandon();
        self.to.abandon();
    }
}

/// The session goes to the other host, if it is still whole and ours where it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deliver {
    /// What was brought, or is here, and where it goes.
    #[serde(flatten)]
    pub tree: DeliverTree,
}

impl Step for Deliver {
    type World = Handles;
    type Evidence = Delivered;

    fn describe(&self) -> String {
        self.tree.describe()
    }

    fn cost(&self) -> Cost {
        self.tree.cost()
    }

    fn inspect(
        &self,
        world: &mut Handles,
        evidence: Option<&Delivered>,
        look: Look,
        cx: &Cx<'_>,
    ) -> Result<State, StepError> {
        self.tree.inspect(&mut world.to, evidence, look, cx)
    }

    fn stage(&self, world: &mut Handles, slot: &Slot, cx: &Cx<'_>) -> Result<Delivered, StepError> {
        world.source.must_stand(&mut { *cx })?;
        self.tree.stage(&mut world.to, slot, cx)
    }

    fn publish(&self, world: &mut Handles, slot: &Slot, evidence: &Delivered) -> Result<(), StepError> {
        world.source.must_stand(&mut Quiet)?;
        self.tree.publish(&mut world.to, slot, evidence)
    }

    fn revert(
        &self,
        world: &mut Handles,
        slot: &Slot,
        evidence: Option<&Delivered>,
        cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        // What nobody has any more goes with it; but until now anybody could take it, and work with what was compared.
        if world.copy.take_over()?
            && let State::Superseded(found) | State::Conflict(found) =
                self.tree.inspect(&mut world.to, evidence, Look::Full, cx)?
        {
            let message = format!("{} is not as it was left: {found}", self.tree.place.name);
            return Err(Cause::new("drifted", message).item());
        }
        self.tree.revert(&mut world.to, slot, evidence, cx)
    }

    fn aside(&self, slot: &Slot, folder: &Path) -> Option<String> {
        self.tree.aside(slot, folder)
    }

    fn set_aside(
        &self,
        world: &mut Handles,
        slot: &Slot,
        evidence: &Delivered,
        folder: &Path,
        cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        world.copy.take_over()?;
        self.tree.set_aside(&mut world.to, slot, evidence, folder, cx)
    }
}

/// What leaves its place at the source, and comes back with an undo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Leaves {
    /// A lock file whose owner is gone: it makes room for ours.
    StaleLock,
    /// The session, if it is still whole and ours.
    Session,
}

/// Something is moved aside where it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MoveAside {
    /// What.
    pub what: Leaves,
    /// Where it is, and where it is put.
    #[serde(flatten)]
    pub place: RetireFar,
}

impl Step for MoveAside {
    type World = Source;
    type Evidence = RetiredFar;

    fn describe(&self) -> String {
        let RetireFar { name, host, .. } = &self.place;
        match self.what {
            Leaves::StaleLock => format!("set the stale lock {name} on {host} aside"),
            Leaves::Session => self.place.describe(),
        }
    }

    fn inspect(
        &self,
        world: &mut Source,
        evidence: Option<&RetiredFar>,
        look: Look,
        cx: &Cx<'_>,
    ) -> Result<State, StepError> {
        // A stale lock that is gone is not a session that is.
        let look = if self.what == Leaves::StaleLock { Look::Full } else { look };
        let state = self.place.inspect(&mut world.lock.remote, evidence, look, cx)?;
        Ok(match (self.what, evidence, state) {
            // Our own lock stands there now, or that of the run which an undo belongs to.
            (Leaves::StaleLock, Some(_), State::Conflict(_)) => State::Done,
            (_, _, state) => state,
        })
    }

    fn stage(&self, world: &mut Source, slot: &Slot, cx: &Cx<'_>) -> Result<RetiredFar, StepError> {
        self.place.stage(&mut world.lock.remote, slot, cx)
    }

    fn publish(&self, world: &mut Source, slot: &Slot, evidence: &RetiredFar) -> Result<(), StepError> {
        if self.what == Leaves::Session {
            world.must_stand(&mut Quiet)?;
        }
        self.place.publish(&mut world.lock.remote, slot, evidence)
    }

    fn revert(
        &self,
        world: &mut Source,
        slot: &Slot,
        evidence: Option<&RetiredFar>,
        cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        if self.what == Leaves::StaleLock {
            world.lock.release();
        }
        self.place.revert(&mut world.lock.remote, slot, evidence, cx)
    }
}
