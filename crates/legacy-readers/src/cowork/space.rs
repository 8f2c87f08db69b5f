//! The spaces of a profile: they are not migrated, but named (formats/cowork.md A2).

use std::path::Path;

use serde::Deserialize;
use session_model::{Anomaly, Place};

use super::disk::{self, Disk, Entry};
use crate::surrogates::mending;
use crate::text;

/// A space, as far as a report names it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Space {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    folders: Vec<Folder>,
    projects: Vec<Project>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct Folder {
    path: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct Project {
    uuid: String,
}

impl Space {
    /// Its folders, as paths of the machine it is from.
    pub fn folders(&self) -> impl Iterator<Item = &str> {
        self.folders.iter().map(|folder| &*folder.path)
    }

    /// The ids of its projects.
    pub fn projects(&self) -> impl Iterator<Item = &str> {
        self.projects.iter().map(|project| &*project.uuid)
    }
}

/// Reads `spaces.json` among the entries of a profile; each space that cannot be read is an anomaly.
pub(super) fn read(disk: &dyn Disk, profile: &[Entry], anomalies: &mut Vec<Anomaly>) -> Vec<Space> {
    let Some(Entry { path, .. }) = profile.iter().find(|entry| entry.name == "spaces.json") else {
        return Vec::new();
    };
    let bytes = disk.read(path).map_err(|error| disk::unreadable_file(disk, path, &error));
    bytes.and_then(|bytes| parse(&bytes, path, anomalies)).unwrap_or_else(|anomaly| {
        anomalies.push(anomaly);
        Vec::new()
    })
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct File {
    spaces: Vec<serde_json::Value>,
}

fn parse(bytes: &[u8], path: &Path, anomalies: &mut Vec<Anomaly>) -> Result<Vec<Space>, Anomaly> {
    let json = text::utf8(bytes, path)?;
    let (file, _) = mending(json, |json| serde_json::from_str::<File>(json))
        .map_err(|error| text::json_error(&error, json, path))?;
    let mut spaces = Vec::new();
    for (number, space) in (1..).zip(file.spaces) {
        if let Ok(space) = Space::deserialize(space) {
            spaces.push(space);
        } else {
            let message =
                format!("expected a space with id, name and lists, entry {number} is another thing");
            anomalies.push(Anomaly::new("wrong-type", message).at(Place::new(path)));
        }
    }
    Ok(spaces)
}
