//! A few places of a file that change in one step; the edit list is the way back.

use std::fmt::Display;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use durable_files::{
    CopyError, Digest, Fingerprint, HasherBeside, PathText, Traits, open_regular, publish_new,
    remove_file_if_there, write_stream,
};
use serde::{Deserialize, Serialize};
use session_model::{Splice, Spliced, reversed};

use super::files::{Files, compare_content, fingerprint_if_there, move_into};
use super::pair::Pair;
use crate::{Cause, Cost, Cx, Look, Slot, State, Step, StepError};

/// Changes a few places of a file, which must still be what it was when the plan was made. Mode and modification time
/// stay, and so does every other byte.
///
/// The file as it was is removed once the new one is durable: an undo makes it again from the new one and the splices. So
/// nothing is left beside a file that its owner's program looks after. It stays if somebody still writes to it, or if what
/// would be needed to make it again has changed.
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

impl Standing {
    /// Neither nothing nor one of the two that the edit list makes of each other: there is no second one of it.
    fn is_unique(self) -> bool {
        matches!(self, Self::Grown(_) | Self::Other)
    }
}

impl SpliceFile {
    fn pair(&self, slot: &Slot) -> Pair {
        Pair::of(&self.target, &slot.beside(&self.target, "other"))
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
        let holds = |file: &Fingerprint, digest| compare_content(path, file.size, digest, cx);
        let (is_before, is_after) = (found.same_file(&self.expect), found.same_file(&ours.file));
        if look == Look::Quick && is_before != is_after {
            return Ok(if is_before { Standing::Before } else { Standing::After });
        }
        // Of two that are equal, the file itself tells which it is.
        if !is_after && holds(&self.expect, ours.before)? == State::Done {
            return Ok(Standing::Before);
        }
        Ok(match holds(&ours.file, ours.after)? {
            State::Done => Standing::After,
            State::Superseded(_) => Standing::Grown(found.size - ours.file.size),
            _ if is_after && holds(&self.expect, ours.before)? == State::Done => Standing::Before,
            State::Pending | State::Conflict(_) => Standing::Other,
        })
    }

    fn changed(&self) -> StepError {
        Cause::source_changed(format!("{} changed after the plan was made", self.target.display())).item()
    }

    fn drifted(&self) -> StepError {
        Cause::new("drifted", format!("{} is not as it was left", self.target.display())).item()
    }

    /// What every way back begins with: no half-written file, and each of the two files under its name.
    fn tidy(&self, world: &mut Files, slot: &Slot) -> Result<Pair, StepError> {
        let pair = self.pair(slot);
        world.touch(&self.target);
        world.spare(pair.other());
        remove_file_if_there(&slot.beside(&self.target, "tmp"))?;
        pair.tidy()?;
        Ok(pair)
    }

    /// Writes the target's content, changed, beside it: under a name that nobody looks at, and whole under its own.
    fn write(
        &self,
        old: impl Read,
        splices: &[Splice],
        traits: Traits,
        slot: &Slot,
        cx: &Cx<'_>,
    ) -> Result<(Digest, Fingerprint), StepError> {
        let staged = slot.beside(&self.target, "tmp");
        let mut new = Spliced::new(old, splices).map_err(|error| self.mismatch(error))?;
        let written = write_stream(&mut new, &self.target, &staged, traits, &mut { *cx });
        let written = written.map_err(|error| match error {
            CopyError::File(error) if error.source.kind() == ErrorKind::InvalidData => {
                self.mismatch(error.source)
            }
            error => error.into(),
        })?;
        Ok((written.digest, written.written))
    }

    fn mismatch(&self, error: impl Display) -> StepError {
        Cause::source_changed(format!("cannot change {}: {error}", self.target.display())).item()
    }

    /// Makes the file as it was again, from the beginning of what stands at the target.
    fn remake(&self, pair: &Pair, ours: &SplicedFile, slot: &Slot, cx: &Cx<'_>) -> Result<(), StepError> {
        let new = open_regular(&self.target)?.take(ours.file.size);
        let traits = Traits { mode: ours.mode, ..Traits::PRIVATE.with_mtime(self.expect.mtime) };
        let (digest, _) = self.write(new, &reversed(&self.splices), traits, slot, cx)?;
        let staged = slot.beside(&self.target, "tmp");
        if digest != ours.before {
            remove_file_if_there(&staged)?;
            return Err(self.drifted());
        }
        remove_file_if_there(pair.other())?; // the new file once more, of an exchange that was killed
        Ok(publish_new(&staged, pair.other())?)
    }
}

impl Step for SpliceFile {
    type World = Files;
    type Evidence = SplicedFile;

    fn describe(&self) -> String {
        format!("change {} places of {}", self.splices.len(), self.target.display())
    }

    fn cost(&self) -> Cost {
        Cost {
            bytes: self.expect.size,
            at: self.target.parent().map(Path::to_path_buf),
            inodes: 1,
            passing: 0,
        }
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
        let at_target = self.standing(&self.target, ours, look, cx)?;
        let pair = Pair::of(&self.target, &ours.other);
        let (other, beside) = (pair.found()?, self.standing(pair.found()?, ours, look, cx)?);
        let found = match at_target {
            Standing::Grown(bytes) => {
                return Ok(State::Superseded(format!("it has grown by {bytes} bytes since")));
            }
            Standing::Before | Standing::After if beside.is_unique() => {
                let found = format!("what was written while it was exchanged is at {}", other.display());
                return Ok(State::Conflict(found));
            }
            Standing::Before => return Ok(State::Pending),
            Standing::After => return Ok(State::Done),
            Standing::Nothing => "it is gone",
            Standing::Other => "other content is there",
        };
        if look == Look::Full && !matches!(beside, Standing::Before | Standing::After) {
            let found = format!("{found}, and what was there before cannot be made again");
            return Err(Cause::lost(found).item());
        }
        Ok(State::Conflict(found.into()))
    }

    fn stage(&self, world: &mut Files, slot: &Slot, cx: &Cx<'_>) -> Result<SplicedFile, StepError> {
        let is_old = |found: Fingerprint| found.same_file(&self.expect);
        if !fingerprint_if_there(&self.target)?.is_some_and(is_old) {
            return Err(self.changed());
        }
        let pair = self.tidy(world, slot)?;
        let mode = Traits::like(&self.target)?.mode;
        let mut old = Hashed { inner: open_regular(&self.target)?, hasher: HasherBeside::default() };
        let traits = Traits { mode, ..Traits::PRIVATE.with_mtime(self.expect.mtime) };
        let (after, file) = self.write(&mut old, &self.splices, traits, slot, cx)?;
        let before = old.hasher.finish();
        if before.len != self.expect.size || !fingerprint_if_there(&self.target)?.is_some_and(is_old) {
            return Err(self.changed());
        }
        remove_file_if_there(pair.other())?; // staged by an attempt that was interrupted
        publish_new(&slot.beside(&self.target, "tmp"), pair.other())?;
        Ok(SplicedFile { before: before.digest, mode, after, file, other: pair.other().into() })
    }

    fn publish(&self, world: &mut Files, slot: &Slot, _ours: &SplicedFile) -> Result<(), StepError> {
        world.touch(&self.target);
        let pair = self.pair(slot);
        if !pair.swap(&self.expect)? {
            return Err(self.changed());
        }
        world.doom(pair.other(), self.expect);
        Ok(())
    }

    fn revert(
        &self,
        world: &mut Files,
        slot: &Slot,
        evidence: Option<&SplicedFile>,
        cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        let pair = self.tidy(world, slot)?;
        let other = pair.other();
        if let Some(ours) = evidence {
            let seen = fingerprint_if_there(&self.target)?;
            let at_target = self.standing(&self.target, ours, Look::Full, cx)?;
            let beside = self.standing(other, ours, Look::Full, cx)?;
            match (at_target, beside, seen) {
                (Standing::Before, beside, _) if !beside.is_unique() => {}
                (Standing::After, beside, Some(seen)) => {
                    // What its owner still wrote to the old file comes back as well.
                    if beside != Standing::Before && !beside.is_unique() {
                        self.remake(&pair, ours, slot, cx)?;
                    }
                    if !pair.swap(&seen)? {
                        return Err(self.drifted());
                    }
                }
                (_, Standing::After, _) => {} // never published: what stands there is somebody else's
                _ => return Err(self.drifted()),
            }
        }
        remove_file_if_there(other)?;
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
        let pair = self.tidy(world, slot)?;
        let other = pair.other();
        match self.standing(other, ours, Look::Full, cx)? {
            Standing::After => drop(remove_file_if_there(other)?),
            Standing::Before => match self.standing(&self.target, ours, Look::Full, cx)? {
                Standing::Other | Standing::Nothing => {}
                _ => world.doom(other, Fingerprint::of_file(other)?),
            },
            Standing::Nothing | Standing::Grown(_) | Standing::Other => {}
        }
        Ok(())
    }

    fn aside(&self, _slot: &Slot, folder: &Path) -> Option<String> {
        Some(folder.display().to_string())
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
        let pair = self.tidy(world, slot)?;
        let other = pair.other();
        let mut beside = self.standing(other, ours, Look::Full, cx)?;
        if beside.is_unique() {
            move_into(folder, other, &self.target, slot, cx)?;
            beside = Standing::Nothing;
        }
        match (self.standing(&self.target, ours, Look::Full, cx)?, beside) {
            (Standing::Before | Standing::After, _)
            | (Standing::Nothing | Standing::Other, Standing::After) => {
                return self.revert(world, slot, Some(ours), cx);
            }
            (_, Standing::Before) => {}
            (Standing::Grown(_), _) => self.remake(&pair, ours, slot, cx)?,
            _ => return Err(self.drifted()),
        }
        pair.displace(folder, slot, cx)
    }

    fn stashes(&self, _slot: &Slot, ours: &SplicedFile) -> Vec<PathBuf> {
        vec![ours.other.to_path_buf()]
    }
}

/// A reader whose bytes are digested as they pass.
struct Hashed<R> {
    inner: R,
    hasher: HasherBeside,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.hasher.update(&buffer[..read]);
        Ok(read)
    }
}
