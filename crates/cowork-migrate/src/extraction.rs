//! What a virtual machine's disk still holds of a session (formats/cowork.md G5).

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use migration_cli::Refusal;
use migration_engine::Cx;
use serde::Serialize;
use session_model::Finding;
use vhdx_reader::{Entry, Found, OpenTreeError, Reason, Skip, Tree, Visit};

use crate::content::{Extracted, Image, Made};
use crate::lines::Metered;

/// What is taken from a disk.
#[derive(Debug)]
pub(crate) struct Extraction {
    /// The image.
    pub(crate) image: Image,
    /// Folders and files by their paths below the staging folder, each folder before what is in it.
    pub(crate) nodes: Vec<Node>,
    /// What there is to say about it, for a file beside the staging folder.
    pub(crate) manifest: Manifest,
    /// What there is to say about the disk.
    pub(crate) findings: Vec<Finding>,
}

/// A folder or a file.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) path: String,
    pub(crate) mtime: i64,
    /// Nothing for a folder.
    pub(crate) made: Option<Made>,
}

/// What an extraction could not do as it was, for whoever looks for a file.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Manifest {
    /// Where everything came from: `/<vm>`.
    pub(crate) from: String,
    /// Names that Windows cannot have: the old path and the new one.
    pub(crate) renamed: BTreeMap<String, String>,
    /// Symlinks and their targets: they are not made.
    pub(crate) symlinks: BTreeMap<String, String>,
    /// Pipes, sockets and devices.
    pub(crate) special: Vec<String>,
    /// What was left out, and why.
    pub(crate) skipped: BTreeMap<String, &'static str>,
    /// What could not be read, and why; the home itself has no name.
    pub(crate) unreadable: BTreeMap<String, String>,
}

impl Extraction {
    /// Whether the disk holds nothing of the session at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.nodes.is_empty() && self.manifest.unreadable.is_empty()
    }

    /// Files, folders apart.
    pub(crate) fn files(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter().filter(|node| node.made.is_some())
    }
}

/// Looks for what a disk holds of a session. Nothing is normal.
pub(crate) fn survey(image: &Path, vm: &str, all: bool, cx: &Cx<'_>) -> Result<Extraction, Refusal> {
    let original = Image::of(image)?;
    let tree = Tree::open_image(image).map_err(|error| refuse(&error))?;
    let mut survey = Surveying {
        tree: &tree,
        extraction: Extraction {
            image: original,
            nodes: Vec::new(),
            manifest: Manifest { from: format!("/{vm}"), ..Manifest::default() },
            findings: tree.warnings().iter().map(of_warning).collect(),
        },
        cx,
    };
    let skip = if all { Skip::nothing() } else { Skip::of_session() };
    let home = tree.find(survey.extraction.manifest.from.as_bytes());
    match home.and_then(|home| home.map(|home| tree.walk(&home, skip)).transpose()) {
        Ok(walk) => walk.into_iter().flatten().try_for_each(|visit| survey.take(visit))?,
        Err(error) => drop(survey.extraction.manifest.unreadable.insert(String::new(), error.to_string())),
    }
    survey.extraction.image.must_be_as_planned()?;
    Ok(survey.extraction)
}

/// The homes on a disk.
pub(crate) fn homes(image: &Path) -> Result<Vec<String>, Refusal> {
    let tree = Tree::open_image(image).map_err(|error| refuse(&error))?;
    let listed = tree.root().and_then(|root| tree.list(&root));
    let listed = listed.map_err(|error| Refusal::new("image", error.to_string(), HINT))?;
    let folders = listed.into_iter().filter(|listed| {
        listed.entry.as_ref().is_ok_and(|entry| entry.kind() == vhdx_reader::Kind::Directory)
    });
    let names =
        folders.map(|listed| String::from_utf8_lossy(&listed.path).trim_start_matches('/').to_owned());
    Ok(names.filter(|name| name != "lost+found").collect())
}

const HINT: &str = "quit Claude on the machine the image is from, then copy the image again";

fn refuse(error: &OpenTreeError) -> Refusal {
    if error.is_held() {
        let hint = "quit Claude, in the notification area too, then say the same command again";
        return Refusal::new("application-running", error.to_string(), hint);
    }
    Refusal::new("image", error.to_string(), HINT)
}

fn of_warning(warning: &vhdx_reader::Warning) -> Finding {
    Finding::warning("image-not-closed", format!("the disk image: {warning}"))
}

struct Surveying<'t> {
    tree: &'t Tree,
    extraction: Extraction,
    cx: &'t Cx<'t>,
}

impl Surveying<'_> {
    fn take(&mut self, visit: Visit) -> Result<(), Refusal> {
        self.cx.check()?;
        let Visit { path, safe_path, found } = visit;
        let old = path.escape_ascii().to_string();
        let manifest = &mut self.extraction.manifest;
        match found {
            Found::Symlink(_, target) => {
                manifest.symlinks.insert(old, target.escape_ascii().to_string());
                return Ok(());
            }
            Found::Special(_) => manifest.special.push(old),
            Found::Skipped(_, reason) => {
                manifest.skipped.insert(old, because(reason));
            }
            Found::Unreadable(error) => {
                manifest.unreadable.insert(old, error.to_string());
            }
            Found::Directory(entry) => self.add(&path, safe_path, &entry, None),
            Found::File(entry) => {
                if let Err(error) = self.read_through(&entry) {
                    self.cx.check()?;
                    self.extraction.manifest.unreadable.insert(old, error.to_string());
                    return Ok(());
                }
                let made = Made::Extracted(Extracted { path: entry.path.clone(), bytes: entry.size() });
                self.add(&path, safe_path, &entry, Some(made));
            }
            _ => {}
        }
        Ok(())
    }

    fn add(&mut self, path: &[u8], safe_path: String, entry: &Entry, made: Option<Made>) {
        if path != safe_path.as_bytes() {
            let old = path.escape_ascii().to_string();
            self.extraction.manifest.renamed.insert(old, safe_path.clone());
        }
        let modified = entry.modified();
        let mtime =
            modified.seconds.saturating_mul(1_000_000_000).saturating_add(modified.nanoseconds.into());
        self.extraction.nodes.push(Node { path: safe_path, mtime, made });
    }

    /// Whatever is damaged is to be known before anything is written.
    fn read_through(&self, entry: &Entry) -> io::Result<u64> {
        let content = self.tree.read(entry).map_err(io::Error::other)?;
        io::copy(&mut Metered { input: content, cx: self.cx }, &mut io::sink())
    }
}

fn because(reason: Reason) -> &'static str {
    match reason {
        Reason::Cache => "cache",
        Reason::LostAndFound => "lost-and-found",
        Reason::MountPoint => "mount-point",
        _ => "left-out",
    }
}
