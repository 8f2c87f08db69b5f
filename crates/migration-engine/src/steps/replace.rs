//! A file whose content changes in one step, the old thing kept beside the new until it is forgotten.

use std::path::{Path, PathBuf};

use durable_files::{
    Digest, Fingerprint, PathText, Traits, copy_file, exchange, exchange_through, is_unsupported, link_file,
    publish_new, publish_over, remove_file_if_there,
};
use serde::{Deserialize, Serialize};

use super::files::{Files, compare_content, fingerprint_if_there, keep_in, move_into};
use crate::{Cause, Cost, Cx, Look, Slot, State, Step, StepError};

/// Puts a copy of `source` in the place of `target`, which must still be what it was when the plan was made. The mode
/// stays.
///
/// The two exchange their names; what came out is looked at and put back if it was not what was expected. The old file
/// itself, inode and all, stays beside the new one as the stash. On a file system that cannot exchange names, second
/// names (hard links) do: then the staging name never holds the only name of the old file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplaceFile {
    /// The new content.
    pub source: PathText,
    /// What it looked like when the plan was made.
    pub expect_source: Fingerprint,
    /// What is replaced.
    pub target: PathText,
    /// What it looked like when the plan was made.
    pub expect_target: Fingerprint,
}

/// What replaced what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replaced {
    /// The SHA-256 of the new content.
    pub digest: Digest,
    /// The new file as it was staged.
    pub file: Fingerprint,
    /// The name that holds the new file, whole, before the exchange, and the old one after it.
    pub other: PathText,
}

impl ReplaceFile {
    fn is_old(&self, path: &Path) -> Result<bool, StepError> {
        Ok(fingerprint_if_there(path)?.is_some_and(|found| found.same_file(&self.expect_target)))
    }

    /// Whether a name is one more of the old file, which is still at the target.
    fn is_second_name(&self, path: &Path) -> Result<bool, StepError> {
        Ok(self.is_old(path)? && self.is_old(&self.target)?)
    }

    fn changed(&self) -> StepError {
        Cause::source_changed(format!("{} changed after the plan was made", self.target.display())).item()
    }

    fn drifted(path: &Path) -> StepError {
        Cause::new("drifted", format!("{} is not as it was left", path.display())).item()
    }

    /// Brings the old file back, if it is the new one that has its place.
    fn bring_back(&self, ours: &Replaced, spare: &Path, cx: &Cx<'_>) -> Result<(), StepError> {
        if self.is_old(&self.target)? {
            return Ok(());
        }
        if !ours.stands_at(&self.target, cx)? {
            // What is at the target is neither. It is only left there if the old file is not waiting to come back.
            return if ours.stands_at(&ours.other, cx)? { Ok(()) } else { Err(Self::drifted(&self.target)) };
        }
        match exchange(&ours.other, &self.target) {
            Err(error) if is_unsupported(&error) => return self.bring_back_by_link(ours, spare, cx),
            exchanged => exchanged?,
        }
        if ours.stands_at(&ours.other, cx)? {
            return Ok(());
        }
        exchange(&ours.other, &self.target)?;
        Err(Self::drifted(&self.target))
    }

    /// The same where names cannot be exchanged. What changes in the very moment is found where the old file was kept.
    fn bring_back_by_link(&self, ours: &Replaced, spare: &Path, cx: &Cx<'_>) -> Result<(), StepError> {
        link_file(&self.target, spare)?;
        if !ours.stands_at(spare, cx)? {
            remove_file_if_there(spare)?;
            return Err(Self::drifted(&self.target));
        }
        publish_over(&ours.other, &self.target)?;
        Ok(publish_new(spare, &ours.other)?)
    }
}

impl Replaced {
    /// Whether the new content is what a name holds.
    fn stands_at(&self, path: &Path, cx: &Cx<'_>) -> Result<bool, StepError> {
        Ok(fingerprint_if_there(path)?.is_some()
            && compare_content(path, self.file.size, self.digest, cx)? == State::Done)
    }
}

impl Step for ReplaceFile {
    type World = Files;
    type Evidence = Replaced;

    fn describe(&self) -> String {
        format!("replace {}", self.target.display())
    }

    fn cost(&self) -> Cost {
        Cost { bytes: self.expect_source.size, at: self.target.parent().map(Path::to_path_buf), inodes: 1 }
    }

    fn inspect(
        &self,
        world: &mut Files,
        evidence: Option<&Replaced>,
        look: Look,
        cx: &Cx<'_>,
    ) -> Result<State, StepError> {
        let Some(found) = fingerprint_if_there(&self.target)? else {
            return Ok(State::Conflict("it is gone".into()));
        };
        let is_old = found.same_file(&self.expect_target);
        let Some(ours) = evidence else {
            return Ok(if is_old {
                State::Pending
            } else {
                State::Conflict("it changed after the plan was made".into())
            });
        };
        world.touch(&self.target); // killed after publishing, a run may have left the names to the page cache
        if is_old {
            let strange = look == Look::Full
                && fingerprint_if_there(&ours.other)?.is_some()
                && !self.is_old(&ours.other)?
                && !ours.stands_at(&ours.other, cx)?;
            let found = || State::Conflict(format!("{} is not as it was left", ours.other.display()));
            return Ok(if strange { found() } else { State::Pending });
        }
        let state = if look == Look::Quick && found.same_file(&ours.file) {
            State::Done
        } else {
            compare_content(&self.target, ours.file.size, ours.digest, cx)?
        };
        if state == State::Done && !self.is_old(&ours.other)? {
            return Ok(State::Conflict("what it replaced is not kept any more, or has changed".into()));
        }
        Ok(state)
    }

    fn stage(&self, world: &mut Files, slot: &Slot, cx: &Cx<'_>) -> Result<Replaced, StepError> {
        if !self.is_old(&self.target)? {
            return Err(self.changed());
        }
        let traits = Traits::like(&self.target)?;
        let (staged, other) = (slot.beside(&self.target, "tmp"), slot.beside(&self.target, "stash"));
        world.touch(&self.target);
        let copied = copy_file(&self.source, &self.expect_source, &staged, traits, &mut { *cx })?;
        let ours = Replaced { digest: copied.digest, file: copied.written, other: other.into() };
        if self.is_old(&ours.other)? || ours.stands_at(&ours.other, cx)? {
            remove_file_if_there(&ours.other)?; // staged by an attempt that was interrupted
        }
        publish_new(&staged, &ours.other)?;
        Ok(ours)
    }

    fn publish(&self, world: &mut Files, slot: &Slot, ours: &Replaced) -> Result<(), StepError> {
        exchange_through(&ours.other, &self.target, &slot.beside(&self.target, "tmp"))?;
        world.touch(&self.target);
        if self.is_old(&ours.other)? {
            return Ok(());
        }
        match exchange(&ours.other, &self.target) {
            Err(error) if is_unsupported(&error) => publish_over(&ours.other, &self.target)?,
            exchanged => exchanged?,
        }
        Err(self.changed())
    }

    fn revert(
        &self,
        world: &mut Files,
        slot: &Slot,
        evidence: Option<&Replaced>,
        cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        world.touch(&self.target);
        let spare = slot.beside(&self.target, "tmp");
        remove_file_if_there(&spare)?;
        let Some(ours) = evidence else {
            let other = slot.beside(&self.target, "stash");
            if !self.is_old(&other)? || self.is_second_name(&other)? {
                remove_file_if_there(&other)?; // staged, never published: there is no evidence
            }
            return Ok(());
        };
        self.bring_back(ours, &spare, cx)?;
        if self.is_second_name(&ours.other)? || ours.stands_at(&ours.other, cx)? {
            remove_file_if_there(&ours.other)?;
        } else if fingerprint_if_there(&ours.other)?.is_some() {
            return Err(Self::drifted(&ours.other));
        }
        Ok(())
    }

    fn unstage(&self, world: &mut Files, slot: &Slot, ours: &Replaced, cx: &Cx<'_>) -> Result<(), StepError> {
        world.touch(&self.target);
        remove_file_if_there(&slot.beside(&self.target, "tmp"))?;
        if self.is_second_name(&ours.other)?
            || !self.is_old(&ours.other)? && ours.stands_at(&ours.other, cx)?
        {
            remove_file_if_there(&ours.other)?;
        }
        Ok(())
    }

    /// What changed comes out by exchange, as in a publish, and is moved away only then: killed in between, it is found
    /// beside the target and moved by the next attempt. Where names cannot be exchanged, it is given its name in the
    /// folder first, or copied there, and replaced then.
    fn set_aside(
        &self,
        world: &mut Files,
        slot: &Slot,
        ours: &Replaced,
        folder: &Path,
        cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        world.touch(&self.target);
        if !self.is_old(&self.target)? {
            if !self.is_old(&ours.other)? {
                return Err(Self::drifted(&ours.other));
            }
            if fingerprint_if_there(&self.target)?.is_none() {
                return Ok(publish_new(&ours.other, &self.target)?);
            }
            match exchange(&ours.other, &self.target) {
                Err(error) if is_unsupported(&error) => {
                    keep_in(folder, &self.target, slot, cx)?;
                    return Ok(publish_over(&ours.other, &self.target)?);
                }
                exchanged => exchanged?,
            }
        }
        move_into(folder, &ours.other, &self.target, slot, cx)
    }

    fn stashes(&self, _slot: &Slot, ours: &Replaced) -> Vec<PathBuf> {
        vec![ours.other.to_path_buf()]
    }
}
