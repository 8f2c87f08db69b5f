//! What hosts say no to, with what to type next.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use migration_cli::{Exit, Refusal, is_it_up};
use remote_transfer::TransportError;
use session_control::{AgentError, HostError, NotFound, RegistryError, Row, SessionError, SessionId};
use session_model::Finding;

use crate::hosts::Hosts;

/// A host that has not done what was asked of it.
pub(crate) fn of_host(error: &HostError) -> Refusal {
    let (code, message) = (error.code(), error.to_string());
    match error {
        HostError::Agent(AgentError::Link(link)) => {
            return of_link(link, "convocate-session list shows how it stands");
        }
        HostError::Session(SessionError::Io { doing: "list the sessions in", source, .. })
            if source.kind() == ErrorKind::NotFound =>
        {
            return no_base(message);
        }
        _ => {}
    }
    if let Some(path) = forbidden(error) {
        return Refusal::new(code, message, wrong_user(path));
    }
    let (exit, hint) = answer(error);
    Refusal::new(code, message, hint).exit(exit).findings(owner(error).into_iter().collect())
}

/// What is wrong with a session of this machine, or with what was said of one.
pub(crate) fn of_session<E: Into<SessionError>>(error: E) -> Refusal {
    of_host(&HostError::Session(error.into()))
}

/// An agent that was not reached, or with which the link broke that stood: then something may have been done.
pub(crate) fn of_link(link: &TransportError, after_a_loss: impl Into<String>) -> Refusal {
    match link {
        TransportError::Lost { .. } => Refusal::failure("link-lost", link.to_string(), after_a_loss),
        TransportError::Unreachable { peer, .. } => {
            let registry = "Another port: session-control.json, beside its key in the registry";
            Refusal { hint: format!("{} {registry}", is_it_up(peer)), ..link.into() }
        }
        _ => link.into(),
    }
}

/// The folder of the sessions is not there.
pub(crate) fn no_base(message: String) -> Refusal {
    Refusal::new("base", message, "name the folder of the sessions: --base DIR")
}

/// How the tool ends, and what to do about it.
fn answer(error: &HostError) -> (Exit, &'static str) {
    match error.code() {
        "invalid" => (Exit::Usage, "convocate-session new --help tells what can be said"),
        "not-an-id" => (Exit::Usage, "convocate-session list shows the ids"),
        "no-such-session" => (Exit::Refused, "convocate-session list shows what there is"),
        "session-json" => (
            Exit::Refused,
            "put the document right by hand, or from a backup; kill, delete and override work by its whole id",
        ),
        "port-taken" => (Exit::Refused, "name another port, or --port auto"),
        "dns-taken" => (Exit::Refused, "name another one, or none: --dns NAME"),
        "already-running" => (Exit::Refused, "convocate-session attach connects to it"),
        "not-running" => (Exit::Refused, "convocate-session restart starts it"),
        "not-connected" => (Exit::Refused, "there is nobody to detach"),
        "locked" => (
            Exit::Refused,
            "wait for its owner, or see what it is; convocate-session override removes a lock",
        ),
        "stopped" => match error {
            HostError::Agent(AgentError::Stopped { .. })
            | HostError::Session(SessionError::NotAwaited { .. }) => {
                (Exit::Interrupted, "convocate-session list shows whether it was done")
            }
            _ => (Exit::Interrupted, "say the same command again"),
        },
        "mounted" => (
            Exit::Refused,
            "it would be emptied for all who have it: unmount it on that host, then say it again",
        ),
        "busy" => (Exit::Refused, "wait until that has ended, then say it again"),
        "no-room" => (Exit::Refused, "free some room there, then say the same command again"),
        "still-at-work" => {
            (Exit::Failed, "convocate-session list shows it when it is done; until then do not say it again")
        }
        "not-locked" => (Exit::Refused, "there is nothing to remove"),
        "orphan" => (Exit::Refused, "convocate-migrate --agent ID --session UUID"),
        "io" => (Exit::Failed, "look at it: is there room, and may it be written to?"),
        "no-claude" => {
            (Exit::Refused, "install it on the session's host, or say where it is there: --claude FILE")
        }
        "container" => {
            // Beyond that question it was tried, and may have been done half.
            let is_asked = matches!(error, HostError::Session(SessionError::CheckRunning(_)));
            let exit = if is_asked { Exit::Refused } else { Exit::Failed };
            (exit, "see whether the container engine answers: docker ps")
        }
        _ => (Exit::Failed, "convocate-session list shows how it stands"),
    }
}

/// What one may not read or write here.
pub(crate) fn forbidden(error: &HostError) -> Option<&Path> {
    let HostError::Session(SessionError::Io { path, source, .. } | SessionError::Unreadable { path, source }) =
        error
    else {
        return None;
    };
    (source.kind() == ErrorKind::PermissionDenied).then_some(path)
}

/// Who may: whoever has it, or the nearest thing above it.
fn wrong_user(path: &Path) -> String {
    let ours = rustix::process::getuid().as_raw();
    let owner = path.ancestors().find_map(|path| path.symlink_metadata().ok()).map_or(0, |found| found.uid());
    if owner == ours {
        return format!("you have {}, but may not work with it: look at its modes", path.display());
    }
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let named = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == owner.to_string()).then(|| name.to_owned())
    });
    let name = named.unwrap_or_else(|| format!("#{owner}"));
    format!(
        "must run as user {name:?} (uid {owner}), currently uid {ours} \u{2014} try: sudo -u {name} convocate-session"
    )
}

/// Who has it.
fn owner(error: &HostError) -> Option<Finding> {
    let owner = match error {
        HostError::Session(SessionError::Locked { owner, .. } | SessionError::LockedInUse { owner, .. }) => {
            owner.as_ref()?
        }
        HostError::Session(SessionError::InUse { owner, .. }) => owner,
        _ => return None,
    };
    Some(Finding::warning("lock-owner", format!("its lock is held by {owner}")))
}

/// A registry that cannot be read.
pub(crate) fn of_registry(error: &RegistryError) -> Refusal {
    let hint = match error {
        RegistryError::Unreadable { .. } => {
            "say it again as a user who may read it: sudo convocate-session …"
        }
        _ => "put its folder right, or name another registry with --agent-keys-dir DIR",
    };
    Refusal::new("registry", error.to_string(), hint)
}

/// The same for a session that has been found.
pub(crate) fn about(row: &Row, error: &HostError) -> Refusal {
    let mut refusal = of_host(error);
    if refusal.code == "orphan" {
        refusal.hint = format!("convocate-migrate --agent ID --session {}", row.session.uuid);
    }
    refusal
}

impl Hosts {
    /// Nobody has it: for an id each host is asked what it says of it, since a broken session is in no list.
    pub(crate) fn not_found(&self, name: &str, error: &NotFound) -> Refusal {
        let unasked = match error {
            NotFound::Ambiguous { .. } => {
                let hint = "say its id, or more of it; --agent ID and --local tell hosts apart";
                return Refusal::usage("ambiguous", error.to_string(), hint);
            }
            NotFound::Uncertain { .. } => {
                let hint = "say its whole id, or which host it is on: --agent ID, or --local";
                return Refusal::new("not-all-asked", error.to_string(), hint);
            }
            NotFound::Missing { unasked, .. } => unasked,
        };
        let hint = "convocate-session list shows what there is";
        let Ok(id) = name.parse::<SessionId>() else {
            return Refusal::new("no-such-session", error.to_string(), hint);
        };
        let asked = self.chosen.members().iter().filter(|member| !unasked.contains(&member.id));
        let said = asked.filter_map(|member| member.open().get(&id).err());
        let broken =
            said.filter(|error| error.code() != "no-such-session").map(|error| of_host(&error)).next();
        broken.unwrap_or_else(|| {
            let missing = SessionError::Missing { id: name.to_owned() };
            let mut refusal = Refusal::new("no-such-session", missing.to_string(), hint);
            if !unasked.is_empty() {
                refusal.message = error.to_string();
            }
            refusal
        })
    }
}
