//! A session's screen on this terminal.

use std::thread;
use std::time::{Duration, Instant};

use migration_cli::{Exit, Refusal, Stop, Streams, Surroundings};
use session_control::{
    AttachError, Attachment, Ended, HostError, SessionHost, SessionId, SessionState, Terminal,
};

use super::Found;
use crate::hosts::Hosts;
use crate::options::Options;
use crate::{refusals, rows, words};

/// How long somebody who starts a session has its lock, at most.
const STARTING: Duration = Duration::from_secs(10);
/// How long to wait before another look.
const PAUSE: Duration = Duration::from_millis(250);

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
    let ended = session_control::attach(&attachment, &terminal, &mut here.stop.clone());
    match ended.map_err(|error| refused(&found, &error))? {
        Ended::Detached => tell(format!("Session {:?} goes on running.", found.name())),
        Ended::Over => tell(format!("Session {:?} has ended.", found.name())),
        Ended::Stopped => {}
    }
    Ok(here.stop.exit().unwrap_or_default())
}

/// The way to its screen, with the session running at the other end.
fn way_to(found: &Found, options: &Options, here: &Surroundings) -> Result<Attachment, Refusal> {
    if found.row.state == SessionState::Orphan {
        let hint = format!("convocate-migrate --agent ID --session {}", found.id);
        return Err(Refusal::new("orphan", words::orphan(&found.name()), hint));
    }
    let way = found.hosts.way_to(found.hosts.host_of(&found.row)?, &found.id, options, here)?;
    if found.row.session.running {
        return Ok(way);
    }
    start_for(&mut *found.host()?, &found.id, &here.stop).map_err(|error| found.said(&error))?;
    Ok(way.after_restart())
}

/// Starts a session for somebody who attaches to it then. Of several who do so at once one starts it, for all of them: the
/// others find it running, or locked for as long as that takes.
pub(crate) fn start_for(host: &mut dyn SessionHost, id: &SessionId, stop: &Stop) -> Result<(), HostError> {
    let begun = Instant::now();
    loop {
        match host.restart(id) {
            Err(error) if error.code() == "already-running" => return Ok(()),
            Err(error) if error.code() == "locked" && begun.elapsed() < STARTING && stop.exit().is_none() => {
                thread::sleep(PAUSE);
            }
            started => return started,
        }
    }
}

fn refused(found: &Found, error: &AttachError) -> Refusal {
    let hint = format!("convocate-session show {} tells how it stands", found.id);
    match error {
        AttachError::Link(link) => refusals::of_link(link, format!("convocate-session attach {}", found.id)),
        AttachError::NoScreen { .. } => Refusal::failure("no-screen", error.to_string(), hint),
        _ => Refusal::failure("attach", error.to_string(), hint),
    }
}
