//! The host that has the session, with the session's lock.

use durable_files::Meter;
use migration_engine::{Cause, StepError, World};

use super::hold::{Lock, Wanted, lock_of};

/// The host that has the session, with its lock.
pub struct Source {
    pub(super) lock: Lock,
    /// Device and inode of the session's folder, if that has to stand there until it has been delivered: a copy may go
    /// on from what was brought.
    pub(super) stands: Option<String>,
}

impl Source {
    /// Whoever delivers it must have it to himself, still: a lock may be lost with its link, and before it was taken
    /// somebody else may have moved the session elsewhere, of which what was brought does not tell.
    pub(super) fn must_stand(&self, meter: &mut dyn Meter) -> Result<(), StepError> {
        let Some(identity) = &self.stands else { return Ok(()) };
        let Wanted { base, uuid, .. } = &self.lock.wanted;
        let (lock, holder) = (lock_of(uuid), self.lock.process());
        let words = [base, uuid.as_bytes(), lock.as_bytes(), holder.as_bytes()];
        let command = self.lock.wanted.command(include_str!("stands.sh"), &words);
        let (said, peer) = {
            let mut far = self.lock.remote.far();
            let ended = far.link().run(&command, b"", meter).map_err(remote_transfer::FarError::from)?;
            (String::from_utf8_lossy(&ended.stdout).into_owned(), far.peer().to_owned())
        };
        let (mut there, mut is_held) = (None, false);
        for line in said.lines() {
            match line.split_once(' ') {
                Some(("there", found)) => there = Some(found),
                _ => is_held |= line == "held",
            }
        }
        if there != Some(identity) {
            let message =
                format!("{uuid} is not on {peer} any more, or is another: somebody else has moved it");
            return Err(Cause::source_changed(message).item());
        }
        if !is_held {
            let message = format!("the lock {lock} on {peer} is no longer ours");
            return Err(Cause::new("lock-lost", message).world());
        }
        Ok(())
    }
}

impl World for Source {
    fn persist(&mut self) -> Result<(), StepError> {
        Ok(())
    }

    /// Takes the lock if a stale one was in its way until now.
    fn settle(&mut self) -> Result<(), StepError> {
        self.lock.take()
    }

    fn abandon(&mut self) {}
}
