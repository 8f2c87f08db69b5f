//! What stays of a session that is removed, and what does not come with its copy: by the session user, who has no power over
//! the files that root has made in a container, and by somebody who says stop.

use std::env;
use std::fs;
use std::ops::ControlFlow;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use durable_files::DirLock;
use session_control::{Containers, HostError, Local, LocalHost, Lock, SessionHost, Watch};
use session_model::Finding;
use testkit::crash::hand_over;
use testkit::disk::Disk;
use testkit::tree::Tree;

use crate::cluster::as_nobody;
use crate::local::{Place, UUID, host, id, named};

const OTHER: &str = "9f0c1d2e-5b6a-4c7d-8e9f-0a1b2c3d4e5f";
/// Told by a test to itself as the session user: where the sessions are.
const BASE: &str = "REHOME_TEST_BASE_OF_HIS";

/// A base of the session user's, in whose session are two files of root's that he cannot remove.
fn with_files_of_root() -> Place {
    let place = Place::new();
    for uuid in [UUID, OTHER] {
        place.put(uuid, ", \"name\": \"a\"");
    }
    let folder = place.at(UUID);
    fs::create_dir_all(folder.join("build/deep")).unwrap();
    fs::create_dir_all(folder.join("zz")).unwrap();
    for name in ["first", "build/deep/roots", "build/his", "closed", "zz/last"] {
        fs::write(folder.join(name), "").unwrap();
    }
    hand_over(&place.base);
    for roots in ["build/deep", "build/deep/roots", "closed"] {
        chown(folder.join(roots), Some(0), Some(0)).unwrap();
    }
    fs::set_permissions(folder.join("build/deep"), PermissionsExt::from_mode(0o755)).unwrap();
    // His own, though it lets nobody in.
    fs::set_permissions(folder.join("zz"), PermissionsExt::from_mode(0o000)).unwrap();
    let around = place.base.parent().unwrap();
    fs::set_permissions(around, PermissionsExt::from_mode(0o755)).unwrap();
    place
}

fn codes(findings: &[Finding]) -> Vec<&str> {
    findings.iter().map(|finding| finding.code.as_str()).collect()
}

#[test]
fn a_session_with_files_of_root_is_removed_but_for_them_and_they_are_named() {
    if let Some(base) = env::var_os(BASE) {
        let mut host = host(Path::new(&base));
        host.delete(&id(UUID)).unwrap();
        let [finding] = &host.findings()[..] else { panic!("expected one") };
        let path = Path::new(&base).join(format!(".deleted-{UUID}-0.left"));
        assert_eq!(finding.code, "left-behind");
        let command = format!("sudo rm -rf --one-file-system -- '{}'", path.display());
        assert!(finding.message.ends_with(&command), "{}", finding.message);
        // Whoever comes by leaves it where it is, and looks at nothing in it.
        fs::write(path.join("witness"), "").unwrap();
        let made = host.create(&named("b")).unwrap();
        host.duplicate(&id(OTHER), "c").unwrap();
        host.delete(&made.id().unwrap()).unwrap();
        assert_eq!(host.findings(), []);
        assert!(path.join("witness").exists());
        assert_eq!(host.list().unwrap().len(), 2);
        assert_eq!(codes(&host.findings()), ["left-behind"], "a list goes on telling of it");
        return;
    }
    let place = with_files_of_root();
    as_nobody(place.base.parent().unwrap(), "a_session_with_files_of_root_is_removed", BASE, &place.base);
    let left = place.at(&format!(".deleted-{UUID}-0.left"));
    let tree = Tree::of(&left);
    assert_eq!(tree.names(), ["build", "build/deep", "build/deep/roots", "witness"]);
    // Root can, and does.
    place.host().create(&named("d")).unwrap();
    assert!(!left.exists());
}

#[test]
fn what_a_copy_does_not_have_is_told() {
    if let Some(base) = env::var_os(BASE) {
        let mut host = host(Path::new(&base));
        host.duplicate(&id(UUID), "copy").unwrap();
        let said = host.findings();
        let told: Vec<_> = said.iter().map(|it| format!("{}: {}", it.code, it.message)).collect();
        let expected = [
            "left-out: pipe is a pipe and is left out",
            "left-out: socket is a socket and is left out",
            "sets-ids: program is copied without the bits that set ids",
            "extended-attributes: deep and 1 more: each is copied without its extended attributes",
            "other-owner: roots is somebody else's, and its copy belongs to whoever has made it",
        ];
        assert_eq!(told, expected);
        return;
    }
    let place = Place::new();
    place.put(UUID, "");
    let folder = place.at(UUID);
    fs::create_dir(folder.join("deep")).unwrap();
    for name in ["deep/tagged", "program", "roots"] {
        fs::write(folder.join(name), "").unwrap();
    }
    for name in ["deep", "deep/tagged"] {
        rustix::fs::setxattr(folder.join(name), "user.tag", b"x", rustix::fs::XattrFlags::empty()).unwrap();
    }
    let made = Command::new("mkfifo").arg(folder.join("pipe")).status().unwrap();
    assert!(made.success());
    let _socket = UnixListener::bind(folder.join("socket")).unwrap();
    hand_over(&place.base);
    fs::set_permissions(folder.join("program"), PermissionsExt::from_mode(0o4755)).unwrap();
    chown(folder.join("roots"), Some(0), Some(0)).unwrap();
    let around = place.base.parent().unwrap();
    fs::set_permissions(around, PermissionsExt::from_mode(0o755)).unwrap();
    as_nobody(around, "what_a_copy_does_not_have_is_told", BASE, &place.base);

    // Root's copies belong to whom the originals do.
    let mut host = place.host();
    host.duplicate(&id(UUID), "copy").unwrap();
    assert_eq!(codes(&host.findings()), ["left-out", "left-out", "sets-ids", "extended-attributes"]);
}

#[test]
fn a_copy_that_has_no_room_takes_none_from_those_who_write_beside_it() {
    let place = Place::new();
    let disk = Disk::in_memory(&place.base, "size=4m,nr_inodes=100");
    place.put(UUID, "");
    let [much, hole] = ["much", "hole"].map(|name| place.at(UUID).join(name));
    fs::write(&much, vec![b'x'; 3 << 20]).unwrap();
    let refused = |why: &str| {
        let before = Tree::of(&place.base);
        let error = place.host().duplicate(&id(UUID), "copy").unwrap_err();
        assert_eq!(error.code(), "no-room", "{why}: {error}");
        before.assert_same(&Tree::of(&place.base), why);
    };
    refused("bytes");
    disk.becomes("size=8m,nr_inodes=100");
    fs::hard_link(&much, place.at(UUID).join("again")).unwrap();
    fs::File::create(&hole).unwrap().set_len(16 << 20).unwrap();
    let copy = place.host().duplicate(&id(UUID), "copy").unwrap();
    place.host().delete(&copy.id().unwrap()).unwrap();
    for n in 0..60 {
        fs::write(place.at(UUID).join(n.to_string()), "").unwrap();
    }
    refused("files");
}

fn run(program: &str, arguments: &[&str]) {
    assert!(Command::new(program).args(arguments).status().unwrap().success(), "{program} {arguments:?}");
}

/// A host with an engine that runs the container of one session, and does this beside stopping it.
fn with_engine(place: &Place, beside: &str) -> LocalHost {
    let [engine, stopped] = ["engine", "stopped"].map(|name| place.base.with_file_name(name));
    let stopped = stopped.display();
    let script = format!(
        "#!/bin/sh\ncase $1 in\nps) [ -e {stopped} ] || echo convocate-session-{UUID} ;;\n\
         stop) : >{stopped}; {beside} ;;\nesac\n"
    );
    fs::write(&engine, script).unwrap();
    fs::set_permissions(&engine, PermissionsExt::from_mode(0o755)).unwrap();
    let containers = Containers { program: engine, ..Containers::default() };
    LocalHost::new(Local { containers, ..place.host().local().clone() })
}

#[test]
fn deleting_a_session_empties_nothing_that_is_mounted_in_it() {
    if !testkit::mounts::unshared("leaving::deleting_a_session_empties_nothing_that_is_mounted_in_it") {
        return;
    }
    let place = Place::new();
    place.put(UUID, "");
    let [shared, bound, disk] =
        ["../shared", &format!("{UUID}/bound"), &format!("{UUID}/a disk")].map(|at| place.at(at));
    for folder in [&shared, &bound, &disk] {
        fs::create_dir(folder).unwrap();
    }
    let [shared_at, bound_at, disk_at] = [&shared, &bound, &disk].map(|path| path.to_str().unwrap());
    run("mount", &["--bind", shared_at, bound_at]);
    run("mount", &["-t", "tmpfs", "none", disk_at]);
    for folder in [&shared, &disk] {
        fs::create_dir(folder.join("sub")).unwrap();
        fs::write(folder.join("sub/theirs"), "").unwrap();
    }
    let stopped = place.base.with_file_name("stopped");
    for at in [disk_at, bound_at] {
        let error = with_engine(&place, ":").delete(&id(UUID)).unwrap_err();
        assert_eq!(error.code(), "mounted");
        assert!(error.to_string().ends_with(&format!(": sudo umount -- '{at}'")), "{error}");
        assert!(!stopped.exists(), "its people were thrown out for nothing");
        assert!(shared.join("sub/theirs").exists());
        run("umount", &[at]);
    }

    // What is mounted while its container stops is kept out of as well.
    let mut host = with_engine(&place, &format!("mount --bind '{shared_at}' '{bound_at}'"));
    host.delete(&id(UUID)).unwrap();
    assert!(stopped.exists() && shared.join("sub/theirs").exists());
    let [finding] = &host.findings()[..] else { panic!("expected one") };
    let bound = place.at(&format!(".deleted-{UUID}-0/bound"));
    assert_eq!(finding.code, "left-behind");
    assert!(
        finding.message.ends_with(&format!(": sudo umount -- '{}'", bound.display())),
        "{}",
        finding.message
    );
    run("umount", &[bound.to_str().unwrap()]);
    place.host().create(&named("b")).unwrap();
    assert_eq!(place.names().len(), 1, "the rest goes then: {:?}", place.names());
}

#[test]
fn on_a_full_disk_a_session_can_be_deleted_and_nothing_else_leaves_a_lock() {
    for options in ["size=1m,nr_inodes=50", "size=8m,nr_inodes=9"] {
        let place = Place::new();
        let _disk = Disk::in_memory(&place.base, options);
        for uuid in [UUID, OTHER] {
            place.put(uuid, "");
        }
        let full =
            (0..50).find_map(|n| fs::write(place.at(UUID).join(format!("{n}")), vec![b'x'; 1 << 18]).err());
        assert_eq!(full.unwrap().kind(), std::io::ErrorKind::StorageFull);
        assert_eq!(place.host().restart(&id(OTHER)).unwrap_err().code(), "io", "{options}");
        assert!(!place.at(&format!("{OTHER}.lock")).exists(), "{options}");
        place.host().delete(&id(UUID)).unwrap();
        assert_eq!(place.names(), [OTHER], "{options}");
    }
}

#[test]
fn what_a_session_s_own_container_has_locked_does_not_keep_the_session() {
    let place = Place::new();
    place.put(UUID, "");
    let folder = place.at(UUID);
    let mut inside =
        Command::new("flock").arg("--no-fork").arg(&folder).args(["sleep", "60"]).spawn().unwrap();
    while !DirLock::is_held(&folder) {
        std::thread::yield_now();
    }
    with_engine(&place, &format!("kill {}", inside.id())).delete(&id(UUID)).unwrap();
    assert_eq!(place.names(), [""; 0]);
    inside.wait().unwrap();
}

/// The host of a place, with somebody who says stop when he has been asked so many times.
fn impatient(place: &Place, times: u64) -> (LocalHost, Arc<AtomicU64>) {
    let asked = Arc::new(AtomicU64::new(0));
    let count = asked.clone();
    let watch = Watch::new(move |_| match count.fetch_add(1, Ordering::Relaxed) {
        asked if asked < times => ControlFlow::Continue(()),
        _ => ControlFlow::Break(()),
    });
    let local = Local { watch, ..place.host().local().clone() };
    (LocalHost::new(local), asked)
}

#[test]
fn a_copy_that_is_stopped_anywhere_leaves_nothing_of_itself() {
    let place = Place::new();
    place.put(UUID, "");
    fs::create_dir(place.at(UUID).join("deep")).unwrap();
    fs::write(place.at(UUID).join("deep/much"), vec![b'x'; 3 << 20]).unwrap();
    let before = Tree::of(&place.base);
    for times in 0.. {
        let (mut host, asked) = impatient(&place, times);
        match host.duplicate(&id(UUID), "copy") {
            Err(error) => assert_eq!(error.code(), "stopped"),
            Ok(copy) => {
                assert!(times > 4, "it was asked {asked:?} times only");
                place.host().delete(&copy.id().unwrap()).unwrap();
                break;
            }
        }
        assert_eq!(before.difference(&Tree::of(&place.base)), "", "stopped after {times}");
    }
}

#[test]
fn a_link_that_is_put_in_the_place_of_roots_copy_leads_nothing_out_of_it() {
    let place = Place::new();
    place.put(UUID, "");
    fs::create_dir(place.at(UUID).join("deep")).unwrap();
    fs::write(place.at(UUID).join("deep/evil"), "").unwrap();
    hand_over(&place.base);
    let outside = place.base.with_file_name("outside");
    fs::create_dir(&outside).unwrap();
    let before = Tree::of(&outside);
    // The session user exchanges it as soon as it is there.
    let (base, to) = (place.base.clone(), outside.clone());
    let watch = Watch::new(move |_| {
        let names = fs::read_dir(&base).unwrap().map(|entry| entry.unwrap().path());
        let is_copy = |path: &PathBuf| path.display().to_string().contains("/.cloning-");
        if let Some(copy) = names.filter(is_copy).find(|path| !path.is_symlink()) {
            fs::rename(&copy, base.join("away")).unwrap();
            symlink(&to, copy).unwrap();
        }
        ControlFlow::Continue(())
    });
    let mut host = LocalHost::new(Local { watch, ..place.host().local().clone() });
    let _ = host.duplicate(&id(UUID), "copy");
    assert!(place.at("away").exists());
    before.assert_same(&Tree::of(&outside), "outside");
}

#[test]
fn a_removal_that_is_stopped_has_not_begun_or_is_done_but_for_what_goes_with_the_next() {
    let mut done = 0;
    for times in 0..8 {
        let place = Place::new();
        place.put(UUID, "");
        for name in ["a", "b", "c"] {
            fs::write(place.at(UUID).join(name), "").unwrap();
        }
        let before = Tree::of(&place.base);
        let (mut host, _) = impatient(&place, times);
        match host.delete(&id(UUID)) {
            Err(error) => {
                assert_eq!(error.code(), "stopped");
                assert_eq!(before.difference(&Tree::of(&place.base)), "", "stopped after {times}");
            }
            Ok(()) if place.names().is_empty() => assert_eq!(host.findings(), []),
            Ok(()) => {
                done += 1;
                assert_eq!(place.names(), [format!(".deleted-{UUID}-0")]);
                assert_eq!(codes(&host.findings()), ["stopped"]);
                host.list().unwrap();
                let said = host.findings();
                assert_eq!(codes(&said), ["interrupted"], "a list tells of it until it goes");
                assert!(said[0].message.contains(&format!(".deleted-{UUID}-0")), "{}", said[0].message);
                let at_work = DirLock::take(&place.at(&format!(".deleted-{UUID}-0"))).unwrap();
                host.list().unwrap();
                assert_eq!(host.findings(), [], "somebody is at work in it");
                drop(at_work);
                place.host().create(&named("b")).unwrap();
                assert_eq!(place.names().len(), 1, "{:?}", place.names());
            }
        }
    }
    assert!(done > 1, "it was stopped {done} times in the middle");
}

/// A host with an engine that runs the container of one session and otherwise does this, and with somebody who says stop
/// as soon as that hangs.
fn left_when_at_work(place: &Place, looks: &str, does: &str) -> LocalHost {
    let [engine, hangs] = ["engine", "hangs"].map(|name| place.base.with_file_name(name));
    let script = format!(
        "#!/bin/sh\nhere=$(dirname $0)\nhang() {{ echo $$ >$here/pid; mv $here/pid $here/hangs; exec sleep 1000; }}\n\
         case $1 in {looks} esac\ncase $1 in ps) echo convocate-session-{UUID} ;; {does} esac\n"
    );
    fs::write(&engine, script).unwrap();
    fs::set_permissions(&engine, PermissionsExt::from_mode(0o755)).unwrap();
    let containers = Containers { program: engine, ..Containers::default() };
    let says_stop = move |_| if hangs.exists() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
    LocalHost::new(Local { containers, watch: Watch::new(says_stop), ..place.host().local().clone() })
}

/// What is done to a session.
type Does = fn(&mut LocalHost) -> Result<(), HostError>;

#[test]
fn an_engine_that_is_at_work_keeps_nobody_and_goes_on_with_the_session_that_was_locked_for_it() {
    let place = Place::new();
    for uuid in [UUID, OTHER] {
        place.put(uuid, "");
    }
    let claude = place.base.with_file_name("claude");
    fs::write(&claude, "").unwrap();
    let hangs = place.base.with_file_name("hangs");
    let all: [(&str, &str, Option<&str>, Does); 4] = [
        ("stop) hang ;;", "stopping its container", None, |host| host.kill(&id(UUID))),
        ("stop) hang ;;", "stopping its container", Some(UUID), |host| host.delete(&id(UUID))),
        ("run) hang ;;", "starting its container", Some(OTHER), |host| host.restart(&id(OTHER))),
        (
            "exec) case $* in *list-clients*) echo one ;; *) hang ;; esac ;;",
            "detaching its people",
            None,
            |host| host.background(&id(UUID)),
        ),
    ];
    for (engine, doing, locked, does) in all {
        let host = left_when_at_work(&place, "", engine);
        let mut host = LocalHost::new(Local { claude: claude.clone(), ..host.local().clone() });
        let error = does(&mut host).unwrap_err();
        assert_eq!(error.code(), "stopped", "{doing}: {error}");
        let told = format!(
            "stopped waiting for the container engine, which may go on {doing}; nothing else was done"
        );
        assert_eq!(error.to_string(), told);
        let engine = fs::read_to_string(&hangs).unwrap();
        let has = |uuid: &&str| {
            let lock = Lock::of(&place.at(uuid));
            lock.is_some_and(|lock| lock.owner().is_some_and(|it| it.pid.to_string() == engine.trim()))
        };
        assert_eq!([UUID, OTHER].into_iter().find(has), locked, "{doing}");
        run("kill", &["-KILL", engine.trim()]); // it was there still
        fs::remove_file(&hangs).unwrap();
        let names = place.names().into_iter().filter(|name| name != ".claude" && !name.contains(".lock"));
        assert_eq!(names.collect::<Vec<_>>(), [UUID, OTHER], "{doing}");
    }
}

#[test]
fn an_edit_that_has_no_room_leaves_nothing_of_itself() {
    let place = Place::new();
    let _disk = Disk::in_memory(&place.base, "size=1m,nr_inodes=1k");
    place.put(UUID, "");
    let block = |n: u32| fs::write(place.at(UUID).join(n.to_string()), [b'x'; 4096]);
    assert!((0..1000).any(|n| block(n).is_err()), "it is not full");
    fs::remove_file(place.at(UUID).join("0")).unwrap(); // the lock takes as much
    let before = Tree::of(&place.base);
    assert_eq!(place.host().edit(&id(UUID), &named("b")).unwrap_err().code(), "io");
    before.assert_same(&Tree::of(&place.base), "not edited");
}

#[test]
fn a_template_that_cannot_be_read_is_not_passed_over() {
    let place = Place::new();
    symlink("nowhere", place.at(".skel")).unwrap();
    let error = place.host().create(&named("a")).unwrap_err();
    assert_eq!(error.code(), "io");
    assert!(error.to_string().starts_with("cannot open the folder ") && error.to_string().contains(".skel"));
    assert_eq!(place.names(), [".skel"]);
}

#[test]
fn whoever_says_stop_when_a_container_has_stopped_is_told_that_it_was_stopped() {
    let place = Place::new();
    place.put(UUID, "");
    let before = Tree::of(&place.base);
    // Whether it goes on running all the same nobody tells.
    let mut host =
        left_when_at_work(&place, "ps) [ ! -e $here/stopped ] || hang ;;", "stop) : >$here/stopped ;;");
    let error = host.delete(&id(UUID)).unwrap_err();
    assert_eq!(error.code(), "stopped");
    assert!(error.to_string().contains("its container was stopped"), "{error}");
    before.assert_same(&Tree::of(&place.base), "its files");
}

#[test]
fn whoever_has_the_base_while_a_container_stops_is_waited_for_and_the_session_is_removed() {
    let place = Place::new();
    place.put(UUID, "");
    // Somebody else begins with something that takes a while.
    let beside = format!("flock {} sleep 11 >/dev/null 2>&1 &", place.base.display());
    let mut host = with_engine(&place, &beside);
    host.delete(&id(UUID)).unwrap();
    assert!(place.base.with_file_name("stopped").exists());
    assert_eq!(place.names(), [""; 0]);
}
