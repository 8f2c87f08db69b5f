//! A Windows machine with drives of its own, seen from both sides.

use std::ffi::OsStr;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

const LOADER: &str = "/usr/lib/wine/wine64";

/// Two disks, `C:` and `D:`. Only the folder of Windows itself is shared with other tests.
pub(crate) struct Machine {
    dir: tempfile::TempDir,
}

/// How a run of a tool ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Machine {
    pub(crate) fn new() -> Self {
        let windows = given("REHOME_WINE_PREFIX");
        let dir = tempfile::tempdir().unwrap();
        let here = dir.path();
        for folder in ["dosdevices", "c", "d"] {
            std::fs::create_dir(here.join(folder)).unwrap();
        }
        for name in ["system.reg", "user.reg", "userdef.reg", ".update-timestamp"] {
            std::fs::copy(windows.join(name), here.join(name)).unwrap();
        }
        symlink(windows.join("drive_c/windows"), here.join("c/windows")).unwrap();
        symlink("../c", here.join("dosdevices/c:")).unwrap();
        symlink("../d", here.join("dosdevices/d:")).unwrap();
        Self { dir }
    }

    /// Where a path of the machine is here: `C:\users\mira`, with names as they are written on the disk.
    pub(crate) fn disk(&self, path: &str) -> PathBuf {
        let (drive, rest) = path.split_once(":\\").unwrap();
        self.dir.path().join(drive.to_lowercase()).join(rest.replace('\\', "/"))
    }

    /// A tool with these arguments.
    pub(crate) fn tool(&self, name: &str, words: &[impl AsRef<OsStr>]) -> Command {
        let mut command = Command::new(LOADER);
        command.arg(given("REHOME_WINDOWS_TOOLS").join(format!("{name}.exe"))).args(words);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("LC_ALL", "C.UTF-8");
        command.env("WINEPREFIX", self.dir.path()).env("WINEDEBUG", "-all").env("HOME", self.dir.path());
        command.current_dir(self.dir.path().join("c")).stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, name: &str, words: &[impl AsRef<OsStr>]) -> Ended {
        Ended::of(&self.tool(name, words).output().unwrap())
    }

    /// Runs a tool and expects this exit code.
    #[track_caller]
    pub(crate) fn expect(&self, code: i32, name: &str, words: &[impl AsRef<OsStr>]) -> Ended {
        let ended = self.run(name, words);
        let spelled: Vec<_> = words.iter().map(|word| word.as_ref().to_string_lossy()).collect();
        assert_eq!(ended.code, Some(code), "{name} {spelled:?}\n{}{}", ended.stdout, ended.stderr);
        for said in [&ended.stdout, &ended.stderr] {
            assert!(!said.contains(r"\\?\"), "people are shown a path as only Windows spells it:\n{said}");
        }
        ended
    }
}

impl Ended {
    pub(crate) fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }
}

fn given(variable: &str) -> PathBuf {
    let given = std::env::var_os(variable);
    given.unwrap_or_else(|| panic!("{variable} is not set: run these tests by `cargo xtask windows`")).into()
}
