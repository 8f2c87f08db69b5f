//! A tree of this host, as a step: staged on another one, verified there file by file, then shown by one rename.

mod receipt;
mod staging;

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use durable_files::{
    Digest, FileError, InContext, Meter, PathText, Traits, create_private_dirs, publish_over,
    remove_empty_dirs, remove_file_if_there, sync_dir, write_file,
};
use migration_engine::{Cause, Cost, Cx, Look, Slot, State, Step, StepError, World};
use serde::{Deserialize, Serialize};

use crate::far::{Far, FarError, SendError, Standing, TreeThere};
use crate::manifest::{Difference, Kind, Manifest, What};
use crate::pack::{PackError, Parcel};
use crate::transport::TransportError;
use crate::walk::{Tree, WalkError};

/// Puts a folder of this host into a base on another one.
///
/// It grows in a private folder beside its place, which also keeps every other run off it; what has arrived there is
/// hashed by the far side and compared; then modes and owner are set, and one rename shows it. Killed at any moment,
/// it is staged again by sending only what is missing or different.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliverTree {
    /// The folder here.
    pub source: PathText,
    /// The SHA-256 of its manifest without digests, when the plan was made.
    pub expect: Digest,
    /// The SHA-256 of the manifest with all digests, as it arrives, if that is known: what was read elsewhere, and is only
    /// passed on from here, must still be that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Digest>,
    /// What passes, in bytes.
    pub bytes: u64,
    /// Whom it goes to, for people.
    pub host: String,
    /// Where it goes.
    pub place: Place,
    /// The user it shall belong to there; without one, to whoever delivers it.
    pub owner: Option<String>,
    /// Files that are sent with another content than they have here.
    #[serde(default)]
    pub changes: Vec<Change>,
    /// The folder here that gets the receipt too, made if need be; none if what is delivered is not from here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipts: Option<PathText>,
    /// What the receipt says beside what was sent: the tool's own.
    pub note: serde_json::Value,
}

/// A place for a tree on another host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The folder it goes into, which is there already.
    #[serde(with = "session_model::text_or_hex")]
    pub base: Vec<u8>,
    /// The name it gets there.
    pub name: String,
    /// The name beside it under which it is staged.
    pub staging: String,
    /// The folder beside it for receipts, made if need be. A receipt is called `NAME-RUN.json`.
    pub receipts: String,
    /// The folder beside it for what has taken its place or was worked with since, if an undo is to set that aside, made
    /// if need be. It is called `NAME-RUN-kept` there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aside: Option<String>,
    /// The name beside it of a file that speaks for whoever works with it, by the id of his process. One that is left of
    /// somebody who is gone goes with the tree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock: Option<String>,
}

/// A file that arrives with another content than it has here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Its path below the root.
    #[serde(with = "session_model::text_or_hex")]
    pub path: Vec<u8>,
    /// The SHA-256 of what it holds here.
    pub expect: Digest,
    /// What it will hold there.
    #[serde(with = "session_model::text_or_hex")]
    pub content: Vec<u8>,
}

/// What was delivered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivered {
    /// The manifest, in the run's folder.
    pub manifest: PathText,
    /// Its SHA-256.
    pub digest: Digest,
    /// Device and inode of the tree at the far end: a rename keeps them.
    pub root: String,
    /// The name of its receipt, at both ends.
    pub receipt: String,
    /// The SHA-256 of the stream that brought the last of it; none if nothing was missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<Digest>,
    /// How many entries it has.
    pub entries: u64,
    /// What went over the link in the end, in bytes, compressed if it was: after a break only what was missing.
    pub sent: u64,
}

/// A connected host as a world: its effects are durable when they return. Several lanes may share it.
#[derive(Clone)]
pub struct Remote {
    far: Arc<Mutex<Far>>,
    /// Held by whoever makes or removes what all deliveries have in common: the folders of receipts.
    in_common: Arc<Mutex<()>>,
}

/// A host to which several lanes deliver at a time.
pub struct Remotes {
    all: Mutex<Vec<Remote>>,
}

impl Remote {
    /// The world of this far end.
    pub fn new(far: Far) -> Self {
        Self { far: Arc::new(Mutex::new(far)), in_common: Arc::default() }
    }

    pub(crate) fn in_common(&self) -> Arc<Mutex<()>> {
        self.in_common.clone()
    }

    /// The far end, once nobody else works with it.
    pub fn far(&self) -> MutexGuard<'_, Far> {
        // Whoever panicked in the middle of a command has left a connection, not a promise.
        self.far.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Remotes {
    /// For so many lanes at a time. Nothing more is connected before it is needed.
    pub fn of(remote: Remote, lanes: usize) -> Self {
        let further = |_| {
            let far = Arc::new(Mutex::new(remote.far().another()));
            Remote { far, in_common: remote.in_common.clone() }
        };
        let mut all: Vec<Remote> = (1..lanes).map(further).collect();
        all.insert(0, remote);
        Self { all: Mutex::new(all) }
    }

    /// One that nobody works with, or else the first, to be waited for.
    pub fn idle(&self) -> Remote {
        let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = all.iter().find(|remote| Arc::strong_count(&remote.far) == 1);
        idle.unwrap_or(&all[0]).clone()
    }
}

impl World for Remote {
    fn persist(&mut self) -> Result<(), StepError> {
        Ok(())
    }

    fn settle(&mut self) -> Result<(), StepError> {
        Ok(())
    }

    fn abandon(&mut self) {}
}

impl Delivered {
    /// What the far side must hold.
    fn manifest(&self) -> Result<Manifest, StepError> {
        let path: &Path = &self.manifest;
        let read = File::open(path).and_then(|file| Manifest::read(&mut BufReader::new(file)));
        let manifest = read.doing("read", path)?;
        if manifest.digest() == self.digest {
            return Ok(manifest);
        }
        let message = format!("{} is not what was delivered: it was changed or damaged", path.display());
        Err(Cause::new("manifest", message).world())
    }
}

/// Writes a file of the run's folder durably, in the place of one that an interrupted attempt has left.
fn keep(path: &Path, text: &[u8]) -> Result<(), StepError> {
    let folder = path.parent().unwrap_or(path);
    create_private_dirs(folder)?;
    let staged = path.with_extension("tmp");
    write_file(text, &staged, Traits::PRIVATE)?;
    publish_over(&staged, path)?;
    Ok(sync_dir(folder)?)
}

/// What an earlier attempt of this run has brought to its end.
fn kept(path: &Path) -> Option<Delivered> {
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}

impl DeliverTree {
    /// The tree as it is sent, or that it is no longer the one the plan was made for.
    fn parcel<'a>(&self, tree: &'a Tree, cx: &mut Cx<'_>) -> Result<Parcel<'a>, StepError> {
        let changed = |what: &Path| {
            Cause::source_changed(format!("{} changed after the plan was made", what.display())).item()
        };
        let walked = tree.walk(cx)?;
        if walked.manifest.digest() != self.expect {
            return Err(changed(&self.source));
        }
        let mut parcel = Parcel::new(tree, walked);
        for change in &self.changes {
            if parcel.digest(&change.path, cx)? != Some(change.expect) {
                return Err(changed(&self.source.join(crate::display(&change.path))));
            }
            parcel.replace(&change.path, change.content.clone());
        }
        Ok(parcel)
    }

    /// Size and time are not enough to pass on what somebody else has read: he will remove his own upon it.
    fn must_be_what_was_read(&self, sent: Digest) -> Result<(), StepError> {
        if self.content.is_none_or(|content| content == sent) {
            return Ok(());
        }
        let message = format!(
            "{} is not what was read where it came from: it was changed or damaged since",
            self.source.display()
        );
        Err(Cause { needs_new_plan: true, ..Cause::new("damaged", message) }.item())
    }
}

impl Step for DeliverTree {
    type World = Remote;
    type Evidence = Delivered;

    fn describe(&self) -> String {
        let base = crate::display(&self.place.base);
        format!("deliver {} to {}:{base}/{}", self.source.display(), self.host, self.place.name)
    }

    fn cost(&self) -> Cost {
        Cost { passing: self.bytes, ..Cost::default() }
    }

    fn inspect(
        &self,
        world: &mut Remote,
        evidence: Option<&Delivered>,
        look: Look,
        cx: &Cx<'_>,
    ) -> Result<State, StepError> {
        let receipt = evidence.map_or("", |ours| &ours.receipt);
        let standing = self.look(&mut world.far(), receipt)?;
        let ours = evidence.filter(|ours| standing.receipt && standing.live.as_ref() == Some(&ours.root));
        Ok(match (&standing.live, ours) {
            (Some(_), Some(_)) if standing.staging.is_some() => State::Pending, // to be tidied up
            (Some(_), Some(_)) if look == Look::Quick => State::Done,
            (Some(_), Some(ours)) => {
                compare(&mut world.far(), &self.place.shown(ours), &ours.manifest()?, &mut { *cx })?
            }
            (Some(_), None) => State::Conflict(format!("{} is there already", self.place.name)),
            (None, _) if evidence.is_some() && standing.receipt && standing.staging.is_none() => {
                State::Conflict(format!("it is gone from {}", self.host))
            }
            (None, _) => State::Pending,
        })
    }

    fn stage(&self, world: &mut Remote, slot: &Slot, cx: &Cx<'_>) -> Result<Delivered, StepError> {
        let (delivered, manifest) = (slot.private("delivered"), slot.private("manifest"));
        let receipt = receipt::name(self, slot.run());
        let mut far = world.far();
        if let Some(ours) = kept(&delivered)
            && self.look(&mut far, &receipt)?.live.as_ref() == Some(&ours.root)
        {
            return Ok(ours); // it was shown, and only not tidied up
        }
        let mut cx = *cx;
        let tree = Tree::open(&self.source).map_err(|error| of_source(&error))?;
        let mut parcel = self.parcel(&tree, &mut cx)?;
        let (tree, sent) = staging::bring(self, &mut far, &slot.run().to_string(), &mut parcel, &mut cx)?;
        let root = tree.identity;
        let (mut text, entries) = (Vec::new(), parcel.manifest().entries().len() as u64);
        let digest = parcel.manifest().write(&mut text).doing("write", &manifest)?.digest;
        self.must_be_what_was_read(digest)?;
        keep(&manifest, &text)?;
        let (stream, sent) = sent.map_or((None, 0), |(digest, bytes)| (Some(digest), bytes));
        let ours = Delivered { manifest: manifest.into(), digest, root, receipt, stream, entries, sent };
        keep(&delivered, &serde_json::to_vec(&ours).expect("because it is plain data"))?;
        Ok(ours)
    }

    fn publish(&self, world: &mut Remote, slot: &Slot, evidence: &Delivered) -> Result<(), StepError> {
        let place = &self.place;
        let text = receipt::text(self, slot.run(), evidence);
        let (receipt, root, len) = (&evidence.receipt, &evidence.root, text.len().to_string());
        let words = [&place.staging, &place.name, &place.receipts, receipt, root, &len].map(String::as_bytes);
        let arguments: Vec<&[u8]> = std::iter::once(place.base.as_slice()).chain(words).collect();
        let in_common = world.in_common();
        let _alone = in_common.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(receipts) = &self.receipts {
            keep(&receipts.join(&evidence.receipt), &text)?;
        }
        let shown = world.far().script(
            "show it",
            concat!(include_str!("far/base.sh"), include_str!("far/publish.sh")),
            &arguments,
            &text,
        );
        match shown {
            Err(error) if error.status() == Some(11) => {
                let message = format!("cannot show {} on {}: there is one already", place.name, self.host);
                Err(Cause::new("occupied", message).item())
            }
            shown => Ok(shown.map(drop)?),
        }
    }

    fn revert(
        &self,
        world: &mut Remote,
        slot: &Slot,
        evidence: Option<&Delivered>,
        _cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        let (place, run) = (&self.place, slot.run().to_string());
        let root = evidence.map_or("", |ours| &ours.root);
        let receipt = receipt::name(self, slot.run());
        let lock = place.lock.as_deref().unwrap_or_default();
        let words =
            [&place.staging, &place.name, &place.receipts, &receipt, &run, root, lock].map(str::as_bytes);
        let arguments: Vec<&[u8]> = std::iter::once(place.base.as_slice()).chain(words).collect();
        let in_common = world.in_common();
        let _alone = in_common.lock().unwrap_or_else(PoisonError::into_inner);
        world.far().script(
            "take it back",
            concat!(include_str!("far/base.sh"), include_str!("far/withdraw.sh")),
            &arguments,
            b"",
        )?;
        if let Some(receipts) = &self.receipts {
            remove_file_if_there(&receipts.join(&receipt))?;
        }
        Ok(remove_empty_dirs(self.receipts.as_slice())?)
    }

    fn aside(&self, slot: &Slot, _folder: &Path) -> Option<String> {
        let Place { base, aside, .. } = &self.place;
        let shown = |aside| format!("{}:{}/{aside}/{}", self.host, crate::display(base), self.kept(slot));
        aside.as_ref().map(shown)
    }

    fn set_aside(
        &self,
        world: &mut Remote,
        slot: &Slot,
        evidence: &Delivered,
        _folder: &Path,
        cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        let Place { base, name, aside, .. } = &self.place;
        let aside = aside.as_ref().ok_or_else(|| {
            Cause::new("cannot-set-aside", format!("nobody has said where to keep {name} on {}", self.host))
                .item()
        })?;
        let kept = self.kept(slot);
        let words: [&[u8]; 4] = [base, name.as_bytes(), aside.as_bytes(), kept.as_bytes()];
        let script = concat!(include_str!("far/base.sh"), include_str!("far/keep.sh"));
        world.far().script("set it aside", script, &words, b"")?;
        self.revert(world, slot, Some(evidence), cx)
    }
}

impl DeliverTree {
    fn kept(&self, slot: &Slot) -> String {
        format!("{}-{}-kept", self.place.name, slot.run())
    }

    fn look(&self, far: &mut Far, receipt: &str) -> Result<Standing, StepError> {
        let place = &self.place;
        let receipt = format!("{}/{receipt}", place.receipts);
        Ok(far.stands(&place.base, &place.name, &place.staging, &receipt, false)?)
    }
}

/// Whether everything that was delivered is still there: as it was, or with what has happened in it since.
fn compare(
    far: &mut Far,
    tree: &TreeThere,
    expected: &Manifest,
    meter: &mut dyn Meter,
) -> Result<State, StepError> {
    let found = if far.is_root() {
        far.tell(tree, expected.bytes(), meter)?
    } else {
        let mut found = far.list(tree, meter)?;
        far.hash(tree, &mut found, &|entry| entry.mode & 0o400 != 0, meter)?;
        found
    };
    let differences = far.differences(expected, &found);
    let count = |what| differences.iter().filter(|difference| difference.what == what).count();
    let is_file = |path: &[u8]| expected.get(path).is_some_and(|entry| !matches!(entry.kind, Kind::Folder));
    let lived_in = |Difference { path, what }: &Difference| *what != What::Missing || !is_file(path);
    Ok(match differences.first() {
        None => State::Done,
        Some(_) if differences.iter().all(lived_in) => {
            let (more, other) = (count(What::Unexpected), differences.len() - count(What::Unexpected));
            State::Superseded(format!(
                "{more} entries are new and {other} have changed since it was delivered"
            ))
        }
        Some(first) => {
            let path = crate::display(&first.path);
            State::Conflict(format!(
                "{} entries are gone, and others may have changed; the first difference: {path}",
                count(What::Missing)
            ))
        }
    })
}

impl Place {
    /// The tree once it is shown.
    fn shown(&self, delivered: &Delivered) -> TreeThere {
        let path = [self.base.as_slice(), b"/", self.name.as_bytes()].concat();
        TreeThere { path, identity: delivered.root.clone() }
    }

    /// The path of the tree while it is staged.
    pub(crate) fn staged(&self) -> Vec<u8> {
        [self.base.as_slice(), b"/", self.staging.as_bytes(), b"/", self.name.as_bytes()].concat()
    }
}

fn of_source(error: &FileError) -> StepError {
    // Even a failing disk is this tree's own trouble: the next one may lie on good blocks.
    Cause::new("unreadable", error.to_string()).item()
}

impl From<FarError> for StepError {
    fn from(error: FarError) -> Self {
        if matches!(error, FarError::Link(TransportError::Stopped)) {
            return Self::Stopped;
        }
        let cause = Cause::new("far-end", error.to_string());
        if error.is_world_failure() { cause.world() } else { cause.item() }
    }
}

impl From<SendError> for StepError {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Pack(error) => error.into(),
            SendError::Far(error) => error.into(),
        }
    }
}

impl From<PackError> for StepError {
    fn from(error: PackError) -> Self {
        match error {
            PackError::Stopped => Self::Stopped,
            PackError::Changed(_) => Cause::source_changed(error.to_string()).item(),
            PackError::File(error) => of_source(&error),
            PackError::Stream(_) => Cause::new("link", error.to_string()).world(),
        }
    }
}

impl From<WalkError> for StepError {
    fn from(error: WalkError) -> Self {
        match error {
            WalkError::Stopped => Self::Stopped,
            WalkError::File(error) => of_source(&error),
        }
    }
}
