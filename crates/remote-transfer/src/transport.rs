//! What it takes to work on another host: commands with streams, over one connection.

use std::borrow::Cow;
use std::io::{self, Read, Write};
use std::time::Instant;

use durable_files::Meter;

use crate::quote;

/// A connection to another host, on which commands are run one after the other.
///
/// Made by [`TransportKind::open`](crate::TransportKind::open). Every one is strict about host keys, notices within
/// [`Target::silence`](crate::Target::silence) that the peer is dead, and heeds within a second a [`Meter`] that says
/// stop.
pub trait Transport: Send {
    /// Whom it talks to, for people: `claude@agent-1`.
    fn peer(&self) -> &str;

    /// A further one to the same host, for whoever works there at the same time: over the same connection, where a
    /// connection can be shared.
    fn another(&self) -> Box<dyn Transport>;

    /// Starts a command; what is written to it goes to its standard input. The meter is asked while one waits for the
    /// other host.
    fn start<'a>(
        &'a mut self,
        command: &RemoteCommand,
        meter: &'a mut dyn Meter,
    ) -> Result<Box<dyn Running + 'a>, TransportError>;

    /// Opens a subsystem that the far sshd offers, such as `sftp`. The meter is asked as long as it is open: once that
    /// says stop, reading fails with [`TransportError::Stopped`].
    fn subsystem<'a>(
        &'a mut self,
        name: &str,
        meter: &'a mut dyn Meter,
    ) -> Result<Box<dyn Duplex + 'a>, TransportError>;

    /// Starts a command that one talks with: what it prints can be read while it is at work. How it ends is not told: what
    /// one wants to know of that it has to print. The meter is asked while one waits.
    fn converse<'a>(
        &'a mut self,
        _command: &RemoteCommand,
        _meter: &'a mut dyn Meter,
    ) -> Result<Box<dyn Duplex + 'a>, TransportError> {
        let (peer, what) = (self.peer().to_owned(), "commands that are talked with".to_owned());
        Err(TransportError::NotOffered { peer, what, message: "this transport has none".to_owned() })
    }

    /// Runs a command with this on its standard input and waits for its end.
    fn run(
        &mut self,
        command: &RemoteCommand,
        input: &[u8],
        meter: &mut dyn Meter,
    ) -> Result<Ended, TransportError> {
        self.start(command, meter)?.given(input)
    }
}

/// A command at work on the other host. What it prints is kept while one writes, so neither side waits for the other.
/// Dropped before its end, it is left to itself: it finds its standard input closed.
pub trait Running: Write {
    /// Ends its standard input and waits for it.
    fn finish(self: Box<Self>) -> Result<Ended, TransportError>;

    /// Gives it all that it shall read, and waits for its end.
    fn given(mut self: Box<Self>, input: &[u8]) -> Result<Ended, TransportError> {
        // A command that ends before it has read everything says itself why.
        let _ = self.write_all(input);
        self.finish()
    }
}

/// Both directions of a subsystem, or of a command. Reading gives nothing once the far side has closed.
pub trait Duplex: Read + Write {
    /// When it has to be over: from then on it is closed, and reading it fails with `TimedOut`, were it in the middle of
    /// an answer. A link that is alive says nothing of the program behind it.
    fn set_deadline(&mut self, deadline: Instant);
}

/// A script of ours with its arguments, which reach it whole whatever they are made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteCommand {
    line: Vec<u8>,
    /// The same for a `sh` that runs already.
    within: Option<Vec<u8>>,
    limit: usize,
}

impl RemoteCommand {
    /// What a command may print unless said otherwise, in bytes, on each stream.
    pub const LIMIT: usize = 1 << 20;

    /// A script for the far side's `sh`, whatever the login shell is. Its arguments are `$1`, `$2`, …
    pub fn sh(script: &str, arguments: &[&[u8]]) -> Self {
        let mut within = b"unset CDPATH; set --".to_vec();
        add(&mut within, arguments);
        within.push(b'\n');
        within.extend_from_slice(script.trim_end().as_bytes()); // a shell drops line ends at the end of what it takes in
        Self { within: Some(within), ..Self::through("exec sh -c ", script, arguments) }
    }

    /// The same as root, on a host that asks no password for it.
    pub fn sudo(script: &str, arguments: &[&[u8]]) -> Self {
        Self::through("exec sudo -n -- sh -c ", script, arguments)
    }

    fn through(shell: &str, script: &str, arguments: &[&[u8]]) -> Self {
        let mut line = shell.as_bytes().to_vec();
        // With a CDPATH of the user's, `cd` would go elsewhere and say so.
        line.extend(quote(format!("unset CDPATH; {script}").as_bytes()));
        line.extend_from_slice(b" sh");
        add(&mut line, arguments);
        Self { line, within: None, limit: Self::LIMIT }
    }

    /// The same command, which may print this many bytes on its standard output.
    #[must_use]
    pub fn printing_up_to(self, limit: usize) -> Self {
        Self { limit, ..self }
    }

    /// The line for the login shell.
    pub fn line(&self) -> &[u8] {
        &self.line
    }

    /// What a `sh` has to evaluate that runs already: it need not begin another.
    #[cfg(unix)]
    pub(crate) fn within_sh(&self) -> &[u8] {
        self.within.as_deref().unwrap_or(&self.line)
    }

    /// The same line as text, for a transport that knows nothing else: whatever is not UTF-8 is spelled out, and put
    /// together again by the far side's `printf`.
    pub fn text(&self) -> Cow<'_, str> {
        if let Ok(line) = std::str::from_utf8(&self.line) {
            return Cow::Borrowed(line);
        }
        let mut spelled = Vec::new();
        for &byte in &self.line {
            match byte {
                b'\\' => spelled.extend_from_slice(br"\\"),
                0x80.. => spelled.extend_from_slice(format!("\\0{byte:o}").as_bytes()),
                byte => spelled.push(byte),
            }
        }
        let line = Self::sh(r#"eval "$(printf %b "$1")""#, &[&spelled]).line;
        Cow::Owned(String::from_utf8(line).expect("because all of it is ASCII now"))
    }

    /// How many bytes of its standard output are kept.
    pub fn limit(&self) -> usize {
        self.limit
    }
}

/// Adds words to a line.
fn add(line: &mut Vec<u8>, words: &[&[u8]]) {
    for word in words {
        line.push(b' ');
        line.extend(quote(word));
    }
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ended {
    /// Its exit status; none if a signal ended it or the far side sent none.
    pub status: Option<i32>,
    /// What it printed.
    pub stdout: Vec<u8>,
    /// What it complained of, cut at [`RemoteCommand::LIMIT`].
    pub stderr: Vec<u8>,
}

impl Ended {
    /// Whether it ended well.
    pub fn is_success(&self) -> bool {
        self.status == Some(0)
    }

    /// The last lines of its complaint, for an error message: control characters are shown, not sent to the terminal.
    pub fn complaint(&self) -> String {
        let text = String::from_utf8_lossy(&self.stderr);
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        let last = lines.iter().skip(lines.len().saturating_sub(3));
        last.map(|line| crate::words(line)).collect::<Vec<_>>().join("; ")
    }
}

/// Why there is no talking to the other host. The link's own failures only: what a command says is in [`Ended`].
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// The host's key is not known.
    #[error("the key of {peer} is not known{}", fingerprint.as_ref().map(|f| format!(" ({f})")).unwrap_or_default())]
    UnknownHostKey {
        /// Whom one talked to.
        peer: String,
        /// The key that was offered, as `SHA256:…`, where the transport tells.
        fingerprint: Option<String>,
    },
    /// The host shows another key than the known one.
    #[error("the key of {peer} is not the known one: this may be another machine, or somebody in between")]
    ChangedHostKey {
        /// Whom one talked to.
        peer: String,
    },
    /// The host does not let us in.
    #[error("{peer} refuses the key: {message}")]
    Refused {
        /// Whom one talked to.
        peer: String,
        /// What was said.
        message: String,
    },
    /// Nobody answers.
    #[error("{peer} cannot be reached: {message}")]
    Unreachable {
        /// Whom one wanted to talk to.
        peer: String,
        /// What was said.
        message: String,
    },
    /// The link was lost, or the peer fell silent.
    #[error("the link to {peer} was lost: {message}")]
    Lost {
        /// Whom one talked to.
        peer: String,
        /// What was said.
        message: String,
    },
    /// Its sshd allows fewer sessions on one connection than it takes.
    #[error("{peer} allows too few sessions on one connection (MaxSessions of its sshd): {message}")]
    TooFewSessions {
        /// Whom one talked to.
        peer: String,
        /// What was said.
        message: String,
    },
    /// The other host offers no such subsystem, or runs no commands.
    #[error("{peer} does not offer {what}: {message}")]
    NotOffered {
        /// Whom one talked to.
        peer: String,
        /// The subsystem or command.
        what: String,
        /// What was said.
        message: String,
    },
    /// The command printed more than it may.
    #[error("{peer} sent more than {limit} bytes where less was expected")]
    TooMuch {
        /// Whom one talked to.
        peer: String,
        /// The limit that was passed.
        limit: usize,
    },
    /// The [`Meter`] said stop.
    #[error("stopped")]
    Stopped,
    /// This machine's own part failed.
    #[error("cannot {doing}: {source}")]
    Local {
        /// What was being done.
        doing: String,
        /// What the system said.
        source: io::Error,
    },
}

impl From<TransportError> for io::Error {
    fn from(error: TransportError) -> Self {
        Self::other(error)
    }
}
