//! Where the bytes of a new file come from.

use std::fmt::Debug;
use std::io::Read;
use std::path::Path;

use durable_files::{
    Copied, Digest, Digested, Fingerprint, PathText, Traits, digest_stream, open_expected, write_new,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::files::Files;
use crate::{Cause, Cx, StepError, World};

/// A world in which files can be written: [`Files`] alone, or with what contents are read through.
pub trait FileWorld: World {
    /// What is not durable yet.
    fn files(&mut self) -> &mut Files;
}

impl FileWorld for Files {
    fn files(&mut self) -> &mut Files {
        self
    }
}

/// The bytes of a new file, as plain data in a plan: a source and what becomes of it on the way. The same each time it
/// is opened.
pub trait Content: Clone + PartialEq + Debug + Serialize + DeserializeOwned + Send + Sync {
    /// What it is read through.
    type World: FileWorld;

    /// Where it comes from, for people.
    fn describe(&self) -> String;

    /// About how many bytes there will be.
    fn size(&self) -> u64;

    /// Whether the source has holes, so that runs of zeros shall take no room in the new file either.
    fn is_sparse(&self) -> bool {
        false
    }

    /// The bytes. A source that is not what the plan was made for is an item error.
    fn open<'a>(
        &'a self,
        world: &'a mut Self::World,
        cx: &'a Cx<'_>,
    ) -> Result<Box<dyn Read + 'a>, StepError>;

    /// Looks at the source once more after `read` has been read from it: it must still be what the plan was made for.
    fn after(&self, _world: &mut Self::World, _read: Digest) -> Result<(), StepError> {
        Ok(())
    }
}

/// A file, byte for byte.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verbatim {
    /// The file.
    pub source: PathText,
    /// What it looked like when the plan was made.
    pub expect: Fingerprint,
    /// What it held then, where it had changed so recently that the fingerprint alone proves nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// Whether it has holes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sparse: bool,
}

impl Verbatim {
    /// A file as it looks now.
    pub fn of(source: &Path, expect: Fingerprint) -> Self {
        Self { source: source.into(), expect, digest: None, sparse: false }
    }
}

impl Content for Verbatim {
    type World = Files;

    fn describe(&self) -> String {
        self.source.display().to_string()
    }

    fn size(&self) -> u64 {
        self.expect.size
    }

    fn is_sparse(&self) -> bool {
        self.sparse
    }

    fn open<'a>(&'a self, _world: &'a mut Files, _cx: &'a Cx<'_>) -> Result<Box<dyn Read + 'a>, StepError> {
        Ok(Box::new(open_expected(&self.source, &self.expect)?))
    }

    fn after(&self, _world: &mut Files, read: Digest) -> Result<(), StepError> {
        let is_as_planned = self.digest.is_none_or(|expected| expected == read);
        if is_as_planned && Fingerprint::of_file(&self.source)? == self.expect {
            return Ok(());
        }
        let message = format!("{} changed after the plan was made", self.source.display());
        Err(Cause::source_changed(message).item())
    }
}

/// Bytes that stand in the plan itself: for small files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bytes(#[serde(with = "session_model::text_or_hex")] pub Vec<u8>);

impl Content for Bytes {
    type World = Files;

    fn describe(&self) -> String {
        format!("{} bytes of the plan", self.0.len())
    }

    fn size(&self) -> u64 {
        self.0.len() as u64
    }

    fn open<'a>(&'a self, _world: &'a mut Files, _cx: &'a Cx<'_>) -> Result<Box<dyn Read + 'a>, StepError> {
        Ok(Box::new(&self.0[..]))
    }
}

/// Writes a content to a new file, which is durable only after [`World::persist`] if the world is told of it.
pub(super) fn write<C: Content>(
    content: &C,
    world: &mut C::World,
    staged: &Path,
    traits: Traits,
    cx: &Cx<'_>,
) -> Result<Copied, StepError> {
    let source = content.describe();
    let traits = Traits { sparse: content.is_sparse(), ..traits };
    let mut reader = content.open(world, cx)?;
    let copied = write_new(&mut *reader, Path::new(&source), staged, traits, &mut { *cx })?;
    drop(reader);
    content.after(world, copied.digest)?;
    Ok(copied)
}

/// What writing a content would write.
pub(super) fn digest<C: Content>(
    content: &C,
    world: &mut C::World,
    cx: &Cx<'_>,
) -> Result<Digested, StepError> {
    let source = content.describe();
    let mut reader = content.open(world, cx)?;
    let digested = digest_stream(&mut *reader, Path::new(&source), &mut { *cx })?;
    drop(reader);
    content.after(world, digested.digest)?;
    Ok(digested)
}
