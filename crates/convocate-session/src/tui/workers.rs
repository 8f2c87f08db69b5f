//! The half that works: a thread for each host, which waits for it so that nobody else has to.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use migration_cli::{Refusal, Signal, Surroundings};
use session_control::{HostError, Member, Process, Session, SessionHost};
use session_model::Level;

use super::{Ask, Event, Failure, Order, Outcome, migrating};
use crate::hosts::Hosts;
use crate::options::Options;

/// How long those who are at something may take to come to its end when all is over.
const PARTING: Duration = Duration::from_secs(2);

/// What all of them work with.
pub(super) struct Office {
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
    /// One for each of these hosts, by the names that the screen has for them.
    pub(super) fn start(
        members: Vec<(String, Member)>,
        office: &Arc<Office>,
        orders: Receiver<Order>,
        events: &Sender<Event>,
    ) -> Self {
        let mut desks = BTreeMap::new();
        let mut threads = Vec::new();
        for (name, member) in members {
            let (desk, inbox) = channel();
            desks.insert(name, desk);
            let (office, events) = (office.clone(), events.clone());
            let worker = move || {
                let mut worker = Worker { host: member.open(), member, office, version: None };
                worker.works(&inbox, &events);
            };
            threads.push(thread::spawn(worker));
        }
        threads.push(thread::spawn(move || hand_out(&orders, &desks)));
        Self(threads)
    }

    /// Waits for them, though not for long: a host that does not answer keeps nobody here.
    pub(super) fn part(self, office: &Office) {
        office.here.stop.ask(Signal::Terminate);
        let begun = Instant::now();
        let waits = || begun.elapsed() < PARTING || office.migrates.load(Ordering::Relaxed);
        while waits() && !self.0.iter().all(JoinHandle::is_finished) {
            thread::sleep(Duration::from_millis(5));
        }
    }
}

fn hand_out(orders: &Receiver<Order>, desks: &BTreeMap<String, Sender<(u64, Ask)>>) {
    for order in orders {
        if let Order::Ask { number, host, ask } = order
            && let Some(desk) = desks.get(&host)
        {
            let _ = desk.send((number, ask)); // who is gone has said why
        }
    }
}

struct Worker {
    host: Box<dyn SessionHost>,
    member: Member,
    office: Arc<Office>,
    /// What the host has said of itself.
    version: Option<String>,
}

impl Worker {
    fn works(&mut self, inbox: &Receiver<(u64, Ask)>, events: &Sender<Event>) {
        for (number, ask) in inbox {
            let done = catch_unwind(AssertUnwindSafe(|| self.does(&ask, (number, events))));
            let outcome = done.unwrap_or_else(|_| {
                let words = format!("{} failed in a way that it must not: please report it", ask.doing());
                Err(Failure { code: "panic".into(), words })
            });
            let outcome = outcome.unwrap_or_else(Outcome::Failed);
            if events.send(Event::Done(number, outcome)).is_err() {
                return;
            }
        }
    }

    fn does(&mut self, ask: &Ask, report: (u64, &Sender<Event>)) -> Result<Outcome, Failure> {
        let host = &mut self.host;
        match ask {
            Ask::Reload => self.reload(),
            Ask::Create(wishes) => {
                self.name_is_free(&wishes.dns_name, None)?;
                let session = self.host.create(wishes)?;
                Ok(self.with_name("", session))
            }
            Ask::Edit(id, wishes) => {
                let before = host.get(id)?;
                if !before.dns_name.eq_ignore_ascii_case(&wishes.dns_name) {
                    self.name_is_free(&wishes.dns_name, Some(id.as_str()))?;
                }
                let session = self.host.edit(id, wishes)?;
                Ok(self.with_name(&before.dns_name, session))
            }
            Ask::Clone(id, name) => {
                let session = host.duplicate(id, name)?;
                Ok(Outcome::Session { session, warning: None })
            }
            Ask::Delete(id) => {
                let name = host.get(id).map(|session| session.dns_name).unwrap_or_default();
                host.delete(id)?;
                Ok(Outcome::Done(self.names_are_told([&name, ""])))
            }
            Ask::Kill(id) => done(host.kill(id)),
            Ask::Background(id) => done(host.background(id)),
            Ask::Start(id) => done(host.restart(id)),
            Ask::StopAndStart(id) => {
                match host.kill(id) {
                    Err(error) if error.code() != "not-running" => return Err(error.into()),
                    _ => {} // stopped, or it has ended by itself
                }
                done(host.restart(id))
            }
            Ask::Unlock { id, holder } => done(host.unlock(id, *holder)),
            Ask::Owner(pid) => {
                // Of a process far away no more is known than its number.
                let process = (self.member.address == "local").then(|| Process::alive(*pid)).flatten();
                Ok(Outcome::Done(process.map(|process| process.to_string())))
            }
            Ask::Migrate { id, agent } => {
                self.office.migrates.store(true, Ordering::Relaxed);
                let outcome = migrating::migrate(&self.office, id, agent, report);
                self.office.migrates.store(false, Ordering::Relaxed);
                outcome
            }
        }
    }

    fn reload(&mut self) -> Result<Outcome, Failure> {
        let sessions = self.host.list()?;
        if self.version.is_none() {
            self.version = self.host.ping().ok().map(|pong| pong.version);
        }
        Ok(Outcome::Listed { sessions, version: self.version.clone() })
    }

    fn name_is_free(&self, name: &str, but: Option<&str>) -> Result<(), Failure> {
        Ok(self.office.hosts.name_is_free(name, but, &self.office.options)?)
    }

    fn with_name(&self, before: &str, session: Session) -> Outcome {
        let warning = self.names_are_told([before, &session.dns_name]);
        Outcome::Session { session, warning }
    }

    /// Has the names of all sessions told to the DNS, as this one of them has changed; what went wrong with that.
    fn names_are_told(&self, names: [&str; 2]) -> Option<String> {
        let findings = self.office.hosts.sync_dns(names).into_iter();
        let wrong = findings.filter(|finding| finding.level != Level::Note);
        let words: Vec<String> = wrong.map(|finding| finding.message).collect();
        (!words.is_empty()).then(|| words.join("\n"))
    }
}

fn done(result: Result<(), HostError>) -> Result<Outcome, Failure> {
    result?;
    Ok(Outcome::Done(None))
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
