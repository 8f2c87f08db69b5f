//! The transcript of a session, which stays as long as an entry leads to it that stays.

use std::path::Path;

use durable_files::PathText;
use migration_engine::steps::{Content, FileWorld, Files, InstallFile, Installed};
use migration_engine::{Cost, Cx, Look, Slot, State, Step, StepError};
use serde::{Deserialize, Serialize};

use super::StoreFiles;
use crate::Format;

/// Puts the transcript of a session into the folder of a store. It is as [`InstallFile`], but that to an undo it has
/// changed where an entry leads to it which the undo does not take out: one that has been written to since, or one of
/// somebody else. So no entry is left that leads to nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstallTranscript<C> {
    /// The transcript.
    pub file: InstallFile<C>,
    /// The store.
    pub store: PathText,
    /// How it spells its members.
    pub format: Format,
}

impl<C> InstallTranscript<C> {
    /// What keeps the transcript from being taken away, if anything does. The entries must have been looked at before.
    fn needed(&self, world: &mut StoreFiles) -> Result<Option<String>, StepError> {
        let standing = world.look(&self.store, self.format)?;
        let Ok(content) = standing.content() else {
            return Ok(Some(format!("{} cannot be read, which may lead to it", self.store.display())));
        };
        let mut keys = content.leading_to(&self.file.target).iter().map(|(key, _)| key);
        let stays = keys.find(|key| !world.is_leaving(&self.store, key));
        Ok(stays.map(|key| format!("the entry `{}`, which stays, leads to it", key.escape_debug())))
    }
}

impl<C: Content<World = Files>> Step for InstallTranscript<C> {
    type World = StoreFiles;
    type Evidence = Installed;

    fn describe(&self) -> String {
        self.file.describe()
    }

    fn cost(&self) -> Cost {
        self.file.cost()
    }

    fn inspect(
        &self,
        world: &mut StoreFiles,
        evidence: Option<&Installed>,
        look: Look,
        cx: &Cx<'_>,
    ) -> Result<State, StepError> {
        let state = self.file.inspect(world.files(), evidence, look, cx)?;
        if evidence.is_none() || look == Look::Quick || state != State::Done {
            return Ok(state);
        }
        Ok(self.needed(world)?.map_or(state, State::Superseded))
    }

    fn stage(&self, world: &mut StoreFiles, slot: &Slot, cx: &Cx<'_>) -> Result<Installed, StepError> {
        self.file.stage(world.files(), slot, cx)
    }

    fn publish(&self, world: &mut StoreFiles, slot: &Slot, ours: &Installed) -> Result<(), StepError> {
        self.file.publish(world.files(), slot, ours)
    }

    fn revert(
        &self,
        world: &mut StoreFiles,
        slot: &Slot,
        evidence: Option<&Installed>,
        cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        self.file.revert(world.files(), slot, evidence, cx)
    }

    fn unstage(
        &self,
        world: &mut StoreFiles,
        slot: &Slot,
        ours: &Installed,
        cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        self.file.unstage(world.files(), slot, ours, cx)
    }

    fn aside(&self, slot: &Slot, folder: &Path) -> Option<String> {
        self.file.aside(slot, folder)
    }

    fn set_aside(
        &self,
        world: &mut StoreFiles,
        slot: &Slot,
        ours: &Installed,
        folder: &Path,
        cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        self.file.set_aside(world.files(), slot, ours, folder, cx)
    }
}
