//! Why a tool did not do what it was asked: always with the next command to type.

use durable_files::{DirLock, FileError, LockError, LockHolder, Shortage};
use migration_engine::{CreateError, OpenError, ReadRunError, RoomError, RunId, StepError};
use session_model::Finding;

use crate::Exit;

/// A refusal or failure of a whole run, as reports show it: one line, then a hint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// How the tool ends: [`Exit::Refused`] unless said otherwise.
    pub exit: Exit,
    /// A stable, kebab-case name that programs may match on.
    pub code: String,
    /// One sentence: what was being done, on what, what was expected and found.
    pub message: String,
    /// What to do about it: the next command to type.
    pub hint: String,
    /// The run it is about.
    pub run: Option<RunId>,
    /// What was found, where that is more than one sentence.
    pub findings: Vec<Finding>,
    /// Commands that go on from here.
    pub next: Vec<String>,
}

impl Refusal {
    /// A precondition of the whole run does not hold; nothing was written.
    pub fn new(code: impl Into<String>, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            exit: Exit::Refused,
            code: code.into(),
            message: message.into(),
            hint: hint.into(),
            run: None,
            findings: Vec::new(),
            next: Vec::new(),
        }
    }

    /// The command line does not make sense.
    pub fn usage(code: impl Into<String>, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(code, message, hint).exit(Exit::Usage)
    }

    /// Our own failure, or the world's.
    pub fn failure(code: impl Into<String>, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(code, message, hint).exit(Exit::Failed)
    }

    /// The same with another exit code.
    #[must_use]
    pub fn exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    /// The same, about a run.
    #[must_use]
    pub fn about(mut self, run: &RunId) -> Self {
        self.run = Some(run.clone());
        self
    }

    /// The same with what was found in detail.
    #[must_use]
    pub fn findings(mut self, findings: Vec<Finding>) -> Self {
        self.findings = findings;
        self
    }

    /// The same with commands that go on from here.
    #[must_use]
    pub fn next(mut self, commands: impl IntoIterator<Item = String>) -> Self {
        self.next.extend(commands);
        self
    }
}

impl From<LockError> for Refusal {
    fn from(error: LockError) -> Self {
        let held = "wait until it has ended, then say the same command again";
        let (code, hint) = match &error {
            LockError::Held(dir) => match DirLock::holder(dir) {
                Some(LockHolder { process, program }) => {
                    return Self::new("locked", format!("{error}: process {process}, {program}"), held);
                }
                None => ("locked", held),
            },
            LockError::File(error) if error.is_not_found() => {
                ("target", "check the path, or create the folder")
            }
            LockError::File(_) => ("target", "check the permissions of the folder"),
        };
        Self::new(code, error.to_string(), hint)
    }
}

const FREE_ROOM: &str = "free some room there, then say the same command again";

impl From<Shortage> for Refusal {
    fn from(short: Shortage) -> Self {
        Self::new("no-room", short.to_string(), FREE_ROOM)
    }
}

impl From<RoomError> for Refusal {
    fn from(error: RoomError) -> Self {
        match error {
            RoomError::Short(short) => short.into(),
            RoomError::File(error) => error.into(),
        }
    }
}

impl From<FileError> for Refusal {
    fn from(error: FileError) -> Self {
        if error.is_for_lack_of_room() {
            return Self::new("no-room", error.to_string(), FREE_ROOM);
        }
        let hint = format!("look at {}: does it exist, and may you read and write it?", error.path.display());
        Self::new("io", error.to_string(), hint)
    }
}

impl From<CreateError> for Refusal {
    fn from(error: CreateError) -> Self {
        Self::new(
            "state-dir",
            format!("cannot create the run: {error}"),
            "pass a writable folder: --state-dir DIR",
        )
    }
}

impl From<OpenError> for Refusal {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Read(error) => error.into(),
            OpenError::Lock(error) => error.into(),
        }
    }
}

impl From<ReadRunError> for Refusal {
    fn from(error: ReadRunError) -> Self {
        let (code, hint) = match &error {
            ReadRunError::Unknown { .. } => {
                ("unknown-run", "the verb `runs` lists the runs; is this the right --state-dir?")
            }
            ReadRunError::Format { .. } => ("run-format", "use the version of the tool that made the run"),
            ReadRunError::File(_) => ("state-dir", "pass a folder that you may read: --state-dir DIR"),
            ReadRunError::Plan(_) | ReadRunError::Journal(_) => (
                "unreadable-run",
                "the verb `runs` shows where it lies; move its folder away once nothing depends on it",
            ),
        };
        Self::new(code, error.to_string(), hint)
    }
}

/// For reading and planning, before any run exists.
impl From<StepError> for Refusal {
    fn from(error: StepError) -> Self {
        let hint = "say the same command again once the cause is gone";
        match error {
            StepError::Item(cause) | StepError::World(cause) => {
                Self::failure(cause.code, cause.message, hint)
            }
            // Whoever stops has set the flag, from which the driver takes the exit code.
            StepError::Stopped => Self::failure("stopped", "stopped before anything was written", hint),
        }
    }
}
