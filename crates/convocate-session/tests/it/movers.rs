//! Who one is on the agents: the session user, or somebody who may become root there.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use camino::Utf8PathBuf;
use convocate_session::moving::{Effect, Network, Open, Request, prepare};
use migration_cli::{Mode, Surroundings};
use migration_engine::{
    ApplyError, Bucket, Cx, NoProgress, Plan, Receipt, Run, RunId, StateRoot, TargetLocks,
};
use session_control::{Containers, Profile, Registry};
use session_model::Timestamp;
use testkit::cluster::AGENTS;
use testkit::disk::Disk;

use crate::place::uuid;
use crate::two::Two;

const A: &str = AGENTS[0];
const B: &str = AGENTS[1];
/// An agent that only some shell hosts know: this machine.
const C: &str = "m4k8t2v6y9zs";

/// A user of this test alone, who may become root without being asked for a password, and is gone with it.
struct Mover;

impl Mover {
    const NAME: &'static str = "rehome-mover";
    const RULES: &'static str = "/etc/sudoers.d/rehome-mover";

    fn new() -> Self {
        patiently(Command::new("sh").args(["-c", "id $1 || useradd -M -p '*' $1", "sh", Self::NAME]));
        assert!(Path::new("/etc/sudoers.d").exists(), "there is no sudo here: install sudo");
        fs::write(Self::RULES, format!("{} ALL=(ALL) NOPASSWD: ALL\n", Self::NAME)).unwrap();
        fs::set_permissions(Self::RULES, fs::Permissions::from_mode(0o440)).unwrap();
        Self
    }
}

impl Drop for Mover {
    fn drop(&mut self) {
        let _ = fs::remove_file(Self::RULES);
        patiently(Command::new("userdel").arg(Self::NAME));
    }
}

/// Another test may be changing users right now.
fn patiently(command: &mut Command) {
    let begun = Instant::now();
    while !command.output().unwrap().status.success() {
        assert!(begun.elapsed() < Duration::from_mins(2), "{command:?}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn the_session_user_moves_what_is_his_and_whoever_may_become_root_all_of_it() {
    let two = Two::new();
    patiently(Command::new("usermod").args(["-p", "*", "claude"])); // a locked account is not let in
    two.lay(0, 1, "one");
    let private = two.session(0, 1).join("private to root");
    fs::write(&private, "root's").unwrap();
    fs::set_permissions(two.cluster.folder(), fs::Permissions::from_mode(0o711)).unwrap();
    for host in [0, 1] {
        let given = Command::new("chown").args(["-R", "claude:"]).arg(two.base(host)).status().unwrap();
        assert!(given.success());
    }
    std::os::unix::fs::chown(&private, Some(0), Some(0)).unwrap();
    fs::set_permissions(&private, fs::Permissions::from_mode(0o600)).unwrap();
    let before = two.all();
    two.refuses("cannot-be-sent", &["move", "one", "--to", B, "--ssh-user", "claude"]);

    let _mover = Mover::new();
    two.says(0, &["move", "one", "--to", B, "--ssh-user", Mover::NAME]);
    let arrived = two.session(1, 1).join("private to root");
    let owner = two.base(1).metadata().unwrap().uid();
    assert_eq!(
        (fs::read_to_string(&arrived).unwrap().as_str(), arrived.metadata().unwrap().uid()),
        ("root's", owner)
    );
    assert_eq!(arrived.metadata().unwrap().mode() & 0o7777, 0o600);
    two.says(0, &["undo"]);
    two.assert_same(&before, "undone by whoever may become root");

    std::os::unix::fs::chown(&private, Some(owner), None).unwrap();
    let before = two.all();
    two.says(0, &["move", &uuid(1), "--to", B, "--ssh-user", "claude"]);
    assert!(arrived.exists() && !two.session(0, 1).exists());
    two.says(0, &["undo"]);
    two.assert_same(&before, "undone by the session user");
}

#[test]
fn a_folder_that_nothing_can_be_written_to_is_refused_before_anything_is_brought() {
    let two = Two::new();
    patiently(Command::new("usermod").args(["-p", "*", "claude"])); // a locked account is not let in
    two.lay(0, 1, "one");
    fs::set_permissions(two.cluster.folder(), fs::Permissions::from_mode(0o711)).unwrap();
    for host in [0, 1] {
        fs::set_permissions(two.base(host), fs::Permissions::from_mode(0o755)).unwrap();
        let given = Command::new("chown").args(["-R", "claude:"]).arg(two.base(host)).status().unwrap();
        assert!(given.success());
    }
    let moves = ["move", "one", "--to", B];
    for host in [0, 1] {
        let owner = two.base(host).metadata().unwrap().uid();
        std::os::unix::fs::chown(two.base(host), Some(0), None).unwrap();
        two.refuses("rights", &[&moves[..], &["--ssh-user", "claude"]].concat());
        std::os::unix::fs::chown(two.base(host), Some(owner), None).unwrap();
    }
    let read_only = Disk::in_memory(&two.base(1), "ro,size=1m");
    two.refuses("rights", &moves);
    drop(read_only);
    assert!(!two.state().join("fetched").exists());
}

static GO_ON: AtomicBool = AtomicBool::new(false);
const CX: Cx<'static> = Cx { stop: &GO_ON, progress: &NoProgress, now: Timestamp::now };

/// A shell host that has brought a session, and has not begun to deliver it.
struct Waiting {
    state: tempfile::TempDir,
    plan: Plan<Effect>,
    worlds: Open,
}

impl Waiting {
    /// It wants the first session of the first agent to go there.
    fn to(two: &Two, agent: &str) -> Self {
        let state = testkit::crash::place();
        let folder = state.path().join("registry");
        let copied = Command::new("cp").arg("-a").arg(two.cluster.registry()).arg(&folder).status().unwrap();
        assert!(copied.success());
        fs::create_dir(folder.join(C)).unwrap();
        fs::copy(
            folder.join(A).join("shell_to_agent_ed25519_key"),
            folder.join(C).join("shell_to_agent_ed25519_key"),
        )
        .unwrap();
        two.is_here(&folder.join(C), 2);
        let mut options = convocate_migrate::Options::default();
        options.ssh.known_hosts = Some(Utf8PathBuf::from_path_buf(two.cluster.known_hosts()).unwrap());
        let network = Network {
            registry: Registry::at(&folder),
            base: two.base(2),
            profile: Profile::CONVOCATE,
            containers: Containers { program: "true".into(), ..Containers::default() },
            options,
        };
        let session = uuid(1).parse().unwrap();
        let request = Request { session, from: A.to_owned(), to: agent.to_owned(), copy: None };
        let root = StateRoot::at(state.path().join("state"));
        let here = Surroundings::of_process().unwrap();
        let (mut plan, worlds) = prepare(&request, &network, (&root, Mode::Apply), &here, &CX).unwrap();
        plan.header.locks = vec![folder.into()];
        Self { state, plan, worlds }
    }

    fn goes_on(self) -> Result<Receipt, ApplyError> {
        let root = StateRoot::at(self.state.path().join("state"));
        let locks = TargetLocks::take(&self.plan.header.locks).unwrap();
        let now = Timestamp::now();
        let run = Run::create(&root, RunId::new(now, 1), self.plan, locks, now).unwrap();
        run.apply(&self.worlds, 1, &CX)
    }
}

/// An agent that answers nothing once this is there, until it is told to.
pub(crate) struct Halted(std::path::PathBuf);

impl Halted {
    pub(crate) fn when(two: &Two, host: usize, place: &Path) -> Self {
        let at = |name: &str| two.cluster.folder().join(name).display().to_string();
        let (waits, goes_on, place) = (at("waits"), at("goes on"), place.display());
        for file in [&waits, &goes_on] {
            let _ = fs::remove_file(file); // of an earlier time
        }
        two.hook(
            host,
            &format!(
                "[ -d '{place}' ] || exit 0\n: > '{waits}'; while [ ! -e '{goes_on}' ]; do sleep 0.05; done"
            ),
        );
        Self(two.cluster.folder().to_owned())
    }

    pub(crate) fn is_waited_for(&self) {
        let begun = Instant::now();
        while !self.0.join("waits").exists() {
            assert!(begun.elapsed() < Duration::from_mins(1), "it was to be asked");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn goes_on(&self) {
        fs::write(self.0.join("goes on"), "").unwrap();
    }
}

#[test]
fn of_several_that_have_brought_one_session_exactly_one_delivers_it() {
    let two = Two::new();
    two.lay(0, 1, "one");
    // On a shell host of their own each of them thinks that it has the session to itself.
    let [first, second, third] = [B, C, C].map(|agent| Waiting::to(&two, agent));
    let halted = Halted::when(&two, 1, &two.session(1, 1));
    let delivered = std::thread::scope(|scope| {
        let first = scope.spawn(|| first.goes_on());
        halted.is_waited_for();
        let Err(ApplyError::World(cause)) = second.goes_on() else { panic!("it has it to itself, too") };
        assert_eq!(cause.code, "locked", "{}", cause.message);
        assert_eq!(fs::read_dir(two.base(2)).unwrap().count(), 0, "nothing of it is there");
        halted.goes_on();
        first.join().unwrap().unwrap()
    });
    assert_eq!(delivered.summary().migrated, 1);
    assert!(two.session(1, 1).exists() && !two.session(0, 1).exists());

    // Whoever comes to it when that is done finds the lock free.
    let late = third.goes_on().unwrap();
    let (_, outcome) = &late.items[0];
    assert_eq!(
        (outcome.bucket, outcome.reason.as_deref()),
        (Bucket::Failed, Some("source-changed")),
        "{outcome:?}"
    );
    assert_eq!(fs::read_dir(two.base(2)).unwrap().count(), 0, "nothing of it is there");
    assert!(two.session(1, 1).exists());
}

/// Turns a byte in what was brought here, as a failing disk would: size and time stay.
fn damage(state: &Path) {
    let bundle = fs::read_dir(state.join("fetched")).unwrap().next().unwrap().unwrap().path();
    let file = bundle.join(uuid(1)).join(".claude/projects/-home-claude/a.jsonl");
    let modified = file.metadata().unwrap().modified().unwrap();
    fs::write(&file, fs::read_to_string(&file).unwrap().replace("user", "uSer")).unwrap();
    fs::File::open(&file).unwrap().set_modified(modified).unwrap();
}

#[test]
fn a_session_that_is_damaged_on_its_way_through_this_machine_never_replaces_its_source() {
    let two = Two::new();
    two.lay(0, 1, "one");
    let before = two.all();
    let waiting = Waiting::to(&two, B);
    damage(&waiting.state.path().join("state"));
    let receipt = waiting.goes_on().unwrap();
    let (_, outcome) = &receipt.items[0];
    assert_eq!((outcome.bucket, outcome.reason.as_deref()), (Bucket::Failed, Some("damaged")), "{outcome:?}");
    two.assert_same(&before, "damaged");

    let session = testkit::tree::Tree::of(&two.session(0, 1));
    two.says(0, &["move", "one", "--to", B]);
    two.says(0, &["undo"]);
    damage(&two.state());
    two.says(0, &["move", "one", "--to", B]);
    let difference = session.difference(&testkit::tree::Tree::of(&two.session(1, 1)));
    assert_eq!(difference.lines().count(), 1, "it came anew, with its stamp: {difference}");
}

#[test]
fn whoever_loses_the_lock_while_it_delivers_lets_the_source_stay() {
    let two = Two::new();
    two.lay(0, 1, "one");
    let before = two.all();
    let (lock, place) = (two.base(0).join(format!("{}.lock", uuid(1))), two.session(1, 1));
    two.hook(1, &format!("[ ! -d '{}' ] || kill $(cat '{}')", place.display(), lock.display()));
    let report = two.says(1, &["move", "one", "--to", B, "--json"]).document();
    assert_eq!(report["error"]["code"], "lock-lost", "{report}");
    assert!(two.session(0, 1).exists());
    fs::remove_file(two.cluster.agent(1).folder().join("hook")).unwrap();
    two.says(0, &["resume"]);
    assert!(!two.session(0, 1).exists());
    two.says(0, &["undo"]);
    two.assert_same(&before, "undone");
}

#[test]
fn a_session_that_somebody_locks_in_the_last_moment_is_refused_and_no_run_stands_in_the_way_of_the_next() {
    let two = Two::new();
    two.lay(0, 1, "one");
    let moves = ["move", "one", "--to", B, "--json"];
    let asked = two.cluster.folder().join("asked");
    let (shown, lock) = (asked.display().to_string(), two.base(0).join(format!("{}.lock", uuid(1))));
    two.hook(1, &format!("echo >> '{shown}'"));
    two.says(0, &[&moves[..], &["--dry-run"]].concat());
    // The last question is asked after the lock was looked at.
    let last = fs::read_to_string(&asked).unwrap().lines().count();
    fs::remove_file(&asked).unwrap();
    let (us, lock_shown) = (std::process::id(), lock.display());
    two.hook(
        1,
        &format!("echo >> '{shown}'; [ $(wc -l < '{shown}') != {last} ] || printf %s {us} > '{lock_shown}'"),
    );
    let refused = two.says(4, &moves).document();
    assert_eq!(refused["error"]["code"], "locked", "{refused}");
    assert_eq!(fs::read_to_string(&lock).unwrap(), us.to_string(), "it is still theirs");
    assert_eq!(fs::read_dir(two.state().join("runs")).map_or(0, Iterator::count), 0);
    assert!(two.session(0, 1).exists() && !two.session(1, 1).exists());
    fs::remove_file(lock).unwrap();
    two.says(0, &moves);
}
