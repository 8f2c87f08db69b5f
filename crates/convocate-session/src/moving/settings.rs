//! What a run remembers: all that `verify`, `undo` and `resume` need to know later.

use convocate_migrate::parts::{AgentEnd, Arriving, Held, Lockable, Reach, greet};
use durable_files::{Digest, PathText};
use migration_cli::{Refusal, Surroundings};
use remote_transfer::{Remote, RemoteCommand};
use serde::{Deserialize, Serialize};
use session_model::text_or_hex;

/// What a run remembers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Settings {
    pub(super) from: End,
    pub(super) to: End,
    /// The session's id, and the one it gets.
    pub(super) uuid: String,
    pub(super) becomes: String,
    /// The SHA-256 of its manifest, without digests, when the plan was made.
    pub(super) expect: Digest,
    /// How much that is.
    #[serde(default)]
    pub(super) held: Held,
    /// What tells the holder of its lock from every other run's.
    pub(super) holder: String,
    /// Device and inode of its folder.
    pub(super) identity: String,
    /// Whether its source is moved aside.
    pub(super) moves: bool,
    /// Whether it has a DNS name, or had one.
    pub(super) named: bool,
    /// The stale lock that the run begins with setting aside, by device and inode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) stale: Option<String>,
    /// Where it was brought to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) bundle: Option<PathText>,
    /// What its document says where it arrives.
    pub(super) arrives: Arriving,
}

/// One of the two ends.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct End {
    pub(super) id: String,
    pub(super) ssh: Reach,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) api: Option<Reach>,
    pub(super) as_root: bool,
    #[serde(with = "text_or_hex")]
    pub(super) base: Vec<u8>,
}

impl From<&AgentEnd> for End {
    fn from(end: &AgentEnd) -> Self {
        let AgentEnd { id, ssh, api, as_root, base, .. } = end;
        Self { id: id.clone(), ssh: ssh.clone(), api: api.clone(), as_root: *as_root, base: base.clone() }
    }
}

impl End {
    /// A script of ours, run as whoever has the sessions.
    pub(super) fn command(&self, script: &str, words: &[&[u8]]) -> RemoteCommand {
        if self.as_root { RemoteCommand::sudo(script, words) } else { RemoteCommand::sh(script, words) }
    }

    /// A session there.
    pub(super) fn lockable<'a>(&'a self, uuid: &'a str) -> Lockable<'a> {
        Lockable { agent: &self.id, base: &self.base, uuid, as_root: self.as_root }
    }

    /// Goes there again.
    pub(super) fn reach(&self, here: &Surroundings) -> Result<Remote, Refusal> {
        let mut far = greet(&self.ssh, here)?;
        if self.as_root {
            far.act_as_root();
        }
        Ok(Remote::new(far))
    }
}
