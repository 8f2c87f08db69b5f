//! A session's container: who is attached to it, detaching and stopping, and any other command.

use std::ffi::OsStr;
use std::io;
use std::process::ExitStatus;
use std::thread;
use std::time::{Duration, Instant};

use super::Containers;
use crate::Profile;
use crate::deadline::{GoesOn, Unawaited};

/// Why the engine has not done it, as far as anybody knows.
#[derive(Debug)]
pub(crate) struct Complaint {
    /// What it said.
    pub(crate) said: String,
    /// The process that goes on with it, since somebody has said stop.
    pub(crate) goes_on: Option<u32>,
}

impl From<String> for Complaint {
    fn from(said: String) -> Self {
        Self { said, goes_on: None }
    }
}

impl Containers {
    /// Whether anybody is attached to the tmux session in this container, if it can tell in time. Where nobody can be
    /// attached, nobody is: one that has just begun has no tmux yet.
    pub(crate) fn attachment(&self, container: &str, profile: &Profile) -> Option<bool> {
        let words = tmux(container, profile, ["list-clients", "-t", profile.tmux]);
        let clients = self.output(self.command().args(words), self.looking, Unawaited::Ends).ok()?;
        Some(clients.status.success() && !clients.stdout.trim_ascii().is_empty())
    }

    /// Whether anybody is attached, or why nobody knows.
    pub(crate) fn is_attached(&self, container: &str, profile: &Profile) -> Result<bool, Complaint> {
        let clients =
            self.order(tmux(container, profile, ["list-clients", "-t", profile.tmux]), self.within)?;
        Ok(!clients.trim_ascii().is_empty())
    }

    /// Detaches everybody.
    pub(crate) fn detach(&self, container: &str, profile: &Profile) -> Result<(), Complaint> {
        let words = tmux(container, profile, ["detach-client", "-s", profile.tmux]);
        self.order(words, self.within).map(drop)
    }

    /// Stops a container: it may end, and is ended after ten seconds. Then its name is free again.
    pub(crate) fn stop(&self, container: &str) -> Result<(), Complaint> {
        self.order(["stop", "-t", "10", container], self.stopping)?;
        // The engine tidies up after it has answered.
        let begun = Instant::now();
        let named = format!("name=^{container}$");
        let all = ["ps", "--all", "--quiet", "--filter", &named];
        while begun.elapsed() < self.within && self.ask(&all).is_ok_and(|left| !left.is_empty()) {
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Runs a command that does something, and gives what it printed.
    pub(crate) fn order<W: AsRef<OsStr>>(
        &self,
        words: impl IntoIterator<Item = W>,
        within: Duration,
    ) -> Result<Vec<u8>, Complaint> {
        let begun = Instant::now();
        let mut command = self.command();
        let output = self.output(command.args(words), within, Unawaited::GoesOn).map_err(|error| {
            let program = self.program.display();
            let said = match error.kind() {
                io::ErrorKind::TimedOut => {
                    format!("{program} has not answered within {} seconds", begun.elapsed().as_secs())
                }
                _ => format!("cannot run {program}: {error}"),
            };
            let goes_on = error.get_ref().and_then(|error| error.downcast_ref()).map(|GoesOn(pid)| *pid);
            Complaint { said, goes_on }
        })?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        let lines = said.lines().map(str::trim).filter(|line| !line.is_empty());
        let lines: Vec<String> = lines.map(|line| line.escape_debug().to_string()).collect();
        Err(format!("{}: {}", ended(output.status), lines.join("; ")).into())
    }
}

/// What is said to the tmux of a container.
fn tmux<'w>(container: &'w str, profile: &Profile, [verb, flag, session]: [&'w str; 3]) -> [&'w str; 10] {
    ["exec", container, "sudo", "-u", profile.user, "--", "tmux", verb, flag, session]
}

/// As the original spells it.
pub(crate) fn ended(status: ExitStatus) -> String {
    status.code().map_or_else(|| "signal: killed".to_owned(), |code| format!("exit status {code}"))
}
