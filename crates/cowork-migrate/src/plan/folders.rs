//! The folders that a session was given, in the new world.

use std::path::PathBuf;

use legacy_readers::cowork::Sidecar;
use migration_cli::Refusal;
use session_model::{Finding, ForeignPath};

use crate::moving::Moving;
use crate::sidecar::Edited;

/// Those that are there or have to be made, and what is said about the others.
#[derive(Default)]
pub(super) struct Folders {
    pub(super) all: Vec<PathBuf>,
    pub(super) make: Vec<PathBuf>,
    pub(super) findings: Vec<Finding>,
}

impl Folders {
    pub(super) fn of(edited: &Edited, moving: &Moving) -> Result<Self, Refusal> {
        let parsed = Sidecar::parse(edited.text.clone(), &moving.session.path);
        let sidecar =
            parsed.map_err(|anomaly| Refusal::new("sidecar", anomaly.to_string(), "please report this"))?;
        let staging = moving.staging();
        let mut folders = Self::default();
        for folder in &sidecar.view.folders {
            let path = folder.parse::<ForeignPath>();
            if path
                .as_ref()
                .is_ok_and(|path| staging.as_ref().is_some_and(|place| place.foreign.same_place(path)))
            {
                continue;
            }
            folders.add(folder, path.ok().as_ref(), moving);
        }
        Ok(folders)
    }

    fn add(&mut self, spelled: &str, path: Option<&ForeignPath>, moving: &Moving) {
        let outside =
            |home: &crate::drives::Home| path.is_some_and(|path| path.below(&home.foreign).is_none());
        if moving.home.as_ref().is_some_and(outside) {
            let message = format!(
                "{spelled} is outside the home, and some builds drop such a folder on loading; --map says where it is now"
            );
            self.findings.push(Finding::warning("folder-outside-home", message));
        }
        let local = path.and_then(|path| moving.drives.local(path));
        let root = local
            .as_deref()
            .and_then(|local| local.ancestors().nth(path.map_or(0, |path| path.components().len())));
        match (&local, root) {
            (Some(local), Some(root)) if root.is_dir() => {
                self.all.push(local.clone());
                if !local.is_dir() {
                    self.make.push(local.clone());
                }
            }
            _ => {
                let message = format!(
                    "{spelled} was not looked at and is not made: --drive does not say where its drive lies"
                );
                self.findings.push(Finding::warning("folder-unchecked", message));
            }
        }
    }
}
