//! The DNS names that sessions on other agents have: a name is one session's in the whole cluster.

use std::sync::Arc;

use session_control::{Agent, AgentHost, Cluster, Dial, Registry, Survey};

use crate::settings::Reach;

/// What the other agents say.
#[derive(Debug, Default)]
pub struct Elsewhere {
    told: Survey,
    /// Why nobody could be asked, if that is so.
    unread: Option<String>,
}

impl Elsewhere {
    /// Asks every agent but this one, reached as `like` says but for its own host and key.
    pub fn ask(registry: &Registry, but: &str, like: &Reach) -> Self {
        let like = like.clone();
        let dial: Dial = Arc::new(move |agent| reached(agent, &like).open());
        match Cluster::of_agents(registry, &dial) {
            Ok(agents) => Self { told: agents.without(but).survey(), unread: None },
            Err(error) => Self { unread: Some(error.to_string()), ..Self::default() },
        }
    }

    /// Which other session has this name.
    pub(crate) fn holder_of(&self, name: &str, but: &str) -> Option<String> {
        let row = self.told.holder_of(name, Some(but))?;
        Some(format!("session {} on {}", row.session.uuid, row.member))
    }

    /// Why not every name is known, if that is so.
    pub(crate) fn unasked(&self) -> Option<String> {
        let silent = self.told.unreachable.first();
        let told = silent.map(|host| format!("agent {} cannot be asked ({})", host.member, host.reason));
        self.unread.clone().or(told)
    }
}

fn reached(agent: &Agent, like: &Reach) -> Reach {
    let host = match &agent.host {
        AgentHost::Remote { host, .. } => host.clone(),
        AgentHost::Local => "127.0.0.1".to_owned(),
    };
    Reach {
        host,
        user: Some(agent.api.user.clone()),
        port: Some(agent.api.port),
        identity: Some(agent.identity.clone().into()),
        ..like.clone()
    }
}
