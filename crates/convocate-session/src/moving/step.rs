//! What a move does, and the handles it does it with.

use std::path::Path;

use durable_files::Quiet;
use migration_engine::{Cost, Cx, Look, Slot, State, Step, StepError, World, compose_steps};
use remote_transfer::{DeliverTree, Delivered, Remote, RetireFar, RetiredFar};
use serde::{Deserialize, Serialize};

use super::hold::Lock;
use super::source::Source;

compose_steps! {
    /// One effect.
    pub enum Effect, Trace in Handles {
        /// Sets a stale lock aside.
        Unlock(SetLockAside) with source,
        /// Puts the session where it goes.
        Deliver(Deliver),
        /// Moves the source aside, where it is.
        Retire(Retire) with source,
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
        world.copy.take_over()?; // what nobody has any more goes with it
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
        let state = self.lock.inspect(&mut world.lock.remote, evidence, look, cx)?;
        // Our own lock stands there now, or that of the run which an undo belongs to.
        let is_aside = matches!(state, State::Conflict(_)) && evidence.is_some();
        Ok(if is_aside { State::Done } else { state })
    }

    fn stage(&self, world: &mut Source, slot: &Slot, cx: &Cx<'_>) -> Result<RetiredFar, StepError> {
        self.lock.stage(&mut world.lock.remote, slot, cx)
    }

    fn publish(&self, world: &mut Source, slot: &Slot, evidence: &RetiredFar) -> Result<(), StepError> {
        self.lock.publish(&mut world.lock.remote, slot, evidence)
    }

    fn revert(
        &self,
        world: &mut Source,
        slot: &Slot,
        evidence: Option<&RetiredFar>,
        cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        world.lock.release();
        self.lock.revert(&mut world.lock.remote, slot, evidence, cx)
    }

    fn aside(&self, slot: &Slot, folder: &Path) -> Option<String> {
        self.lock.aside(slot, folder)
    }
}

/// The source is moved aside, if it is still whole and ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retire {
    /// Where it is, and where it is put.
    #[serde(flatten)]
    pub folder: RetireFar,
}

impl Step for Retire {
    type World = Source;
    type Evidence = RetiredFar;

    fn describe(&self) -> String {
        self.folder.describe()
    }

    fn inspect(
        &self,
        world: &mut Source,
        evidence: Option<&RetiredFar>,
        look: Look,
        cx: &Cx<'_>,
    ) -> Result<State, StepError> {
        self.folder.inspect(&mut world.lock.remote, evidence, look, cx)
    }

    fn stage(&self, world: &mut Source, slot: &Slot, cx: &Cx<'_>) -> Result<RetiredFar, StepError> {
        self.folder.stage(&mut world.lock.remote, slot, cx)
    }

    fn publish(&self, world: &mut Source, slot: &Slot, evidence: &RetiredFar) -> Result<(), StepError> {
        world.must_stand(&mut Quiet)?;
        self.folder.publish(&mut world.lock.remote, slot, evidence)
    }

    fn revert(
        &self,
        world: &mut Source,
        slot: &Slot,
        evidence: Option<&RetiredFar>,
        cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        self.folder.revert(&mut world.lock.remote, slot, evidence, cx)
    }

    fn aside(&self, slot: &Slot, folder: &Path) -> Option<String> {
        self.folder.aside(slot, folder)
    }
}
