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
use migration_engine::{
    Block, Bucket, Cx, Header, Item, ItemId, Outcome, Plan, StepError, Task, Wave, World, Worlds,
    compose_steps,
};
use serde::{Deserialize, Serialize};
use session_model::{Finding, InputId, Splice};

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

/// The live handles: only folders that need a sync.
#[derive(Default)]
struct Folders {
    files: Files,
}

impl World for Folders {
    fn persist(&mut self) -> Result<(), StepError> {
        self.files.persist()
    }

    fn settle(&mut self) -> Result<(), StepError> {
        self.files.settle()
    }

    fn abandon(&mut self) {
        self.files.abandon();
    }
}

compose_steps! {
    /// What carrying a session takes.
    enum Effect, Trace in Folders {
        /// The session's folder.
        Tree(InstallTree<Source>) with files,
        /// A file about it.
        Write(InstallFile<Bytes>) with files,
        /// What speaks of the old place.
        Splice(SpliceFile) with files,
        /// What is told of the new place.
        Replace(ReplaceFile<Bytes>) with files,
    }
}

struct Here;

impl Worlds<Effect> for Here {
    fn world(&self, _lane: usize) -> Result<Folders, StepError> {
        Ok(Folders::default())
    }

    fn judge(&self, _world: &mut Folders, _item: &Item) -> Vec<Finding> {
        Vec::new()
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
            splices: vec![Splice { offset: 4, old: b"old".to_vec(), new: b"new and far".to_vec() }],
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
    let header = Header {
        tool: "carry-session".into(),
        version: "0.1.0".into(),
        blocks: vec![Block { kind: "session".into(), title: "sessions".into(), inputs: 0 }],
        locks: vec![place.join("new").into()],
        settings: serde_json::Value::Null,
        partial: false,
        findings: Vec::new(),
    };
    Ok(Plan::new(header, &[input], vec![item], vec![vec![wave(new_files), wave(changes)]])?)
}

fn main() -> Result<(), Box<dyn Error>> {
    drive::main(plan, &Here)
}
