//! An `ssh` for somebody who sits at a terminal: of a connection of its own, run by whoever has that terminal.

use std::process::Command;

use super::{OpenSsh, complaint};
use crate::Target;
use crate::transport::TransportError;

/// A subsystem with a person at this end of it.
#[derive(Debug, Clone)]
pub struct Interactive {
    target: Target,
    subsystem: String,
    terminal: bool,
}

impl Interactive {
    /// This subsystem of this host. With a `terminal` there the far sshd gives the program one, of the size and in the
    /// modes of the one that the command is run on; without, it has the streams alone.
    pub fn new(target: Target, subsystem: &str, terminal: bool) -> Self {
        Self { target, subsystem: subsystem.to_owned(), terminal }
    }

    /// Whom it talks to, for people.
    pub fn peer(&self) -> String {
        self.target.display()
    }

    /// The command. What goes over it is the subsystem's: no byte of it means anything to ssh, which asks nothing either.
    pub fn command(&self) -> Command {
        let request = if self.terminal { "force" } else { "no" };
        let mut ssh = OpenSsh::new(self.target.clone()).ssh_with(request);
        ssh.args(["-o", "ControlMaster=no", "-o", "ControlPath=none", "-s", "--"]);
        ssh.arg(&self.target.host).arg(&self.subsystem);
        ssh
    }

    /// What is wrong, if that is what it `said` on its standard error. `heard` tells whether anything had come before,
    /// so that it had been let in.
    pub fn complaint(&self, said: &[u8], heard: bool) -> Option<TransportError> {
        let text = String::from_utf8_lossy(said);
        // So it takes its leave, whatever the end was.
        let is_leave =
            |line: &str| line.starts_with("Connection to ") && line.trim_end().ends_with(" closed.");
        let complains = |line: &&str| !line.trim().is_empty() && !is_leave(line);
        text.lines().find(complains)?;
        let kept: Vec<&str> = text.lines().filter(complains).collect();
        let kept = kept.join("\n");
        Some(
            complaint::of_subsystem(&self.peer(), &self.subsystem, &kept)
                .unwrap_or_else(|| complaint::classified(&self.peer(), kept.as_bytes(), heard)),
        )
    }
}
