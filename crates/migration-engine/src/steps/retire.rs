//! A source moved aside, once everything that came of it has been verified.

use std::path::{Path, PathBuf};

use durable_files::{Fingerprint, PathText, publish_new, publish_new_in_shared_dir, remove_empty_dirs};
use serde::{Deserialize, Serialize};

use super::files::{Files, fingerprint_if_there, move_into};
use crate::{Cause, Cx, Look, Slot, State, Step, StepError};

/// Moves a file or folder aside; nothing is deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retire {
    /// What is moved aside.
    pub source: PathText,
    /// What it looked like when the plan was made.
    pub expect: Fingerprint,
    /// The folder that takes it, under its own name and the run's, made if need be; without one it stays beside its
    /// place, under a name of ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub into: Option<PathText>,
}

/// Where it was moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retired {
    /// The name it has now.
    pub aside: PathText,
}

impl Retire {
    /// The name it will have.
    fn aside(&self, slot: &Slot) -> PathBuf {
        let Some(folder) = &self.into else { return slot.beside(&self.source, "retired") };
        let mut name = self.source.file_name().unwrap_or_default().to_owned();
        name.push(format!("-{}", slot.run()));
        folder.join(name)
    }

    fn is_expected(&self, found: &Fingerprint) -> bool {
        found.same_file(&self.expect)
    }

    /// How what was found differs from what was expected.
    fn change(&self, found: &Fingerprint) -> String {
        let how = if found.ino != self.expect.ino {
            "another has its name".to_owned()
        } else if found.size != self.expect.size {
            format!("expected {} bytes, found {}", self.expect.size, found.size)
        } else {
            "it was written to".to_owned()
        };
        format!("it changed after the plan was made: {how}")
    }

    fn changed(&self) -> StepError {
        let path: &Path = &self.source;
        Cause::source_changed(format!("{} changed after the plan was made", path.display())).item()
    }
}

impl Step for Retire {
    type World = Files;
    type Evidence = Retired;

    fn describe(&self) -> String {
        format!("move aside {}", self.source.display())
    }

    fn inspect(
        &self,
        world: &mut Files,
        evidence: Option<&Retired>,
        look: Look,
        _cx: &Cx<'_>,
    ) -> Result<State, StepError> {
        if evidence.is_some() {
            world.touch(&self.source); // killed after publishing, a run may have left the names to the page cache
        }
        let here = fingerprint_if_there(&self.source)?;
        let aside = evidence.map(|ours| fingerprint_if_there(&ours.aside)).transpose()?.flatten();
        let found = match (here, aside) {
            (Some(found), _) if self.is_expected(&found) => return Ok(State::Pending),
            (None, Some(found)) if self.is_expected(&found) => return Ok(State::Done),
            (Some(found), _) => self.change(&found),
            (None, Some(_)) => "what was moved aside has changed, and nothing else is there".to_owned(),
            (None, None) => "it is gone".to_owned(),
        };
        if evidence.is_some() && look == Look::Full && !aside.is_some_and(|aside| self.is_expected(&aside)) {
            return Err(Cause::lost(found).item());
        }
        if here.is_none() {
            return Err(Cause::source_gone(format!("cannot {}: {found}", self.describe())).item());
        }
        Ok(State::Conflict(found))
    }

    fn stage(&self, _world: &mut Files, slot: &Slot, _cx: &Cx<'_>) -> Result<Retired, StepError> {
        match fingerprint_if_there(&self.source)? {
            Some(found) if self.is_expected(&found) => Ok(Retired { aside: self.aside(slot).into() }),
            Some(_) => Err(self.changed()),
            None => Err(Cause::source_gone(format!("cannot {}: it is gone", self.describe())).item()),
        }
    }

    fn publish(&self, world: &mut Files, _slot: &Slot, evidence: &Retired) -> Result<(), StepError> {
        match &self.into {
            Some(folder) => {
                publish_new_in_shared_dir(&self.source, &evidence.aside)?;
                world.touch(folder);
            }
            None => publish_new(&self.source, &evidence.aside)?,
        }
        world.touch(&self.source);
        world.touch(&evidence.aside);
        if !self.is_expected(&Fingerprint::of_file(&evidence.aside)?) {
            publish_new(&evidence.aside, &self.source)?;
            return Err(self.changed());
        }
        Ok(())
    }

    fn revert(
        &self,
        world: &mut Files,
        _slot: &Slot,
        evidence: Option<&Retired>,
        _cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        let Some(retired) = evidence else { return Ok(()) }; // nothing was moved, and the folder is another lane's
        world.touch(&self.source);
        world.touch(&retired.aside);
        if fingerprint_if_there(&retired.aside)?.is_some() {
            publish_new(&retired.aside, &self.source)?;
        }
        Ok(remove_empty_dirs(self.into.as_slice())?)
    }

    fn aside(&self, _slot: &Slot, folder: &Path) -> Option<String> {
        Some(folder.display().to_string())
    }

    fn set_aside(
        &self,
        world: &mut Files,
        slot: &Slot,
        evidence: &Retired,
        folder: &Path,
        cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        if fingerprint_if_there(&self.source)?.is_some() {
            move_into(folder, &self.source, &self.source, slot, cx)?;
        }
        self.revert(world, slot, Some(evidence), cx)
    }

    fn stashes(&self, _slot: &Slot, evidence: &Retired) -> Vec<PathBuf> {
        vec![evidence.aside.to_path_buf()]
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::*;
    use crate::{NoProgress, RunId};
    use session_model::Timestamp;

    #[test]
    fn what_was_never_moved_is_taken_back_without_the_folder_that_another_is_about_to_use() {
        let place = tempfile::tempdir().unwrap();
        let (source, shared) = (place.path().join("source"), place.path().join("shared"));
        std::fs::write(&source, "ours").unwrap();
        let expect = Fingerprint::of_file(&source).unwrap();
        let into = Some(shared.clone().into());
        let step = Retire { source: source.clone().into(), expect, into };
        let slot = Slot::new(RunId::new(Timestamp::now(), 0), 0, place.path().join("run"));
        let no = AtomicBool::new(false);
        let cx = Cx { stop: &no, progress: &NoProgress, now: Timestamp::now };
        let mut world = Files::default();

        let evidence = step.stage(&mut world, &slot, &cx).unwrap();
        std::fs::create_dir(&shared).unwrap();
        step.revert(&mut world, &slot, None, &cx).unwrap();
        assert!(shared.exists());
        std::fs::remove_dir(&shared).unwrap();
        step.publish(&mut world, &slot, &evidence).unwrap();
        assert!(!source.exists());
        step.revert(&mut world, &slot, Some(&evidence), &cx).unwrap();
        assert!(source.exists() && !shared.exists());
    }
}
