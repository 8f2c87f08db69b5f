//! How one gets into a session of this machine: through its container.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::process::{Command, ExitStatus};
use std::time::Instant;

use crate::{Containers, LocalHost, Profile, SessionError, SessionId, Watch};

/// What tells one who came in from all others, in the environment of what runs for him.
const MARK: &str = "REHOME_ATTACHED";

/// Ends, within a container, whatever runs for somebody of this mark. A container's engine does not: when somebody's
/// terminal is gone, the client that it had started there goes on as if he still looked.
const LEAVE: &str = r#"for it in /proc/[0-9]*; do
    tr '\0' '\n' 2> /dev/null < "$it/environ" | grep -qx "$1" && kill -HUP "${it#/proc/}"
done
true"#;

/// Shows what is in a container, once there is something. To attach to nothing would start a server of tmux, which ends at
/// once and takes with it the session that is just coming up there.
const SHOW: &str = r#"tmux has-session -t "$1" && exec tmux attach-session -t "$1""#;

/// A way into a container, for one person.
#[derive(Debug)]
pub(super) struct Door {
    containers: Containers,
    profile: Profile,
    container: String,
    mark: String,
}

impl Door {
    /// To this session, whatever release has started its container.
    pub(super) fn to(host: &LocalHost, id: &SessionId) -> Result<Self, SessionError> {
        let local = host.local();
        let names = host.running()?;
        let container = host.container_of(id, &names).map(str::to_owned);
        let container = container.unwrap_or_else(|| local.profile.container(id));
        let mark = format!("{MARK}={:016x}", RandomState::new().build_hasher().finish());
        // Whoever goes because he was told to leaves as everybody does.
        let containers = Containers { watch: Watch::default(), ..local.containers.clone() };
        Ok(Self { containers, profile: local.profile, container, mark })
    }

    /// What puts the session's screen on the terminal that it is run on.
    pub(super) fn command(&self) -> Command {
        let Profile { user, tmux, .. } = self.profile;
        let mut exec = self.containers.command();
        exec.args(["exec", "-it", "-e", &self.mark, &self.container]);
        exec.args(["sudo", "-E", "-u", user, "-H", "--", "sh", "-c", SHOW, "sh", tmux]);
        exec
    }

    /// Goes in.
    pub(super) fn enter(&self) -> Guest<'_> {
        Guest { inside: Some(self) }
    }

    fn leave(&self) {
        // As that user: root in a container may not read what is in others' environments.
        let exec = ["exec", &self.container, "sudo", "-u", self.profile.user, "--"];
        let words = exec.into_iter().chain(["sh", "-c", LEAVE, "sh", &self.mark]);
        let begun = Instant::now();
        // The signal that ends whoever ran on a lost terminal may end the first try, before that has a group of its own.
        for _ in 0..2 {
            // Whoever cannot leave is in a container that has ended, or whose engine does not answer.
            let within = self.containers.within.saturating_sub(begun.elapsed());
            if within.is_zero() || self.containers.order(words.clone(), within).is_ok() {
                return;
            }
        }
    }
}

/// Somebody who is in. Unless he has left by himself he leaves when this is dropped, whatever the reason.
pub(super) struct Guest<'d> {
    inside: Option<&'d Door>,
}

impl Guest<'_> {
    /// He has left, if what put the screen on his terminal tells of success.
    pub(super) fn left(mut self, status: ExitStatus) {
        self.inside = self.inside.filter(|_| !status.success());
    }
}

impl Drop for Guest<'_> {
    fn drop(&mut self) {
        if let Some(door) = self.inside {
            door.leave();
        }
    }
}
