//! A session of several parts: a whole folder, a file written by the tool, one that changes in a few places, and one
//! whose content is replaced.
//!
//! `carry_session apply|resume|undo|keep|set-aside PLACE`, where PLACE holds `old/transcript`, `new/history` and
//! `new/sidecar` and, afterwards, `state/`. The session comes to `new/deep/session/` with its `new/deep/session.json`;
//! `new/history` then speaks of the new place, and `new/sidecar` is told.

mod drive;

use std::error::Error;
use std::io::Read;
use std::path::Path;

use durable_files::{Digest, Fingerprint};
use migration_engine::steps::{
    Bytes, Content, Entry, Files, InstallFile, InstallTree, Node, ReplaceFile, SpliceFile, Verbatim,
};
use migration_engine::{Bucket, Cx, Item, ItemId, Outcome, Plan, StepError, Task, Wave, compose_steps};
use serde::{Deserialize, Serialize};
use session_model::{InputId, Splice};

/// What the files of a session are made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Source {
    /// What is there already.
    Copied(Verbatim),
    /// What the tool knows.
    Made(Bytes),
}

impl Content for Source {
    type World = Files;

    fn describe(&self) -> String {
        match self {
            Self::Copied(file) => file.describe(),
            Self::Made(bytes) => bytes.describe(),
        }
    }

    fn size(&self) -> u64 {
        match self {
            Self::Copied(file) => file.size(),
            Self::Made(bytes) => bytes.size(),
        }
    }

    fn open<'a>(&'a self, files: &'a mut Files, cx: &'a Cx<'_>) -> Result<Box<dyn Read + 'a>, StepError> {
        match self {
            Self::Copied(file) => file.open(files, cx),
            Self::Made(bytes) => bytes.open(files, cx),
        }
    }

    fn after(&self, files: &mut Files, read: Digest) -> Result<(), StepError> {
        match self {
            Self::Copied(file) => file.after(files, read),
            Self::Made(bytes) => bytes.after(files, read),
        }
    }
}

compose_steps! {
    /// What carrying a session takes.
    enum Effect, Trace in Files {
        /// The session's folder.
        Tree(InstallTree<Source>),
        /// A file about it.
        Write(InstallFile<Bytes>),
        /// What speaks of the old place.
        Splice(SpliceFile),
        /// What is told of the new place.
        Replace(ReplaceFile<Bytes>),
    }
}

/// The folder: a copied transcript in a folder that only its group may enter, an empty script, and a link.
fn session(transcript: &Path, target: &Path) -> Result<InstallTree<Source>, Box<dyn Error>> {
    let found = Fingerprint::of_file(transcript)?;
    let entry = |path: &str, node| Entry { path: path.into(), node };
    let copied = Source::Copied(Verbatim::of(transcript, found));
    let entries = vec![
        entry("closed", Node::Folder { mode: 0o550, mtime: Some(1_000_000_000) }),
        entry("closed/transcript", Node::File { content: copied, mode: 0o640, mtime: Some(found.mtime) }),
        entry("script", Node::File { content: Source::Made(Bytes(vec![])), mode: 0o700, mtime: Some(7) }),
        entry("latest", Node::Symlink { target: "closed/transcript".into() }),
    ];
    Ok(InstallTree::of(target, entries)?)
}

fn plan(place: &Path) -> Result<Plan<Effect>, Box<dyn Error>> {
    let [transcript, session_dir, about, history, sidecar] =
        ["old/transcript", "new/deep/session", "new/deep/session.json", "new/history", "new/sidecar"]
            .map(|name| place.join(name));
    let new_files: Vec<Effect> = vec![
        session(&transcript, &session_dir)?.into(),
        InstallFile::of(Bytes(b"{}\n".to_vec()), &about, 1_000_000_000).into(),
    ];
    let changes: Vec<Effect> = vec![
        SpliceFile {
            target: history.clone().into(),
            expect: Fingerprint::of_file(&history)?,
            splices: vec![Splice { offset: 4, old: (*b"old").into(), new: (*b"new and far").into() }],
        }
        .into(),
        ReplaceFile {
            content: Bytes(b"told\n".to_vec()),
            target: sidecar.clone().into(),
            expect: Fingerprint::of_file(&sidecar)?,
        }
        .into(),
    ];
    let wave = |steps: Vec<Effect>| {
        Wave::publish(steps.into_iter().map(|step| Task { item: Some(ItemId(0)), step }).collect())
    };
    let input = InputId::new("session", transcript.display().to_string());
    let item = Item::new(input.clone(), "session", Outcome::plain(Bucket::Migrated));
    Ok(Plan::new(
        drive::header("carry-session", "session", place),
        &[input],
        vec![item],
        vec![vec![wave(new_files), wave(changes)]],
    )?)
}

fn main() -> Result<(), Box<dyn Error>> {
    drive::main(plan)
}
