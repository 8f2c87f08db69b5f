//! A session has the terminal until it is left.

use std::ops::ControlFlow;
use std::path::PathBuf;

use durable_files::Meter;
use migration_cli::{Refusal, Stop, Surroundings};
use remote_transfer::Target as Destination;
use session_control::{
    AgentHost, Attachment, Ended, HostError, Local, LocalHost, Member, Place, SessionId, Terminal, attach,
};

use super::workers::Office;
use crate::hosts;

/// Has it on this terminal; how that has ended.
pub(super) fn have(
    office: &Office,
    (member, id): (&Member, &SessionId),
    fresh: bool,
    here: &Surroundings,
) -> Result<String, String> {
    let way = way_to(office, member, id, here)?;
    let way = if fresh { way.after_restart() } else { way };
    let terminal = Terminal::standard().map_err(|error| error.to_string())?;
    match attach(&way, &terminal, &mut UntilStopped(&here.stop)) {
        Ok(Ended::Over) => Ok("The session has ended".into()),
        Ok(Ended::Detached | Ended::Stopped) => Ok("The session goes on running".into()),
        Err(error) => Err(error.to_string()),
    }
}

/// Says no more than whether somebody wants to stop.
struct UntilStopped<'a>(&'a Stop);

impl Meter for UntilStopped<'_> {
    fn passed(&mut self, _bytes: u64) -> ControlFlow<()> {
        if self.0.exit().is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

fn way_to(
    office: &Office,
    member: &Member,
    id: &SessionId,
    here: &Surroundings,
) -> Result<Attachment, String> {
    let agent = office.hosts.registry.agent(&member.id).ok().filter(|_| member.place == Place::Agent);
    let (base, known) = match &agent {
        Some(agent) => (agent.base.clone().map(PathBuf::from), Some(agent)),
        None => (None, None),
    };
    if let Some((agent, AgentHost::Remote { host, .. })) = known.map(|agent| (agent, &agent.host)) {
        let pong = member.open().ping().map_err(|error: HostError| error.to_string())?;
        let mut ssh = office.options.ssh.clone();
        (ssh.ssh_user, ssh.ssh_port, ssh.identity) = (None, None, None); // an agent's API has its own
        let to = Destination {
            user: Some(agent.api.user.clone()),
            port: Some(agent.api.port),
            identity: Some(agent.identity.clone()),
            ..Destination::new(host.clone())
        };
        return Ok(Attachment::there(ssh.applied_to(to, here), id, !pong.implementation.is_empty()));
    }
    let base = base.unwrap_or_else(|| office.hosts.base.clone());
    let local = hosts::local(&office.options, here).map_err(|refusal: Refusal| refusal.message)?;
    let local = LocalHost::new(Local { id: member.id.clone(), base, ..local });
    Attachment::here(&local, id).map_err(|error| error.to_string())
}
