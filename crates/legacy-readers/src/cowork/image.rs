//! The disk of the virtual machine (formats/cowork.md A5): where it is, not what is in it.

use std::path::{Path, PathBuf};

use serde::Serialize;
use session_model::{Anomaly, Timestamp};

use super::disk::{self, Disk, Kind};
use crate::files::is_absence;

/// The image that holds the sessions' homes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiskImage {
    /// The file.
    pub path: PathBuf,
    /// How the disk is written in it.
    pub format: ImageFormat,
    /// The size of the file in bytes.
    pub bytes: u64,
    /// Its modification time.
    pub mtime: Timestamp,
}

/// How a disk is written in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImageFormat {
    /// Microsoft's virtual hard disk, version 2.
    Vhdx,
    /// The disk's bytes as they are (macOS).
    Raw,
}

/// The image of a base. `rootfs.vhdx` beside it is the operating system and never looked at.
pub(super) fn of_base(disk: &dyn Disk, base: &Path, anomalies: &mut Vec<Anomaly>) -> Option<DiskImage> {
    in_folder(disk, &base.join("vm_bundles/claudevm.bundle"), anomalies)
}

/// The image in a folder.
pub(super) fn in_folder(disk: &dyn Disk, folder: &Path, anomalies: &mut Vec<Anomaly>) -> Option<DiskImage> {
    let names = [("sessiondata.vhdx", ImageFormat::Vhdx), ("sessiondata.img", ImageFormat::Raw)];
    names.into_iter().find_map(|(name, format)| {
        let path = folder.join(name);
        match disk.look(&path) {
            Ok(found) if found.kind == Kind::File => {
                Some(DiskImage { format, bytes: found.bytes, mtime: found.mtime, path })
            }
            Ok(found) => {
                anomalies.push(disk::wrong_kind(&path, "a disk image", found.kind));
                None
            }
            Err(error) if is_absence(&error) => None,
            Err(error) => {
                anomalies.push(disk::unreadable(&path, &error));
                None
            }
        }
    })
}
