//! All that has to be known of both ends, and has to hold, before a session may go (formats/convocate.md §17.2).

use std::path::PathBuf;

use convocate_migrate::parts::{self, AgentEnd, Elsewhere, Facts};
use durable_files::{DirLock, PathText};
use migration_cli::{Refusal, Surroundings};
use migration_engine::{Cx, Outcome, StateRoot, StepError};
use remote_transfer::{Manifest, Remark, Surveyed, Tree};
use session_control::{AgentError, SessionId, valid_dns_name, valid_name};
use session_model::{Finding, SessionJson, Timestamp};

use super::running::{NotKnown, Runs, perhaps, runs};
use super::settings::End;
use super::{CopyOf, Network, Request, bring};
use crate::refusals::of_session;

/// How long a session's document may be.
const DOCUMENT: usize = 1 << 20;

/// What was found at both ends, and what of it is to be said.
pub(super) struct Known {
    pub(super) from: AgentEnd,
    pub(super) to: AgentEnd,
    pub(super) seen: Surveyed,
    /// The document as it is, and as it arrives.
    pub(super) text: Vec<u8>,
    pub(super) arrives: SessionJson,
    /// Whether it has a DNS name; where it arrives it may go without.
    pub(super) named: bool,
    /// What tells the holder of the source's lock from every other run's.
    pub(super) holder: String,
    /// A lock that speaks for nobody, by device and inode.
    pub(super) stale: Option<String>,
    /// Where it is brought to; none if it is on this machine.
    pub(super) bundle: Option<PathBuf>,
    /// What was brought, with the digests that its host tells, once it is.
    pub(super) brought: Option<Manifest>,
    pub(super) findings: Vec<Finding>,
}

impl Known {
    /// Looks at both ends, and refuses what may not go.
    pub(super) fn of(
        request: &Request,
        network: &Network,
        root: &StateRoot,
        here: &Surroundings,
        cx: &Cx<'_>,
    ) -> Result<Self, Refusal> {
        let uuid = request.session.as_str();
        let from = network.reach(&request.from, here)?;
        let to = network.reach(&request.to, here)?;
        if from.id != to.id {
            parts::are_apart(&from, &to)?;
            parts::is_open(&to)?;
        }
        parts::is_open(&from)?;
        let seen = survey(&from, uuid, cx)?;
        let text = document_of(&from, &seen, cx)?;
        let document = parsed(&text, uuid, &from)?;
        let perhaps = stands_still(&from, uuid, network, here)?;
        let stale = End::from(&from).lockable(uuid).stale_lock(&from.remote)?;
        let remarks = remarks(&from, uuid, &seen, cx)?;
        let becomes = request.copy.as_ref().map_or(document.clone(), |copy| copied(&document, copy, here));
        let named = !becomes.fields().dns_name.is_empty();
        let elsewhere = if named { network.names_elsewhere(&from, &to) } else { Elsewhere::default() };
        let (arrives, mut findings) = arrives((uuid, &becomes), &to, elsewhere, &network.options)?;
        parts::room(&to, seen.takes, seen.manifest.entries().len() as u64)?;
        findings.extend(perhaps);
        findings.extend(parts::oddities(document.fields()));
        findings.extend(parts::remarks(&remarks));
        let is_here = local_path(&from, uuid).is_some();
        if !is_here {
            let message = "extended attributes are not looked for on another host, and do not arrive";
            findings.push(Finding::note("extended-attributes", message));
        }
        let bundle = (!is_here).then(|| bring::bundle_of(root, &from, uuid, &seen));
        let holder = format!("rehome-move-{uuid}-{}", SessionId::fresh());
        Ok(Self { from, to, seen, text, arrives, named, holder, stale, bundle, brought: None, findings })
    }

    /// Brings what is on another host. Until there is a run that needs it, the lock keeps it.
    pub(super) fn bring(&mut self, cx: &Cx<'_>) -> Result<Option<DirLock>, Refusal> {
        let Some(bundle) = &self.bundle else { return Ok(None) };
        let (lock, brought) = bring::bring(&self.from, &self.seen, bundle, &self.uuid(), cx)?;
        self.brought = Some(brought);
        Ok(Some(lock))
    }

    /// The folder here that is delivered.
    pub(super) fn source(&self) -> PathText {
        let uuid = self.uuid();
        let here = || local_path(&self.from, &uuid).unwrap_or_default();
        self.bundle.as_ref().map_or_else(here, |bundle| bundle.join(&uuid)).into()
    }

    /// The id that the session has where it is.
    fn uuid(&self) -> String {
        SessionJson::parse(&self.text).map(|document| document.fields().uuid.clone()).unwrap_or_default()
    }
}

/// Its folder, if that is on this machine.
fn local_path(end: &AgentEnd, uuid: &str) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStrExt;
    let is_here = end.ssh.transport == remote_transfer::TransportKind::Here;
    is_here.then(|| PathBuf::from(std::ffi::OsStr::from_bytes(&end.base)).join(uuid))
}

/// For people: `AGENT:/home/claude/UUID`.
pub(super) fn shown(end: &AgentEnd, uuid: &str) -> String {
    format!("{}:{}/{uuid}", end.id, remote_transfer::display(&end.base))
}

fn survey(from: &AgentEnd, uuid: &str, cx: &Cx<'_>) -> Result<Surveyed, Refusal> {
    let folder = [from.base.as_slice(), b"/", uuid.as_bytes()].concat();
    from.remote.far().survey(&folder, &mut { *cx }).map_err(|error| parts::refusal(&error))
}

fn document_of(from: &AgentEnd, seen: &Surveyed, cx: &Cx<'_>) -> Result<Vec<u8>, Refusal> {
    let text = from.remote.far().read(seen, b"session.json", DOCUMENT, &mut { *cx });
    text.map_err(|error| Refusal::new("session-json", error.to_string(), "convocate-session show tells more"))
}

/// What is odd about its files. What cannot be sent is refused, before a folder of this machine is walked for what only
/// this machine sees.
fn remarks(from: &AgentEnd, uuid: &str, seen: &Surveyed, cx: &Cx<'_>) -> Result<Vec<Remark>, Refusal> {
    let may_be_sent = |remarks: Vec<Remark>| match parts::forbidden(&shown(from, uuid), &remarks) {
        Some(outcome) => Err(stays(uuid, outcome)),
        None => Ok(remarks),
    };
    let remarks = may_be_sent(seen.remarks.clone())?;
    let Some(path) = local_path(from, uuid) else { return Ok(remarks) };
    may_be_sent(Tree::open(&path)?.walk(&mut { *cx }).map_err(StepError::from)?.remarks)
}

/// The document as it arrives there, if there is a place for it, and what is to be said of that.
fn arrives(
    (uuid, becomes): (&str, &SessionJson),
    to: &AgentEnd,
    elsewhere: Elsewhere,
    options: &convocate_migrate::Options,
) -> Result<(SessionJson, Vec<Finding>), Refusal> {
    let facts = Facts::gather(to, elsewhere)?;
    if let Some(outcome) = facts.there(&becomes.fields().uuid, to)? {
        return Err(stays(uuid, outcome));
    }
    let (arrives, findings) = facts.cleared(becomes, options).map_err(|outcome| stays(uuid, outcome))?;
    Ok((arrives.with("agent_id", Some(&to.id)), findings))
}

fn parsed(text: &[u8], uuid: &str, from: &AgentEnd) -> Result<SessionJson, Refusal> {
    let refused = |why: String| {
        let message = format!("{}/session.json cannot be taken along: {why}", shown(from, uuid));
        Refusal::new("session-json", message, "put the document right by hand, or from a backup")
    };
    let document = SessionJson::parse(text).map_err(|error| refused(error.to_string()))?;
    if document.fields().uuid != uuid {
        return Err(refused("it says another id than its folder".to_owned()));
    }
    Ok(document)
}

/// Refuses a session that runs, and one of which nobody can tell.
fn stands_still(
    from: &AgentEnd,
    uuid: &str,
    network: &Network,
    here: &Surroundings,
) -> Result<Option<Finding>, Refusal> {
    let end = End::from(from);
    match runs((&end, &from.remote), uuid, &network.containers, &here.stop) {
        Ok(Runs::No) => Ok(None),
        Ok(Runs::Perhaps(why)) => Ok(Some(perhaps(&end, uuid, &why))),
        Ok(Runs::Yes(container)) => {
            let by = container.map(|name| format!(": container {name} uses it")).unwrap_or_default();
            let message = format!("session {uuid} runs on {}{by}", from.id);
            Err(Refusal::new("source-runs", message, format!("convocate-session kill {uuid}")))
        }
        Err(NotKnown::NotThere) => {
            let message = format!(
                "agent {} does not know the session {uuid}: it keeps its sessions elsewhere",
                from.id
            );
            let hint = "its registry's session-control.json names its base";
            Err(Refusal::new("agent-does-not-know", message, hint))
        }
        Err(NotKnown::Agent(AgentError::Link(link))) => Err((&link).into()),
        Err(error @ (NotKnown::Agent(_) | NotKnown::NotTold)) => {
            let message = format!("nobody knows whether session {uuid} runs: {error}");
            Err(Refusal::new("agent-not-asked", message, "convocate-session agents shows how it is"))
        }
        Err(NotKnown::Engine(error)) => {
            let hint = "start the engine, or name it: --docker PROGRAM";
            Err(Refusal::new("containers", error.to_string(), hint))
        }
    }
}

/// The document of a copy, with the DNS name that was asked for.
fn copied(document: &SessionJson, copy: &CopyOf, here: &Surroundings) -> SessionJson {
    let now: Timestamp = (here.now)();
    let dns_name = Some(copy.dns_name.as_str()).filter(|name| !name.is_empty());
    document.copied(copy.id.as_str(), &copy.name, &now.to_string()).with("dns_name", dns_name)
}

impl CopyOf {
    /// A copy of this name, and this DNS name if it is not empty.
    pub fn named(id: SessionId, name: &str, dns_name: &str) -> Result<Self, Refusal> {
        let name = valid_name(name).map_err(of_session)?.to_owned();
        Ok(Self { id, name, dns_name: valid_dns_name(dns_name).map_err(of_session)? })
    }
}

/// The only session that was asked for is the reason: nothing was tried.
fn stays(uuid: &str, outcome: Outcome) -> Refusal {
    let code = outcome.reason.unwrap_or_else(|| outcome.bucket.as_text().to_owned());
    let message = format!("session {uuid} cannot move: {}", outcome.detail.unwrap_or_default());
    Refusal::new(code, message, format!("convocate-session show {uuid} tells what is known of it"))
}
