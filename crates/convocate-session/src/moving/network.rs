//! The hosts that a move knows, and how each is reached.

use std::path::PathBuf;

use camino::Utf8Path;
use convocate_migrate::parts::{self, AgentEnd, Elsewhere};
use migration_cli::{Refusal, Surroundings};
use session_control::{AgentHost, Containers, LOCAL, Profile, Registry};

/// The hosts that a move knows, and how each is reached.
#[derive(Debug, Clone)]
pub struct Network {
    /// The agents.
    pub registry: Registry,
    /// Where sessions are on this machine.
    pub base: PathBuf,
    /// Which releases made the sessions.
    pub profile: Profile,
    /// The container engine of this machine.
    pub containers: Containers,
    /// How agents are reached, and what may be done about ports and names that are taken.
    pub options: convocate_migrate::Options,
}

impl Network {
    /// The folder of the registry, without which there is nowhere to move to.
    pub(super) fn registry_folder(&self) -> Result<PathBuf, Refusal> {
        let folder = self.registry.path();
        folder.canonicalize().map_err(|error| {
            let message = format!("cannot find the agents in {}: {error}", folder.display());
            Refusal::new("no-agents", message, "name the folder with --agent-keys-dir DIR")
        })
    }

    /// The options of convocate-migrate with which that agent is reached.
    pub(super) fn options_for(&self, agent: &str) -> convocate_migrate::Options {
        convocate_migrate::Options {
            agent: Some(agent.to_owned()),
            agent_keys_dir: Utf8Path::from_path(self.registry.path()).map(Utf8Path::to_owned),
            profile: self.profile,
            ..self.options.clone()
        }
    }

    /// Goes to the host of this name.
    pub(super) fn reach(&self, id: &str, here: &Surroundings) -> Result<AgentEnd, Refusal> {
        if id == LOCAL && !self.is_registered(id) {
            return parts::this_machine(id, &self.real_base()?, here);
        }
        let options = self.options_for(id);
        let (_, agent) = parts::registered(&options, here)?;
        if agent.host == AgentHost::Local {
            let base = agent.base.as_ref().map_or(self.real_base()?, PathBuf::from);
            return parts::this_machine(id, &base, here);
        }
        parts::reach(agent, &options, here)
    }

    fn is_registered(&self, id: &str) -> bool {
        self.registry.agent(id).is_ok()
    }

    fn real_base(&self) -> Result<PathBuf, Refusal> {
        self.base.canonicalize().map_err(|error| {
            let message = format!("cannot find the sessions in {}: {error}", self.base.display());
            Refusal::new("base", message, "name the folder with --base DIR")
        })
    }

    /// The DNS names of all agents but this one.
    pub(super) fn names_elsewhere(&self, from: &AgentEnd, to: &AgentEnd) -> Elsewhere {
        let like = to.api.as_ref().or(from.api.as_ref()).unwrap_or(&to.ssh);
        Elsewhere::ask(&self.registry, &to.id, like)
    }
}
