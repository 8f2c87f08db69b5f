//! A few places of a file that change in one step; the edit list is the way back.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use durable_files::{
    Digest, FileError, Fingerprint, PathText, Traits, digest_file, digest_prefix, exchange_through,
    publish_new, remove_file_if_there, write_stream,
};
use serde::{Deserialize, Serialize};
use session_model::{Splice, Spliced, reversed};

use super::files::{Files, compare_content, fingerprint_if_there, move_into};
use crate::{Cause, Cost, Cx, Look, Slot, State, Step, StepError};

/// Changes a few places of a file, which must still be what it was when the plan was made. Mode and modification time
/// stay, and so does every other byte.
///
/// The file as it was is removed once the new one is durable: an undo makes it again from the new one and the splices. So
/// nothing is left beside a file that its owner's program looks after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpliceFile {
    /// The file.
    pub target: PathText,
    /// What it looked like when the plan was made.
    pub expect: Fingerprint,
    /// What changes, in order.
    pub splices: Vec<Splice>,
}

/// A file that was spliced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SplicedFile {
    /// The SHA-256 of the file as it was.
    pub before: Digest,
    /// Its permissions.
    pub mode: u32,
    /// The SHA-256 of the file as it is.
    pub after: Digest,
    /// The new file as it was staged.
    pub file: Fingerprint,
    /// The name that holds the new file, whole, before the exchange, and the old one after it until it is removed.
    pub other: PathText,
}

/// What stands at a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Nothing,
    Before,
    After,
    /// The new file, and so many bytes more.
    Grown(u64),
    Other,
}

impl SpliceFile {
    /// The name of the file that does not have the target's: first the new one, then the old one.
    fn other(&self, slot: &Slot) -> std::path::PathBuf {
        slot.beside(&self.target, "other")
    }

    /// What stands at a name, as far as it can be told without reading where `look` is quick.
    fn standing(
        &self,
        path: &Path,
        ours: &SplicedFile,
        look: Look,
        cx: &Cx<'_>,
    ) -> Result<Standing, StepError> {
        let Some(found) = fingerprint_if_there(path)? else { return Ok(Standing::Nothing) };
        let (is_before, is_after) = (found.same_file(&self.expect), found.same_file(&ours.file));
        if look == Look::Quick && is_before != is_after {
            return Ok(if is_before { Standing::Before } else { Standing::After });
        }
        if compare_content(path, self.expect.size, ours.before, cx)? == State::Done {
            return Ok(Standing::Before);
        }
        Ok(match compare_content(path, ours.file.size, ours.after, cx)? {
            State::Done => Standing::After,
            State::Superseded(_) => Standing::Grown(found.size - ours.file.size),
            State::Pending | State::Conflict(_) => Standing::Other,
        })
    }

    fn changed(&self) -> StepError {
        Cause::source_changed(format!("{} changed after the plan was made", self.target.display())).item()
    }

    fn drifted(&self) -> StepError {
        Cause::new("drifted", format!("{} is not as it was left", self.target.display())).item()
    }

    /// Makes the file as it was again, from the beginning of what stands at the target.
    fn remake(&self, slot: &Slot, ours: &SplicedFile, cx: &Cx<'_>) -> Result<(), StepError> {
        let (staged, other) = (slot.beside(&self.target, "tmp"), self.other(slot));
        let splices = reversed(&self.splices);
        let new = open(&self.target)?.take(ours.file.size);
        let mut old = Spliced::new(new, &splices).map_err(|error| mismatch(&self.target, error))?;
        let traits = Traits { mode: ours.mode, mtime: Some(self.expect.mtime) };
        let written = write_stream(&mut old, &self.target, &staged, traits, &mut { *cx })?;
        if written.digest != ours.before {
            remove_file_if_there(&staged)?;
            return Err(self.drifted());
        }
        remove_file_if_there(&other)?; // made by an attempt that was interrupted
        Ok(publish_new(&staged, &other)?)
    }

    /// Puts the other file in the target's place, if what it displaces is what was seen there before.
    fn swap(&self, slot: &Slot, seen: &Fingerprint) -> Result<bool, StepError> {
        let (spare, other) = (slot.beside(&self.target, "tmp"), self.other(slot));
        exchange_through(&other, &self.target, &spare)?;
        if fingerprint_if_there(&other)?.is_some_and(|found| found.same_file(seen)) {
            return Ok(true);
        }
        exchange_through(&other, &self.target, &spare)?;
        Ok(false)
    }
}

impl Step for SpliceFile {
    type World = Files;
    type Evidence = SplicedFile;

    fn describe(&self) -> String {
        format!("change {} places of {}", self.splices.len(), self.target.display())
    }

    fn cost(&self) -> Cost {
        Cost { bytes: self.expect.size, at: self.target.parent().map(Path::to_path_buf), inodes: 1 }
    }

    fn inspect(
        &self,
        world: &mut Files,
        evidence: Option<&SplicedFile>,
        look: Look,
        cx: &Cx<'_>,
    ) -> Result<State, StepError> {
        let Some(ours) = evidence else {
            let found = fingerprint_if_there(&self.target)?;
            return Ok(match found {
                Some(found) if found.same_file(&self.expect) => State::Pending,
                Some(_) => State::Conflict("it changed after the plan was made".into()),
                None => State::Conflict("it is gone".into()),
            });
        };
        world.touch(&self.target); // killed after publishing, a run may have left the names to the page cache
        Ok(match self.standing(&self.target, ours, look, cx)? {
            Standing::Before => State::Pending,
            Standing::After => {
                world.doom(&ours.other); // killed before settling, a run may have left it
                State::Done
            }
            Standing::Grown(bytes) => State::Superseded(format!("it has grown by {bytes} bytes since")),
            Standing::Nothing => State::Conflict("it is gone".into()),
            Standing::Other => State::Conflict("other content is there".into()),
        })
    }

    fn stage(&self, world: &mut Files, slot: &Slot, cx: &Cx<'_>) -> Result<SplicedFile, StepError> {
        let is_old = |found: Fingerprint| found.same_file(&self.expect);
        if !fingerprint_if_there(&self.target)?.is_some_and(is_old) {
            return Err(self.changed());
        }
        let (staged, other) = (slot.beside(&self.target, "tmp"), self.other(slot));
        world.touch(&self.target);
        let mode = Traits::like(&self.target)?.mode;
        let before = digest_file(&self.target, &mut { *cx })?.digest;
        let mut new = Spliced::new(open(&self.target)?, &self.splices)
            .map_err(|error| mismatch(&self.target, error))?;
        let traits = Traits { mode, mtime: Some(self.expect.mtime) };
        let written = write_stream(&mut new, &self.target, &staged, traits, &mut { *cx })?;
        if !fingerprint_if_there(&self.target)?.is_some_and(is_old) {
            return Err(self.changed());
        }
        remove_file_if_there(&other)?; // staged by an attempt that was interrupted
        publish_new(&staged, &other)?;
        let (after, file) = (written.digest, written.written);
        Ok(SplicedFile { before, mode, after, file, other: other.into() })
    }

    fn publish(&self, world: &mut Files, slot: &Slot, _ours: &SplicedFile) -> Result<(), StepError> {
        world.touch(&self.target);
        if !self.swap(slot, &self.expect)? {
            return Err(self.changed());
        }
        world.doom(&self.other(slot));
        Ok(())
    }

    fn revert(
        &self,
        world: &mut Files,
        slot: &Slot,
        evidence: Option<&SplicedFile>,
        cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        world.touch(&self.target);
        let other = self.other(slot);
        world.spare(&other);
        remove_file_if_there(&slot.beside(&self.target, "tmp"))?;
        if let Some(ours) = evidence {
            let seen = fingerprint_if_there(&self.target)?;
            match (self.standing(&self.target, ours, Look::Full, cx)?, seen) {
                (Standing::Before, _) => {}
                (Standing::After, Some(seen)) => {
                    if self.standing(&other, ours, Look::Full, cx)? != Standing::Before {
                        self.remake(slot, ours, cx)?;
                    }
                    if !self.swap(slot, &seen)? {
                        return Err(self.drifted());
                    }
                }
                _ => return Err(self.drifted()),
            }
        }
        remove_file_if_there(&other)?;
        Ok(())
    }

    /// What can be made again goes; the old file stays if it is the only one of its content.
    fn unstage(
        &self,
        world: &mut Files,
        slot: &Slot,
        ours: &SplicedFile,
        cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        world.touch(&self.target);
        world.spare(&ours.other);
        remove_file_if_there(&slot.beside(&self.target, "tmp"))?;
        let at_target = self.standing(&self.target, ours, Look::Full, cx)?;
        let is_needed = match self.standing(&ours.other, ours, Look::Full, cx)? {
            Standing::Before => matches!(at_target, Standing::Other | Standing::Nothing),
            Standing::After | Standing::Nothing => false,
            Standing::Grown(_) | Standing::Other => true,
        };
        if !is_needed {
            remove_file_if_there(&ours.other)?;
        }
        Ok(())
    }

    /// The file as it was is made again from the beginning of what stands there, if that is still what was left.
    fn set_aside(
        &self,
        world: &mut Files,
        slot: &Slot,
        ours: &SplicedFile,
        folder: &Path,
        cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        world.touch(&self.target);
        let other = self.other(slot);
        world.spare(&other);
        if self.standing(&other, ours, Look::Full, cx)? != Standing::Before {
            let begins = digest_prefix(&self.target, ours.file.size, &mut { *cx })?.digest == ours.after;
            if !begins {
                let message = format!(
                    "{} does not begin with what was left there, so what was there before cannot be made again",
                    self.target.display()
                );
                return Err(Cause::new("cannot-set-aside", message).item());
            }
            self.remake(slot, ours, cx)?;
        }
        exchange_through(&other, &self.target, &slot.beside(&self.target, "tmp"))?;
        move_into(folder, &other, &self.target, slot, cx)
    }
}

fn open(path: &Path) -> Result<File, StepError> {
    Ok(File::open(path).map_err(|error| FileError::new("open", path, error))?)
}

fn mismatch(path: &Path, error: session_model::SpliceError) -> StepError {
    Cause::source_changed(format!("cannot change {}: {error}", path.display())).item()
}
