//! Why something is not done to a session: in the words that its users know (formats/convocate.md §5 to §8, §10).

use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use durable_files::{CopyError, FileError, LockError, PublishError, Shortage};
use remote_transfer::quote;

use crate::{ContainersError, Invalid, NotAnId, Process};

/// Why something is not done to a session.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// What was to be said of it cannot be said.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// What names it is no id.
    #[error(transparent)]
    NotAnId(#[from] NotAnId),
    /// There is none of this id.
    #[error("session {id:?} does not exist")]
    Missing {
        /// The id.
        id: String,
    },
    /// Its document cannot be read.
    #[error("failed to read session metadata: {}: {source}", path.display())]
    Unreadable {
        /// The document.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Its document is none.
    #[error("failed to parse session metadata: {}: {reason}", path.display())]
    Unparsable {
        /// The document.
        path: PathBuf,
        /// What is wrong, with line and column and without content.
        reason: String,
    },
    /// Another session of the host has that port.
    #[error("port {port}/{protocol} is already assigned to another session")]
    PortTaken {
        /// The port.
        port: i64,
        /// Its protocol.
        protocol: String,
    },
    /// Every port is somebody's.
    #[error("no available port at or above {from}")]
    NoPort {
        /// Where the search began.
        from: i64,
    },
    /// Another session has that DNS name.
    #[error("DNS name {name:?} is already assigned to another session")]
    DnsTaken {
        /// The name.
        name: String,
    },
    /// It runs, and should not.
    #[error("session {name:?} already running")]
    AlreadyRunning {
        /// The session's name.
        name: String,
    },
    /// It does not run, and should.
    #[error("session {name:?} is not running")]
    NotRunning {
        /// The session's name.
        name: String,
    },
    /// Nobody is attached to it.
    #[error("session {name:?} is not connected")]
    NotConnected {
        /// The session's name.
        name: String,
    },
    /// A process holds its lock.
    #[error("session {id:?} is already locked (another instance may be running)")]
    Locked {
        /// The id.
        id: String,
        /// Who holds it, where that can be told.
        owner: Option<Process>,
    },
    /// It has no lock.
    #[error("session {id:?} is not locked")]
    NotLocked {
        /// The id.
        id: String,
    },
    /// Its lock's owner lives.
    #[error("session {id:?} is actively in use by process {}", owner.pid)]
    InUse {
        /// The id.
        id: String,
        /// The owner.
        owner: Process,
    },
    /// It may not be removed while it is locked.
    #[error("session {id:?} is currently locked (in use)")]
    LockedInUse {
        /// The id.
        id: String,
        /// Who holds it, where that can be told.
        owner: Option<Process>,
    },
    /// It is left behind on a shell host, which runs no containers.
    #[error("session is a local orphan; migrate it to a convocate-agent before operating on it")]
    Orphan,
    /// Nobody knows whether it runs.
    #[error("check running: {0}")]
    CheckRunning(#[source] ContainersError),
    /// The program that every session runs is not there.
    #[error(
        "failed to start container: there is no {}, which every session runs: install it there first",
        program.display()
    )]
    NoClaude {
        /// Where it was looked for.
        program: PathBuf,
    },
    /// Its container was not started.
    #[error("failed to start container: {0}")]
    Start(String),
    /// Its container was not stopped.
    #[error("failed to stop container: {0}")]
    Stop(String),
    /// Nobody was detached.
    #[error("failed to detach tmux clients: {0}")]
    Detach(String),
    /// Somebody else is changing which sessions there are.
    #[error("another operation or a migration is at work in {}: try again when it has ended", base.display())]
    Busy {
        /// The folder that it has to itself.
        base: PathBuf,
    },
    /// Something is mounted in it, which would be emptied.
    #[error("session {id:?} cannot be removed while something is mounted in it: {}", unmounting(at))]
    Mounted {
        /// The id.
        id: String,
        /// Where it is mounted.
        at: PathBuf,
    },
    /// Whoever waited for it said stop.
    #[error("stopped before anything was made or removed")]
    Stopped,
    /// The same when its container had been stopped already.
    #[error("stopped: its container was stopped, and its files are all there")]
    OnlyItsContainer,
    /// The same while the engine was at work for it.
    #[error("stopped waiting for the container engine, which may go on {doing}; nothing else was done")]
    NotAwaited {
        /// With what.
        doing: &'static str,
        /// The process of ours that goes on with it, and has the session's lock if it was ours.
        by: Option<u32>,
    },
    /// There is less room than it takes.
    #[error(transparent)]
    NoRoom(#[from] Shortage),
    /// A copy is not what it should be.
    #[error(transparent)]
    Copy(CopyError),
    /// This machine failed.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl SessionError {
    /// A short name of it that does not change, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "invalid",
            Self::NotAnId(_) => "not-an-id",
            Self::Missing { .. } => "no-such-session",
            Self::Unreadable { .. } | Self::Unparsable { .. } => "session-json",
            Self::PortTaken { .. } | Self::NoPort { .. } => "port-taken",
            Self::DnsTaken { .. } => "dns-taken",
            Self::AlreadyRunning { .. } => "already-running",
            Self::NotRunning { .. } => "not-running",
            Self::NotConnected { .. } => "not-connected",
            Self::Locked { .. } | Self::InUse { .. } | Self::LockedInUse { .. } => "locked",
            Self::NotLocked { .. } => "not-locked",
            Self::Orphan => "orphan",
            Self::CheckRunning(_) | Self::Start(_) | Self::Stop(_) | Self::Detach(_) => "container",
            Self::NoClaude { .. } => "no-claude",
            Self::Busy { .. } => "busy",
            Self::Mounted { .. } => "mounted",
            Self::Stopped | Self::OnlyItsContainer | Self::NotAwaited { .. } => "stopped",
            Self::NoRoom(_) => "no-room",
            Self::Copy(_) | Self::Io { .. } => "io",
        }
    }

    /// The same of what an agent of ours calls it.
    pub(crate) fn known(code: &str) -> Option<&'static str> {
        CODES.into_iter().find(|known| *known == code)
    }

    /// The same for what an original agent said, which tells no more than its words.
    pub(crate) fn code_of(words: &str) -> &'static str {
        let about = after_quoted("session ", words);
        let is = |sentences: &[(&str, &'static str)], words: &str| {
            sentences.iter().find(|(begins, _)| words.starts_with(begins)).map(|&(_, code)| code)
        };
        let taken = words.ends_with("is already assigned to another session");
        about
            .and_then(|rest| is(&OF_A_SESSION, rest))
            .or_else(|| after_quoted("DNS name ", words).filter(|_| taken).map(|_| "dns-taken"))
            .or_else(|| (words.starts_with("port ") && taken).then_some("port-taken"))
            .or_else(|| is(&[(" is not the id of a session", "not-an-id")], after_quoted("", words)?))
            .or_else(|| is(&SENTENCES, words))
            .unwrap_or("refused")
    }
}

/// All short names, of hosts of every kind.
const CODES: [&str; 24] = [
    "invalid",
    "not-an-id",
    "no-such-session",
    "session-json",
    "port-taken",
    "dns-taken",
    "already-running",
    "not-running",
    "not-connected",
    "locked",
    "not-locked",
    "orphan",
    "container",
    "no-claude",
    "busy",
    "no-room",
    "mounted",
    "io",
    "stopped",
    "refused",
    "half-done",
    "still-at-work",
    "agent-unreachable",
    "agent",
];

/// The command that unmounts what is mounted there.
pub(crate) fn unmounting(at: &Path) -> String {
    format!("sudo umount -- {}", String::from_utf8_lossy(&quote(at.as_os_str().as_bytes())))
}

/// What comes after `session "…"`.
const OF_A_SESSION: [(&str, &str); 9] = [
    (" does not exist", "no-such-session"),
    (" not found", "no-such-session"),
    (" already running", "already-running"),
    (" is not running", "not-running"),
    (" is not connected", "not-connected"),
    (" is not locked", "not-locked"),
    (" is already locked", "locked"),
    (" is actively in use by process ", "locked"),
    (" is currently locked", "locked"),
];

/// How other sentences begin.
const SENTENCES: [(&str, &str); 15] = [
    ("session not found", "no-such-session"),
    ("failed to read session metadata", "session-json"),
    ("failed to parse session metadata", "session-json"),
    ("no available port ", "port-taken"),
    ("invalid port: ", "invalid"),
    ("protocol must be ", "invalid"),
    ("session name ", "invalid"),
    ("DNS name ", "invalid"),
    ("DNS label ", "invalid"),
    ("session is a local orphan", "orphan"),
    ("check running: ", "container"),
    ("failed to start container: ", "container"),
    ("failed to stop container: ", "container"),
    ("failed to detach tmux clients", "container"),
    ("another operation or a migration is at work in ", "busy"),
];

/// What comes after a text in quotation marks, which may hold anything, if the words begin like this.
fn after_quoted<'w>(before: &str, words: &'w str) -> Option<&'w str> {
    let quoted = words.strip_prefix(before)?.strip_prefix('"')?;
    let mut escaped = false;
    let end = quoted.find(|c| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    })?;
    Some(&quoted[end + 1..])
}

impl From<FileError> for SessionError {
    fn from(FileError { doing, path, source }: FileError) -> Self {
        Self::Io { doing, path, source }
    }
}

impl From<LockError> for SessionError {
    fn from(error: LockError) -> Self {
        match error {
            LockError::File(error) => error.into(),
            LockError::Held(base) => Self::Busy { base },
        }
    }
}

impl From<CopyError> for SessionError {
    fn from(error: CopyError) -> Self {
        match error {
            CopyError::File(error) => error.into(),
            CopyError::Stopped => Self::Stopped,
            error => Self::Copy(error),
        }
    }
}

impl From<PublishError> for SessionError {
    fn from(error: PublishError) -> Self {
        match error {
            PublishError::File(error) => error.into(),
            PublishError::Occupied(path) => {
                let source = io::ErrorKind::AlreadyExists.into();
                Self::Io { doing: "move into place", path, source }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::SessionError;

    #[test]
    fn what_an_original_agent_refuses_is_known_by_its_whole_sentence() {
        let told = [
            ("session \"a\" does not exist", "no-such-session"),
            ("session \"x is not locked\" already running", "already-running"),
            ("session \"a\\\" does not exist\" is actively in use by process 7", "locked"),
            ("session \"a\" is currently locked (in use)", "locked"),
            ("session not found", "no-such-session"),
            ("session name cannot be empty", "invalid"),
            ("port 53/udp is already assigned to another session", "port-taken"),
            ("invalid port: 65536", "invalid"),
            ("DNS name \"a\" is already assigned to another session", "dns-taken"),
            ("DNS name too long (max 253 chars)", "invalid"),
            ("failed to start container: exit status 125: port is already allocated", "container"),
            ("cannot copy /transport.log: session \"a\" does not exist", "refused"),
            ("\"../x\" is not the id of a session: expected 36 characters", "not-an-id"),
            ("exit status 1", "refused"),
        ];
        for (words, code) in told {
            assert_eq!(SessionError::code_of(words), code, "{words}");
        }
        assert_eq!([SessionError::known("locked"), SessionError::known("made-up")], [Some("locked"), None]);
    }
}
