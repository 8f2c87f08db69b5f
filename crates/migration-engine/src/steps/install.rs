//! A new file, copied from a source that is only read.

use std::path::Path;

use durable_files::{
    Digest, Fingerprint, PathText, Traits, copy_file_undurably, create_private_dirs, is_one_file,
    missing_dirs, publish_new, remove_empty_dirs, remove_file_if_there,
};
use serde::{Deserialize, Serialize};

use super::files::{Files, compare_content, fingerprint_if_there, move_into};
use crate::{Cause, Cost, Cx, Look, Slot, State, Step, StepError};

/// Copies a file to a place where nothing is, byte for byte, and verifies it there.
///
/// The new file is 0600 and has the source's modification time unless told otherwise; folders made on the way are 0700.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstallFile {
    /// What is copied.
    pub source: PathText,
    /// What it looked like when the plan was made.
    pub expect: Fingerprint,
    /// What it held then, where it had changed so recently that the fingerprint alone proves nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// Where it goes; nothing may be there.
    pub target: PathText,
    /// The folders that did not exist when the plan was made, outermost first: an undo removes them if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub new_dirs: Vec<PathText>,
    /// The modification time of the new file, in nanoseconds since 1970.
    pub mtime: i64,
}

/// What was installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installed {
    /// The SHA-256 of every byte, as read from the source and as read back.
    pub digest: Digest,
    /// The new file as it stood.
    pub file: Fingerprint,
}

impl InstallFile {
    /// The step for a source as it looks now, keeping its modification time.
    pub fn plan(source: &Path, expect: Fingerprint, target: &Path) -> Self {
        let new_dirs = target.parent().map(missing_dirs).unwrap_or_default();
        Self {
            source: source.into(),
            expect,
            digest: None,
            target: target.into(),
            new_dirs: new_dirs.into_iter().map(PathText::from).collect(),
            mtime: expect.mtime,
        }
    }

    /// How what stands at the target compares with the source: nothing there, the same, grown since, or another thing.
    pub fn compare(source: &Path, target: &Path, cx: &Cx<'_>) -> Result<State, StepError> {
        if fingerprint_if_there(target)?.is_none() {
            return Ok(State::Pending);
        }
        let read = durable_files::digest_file(source, &mut { *cx })?;
        compare_content(target, read.len, read.digest, cx)
    }

    /// Every folder in which a name of this step may have changed.
    fn touch(&self, world: &mut Files) {
        world.touch(&self.target);
        self.new_dirs.iter().for_each(|dir| world.touch(dir));
    }

    /// Whether what was staged has not taken its place: it still has its own name, and not the target's as well.
    fn is_only_staged(&self, staged: &Path) -> Result<bool, StepError> {
        let Some(staged) = fingerprint_if_there(staged)? else { return Ok(false) };
        Ok(!fingerprint_if_there(&self.target)?.is_some_and(|found| found.same_file(&staged)))
    }

    /// Removes the file if it is what was installed: aside first, then a look at what came along, then for good.
    fn uninstall(&self, slot: &Slot, installed: &Installed, cx: &Cx<'_>) -> Result<(), StepError> {
        let is_ours = |path: &Path| -> Result<bool, StepError> {
            Ok(compare_content(path, installed.file.size, installed.digest, cx)? == State::Done)
        };
        let aside = slot.beside(&self.target, "old");
        if fingerprint_if_there(&aside)?.is_none() {
            let Some(found) = fingerprint_if_there(&self.target)? else { return Ok(()) };
            // What is plainly not ours is not moved at all, not even for a moment.
            if !found.same_file(&installed.file) && !is_ours(&self.target)? {
                return Err(self.drifted());
            }
            publish_new(&self.target, &aside)?;
        } else if is_one_file(&self.target, &aside)? {
            publish_new(&self.target, &aside)?; // finishes a move by links
        }
        if is_ours(&aside)? {
            remove_file_if_there(&aside)?;
            return Ok(());
        }
        publish_new(&aside, &self.target)?;
        Err(self.drifted())
    }

    fn drifted(&self) -> StepError {
        Cause::new("drifted", format!("{} has changed since it was installed", self.target.display())).item()
    }
}

impl Step for InstallFile {
    type World = Files;
    type Evidence = Installed;

    fn describe(&self) -> String {
        format!("install {}", self.target.display())
    }

    fn cost(&self) -> Cost {
        let inodes = 1 + self.new_dirs.len() as u64;
        Cost { bytes: self.expect.size, at: self.target.parent().map(Path::to_path_buf), inodes }
    }

    fn inspect(
        &self,
        world: &mut Files,
        evidence: Option<&Installed>,
        look: Look,
        cx: &Cx<'_>,
    ) -> Result<State, StepError> {
        if evidence.is_some() {
            self.touch(world); // killed after publishing, a run may have left the names to the page cache
        }
        let Some(found) = fingerprint_if_there(&self.target)? else { return Ok(State::Pending) };
        match evidence {
            None => Self::compare(&self.source, &self.target, cx),
            Some(ours) if look == Look::Quick && found.same_file(&ours.file) => Ok(State::Done),
            Some(ours) => compare_content(&self.target, ours.file.size, ours.digest, cx),
        }
    }

    fn stage(&self, world: &mut Files, slot: &Slot, cx: &Cx<'_>) -> Result<Installed, StepError> {
        if let Some(parent) = self.target.parent() {
            create_private_dirs(parent)?;
        }
        let staged = slot.beside(&self.target, "tmp");
        self.touch(world);
        let traits = Traits { mode: 0o600, mtime: Some(self.mtime) };
        let copied = copy_file_undurably(&self.source, &self.expect, &staged, traits, &mut { *cx })?;
        world.staged(staged)?;
        if self.digest.is_some_and(|expected| expected != copied.digest) {
            let source: &Path = &self.source;
            return Err(Cause::source_changed(format!(
                "{} changed after the plan was made",
                source.display()
            ))
            .item());
        }
        Ok(Installed { digest: copied.digest, file: copied.written })
    }

    fn publish(&self, world: &mut Files, slot: &Slot, _evidence: &Installed) -> Result<(), StepError> {
        publish_new(&slot.beside(&self.target, "tmp"), &self.target)?;
        world.touch(&self.target);
        Ok(())
    }

    fn revert(
        &self,
        world: &mut Files,
        slot: &Slot,
        evidence: Option<&Installed>,
        cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        self.touch(world);
        let staged = slot.beside(&self.target, "tmp");
        if let Some(installed) = evidence
            && !self.is_only_staged(&staged)?
        {
            self.uninstall(slot, installed, cx)?;
        }
        remove_file_if_there(&staged)?;
        Ok(remove_empty_dirs(&self.new_dirs)?)
    }

    fn unstage(
        &self,
        world: &mut Files,
        slot: &Slot,
        _evidence: &Installed,
        _cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        self.touch(world);
        remove_file_if_there(&slot.beside(&self.target, "tmp"))?;
        Ok(())
    }

    fn set_aside(
        &self,
        world: &mut Files,
        slot: &Slot,
        evidence: &Installed,
        folder: &Path,
        cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        move_into(folder, &self.target, &self.target, slot, cx)?;
        self.revert(world, slot, Some(evidence), cx)
    }
}
