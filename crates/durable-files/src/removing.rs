//! A folder removed with all that is in it, and with nothing that is not.

use std::io;
use std::path::Path;

#[cfg(not(target_os = "linux"))]
use elsewhere::remove;
#[cfg(target_os = "linux")]
use linux::remove;

use crate::{FileError, InContext, Meter, Quiet};

#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(target_os = "linux")]
mod linux;

/// Why something of a tree is still there.
#[derive(Debug)]
pub enum Stays {
    /// The [`Meter`] said stop.
    Stopped,
    /// The operating system said so, of the first thing that it was asked for.
    Because(io::Error),
}

/// Removes whatever has this name, a folder with all that is in it and can be removed, also below folders that their modes
/// protect. That nothing is there is no error. The meter is told of no bytes; only Linux asks it.
///
/// No link is followed. On Linux nothing is entered that is mounted there, be it another file system or another folder of
/// the same: it would be emptied for all who have it.
pub fn remove_tree(root: &Path, meter: &mut dyn Meter) -> Result<(), Stays> {
    remove(root, meter)
}

/// The same for whoever does not stop.
pub fn remove_tree_if_there(root: &Path) -> Result<(), FileError> {
    let removed = remove_tree(root, &mut Quiet).map_err(|stays| match stays {
        Stays::Because(why) => why,
        Stays::Stopped => io::ErrorKind::Interrupted.into(),
    });
    removed.doing("remove", root)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::fs;
    use std::os::fd::AsFd;
    use std::path::Path;
    use std::process::Command;

    use rustix::fs::OFlags;
    use rustix::io::Errno;

    use super::linux::within_by_mount_id;
    use super::remove_tree_if_there;

    fn mount(arguments: &[&str], at: &Path) {
        assert!(Command::new("mount").args(arguments).arg(at).status().is_ok_and(|status| status.success()));
    }

    #[test]
    fn what_is_mounted_in_a_folder_outlives_it() {
        if !testkit::mounts::unshared("removing::tests::what_is_mounted_in_a_folder_outlives_it") {
            return;
        }
        let around = tempfile::tempdir().unwrap();
        let [folder, others] = ["folder", "others"].map(|name| around.path().join(name));
        let [bound, disk] = ["deep/bound", "disk"].map(|name| folder.join(name));
        for dir in [&bound, &disk, &others.join("sub")] {
            fs::create_dir_all(dir).unwrap();
        }
        mount(&["--bind", &others.display().to_string()], &bound);
        mount(&["-t", "tmpfs", "none"], &disk);
        for file in [folder.join("ours"), others.join("sub/theirs"), disk.join("theirs")] {
            fs::write(file, "").unwrap();
        }
        let error = remove_tree_if_there(&folder).unwrap_err().to_string();
        assert!(error.ends_with("something is mounted in it"), "{error}");
        assert!(others.join("sub/theirs").exists() && disk.join("theirs").exists());
        assert!(!folder.join("ours").exists(), "the rest goes");
        // A mount that is to be removed itself is not ours either.
        remove_tree_if_there(&disk).unwrap_err();
        assert!(disk.join("theirs").exists());

        // Where the kernel cannot be asked to stay out.
        let around = fs::File::open(folder.join("deep")).unwrap();
        let entered = |name| within_by_mount_id(around.as_fd(), name, OFlags::empty());
        fs::create_dir(folder.join("deep/plain")).unwrap();
        assert_eq!(entered(c"bound").unwrap_err(), Errno::XDEV);
        assert!(entered(c"plain").is_ok());
    }
}
