//! Bringing a session here, into a bundle of the tool's own below the state folder, so that a plan reads local files only.
//!
//! A bundle is of one session as it was at one moment, so that what another run needs is never replaced.

use std::path::{Path, PathBuf};

use convocate_migrate::parts::{self, AgentEnd};
use durable_files::{
    Digest, DirLock, Quiet, create_private_dir, create_private_dirs, publish_new, remove_tree_if_there,
    room_at, sync_dir,
};
use migration_cli::Refusal;
use migration_engine::{Cx, RoomError, Shortage, StateRoot};
use remote_transfer::{FetchError, Surveyed, Tree, fetch_tree};

/// Where bundles lie that were brought from other hosts.
pub(super) fn fetched(root: &StateRoot) -> PathBuf {
    root.path().join("fetched")
}

/// The bundle for a session of a host, as it is there now.
pub(super) fn bundle_of(root: &StateRoot, end: &AgentEnd, uuid: &str, seen: &Surveyed) -> PathBuf {
    let (peer, base) = (end.remote.far().peer().to_owned(), remote_transfer::display(&end.base));
    let whose = format!("{peer}\n{base}\n{uuid}\n{}\n{}", seen.identity(), seen.manifest.digest());
    fetched(root).join(&Digest::of(whose.as_bytes()).to_string()[..16])
}

/// Brings it, unless it is all here. Nobody else works with the bundle until the lock is given back.
pub(super) fn bring(
    end: &AgentEnd,
    seen: &Surveyed,
    bundle: &Path,
    uuid: &str,
    cx: &Cx<'_>,
) -> Result<DirLock, Refusal> {
    create_private_dirs(bundle)?;
    let lock = DirLock::take(bundle)?;
    let (part, whole) = (bundle.join("part"), bundle.join(uuid));
    if is_whole(&whole, seen) {
        return Ok(lock);
    }
    for left in [&part, &whole] {
        remove_tree_if_there(left)?;
    }
    must_have_room(bundle, seen)?;
    create_private_dir(&part)?;
    cx.progress.begin("reading the other host", seen.manifest.bytes(), 1);
    let came = fetch_tree(&mut end.remote.far(), seen, &part, cx);
    cx.progress.end();
    if let Err(error) = came {
        remove_tree_if_there(bundle)?;
        return Err(not_brought(error));
    }
    publish_new(&part, &whole)
        .map_err(|error| Refusal::failure("io", error.to_string(), "say the same command again"))?;
    sync_dir(bundle)?;
    Ok(lock)
}

fn is_whole(whole: &Path, seen: &Surveyed) -> bool {
    let walked = Tree::open(whole).ok().and_then(|tree| tree.walk(&mut Quiet).ok());
    walked.is_some_and(|walked| walked.manifest.digest() == seen.manifest.digest())
}

fn must_have_room(at: &Path, seen: &Surveyed) -> Result<(), Refusal> {
    let (free, bytes, inodes) = (room_at(at)?, seen.manifest.bytes(), seen.manifest.entries().len() as u64);
    if free.bytes >= bytes && free.inodes >= inodes {
        return Ok(());
    }
    Err(RoomError::Short(Shortage { at: at.to_path_buf(), bytes, inodes, free }).into())
}

fn not_brought(error: FetchError) -> Refusal {
    let again = "say the same command again";
    match error {
        FetchError::Far(error) => parts::refusal(&error),
        FetchError::File(error) => error.into(),
        FetchError::Stopped => Refusal::new("stopped", "stopped while reading the other host", again),
        FetchError::Changed { .. } => {
            let hint = "somebody works with the session: wait, or stop it, then say the same command again";
            Refusal::new("source-changed", error.to_string(), hint)
        }
        FetchError::Forbidden { .. } => {
            Refusal::new("cannot-be-sent", error.to_string(), "remove that, then say the same command again")
        }
        FetchError::Unpack(_) | FetchError::Damaged { .. } => {
            Refusal::failure("damaged", error.to_string(), again)
        }
    }
}
