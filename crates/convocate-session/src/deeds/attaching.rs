//! A session's screen on this terminal.

use std::ops::ControlFlow;

use durable_files::Meter;
use migration_cli::{Exit, Refusal, Stop, Streams, Surroundings};
use session_control::{AttachError, Attachment, Ended, HostError, SessionState, Terminal};

use super::Found;
use crate::hosts::Hosts;
use crate::options::Options;
use crate::{refusals, rows};

/// Says no more than whether somebody wants to stop.
pub(crate) struct UntilStopped<'a>(pub(crate) &'a Stop);

impl Meter for UntilStopped<'_> {
    fn passed(&mut self, _bytes: u64) -> ControlFlow<()> {
        if self.0.exit().is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// Has the session on this terminal until it is left; one that does not run is started.
pub(crate) fn attach(
    session: &str,
    options: &Options,
    here: &Surroundings,
    streams: &mut Streams<'_>,
) -> Result<Exit, Refusal> {
    if !(here.terminals.stdin && here.terminals.stdout) {
        let hint = "say it where there is one; over ssh: ssh -t HOST convocate-session attach SESSION";
        return Err(Refusal::usage("no-terminal", "there is no terminal to have the session on", hint));
    }
    let hosts = Hosts::of(options, here)?;
    let found = Found::of(hosts.find(session)?, hosts)?;
    let attachment = way_to(&found, options, here)?;
    // If nobody reads it, nobody misses it.
    let mut tell =
        |line: String| drop(writeln!(streams.stdout, "{line}").and_then(|()| streams.stdout.flush()));
    tell(format!("Attaching to {:?}{} (Ctrl-b d to detach)...", found.name(), rows::on(&found.row)));
    let terminal = Terminal::standard().map_err(|error| refused(&found, &AttachError::Terminal(error)))?;
    let ended = session_control::attach(&attachment, &terminal, &mut UntilStopped(&here.stop));
    match ended.map_err(|error| refused(&found, &error))? {
        Ended::Detached => tell(format!("Session {:?} goes on running.", found.name())),
        Ended::Over => tell(format!("Session {:?} has ended.", found.name())),
        Ended::Stopped => {}
    }
    Ok(here.stop.exit().unwrap_or_default())
}

/// The way to its screen, with the session running at the other end.
fn way_to(found: &Found, options: &Options, here: &Surroundings) -> Result<Attachment, Refusal> {
    let row = &found.row;
    if row.state == SessionState::Orphan {
        let message = format!(
            "session {:?} is a local orphan (shell host no longer runs containers); migrate it to a convocate-agent to \
             resume",
            found.name()
        );
        let hint = format!("convocate-migrate --agent ID --session {}", found.id);
        return Err(Refusal::new("orphan", message, hint));
    }
    if row.session.running {
        return found.hosts.way_to(row, &found.id, options, here);
    }
    found.not_locked()?;
    let way = found.hosts.way_to(row, &found.id, options, here)?;
    found.host()?.restart(&found.id).map_err(|error| found.said(&error))?;
    Ok(way.after_restart())
}

fn refused(found: &Found, error: &AttachError) -> Refusal {
    let hint = format!("convocate-session show {} tells how it stands", found.id);
    match error {
        AttachError::Link(link) => link.into(),
        AttachError::NoScreen { .. } => Refusal::failure("no-screen", error.to_string(), hint),
        _ => Refusal::failure("attach", error.to_string(), hint),
    }
}

/// What is wrong with a session of this machine.
pub(crate) fn of_session(error: session_control::SessionError) -> Refusal {
    refusals::of_host(&HostError::Session(error))
}
