//! How another host is reached, for every tool that goes to one.

use camino::Utf8PathBuf;
use remote_transfer::{Target, Transport, TransportError, TransportKind};
use serde::{Deserialize, Serialize};

use crate::{Refusal, Surroundings};

/// The options that say how another host is reached.
#[derive(Debug, Clone, Default, clap::Args, Serialize, Deserialize)]
#[command(next_help_heading = "Options of the connection")]
pub struct SshOptions {
    /// The user to be on the other host
    #[arg(long, value_name = "NAME")]
    pub ssh_user: Option<String>,

    /// The port of its sshd
    #[arg(long, value_name = "PORT")]
    pub ssh_port: Option<u16>,

    /// An ssh configuration, instead of the user's own
    #[arg(long, value_name = "FILE")]
    pub ssh_config: Option<Utf8PathBuf>,

    /// The file of known host keys, instead of the user's own
    #[arg(long, value_name = "FILE")]
    pub known_hosts: Option<Utf8PathBuf>,

    /// Take the key of a host that is not known yet for its own; one that has changed is refused all the same
    #[arg(long)]
    pub accept_new_host_key: bool,

    /// The private key to show, and no other
    #[arg(long, value_name = "FILE")]
    pub identity: Option<Utf8PathBuf>,

    /// What connects: the system's ssh, or the libssh2 inside, which reads no ssh configuration
    #[arg(long, value_name = "NAME", value_enum, default_value_t)]
    pub transport: TransportName,
}

/// A transport by its name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize)]
pub enum TransportName {
    /// The system's ssh, with its configuration
    #[default]
    #[value(name = "openssh")]
    OpenSsh,
    /// For where there is no ssh
    #[value(name = "libssh2")]
    LibSsh2,
}

impl From<TransportName> for TransportKind {
    fn from(name: TransportName) -> Self {
        match name {
            TransportName::OpenSsh => Self::OpenSsh,
            TransportName::LibSsh2 => Self::LibSsh2,
        }
    }
}

impl SshOptions {
    /// A host, with what these options say of it in the place of what was known.
    #[must_use]
    pub fn applied_to(&self, known: Target, here: &Surroundings) -> Target {
        let path = |path: &Option<Utf8PathBuf>| path.as_ref().map(|path| here.absolute(path));
        Target {
            user: self.ssh_user.clone().or(known.user),
            port: self.ssh_port.or(known.port),
            identity: path(&self.identity).or(known.identity),
            known_hosts: path(&self.known_hosts).or(known.known_hosts),
            ssh_config: path(&self.ssh_config).or(known.ssh_config),
            accept_new_host_key: self.accept_new_host_key || known.accept_new_host_key,
            ..known
        }
    }

    /// The same, wherever it is read again.
    #[must_use]
    pub fn anywhere(&self, here: &Surroundings) -> Self {
        let path = |path: &Option<Utf8PathBuf>| path.as_deref().map(|path| here.absolute_utf8(path));
        Self {
            ssh_config: path(&self.ssh_config),
            known_hosts: path(&self.known_hosts),
            identity: path(&self.identity),
            ..self.clone()
        }
    }

    /// A transport to that host, as yet without a connection.
    pub fn open(&self, known: Target, here: &Surroundings) -> Box<dyn Transport> {
        TransportKind::from(self.transport).open(self.applied_to(known, here))
    }
}

/// A host that there is no talking to, with what to do about it.
impl From<&TransportError> for Refusal {
    fn from(error: &TransportError) -> Self {
        use TransportError::{
            ChangedHostKey, Local, Lost, NotOffered, Refused, Stopped, TooFewSessions, TooMuch,
            UnknownHostKey, Unreachable,
        };
        let reached;
        let (code, hint) = match error {
            UnknownHostKey { .. } => (
                "unknown-host-key",
                "compare its key with what the host shows (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub), then say --accept-new-host-key",
            ),
            ChangedHostKey { .. } => (
                "changed-host-key",
                "find out why it has changed; then remove the old key with ssh-keygen -R",
            ),
            Refused { .. } => ("refused-key", "name another user or key: --ssh-user NAME, --identity FILE"),
            Unreachable { peer, .. } => {
                reached = format!("{} Another port: --ssh-port PORT", is_it_up(peer));
                ("unreachable", &*reached)
            }
            TooFewSessions { .. } => (
                "link",
                "let its sshd allow more: MaxSessions in its sshd_config is 10 if nothing is said; or share no connection: --transport libssh2",
            ),
            TooMuch { .. } => ("link", "log in there as that user, and see what prints so much"),
            Stopped => ("stopped", "say the same command again once it may go on"),
            Lost { .. } | NotOffered { .. } => ("link", "try again"),
            Local { .. } => ("link", "is the program `ssh` installed? --transport libssh2 needs none"),
        };
        Self::new(code, error.to_string(), hint)
    }
}

/// What may keep a host from being reached, asked of whoever can look: about the port that was dialled, where that is known.
pub fn is_it_up(peer: &str) -> String {
    let port = match peer.rsplit_once(':') {
        None => "22",
        Some((host, port)) if !host.contains(':') => port,
        Some(_) => return "is the host up, and does its firewall let the port of its sshd in?".to_owned(),
    };
    format!("is the host up, and does its firewall let port {port} in (ufw allow {port}/tcp)?")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_firewall_is_asked_about_for_the_port_that_was_dialled() {
        let hint = |peer: &str| {
            let error = TransportError::Unreachable { peer: peer.to_owned(), message: "refused".to_owned() };
            Refusal::from(&error).hint
        };
        assert!(hint("u@agent-1:2222").contains("port 2222 in (ufw allow 2222/tcp)"), "{}", hint("a:2222"));
        assert!(hint("agent-1").contains("port 22 in"));
        assert!(hint("u@::1").contains("the port of its sshd in"), "the end of an address is no port");
    }

    #[test]
    fn only_where_ssh_did_not_begin_is_it_asked_whether_there_is_one() {
        let peer = || "somebody".to_owned();
        let few = TransportError::TooFewSessions { peer: peer(), message: "refused".into() };
        let many = TransportError::TooMuch { peer: peer(), limit: 1 };
        let none = TransportError::Local { doing: "start ssh".into(), source: std::io::Error::other("no") };
        for (error, hint) in [
            (few, "MaxSessions"),
            (many, "prints so much"),
            (TransportError::Stopped, "again"),
            (none, "installed"),
        ] {
            let refusal = Refusal::from(&error);
            assert!(refusal.hint.contains(hint), "{refusal:?}");
        }
    }
}
