//! What a run of `cowork-migrate` does.

use durable_files::PathText;
use migration_engine::compose_steps;
use migration_engine::steps::{InstallFile, InstallTree, ReplaceFile};
use migration_engine::{StepError, World};

use crate::content::{Made, Means, Sources};
use crate::step::{MakeFolder, PutAway, SidecarStep};

compose_steps! {
    /// One effect.
    pub enum Effect, Trace in Handles {
        /// Makes a folder that a session was given.
        Folder(MakeFolder) with sources,
        /// Moves what is in the way out of the profile.
        PutAway(PutAway) with sources,
        /// Puts a file into the archive.
        File(InstallFile<Made>) with sources,
        /// Puts a folder with all that is in it in its place.
        Tree(InstallTree<Made>) with sources,
        /// Puts the sidecar in its place, which makes the session exist.
        Sidecar(SidecarStep<InstallFile<Made>>) with sources,
        /// Puts the rewritten sidecar back.
        Reapply(SidecarStep<ReplaceFile<Made>>) with sources,
        /// Rewrites paths in place.
        Rewrite(ReplaceFile<Made>) with sources,
    }
}

impl Effect {
    /// What it changes.
    pub(crate) fn concerns(&self) -> Vec<PathText> {
        match self {
            Self::Folder(step) => vec![step.target.clone()],
            Self::PutAway(step) => vec![step.source.clone(), step.target.clone()],
            Self::File(step) => vec![step.target.clone()],
            Self::Tree(step) => vec![step.target.clone()],
            Self::Sidecar(step) => vec![step.target.clone()],
            Self::Reapply(step) => vec![step.target.clone()],
            Self::Rewrite(step) => vec![step.target.clone()],
        }
    }
}

/// The live handles of the one lane.
#[derive(Debug, Default)]
pub struct Handles {
    pub(crate) sources: Sources,
}

impl Handles {
    pub(crate) fn new(means: Means) -> Self {
        Self { sources: Sources::new(means) }
    }
}

impl World for Handles {
    fn persist(&mut self) -> Result<(), StepError> {
        self.sources.persist()
    }

    fn settle(&mut self) -> Result<(), StepError> {
        self.sources.settle()
    }

    fn abandon(&mut self) {
        self.sources.abandon();
    }
}
