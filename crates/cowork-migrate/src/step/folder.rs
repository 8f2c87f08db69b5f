//! A folder of the user's that a session was given.

use std::path::Path;

use durable_files::{PathText, create_private_dirs, missing_dirs, must_be_no_links, remove_empty_dirs};
use migration_engine::steps::{FileWorld, move_into};
use migration_engine::{Cause, Cost, Cx, Look, Slot, State, Step, StepError};
use serde::{Deserialize, Serialize};

use crate::content::Sources;

/// Makes a folder. What comes into it later is the user's: an undo removes it only if it is empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MakeFolder {
    /// The folder.
    pub target: PathText,
    /// What of the way to it is missing, outermost first.
    pub new_dirs: Vec<PathText>,
}

/// A folder that was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeFolder {}

impl MakeFolder {
    /// The step for a folder that is not there.
    pub(crate) fn plan(target: &Path) -> Self {
        let new_dirs = missing_dirs(target).into_iter().map(PathText::from).collect();
        Self { target: target.into(), new_dirs }
    }

    fn touch(&self, world: &mut Sources) {
        self.new_dirs.iter().for_each(|dir| world.files().touch(dir));
    }
}

impl Step for MakeFolder {
    type World = Sources;
    type Evidence = MadeFolder;

    fn describe(&self) -> String {
        format!("make the folder {}", self.target.display())
    }

    fn cost(&self) -> Cost {
        let at = self.target.parent().map(Path::to_path_buf);
        Cost { bytes: 0, at, inodes: self.new_dirs.len() as u64, passing: 0 }
    }

    fn inspect(
        &self,
        world: &mut Sources,
        evidence: Option<&MadeFolder>,
        _look: Look,
        _cx: &Cx<'_>,
    ) -> Result<State, StepError> {
        if evidence.is_some() {
            self.touch(world); // killed after publishing, a run may have left the names to the page cache
        }
        Ok(match self.target.symlink_metadata() {
            Ok(_) if self.target.is_dir() => State::Done,
            Ok(_) => State::Conflict("something that is not a folder is there".into()),
            Err(_) => State::Pending,
        })
    }

    fn stage(&self, _world: &mut Sources, _slot: &Slot, _cx: &Cx<'_>) -> Result<MadeFolder, StepError> {
        Ok(MadeFolder {})
    }

    fn publish(&self, world: &mut Sources, _slot: &Slot, _evidence: &MadeFolder) -> Result<(), StepError> {
        must_be_no_links(&self.new_dirs)?;
        create_private_dirs(&self.target)?;
        self.touch(world);
        if self.target.is_dir() {
            return Ok(());
        }
        Err(Cause::new("occupied", format!("{} is not a folder", self.target.display())).item())
    }

    fn revert(
        &self,
        world: &mut Sources,
        _slot: &Slot,
        evidence: Option<&MadeFolder>,
        _cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        if evidence.is_some() {
            self.touch(world);
            remove_empty_dirs(&self.new_dirs)?;
        }
        Ok(())
    }

    fn aside(&self, _slot: &Slot, folder: &Path) -> Option<String> {
        Some(folder.display().to_string())
    }

    fn set_aside(
        &self,
        world: &mut Sources,
        slot: &Slot,
        evidence: &MadeFolder,
        folder: &Path,
        cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        move_into(folder, &self.target, &self.target, slot, cx)?;
        self.revert(world, slot, Some(evidence), cx)
    }
}
