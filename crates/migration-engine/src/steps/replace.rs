//! A file whose content changes in one step, the old thing kept beside the new until it is forgotten.

use std::path::{Path, PathBuf};

use durable_files::{Digest, Fingerprint, PathText, Traits, publish_new, remove_file_if_there};
use serde::{Deserialize, Serialize};

use super::content::{self, Content, FileWorld, Verbatim};
use super::files::{compare_content, fingerprint_if_there, move_into};
use super::pair::Pair;
use crate::{Cause, Cost, Cx, Look, Slot, State, Step, StepError};

/// Puts a new file in the place of `target`, which must still be what it was when the plan was made: a copy, unless it
/// has another [`Content`]. The mode stays.
///
/// The two exchange their names; what came out is looked at and put back if it was not what was expected. The old file
/// itself, inode and all, stays beside the new one as the stash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplaceFile<C = Verbatim> {
    /// What it will hold.
    pub content: C,
    /// What is replaced.
    pub target: PathText,
    /// What it looked like when the plan was made.
    pub expect: Fingerprint,
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

impl<C: Content> ReplaceFile<C> {
    fn pair(&self, slot: &Slot) -> Pair {
        Pair::of(&self.target, &slot.beside(&self.target, "stash"))
    }

    fn is_old(&self, path: &Path) -> Result<bool, StepError> {
        Ok(fingerprint_if_there(path)?.is_some_and(|found| found.same_file(&self.expect)))
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

    /// What every way back begins with: no half-written file, and each of the two files under its name.
    fn tidy(&self, world: &mut C::World, slot: &Slot) -> Result<Pair, StepError> {
        world.files().touch(&self.target);
        remove_file_if_there(&slot.beside(&self.target, "tmp"))?;
        let pair = self.pair(slot);
        pair.tidy()?;
        Ok(pair)
    }

    /// Brings the old file back, if it is the new one that has its place.
    fn bring_back(&self, ours: &Replaced, pair: &Pair, cx: &Cx<'_>) -> Result<(), StepError> {
        if self.is_old(&self.target)? {
            return Ok(());
        }
        match fingerprint_if_there(&self.target)? {
            Some(seen) if ours.stands_at(&self.target, cx)? => {
                if pair.swap(&seen)? {
                    Ok(())
                } else {
                    Err(Self::drifted(&self.target))
                }
            }
            // What is at the target is neither. It is only left there if the old file is not waiting to come back.
            _ if ours.stands_at(pair.other(), cx)? => Ok(()),
            _ => Err(Self::drifted(&self.target)),
        }
    }
}

impl Replaced {
    /// Whether the new content is what a name holds.
    fn stands_at(&self, path: &Path, cx: &Cx<'_>) -> Result<bool, StepError> {
        Ok(fingerprint_if_there(path)?.is_some()
            && compare_content(path, self.file.size, self.digest, cx)? == State::Done)
    }
}

impl<C: Content> Step for ReplaceFile<C> {
    type World = C::World;
    type Evidence = Replaced;

    fn describe(&self) -> String {
        format!("replace {}", self.target.display())
    }

    fn cost(&self) -> Cost {
        Cost {
            bytes: self.content.size(),
            at: self.target.parent().map(Path::to_path_buf),
            inodes: 1,
            passing: 0,
        }
    }

    fn inspect(
        &self,
        world: &mut C::World,
        evidence: Option<&Replaced>,
        look: Look,
        cx: &Cx<'_>,
    ) -> Result<State, StepError> {
        let found = fingerprint_if_there(&self.target)?;
        let is_old = found.is_some_and(|found| found.same_file(&self.expect));
        let gone = || State::Conflict("it is gone".into());
        let Some(ours) = evidence else {
            return Ok(match found {
                Some(_) if is_old => State::Pending,
                Some(_) => State::Conflict("it changed after the plan was made".into()),
                None => gone(),
            });
        };
        world.files().touch(&self.target); // killed after publishing, a run may have left the names to the page cache
        let pair = Pair::of(&self.target, &ours.other);
        let other = pair.found()?;
        if is_old {
            let strange = look == Look::Full
                && fingerprint_if_there(other)?.is_some()
                && !self.is_old(other)?
                && !ours.stands_at(other, cx)?;
            let found = || State::Conflict(format!("{} is not as it was left", other.display()));
            return Ok(if strange { found() } else { State::Pending });
        }
        let state = match found {
            None => gone(),
            Some(found) if look == Look::Quick && found.same_file(&ours.file) => State::Done,
            Some(_) => compare_content(&self.target, ours.file.size, ours.digest, cx)?,
        };
        let is_kept = self.is_old(other)?;
        let lost = || "what it replaced is not kept any more, or has changed".to_owned();
        match look {
            Look::Full if !is_kept && !ours.stands_at(other, cx)? => Err(Cause::lost(lost()).item()),
            _ if !is_kept && state == State::Done => Ok(State::Conflict(lost())),
            _ => Ok(state),
        }
    }

    fn stage(&self, world: &mut C::World, slot: &Slot, cx: &Cx<'_>) -> Result<Replaced, StepError> {
        if !self.is_old(&self.target)? {
            return Err(self.changed());
        }
        let traits = Traits::like(&self.target)?;
        let pair = self.tidy(world, slot)?;
        let staged = slot.beside(&self.target, "tmp");
        let written = content::write(&self.content, world, &staged, traits, cx)?;
        let (digest, file) = (written.digest, written.written);
        let ours = Replaced { digest, file, other: pair.other().into() };
        if self.is_old(pair.other())? || ours.stands_at(pair.other(), cx)? {
            remove_file_if_there(pair.other())?; // staged by an attempt that was interrupted
        }
        publish_new(&staged, pair.other())?;
        world.files().staged(pair.other().to_path_buf())?;
        Ok(ours)
    }

    fn publish(&self, world: &mut C::World, slot: &Slot, _ours: &Replaced) -> Result<(), StepError> {
        world.files().touch(&self.target);
        if self.pair(slot).swap(&self.expect)? { Ok(()) } else { Err(self.changed()) }
    }

    fn revert(
        &self,
        world: &mut C::World,
        slot: &Slot,
        evidence: Option<&Replaced>,
        cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        let pair = self.tidy(world, slot)?;
        let other = pair.other();
        let Some(ours) = evidence else {
            if !self.is_old(other)? || self.is_second_name(other)? {
                remove_file_if_there(other)?; // staged, never published: there is no evidence
            }
            return Ok(());
        };
        self.bring_back(ours, &pair, cx)?;
        if self.is_second_name(other)? || ours.stands_at(other, cx)? {
            remove_file_if_there(other)?;
        } else if fingerprint_if_there(other)?.is_some() {
            return Err(Self::drifted(other));
        }
        Ok(())
    }

    fn unstage(
        &self,
        world: &mut C::World,
        slot: &Slot,
        ours: &Replaced,
        cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        let pair = self.tidy(world, slot)?;
        let other = pair.other();
        if self.is_second_name(other)? || !self.is_old(other)? && ours.stands_at(other, cx)? {
            remove_file_if_there(other)?;
        }
        Ok(())
    }

    fn aside(&self, _slot: &Slot, folder: &Path) -> Option<String> {
        Some(folder.display().to_string())
    }

    fn set_aside(
        &self,
        world: &mut C::World,
        slot: &Slot,
        ours: &Replaced,
        folder: &Path,
        cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        let pair = self.tidy(world, slot)?;
        if self.is_old(&self.target)? {
            return move_into(folder, pair.other(), &self.target, slot, cx); // an attempt was killed before it came there
        }
        if !self.is_old(pair.other())? {
            return self.revert(world, slot, Some(ours), cx); // never published: what stands there is somebody else's
        }
        pair.displace(folder, slot, cx)
    }

    fn stashes(&self, _slot: &Slot, ours: &Replaced) -> Vec<PathBuf> {
        vec![ours.other.to_path_buf()]
    }
}
