//! What counts as a session of convocate, and what its documents and locks say.
#![cfg(feature = "convocate")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use legacy_readers::convocate::{Claim, read, session_id};
use rustix::fs::{Mode, OFlags};

const UUID: &str = "3f0c1d2e-5b6a-4c7d-8e9f-0a1b2c3d4e5f";

fn session(base: &Path, name: &str, text: &str) {
    fs::create_dir_all(base.join(name)).unwrap();
    fs::write(base.join(name).join("session.json"), text).unwrap();
}

fn uuid(last: char) -> String {
    format!("{}{last}", &UUID[..35])
}

#[test]
fn only_what_convocate_itself_would_have_named_is_a_session() {
    assert_eq!(session_id(OsStr::new(UUID)).as_deref(), Some(UUID));
    let upper = UUID.to_uppercase();
    let bare = UUID.replace('-', "");
    for other in
        [&format!(".{UUID}~"), &upper, &bare, &format!(".incoming-{UUID}"), &format!("{UUID}.lock"), ".skel"]
    {
        assert_eq!(session_id(OsStr::new(other)), None, "{other}");
    }
}

#[test]
fn every_session_is_found_and_a_broken_one_says_where() {
    let base = tempfile::tempdir().unwrap();
    session(base.path(), UUID, &format!(r#"{{"uuid": "{UUID}", "name": "billing", "port": 8080}}"#));
    session(base.path(), &uuid('0'), "{\"uuid\":\n  1}");
    session(base.path(), &uuid('1'), &format!(r#"{{"uuid": "{UUID}"}}"#));
    fs::create_dir(base.path().join(uuid('2'))).unwrap(); // no document, no session
    std::os::unix::fs::symlink(base.path().join(UUID), base.path().join(uuid('3'))).unwrap();
    session(base.path(), &uuid('4'), "{}");
    fs::remove_file(base.path().join(uuid('4')).join("session.json")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", base.path().join(uuid('4')).join("session.json")).unwrap();
    let survey = read(base.path()).unwrap();
    let found: Vec<_> =
        survey.found.iter().map(|session| (session.uuid.clone(), session.document().is_some())).collect();
    let expected = [
        (uuid('0'), false),
        (uuid('1'), false),
        (uuid('3'), false),
        (uuid('4'), false),
        (UUID.to_owned(), true),
    ];
    assert_eq!(found, expected);
    let codes: Vec<_> = survey.anomalies.iter().map(|anomaly| anomaly.code.as_str()).collect();
    assert_eq!(codes, ["session-json", "other-uuid", "not-a-folder", "unreadable"]);
    assert_eq!(survey.inputs.len(), 5);
}

#[test]
fn a_lock_claims_the_process_that_its_text_begins_with() {
    let base = tempfile::tempdir().unwrap();
    session(base.path(), UUID, &format!(r#"{{"uuid": "{UUID}"}}"#));
    let claim = |text: &str| {
        fs::write(base.path().join(format!("{UUID}.lock")), text).unwrap();
        read(base.path()).unwrap().found[0].lock.as_ref().unwrap().claim()
    };
    assert_eq!(claim("4242"), Claim::Process(4242));
    assert_eq!(claim("4242\n"), Claim::Process(4242));
    for nobody in ["", "x", "0", "-1", "99999999999999"] {
        assert_eq!(claim(nobody), Claim::Nobody, "{nobody}");
    }
}

#[test]
fn no_reader_waits_for_a_pipe_that_is_exchanged_for_what_it_reads() {
    let base = tempfile::tempdir().unwrap();
    session(base.path(), UUID, &format!(r#"{{"uuid": "{UUID}"}}"#));
    let [document, lock] = [format!("{UUID}/session.json"), format!("{UUID}.lock")];
    fs::write(base.path().join(&lock), "1").unwrap();
    fs::set_permissions(base.path().join(&lock), PermissionsExt::from_mode(0o644)).unwrap();
    let [pipe, end] = ["pipe", "end"].map(|name| base.path().join(name));
    assert!(Command::new("mkfifo").args(["-m", "600"]).arg(&pipe).status().unwrap().success());
    fs::hard_link(&pipe, &end).unwrap();
    let end = || rustix::fs::open(&end, OFlags::WRONLY | OFlags::NONBLOCK, Mode::empty());
    for exchanged in [document, lock].map(|name| base.path().join(name)) {
        let done = AtomicBool::new(false);
        let waited = thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    for _ in 0..2 {
                        durable_files::exchange(&pipe, &exchanged).unwrap();
                        drop(end()); // whoever waits for the pipe finds it empty
                    }
                }
            });
            let waited = (0..5000).any(|_| {
                let found = read(base.path()).unwrap();
                let lock = found.found[0].lock.as_ref().unwrap();
                let is_empty = lock.is_readable && lock.mode == 0o644 && lock.text.is_empty();
                is_empty || found.anomalies.iter().any(|anomaly| anomaly.code == "session-json")
            });
            done.store(true, Ordering::Relaxed);
            waited
        });
        assert!(!waited, "{}", exchanged.display());
    }
}
