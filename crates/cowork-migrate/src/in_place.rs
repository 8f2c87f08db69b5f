//! A file whose paths are rewritten where it stands.

use std::io::{self, Cursor, Read};
use std::sync::Arc;

use durable_files::Digest;
use migration_engine::steps::Content;
use migration_engine::{Cx, StepError};
use serde::{Deserialize, Serialize};
use transcript_relocate::rewrite::{Members, PathRules, Rewritten, RewrittenLines, rewrite_document};

use crate::content::{Original, Sources};
use crate::lines::{Metered, extracted_name};
use crate::mapping::Mapping;

/// What a file becomes by rules of its own: files of several sessions may be rewritten in one run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InPlace {
    #[serde(flatten)]
    pub(crate) original: Original,
    pub(crate) mapping: Arc<Mapping>,
    /// Whether it is a sidecar.
    pub(crate) sidecar: bool,
}

impl InPlace {
    /// What would be done.
    pub(crate) fn survey(&self, rules: &PathRules, cx: &Cx<'_>) -> io::Result<Rewritten> {
        if self.is_document() {
            let document = self.original.read().map_err(|error| io::Error::other(error.to_string()))?;
            return Ok(rewrite_document(rules, self.members(), &extracted_name, &document).1);
        }
        let input = Metered { input: self.original.open().map_err(io::Error::other)?, cx };
        RewrittenLines::new(rules, self.members(), &extracted_name, input).survey()
    }

    /// One JSON value with line ends where they please, not one a line.
    fn is_document(&self) -> bool {
        self.original.source.extension().is_some_and(|end| end == "json")
    }

    fn members(&self) -> Members<'static> {
        if self.sidecar { Members::SIDECAR } else { Members::TRANSCRIPT }
    }
}

impl Content for InPlace {
    type World = Sources;

    fn describe(&self) -> String {
        self.original.source.display().to_string()
    }

    /// Names may have become longer.
    fn size(&self) -> u64 {
        self.original.expect.size + self.original.expect.size / 8
    }

    fn open<'a>(&'a self, world: &'a mut Sources, _cx: &'a Cx<'_>) -> Result<Box<dyn Read + 'a>, StepError> {
        let rules = world.rules_of(&self.mapping)?;
        if self.is_document() {
            let document = self.original.read()?;
            let (rewritten, _) = rewrite_document(rules, self.members(), &extracted_name, &document);
            return Ok(Box::new(Cursor::new(rewritten)));
        }
        let input = self.original.open()?;
        Ok(Box::new(RewrittenLines::new(rules, self.members(), &extracted_name, input)))
    }

    fn after(&self, _world: &mut Sources, _read: Digest) -> Result<(), StepError> {
        self.original.must_be_as_planned()
    }
}
