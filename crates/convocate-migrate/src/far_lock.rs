//! A session's lock at the other end of a link, looked at.

use durable_files::Quiet;
use migration_cli::Refusal;
use remote_transfer::{Remote, RemoteCommand, words};

/// Where a session is, or was brought to.
#[derive(Debug, Clone, Copy)]
pub struct Lockable<'a> {
    /// Whose host it is.
    pub agent: &'a str,
    /// The folder it is in.
    pub base: &'a [u8],
    /// The session's id.
    pub uuid: &'a str,
    /// Whether it takes root to look.
    pub as_root: bool,
}

impl Lockable<'_> {
    /// The name of its lock file.
    pub fn name(uuid: &str) -> String {
        format!("{uuid}.lock")
    }

    /// What is known of its lock: none, or a stale one by device and inode. One that somebody holds refuses.
    pub fn stale_lock(&self, remote: &Remote) -> Result<Option<String>, Refusal> {
        let name = Self::name(self.uuid);
        let (script, given) = (include_str!("far_lock.sh"), [self.base, name.as_bytes()]);
        let command = if self.as_root { RemoteCommand::sudo } else { RemoteCommand::sh }(script, &given);
        let ended =
            remote.far().link().run(&command, b"", &mut Quiet).map_err(|error| Refusal::from(&error))?;
        let said = String::from_utf8_lossy(&ended.stdout).into_owned();
        let mut lines = said.lines();
        match (lines.next(), lines.next()) {
            _ if !ended.is_success() => {
                let base = remote_transfer::display(self.base);
                let message =
                    format!("cannot look at the lock {}:{base}/{name}: {}", self.agent, ended.complaint());
                Err(Refusal::new("far-end", message, "say the same command again"))
            }
            (None, _) => Ok(None),
            (Some(identity), Some("stale")) => Ok(Some(identity.to_owned())),
            (_, held) => Err(self.held(held.and_then(|held| held.strip_prefix("held ")))),
        }
    }

    fn held(&self, by: Option<&str>) -> Refusal {
        let Self { agent, uuid, .. } = self;
        let by = match by {
            None => "somebody: it may not be read".to_owned(),
            Some(by) if by.contains("# Holds a session's lock") => {
                format!("{}, for a move that is under way", words(by.split(" (").next().unwrap_or(by)))
            }
            Some(by) => words(by),
        };
        let message = format!("session {uuid} is locked on {agent} by {by}");
        let hint = format!(
            "wait for its owner, or see what it is; convocate-session override {uuid} removes a lock"
        );
        Refusal::new("locked", message, hint)
    }
}
