//! The hosts that this machine knows, as the options say.

use std::io::ErrorKind;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

use durable_files::FileError;
use migration_cli::{Refusal, SshOptions, Stop, Surroundings};
use remote_transfer::Target;
use session_control::{
    Agent, AgentFolder, AgentHost, Attachment, Cluster, Containers, DnsHosts, Layout, Local, LocalHost,
    Member, Place, Registry, Row, SessionId, Survey, Watch,
};

use crate::options::Options;
use crate::watched::Watched;
use crate::{refusals, words};

/// All hosts, and the ones that were asked for.
pub(crate) struct Hosts {
    /// All of them: a DNS name is one session's among all.
    pub(crate) cluster: Cluster,
    /// Those that `--agent` or `--local` leaves.
    pub(crate) chosen: Cluster,
    pub(crate) base: PathBuf,
    pub(crate) registry: Registry,
    /// Where the cluster's DNS names are written.
    pub(crate) dns: DnsHosts,
}

impl Hosts {
    /// Nobody is asked anything yet.
    pub(crate) fn of(options: &Options, here: &Surroundings) -> Result<Self, Refusal> {
        let base = base(options, here)?;
        let registry = registry(options, here)?;
        let local = local(options, here)?;
        let layout = Layout {
            registry: registry.clone(),
            base: base.clone(),
            local_id: local.id.clone(),
            here: Arc::new(move |id, base| {
                let local = Local { id: id.to_owned(), base: base.to_owned(), ..local.clone() };
                LocalHost::new(local)
            }),
            dial: dial(options, here),
        };
        let cluster = Cluster::of(&layout).map_err(|error| refusals::of_registry(&error))?;
        let chosen = chosen(&cluster, &registry, options)?;
        let dns = match &options.dns_hosts {
            Some(path) => DnsHosts::at(here.named(path)?),
            None => DnsHosts::find(&DnsHosts::PLACES),
        };
        Ok(Self { cluster, chosen, base, registry, dns })
    }

    /// The session that is meant, and where it is.
    pub(crate) fn find(&self, name: &str) -> Result<Row, Refusal> {
        self.survey()?.find(name).cloned().map_err(|error| self.not_found(name, &error))
    }

    /// The same, for whoever will change it.
    pub(crate) fn find_to_change(&self, name: &str) -> Result<Row, Refusal> {
        let row = self.survey()?.find_to_change(name).cloned();
        only(row.map_err(|error| self.not_found(name, &error))?)
    }

    /// What those have that were asked for. If that is this machine alone, that it cannot tell is an error.
    pub(crate) fn survey(&self) -> Result<Survey, Refusal> {
        let [member] = self.chosen.members() else { return Ok(self.chosen.survey()) };
        if member.place == Place::Agent {
            return Ok(self.chosen.survey());
        }
        let (rows, findings) = member.list().map_err(|error| refusals::of_host(&error))?;
        Ok(Survey { findings, ..Survey::of(rows, Vec::new()) })
    }

    /// The host that has it.
    pub(crate) fn host_of(&self, row: &Row) -> Result<&Member, Refusal> {
        let mut members = self.cluster.members().iter();
        members.find(|member| member.id == row.member && member.place == row.place).ok_or_else(|| {
            Refusal::failure(
                "agent",
                format!("there is no host {:?}", row.member),
                "convocate-session agents shows all",
            )
        })
    }

    /// The way to a session's screen.
    pub(crate) fn way_to(
        &self,
        member: &Member,
        id: &SessionId,
        options: &Options,
        here: &Surroundings,
    ) -> Result<Attachment, Refusal> {
        match self.agent(&member.id, member.place) {
            Some(agent) if agent.host != AgentHost::Local => {
                let pong = member.open().ping().map_err(|error| refusals::of_host(&error))?;
                let target = way(options).applied_to(target(&agent), here);
                Ok(Attachment::there(target, id, &pong))
            }
            agent => {
                let base = self.base_of(agent);
                let local = Local { id: member.id.clone(), base, ..local(options, here)? };
                Attachment::here(&LocalHost::new(local), id).map_err(refusals::of_session)
            }
        }
    }

    /// The session's folder, if it is one of this machine.
    pub(crate) fn folder_of(&self, row: &Row) -> Option<PathBuf> {
        let base = || self.base_of(self.agent(&row.member, row.place));
        row.is_on_this_machine().then(|| base().join(&row.session.uuid))
    }

    /// What is registered of a host, if it is an agent.
    fn agent(&self, id: &str, place: Place) -> Option<Agent> {
        (place == Place::Agent).then(|| self.registry.agent(id).ok()).flatten()
    }

    /// Where an agent of this machine, or nobody's, keeps its sessions.
    fn base_of(&self, agent: Option<Agent>) -> PathBuf {
        agent.and_then(|agent| agent.base).map_or_else(|| self.base.clone(), PathBuf::from)
    }

    /// Where a new session goes.
    pub(crate) fn for_new(&self) -> Result<&Member, Refusal> {
        let can = |member: &&Member| member.place != Place::Orphans;
        let members: Vec<&Member> = self.chosen.members().iter().filter(can).collect();
        match members[..] {
            [member] => Ok(member),
            [] if self.cluster.members().iter().any(|member| can(&member)) => Err(Refusal::new(
                "shell-host",
                "no sessions are made on a shell host, which runs no containers",
                "say which agent gets it: --agent ID instead of --local; convocate-session agents shows all",
            )),
            [] => Err(Refusal::new("no-agents", words::NO_AGENTS, words::ADD_AN_AGENT)),
            _ => {
                let ids: Vec<_> = members.iter().map(|member| format!("--agent {}", member.id)).collect();
                let hint = format!("say one of: {}", ids.join(", "));
                Err(Refusal::usage("no-agent", "which agent gets the session? --agent ID is needed", hint))
            }
        }
    }
}

/// Which of two hosts that have a session of one id is meant, only its user knows.
pub(crate) fn only(row: Row) -> Result<Row, Refusal> {
    let Row { member, also, session, .. } = &row;
    if also.is_empty() {
        return Ok(row);
    }
    let message = format!("there is a session {} on {member}, and one on {}", session.uuid, also.join(", "));
    let hint = "say which one: --agent ID, or --local for the one on this machine";
    Err(Refusal::usage("duplicate", message, hint))
}

/// The hosts that are meant.
fn chosen(cluster: &Cluster, registry: &Registry, options: &Options) -> Result<Cluster, Refusal> {
    let is_here = |member: &Member| member.place != Place::Agent;
    let chosen = match &options.agent {
        None if options.local => cluster.clone().only(is_here),
        None => return Ok(cluster.clone()),
        Some(id) => cluster.clone().only(|member| member.id == *id),
    };
    if !chosen.members().is_empty() {
        return Ok(chosen);
    }
    match &options.agent {
        None => Err(Refusal::new(
            "no-local-sessions",
            "the sessions of this machine are those of an agent",
            "convocate-session agents shows which one: name it with --agent ID",
        )),
        Some(id) => {
            let hint = "convocate-session agents shows all that are registered";
            let message = registry.agent(id).err().map(|error| error.to_string());
            Err(Refusal::new(
                "agent",
                message.unwrap_or_else(|| format!("agent {id:?} not registered")),
                hint,
            ))
        }
    }
}

/// The registry of the agents.
pub(crate) fn registry(options: &Options, here: &Surroundings) -> Result<Registry, Refusal> {
    let folder = options.agent_keys_dir.as_deref().map_or(options.profile.registry, |folder| folder.as_str());
    Ok(Registry::at(here.named(folder)?))
}

/// Where the sessions of this machine are.
pub(crate) fn base(options: &Options, here: &Surroundings) -> Result<PathBuf, Refusal> {
    let base = here.named(options.base.as_deref().map_or(options.profile.home, |base| base.as_str()))?;
    if options.base.is_some() && base.metadata().is_err_and(|error| error.kind() == ErrorKind::NotFound) {
        return Err(refusals::no_base(format!("there is no folder {}", base.display())));
    }
    Ok(base)
}

/// This machine.
pub(crate) fn local(options: &Options, here: &Surroundings) -> Result<Local, Refusal> {
    let folder = AgentFolder::at(here.named(&options.agent_dir)?);
    let unreadable = |error: FileError| Refusal::from(error);
    let arguments = options.docker_argument.clone();
    let mut local = Local::new(base(options, here)?, options.profile);
    local.id = folder.id().map_err(unreadable)?.unwrap_or(local.id);
    local.image = folder.image(&options.profile).map_err(unreadable)?;
    local.containers =
        Containers { program: options.docker.clone().into(), arguments, ..Containers::default() };
    local.claude = here.named(&options.claude)?;
    local.now = here.now;
    local.watch = stopping(here.stop.clone());
    Ok(local)
}

/// Stops what is copied or removed here as soon as somebody wants that.
fn stopping(stop: Stop) -> Watch {
    Watch::new(
        move |_| if stop.exit().is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) },
    )
}

/// The way to an agent's API, on which nobody is waited for once somebody wants to stop.
fn dial(options: &Options, here: &Surroundings) -> session_control::Dial {
    let (ssh, here) = (way(options), here.clone());
    Arc::new(move |agent: &Agent| Box::new(Watched::new(ssh.open(target(agent), &here), &here.stop)))
}

/// What the options say of connections, but for user, port and key: of those the registry knows an agent's own.
fn way(options: &Options) -> SshOptions {
    SshOptions { ssh_user: None, ssh_port: None, identity: None, ..options.ssh.clone() }
}

/// An agent's API.
fn target(agent: &Agent) -> Target {
    let host = match &agent.host {
        AgentHost::Remote { host, .. } => host.clone(),
        AgentHost::Local => "127.0.0.1".to_owned(),
    };
    Target {
        user: Some(agent.api.user.clone()),
        port: Some(agent.api.port),
        identity: Some(agent.identity.clone()),
        ..Target::new(host)
    }
}
