//! The agents that a shell host knows (formats/convocate.md §9).

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::LOCAL;

/// The folder with one folder for each agent.
#[derive(Debug, Clone)]
pub struct Registry {
    folder: PathBuf,
}

/// An agent as it is registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    /// Its id.
    pub id: String,
    /// Where it is.
    pub host: AgentHost,
    /// The private key that opens it.
    pub identity: PathBuf,
    /// How its API is reached.
    pub api: Api,
    /// Where its sessions are, if the registry says so.
    pub base: Option<String>,
}

/// Where an agent is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AgentHost {
    /// On this machine.
    Local,
    /// On another.
    Remote {
        /// The user to be there, if the registry says so.
        user: Option<String>,
        /// Its name or address.
        host: String,
        /// The port of its sshd, if the registry says so.
        port: Option<u16>,
    },
}

/// How an agent's API is reached: as `session-control.json` in its folder says, or the original's own server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Api {
    /// The port.
    pub port: u16,
    /// The user.
    pub user: String,
}

/// `session-control.json`, which an original shell host does not look at.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Written {
    api: Server,
    port: Option<u16>,
    user: Option<String>,
    base: Option<String>,
}

/// What serves an agent's API.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
enum Server {
    /// The original's own.
    #[default]
    #[serde(rename = "convocate-222")]
    Original,
    /// The machine's sshd.
    #[serde(rename = "sshd")]
    Sshd,
}

impl Written {
    fn api(&self) -> Api {
        let usual = match self.api {
            Server::Original => 222,
            Server::Sshd => 22,
        };
        let user = self.user.clone().unwrap_or_else(|| "claude".to_owned());
        Api { port: self.port.unwrap_or(usual), user }
    }
}

/// Why an agent cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// It is not registered.
    #[error("agent {id:?} not registered (missing {}): {source}", path.display())]
    NotRegistered {
        /// The id.
        id: String,
        /// What is missing.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// An id that no agent can have.
    #[error("{id:?} cannot be the id of an agent: expected up to 64 of a-z, 0-9 and -")]
    NotAnId {
        /// The id.
        id: String,
    },
    /// Its host cannot be read.
    #[error("read agent-host: {}: {source}", path.display())]
    Host {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It names no host.
    #[error("agent-host file is empty: {}", path.display())]
    NoHost {
        /// The file.
        path: PathBuf,
    },
    /// What is written about its API cannot be understood.
    #[error("{} is not understood: {reason}", path.display())]
    Written {
        /// The file.
        path: PathBuf,
        /// Where, and why.
        reason: String,
    },
    /// The registry itself cannot be read.
    #[error("cannot list the agents in {}: {source}", path.display())]
    Unreadable {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl RegistryError {
    /// The agent that it is about, where it is about one.
    pub fn agent(&self) -> Option<String> {
        let path = match self {
            Self::NotRegistered { id, .. } | Self::NotAnId { id } => return Some(id.clone()),
            Self::Host { path, .. } | Self::NoHost { path } | Self::Written { path, .. } => path,
            Self::Unreadable { .. } => return None,
        };
        Some(path.parent()?.file_name()?.to_string_lossy().into_owned())
    }

    /// Whether there may well be an agent, of which no more is known than this.
    fn hides_an_agent(&self) -> bool {
        match self {
            Self::Written { .. } => true,
            Self::NotRegistered { source, .. } | Self::Host { source, .. } => {
                source.kind() == io::ErrorKind::PermissionDenied
            }
            _ => false,
        }
    }
}

const KEY: &str = "shell_to_agent_ed25519_key";
const HOST: &str = "agent-host";
const WRITTEN: &str = "session-control.json";

impl Registry {
    /// The registry in this folder, which may not be there: then there are no agents.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// Whether there is one. One that may not be looked at is an error.
    pub fn exists(&self) -> Result<bool, RegistryError> {
        self.folder.try_exists().map_err(|source| self.unreadable(source))
    }

    /// Every agent with a key and a host, sorted by id. One that lacks either is none; one whose files may not be read,
    /// or whose `session-control.json` is not understood, is an error, since nobody can tell what it has.
    pub fn agents(&self) -> Result<Vec<Agent>, RegistryError> {
        self.each()?.into_iter().collect()
    }

    /// Every agent as in [`agents`](Self::agents), each one's own error in its place.
    pub fn each(&self) -> Result<Vec<Result<Agent, RegistryError>>, RegistryError> {
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(|source| self.unreadable(source))?,
        };
        let names: io::Result<Vec<_>> = entries.map(|entry| Ok(entry?.file_name())).collect();
        let mut names = names.map_err(|source| self.unreadable(source))?;
        names.sort();
        let agents = names.iter().filter_map(|name| match self.agent(name.to_str()?) {
            Err(error) if error.hides_an_agent() => Some(Err(error)),
            agent => agent.ok().map(Ok),
        });
        Ok(agents.collect())
    }

    fn unreadable(&self, source: io::Error) -> RegistryError {
        RegistryError::Unreadable { path: self.folder.clone(), source }
    }

    /// The agent with this id.
    pub fn agent(&self, id: &str) -> Result<Agent, RegistryError> {
        if !is_agent_id(id) {
            return Err(RegistryError::NotAnId { id: id.to_owned() });
        }
        let folder = self.folder.join(id);
        let identity = folder.join(KEY);
        if let Err(source) = fs::metadata(&identity) {
            return Err(RegistryError::NotRegistered { id: id.to_owned(), path: identity, source });
        }
        let path = folder.join(HOST);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(source) => return Err(RegistryError::Host { path, source }),
        };
        let host = AgentHost::parse(text.trim()).ok_or(RegistryError::NoHost { path })?;
        let written = written(folder.join(WRITTEN))?;
        Ok(Agent { id: id.to_owned(), host, identity, api: written.api(), base: written.base })
    }
}

fn written(path: PathBuf) -> Result<Written, RegistryError> {
    let read = match fs::read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Written::default()),
        read => read.map_err(|error| error.to_string()),
    };
    let parsed = read.and_then(|text| serde_json::from_slice(&text).map_err(|error| error.to_string()));
    parsed.map_err(|reason| RegistryError::Written { path, reason })
}

/// Whether this can be an agent's id. What is none is never made part of a path.
fn is_agent_id(id: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=64).contains(&id.len()) && id.bytes().all(fits)
}

impl AgentHost {
    /// `local`, `host`, `user@host`, each with `:port` or without.
    fn parse(text: &str) -> Option<Self> {
        let (user, host) = match text.split_once('@') {
            Some((user, host)) => (Some(user.to_owned()).filter(|user| !user.is_empty()), host),
            None => (None, text),
        };
        let (host, port) = match host.rsplit_once(':') {
            // An address with colons of its own stands in brackets if a port follows.
            Some((name, port)) if !name.contains(':') || name.ends_with(']') => (name, port.parse().ok()),
            _ => (host, None),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        match host {
            "" => None,
            // What begins like an option would be taken for one by ssh.
            _ if host.starts_with('-') || host.contains(char::is_whitespace) => None,
            LOCAL => Some(Self::Local),
            _ => Some(Self::Remote { user, host: host.to_owned(), port }),
        }
    }
}

impl fmt::Display for AgentHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Remote { user, host, port } = self else { return f.write_str(LOCAL) };
        if let Some(user) = user {
            write!(f, "{user}@")?;
        }
        f.write_str(host)?;
        port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_read_in_every_spelling_there_is() {
        let shown = |text| AgentHost::parse(text).map(|host| host.to_string());
        assert_eq!(shown("claude@agent-1").as_deref(), Some("claude@agent-1"));
        assert_eq!(shown("agent-1:2222").as_deref(), Some("agent-1:2222"));
        assert_eq!(shown("u@[::1]:22").as_deref(), Some("u@::1:22"));
        assert_eq!(shown("fe80::1").as_deref(), Some("fe80::1"));
        assert_eq!(AgentHost::parse("local"), Some(AgentHost::Local));
        for none in ["", "@", "-oProxyCommand=x", "a b"] {
            assert_eq!(AgentHost::parse(none), None, "{none}");
        }
    }

    #[test]
    fn nothing_that_is_no_id_becomes_part_of_a_path() {
        let registry = Registry::at("/nowhere");
        for id in ["", ".", "..", "a/b", "A", "a b"] {
            assert!(matches!(registry.agent(id), Err(RegistryError::NotAnId { .. })), "{id}");
        }
        assert!(registry.agents().unwrap().is_empty());
        let missing = registry.agent("k7m2").unwrap_err().to_string();
        assert!(missing.starts_with("agent \"k7m2\" not registered (missing /nowhere/k7m2/"), "{missing}");
    }

    #[test]
    fn an_agent_is_asked_where_its_folder_says_and_never_at_a_guess() {
        let folder = tempfile::tempdir().unwrap();
        let agent = folder.path().join("k7m2");
        fs::create_dir(&agent).unwrap();
        fs::write(agent.join(KEY), "").unwrap();
        fs::write(agent.join(HOST), "agent-1").unwrap();
        let registry = Registry::at(folder.path());
        let asked = |text: &str| {
            fs::write(agent.join(WRITTEN), text).unwrap();
            registry.agent("k7m2").map(|agent| (agent.api.port, agent.api.user, agent.base))
        };
        let claude = || "claude".to_owned();
        assert_eq!(asked("{}").unwrap(), (222, claude(), None));
        assert_eq!(asked(r#"{"api": "sshd", "later": 1}"#).unwrap(), (22, claude(), None));
        let all = r#"{"api": "sshd", "port": 2222, "user": "u", "base": "/srv", "profile": "convocate"}"#;
        assert_eq!(asked(all).unwrap(), (2222, "u".to_owned(), Some("/srv".to_owned())));
        for broken in ["", "7", r#"{"api": "telnet"}"#, r#"{"port": 65536}"#] {
            assert!(matches!(asked(broken), Err(RegistryError::Written { .. })), "{broken}");
            assert!(registry.agents().is_err(), "an agent that nobody can ask must not be overlooked");
        }
    }
}
