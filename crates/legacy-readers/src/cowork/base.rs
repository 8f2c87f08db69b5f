//! Which of the places where the app keeps its base do exist, and what is in each (formats/cowork.md A1).

use std::path::{Path, PathBuf};

use session_model::{Anomaly, Place, Survey, Timestamp};

use super::disk::{self, Disk, Kind, ThisDisk};
use super::environment::{Candidate, Environment, Origin};
use super::image::DiskImage;
use super::store::{self, ReadError};
use super::view::Millis;
use crate::files::is_absence;
use crate::text::spelled;

/// A base that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// Its real path.
    pub path: PathBuf,
    /// The candidates that lead here: one folder may be seen under two names.
    pub names: Vec<Candidate>,
    /// Whether it has a folder of sessions at all.
    pub has_sessions_folder: bool,
    /// How many sidecars in it can be read.
    pub readable: usize,
    /// How many cannot.
    pub unreadable: usize,
    /// The newest `lastActivityAt` of any session.
    pub newest_activity: Option<Millis>,
    /// When its `logs/main.log` was last written.
    pub newest_log: Option<Timestamp>,
    /// The disk of the virtual machine.
    pub image: Option<DiskImage>,
}

impl Base {
    /// Whether the user named it.
    pub fn is_named(&self) -> bool {
        self.is(Origin::Named)
    }

    /// Whether it is where it is because of this.
    pub fn is(&self, origin: Origin) -> bool {
        self.names.iter().any(|name| name.origin == origin)
    }
}

/// Looks at the base that the user named and at no other; without one, at every place the environment allows.
///
/// A base is looked at as a whole, but only its figures are kept: [`store::read`] yields sessions, and counts inputs.
pub fn bases(environment: &Environment, named: Option<&Path>) -> Result<Survey<Vec<Base>>, ReadError> {
    bases_on(&ThisDisk, environment, named)
}

/// The same on the disk of the machine that the environment is of.
pub fn bases_on(
    disk: &dyn Disk,
    environment: &Environment,
    named: Option<&Path>,
) -> Result<Survey<Vec<Base>>, ReadError> {
    let mut survey = Survey::default();
    let candidates = if let Some(path) = named {
        store::check_named(disk, path)?;
        vec![Candidate { path: path.to_path_buf(), origin: Origin::Named, enterprise: false }]
    } else {
        environment.candidates(&package_names(disk, environment, &mut survey.anomalies))
    };
    for candidate in candidates {
        look_at(disk, candidate, &mut survey);
    }
    Ok(survey)
}

fn package_names(disk: &dyn Disk, environment: &Environment, anomalies: &mut Vec<Anomaly>) -> Vec<String> {
    let folders = environment.package_folders();
    let entries = folders.iter().flat_map(|folder| disk::list_if_there(disk, folder, anomalies));
    entries.filter_map(|entry| entry.name.into_string().ok()).collect()
}

fn look_at(disk: &dyn Disk, candidate: Candidate, survey: &mut Survey<Vec<Base>>) {
    let path = match disk.real(&candidate.path) {
        Ok(path) => path,
        Err(error) if is_absence(&error) => {
            if candidate.origin == Origin::Moved && !candidate.enterprise {
                let message = "expected the base that CLAUDE_USER_DATA_DIR names, found nothing there";
                let place = Place::new(candidate.path);
                survey.anomalies.push(Anomaly::new("moved-base-missing", message).at(place));
            }
            return;
        }
        Err(error) => return survey.anomalies.push(disk::unreadable(&candidate.path, &error)),
    };
    match survey.found.iter_mut().find(|base| base.path == path) {
        Some(known) => known.names.push(candidate),
        None => survey.found.push(figures(disk, path, candidate)),
    }
}

/// Everything but the figures is dropped here, so that looking at many bases does not hold many of them.
fn figures(disk: &dyn Disk, path: PathBuf, candidate: Candidate) -> Base {
    let store = store::survey(disk, &path).found;
    let views = || store.sessions().filter_map(|session| session.view());
    let log = disk.look(&path.join("logs/main.log")).ok().filter(|found| found.kind == Kind::File);
    Base {
        has_sessions_folder: disk
            .look(&path.join(store::SESSIONS))
            .is_ok_and(|found| found.kind == Kind::Folder),
        readable: views().count(),
        unreadable: store.sessions().count() - views().count(),
        newest_activity: views().map(|view| view.last_activity_at).max(),
        newest_log: log.map(|log| log.mtime),
        image: store.image.clone(),
        names: vec![candidate],
        path,
    }
}

/// What one base is called in a list: its real path.
impl std::fmt::Display for Base {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&spelled(&self.path))
    }
}
