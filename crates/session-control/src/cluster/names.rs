//! The DNS names of a cluster: each is one session's (formats/convocate.md §13).

use super::{Place, Row, Survey};
use crate::SessionError;

/// Why a name is not to be given.
#[derive(Debug, thiserror::Error)]
pub enum NameError {
    /// It is another session's.
    #[error("{error} ({uuid} on {member})")]
    Taken {
        /// In the words that people know.
        error: SessionError,
        /// The session that has it.
        uuid: String,
        /// Its host.
        member: String,
    },
    /// Not everybody could be asked.
    #[error("nobody knows whether DNS name {name:?} is free: {} ({reason})", member)]
    Unverified {
        /// The name.
        name: String,
        /// A host that could not be asked.
        member: String,
        /// Why not.
        reason: String,
    },
}

impl NameError {
    /// A short name of it that does not change, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Taken { .. } => "dns-taken",
            Self::Unverified { .. } => "dns-unverified",
        }
    }
}

impl Survey {
    /// Another session than this one that has the name. What was left behind on a shell host has none.
    pub fn holder_of(&self, name: &str, but: Option<&str>) -> Option<&Row> {
        let has = |row: &&Row| {
            let session = &row.session;
            row.place != Place::Orphans
                && session.dns_name.eq_ignore_ascii_case(name)
                && Some(session.uuid.as_str()) != but
        };
        self.rows.iter().find(has).filter(|_| !name.is_empty())
    }

    /// Whether a session, perhaps this one, may have the name. A host that could not be asked may have given it away.
    pub fn name_is_free(
        &self,
        name: &str,
        but: Option<&str>,
        allow_unverified: bool,
    ) -> Result<(), NameError> {
        if name.is_empty() {
            return Ok(());
        }
        if let Some(row) = self.holder_of(name, but) {
            let error = SessionError::DnsTaken { name: name.to_owned() };
            return Err(NameError::Taken {
                error,
                uuid: row.session.uuid.clone(),
                member: row.member.clone(),
            });
        }
        // What was left behind has no names.
        match self.unreachable.iter().find(|host| host.place != Place::Orphans) {
            Some(host) if !allow_unverified => Err(NameError::Unverified {
                name: name.to_owned(),
                member: host.member.clone(),
                reason: host.reason.clone(),
            }),
            _ => Ok(()),
        }
    }
}
