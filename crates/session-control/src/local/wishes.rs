//! What may be said of a session beside the others of this host.

use std::collections::BTreeSet;

use session_model::SessionJson;

use super::survey::Found;
use crate::{SessionError, SessionId, Wishes};

/// The port that a session is given if it wants any, and where the search for one begins.
const FIRST: i64 = 1001;
const LAST: i64 = 65535;

/// What can be granted to a new session, or to this one. What it has already is not asked for again.
pub(super) fn grant(
    wishes: &Wishes,
    sessions: &[Found],
    own: Option<&SessionId>,
) -> Result<Wishes, SessionError> {
    let Wishes { name, port, protocol, dns_name } = wishes.checked()?;
    let before = sessions.iter().find(|session| Some(&session.id) == own);
    let others = || sessions.iter().filter(|session| Some(&session.id) != own);

    let port = match port {
        -1 => free(others().map(|session| session.document.fields().port))?,
        port => port,
    };
    let has_port = |session: &Found| session.document.fields().port == port && session.protocol() == protocol;
    if port != 0 && !before.is_some_and(has_port) && others().any(has_port) {
        return Err(SessionError::PortTaken { port, protocol });
    }
    let has_name =
        |session: &Found| session.document.fields().dns_name.trim().eq_ignore_ascii_case(&dns_name);
    if !dns_name.is_empty() && !before.is_some_and(has_name) && others().any(has_name) {
        return Err(SessionError::DnsTaken { name: dns_name });
    }
    Ok(Wishes { name, port, protocol, dns_name })
}

/// The document saying what was granted, and otherwise what it said.
pub(super) fn saying(document: &SessionJson, granted: &Wishes) -> SessionJson {
    let dns_name = Some(granted.dns_name.as_str()).filter(|name| !name.is_empty());
    let document = document.with("name", Some(&granted.name)).with_port(granted.port);
    document.with("protocol", Some(&granted.protocol)).with("dns_name", dns_name)
}

/// The lowest port that is nobody's, whatever the protocol.
fn free(taken: impl Iterator<Item = i64>) -> Result<i64, SessionError> {
    let taken: BTreeSet<i64> = taken.collect();
    (FIRST..=LAST).find(|port| !taken.contains(port)).ok_or(SessionError::NoPort { from: FIRST })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_every_port_is_somebodys_that_is_said() {
        assert_eq!(free(std::iter::empty()).unwrap(), 1001);
        assert_eq!(free((0..LAST).filter(|port| *port != 30_000)).unwrap(), 30_000);
        assert_eq!(free(0..LAST).unwrap(), LAST);
        assert_eq!(free(0..=LAST).unwrap_err().to_string(), "no available port at or above 1001");
    }
}
