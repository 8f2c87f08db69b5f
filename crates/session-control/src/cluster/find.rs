//! A session by what people call it.

use super::{Cluster, Row, Survey};

/// Why what was named is no session.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotFound {
    /// There is none.
    #[error("there is no session {name:?}{}", but_for(.unasked))]
    Missing {
        /// What was named.
        name: String,
        /// Hosts that could not be asked.
        unasked: Vec<String>,
    },
    /// One was found by its name, and hosts that may have another of that name could not be asked.
    #[error("{name:?} may also be a session of {}, which could not be asked", unasked.join(", "))]
    Uncertain {
        /// What was named.
        name: String,
        /// Hosts that could not be asked.
        unasked: Vec<String>,
    },
    /// There are several.
    #[error("{name:?} may be any of {}", candidates.join(", "))]
    Ambiguous {
        /// What was named.
        name: String,
        /// Each with its id, name and host.
        candidates: Vec<String>,
    },
}

fn but_for(hosts: &[String]) -> String {
    if hosts.is_empty() { String::new() } else { format!(", but {} could not be asked", hosts.join(", ")) }
}

/// What of an id is enough to name it.
const ENOUGH: usize = 4;

impl Survey {
    /// The session with this id, the only one whose id begins so (four characters or more), or the only one of this
    /// name.
    pub fn find(&self, name: &str) -> Result<&Row, NotFound> {
        if let Some(row) = self.rows.iter().find(|row| row.session.uuid == name) {
            return Ok(row);
        }
        let begins = |row: &Row| name.len() >= ENOUGH && row.session.uuid.starts_with(name);
        // Some were given names with blanks around them.
        let is_called = |row: &Row| row.session.name.trim() == name.trim();
        let found: Vec<&Row> = self.rows.iter().filter(|row| is_called(row) || begins(row)).collect();
        match found[..] {
            [row] => Ok(row),
            [] => Err(NotFound::Missing { name: name.to_owned(), unasked: self.unasked() }),
            _ => {
                let told =
                    |row: &&Row| format!("{} ({:?} on {})", row.session.uuid, row.session.name, row.member);
                Err(NotFound::Ambiguous {
                    name: name.to_owned(),
                    candidates: found.iter().map(told).collect(),
                })
            }
        }
    }

    /// Finds a session as [`find`](Self::find) does, for whoever will change it: only a whole id counts while some host
    /// has not answered.
    pub fn find_to_change(&self, name: &str) -> Result<&Row, NotFound> {
        let row = self.find(name)?;
        if row.session.uuid == name || self.unreachable.is_empty() {
            return Ok(row);
        }
        Err(NotFound::Uncertain { name: name.to_owned(), unasked: self.unasked() })
    }

    fn unasked(&self) -> Vec<String> {
        self.unreachable.iter().map(|host| host.member.clone()).collect()
    }
}

impl Cluster {
    /// Asks all hosts, and tells which session is meant: by its id, the beginning of it, or its name.
    pub fn find(&self, name: &str) -> Result<Row, NotFound> {
        self.survey().find(name).cloned()
    }
}
