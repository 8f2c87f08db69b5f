//! All hosts of sessions that one machine knows: itself, and the agents it is the shell of (formats/convocate.md §8, §9,
//! §19).

mod find;
mod names;
mod orphans;
mod survey;

use std::fmt;
use std::fs;
use std::io;
use std::net::{IpAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use remote_transfer::Transport;

use crate::{Agent, AgentHost, LocalHost, Registry, RegistryError, RemoteHost, SessionHost};
pub use find::NotFound;
pub use names::NameError;
pub use survey::{Row, Survey, Unreachable};

/// How a host is opened: anew for each thread that works with it.
pub type Open = Arc<dyn Fn() -> Box<dyn SessionHost> + Send + Sync>;

/// How the sessions in a folder of this machine are opened, under an id.
pub type OpenHere = Arc<dyn Fn(&str, &Path) -> LocalHost + Send + Sync>;
/// How an agent's API is called. Nothing is connected before the first question.
pub type Dial = Arc<dyn Fn(&Agent) -> Box<dyn Transport> + Send + Sync>;

/// What a cluster is made of.
#[derive(Clone)]
pub struct Layout {
    /// The agents, on a shell host.
    pub registry: Registry,
    /// Where sessions are on this machine.
    pub base: PathBuf,
    /// What this machine is called where it is nobody's shell: `local`, or its agent id.
    pub local_id: String,
    /// Opens the sessions in a folder of this machine, under this id.
    pub here: OpenHere,
    /// Opens the way to an agent's API.
    pub dial: Dial,
}

/// What this machine is called where it is no agent, and where it is, for people.
pub const LOCAL: &str = "local";

/// What kind of a host it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// This machine, which is nobody's shell.
    Here,
    /// An agent: another machine, or this one.
    Agent,
    /// Sessions that were left behind on this machine when it became a shell host.
    Orphans,
}

/// A host of sessions.
#[derive(Clone)]
pub struct Member {
    /// Its id; that of the orphans is `local`.
    pub id: String,
    /// What kind of a host it is.
    pub place: Place,
    /// Where it is, for people.
    pub address: String,
    /// What its names resolve to: a host's name or address, or none for this machine.
    pub host: Option<String>,
    open: Open,
}

/// All hosts of sessions that one machine knows.
#[derive(Debug, Clone)]
pub struct Cluster {
    members: Vec<Member>,
    /// Agents of which nobody knows how to reach them, with the reason.
    broken: Vec<Unreachable>,
    is_shell: bool,
}

impl Member {
    fn called(agent: Agent, dial: &Dial) -> Self {
        let (id, address, dial) = (agent.id.clone(), agent.host.to_string(), dial.clone());
        let host = match &agent.host {
            AgentHost::Remote { host, .. } => Some(host.clone()),
            AgentHost::Local => None,
        };
        let open: Open = Arc::new(move || Box::new(RemoteHost::new(agent.id.clone(), dial(&agent))));
        Self { id, place: Place::Agent, address, host, open }
    }

    /// Whether its sessions are folders and processes of this machine.
    pub fn is_on_this_machine(&self) -> bool {
        self.address == LOCAL
    }

    /// The host, for one thread.
    pub fn open(&self) -> Box<dyn SessionHost> {
        (self.open)()
    }
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({:?}, {})", self.id, self.place, self.address)
    }
}

impl Cluster {
    /// Without a registry this machine is all there is, and its sessions are ordinary ones. With one it is a shell host:
    /// what is in the base has been left behind, unless an agent on this machine keeps its sessions there.
    ///
    /// A registry that may not be read is an error: it does not have "no agents".
    pub fn of(layout: &Layout) -> Result<Self, RegistryError> {
        if !layout.registry.exists()? {
            let here = layout.member(&layout.local_id, Place::Here, &layout.base);
            return Ok(Self { members: vec![here], broken: Vec::new(), is_shell: false });
        }
        let mut has_base = false;
        let mut cluster = Self::registered(&layout.registry, |agent| {
            has_base |= layout.is_base_of(&agent);
            layout.agent(agent)
        })?;
        if !has_base {
            cluster.members.push(layout.member(LOCAL, Place::Orphans, &layout.base));
        }
        Ok(cluster)
    }

    /// The agents alone, each called over SSH, were it on this machine.
    pub fn of_agents(registry: &Registry, dial: &Dial) -> Result<Self, RegistryError> {
        Self::registered(registry, |agent| Member::called(agent, dial))
    }

    fn registered(
        registry: &Registry,
        mut member: impl FnMut(Agent) -> Member,
    ) -> Result<Self, RegistryError> {
        let (mut members, mut broken) = (Vec::new(), Vec::new());
        for agent in registry.each()? {
            match agent {
                Ok(agent) => members.push(member(agent)),
                Err(error) => broken.push(Unreachable::of_registry(&error)),
            }
        }
        Ok(Self { members, broken, is_shell: true })
    }

    /// The hosts, agents by their ids.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// Agents that are registered, and nobody knows how to reach them.
    pub fn broken(&self) -> &[Unreachable] {
        &self.broken
    }

    /// The host with this id.
    pub fn member(&self, id: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.id == id)
    }

    /// Whether this machine is a shell host, were it one without agents.
    pub fn is_shell(&self) -> bool {
        self.is_shell
    }

    /// The cluster with only the hosts that `is_meant` accepts.
    #[must_use]
    pub fn only(mut self, is_meant: impl Fn(&Member) -> bool) -> Self {
        self.members.retain(is_meant);
        self.broken.clear();
        self
    }

    /// The cluster without the host of this id.
    #[must_use]
    pub fn without(mut self, id: &str) -> Self {
        self.members.retain(|member| member.id != id);
        self.broken.retain(|host| host.member != id);
        self
    }
}

impl Layout {
    fn member(&self, id: &str, place: Place, base: &Path) -> Member {
        let (here, id, base) = (self.here.clone(), id.to_owned(), base.to_owned());
        let address = LOCAL.to_owned();
        let open: Open = if place == Place::Orphans {
            Arc::new(move || Box::new(orphans::Orphans::of(here(LOCAL, &base))))
        } else {
            let id = id.clone();
            Arc::new(move || Box::new(here(&id, &base)))
        };
        Member { id, place, address, host: None, open }
    }

    fn agent(&self, agent: Agent) -> Member {
        if agent.host != AgentHost::Local {
            return Member::called(agent, &self.dial);
        }
        let base = agent.base.as_ref().map_or_else(|| self.base.clone(), PathBuf::from);
        self.member(&agent.id, Place::Agent, &base)
    }

    /// Whether this agent keeps its sessions in our base: it is on this machine, in this folder.
    fn is_base_of(&self, agent: &Agent) -> bool {
        let of_agent = match (&agent.host, &agent.base) {
            (AgentHost::Local, None) => return true,
            (AgentHost::Remote { host, .. }, _) if !is_this_machine(host) => return false,
            (_, Some(base)) => PathBuf::from(base),
            // Of the two machines that are one, the agent's user has one home.
            (_, None) => return agent.api.user == base_user(&self.base),
        };
        let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        real(&of_agent) == real(&self.base)
    }
}

/// The user whose home this would be.
fn base_user(base: &Path) -> &str {
    base.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

/// Whether a name or address is this machine's. No resolver is asked, which may take its time whenever anything is: a
/// name is ours if we are called so, an address if it can be listened at.
fn is_this_machine(host: &str) -> bool {
    if let Ok(address) = host.parse::<IpAddr>() {
        return UdpSocket::bind((address, 0)).is_ok();
    }
    let own = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let short = own.split('.').next().unwrap_or_default();
    ["localhost", own.trim(), short.trim()].iter().any(|name| host.eq_ignore_ascii_case(name))
}

/// What a host's name stands for, as this machine's resolver tells.
pub(crate) fn addresses(host: &str) -> io::Result<Vec<IpAddr>> {
    use std::net::ToSocketAddrs;
    Ok((host, 0).to_socket_addrs()?.map(|address| address.ip()).collect())
}
