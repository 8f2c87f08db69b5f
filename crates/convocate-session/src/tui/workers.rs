//! The half that works: two threads for each host, which wait for it so that nobody else has to. One is for what takes
//! long, so that nothing waits behind that.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use migration_cli::{Refusal, Signal, Surroundings};
use session_control::{HostError, Member, Process, Session, SessionHost, SessionId, Wishes};
use session_model::{Finding, Level};

use super::model::PATIENCE;
use super::{Ask, Event, Failure, Order, Outcome, migrating};
use crate::hosts::Hosts;
use crate::options::Options;
use crate::{Changes, deeds};

/// How long those who are at something may take to come to its end when all is over.
const PARTING: Duration = Duration::from_secs(2);

/// What all of them work with.
pub(super) struct Shared {
    pub(super) hosts: Hosts,
    pub(super) options: Options,
    /// Where runs are kept.
    pub(super) root: PathBuf,
    /// With a wish to stop of its own: a migration that is under way when all is over stops where it can go on from.
    pub(super) here: Surroundings,
    /// Whether one is under way.
    pub(super) migrates: AtomicBool,
}

/// All of them. They end when nobody has orders for them any more.
pub(super) struct Workers(Vec<JoinHandle<()>>);

impl Workers {
    /// Those of these hosts, by the names that the screen has for them.
    pub(super) fn start(
        members: Vec<(String, Member)>,
        shared: &Arc<Shared>,
        orders: Receiver<Order>,
        events: &Sender<Event>,
    ) -> Self {
        let mut queues = BTreeMap::new();
        let mut threads = Vec::new();
        for (name, member) in members {
            for is_long in [false, true] {
                let (queue, inbox) = channel();
                queues.insert((name.clone(), is_long), queue);
                let mut worker =
                    Worker { host: None, member: member.clone(), shared: shared.clone(), version: None };
                let events = events.clone();
                threads.push(thread::spawn(move || worker.works(&inbox, &events)));
            }
        }
        threads.push(thread::spawn(move || hand_out(&orders, &queues)));
        Self(threads)
    }

    /// Waits for them, though not for long: a host that does not answer keeps nobody here.
    pub(super) fn part(self, shared: &Shared) {
        shared.here.stop.ask(Signal::Terminate);
        let begun = Instant::now();
        let waits = || begun.elapsed() < PARTING || shared.migrates.load(Ordering::Relaxed);
        while waits() && !self.0.iter().all(JoinHandle::is_finished) {
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// An order that waits for its worker.
struct Job {
    number: u64,
    ask: Ask,
    /// When it was given.
    given: Instant,
}

/// By the host, and whether they are for what takes long.
type Queues = BTreeMap<(String, bool), Sender<Job>>;

fn hand_out(orders: &Receiver<Order>, queues: &Queues) {
    for order in orders {
        if let Order::Ask { number, host, ask } = order
            && let Some(queue) = queues.get(&(host, ask.is_long()))
        {
            let _ = queue.send(Job { number, ask, given: Instant::now() }); // who is gone has said why
        }
    }
}

impl Job {
    /// Whether it is too old to be done unasked. Long orders are meant to wait, and a reload only looks.
    fn is_stale(&self) -> bool {
        !self.ask.is_long() && self.ask != Ask::Reload && self.given.elapsed() >= PATIENCE
    }
}

struct Worker {
    /// The way to it, from the first order on.
    host: Option<Box<dyn SessionHost>>,
    member: Member,
    shared: Arc<Shared>,
    /// What the host has said of itself.
    version: Option<String>,
}

impl Worker {
    fn works(&mut self, inbox: &Receiver<Job>, events: &Sender<Event>) {
        for job in inbox {
            let number = job.number;
            let outcome = self.tries(&job, events).unwrap_or_else(Outcome::Failed);
            if events.send(Event::Done(number, outcome)).is_err() {
                return;
            }
        }
    }

    fn tries(&mut self, job: &Job, events: &Sender<Event>) -> Result<Outcome, Failure> {
        if job.is_stale() {
            let waited = job.given.elapsed().as_secs();
            let words = format!(
                "not done: {} was at something else for {waited} seconds; if it is still wanted, say it again",
                self.member.id
            );
            return Err(Failure { code: "stale".into(), words });
        }
        let done = catch_unwind(AssertUnwindSafe(|| self.does(&job.ask, (job.number, events))));
        done.unwrap_or_else(|_| {
            self.host = None; // nobody knows what it was at
            let words = format!("{} failed in a way that it must not: please report it", job.ask.doing());
            Err(Failure { code: "panic".into(), words })
        })
    }

    fn does(&mut self, ask: &Ask, report: (u64, &Sender<Event>)) -> Result<Outcome, Failure> {
        let Self { host, member, shared, version } = self;
        let host = &mut **host.get_or_insert_with(|| member.open());
        match ask {
            Ask::Reload => reload(host, version),
            Ask::Create(wishes) => shared.create(host, wishes),
            Ask::Edit(id, changes) => shared.edit(host, id, changes),
            Ask::Clone(id, name) => shared.duplicate(host, id, name),
            Ask::Delete { id, sure } => shared.delete(host, id, *sure),
            Ask::Kill(id) => shared.done(host.kill(id), host),
            Ask::Background(id) => shared.done(host.background(id), host),
            Ask::Start(id) => shared.done(host.restart(id), host),
            Ask::Enter(id) => shared.done(deeds::start_for(host, id, &shared.here.stop), host),
            Ask::StopAndStart(id) => shared.stop_and_start(host, id),
            Ask::Unlock { id, holder } => shared.done(host.unlock(id, *holder), host),
            Ask::Owner(pid) => Ok(Outcome::Done(owner(member, *pid))),
            Ask::Migrate { id, agent } => shared.migrate(host, (id, agent), report),
        }
    }
}

/// As long as this lives a migration is under way: it has an end even if that is a panic.
struct UnderWay<'a>(&'a AtomicBool);

impl<'a> UnderWay<'a> {
    fn of(migrates: &'a AtomicBool) -> Self {
        migrates.store(true, Ordering::Relaxed);
        Self(migrates)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

fn reload(host: &mut dyn SessionHost, version: &mut Option<String>) -> Result<Outcome, Failure> {
    let sessions = host.list()?;
    let wrong = host.findings().into_iter().filter(|finding| finding.level != Level::Note);
    let remarks = wrong.map(|finding| finding.message).collect();
    if version.is_none() {
        *version = host.ping().ok().map(|pong| pong.version);
    }
    Ok(Outcome::Listed { sessions, version: version.clone(), remarks })
}

/// Who the process is. Of one far away no more is known than its number.
fn owner(member: &Member, pid: u32) -> Option<String> {
    let process = member.is_on_this_machine().then(|| Process::alive(pid)).flatten();
    process.map(|process| process.to_string())
}

impl Shared {
    fn create(&self, host: &mut dyn SessionHost, wishes: &Wishes) -> Result<Outcome, Failure> {
        self.hosts.name_is_free(&wishes.dns_name, None, &self.options)?;
        let session = host.create(wishes)?;
        Ok(self.with_name(host, "", session, None))
    }

    fn edit(
        &self,
        host: &mut dyn SessionHost,
        id: &SessionId,
        changes: &Changes,
    ) -> Result<Outcome, Failure> {
        let (before, session) = deeds::change(&self.hosts, host, id, changes, &self.options)?;
        Ok(self.with_name(host, &before.dns_name, session, None))
    }

    fn duplicate(&self, host: &mut dyn SessionHost, id: &SessionId, name: &str) -> Result<Outcome, Failure> {
        let live = deeds::copied_live(host.get(id).ok().as_ref());
        let session = host.duplicate(id, name)?;
        Ok(self.with_name(host, "", session, live))
    }

    fn delete(&self, host: &mut dyn SessionHost, id: &SessionId, sure: bool) -> Result<Outcome, Failure> {
        let now = host.get(id).ok();
        if !sure {
            deeds::still_alone(now.as_ref())?;
        }
        host.delete(id)?;
        let name = now.map(|session| session.dns_name).unwrap_or_default();
        Ok(Outcome::Done(self.what_else(host, [&name, ""], None)))
    }

    fn stop_and_start(&self, host: &mut dyn SessionHost, id: &SessionId) -> Result<Outcome, Failure> {
        match host.kill(id) {
            Err(error) if error.code() != "not-running" => return Err(error.into()),
            _ => {} // stopped, or it has ended by itself
        }
        self.done(host.restart(id), host)
    }

    fn migrate(
        &self,
        host: &mut dyn SessionHost,
        (id, agent): (&SessionId, &str),
        report: (u64, &Sender<Event>),
    ) -> Result<Outcome, Failure> {
        let _begun = UnderWay::of(&self.migrates);
        let name = host.get(id).map(|session| session.dns_name).unwrap_or_default();
        let said = migrating::migrate(self, id, agent, report)?;
        let more = self.what_else(host, ["", &name], None);
        let said: Vec<String> = said.into_iter().chain(more).collect();
        Ok(Outcome::Done((!said.is_empty()).then(|| said.join("\n"))))
    }

    fn done(&self, result: Result<(), HostError>, host: &mut dyn SessionHost) -> Result<Outcome, Failure> {
        result?;
        Ok(Outcome::Done(self.what_else(host, ["", ""], None)))
    }

    fn with_name(
        &self,
        host: &mut dyn SessionHost,
        before: &str,
        session: Session,
        ours: Option<Finding>,
    ) -> Outcome {
        let warning = self.what_else(host, [before, &session.dns_name], ours);
        Outcome::Session { session, warning }
    }

    /// What else there is to say of what was done: by the host, by the DNS, which has the names of all sessions told as
    /// one of these has changed, and by us.
    fn what_else(
        &self,
        host: &mut dyn SessionHost,
        names: [&str; 2],
        ours: Option<Finding>,
    ) -> Option<String> {
        let findings = host.findings().into_iter().chain(self.hosts.sync_dns(names)).chain(ours);
        let wrong = findings.filter(|finding| finding.level != Level::Note);
        let words: Vec<String> = wrong.map(|finding| finding.message).collect();
        (!words.is_empty()).then(|| words.join("\n"))
    }
}

impl From<HostError> for Failure {
    fn from(error: HostError) -> Self {
        Self { code: error.code().to_owned(), words: error.to_string() }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self { code: refusal.code, words: refusal.message }
    }
}

#[cfg(test)]
mod tests;
