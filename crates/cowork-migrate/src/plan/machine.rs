//! What the virtual machine's disk still holds of a session.

use std::path::{Path, PathBuf};

use migration_cli::Refusal;
use migration_engine::steps::{Entry, InstallTree, Node};
use migration_engine::{Bucket, Cx, Item, Outcome};
use session_model::{Finding, InputId};

use super::SESSION;
use crate::content::Made;
use crate::extraction::{self, Extraction};
use crate::moving::Moving;

/// Looks for what the disk image holds, if there is one.
pub(super) fn survey(moving: &Moving, cx: &Cx<'_>) -> Result<Option<Extraction>, Refusal> {
    match (&moving.image, moving.view().vm_name()) {
        (Some(image), Some(vm)) => extraction::survey(image, vm, false, cx).map(Some),
        _ => Ok(None),
    }
}

/// What was in the virtual machine, as a folder.
pub(crate) fn tree(found: &Extraction, target: &Path) -> Result<InstallTree<Made>, Refusal> {
    let entries = found.nodes.iter().map(|node| Entry {
        path: PathBuf::from(&node.path).into(),
        node: match &node.made {
            Some(content) => Node::File { content: content.clone(), mode: 0o600, mtime: Some(node.mtime) },
            None => Node::Folder { mode: 0o700, mtime: Some(node.mtime) },
        },
    });
    InstallTree::of(target, entries.collect())
        .map_err(|bad| Refusal::new("bad-entry", bad.to_string(), "please report this"))
}

/// One item for everything that a virtual machine's disk holds of a session.
pub(crate) fn items(found: &Extraction, staging: Option<&Path>) -> Vec<Item> {
    let manifest = &found.manifest;
    let item = |path: &str, target: Option<&str>, outcome: Outcome| {
        let name = format!("{}/{path}", manifest.from).trim_end_matches('/').to_owned();
        let item = Item::new(InputId::new("machine file", name.clone()), name, outcome);
        let targets = target.and_then(|path| Some(staging?.join(path).display().to_string()));
        Item { targets: targets.into_iter().collect(), needs: vec![SESSION], ..item }
    };
    let taken =
        found.files().map(|node| item(&node.path, Some(&node.path), Outcome::plain(Bucket::Migrated)));
    let skipped = |path: &str, reason: &str| item(path, None, Outcome::because(Bucket::Skipped, reason));
    let links = manifest.symlinks.keys().map(|path| skipped(path, "symlink"));
    let special = manifest.special.iter().map(|path| skipped(path, "special-file"));
    let left = manifest.skipped.iter().map(|(path, reason)| skipped(path, reason));
    let unreadable = manifest.unreadable.iter().map(|(path, why)| {
        item(path, None, Outcome::because(Bucket::Quarantined, "unreadable").detail(why.clone()))
    });
    taken.chain(links).chain(special).chain(left).chain(unreadable).collect()
}

/// What there is to say about it.
pub(super) fn findings(moving: &Moving, extraction: Option<&Extraction>) -> Vec<Finding> {
    let nothing = |message: String| vec![Finding::note("nothing-to-extract", message)];
    match (extraction, &moving.image, moving.view().vm_name()) {
        (Some(found), Some(image), Some(vm)) => {
            let mut findings = found.findings.clone();
            if found.is_empty() {
                findings
                    .extend(nothing(format!("{} holds nothing of /{vm}; that is usual", image.display())));
            } else if !found.nodes.is_empty() {
                let message =
                    format!("files of the virtual machine go to {}", moving.archive.join(vm).foreign);
                findings.push(Finding::note("archive", message));
            }
            findings
        }
        (_, None, Some(vm)) => {
            nothing(format!("there is no disk image, so nothing of /sessions/{vm} could be taken from one"))
        }
        _ => Vec::new(),
    }
}
