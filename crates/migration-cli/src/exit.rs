//! How a tool ends, for whoever called it.

/// The exit code of a tool; the same table holds for all of them (docs/exit-codes.md).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Exit {
    /// Everything arrived, or there was nothing to do.
    #[default]
    Done = 0,
    /// Our own failure, or the world failed in mid-run; the run stands.
    Failed = 1,
    /// The command line is not one we understand.
    Usage = 2,
    /// Some item is in conflict, quarantined or failed.
    Partial = 3,
    /// A precondition of the whole run does not hold; nothing was written.
    Refused = 4,
    /// What was left does not stand as it was left, or does not mean what it should.
    Unverified = 5,
    /// An interrupted run must be resumed or undone first.
    Unfinished = 7,
    /// Stopped by SIGINT.
    Interrupted = 130,
    /// Stopped by SIGTERM.
    Terminated = 143,
}

impl Exit {
    /// Every way to end, in the order of the table.
    pub const ALL: [Self; 9] = [
        Self::Done,
        Self::Failed,
        Self::Usage,
        Self::Partial,
        Self::Refused,
        Self::Unverified,
        Self::Unfinished,
        Self::Interrupted,
        Self::Terminated,
    ];

    /// The number that the process ends with.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// What it means, in one line: the wording of the table and of the man pages.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Done => "done; also: nothing to do",
            Self::Failed => {
                "our own failure, or the world failed in mid-run (no room, I/O error, link or database lost); the run \
                 stands, and its resume and undo commands are printed"
            }
            Self::Usage => "the command line was not understood",
            Self::Partial => {
                "partial: some item is in conflict, quarantined or failed, or was kept by an undo"
            }
            Self::Refused => "refused, nothing written: a precondition of the whole run does not hold",
            Self::Unverified => "verification failed",
            Self::Unfinished => "an interrupted run must be resumed or undone first",
            Self::Interrupted => "stopped by SIGINT; the resume command is printed",
            Self::Terminated => "stopped by SIGTERM; the resume command is printed",
        }
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}
