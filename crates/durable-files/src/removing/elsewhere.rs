//! As far as the standard library goes.

use std::fs::{remove_dir_all, symlink_metadata};
use std::io;
use std::path::Path;

use super::Stays;
use crate::error::is_not_found;
use crate::{Meter, remove_file_if_there};

/// Removes whatever has this name.
pub(super) fn remove(root: &Path, _meter: &mut dyn Meter) -> Result<(), Stays> {
    let removed = match symlink_metadata(root) {
        Ok(found) if !found.is_dir() => remove_file_if_there(root).map(drop).map_err(|error| error.source),
        Ok(_) => match remove_dir_all(root) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                open_up(root).and_then(|()| remove_dir_all(root))
            }
            removed => removed,
        },
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if !is_not_found(&error) => Err(Stays::Because(error)),
        _ => Ok(()),
    }
}

/// Lets its owner into a folder and all below it.
#[cfg(unix)]
fn open_up(dir: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o700))?;
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            open_up(&entry.path())?;
        }
    }
    Ok(())
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "as where there are modes")]
fn open_up(_dir: &Path) -> io::Result<()> {
    Ok(())
}
