//! Sessions made, edited, copied and removed on a machine without a container engine; what is looked at is the disk.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use session_control::{
    Containers, Held, Holder, HostError, Local, LocalHost, Lock, Profile, Session, SessionError, SessionHost,
    SessionId, Wishes,
};
use session_model::Timestamp;
use testkit::tree::Tree;

use crate::cluster::as_nobody;

pub(crate) const UUID: &str = "3f0c1d2e-5b6a-4c7d-8e9f-0a1b2c3d4e5f";
const NOW: &str = "2026-02-11T08:15:30.5Z";

/// A base, and a machine that has no engine.
pub(crate) struct Place {
    _folder: tempfile::TempDir,
    pub(crate) base: PathBuf,
}

impl Place {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().canonicalize().unwrap().join("home");
        fs::create_dir(&base).unwrap();
        Self { _folder: folder, base }
    }

    pub(crate) fn host(&self) -> LocalHost {
        host(&self.base)
    }

    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.base.join(name)
    }

    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(&self.base)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// A session as somebody else has written it.
    pub(crate) fn put(&self, uuid: &str, rest: &str) {
        fs::create_dir(self.at(uuid)).unwrap();
        fs::write(self.at(uuid).join("session.json"), format!("{{\"uuid\": \"{uuid}\"{rest}}}")).unwrap();
    }
}

pub(crate) fn host(base: &Path) -> LocalHost {
    let none = Containers {
        program: "/no/such/docker".into(),
        socket: "/no/such/socket".into(),
        ..Containers::default()
    };
    let now = || NOW.parse::<Timestamp>().unwrap();
    LocalHost::new(Local { containers: none, now, ..Local::new(base, Profile::CONVOCATE) })
}

fn wishes(name: &str, port: i64, protocol: &str, dns_name: &str) -> Wishes {
    Wishes { name: name.into(), port, protocol: protocol.into(), dns_name: dns_name.into() }
}

pub(crate) fn named(name: &str) -> Wishes {
    wishes(name, 0, "", "")
}

pub(crate) fn id(uuid: &str) -> SessionId {
    uuid.parse().unwrap()
}

fn refused<T: std::fmt::Debug>(answer: Result<T, HostError>) -> String {
    answer.unwrap_err().to_string()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn document(folder: &Path) -> String {
    fs::read_to_string(folder.join("session.json")).unwrap()
}

#[test]
fn a_new_session_lies_there_as_an_original_agent_would_have_made_it() {
    let place = Place::new();
    fs::create_dir_all(place.at(".skel/notes")).unwrap();
    fs::write(place.at(".skel/CLAUDE.md"), "be kind").unwrap();
    fs::set_permissions(place.at(".skel/CLAUDE.md"), fs::Permissions::from_mode(0o640)).unwrap();
    fs::set_permissions(place.at(".skel"), fs::Permissions::from_mode(0o710)).unwrap();
    let made = place.host().create(&wishes("billing refactor", 8080, "", "Billing")).unwrap();

    let folder = place.at(&made.uuid);
    let expected = format!(
        "{{\n  \"uuid\": \"{}\",\n  \"name\": \"billing refactor\",\n  \"created_at\": \"{NOW}\",\n  \
         \"last_accessed\": \"{NOW}\",\n  \"port\": 8080,\n  \"protocol\": \"tcp\",\n  \"dns_name\": \"billing\"\n}}",
        made.uuid
    );
    assert_eq!(document(&folder), expected);
    assert_eq!(&made.uuid[14..15], "4", "a random one");
    assert_eq!(place.names(), [".skel".to_owned(), made.uuid.clone()]);
    let modes = ["", "session.json", "CLAUDE.md", ".claude", "notes"].map(|name| mode(&folder.join(name)));
    assert_eq!(modes, [0o710, 0o644, 0o640, 0o700, mode(&place.at(".skel/notes"))]);
    for name in ["settings.json", "settings.local.json", ".credentials.json", "plugins"] {
        let link = fs::read_link(folder.join(".claude").join(name)).unwrap();
        assert_eq!(link, Path::new("/home/claude/.claude-shared").join(name));
    }
    assert!(!folder.join(".skel").exists());
    assert_eq!(made, place.host().get(&made.id().unwrap()).unwrap());
    assert_eq!((made.running, made.locked, made.state().letter()), (false, Some(false), '-'));

    let plain = Place::new();
    let made = plain.host().create(&named("a")).unwrap();
    assert_eq!(mode(&plain.at(&made.uuid)), 0o750);
}

#[test]
fn what_root_makes_belongs_to_whom_the_base_belongs_to() {
    if !we_are_root() {
        return;
    }
    let place = Place::new();
    fs::create_dir(place.at(".skel")).unwrap();
    fs::write(place.at(".skel/CLAUDE.md"), "").unwrap();
    std::os::unix::fs::chown(&place.base, Some(1337), Some(1338)).unwrap();
    let made = place.host().create(&named("a")).unwrap();
    let folder = place.at(&made.uuid);
    for name in ["", "session.json", "CLAUDE.md", ".claude", ".claude/plugins"] {
        let found = fs::symlink_metadata(folder.join(name)).unwrap();
        assert_eq!((found.uid(), found.gid()), (1337, 1338), "{name}");
    }
    // What is edited stays whose it is, whoever edits.
    std::os::unix::fs::chown(folder.join("session.json"), Some(1339), Some(1338)).unwrap();
    place.host().edit(&made.id().unwrap(), &named("b")).unwrap();
    assert_eq!(fs::metadata(folder.join("session.json")).unwrap().uid(), 1339);
    // And a copy of what is somebody's is his too.
    std::os::unix::fs::chown(folder.join("CLAUDE.md"), Some(0), Some(7)).unwrap();
    let copy = place.at(&place.host().duplicate(&made.id().unwrap(), "c").unwrap().uuid);
    let owner = |name: &str| {
        (fs::metadata(copy.join(name)).unwrap().uid(), fs::metadata(copy.join(name)).unwrap().gid())
    };
    assert_eq!([owner(""), owner("CLAUDE.md"), owner("session.json")], [(1337, 1338), (0, 7), (1339, 1338)]);
}

fn we_are_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

#[test]
fn only_folders_that_are_sessions_are_listed_and_get_says_what_is_wrong_with_the_others() {
    let place = Place::new();
    place.put(UUID, ", \"Name\": \"a\", \"port\": 1001, \"later\": [1]");
    let [broken, other, empty, file, link] =
        ["1", "2", "3", "4", "5"].map(|n| UUID.replace("3f0c", &n.repeat(4)));
    place.put(&broken, ", \"port\": \"8080\"");
    fs::create_dir(place.at(&other)).unwrap();
    fs::write(place.at(&other).join("session.json"), document(&place.at(UUID))).unwrap();
    fs::create_dir(place.at(&empty)).unwrap();
    fs::write(place.at(&file), "").unwrap();
    symlink(place.at(UUID), place.at(&link)).unwrap();
    for name in [format!(".{UUID}~"), UUID.to_uppercase(), UUID.replace('-', ""), format!(".incoming-{UUID}")]
    {
        place.put(&name, "");
    }

    let mut host = place.host();
    let listed = host.list().unwrap();
    assert_eq!(listed.iter().map(|session| session.uuid.as_str()).collect::<Vec<_>>(), [UUID]);
    let said: Vec<_> = host.findings().into_iter().map(|finding| (finding.code, finding.message)).collect();
    let told = |uuid: &str, what: &str| {
        let path = place.at(uuid).join("session.json");
        let why = format!("failed to parse session metadata: {}: {what}", path.display());
        ("session-json".to_owned(), format!("session {uuid} is not listed: {why}"))
    };
    let folder = "expected a folder, found something else";
    let expected = [
        told(&broken, "line 1, column 1: port is not a whole number"),
        told(&other, "the uuid in session.json is not the name of its folder"),
        told(&file, folder),
        told(&link, folder),
    ];
    assert_eq!(said, expected);
    assert_eq!(host.findings(), [], "it is told once");
    let expected = Session {
        uuid: UUID.into(),
        name: "a".into(),
        created_at: "0001-01-01T00:00:00Z".into(),
        last_accessed: "0001-01-01T00:00:00Z".into(),
        port: 1001,
        locked: Some(false),
        ..Session::default()
    };
    assert_eq!(listed[0], expected);
    let mut said =
        |uuid: &str| refused(host.get(&id(uuid))).replace(&place.base.display().to_string(), "BASE");
    assert_eq!(said(&UUID.replace('3', "9")), format!("session {:?} does not exist", UUID.replace('3', "9")));
    assert_eq!(
        said(&broken),
        format!(
            "failed to parse session metadata: BASE/{broken}/session.json: line 1, column 1: port is not a whole number"
        )
    );
    assert_eq!(
        said(&other),
        format!(
            "failed to parse session metadata: BASE/{other}/session.json: \
             the uuid in session.json is not the name of its folder"
        )
    );
    assert_eq!(
        said(&empty),
        format!("failed to read session metadata: BASE/{empty}/session.json: entity not found")
    );
    for odd in [&file, &link] {
        assert!(said(odd).contains("expected a folder, found something else"), "{}", said(odd));
    }
    // A time is told as it is written, to the last digit.
    fs::write(
        place.at(UUID).join("session.json"),
        format!("{{\"uuid\": \"{UUID}\", \"created_at\": \"2026-02-11T08:15:30.123456789Z\"}}"),
    )
    .unwrap();
    assert_eq!(host.get(&id(UUID)).unwrap().created_at, "2026-02-11T08:15:30.123456789Z");
}

#[test]
fn a_port_is_given_once_and_the_lowest_free_one_is_found() {
    let place = Place::new();
    let mut host = place.host();
    let port = |host: &mut LocalHost, port, protocol: &str| {
        host.create(&wishes("a", port, protocol, "")).map(|it| it.port)
    };
    assert_eq!(port(&mut host, -1, "").unwrap(), 1001);
    assert_eq!(port(&mut host, 1002, "udp").unwrap(), 1002);
    assert_eq!(port(&mut host, -1, "").unwrap(), 1003, "whatever the protocol");
    assert_eq!(port(&mut host, 53, "tcp").unwrap(), 53);
    assert_eq!(port(&mut host, 53, " UDP ").unwrap(), 53);
    assert_eq!(refused(port(&mut host, 53, "udp")), "port 53/udp is already assigned to another session");
    assert_eq!(refused(port(&mut host, 53, "")), "port 53/tcp is already assigned to another session");
    assert_eq!(refused(port(&mut host, 65536, "")), "invalid port: 65536");
    assert_eq!(refused(port(&mut host, 1, "sctp")), "protocol must be \"tcp\" or \"udp\", got \"sctp\"");
    // What an early release wrote has no protocol, and is tcp.
    place.put(UUID, ", \"port\": 2000");
    assert_eq!(refused(port(&mut host, 2000, "tcp")), "port 2000/tcp is already assigned to another session");
    assert_eq!(port(&mut host, 2000, "udp").unwrap(), 2000);
}

#[test]
fn nothing_is_made_of_what_cannot_be_said_of_a_session() {
    let place = Place::new();
    let mut host = place.host();
    host.create(&wishes("a", 0, "", "Billing.x")).unwrap();
    let before = Tree::of(&place.base);
    for (wrong, why) in [
        (named(""), "session name cannot be empty"),
        (wishes("a", 0, "", "-a"), "DNS label cannot start or end with '-'"),
        (wishes("a", 0, "", "BILLING.X"), "DNS name \"billing.x\" is already assigned to another session"),
    ] {
        assert_eq!(refused(host.create(&wrong)), why);
    }
    let made = host.list().unwrap()[0].id().unwrap();
    assert_eq!(refused(host.edit(&made, &named(" "))), "session name cannot be empty");
    assert_eq!(
        refused(host.duplicate(&made, "a/b")),
        "session name contains invalid character: '/' (only letters, digits, spaces, _, -, . allowed)"
    );
    assert_eq!(before.difference(&Tree::of(&place.base)), "");
}

#[test]
fn of_many_who_create_at_the_same_moment_no_two_get_one_port() {
    let place = Place::new();
    let ports: Vec<i64> = std::thread::scope(|scope| {
        let create = || {
            (0..5).map(|_| place.host().create(&wishes("a", -1, "", "")).unwrap().port).collect::<Vec<_>>()
        };
        let all: Vec<_> = (0..4).map(|_| scope.spawn(create)).collect();
        all.into_iter().flat_map(|one| one.join().unwrap()).collect()
    });
    let mut sorted = ports.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, (1001..1021).collect::<Vec<_>>());
}

#[test]
fn an_edit_changes_what_it_says_and_nothing_else() {
    let place = Place::new();
    let mut host = place.host();
    place.put(
        UUID,
        ", \"name\": \"old\", \"created_at\": \"2025-01-01T00:00:00.123456789Z\", \"last_accessed\": \
         \"2025-01-02T00:00:00+01:00\", \"port\": 8080, \"dns_name\": \"billing\", \"agent_id\": \"k7m2\", \
         \"later\": {\"a\" : 1e400}",
    );
    fs::write(place.at(UUID).join("mine"), "").unwrap();
    // Two sessions have had one port and one name since before anybody looked: that is no reason to forbid a new name.
    place.put(&UUID.replace('3', "9"), ", \"name\": \"twin\", \"port\": 8080, \"dns_name\": \"Billing\"");
    let edited = host.edit(&id(UUID), &wishes("new", 8080, "TCP", "billing")).unwrap();
    assert_eq!((edited.name.as_str(), edited.port), ("new", 8080));
    let expected = |name: &str, rest: &str| {
        format!(
            "{{\n  \"uuid\": \"{UUID}\",\n  \"name\": \"{name}\",\n  \"created_at\": \"2025-01-01T00:00:00.123456789Z\",\n  \
             \"last_accessed\": \"2025-01-02T00:00:00+01:00\",\n{rest}  \"agent_id\": \"k7m2\",\n  \
             \"later\": {{\"a\" : 1e400}}\n}}"
        )
    };
    let all = "  \"port\": 8080,\n  \"protocol\": \"tcp\",\n  \"dns_name\": \"billing\",\n";
    assert_eq!(document(&place.at(UUID)), expected("new", all));
    assert_eq!(mode(&place.at(UUID).join("session.json")), 0o644);
    // A port that changes is asked for anew, and so is one that changes its protocol and comes back.
    host.edit(&id(UUID), &wishes("new", 8080, "udp", "other")).unwrap();
    assert_eq!(
        refused(host.edit(&id(UUID), &wishes("new", 8080, "tcp", "other"))),
        "port 8080/tcp is already assigned to another session"
    );
    assert_eq!(
        refused(host.edit(&id(UUID), &wishes("new", 0, "udp", "billing"))),
        "DNS name \"billing\" is already assigned to another session"
    );
    host.edit(&id(UUID), &named("bare")).unwrap();
    assert_eq!(document(&place.at(UUID)), expected("bare", "  \"protocol\": \"tcp\",\n"));
    assert_eq!(host.edit(&id(UUID), &wishes("bare", -1, "", "")).unwrap().port, 1001);
    assert_eq!(
        host.edit(&id(UUID), &wishes("bare", -1, "", "")).unwrap().port,
        1001,
        "its own is free to it"
    );

    let before = Tree::of(&place.base);
    host.edit(&id(UUID), &wishes("bare", 1001, "", "")).unwrap();
    assert_eq!(before.difference(&Tree::of(&place.base)), "", "what is said again is not written again");
}

#[test]
fn a_copy_has_every_file_of_its_session_and_an_id_a_name_and_times_of_its_own() {
    let place = Place::new();
    let mut host = place.host();
    place.put(
        UUID,
        ", \"name\": \"old\", \"created_at\": \"2025-01-01T00:00:00Z\", \"port\": 8080, \"protocol\": \"udp\", \
         \"dns_name\": \"billing\", \"agent_id\": \"k7m2\", \"later\": 1",
    );
    let folder = place.at(UUID);
    let at = |name: &str| folder.join(name);
    fs::create_dir(at("deep")).unwrap();
    fs::write(at("deep/file"), "x".repeat(10_000)).unwrap();
    fs::write(at("program"), "#!").unwrap();
    fs::set_permissions(at("program"), fs::Permissions::from_mode(0o4711)).unwrap();
    fs::hard_link(at("deep/file"), at("again")).unwrap();
    symlink("/home/claude/.claude-shared/plugins", at("dangling")).unwrap();
    symlink("deep", at("within")).unwrap();
    fs::File::create(at("sparse")).unwrap().set_len(10 << 20).unwrap();
    fs::set_permissions(at("deep"), fs::Permissions::from_mode(0o1550)).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
    let expected = Tree::of(&folder).without(&["session.json", "program"]);
    let program =
        |words: &[&str]| assert!(Command::new(words[0]).args(&words[1..]).status().unwrap().success());
    program(&["mkfifo", at("pipe").to_str().unwrap()]);
    let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
    fs::write(at(".session.json.rehome-control.tmp"), "left by a kill").unwrap();

    let copy = host.duplicate(&id(UUID), "new").unwrap();
    let there = place.at(&copy.uuid);
    let found = Tree::of(&there).without(&["session.json", "program"]);
    assert_eq!(expected.difference(&found), "");
    assert_eq!(mode(&there), 0o700);
    assert_eq!(mode(&there.join("program")), 0o711, "nobody becomes somebody else by a copy");
    let meta = |name: &str| fs::metadata(there.join(name)).unwrap();
    assert_eq!(meta("again").ino(), meta("deep/file").ino());
    assert_ne!(meta("again").ino(), fs::metadata(at("again")).unwrap().ino());
    assert!(meta("sparse").blocks() < 100, "{}", meta("sparse").blocks());
    assert_eq!(
        document(&there),
        format!(
            "{{\n  \"uuid\": \"{}\",\n  \"name\": \"new\",\n  \"created_at\": \"{NOW}\",\n  \"last_accessed\": \
             \"{NOW}\",\n  \"protocol\": \"udp\",\n  \"later\": 1\n}}",
            copy.uuid
        )
    );
    assert_eq!((copy.port, copy.protocol.as_str(), copy.dns_name.as_str()), (0, "udp", ""));
    let mut names = [UUID.to_owned(), copy.uuid.clone()];
    names.sort();
    assert_eq!(place.names(), names, "no lock and no staging is left");
}

#[test]
fn a_device_in_a_session_is_not_copied_and_nothing_is_left_of_the_attempt() {
    if !we_are_root() {
        return;
    }
    let place = Place::new();
    place.put(UUID, "");
    fs::write(place.at(UUID).join("a"), "").unwrap();
    let device = place.at(UUID).join("zero");
    assert!(Command::new("mknod").arg(&device).args(["c", "1", "5"]).status().unwrap().success());
    let before = place.names();
    let error = refused(place.host().duplicate(&id(UUID), "b"));
    assert_eq!(error, format!("cannot copy {}: it is a device, and no device is copied", device.display()));
    assert_eq!(place.names(), before);
}

#[test]
fn what_is_removed_is_gone_and_what_its_links_lead_to_is_not() {
    let place = Place::new();
    let mut host = place.host();
    let kept = place.at("kept");
    fs::create_dir(&kept).unwrap();
    fs::write(kept.join("file"), "").unwrap();
    place.put(UUID, "");
    symlink(&kept, place.at(UUID).join("link")).unwrap();
    fs::write(Lock::path_of(&place.at(UUID)), "4194305").unwrap();
    host.delete(&id(UUID)).unwrap();
    assert_eq!(place.names(), ["kept"]);
    assert!(kept.join("file").exists());
    assert_eq!(refused(host.delete(&id(UUID))), format!("session {UUID:?} does not exist"));
    // One whose document is broken is gone as well; a folder without one was never a session.
    place.put(UUID, ", \"port\": \"8080\"");
    host.delete(&id(UUID)).unwrap();
    fs::create_dir(place.at(UUID)).unwrap();
    assert!(refused(host.delete(&id(UUID))).starts_with("failed to read session metadata"));
    fs::remove_dir(place.at(UUID)).unwrap();
    symlink(&kept, place.at(UUID)).unwrap();
    assert!(refused(host.delete(&id(UUID))).starts_with("failed to parse session metadata"));
    assert!(kept.join("file").exists());
}

#[test]
fn whoever_has_a_session_keeps_everybody_else_from_changing_it() {
    let place = Place::new();
    let mut host = place.host();
    place.put(UUID, "");
    let lock = Lock::path_of(&place.at(UUID));
    let mut owner = Command::new("sleep").arg("1000").spawn().unwrap();
    fs::write(&lock, owner.id().to_string()).unwrap();
    let before = Tree::of(&place.base);
    let session = host.get(&id(UUID)).unwrap();
    assert_eq!(
        (session.locked, session.lock_pid, session.lock_stale),
        (Some(true), Some(owner.id()), Some(false))
    );
    assert_eq!(session.state().letter(), 'L');

    let locked = format!("session {UUID:?} is already locked (another instance may be running)");
    assert_eq!(refused(host.edit(&id(UUID), &named("b"))), locked);
    assert_eq!(refused(host.duplicate(&id(UUID), "b")), locked);
    assert_eq!(refused(host.restart(&id(UUID))), locked);
    assert_eq!(refused(host.delete(&id(UUID))), format!("session {UUID:?} is currently locked (in use)"));
    let in_use = host.unlock(&id(UUID), Holder::Nobody).unwrap_err();
    assert_eq!(in_use.to_string(), format!("session {UUID:?} is actively in use by process {}", owner.id()));
    let HostError::Session(SessionError::InUse { owner: shown, .. }) = &in_use else { panic!("{in_use}") };
    assert_eq!(shown.command.as_deref(), Some("sleep 1000"));
    assert_eq!(before.difference(&Tree::of(&place.base)), "");

    // Whoever lives has it, however old it is, and after a day it is shown as left behind.
    let written = std::time::SystemTime::UNIX_EPOCH;
    fs::File::options().write(true).open(&lock).unwrap().set_modified(written).unwrap();
    assert_eq!(host.get(&id(UUID)).unwrap().lock_stale, Some(true));
    assert_eq!(refused(host.delete(&id(UUID))), format!("session {UUID:?} is currently locked (in use)"));
    owner.kill().unwrap();
    owner.wait().unwrap();
    host.edit(&id(UUID), &named("c")).unwrap();
    assert!(!lock.exists(), "nobody had it any more");
    assert_eq!(refused(host.unlock(&id(UUID), Holder::Anybody)), format!("session {UUID:?} is not locked"));
    assert_eq!(
        refused(host.unlock(&id(&UUID.replace('3', "9")), Holder::Anybody)),
        refused(host.get(&id(&UUID.replace('3', "9"))))
    );
}

/// Told by this test, run by somebody who may not read root's lock: it names the base, which is his.
const CLOSED: &str = "REHOME_TEST_CLOSED_LOCK";

#[test]
fn a_lock_that_may_not_be_read_is_somebodys_and_keeps_its_session_safe() {
    let locked = format!("session {UUID:?} is already locked (another instance may be running)");
    if let Some(base) = std::env::var_os(CLOSED) {
        let mut host = host(Path::new(&base));
        let session = host.get(&id(UUID)).unwrap();
        assert_eq!((session.locked, session.lock_pid, session.lock_stale), (Some(true), None, Some(false)));
        assert_eq!(refused(host.edit(&id(UUID), &named("b"))), locked);
        assert_eq!(refused(host.duplicate(&id(UUID), "b")), locked);
        assert_eq!(refused(host.delete(&id(UUID))), format!("session {UUID:?} is currently locked (in use)"));
        assert_eq!(refused(host.unlock(&id(UUID), Holder::Nobody)), locked);
        return;
    }
    let place = Place::new();
    place.put(UUID, "");
    for path in [&place.base, &place.at(UUID), &place.at(UUID).join("session.json")] {
        std::os::unix::fs::chown(path, Some(65534), Some(65534)).unwrap();
    }
    let around = place.base.parent().unwrap();
    fs::set_permissions(around, PermissionsExt::from_mode(0o755)).unwrap();
    let lock = Lock::path_of(&place.at(UUID));
    fs::write(&lock, "1").unwrap();
    fs::set_permissions(&lock, PermissionsExt::from_mode(0o600)).unwrap();
    let before = Tree::of(&place.base);
    as_nobody(around, "a_lock_that_may_not_be_read", CLOSED, &place.base);
    assert_eq!(before.difference(&Tree::of(&place.base)), "");

    fs::remove_file(&lock).unwrap();
    let held = Held::take(&place.at(UUID)).unwrap();
    assert_eq!(fs::metadata(&lock).unwrap().uid(), 65534, "root's own can be read by whose session it is");
    held.release().unwrap();
}

#[test]
fn a_lock_that_speaks_for_nobody_is_removed_and_one_that_does_only_by_force() {
    let place = Place::new();
    let mut host = place.host();
    place.put(UUID, "");
    let lock = Lock::path_of(&place.at(UUID));
    for nobodys in ["4194305", "", "x", "0", "99999999999999999999"] {
        fs::write(&lock, nobodys).unwrap();
        let session = host.get(&id(UUID)).unwrap();
        assert_eq!((session.locked, session.lock_stale), (Some(true), Some(true)), "{nobodys}");
        assert!(lock.exists(), "looking removes nothing");
        host.unlock(&id(UUID), Holder::Nobody).unwrap();
        assert!(!lock.exists(), "{nobodys}");
    }
    fs::write(&lock, format!("{}\n", std::process::id())).unwrap();
    assert_eq!(host.get(&id(UUID)).unwrap().lock_stale, Some(false));
    let in_use = format!("session {UUID:?} is actively in use by process {}", std::process::id());
    // By force from whom it was shown to be, and not from whoever has come since.
    for other in [Holder::Nobody, Holder::Process(std::process::id() + 1)] {
        assert_eq!(refused(host.unlock(&id(UUID), other)), in_use);
        assert!(lock.exists());
    }
    host.unlock(&id(UUID), Holder::Process(std::process::id())).unwrap();
    assert!(!lock.exists());
    fs::write(&lock, "4194305").unwrap();
    host.unlock(&id(UUID), Holder::Process(7)).unwrap(); // he has ended meanwhile
    fs::write(&lock, std::process::id().to_string()).unwrap();
    host.unlock(&id(UUID), Holder::Anybody).unwrap();
    assert!(!lock.exists());
}

#[test]
fn what_a_killed_operation_has_left_goes_with_the_next_and_what_somebody_is_at_does_not() {
    let place = Place::new();
    let mut host = place.host();
    let left = [format!(".creating-{UUID}"), format!(".cloning-{UUID}"), format!(".deleted-{UUID}-7")];
    for name in &left {
        place.put(name, "");
    }
    let others = [format!(".incoming-{UUID}"), ".creating-notes".to_owned()];
    for name in &others {
        fs::create_dir(place.at(name)).unwrap();
    }
    let at_work = durable_files::DirLock::take(&place.at(&left[1])).unwrap();
    let made = host.create(&named("a")).unwrap();
    let mut expected = vec![others[0].clone(), others[1].clone(), left[1].clone(), made.uuid.clone()];
    expected.sort();
    assert_eq!(place.names(), expected);
    drop(at_work);
    host.delete(&made.id().unwrap()).unwrap();
    assert_eq!(place.names(), [others[1].clone(), others[0].clone()]);
}
