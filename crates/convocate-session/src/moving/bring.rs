//! Bringing a session here, into a bundle of the tool's own below the state folder, so that a plan reads local files only.
//!
//! A bundle is of one session as it was at one moment, so that what another run needs is never replaced.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use convocate_migrate::parts::{self, AgentEnd};
use durable_files::{
    Digest, DirLock, InContext, Quiet, Traits, create_private_dir, create_private_dirs, publish_new,
    remove_file_if_there, remove_tree_if_there, room_at, sync_dir, write_file,
};
use migration_cli::Refusal;
use migration_engine::{Cx, StateRoot, StepError};
use remote_transfer::{FetchError, Manifest, Parcel, Surveyed, Tree, fetch_tree};

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

/// Brings it, unless it is all here, and tells what it is. Nobody else works with the bundle until the lock is given back.
pub(super) fn bring(
    end: &AgentEnd,
    seen: &Surveyed,
    bundle: &Path,
    uuid: &str,
    cx: &Cx<'_>,
) -> Result<(DirLock, Manifest), Refusal> {
    bring_into(bundle, end, seen, uuid, cx).map_err(|refusal| match refusal.code.as_str() {
        "no-room" => {
            let state = bundle.ancestors().nth(2).unwrap_or(bundle).display();
            let hint = format!(
                "what moves comes to {state} first: make room there, or name a folder that has some, --state-dir DIR; then \
                 say the same command again"
            );
            Refusal { hint, ..refusal }
        }
        _ => refusal,
    })
}

fn bring_into(
    bundle: &Path,
    end: &AgentEnd,
    seen: &Surveyed,
    uuid: &str,
    cx: &Cx<'_>,
) -> Result<(DirLock, Manifest), Refusal> {
    create_private_dirs(bundle)?;
    let lock = DirLock::take(bundle)?;
    let (part, whole, manifest) = (bundle.join("part"), bundle.join(uuid), bundle.join("manifest"));
    if let Some(brought) = brought(&whole, &manifest, cx)? {
        return Ok((lock, brought));
    }
    remove_file_if_there(&manifest)?;
    for left in [&part, &whole] {
        remove_tree_if_there(left)?;
    }
    room_at(bundle)?.must_hold(bundle, seen.takes, seen.manifest.entries().len() as u64)?;
    create_private_dir(&part)?;
    cx.progress.begin("reading the other host", seen.manifest.bytes(), 1);
    let came = fetch_tree(&mut end.remote.far(), seen, &part, cx);
    cx.progress.end();
    let brought = match came {
        Ok(brought) => brought,
        Err(error) => {
            remove_tree_if_there(bundle)?;
            return Err(not_brought(error));
        }
    };
    let mut text = Vec::new();
    brought.write(&mut text).doing("write", &manifest)?;
    write_file(&text, &manifest, Traits::PRIVATE).map_err(StepError::from)?;
    publish_new(&part, &whole)
        .map_err(|error| Refusal::failure("io", error.to_string(), "say the same command again"))?;
    sync_dir(bundle)?;
    Ok((lock, brought))
}

/// What was brought earlier, if every byte of it still is what came.
fn brought(whole: &Path, manifest: &Path, cx: &Cx<'_>) -> Result<Option<Manifest>, Refusal> {
    let Some(came) =
        File::open(manifest).ok().and_then(|file| Manifest::read(&mut BufReader::new(file)).ok())
    else {
        return Ok(None);
    };
    cx.progress.begin("reading what was brought", came.bytes(), 1);
    let found = read(whole, cx);
    cx.progress.end();
    match found {
        Err(StepError::Stopped) => Err(not_brought(FetchError::Stopped)),
        found => Ok(found.is_ok_and(|found| found == came).then_some(came)),
    }
}

/// What a tree here is, with the digests of all files.
fn read(whole: &Path, cx: &Cx<'_>) -> Result<Manifest, StepError> {
    let tree = Tree::open(whole)?;
    let mut parcel = Parcel::new(&tree, tree.walk(&mut Quiet)?);
    parcel.send(&|_| true, &mut io::sink(), &mut { *cx })?;
    Ok(parcel.manifest().clone())
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
