use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use clap::Parser;
use durable_files::DirLock;
use migration_cli::{Stop, Terminals};
use session_control::{Cluster, Layout, Local, LocalHost, Profile, Registry, Wishes};
use session_model::Timestamp;

use super::*;
use crate::Changes;

const HERE: &str = "local";

/// A machine with a session, and those who work for its screen.
struct Machine {
    folder: tempfile::TempDir,
    shared: Arc<Shared>,
}

impl Machine {
    fn new() -> Self {
        Self::with_agents(&[])
    }

    /// The same with agents on it, each with a base of its own.
    fn with_agents(agents: &[&str]) -> Self {
        #[derive(Parser)]
        struct Said {
            #[command(flatten)]
            options: Options,
        }
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        fs::create_dir(folder.path().join("base")).unwrap();
        let words = ["", "--docker=/bin/true"].map(str::to_owned).into_iter();
        for agent in agents {
            let (keys, base) = (folder.path().join("agent-keys-dir").join(agent), at(agent));
            fs::create_dir_all(&keys).unwrap();
            fs::create_dir(&base).unwrap();
            let about = serde_json::json!({"base": base}).to_string();
            for (name, text) in [("agent-host", "local"), ("session-control.json", &about)] {
                fs::write(keys.join(name), text).unwrap();
            }
            fs::write(keys.join("shell_to_agent_ed25519_key"), "").unwrap();
        }
        let folders =
            ["base", "agent-keys-dir", "agent-dir", "dns-hosts"].map(|name| format!("--{name}={}", at(name)));
        let options = Said::parse_from(words.chain(folders)).options;
        let here = Surroundings {
            env: BTreeMap::new(),
            home: None,
            cwd: folder.path().to_owned(),
            terminals: Terminals { stdin: false, stdout: false, stderr: false },
            now: Timestamp::now,
            salt: 0,
            stop: Stop::default(),
        };
        let hosts = Hosts::of(&options, &here).unwrap();
        let (root, migrates) = (folder.path().join("state"), AtomicBool::new(false));
        Self { shared: Arc::new(Shared { hosts, options, root, here, migrates }), folder }
    }

    fn base(&self) -> PathBuf {
        self.folder.path().join("base")
    }

    fn member(&self) -> Member {
        self.shared.hosts.cluster.members()[0].clone()
    }

    fn worker(&self, member: Member) -> Worker {
        Worker { host: None, member, shared: self.shared.clone(), version: None }
    }

    /// The same, made to be what it is in this way each time that it is opened.
    fn member_that(&self, set_up: impl Fn(&mut Local) + Send + Sync + 'static) -> Member {
        let layout = Layout {
            registry: Registry::at(self.folder.path().join("agent-keys-dir")),
            base: self.base(),
            local_id: HERE.to_owned(),
            here: Arc::new(move |_: &str, base: &Path| {
                let mut local = Local::new(base, Profile::CONVOCATE);
                set_up(&mut local);
                LocalHost::new(local)
            }),
            dial: Arc::new(|_| unreachable!("there are no agents")),
        };
        Cluster::of(&layout).unwrap().members()[0].clone()
    }

    fn member_with(&self, engine: PathBuf) -> Member {
        self.member_that(move |local| local.containers.program.clone_from(&engine))
    }

    /// A container engine that does this.
    fn engine(&self, script: &str) -> PathBuf {
        let engine = self.folder.path().join("engine");
        fs::write(&engine, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&engine, PermissionsExt::from_mode(0o755)).unwrap();
        engine
    }

    fn session(&self) -> Session {
        let wishes = Wishes { name: "notes".into(), ..Wishes::default() };
        self.member().open().create(&wishes).unwrap()
    }
}

/// What comes of these, one after the other.
fn done(mut worker: Worker, jobs: Vec<Job>) -> Vec<Outcome> {
    let ((queue, inbox), (outbox, events)) = (channel(), channel());
    for job in jobs {
        queue.send(job).unwrap();
    }
    drop(queue);
    worker.works(&inbox, &outbox);
    drop(outbox);
    let outcome = |event| match event {
        Event::Done(_, outcome) => outcome,
        other => panic!("{other:?}"),
    };
    events.into_iter().map(outcome).collect()
}

fn given(ask: Ask, ago: Duration) -> Job {
    Job { number: 1, ask, given: Instant::now().checked_sub(ago).unwrap() }
}

#[test]
fn what_was_agreed_to_long_ago_is_given_back_and_not_done() {
    let machine = Machine::new();
    let session = machine.session();
    let (id, folder) = (session.id().unwrap(), machine.base().join(&session.uuid));
    let delete = |ago| vec![given(Ask::Delete { id: id.clone(), sure: false }, ago)];
    let [Outcome::Failed(failure)] = &done(machine.worker(machine.member()), delete(PATIENCE))[..] else {
        panic!("it was done");
    };
    assert_eq!(failure.code, "stale");
    assert!(failure.words.starts_with("not done: local was at something else for 30 seconds"), "{failure:?}");
    assert!(folder.exists());
    let soon = delete(PATIENCE / 2);
    assert_eq!(done(machine.worker(machine.member()), soon), [Outcome::Done(None)]);
    assert!(!folder.exists());
}

#[test]
fn whoever_has_attached_since_keeps_his_session_until_that_is_agreed_to() {
    let machine = Machine::new();
    let session = machine.session();
    let (id, folder) = (session.id().unwrap(), machine.base().join(&session.uuid));
    // An engine that runs it, with somebody attached, until it is told to stop.
    let stopped = machine.folder.path().join("stopped");
    let member = machine.member_with(machine.engine(&format!(
        "case $1 in\nps) [ -e {0} ] || echo convocate-session-{id} ;;\nexec) echo client ;;\nstop) : >{0} ;;\nesac",
        stopped.display()
    )));
    let delete = |sure| vec![given(Ask::Delete { id: id.clone(), sure }, Duration::ZERO)];
    let [Outcome::Failed(failure)] = &done(machine.worker(member.clone()), delete(false))[..] else {
        panic!("it was done");
    };
    assert_eq!(failure.code, "connected");
    assert!(folder.exists() && !stopped.exists());
    assert_eq!(done(machine.worker(member), delete(true)), [Outcome::Done(None)]);
    assert!(!folder.exists());
}

#[test]
fn whoever_clones_a_session_that_runs_is_told_that_files_may_be_copied_half() {
    let machine = Machine::new();
    let id = machine.session().id().unwrap();
    let engine = machine.engine(&format!("[ $1 = ps ] && echo convocate-session-{id}"));
    let clone = |member| {
        let ask = Ask::Clone(id.clone(), "copy".into());
        match done(machine.worker(member), vec![given(ask, Duration::ZERO)]).pop() {
            Some(Outcome::Session { warning, .. }) => warning,
            other => panic!("{other:?}"),
        }
    };
    let warning = clone(machine.member_with(engine)).expect("there is something to say");
    assert!(warning.contains("may have been copied half"), "{warning}");
    assert_eq!(clone(machine.member()), None);
}

#[test]
fn a_name_that_another_host_has_is_given_to_nobody_and_what_is_given_is_told_to_the_dns() {
    let machine = Machine::with_agents(&["here", "there"]);
    let names = machine.folder.path().join("dns-hosts");
    let at = |host: usize, ask: Ask| {
        let member = machine.shared.hosts.cluster.members()[host].clone();
        let outcome = done(machine.worker(member), vec![given(ask, Duration::ZERO)]).remove(0);
        (outcome, fs::remove_file(&names).is_ok())
    };
    let make = |dns_name: &str| {
        Ask::Create(Wishes { name: "notes".into(), dns_name: dns_name.into(), ..Wishes::default() })
    };
    let refused = |(outcome, was_told): (Outcome, bool)| match outcome {
        Outcome::Failed(failure) => assert_eq!((&*failure.code, was_told), ("dns-taken", false)),
        other => panic!("{other:?}"),
    };
    let id = |(outcome, was_told): (Outcome, bool)| match outcome {
        Outcome::Session { session, .. } if was_told => session.id().unwrap(),
        other => panic!("{other:?}, told: {was_told}"),
    };
    let first = id(at(0, make("web")));
    refused(at(1, make("Web")));
    let second = id(at(1, make("other")));
    let called = |name: &str| Changes { dns_name: Some(name.into()), ..Changes::default() };
    refused(at(1, Ask::Edit(second.clone(), called("web"))));
    assert!(matches!(at(0, Ask::Delete { id: first, sure: false }), (Outcome::Done(_), true)));
    id(at(1, Ask::Edit(second, called("web"))));
}

#[test]
fn what_takes_long_keeps_nothing_else_waiting() {
    let machine = Machine::new();
    let id = machine.session().id().unwrap();
    let ((orders, inbox), (outbox, events)) = (channel(), channel());
    let members = vec![(HERE.to_owned(), machine.member())];
    let workers = Workers::start(members, &machine.shared, inbox, &outbox);
    let asks = |number, ask| {
        orders.send(Order::Ask { number, host: HERE.to_owned(), ask }).unwrap();
    };
    // A clone waits for whoever has the base.
    let base = DirLock::take(&machine.base()).unwrap();
    asks(1, Ask::Clone(id.clone(), "copy".into()));
    asks(2, Ask::Reload);
    let next = || events.recv_timeout(Duration::from_mins(1)).unwrap();
    assert!(matches!(next(), Event::Done(2, Outcome::Listed { .. })));
    drop(base);
    assert!(matches!(next(), Event::Done(1, Outcome::Session { .. })));
    drop(orders);
    workers.part(&machine.shared);
}

#[test]
fn a_clone_that_is_under_way_when_the_screen_is_left_leaves_nothing() {
    let machine = Machine::new();
    let session = machine.session();
    // Nothing but a hole: it takes no room, and longer to copy than anybody waits.
    let hole = fs::File::create(machine.base().join(&session.uuid).join("hole")).unwrap();
    hole.set_len(8 << 40).unwrap();
    let ((orders, inbox), (outbox, _events)) = (channel(), channel());
    let members = vec![(HERE.to_owned(), machine.member())];
    let workers = Workers::start(members, &machine.shared, inbox, &outbox);
    let ask = Ask::Clone(session.id().unwrap(), "copy".into());
    orders.send(Order::Ask { number: 1, host: HERE.to_owned(), ask }).unwrap();
    let names = || fs::read_dir(machine.base()).unwrap().map(|entry| entry.unwrap().file_name());
    while !names().any(|name| name.to_string_lossy().starts_with(".cloning-")) {
        thread::sleep(Duration::from_millis(5));
    }
    drop(orders);
    workers.part(&machine.shared);
    // It is not waited for for long, and clears away what it has begun.
    while !names().eq([session.uuid.as_str()]) {
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_host_that_fails_as_none_should_is_worked_with_again() {
    let machine = Machine::new();
    let fails = Arc::new(AtomicBool::new(true));
    let member = machine.member_that(move |local| {
        local.containers.program = "/bin/true".into();
        if fails.swap(false, Ordering::Relaxed) {
            local.now = || panic!("a mistake of ours");
        }
    });
    let make = || Ask::Create(Wishes { name: "notes".into(), ..Wishes::default() });
    // What it was at nobody knows: the next is done on another way to it.
    let errands = vec![given(make(), Duration::ZERO), given(make(), Duration::ZERO)];
    let outcomes = done(machine.worker(member), errands);
    assert!(matches!(&outcomes[0], Outcome::Failed(failure) if failure.code == "panic"), "{outcomes:?}");
    assert!(matches!(&outcomes[1], Outcome::Session { .. }), "{outcomes:?}");
}

#[test]
fn a_migration_has_an_end_even_if_that_is_a_panic() {
    let migrates = AtomicBool::new(false);
    let failed = catch_unwind(AssertUnwindSafe(|| {
        let _begun = UnderWay::of(&migrates);
        assert!(!migrates.load(Ordering::Relaxed), "it is under way");
    }));
    assert!(failed.is_err() && !migrates.load(Ordering::Relaxed));
}
