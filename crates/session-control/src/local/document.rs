//! A session's document, put in place whole.

use std::path::Path;

use durable_files::{
    InContext, Traits, beside, open_expected, publish_over, remove_file_if_there, write_file,
};
use session_model::{Finding, SessionJson};

use super::base::settled;
use super::folder::Folder;
use super::owner::Owner;
use crate::SessionError;

/// Its name in the session's folder.
pub(super) const NAME: &str = "session.json";
/// Everybody may read it.
const TRAITS: Traits = Traits { mode: 0o644, mtime: None, sparse: false };

/// The name it is written under first. One that a killed operation has left is replaced by the next.
pub(super) fn unfinished() -> String {
    beside(Path::new(NAME), "control", "tmp").display().to_string()
}

/// The session in this folder has this document then, or the one it had; it stays whose it was.
pub(super) fn replace(session: &Path, document: &SessionJson) -> Result<Option<Finding>, SessionError> {
    let folder = Folder::open(session)?;
    let owner = folder.told(Owner::of(&folder.path().join(NAME)))?;
    folder.told(write(folder.path(), document, owner))?;
    Ok(settled(session))
}

/// The folder has this document then, or the one it had and nothing else; its name is still to be made durable.
pub(super) fn write(folder: &Path, document: &SessionJson, owner: Owner) -> Result<(), SessionError> {
    let staged = folder.join(unfinished());
    let put = stage(&staged, document, owner).and_then(|()| Ok(publish_over(&staged, &folder.join(NAME))?));
    if put.is_err() {
        let _ = remove_file_if_there(&staged); // why it failed is told, and the next to write replaces it
    }
    put
}

fn stage(staged: &Path, document: &SessionJson, owner: Owner) -> Result<(), SessionError> {
    let copied = write_file(document.to_text().as_bytes(), staged, TRAITS)?;
    let file = open_expected(staged, &copied.written)?; // and nothing that was put in its place
    owner.give_opened(&file).doing("give away", staged)?;
    Ok(file.sync_all().doing("make durable", staged)?)
}
