//! The DNS names that sessions on other agents have: a name is one session's in the whole cluster.

use session_control::{AgentHost, Registry, Session};

use crate::settings::Reach;

/// What the other agents say.
#[derive(Debug, Default)]
pub struct Elsewhere {
    /// Name, session and agent.
    held: Vec<(String, String, String)>,
    /// Agents that could not be asked, each with the reason.
    unasked: Vec<String>,
}

impl Elsewhere {
    /// Asks every agent but this one, reached as `like` says but for its own host and key.
    pub fn ask(registry: &Registry, but: &str, like: &Reach) -> Self {
        let mut all = Self::default();
        let agents = match registry.agents() {
            Ok(agents) => agents,
            Err(error) => return Self { unasked: vec![error.to_string()], ..all },
        };
        for agent in agents.iter().filter(|agent| agent.id != but) {
            let host = match &agent.host {
                AgentHost::Remote { host, .. } => host.clone(),
                AgentHost::Local => "127.0.0.1".to_owned(),
            };
            let reach = Reach {
                host,
                user: Some(agent.api.user.clone()),
                port: Some(agent.api.port),
                identity: Some(agent.identity.clone().into()),
                ..like.clone()
            };
            match session_control::list(&mut *reach.open()) {
                Ok(sessions) => {
                    let named = |session: Session| {
                        (session.dns_name.to_ascii_lowercase(), session.uuid, agent.id.clone())
                    };
                    all.held.extend(sessions.into_iter().map(named));
                }
                Err(error) => all.unasked.push(format!("agent {} cannot be asked ({error})", agent.id)),
            }
        }
        all
    }

    /// Which other session has this name.
    pub(crate) fn holder_of(&self, name: &str, but: &str) -> Option<String> {
        let holder = self.held.iter().find(|(held, uuid, _)| held == name && uuid != but)?;
        Some(format!("session {} on {}", holder.1, holder.2))
    }

    /// Why not every name is known, if that is so.
    pub(crate) fn unasked(&self) -> Option<&str> {
        self.unasked.first().map(String::as_str)
    }
}
