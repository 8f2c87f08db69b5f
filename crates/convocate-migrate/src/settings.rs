//! What a run remembers: all that `verify`, `undo` and `resume` need to know later.

use std::fmt;
use std::time::Duration;

use durable_files::{Digest, PathText};
use migration_cli::{Refusal, settings_of};
use migration_engine::Header;
use remote_transfer::{Manifest, Target, Transport, TransportKind};
use serde::{Deserialize, Serialize};
use session_model::{Fields, Timestamp};

use crate::options::Compress;

/// What a run remembers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Settings {
    /// Where the sessions were.
    pub(crate) base: PathText,
    /// The agent.
    pub(crate) agent: String,
    /// Its sshd.
    pub(crate) ssh: Reach,
    /// Its API.
    pub(crate) api: Option<Reach>,
    /// Whether everything there is done as root.
    pub(crate) as_root: bool,
    /// Where its sessions are; runs of earlier versions do not say.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "session_model::text_or_hex")]
    pub(crate) there: Vec<u8>,
    /// Whether what is sent is compressed.
    #[serde(default)]
    pub(crate) compress: Compress,
    /// The sessions that move, one a lane.
    pub(crate) lanes: Vec<Moving>,
}

/// One of the sessions that move.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Moving {
    /// Its id.
    pub(crate) uuid: String,
    /// The SHA-256 of its manifest, without digests, when the plan was made.
    pub(crate) expect: Digest,
    /// How much that is.
    #[serde(default)]
    pub(crate) held: Held,
    /// What a stale lock of it holds, which the run begins with setting aside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) stale: Option<Vec<u8>>,
    /// What its document says where it arrives.
    pub(crate) arrives: Arriving,
}

/// How much a session held when the plan was made; nothing at all if a run of an earlier version does not say. That it is
/// still the same, a digest says; this is for people.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Files, folders and links.
    pub entries: u64,
    /// Bytes of files.
    pub bytes: u64,
}

impl Held {
    /// As this manifest says.
    pub fn of(manifest: &Manifest) -> Self {
        Self { entries: manifest.entries().len() as u64, bytes: manifest.bytes() }
    }

    /// What tells a session that was worked with since: how much it was, how much it is, and what was written last.
    pub fn told(self, found: &Manifest) -> String {
        let now = Self::of(found);
        let newest =
            found.entries().iter().filter(|entry| !entry.path.is_empty()).max_by_key(|entry| entry.mtime);
        let newest = newest.map(|entry| format!("; written last: {}", entry.display())).unwrap_or_default();
        let expected = if self.entries > 0 { format!("expected {self}, ") } else { String::new() };
        format!("{expected}found {now}{newest}")
    }
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes in {} entries", self.bytes, self.entries)
    }
}

/// What an agent has to say about a session that has arrived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arriving {
    /// Its name.
    pub name: String,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// When it was last worked with.
    pub last_accessed: Option<Timestamp>,
    /// Its port; 0 is none.
    pub port: i64,
    /// The protocol of that; empty is `tcp`.
    pub protocol: String,
    /// Its DNS name; empty is none.
    pub dns_name: String,
}

impl From<&Fields> for Arriving {
    fn from(fields: &Fields) -> Self {
        let Fields { name, created_at, last_accessed, port, protocol, dns_name, .. } = fields.clone();
        Self { name, created_at, last_accessed, port, protocol, dns_name }
    }
}

/// How a host is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reach {
    /// Its name or address.
    pub host: String,
    /// The user to be there.
    pub user: Option<String>,
    /// The port of the sshd.
    pub port: Option<u16>,
    /// The private key to show.
    pub identity: Option<PathText>,
    /// The file of known host keys.
    pub known_hosts: Option<PathText>,
    /// The ssh configuration.
    pub ssh_config: Option<PathText>,
    /// Whether the key of a host that is not known yet is taken for its own.
    pub accept_new_host_key: bool,
    /// By which transport.
    #[serde(default)]
    pub transport: TransportKind,
}

impl Settings {
    /// Those of a run.
    pub(crate) fn of(header: &Header) -> Result<Self, Refusal> {
        settings_of(header)
    }
}

impl Reach {
    /// This host through this.
    pub fn of(target: Target, transport: TransportKind) -> Self {
        let Target { host, user, port, accept_new_host_key, .. } = target;
        let path = |path: Option<std::path::PathBuf>| path.map(PathText::from);
        Self {
            host,
            user,
            port,
            identity: path(target.identity),
            known_hosts: path(target.known_hosts),
            ssh_config: path(target.ssh_config),
            accept_new_host_key,
            transport,
        }
    }

    /// A transport there, as yet without a connection.
    pub fn open(&self) -> Box<dyn Transport> {
        self.transport.open(self.target())
    }

    fn target(&self) -> Target {
        let path = |path: &Option<PathText>| path.as_ref().map(|path| path.to_path_buf());
        Target {
            host: self.host.clone(),
            user: self.user.clone(),
            port: self.port,
            identity: path(&self.identity),
            known_hosts: path(&self.known_hosts),
            ssh_config: path(&self.ssh_config),
            accept_new_host_key: self.accept_new_host_key,
            silence: Duration::from_secs(30),
        }
    }
}
