//! Everything a tool may know of the process it runs in, as values.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::hash::{BuildHasher, Hasher};
use std::io::{BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};

use camino::{Utf8Path, Utf8PathBuf};
use session_model::Timestamp;

use crate::{Refusal, Stop};

/// Which of the standard streams are terminals.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Terminals {
    /// Somebody can answer.
    pub stdin: bool,
    /// Somebody reads the report.
    pub stdout: bool,
    /// Somebody sees progress and questions.
    pub stderr: bool,
}

/// The environment, the clock, chance and the wish to stop: gathered once, in `main`, and passed on as arguments.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// The environment variables. Ask [`Surroundings::var`], for which an empty one is unset.
    pub env: BTreeMap<OsString, OsString>,
    /// The user's home directory, if there is one.
    pub home: Option<PathBuf>,
    /// The directory that relative paths start from.
    pub cwd: PathBuf,
    /// Which streams are terminals.
    pub terminals: Terminals,
    /// The clock.
    pub now: fn() -> Timestamp,
    /// Tells runs of the same second apart.
    pub salt: u16,
    /// The wish to stop.
    pub stop: Stop,
}

impl Surroundings {
    /// Those of this process. Signals are listened to from now on.
    pub fn of_process() -> std::io::Result<Self> {
        let env: BTreeMap<_, _> = std::env::vars_os().collect();
        let home = std::env::home_dir().filter(|home| !home.as_os_str().is_empty());
        let chance = std::collections::hash_map::RandomState::new().build_hasher().finish();
        let [low, high, ..] = chance.to_le_bytes();
        Ok(Self {
            env,
            home,
            cwd: std::env::current_dir()?,
            terminals: Terminals {
                stdin: std::io::stdin().is_terminal(),
                stdout: std::io::stdout().is_terminal(),
                stderr: std::io::stderr().is_terminal(),
            },
            now: Timestamp::now,
            salt: u16::from_le_bytes([low, high]),
            stop: Stop::on_signals()?,
        })
    }

    /// A variable of the environment that is set and not empty.
    pub fn var(&self, name: &str) -> Option<&OsStr> {
        self.env.get(OsStr::new(name)).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }

    /// The path in a variable, made absolute.
    pub fn path_var(&self, name: &str) -> Option<PathBuf> {
        self.var(name).map(|value| self.absolute(value))
    }

    /// The path, starting from the working directory if it is relative. Symlinks and `..` stay as they are.
    pub fn absolute(&self, path: impl AsRef<Path>) -> PathBuf {
        self.cwd.join(path)
    }

    /// The same of what is UTF-8: below a working directory that is not, it stays as it is.
    pub fn absolute_utf8(&self, path: &Utf8Path) -> Utf8PathBuf {
        Utf8PathBuf::from_path_buf(self.absolute(path)).unwrap_or_else(|_| path.to_owned())
    }

    /// A path that the user named, made absolute. An empty one is the unset variable of some script, and would silently
    /// mean the working directory.
    pub fn named(&self, path: impl AsRef<Path>) -> Result<PathBuf, Refusal> {
        if path.as_ref().as_os_str().is_empty() {
            let hint = "name it, or leave the option out";
            return Err(Refusal::usage("path-empty", "expected a path, found an empty one", hint));
        }
        Ok(self.absolute(path))
    }

    /// The user's home directory, which a default needs.
    pub fn home(&self) -> Result<&Path, Refusal> {
        self.home.as_deref().ok_or_else(|| {
            Refusal::new(
                "no-home",
                "cannot find the home directory: HOME is not set",
                "set HOME, or name every path",
            )
        })
    }
}

/// The standard streams, or what a test puts in their place.
pub struct Streams<'a> {
    /// Answers to questions.
    pub stdin: &'a mut dyn BufRead,
    /// The report, and nothing else.
    pub stdout: &'a mut dyn Write,
    /// Progress, warnings, errors and questions.
    pub stderr: &'a mut dyn Write,
}

impl fmt::Debug for Streams<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Streams").finish_non_exhaustive()
    }
}
