//! What is said on the screen as on the command line.

use session_control::Session;

/// There is nowhere to make a session, or to bring one.
pub(crate) const NO_AGENTS: &str = "No convocate-agent hosts are registered.";
/// What to do about that.
pub(crate) const ADD_AN_AGENT: &str = "Run 'convocate-host init-agent' to add one.";

/// A session was made, ` on …`.
pub(crate) fn created(session: &Session, on: &str) -> String {
    format!("Created session {:?} ({}){on}", session.name, session.uuid)
}

/// A session was made of one with this id, ` on …`.
pub(crate) fn cloned(session: &Session, from: &str, on: &str) -> String {
    format!("Cloned session {:?} ({}) from {from}{on}", session.name, session.uuid)
}

/// How a session is reached from outside, in lines below that.
pub(crate) fn reached(session: &Session) -> Vec<String> {
    let name = &session.dns_name;
    let port = session.published().map(|port| format!("  published port {port}"));
    let name = (!name.is_empty()).then(|| format!("  DNS name {name:?} registered on agent"));
    port.into_iter().chain(name).collect()
}

/// Why nobody attaches to an orphan.
pub(crate) fn orphan(name: &str) -> String {
    format!(
        "session {name:?} is a local orphan (shell host no longer runs containers); migrate it to a convocate-agent to \
         resume"
    )
}
