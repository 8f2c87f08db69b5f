//! The kill loop: a program killed, or failed, at every single effect it has on the world.
//!
//! The effects of a program are the system calls by which it changes a disk. `strace` counts them in one undisturbed
//! run, then kills the program at (or returns an error from) the n-th of each, for every n. Nothing in the program
//! knows of it: what is tested is what is shipped.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The system calls that change a disk, or make a change durable.
const MUTATING: &str = "open,openat,creat,mkdir,mkdirat,rename,renameat,renameat2,link,linkat,symlink,symlinkat,unlink,\
unlinkat,rmdir,write,pwrite64,writev,pwritev,pwritev2,ftruncate,truncate,fallocate,fsync,fdatasync,syncfs,\
utimensat,chmod,fchmod,fchmodat,copy_file_range,sendfile";

/// The system calls by which a shell runs something.
const RUNNING: &str = "clone,clone3,vfork,fork";

const BECOME_NOBODY: [&str; 3] = ["--reuid=65534", "--regid=65534", "--clear-groups"];

/// One effect of a program: the n-th call of this name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    syscall: String,
    nth: usize,
    shown: String,
}

impl Effect {
    /// Whether it is a call of this name whose arguments, as `strace` shows them, hold this text.
    pub fn is(&self, syscall: &str, text: &str) -> bool {
        self.syscall == syscall && self.shown.contains(text)
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} #{}: {:.160}", self.syscall, self.nth, self.shown)
    }
}

/// What happens to the program at an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blow {
    /// SIGKILL, before the call is carried out.
    Kill,
    /// The call answers with this error and does nothing.
    Error(&'static str),
}

/// A program with its arguments, to be run again and again.
#[derive(Debug, Clone)]
pub struct Program {
    path: PathBuf,
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    lacks: Vec<(&'static str, &'static str)>,
    alone: bool,
}

impl Program {
    /// The program at this path.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), args: Vec::new(), env: Vec::new(), lacks: Vec::new(), alone: false }
    }

    /// With one more argument.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// What one would type: the program, and its arguments.
    pub fn words(&self) -> impl Iterator<Item = &std::ffi::OsStr> {
        std::iter::once(self.path.as_os_str()).chain(self.args.iter().map(OsString::as_os_str))
    }

    /// With an environment variable; beside those set here it has none but PATH.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// On a system where this call always answers with this error: a file system that cannot do such a thing.
    #[must_use]
    pub fn lacking(mut self, syscall: &'static str, error: &'static str) -> Self {
        self.lacks.push((syscall, error));
        self
    }

    /// The same program; the programs that it runs are let alone.
    #[must_use]
    pub fn alone(mut self) -> Self {
        self.alone = true;
        self
    }

    /// The same program, run by somebody who is bound by permissions, which root is not: nobody, if we are root.
    ///
    /// # Panics
    /// If the machine does not tell who we are.
    #[must_use]
    pub fn unprivileged(self) -> Self {
        if !is_root() {
            return self;
        }
        let args = BECOME_NOBODY.into_iter().map(OsString::from).chain([self.path.into()]).chain(self.args);
        Self { path: "setpriv".into(), args: args.collect(), ..self }
    }

    /// Runs it undisturbed.
    ///
    /// # Panics
    /// If it cannot be started.
    pub fn run(&self) -> Output {
        if self.lacks.is_empty() {
            return self.finish(&mut Command::new(&self.path));
        }
        let mut command = Command::new("strace");
        command.args(["-qq", "-f", "-o", "/dev/null"]).arg("-e").arg(self.traced(None));
        self.finish(command.args(self.lacking_calls()).arg("--").arg(&self.path))
    }

    /// Its effects, in the order in which an undisturbed run has them.
    ///
    /// # Panics
    /// If `strace` cannot be run, or sees no effect: then the test would prove nothing.
    pub fn effects(&self) -> Vec<Effect> {
        let log = tempfile::NamedTempFile::new().unwrap();
        let mut command = Command::new("strace");
        command.args(["-qq", "-f", "-y", "-s", "4096", "-e", "signal=none", "-o"]).arg(log.path());
        command
            .arg("-e")
            .arg(format!("trace={MUTATING}"))
            .args(self.lacking_calls())
            .args(self.letting_alone())
            .arg("--")
            .arg(&self.path);
        let output = self.finish(&mut command);
        let log = std::fs::read(log.path()).unwrap();
        let mut effects = parse_log(&String::from_utf8_lossy(&log));
        effects.retain(|effect| !self.lacks.iter().any(|(syscall, _)| effect.syscall == *syscall));
        assert!(!effects.is_empty(), "strace saw no effect: {}", String::from_utf8_lossy(&output.stderr));
        effects
    }

    /// Runs it, and strikes at one effect.
    ///
    /// # Panics
    /// If `strace` cannot be started.
    pub fn run_struck(&self, effect: &Effect, blow: Blow) -> Output {
        let what = match blow {
            Blow::Kill => "signal=SIGKILL".to_owned(),
            Blow::Error(errno) => format!("error={errno}"),
        };
        let mut command = Command::new("strace");
        command.args(["-qq", "-f", "-o", "/dev/null", "-e"]).arg(self.traced(Some(&effect.syscall)));
        command.args(self.lacking_calls()).args(self.letting_alone());
        command.arg("-e").arg(format!("inject={}:{what}:when={}", effect.syscall, effect.nth));
        command.arg("--").arg(&self.path);
        self.finish(&mut command)
    }

    /// What `strace` has to look at: these calls and those that are lacking.
    fn traced(&self, syscall: Option<&str>) -> String {
        let lacking = self.lacks.iter().map(|(lacking, _)| *lacking);
        format!("trace={}", syscall.into_iter().chain(lacking).collect::<Vec<_>>().join(","))
    }

    fn lacking_calls(&self) -> impl Iterator<Item = String> {
        self.lacks
            .iter()
            .flat_map(|(syscall, error)| ["-e".into(), format!("inject={syscall}:error={error}")])
    }

    fn letting_alone(&self) -> &[&str] {
        if self.alone { &["-b", "execve"] } else { &[] }
    }

    fn finish(&self, command: &mut Command) -> Output {
        command.args(&self.args).env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        command.envs(self.env.iter().cloned()).stdin(Stdio::null());
        command.output().unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"))
    }
}

/// What `strace` is told so that it notes a program's own steps in a file: its effects, and the programs it runs, which are
/// let alone.
pub fn noting(log: &Path) -> Vec<OsString> {
    let calls = format!("trace={MUTATING},{RUNNING}");
    let words = ["-qq", "-y", "-e", &calls, "-e", "signal=none", "-o"].map(OsString::from);
    words.into_iter().chain([log.into()]).collect()
}

/// What was noted so.
///
/// # Panics
/// If nothing was.
pub fn noted(log: &Path) -> Vec<Effect> {
    parse_log(&String::from_utf8_lossy(&std::fs::read(log).unwrap()))
}

/// What `strace` is told so that it kills a program at one of those steps.
pub fn killing(at: &Effect) -> Vec<OsString> {
    let (call, nth) = (&at.syscall, at.nth);
    let trace = [format!("trace={call}"), format!("inject={call}:signal=SIGKILL:when={nth}")];
    ["-qq", "-o", "/dev/null", "-e", &trace[0], "-e", &trace[1]].map(OsString::from).to_vec()
}

/// A program, run by whom [`Program::unprivileged`] runs as.
pub fn unprivileged(program: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.args(BECOME_NOBODY).arg(program);
    command
}

/// Gives a folder and all in it to whom [`Program::unprivileged`] runs as.
///
/// # Panics
/// If `chown` fails.
pub fn hand_over(folder: &Path) {
    if is_root() {
        let given = Command::new("chown").args(["-R", "65534:65534"]).arg(folder).status().unwrap();
        assert!(given.success(), "chown {}", folder.display());
    }
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    tempfile::tempdir().unwrap().path().metadata().unwrap().uid() == 0
}

/// A place for a loop that lays out a world hundreds of times: in memory where the system offers that, since what is
/// counted is calls and not how long a disk takes to answer them.
///
/// # Panics
/// If there is no room for it.
pub fn place() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory).unwrap() } else { tempfile::tempdir().unwrap() }
}

/// The path of an example of the crate under test, which `cargo test` and `cargo nextest` build beside the tests.
///
/// # Panics
/// If it has not been built.
pub fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test.parent().and_then(Path::parent).unwrap().join("examples").join(name);
    assert!(path.exists(), "{} has not been built", path.display());
    path
}

/// Numbers the calls of each name, and leaves out those that change nothing: files opened only to be read, and writes to
/// the standard streams.
fn parse_log(log: &str) -> Vec<Effect> {
    let mut counts = std::collections::HashMap::<String, usize>::new();
    let mut effects = Vec::new();
    for line in log.lines() {
        let call = line.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start();
        let Some((syscall, rest)) = call.split_once('(') else { continue };
        if !syscall.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            continue; // "<... resumed>" and the like
        }
        let nth = counts.entry(syscall.to_owned()).or_default();
        *nth += 1;
        let only_reads =
            syscall.starts_with("open") && !rest.contains("O_CREAT") && !rest.contains("O_TRUNC");
        let talks = syscall.starts_with("write") && (rest.starts_with("1<") || rest.starts_with("2<"));
        if !only_reads && !talks {
            effects.push(Effect { syscall: syscall.to_owned(), nth: *nth, shown: rest.to_owned() });
        }
    }
    effects
}
