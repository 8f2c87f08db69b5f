//! Whom to talk to, and how to be sure that it is they.

use std::path::PathBuf;
use std::time::Duration;

/// A host as the user names it. What is not said here is what the user's own ssh configuration says, where the
/// transport reads that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The name or address.
    pub host: String,
    /// The user to be there.
    pub user: Option<String>,
    /// The port of the sshd.
    pub port: Option<u16>,
    /// The private key to show, and no other.
    pub identity: Option<PathBuf>,
    /// The file of known host keys, in the place of the user's.
    pub known_hosts: Option<PathBuf>,
    /// The ssh configuration, in the place of the user's.
    pub ssh_config: Option<PathBuf>,
    /// Whether the key of a host that is not known yet is taken for its own, and remembered. One that is not the known
    /// one never is.
    pub accept_new_host_key: bool,
    /// After how much silence the peer is taken for dead, in whole seconds.
    pub silence: Duration,
}

impl Target {
    /// A host with nothing but its name, and [`SILENCE`](crate::SILENCE).
    pub fn new(host: impl Into<String>) -> Self {
        Self {
            host: host.into(),
            user: None,
            port: None,
            identity: None,
            known_hosts: None,
            ssh_config: None,
            accept_new_host_key: false,
            silence: crate::SILENCE,
        }
    }

    /// For people: `user@host:port`.
    pub fn display(&self) -> String {
        let user = self.user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
        let port = self.port.map(|port| format!(":{port}")).unwrap_or_default();
        format!("{user}{}{port}", self.host)
    }
}
