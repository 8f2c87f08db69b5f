//! Sessions made, edited, copied and removed.

use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use durable_files::{InContext, Traits, Unsynced, create_private_dir, dress_dir, sync_tree};
use session_model::{Finding, SessionJson};

use super::base::Base;
use super::copying::{Owners, copy_contents};
use super::folder::Folder;
use super::locking::unless_left;
use super::owner::Owner;
use super::remarks::Remarks;
use super::room::must_have_room;
use super::survey::Found;
use super::wishes::{grant, saying};
use super::{LocalHost, Watch, document};
use crate::mounts::mounted_in;
use crate::{Held, Session, SessionError, SessionId, Wishes, valid_name};

/// What a session's own settings are links to, within its container.
const SHARED: [&str; 4] = ["settings.json", "settings.local.json", ".credentials.json", "plugins"];
/// The mode of a session's folder where there is no template.
const USUAL: u32 = 0o750;

impl LocalHost {
    pub(super) fn make(&self, wishes: &Wishes) -> Result<(Session, Vec<Finding>), SessionError> {
        let base = Base::lock(&self.local.base)?;
        let litter = base.litter();
        let granted = grant(wishes, &self.found()?, None)?;
        let (id, now) = (SessionId::fresh(), (self.local.now)().to_string());
        let document = SessionJson::default().with("uuid", Some(id.as_str()));
        let document = document.with("created_at", Some(&now)).with("last_accessed", Some(&now));
        let document = saying(&document, &granted);

        let staging = base.creating(&id)?;
        let folder = staging.folder();
        folder.told(self.fill_new(folder.path(), &document))?;
        let findings = staging.publish(&id)?.into_iter().collect();
        drop(base);
        litter.sweep(&self.local.watch);
        Ok((self.told_of_new(id, document), findings))
    }

    /// All that a new session is to have.
    fn fill_new(&self, folder: &Path, document: &SessionJson) -> Result<(), SessionError> {
        let owner = Owner::of(&self.local.base)?;
        self.furnish(folder, owner)?;
        document::write(folder, document, owner)?;
        let template = self.local.base.join(".skel");
        let mode = fs::metadata(template).map_or(USUAL, |found| found.permissions().mode() & 0o777);
        owner.give(folder)?;
        dress_dir(folder, Traits { mode, mtime: None, sparse: false })?;
        Ok(sync_tree(folder)?)
    }

    /// What every session begins with: the template's contents, and settings that are shared by all.
    fn furnish(&self, folder: &Path, owner: Owner) -> Result<(), SessionError> {
        let template = self.local.base.join(".skel");
        if template.symlink_metadata().is_ok() {
            let watch = Watch::default(); // it is small
            copy_contents(&template, folder, &[document::NAME], Owners::Of(owner), &watch)?;
        }
        let settings = folder.join(".claude");
        match settings.symlink_metadata() {
            Err(_) => create_private_dir(&settings)?,
            Ok(found) if found.is_dir() => {}
            Ok(_) => return Ok(()), // the template has it otherwise
        }
        for name in SHARED {
            let (link, target) =
                (settings.join(name), format!("{}/.claude-shared/{name}", self.local.profile.home));
            if link.symlink_metadata().is_err() {
                symlink(target, &link).doing("make the link", &link)?;
                owner.give(&link)?;
            }
        }
        owner.give(&settings)?;
        Ok(dress_dir(&settings, Traits { mode: 0o700, mtime: None, sparse: false })?)
    }

    pub(super) fn replace(
        &self,
        id: &SessionId,
        wishes: &Wishes,
    ) -> Result<(Session, Vec<Finding>), SessionError> {
        let base = Base::lock(&self.local.base)?;
        let found = self.find(id)?;
        let held = self.take(id)?;
        let granted = grant(wishes, &self.found()?, Some(id))?;
        let running = self.running()?; // before anything is changed: it may not be known
        let document = saying(&found.document, &granted);
        let is_other = document.fields() != found.document.fields();
        let finding = if is_other { document::replace(&self.path_of(id), &document)? } else { None };
        drop((held, base));
        let found = Found::unlocked(id.clone(), document);
        Ok((self.told(&found, Some(&running)), finding.into_iter().collect()))
    }

    /// The copy, and what it does not have.
    pub(super) fn copy(&self, id: &SessionId, name: &str) -> Result<(Session, Vec<Finding>), SessionError> {
        let name = valid_name(name)?;
        let base = Base::lock(&self.local.base)?;
        let found = self.find(id)?;
        let held = self.take(id)?;
        let litter = base.litter();
        let copy = SessionId::fresh();
        let staging = base.cloning(&copy)?;
        drop(base); // copying may take long, and whoever copies has both sessions
        let (watch, folder) = (&self.local.watch, staging.folder());
        litter.sweep(watch); // which makes room
        let original = Folder::open(&self.path_of(id))?;
        watch.begins(original.told(must_have_room(original.path(), &self.local.base, watch))?);
        let document = found.document.copied(copy.as_str(), name, &(self.local.now)().to_string());
        let filled = fill_copy(folder.path(), original.path(), &document, watch);
        let remarks = original.told(folder.told(filled))?;
        watch.check()?;
        let mut findings = remarks.findings(original.path());
        findings.extend(staging.publish(&copy)?);
        drop(held);
        Ok((self.told_of_new(copy, document), findings))
    }

    /// It is removed once it is on no list any more. What of its files we may not remove is told.
    pub(super) fn remove(&self, id: &SessionId) -> Result<Vec<Finding>, SessionError> {
        let watch = &self.local.watch;
        let base = Base::lock(&self.local.base)?;
        self.must_be_a_session(id)?;
        if let Some(at) = mounted_in(&self.path_of(id)) {
            return Err(SessionError::Mounted { id: id.to_string(), at });
        }
        let held = match self.take(id) {
            // Whoever deletes makes room: where there is none for a lock, the base is kept instead.
            Err(SessionError::Io { source, .. }) if is_full(&source) => None,
            Err(SessionError::Locked { id, owner }) => return Err(SessionError::LockedInUse { id, owner }),
            held => Some(held?),
        };
        let kept = held.is_none().then_some(base);
        watch.check()?;
        let stopped = self.stop(id);
        let (has_run, held) = match held {
            Some(held) => unless_left(held, stopped).map(|(has_run, held)| (has_run, Some(held)))?,
            None => (stopped?, None),
        };
        watch.check().map_err(|stopped| if has_run { SessionError::OnlyItsContainer } else { stopped })?;
        let base = kept.map_or_else(|| Base::lock_again(&self.local.base), Ok)?;
        let folder = base.claim(id)?; // which its own container might have had until now
        held.map_or(Ok(()), Held::release)?; // nobody else can take it while the base is ours
        let (removed, finding) = base.withdraw(id, folder)?;
        let litter = base.litter();
        drop(base);
        litter.sweep(watch);
        Ok(finding.into_iter().chain(removed.remove(watch)).collect())
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// All that the original has, but for its document. What it does not have of it is remarked.
fn fill_copy(
    folder: &Path,
    original: &Path,
    document: &SessionJson,
    watch: &Watch,
) -> Result<Remarks, SessionError> {
    let but = [document::NAME, &document::unfinished()];
    let remarks = copy_contents(original, folder, &but, Owners::AsBefore, watch)?;
    document::write(folder, document, Owner::of(&original.join(document::NAME))?)?;
    Owner::of(original)?.give(folder)?;
    let mode = fs::metadata(original).doing("look at", original)?.permissions().mode() & 0o777;
    dress_dir(folder, Traits { mode, mtime: None, sparse: false })?;
    let mut unsynced = Unsynced::default();
    unsynced.add_tree(folder.to_owned()).and_then(|()| unsynced.sync())?;
    Ok(remarks)
}
