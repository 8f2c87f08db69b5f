//! Where the bytes of the new files come from, and what becomes of them on the way.

use std::io::{Cursor, Read};
use std::path::Path;
use std::sync::Arc;

use durable_files::{CopyError, Digest, FileError, Fingerprint, PathText, open_expected};
use migration_engine::steps::{Bytes, Content, FileWorld, Files, Verbatim};
use migration_engine::{Cause, Cx, StepError, World};
use serde::{Deserialize, Serialize};
use session_model::{Splice, Spliced};
use transcript_relocate::rewrite::{Members, PathRules, rewrite_document};
use vhdx_reader::Tree;

use crate::in_place::InPlace;
use crate::lines::{extracted_name, rewritten_lines};
use crate::mapping::Mapping;

/// The bytes of a new file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "made", rename_all = "kebab-case")]
pub enum Made {
    /// A file as it is.
    Copied(Verbatim),
    /// A JSON document whose paths are rewritten.
    Document(Original),
    /// A transcript whose paths are rewritten, and which is then stitched.
    Transcript(Transcript),
    /// A file of the virtual machine.
    Extracted(Extracted),
    /// What a file itself becomes, by rules of its own.
    InPlace(InPlace),
    /// Bytes of the plan.
    Given {
        /// The bytes.
        bytes: Bytes,
    },
}

/// A file and what it looked like when the plan was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Original {
    pub(crate) source: PathText,
    pub(crate) expect: Fingerprint,
}

/// A transcript, and the edits that stitch it once its paths are rewritten.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transcript {
    #[serde(flatten)]
    pub(crate) original: Original,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) splices: Vec<Splice>,
}

/// A file of the virtual machine's disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extracted {
    /// From the root of the disk.
    #[serde(with = "session_model::text_or_hex")]
    pub(crate) path: Vec<u8>,
    pub(crate) bytes: u64,
}

/// The disk image that files are taken from, as it looked when the plan was made.
pub(crate) type Image = Original;

/// What contents are read through: said once for a whole run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Means {
    /// What became of which place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) mapping: Option<Arc<Mapping>>,
    /// The disk of the virtual machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) image: Option<Image>,
}

/// The live handles of the one lane: new files, the rules and the disk.
#[derive(Debug, Default)]
pub struct Sources {
    files: Files,
    means: Means,
    /// The rules that were used last.
    rules: Option<(Arc<Mapping>, PathRules)>,
    tree: Option<Tree>,
}

impl Sources {
    pub(crate) fn new(means: Means) -> Self {
        Self { means, ..Self::default() }
    }

    fn rules(&mut self) -> Result<&PathRules, StepError> {
        let mapping = self.means.mapping.clone().ok_or_else(|| broken_mapping("the run has none"))?;
        self.rules_of(&mapping)
    }

    /// The rules of a mapping, which are compiled once if the same is asked for again and again.
    pub(crate) fn rules_of(&mut self, mapping: &Arc<Mapping>) -> Result<&PathRules, StepError> {
        if self.rules.as_ref().is_none_or(|(known, _)| known != mapping) {
            let compiled = mapping.compile().map_err(|error| broken_mapping(&error.to_string()))?;
            self.rules = Some((Arc::clone(mapping), compiled));
        }
        Ok(&self.rules.as_ref().expect("because it was compiled above").1)
    }

    fn tree(&mut self) -> Result<&Tree, StepError> {
        if self.tree.is_none() {
            let image = self.image()?;
            let opened = Tree::open_image(&image.source);
            let cause = |error: vhdx_reader::OpenTreeError| Cause::new("image", error.to_string());
            self.tree = Some(opened.map_err(|error| cause(error).item())?);
            self.image_is_as_planned()?;
        }
        Ok(self.tree.as_ref().expect("because it was opened above"))
    }

    fn image(&self) -> Result<&Image, StepError> {
        let none = || Cause::new("image", "the run has no disk image to take files from").world();
        self.means.image.as_ref().ok_or_else(none)
    }

    fn image_is_as_planned(&self) -> Result<(), StepError> {
        self.image()?.must_be_as_planned()
    }
}

fn broken_mapping(what: &str) -> StepError {
    Cause::new("mapping", format!("cannot use the run's mapping of paths: {what}")).world()
}

impl World for Sources {
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

impl FileWorld for Sources {
    fn files(&mut self) -> &mut Files {
        &mut self.files
    }
}

impl Original {
    /// A file as it looks now.
    pub(crate) fn of(source: &Path) -> Result<Self, FileError> {
        Ok(Self { source: source.into(), expect: Fingerprint::of_file(source)? })
    }

    pub(crate) fn open(&self) -> Result<std::fs::File, CopyError> {
        open_expected(&self.source, &self.expect)
    }

    pub(crate) fn must_be_as_planned(&self) -> Result<(), StepError> {
        if Fingerprint::of_file(&self.source)? == self.expect {
            return Ok(());
        }
        let message = format!("{} changed after the plan was made", self.source.display());
        Err(Cause::source_changed(message).item())
    }

    pub(crate) fn read(&self) -> Result<Vec<u8>, StepError> {
        let mut bytes = Vec::new();
        let read = self.open()?.read_to_end(&mut bytes);
        read.map_err(|error| FileError::new("read", &*self.source, error))?;
        Ok(bytes)
    }
}

impl Content for Made {
    type World = Sources;

    fn describe(&self) -> String {
        match self {
            Self::Copied(file) => file.describe(),
            Self::Document(original) | Self::Transcript(Transcript { original, .. }) => {
                original.source.display().to_string()
            }
            Self::Extracted(file) => format!("/{} of the disk image", file.path.escape_ascii()),
            Self::InPlace(file) => file.describe(),
            Self::Given { bytes } => bytes.describe(),
        }
    }

    fn size(&self) -> u64 {
        match self {
            Self::Copied(file) => file.size(),
            // Names may have become longer, and a segment is added.
            Self::Document(original) | Self::Transcript(Transcript { original, .. }) => {
                original.expect.size + original.expect.size / 8
            }
            Self::Extracted(file) => file.bytes,
            Self::InPlace(file) => file.size(),
            Self::Given { bytes } => bytes.size(),
        }
    }

    fn is_sparse(&self) -> bool {
        match self {
            Self::Copied(file) => file.is_sparse(),
            Self::Extracted(_) => true,
            Self::Document(_) | Self::Transcript(_) | Self::InPlace(_) | Self::Given { .. } => false,
        }
    }

    fn open<'a>(&'a self, world: &'a mut Sources, cx: &'a Cx<'_>) -> Result<Box<dyn Read + 'a>, StepError> {
        match self {
            Self::Copied(file) => file.open(&mut world.files, cx),
            Self::Document(original) => {
                let document = original.read()?;
                let (rewritten, _) =
                    rewrite_document(world.rules()?, Members::TRANSCRIPT, &extracted_name, &document);
                Ok(Box::new(Cursor::new(rewritten)))
            }
            Self::Transcript(Transcript { original, splices }) => {
                let rewritten = rewritten_lines(original.open()?, world.rules()?);
                let stitched = Spliced::new(rewritten, splices);
                Ok(Box::new(stitched.map_err(|error| Cause::new("stitch", error.to_string()).world())?))
            }
            Self::Extracted(Extracted { path, .. }) => {
                let gone = |what: String| Cause::source_changed(what).item();
                let tree = world.tree()?;
                let entry = tree.find(path).map_err(|error| gone(error.to_string()))?;
                let entry = entry.ok_or_else(|| gone(format!("{} is gone", self.describe())))?;
                Ok(Box::new(tree.read(&entry).map_err(|error| gone(error.to_string()))?))
            }
            Self::InPlace(file) => file.open(world, cx),
            Self::Given { bytes } => bytes.open(&mut world.files, cx),
        }
    }

    fn after(&self, world: &mut Sources, read: Digest) -> Result<(), StepError> {
        match self {
            Self::Copied(file) => file.after(&mut world.files, read),
            Self::Document(original) | Self::Transcript(Transcript { original, .. }) => {
                original.must_be_as_planned()
            }
            Self::Extracted(_) => world.image_is_as_planned(),
            Self::InPlace(file) => file.after(world, read),
            Self::Given { .. } => Ok(()),
        }
    }
}
