//! A Windows machine with drives of its own, seen from both sides.

use std::ffi::OsStr;
use std::io::Read as _;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use testkit::crash::Program;

const LOADER: &str = "/usr/lib/wine/wine64";
const SERVER: &str = "/usr/lib/wine/wineserver64";

/// Where programs are that the tools run, on the machine's path.
const PROGRAMS: &str = r"C:\programs";

/// Two disks, `C:` and `D:`, and whoever is signed in. Only the folder of Windows itself is shared with other tests.
pub(crate) struct Machine {
    dir: tempfile::TempDir,
    user: String,
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
        let dir = testkit::crash::place();
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
        let id = Command::new("id").arg("-un").output().unwrap();
        let user = String::from_utf8(id.stdout).unwrap().trim().to_owned();
        std::fs::create_dir_all(here.join("c/users").join(&user)).unwrap();
        let machine = Self { dir, user };
        machine.serve("--persistent");
        // The services that the first program starts would keep its output open.
        let mut first = machine.tool("cowork-stitch", &["--version"]);
        assert!(first.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success());
        machine
    }

    /// Tells Wine's server to stay up between programs, which then start at once, or to end.
    fn serve(&self, how: &str) {
        assert!(Command::new(SERVER).arg(how).env("WINEPREFIX", self.place()).status().unwrap().success());
    }

    /// The name of whoever is signed in.
    pub(crate) fn user(&self) -> &str {
        &self.user
    }

    /// Where a path of the machine is here: `C:\users\mira`, with names as they are written on the disk.
    pub(crate) fn disk(&self, path: &str) -> PathBuf {
        let (drive, rest) = path.split_once(":\\").unwrap();
        self.dir.path().join(drive.to_lowercase()).join(rest.replace('\\', "/"))
    }

    /// What the signed-in user's home is here.
    pub(crate) fn home(&self) -> PathBuf {
        self.dir.path().join("c/users").join(&self.user)
    }

    /// Where the disks that are its own are here.
    pub(crate) fn place(&self) -> &str {
        self.dir.path().to_str().unwrap()
    }

    /// A tool with these arguments.
    pub(crate) fn tool(&self, name: &str, words: &[impl AsRef<OsStr>]) -> Command {
        let mut command = Command::new(LOADER);
        command.arg(executable(name)).args(words);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).envs(self.environment());
        command.current_dir(self.dir.path().join("c")).stdin(Stdio::null());
        command
    }

    /// Installs a program, so that others find it by its name.
    pub(crate) fn install(&self, name: &str) {
        let folder = self.disk(PROGRAMS);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::copy(executable(name), folder.join(name).with_extension("exe")).unwrap();
    }

    fn environment(&self) -> [(&'static str, &str); 5] {
        [
            ("WINEPREFIX", self.place()),
            ("WINEPATH", PROGRAMS),
            ("HOME", self.place()),
            ("WINEDEBUG", "-all"),
            ("LC_ALL", "C.UTF-8"),
        ]
    }

    /// A tool with these arguments, for the kill loop.
    pub(crate) fn program(&self, name: &str, words: &[&str]) -> Program {
        let tool = Program::new(LOADER).arg(executable(name));
        let tool = words.iter().fold(tool, |tool, word| tool.arg(*word));
        self.environment().into_iter().fold(tool, |tool, (name, value)| tool.env(name, value))
    }

    /// Removes what the tools remember.
    pub(crate) fn forget_runs(&self) {
        let _ = std::fs::remove_dir_all(self.home().join("AppData/Local/rehome/runs"));
    }

    pub(crate) fn run(&self, name: &str, words: &[impl AsRef<OsStr>]) -> Ended {
        let run = || Ended::of(&self.tool(name, words).output().unwrap());
        let ended = run();
        // On a busy machine Wine now and then gives up before a program begins: our tools never fail without a word.
        if ended.is_silent_failure() { run() } else { ended }
    }

    /// A tool that is at work while the test goes on.
    pub(crate) fn start(&self, name: &str, words: &[impl AsRef<OsStr>]) -> AtWork {
        let mut tool = self.tool(name, words);
        AtWork(tool.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
    }

    /// How many things the tools keep below this name: `locks` for folders that are locked, `runs`.
    pub(crate) fn kept(&self, what: &str) -> usize {
        std::fs::read_dir(self.home().join("AppData/Local/rehome").join(what)).map_or(0, Iterator::count)
    }

    /// Runs a tool and expects this exit code.
    #[track_caller]
    pub(crate) fn expect(&self, code: i32, name: &str, words: &[impl AsRef<OsStr>]) -> Ended {
        let ended = self.run(name, words);
        let spelled: Vec<_> = words.iter().map(|word| word.as_ref().to_string_lossy()).collect();
        assert_eq!(ended.code, Some(code), "{name} {spelled:?}\n{}{}", ended.stdout, ended.stderr);
        for said in [&ended.stdout, &ended.stderr] {
            let is_plain = !said.contains(r"\\?\") && !said.contains(r"\\\\?\\");
            assert!(is_plain, "people are shown how programs spell long paths:\n{said}");
        }
        ended
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.serve("--kill");
    }
}

impl Ended {
    pub(crate) fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }

    fn is_silent_failure(&self) -> bool {
        self.code == Some(1) && self.stdout.is_empty() && self.stderr.is_empty()
    }
}

/// A tool at work.
pub(crate) struct AtWork(Child);

impl AtWork {
    /// Halts it at the first moment at which this is so.
    pub(crate) fn stopped_when(mut self, is_so: impl Fn() -> bool) -> Self {
        while !is_so() {
            assert!(self.0.try_wait().unwrap().is_none(), "it has ended before");
            std::thread::yield_now();
        }
        self.signal("-STOP");
        self
    }

    /// Lets it go on, to its end.
    pub(crate) fn go_on(self) -> Ended {
        self.signal("-CONT");
        Ended::of(&self.0.wait_with_output().unwrap())
    }

    fn signal(&self, signal: &str) {
        let process = self.0.id().to_string();
        assert!(Command::new("kill").args([signal, &process]).status().unwrap().success());
    }
}

/// A program that has a file open and shares it with nobody, until it is dropped.
pub(crate) struct Holder(Child);

impl Holder {
    pub(crate) fn of(machine: &Machine, path: &str) -> Self {
        let mut holder = machine.tool("holder", &[path]);
        let mut child = holder.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
        Self(child)
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

fn executable(tool: &str) -> PathBuf {
    given("REHOME_WINDOWS_TOOLS").join(format!("{tool}.exe"))
}

fn given(variable: &str) -> PathBuf {
    let given = std::env::var_os(variable);
    given.unwrap_or_else(|| panic!("{variable} is not set: run these tests by `cargo xtask windows`")).into()
}
