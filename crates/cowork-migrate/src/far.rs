//! Sessions on another host, read through nothing but its SFTP server: a Windows has no shell of ours.
//!
//! The reader reads there what it reads here. What is to be moved is brought first, into a bundle of the tool's own
//! below the state folder, and moves from there.

mod bring;
mod disk;
mod place;

use std::path::{Path, PathBuf};

use legacy_readers::cowork::{ProfileId, Purpose};
use migration_cli::{Listing, Refusal, Surroundings};
use migration_engine::{Cx, NoProgress};
use remote_transfer::{PullError, Sftp, SftpError, Target};

pub(crate) use bring::{Bringing, Outline, Wish, bring, pulled, stays_here};
use disk::FarDisk;
pub(crate) use place::FarPlace;

use crate::inventory;
use crate::options::Options;

/// What sessions there are.
pub(crate) fn inventory(
    place: &FarPlace,
    options: &Options,
    here: &Surroundings,
    cx: &Cx<'_>,
) -> Result<Listing, Refusal> {
    reach(place, options, here, cx, |disk, path| {
        Ok(inventory::inventory(disk, &place.source(disk, path, Purpose::Read)?))
    })
}

/// Whose profile it is, as far as that can be told at a glance.
pub(crate) fn owner(
    place: &FarPlace,
    options: &Options,
    here: &Surroundings,
) -> Result<Option<ProfileId>, Refusal> {
    let cx = Cx { stop: here.stop.flag(), progress: &NoProgress, now: here.now };
    reach(place, options, here, &cx, |disk, path| place.owner(disk, path))
}

/// Does something with the disk of that host, beginning where the place leads.
fn reach<T>(
    place: &FarPlace,
    options: &Options,
    here: &Surroundings,
    cx: &Cx<'_>,
    act: impl FnOnce(&FarDisk<'_>, &Path) -> Result<T, Refusal>,
) -> Result<T, Refusal> {
    let known = Target { user: place.user.clone(), port: place.port, ..Target::new(&*place.host) };
    let mut link = options.ssh.open(known, here);
    let mut stop = *cx;
    let sftp = Sftp::over(&mut *link, &mut stop).map_err(|error| refusal(&error))?;
    let disk = FarDisk::new(sftp);
    let path: PathBuf = disk.find(&place.path).map_err(|error| refusal(&error))?;
    let done = act(&disk, &path);
    // Whatever was made of the silence of a link that is gone, that is the reason.
    disk.gone().map_or(done, |error| Err(refusal(&error)))
}

/// Why the other host cannot be read, with what to do about it.
fn refusal(error: &SftpError) -> Refusal {
    const QUIT: &str = "is the path right, may that user read it, and was Claude quit there?";
    match error {
        SftpError::Link(link) => link.into(),
        SftpError::Lost { .. } => Refusal::new("link", error.to_string(), "say the same command again"),
        SftpError::Refused { .. } => Refusal::new("far-file", error.to_string(), QUIT),
        SftpError::Endless { .. } => {
            let hint = "name the profile's own folder: ssh://HOST/C:/Users/NAME/AppData/Roaming/Claude";
            Refusal::new("far-endless", error.to_string(), hint)
        }
        SftpError::Malformed { .. } => {
            let hint = "the host's sshd needs the subsystem sftp, and nothing may print when one logs in";
            Refusal::new("no-sftp", error.to_string(), hint)
        }
    }
}

/// Why something was not brought.
fn not_brought(error: PullError) -> Refusal {
    match error {
        PullError::Sftp(error) => refusal(&error),
        PullError::File(error) => error.into(),
        PullError::Stopped => migration_engine::StepError::Stopped.into(),
        PullError::Changed { .. } | PullError::NotAFile { .. } => changed(error.to_string()),
    }
}

/// It is not what it was a moment ago.
fn changed(message: String) -> Refusal {
    let hint = "quit Claude on that machine, in the notification area too, then say the same command again";
    Refusal::new("far-changed", message, hint)
}
