//! A transport to this very machine: the far end's scripts, without a network.

use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread::JoinHandle;

use durable_files::Meter;
use remote_transfer::{Duplex, Ended, RemoteCommand, Running, Transport, TransportError};
use testkit::crash::{self, Effect};

/// After how many commands somebody does what to the base.
pub(crate) type Meanwhile = (usize, fn(&Path));

/// Runs commands here. The link can be made to break.
#[derive(Debug, Default)]
pub(crate) struct Here {
    /// After how many further commands the link is lost, if ever.
    pub(crate) commands: Option<usize>,
    /// What somebody else does there, just before the command that comes after so many others.
    pub(crate) meanwhile: Option<Meanwhile>,
    /// The base in which they do it.
    pub(crate) base: PathBuf,
    /// After how many bytes into a command's standard input the link is lost, if ever.
    pub(crate) bytes: Option<usize>,
    /// What happens to its shells.
    pub(crate) shells: Shells,
    /// Whether one is nobody in particular there.
    pub(crate) unprivileged: bool,
    /// Sees each command before it begins, also those of further ones.
    pub(crate) watch: Option<fn(&[u8])>,
    /// How many commands there were.
    pub(crate) begun: usize,
}

/// What happens to the shells of the far side.
#[derive(Debug, Clone, Default)]
pub(crate) enum Shells {
    /// Nothing.
    #[default]
    LetAlone,
    /// The steps of each are noted in a file of this folder, called by its number.
    Noted(PathBuf),
    /// They find the programs of this folder before any other.
    Finding(PathBuf),
    /// The shell of this number is killed at this step.
    Killed(usize, Effect),
}

impl Shells {
    fn shell(&self, number: usize, unprivileged: bool) -> Command {
        let program = |name: &str| if unprivileged { crash::unprivileged(name) } else { Command::new(name) };
        let words = match self {
            Self::Noted(folder) => crash::noting(&folder.join(number.to_string())),
            Self::Killed(which, step) if *which == number => crash::killing(step),
            Self::Finding(folder) => {
                let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
                let mut shell = program("sh");
                shell.env("PATH", path);
                return shell;
            }
            _ => return program("sh"),
        };
        let mut shell = program("strace");
        shell.args(words).args(["--", "sh"]);
        shell
    }
}

struct Local {
    child: Child,
    input: Option<ChildStdin>,
    printed: [JoinHandle<Vec<u8>>; 2],
    left: Option<usize>,
}

fn lost() -> TransportError {
    TransportError::Lost { peer: "here".into(), message: "the test cut it".into() }
}

fn all(mut stream: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        bytes
    })
}

impl Transport for Here {
    fn peer(&self) -> &'static str {
        "here"
    }

    fn another(&self) -> Box<dyn Transport> {
        Box::new(Self { watch: self.watch, ..Self::default() })
    }

    fn start<'a>(
        &'a mut self,
        command: &RemoteCommand,
        _meter: &'a mut dyn Meter,
    ) -> Result<Box<dyn Running + 'a>, TransportError> {
        if let Some(watch) = self.watch {
            watch(command.line());
        }
        if let Some(left) = &mut self.commands {
            *left = left.checked_sub(1).ok_or_else(lost)?;
        }
        if let Some((left, act)) = &mut self.meanwhile {
            if *left == 0 {
                act(&self.base);
            }
            *left = left.wrapping_sub(1);
        }
        let mut shell = self.shells.shell(self.begun, self.unprivileged);
        self.begun += 1;
        shell.arg("-c").arg(std::ffi::OsStr::from_bytes(command.line()));
        shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = shell.spawn().expect("there is a shell");
        let printed = [all(child.stdout.take().expect("piped")), all(child.stderr.take().expect("piped"))];
        Ok(Box::new(Local { input: child.stdin.take(), child, printed, left: self.bytes }))
    }

    fn subsystem<'a>(
        &'a mut self,
        _name: &str,
        _meter: &'a mut dyn Meter,
    ) -> Result<Box<dyn Duplex + 'a>, TransportError> {
        Err(lost())
    }
}

impl Write for Local {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let len = self.left.map_or(bytes.len(), |left| left.min(bytes.len()));
        if len == 0 && !bytes.is_empty() {
            self.child.kill()?;
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        if let Some(left) = &mut self.left {
            *left -= len;
        }
        self.input.as_mut().expect("open until it is finished").write_all(&bytes[..len])?;
        Ok(len)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Running for Local {
    fn finish(mut self: Box<Self>) -> Result<Ended, TransportError> {
        drop(self.input.take());
        let status = self.child.wait().expect("it was started").code();
        let [stdout, stderr] = self.printed.map(|thread| thread.join().expect("it only reads"));
        if self.left == Some(0) { Err(lost()) } else { Ok(Ended { status, stdout, stderr }) }
    }
}
