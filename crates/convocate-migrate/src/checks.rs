//! All that has to hold before a session may move (formats/convocate.md §17.2), each with its own sentence.

use std::collections::HashSet;

use legacy_readers::convocate::{Claim, Content, LockFile, Session};
use migration_cli::Refusal;
use migration_engine::{Bucket, Outcome, RunId};
use remote_transfer::{About, Remark, Tree, Walked};
use session_control::{
    Container, Process, Use, mounted_in, valid_dns_name, valid_name, valid_port, valid_protocol,
};
use session_model::{Fields, Finding, SessionJson};

use crate::agent_end::{AgentEnd, refusal};
use crate::elsewhere::Elsewhere;
use crate::options::{OnConflict, Options};

/// What is known of the end where sessions go, once for all of them.
pub struct Facts {
    id: String,
    /// What sessions on the agent have, and those that go there in this run.
    taken: Vec<Taken>,
    /// What there is in its folder of sessions.
    names: HashSet<Vec<u8>>,
    /// The ids that the agent itself tells, where it can be asked: it may keep sessions elsewhere than one thinks.
    told: Vec<String>,
    /// Names that sessions on other agents have.
    elsewhere: Elsewhere,
}

/// What one session has taken.
#[derive(Debug, Clone)]
struct Taken {
    uuid: String,
    port: i64,
    protocol: String,
    dns_name: String,
}

/// A session that may move: what was found in it, and its document as it will arrive.
pub(crate) struct Ready {
    pub(crate) walked: Walked,
    pub(crate) arrives: SessionJson,
    pub(crate) findings: Vec<Finding>,
}

impl Taken {
    fn of(document: &SessionJson) -> Self {
        let fields = document.fields();
        Self::with(&fields.uuid, fields.port, &fields.protocol, &fields.dns_name)
    }

    fn told(session: &session_control::Session) -> Self {
        Self::with(&session.uuid, session.port, &session.protocol, &session.dns_name)
    }

    fn with(uuid: &str, port: i64, protocol: &str, dns_name: &str) -> Self {
        let folded = |text: &str| text.trim().to_ascii_lowercase();
        let protocol = valid_protocol(protocol).map_or_else(|_| folded(protocol), str::to_owned);
        Self { uuid: uuid.to_owned(), port, protocol, dns_name: folded(dns_name) }
    }
}

/// Which containers run here.
pub(crate) fn containers(options: &Options) -> Result<Vec<Container>, Refusal> {
    if options.no_docker_check {
        return Ok(Vec::new());
    }
    options.containers().running().map_err(|error| {
        let hint = "start the engine, or name it: --docker PROGRAM; say --no-docker-check if you know that no session runs here";
        Refusal::new("containers", error.to_string(), hint)
    })
}

impl Facts {
    /// Asks it.
    pub fn gather(end: &AgentEnd, elsewhere: Elsewhere) -> Result<Self, Refusal> {
        let documents =
            end.remote.far().collect(&end.base, "session.json").map_err(|error| refusal(&error))?;
        let names = end.remote.far().names(&end.base).map_err(|error| refusal(&error))?;
        let documents = documents.iter().filter_map(|(_, text)| SessionJson::parse(text).ok());
        let mut taken: Vec<Taken> = documents.map(|document| Taken::of(&document)).collect();
        let told =
            end.api.as_ref().and_then(|api| session_control::list(&mut *api.open()).ok()).unwrap_or_default();
        taken.extend(told.iter().map(Taken::told));
        let told = told.into_iter().map(|session| session.uuid).collect();
        Ok(Self { id: end.id.clone(), taken, names, told, elsewhere })
    }

    /// Whether a session may move; if not, where it ends and why.
    pub(crate) fn check(
        &mut self,
        session: &Session,
        containers: &[Container],
        options: &Options,
        end: &AgentEnd,
        meter: &mut dyn durable_files::Meter,
    ) -> Result<Result<Ready, Outcome>, Refusal> {
        let document = match here(session, containers) {
            Err(outcome) => return Ok(Err(outcome)),
            Ok(document) => document.clone(),
        };
        if let Some(outcome) = self.there(&session.uuid, end)? {
            return Ok(Err(outcome));
        }
        let (arrives, mut findings) = match self.cleared(&document, options) {
            Err(outcome) => return Ok(Err(outcome)),
            Ok(cleared) => cleared,
        };
        let walked = match contents(session, meter) {
            Err(outcome) => return Ok(Err(outcome)),
            Ok(walked) => walked,
        };
        findings.extend(oddities(document.fields()));
        findings.extend(remarks(&walked.remarks));
        findings.extend(watched(session, containers));
        self.taken.push(Taken::of(&arrives));
        let arrives = arrives.with("agent_id", Some(&end.id));
        Ok(Ok(Ready { walked, arrives, findings }))
    }

    /// The document without what somebody else has already, if that may be cleared.
    pub fn cleared(
        &self,
        document: &SessionJson,
        options: &Options,
    ) -> Result<(SessionJson, Vec<Finding>), Outcome> {
        let agent = &self.id;
        let wants = Taken::of(document);
        let (mut arrives, mut findings) = (document.clone(), Vec::new());
        let others = || self.taken.iter().filter(|taken| taken.uuid != wants.uuid);
        let has_port = |taken: &&Taken| (taken.port, &taken.protocol) == (wants.port, &wants.protocol);
        if wants.port > 0
            && let Some(taken) = others().find(has_port)
        {
            let what = format!(
                "port {}/{} belongs to session {} on {agent}",
                wants.port, wants.protocol, taken.uuid
            );
            if options.on_port_conflict == OnConflict::Refuse {
                return Err(conflict(
                    "port-taken",
                    format!("{what}; --on-port-conflict clear moves it without"),
                ));
            }
            arrives = arrives.with("port", None);
            findings.push(Finding::warning("port-cleared", format!("{what}: it arrives without a port")));
        } else if wants.port > 0 {
            let message = format!("it keeps its port {}/{}", wants.port, wants.protocol);
            findings.push(Finding::note("port-kept", message));
        }
        if !wants.dns_name.is_empty() {
            let on_agent = others().find(|taken| taken.dns_name == wants.dns_name);
            let on_agent = on_agent.map(|taken| format!("session {} on {agent}", taken.uuid));
            let holder = on_agent.or_else(|| self.elsewhere.holder_of(&wants.dns_name, &wants.uuid));
            if let Some(holder) = holder {
                let what = format!("the DNS name {:?} belongs to {holder}", wants.dns_name);
                if options.on_dns_conflict == OnConflict::Refuse {
                    return Err(conflict(
                        "dns-taken",
                        format!("{what}; --on-dns-conflict clear moves it without"),
                    ));
                }
                arrives = arrives.with("dns_name", None);
                findings.push(Finding::warning("dns-cleared", format!("{what}: it arrives without a name")));
            } else if let Some(unasked) = self.elsewhere.unasked() {
                let what =
                    format!("nobody knows whether the DNS name {:?} is free: {unasked}", wants.dns_name);
                if !options.allow_unverified_dns {
                    let hint = "--allow-unverified-dns moves it all the same";
                    return Err(conflict("dns-unverified", format!("{what}; {hint}")));
                }
                findings.push(Finding::warning("dns-unverified", what));
            }
        }
        Ok((arrives, findings))
    }

    /// What stands in its place on the agent already.
    pub fn there(&self, uuid: &str, end: &AgentEnd) -> Result<Option<Outcome>, Refusal> {
        let agent = &end.id;
        let staging = staging(uuid);
        let is_there = |name: &str| self.names.contains(name.as_bytes());
        if !is_there(uuid) && !is_there(&staging) && !self.told.iter().any(|told| told == uuid) {
            return Ok(None);
        }
        let standing = end.remote.far().look(&end.base, uuid, &staging, ".none");
        let standing = standing.map_err(|error| refusal(&error))?;
        if standing.live.is_some() || self.told.iter().any(|told| told == uuid) {
            let message = format!("agent {agent} has a session {uuid} already, and both are kept");
            return Ok(Some(conflict("on-agent", message)));
        }
        Ok(standing.staging.map(|run| {
            conflict(
                "staging-left",
                format!("{staging} on agent {agent} is left of {}", way_out(&run, agent)),
            )
        }))
    }
}

fn watched(session: &Session, containers: &[Container]) -> Vec<Finding> {
    let folder = session.path.canonicalize().unwrap_or_else(|_| session.path.clone());
    let watching = containers.iter().filter(|it| it.use_of(&session.uuid, &folder) == Some(Use::Watched));
    let said = watching.map(|it| {
        Finding::warning("watched", format!("container {} may read a folder around it", it.name()))
    });
    said.collect()
}

/// What an agent would not let anybody say of a session. It is moved as it is: nobody else knows what it should be.
pub fn oddities(fields: &Fields) -> Vec<Finding> {
    let said = [
        ("odd-name", "name", valid_name(&fields.name).err()),
        ("odd-port", "port", valid_port(fields.port).err()),
        ("odd-protocol", "protocol", valid_protocol(&fields.protocol).err()),
        ("odd-dns-name", "DNS name", valid_dns_name(&fields.dns_name).err()),
    ];
    let odd = said.into_iter().filter_map(|(code, what, why)| {
        Some(Finding::warning(code, format!("its {what} is moved as it is: {}", why?)))
    });
    odd.collect()
}

/// What can be said of a session at this end alone.
pub(crate) fn here<'a>(session: &'a Session, containers: &[Container]) -> Result<&'a SessionJson, Outcome> {
    let document = match &session.content {
        Content::Read { document, .. } => document,
        Content::Quarantined(anomaly) => {
            return Err(
                Outcome::because(Bucket::Quarantined, anomaly.code.clone()).detail(anomaly.to_string())
            );
        }
    };
    let folder = session.path.canonicalize().unwrap_or_else(|_| session.path.clone());
    let using =
        containers.iter().find(|container| container.use_of(&session.uuid, &folder) == Some(Use::InUse));
    if let Some(container) = using {
        let name = container.name();
        return Err(conflict(
            "container-running",
            format!("container {name} uses it; type: docker stop {name}"),
        ));
    }
    if let Some(owner) = session.lock.as_ref().and_then(owner) {
        let message = format!("it is locked by {owner} (see {}.lock)", session.path.display());
        return Err(conflict("locked", message));
    }
    if session.lock.as_ref().is_some_and(|lock| !lock.is_readable) {
        let message =
            format!("it is locked by somebody whose {}.lock may not be read", session.path.display());
        return Err(conflict("locked", message));
    }
    Ok(document)
}

/// The living process that a lock speaks for.
pub(crate) fn owner(lock: &LockFile) -> Option<Process> {
    match lock.claim() {
        Claim::Process(pid) => Process::alive(pid),
        Claim::Nobody | Claim::Unknown => None,
    }
}

/// The name under which a session is staged.
pub fn staging(uuid: &str) -> String {
    format!(".incoming-{uuid}")
}

/// Which run it was, and how to be rid of what it left: by that run, or, if its journal is lost, without.
fn way_out(run: &str, agent: &str) -> String {
    let gc = format!("convocate-migrate gc --agent {agent} --older-than 0");
    match run.parse::<RunId>() {
        Ok(run) => format!(
            "run {run}; finish that, or undo it: convocate-migrate resume {run}, with its --state-dir DIR if it is kept \
             elsewhere; if it is lost, {gc} shows what it left and asks"
        ),
        Err(_) => format!("a run that it does not name; {gc} shows it and asks"),
    }
}

/// What is in it, if all of that can be sent.
pub(crate) fn contents(session: &Session, meter: &mut dyn durable_files::Meter) -> Result<Walked, Outcome> {
    let unreadable = |message: String| Outcome::because(Bucket::Quarantined, "unreadable").detail(message);
    let tree = Tree::open(&session.path).map_err(|error| unreadable(error.to_string()))?;
    let mut walked = tree.walk(meter).map_err(|error| unreadable(error.to_string()))?;
    // Another folder of the same file system is one as well, which no device's number tells.
    if let Some(at) = mounted_in(&session.path) {
        let path = at.strip_prefix(&session.path).unwrap_or(&at).as_os_str().as_encoded_bytes().to_vec();
        walked.remarks.push(Remark { path, about: About::MountPoint });
    }
    match forbidden(&session.path.display().to_string(), &walked.remarks) {
        Some(outcome) => Err(outcome),
        None => Ok(walked),
    }
}

/// Why a tree cannot be sent, if something in it forbids that.
pub fn forbidden(tree: &str, remarks: &[Remark]) -> Option<Outcome> {
    let forbidding = remarks.iter().find(|remark| remark.about.forbids())?;
    let path = remote_transfer::display(&forbidding.path);
    let message = format!("{tree}/{path} {}", said(&forbidding.about));
    Some(Outcome::because(Bucket::Quarantined, "cannot-be-sent").detail(message))
}

/// What does not arrive as it is: a sentence for each kind, with the first path.
pub fn remarks(remarks: &[Remark]) -> Vec<Finding> {
    let mut findings: Vec<(&'static str, Vec<&[u8]>, String)> = Vec::new();
    for remark in remarks {
        let said = said(&remark.about);
        match findings.iter_mut().find(|(_, _, found)| *found == said) {
            Some((_, paths, _)) => paths.push(&remark.path),
            None => findings.push((code(&remark.about), vec![&remark.path], said)),
        }
    }
    let told = findings.into_iter().map(|(code, paths, said)| {
        let first = remote_transfer::display(paths[0]);
        let message = match paths.len() {
            1 => format!("{first} {said}"),
            more => format!("{first} and {} more: each {said}", more - 1),
        };
        if code == "absolute-link" { Finding::note(code, message) } else { Finding::warning(code, message) }
    });
    told.collect()
}

fn code(about: &About) -> &'static str {
    match about {
        About::Special(_) => "left-out",
        About::SetsIds => "sets-ids",
        About::LinkedFromOutside => "linked-from-outside",
        About::ExtendedAttributes => "extended-attributes",
        About::AbsoluteLink => "absolute-link",
        About::Device | About::MountPoint | About::Unreadable(_) | About::TooDeep => "cannot-be-sent",
    }
}

fn said(about: &About) -> String {
    match about {
        About::Special(what) => format!("is a {what} and is left out"),
        About::Device => "is a device, which cannot be sent".to_owned(),
        About::MountPoint => "is mounted there, and not part of the session: unmount it first".to_owned(),
        About::Unreadable(error) => format!("cannot be read: {error}"),
        About::TooDeep => "is nested too deep".to_owned(),
        About::SetsIds => "arrives without the bits that set ids".to_owned(),
        About::LinkedFromOutside => {
            "has further names outside the session and arrives as a file of its own".to_owned()
        }
        About::ExtendedAttributes => "arrives without its extended attributes".to_owned(),
        About::AbsoluteLink => "is an absolute link and is kept as it is".to_owned(),
    }
}

/// That a session stays where it is, with the reason.
pub fn conflict(reason: &str, detail: String) -> Outcome {
    Outcome::because(Bucket::Conflict, reason).detail(detail)
}

/// Refuses what there is no room for on the agent: a twentieth more than it takes, and at least 64 MiB.
pub fn room(end: &AgentEnd, takes: u64, entries: u64) -> Result<(), Refusal> {
    let standing =
        end.remote.far().look(&end.base, ".none", ".none", ".none").map_err(|error| refusal(&error))?;
    let needed = takes.saturating_add((takes / 20).max(64 << 20));
    let short_of_inodes = standing.inodes.is_some_and(|free| free < entries);
    if needed <= standing.bytes && !short_of_inodes {
        return Ok(());
    }
    let inodes = standing.inodes.map(|free| format!(" and {free} files")).unwrap_or_default();
    let message = format!(
        "not enough room on agent {}: {needed} bytes in {entries} files are needed, {} bytes{inodes} are free",
        end.id, standing.bytes
    );
    Err(Refusal::new("no-room", message, "make room there, or move fewer sessions at a time"))
}
