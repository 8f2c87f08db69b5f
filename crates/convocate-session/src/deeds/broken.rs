//! A session whose document cannot be read: it is on no list, nobody knows how it stands, and it is ended by its whole id.

use migration_cli::{Question, Refusal};
use session_control::{Lock, Place, Row, Session, SessionId};

use super::Found;
use crate::hosts::{Hosts, only};

impl Found {
    /// One that will be changed, for a deed that does not need what is said of it.
    pub(super) fn even_broken(hosts: Hosts, name: &str) -> Result<Self, Refusal> {
        match hosts.find_to_change(name) {
            Err(refusal) if refusal.code == "session-json" => {
                let (row, why) = hosts.broken(name).ok_or(refusal)?;
                Ok(Self { broken: Some(why), ..Self::of(only(row)?, hosts)? })
            }
            row => Self::of(row?, hosts),
        }
    }

    /// What somebody has to know before this is done to a broken one.
    pub(super) fn asked_of_broken(&self, deed: &str) -> Option<Question> {
        let why = self.broken.as_ref()?;
        Some(Question::from(format!("{why}: {deed} it all the same?")))
    }
}

impl Hosts {
    /// The broken session of this id, and what is wrong with it.
    fn broken(&self, name: &str) -> Option<(Row, String)> {
        let id: SessionId = name.parse().ok()?;
        let mut found = self.chosen.members().iter().filter_map(|member| {
            let error = member.open().get(&id).err().filter(|error| error.code() == "session-json")?;
            let session = Session { uuid: id.to_string(), name: id.to_string(), ..Session::default() };
            let session = if member.place == Place::Agent { session } else { self.locked(&id, session) };
            Some((Row::of(member, session), error.to_string()))
        });
        let (mut row, why) = found.next()?;
        row.also = found.map(|(row, _)| row.member).collect();
        Some((row, why))
    }

    /// The same with what is known of its lock on this machine, which can be told without its document.
    fn locked(&self, id: &SessionId, session: Session) -> Session {
        let lock = Lock::of(&self.base.join(id.as_str()));
        Session {
            locked: Some(lock.is_some()),
            lock_pid: lock.as_ref().and_then(Lock::pid),
            lock_stale: lock.as_ref().map(Lock::is_nobodys),
            ..session
        }
    }
}
