//! A new file.

use std::path::Path;

use durable_files::{
    Digest, Fingerprint, PathText, Traits, create_private_dirs, is_one_file, missing_dirs, must_be_no_links,
    publish_new, remove_empty_dirs, remove_file_if_there,
};
use serde::{Deserialize, Serialize};

use super::content::{self, Content, FileWorld, Verbatim};
use super::files::{Files, compare_content, fingerprint_if_there, move_into};
use crate::{Cause, Cost, Cx, Look, Slot, State, Step, StepError};

/// Writes a file to a place where nothing is, and verifies it there: a copy, unless it has another [`Content`].
///
/// The new file is 0600; folders made on the way are 0700.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstallFile<C = Verbatim> {
    /// What it will hold.
    pub content: C,
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
    /// The SHA-256 of every byte, as written and as read back.
    pub digest: Digest,
    /// The new file as it stood.
    pub file: Fingerprint,
}

impl InstallFile {
    /// The step for a source as it looks now, keeping its modification time.
    pub fn plan(source: &Path, expect: Fingerprint, target: &Path) -> Self {
        Self::of(Verbatim::of(source, expect), target, expect.mtime)
    }

    /// How what stands at the target compares with the source: nothing there, the same, grown since, or another thing.
    pub fn compare(source: &Path, target: &Path, cx: &Cx<'_>) -> Result<State, StepError> {
        if fingerprint_if_there(target)?.is_none() {
            return Ok(State::Pending);
        }
        let read = durable_files::digest_file(source, &mut { *cx })?;
        compare_content(target, read.len, read.digest, cx)
    }
}

impl<C: Content> InstallFile<C> {
    /// The step for any content, with the folders that are missing now.
    pub fn of(content: C, target: &Path, mtime: i64) -> Self {
        let new_dirs = target.parent().map(missing_dirs).unwrap_or_default();
        let new_dirs = new_dirs.into_iter().map(PathText::from).collect();
        Self { content, target: target.into(), new_dirs, mtime }
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

impl<C: Content> Step for InstallFile<C> {
    type World = C::World;
    type Evidence = Installed;

    fn describe(&self) -> String {
        format!("install {}", self.target.display())
    }

    fn cost(&self) -> Cost {
        let inodes = 1 + self.new_dirs.len() as u64;
        Cost {
            bytes: self.content.size(),
            at: self.target.parent().map(Path::to_path_buf),
            inodes,
            passing: 0,
        }
    }

    fn inspect(
        &self,
        world: &mut C::World,
        evidence: Option<&Installed>,
        look: Look,
        cx: &Cx<'_>,
    ) -> Result<State, StepError> {
        if evidence.is_some() {
            self.touch(world.files()); // killed after publishing, a run may have left the names to the page cache
        }
        let Some(found) = fingerprint_if_there(&self.target)? else { return Ok(State::Pending) };
        match evidence {
            None => {
                let planned = content::digest(&self.content, world, cx)?;
                compare_content(&self.target, planned.len, planned.digest, cx)
            }
            Some(ours) if look == Look::Quick && found.same_file(&ours.file) => Ok(State::Done),
            Some(ours) => compare_content(&self.target, ours.file.size, ours.digest, cx),
        }
    }

    fn stage(&self, world: &mut C::World, slot: &Slot, cx: &Cx<'_>) -> Result<Installed, StepError> {
        must_be_no_links(&self.new_dirs)?;
        if let Some(parent) = self.target.parent() {
            create_private_dirs(parent)?;
        }
        let staged = slot.beside(&self.target, "tmp");
        self.touch(world.files());
        remove_file_if_there(&staged)?;
        let copied =
            content::write(&self.content, world, &staged, Traits::PRIVATE.with_mtime(self.mtime), cx)?;
        world.files().staged(staged)?;
        Ok(Installed { digest: copied.digest, file: copied.written })
    }

    fn publish(&self, world: &mut C::World, slot: &Slot, _evidence: &Installed) -> Result<(), StepError> {
        publish_new(&slot.beside(&self.target, "tmp"), &self.target)?;
        world.files().touch(&self.target);
        Ok(())
    }

    fn revert(
        &self,
        world: &mut C::World,
        slot: &Slot,
        evidence: Option<&Installed>,
        cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        self.touch(world.files());
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
        world: &mut C::World,
        slot: &Slot,
        _evidence: &Installed,
        _cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        self.touch(world.files());
        remove_file_if_there(&slot.beside(&self.target, "tmp"))?;
        Ok(())
    }

    fn aside(&self, _slot: &Slot, folder: &Path) -> Option<String> {
        Some(folder.display().to_string())
    }

    fn set_aside(
        &self,
        world: &mut C::World,
        slot: &Slot,
        evidence: &Installed,
        folder: &Path,
        cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        move_into(folder, &self.target, &self.target, slot, cx)?;
        self.revert(world, slot, Some(evidence), cx)
    }
}
