//! Disks with a will of their own, mounted as long as a test needs them.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Something that is mounted at a folder. It is gone when this is dropped.
#[derive(Debug)]
pub struct Disk {
    at: PathBuf,
    _image: Option<tempfile::NamedTempFile>,
}

impl Disk {
    /// A disk in memory with these options, such as `size=2m`.
    ///
    /// # Panics
    /// If this machine mounts nothing: run as root.
    pub fn in_memory(at: &Path, options: &str) -> Self {
        mount(&["-t", "tmpfs", "-o", options, "tmpfs"], at);
        Self { at: at.to_owned(), _image: None }
    }

    /// From now on it has these options.
    ///
    /// # Panics
    /// If it cannot have them.
    pub fn becomes(&self, options: &str) {
        mount(&["-o", &format!("remount,{options}")], &self.at);
    }

    /// A folder a second time.
    ///
    /// # Panics
    /// As [`in_memory`](Self::in_memory) does.
    pub fn again(folder: &Path, at: &Path) -> Self {
        mount(&["--bind", &folder.display().to_string()], at);
        Self { at: at.to_owned(), _image: None }
    }

    /// A disk to which `a` and `A` are one name, if we may mount one: that takes ntfs-3g and the right to.
    ///
    /// # Panics
    /// If there is no room for it.
    pub fn that_folds_case(at: &Path) -> Option<Self> {
        let image = tempfile::NamedTempFile::new().unwrap();
        image.as_file().set_len(256 << 20).unwrap();
        let formatted = Command::new("mkntfs").args(["-q", "-F"]).arg(image.path()).output();
        let mut mount = Command::new("lowntfs-3g");
        let mounted = mount.args(["-o", "ignore_case"]).arg(image.path()).arg(at).output();
        let is_done = formatted.is_ok() && mounted.is_ok_and(|output| output.status.success());
        is_done.then(|| Self { at: at.to_owned(), _image: Some(image) })
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        &self.at
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.at).stderr(Stdio::null()).status();
    }
}

fn mount(words: &[&str], at: &Path) {
    let output = Command::new("mount").args(words).arg(at).output().expect("there is a mount");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "nothing is mounted at {}: {said}", at.display());
}
