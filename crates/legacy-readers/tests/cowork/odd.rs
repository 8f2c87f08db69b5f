//! Cases that no fixture home can hold.

use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;

use legacy_readers::cowork::{self, Extent, ReadError, Said, Sidecar};
use serde_json::json;
use testkit::cowork::Session;

use crate::{base, codes, one_session, profile};

#[test]
fn a_sidecar_keeps_its_bytes_and_every_member_in_its_place() {
    let json = "{\r\n\"\": 1.50, \"zeta\": {\"b\": 1, \"a\": 2}, \"sessionId\": \"local_x\", \"createdAt\": 1e3,\n\
                \"lastActivityAt\": 2.9, \"processName\": \"p\", \"cwd\": \"/sessions/p\", \"alpha\": null, \"zeta\": 3}";
    let sidecar = Sidecar::parse(json.into(), Path::new("local_x.json")).unwrap();
    assert_eq!(sidecar.bytes, json.as_bytes());
    let names: Vec<&str> = sidecar.members.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        ["", "zeta", "sessionId", "createdAt", "lastActivityAt", "processName", "cwd", "alpha"]
    );
    assert_eq!(sidecar.members["zeta"], 3);
    assert_eq!((sidecar.view.created_at.0, sidecar.view.last_activity_at.0), (1000, 2));
    assert_eq!(sidecar.anomalies, []);
}

#[test]
fn a_path_that_was_named_and_cannot_be_read_is_an_error_that_names_it() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("file"), "").unwrap();
    let environment = cowork::Environment::of_home(cowork::Platform::Linux, home.path());
    for (name, is_missing) in [("nowhere", true), ("file", false)] {
        let path = home.path().join(name);
        let errors = [
            cowork::read(&path).unwrap_err(),
            cowork::read_bundle(&path).unwrap_err(),
            cowork::bases(&environment, Some(&path)).unwrap_err(),
        ];
        for error in errors {
            assert_eq!(matches!(error, ReadError::Missing { .. }), is_missing, "{error}");
            assert!(error.to_string().starts_with("reading the b") && error.to_string().contains(name));
        }
    }
}

#[test]
fn a_base_that_was_named_is_the_only_one_that_is_looked_at() {
    let home = tempfile::tempdir().unwrap();
    one_session(home.path());
    let named = home.path().join("elsewhere");
    fs::create_dir(&named).unwrap();
    let environment = cowork::Environment::of_home(cowork::Platform::Windows, home.path());
    let bases = cowork::bases(&environment, Some(&named)).unwrap().found;
    assert_eq!(bases.len(), 1);
    let choice = cowork::choose(&bases, cowork::Purpose::Write);
    assert!(matches!(choice, cowork::Choice::Named(base) if base.path == named.canonicalize().unwrap()));
}

#[test]
fn a_moved_base_that_is_not_there_is_said() {
    let home = tempfile::tempdir().unwrap();
    let mut environment = cowork::Environment::of_home(cowork::Platform::Windows, home.path());
    environment.user_data_dir = Some(home.path().join("nowhere"));
    let survey = cowork::bases(&environment, None).unwrap();
    assert_eq!(codes(&survey.anomalies), ["moved-base-missing"]);
}

#[test]
fn a_sidecar_of_a_gigabyte_is_not_read_into_memory() {
    let home = tempfile::tempdir().unwrap();
    let path = profile(home.path()).join("local_large.json");
    File::create(&path).unwrap().set_len(1 << 30).unwrap();
    let survey = cowork::read(&base(home.path())).unwrap();
    let cowork::Content::Quarantined(why) = &survey.found.profiles[0].sessions[0].content else { panic!() };
    assert_eq!((why.code.as_str(), survey.inputs.len()), ("unreadable", 1));
    assert_eq!(survey.found.profiles[0].sessions[0].bytes, 1 << 30);
}

#[test]
fn a_session_whose_ids_lead_elsewhere_finds_nothing_there() {
    let home = tempfile::tempdir().unwrap();
    let profile = profile(home.path());
    let outside = Session::numbered(2).lay_out(&home.path().join("outside"));
    let up = "../../../../../../../outside";
    for (number, id) in [
        (3, format!("{up}/local_{}", Session::numbered(2).uuid)),
        (4, outside.directory.display().to_string()),
    ] {
        let members = json!({ "sessionId": id, "cliSessionId": format!("{up}/x") });
        let placed = Session::numbered(number).with(&members).lay_out(&profile);
        fs::remove_dir_all(placed.directory).unwrap();
    }
    let survey = cowork::read(&base(home.path())).unwrap();
    for session in survey.found.sessions() {
        assert_eq!(session.directory, None);
        assert_eq!(cowork::contents(session).inputs, []);
    }
    assert_eq!(codes(&survey.anomalies).iter().filter(|code| **code == "odd-id").count(), 4);
}

#[test]
fn a_folder_of_any_depth_is_read_to_its_end() {
    let home = tempfile::tempdir().unwrap();
    let placed = one_session(home.path());
    let mut deep = placed.directory.join("outputs");
    for _ in 0..1000 {
        deep.push("d");
    }
    fs::create_dir_all(&deep).unwrap();
    fs::write(deep.join("end.txt"), "x").unwrap();
    let survey = cowork::read(&base(home.path())).unwrap();
    let contents = cowork::contents(&survey.found.profiles[0].sessions[0]);
    let last = contents.found.items.iter().find(|item| item.relative.ends_with("end.txt")).unwrap();
    assert_eq!((last.role, last.bytes), (cowork::Role::Host, 1));
    assert_eq!(contents.anomalies, []);
}

#[test]
fn the_test_kits_session_is_a_whole_one() {
    let home = tempfile::tempdir().unwrap();
    let placed = one_session(home.path());
    let survey = cowork::read(&base(home.path())).unwrap();
    let session = &survey.found.profiles[0].sessions[0];
    let contents = cowork::contents(session);
    assert_eq!((&session.path, session.directory.as_ref()), (&placed.sidecar, Some(&placed.directory)));
    let transcripts: Vec<_> =
        contents.found.transcripts().map(|item| placed.directory.join(&item.relative)).collect();
    assert_eq!(transcripts, [placed.transcript]);
    assert!(contents.found.subagents().iter().all(|pair| pair.transcript.is_some() && pair.meta.is_some()));
    assert_eq!((contents.found.subagents().len(), contents.inputs.len()), (1, 11));
    assert_eq!((survey.anomalies, contents.anomalies), (Vec::new(), Vec::new()));
}

#[test]
fn a_line_of_the_log_without_an_end_hides_no_line_after_it() {
    let home = tempfile::tempdir().unwrap();
    profile(home.path());
    let line = |rest: &str| format!("2026-01-20 10:00:00 [info] {rest}\n");
    let log = [line(&"x".repeat(200_000)), line("Loaded 7 messages from transcript for session s")].concat();
    fs::write(base(home.path()).join("logs/main.log"), log).unwrap();
    let events = cowork::read_log(&base(home.path())).found;
    let said = Said::Loaded { session: "s".into(), messages: 7, extent: Extent::Unsaid };
    assert_eq!(events.iter().map(|event| (event.line, &event.said)).collect::<Vec<_>>(), [(2, &said)]);
    assert_eq!(cowork::last_word(&events, &["s"]).map(|event| event.line), Some(2));
    assert_eq!(cowork::last_word(&events, &["t"]), None);
}

/// Does nothing, unless it is run by the test below, which watches it.
#[test]
fn a_reading_that_is_watched() {
    let Some(home) = std::env::var_os("REHOME_WATCHED_HOME") else { return };
    let home = Path::new(&home);
    assert_eq!(cowork::read(&base(home)).unwrap().inputs.len(), 6);
    cowork::read_log(&base(home));
}

#[test]
fn the_writer_of_a_pipe_in_the_place_of_a_file_never_notices_a_reading() {
    let home = tempfile::tempdir().unwrap();
    testkit::fixture::lay_out("cowork-migrate/not-regular-files", home.path());
    let calls = home.path().join("calls");
    let mut command = Command::new("strace");
    command.args(["-f", "-e", "trace=openat", "-o"]).arg(&calls).arg(std::env::current_exe().unwrap());
    command.args(["--exact", "odd::a_reading_that_is_watched"]).env("REHOME_WATCHED_HOME", home.path());
    assert!(command.output().unwrap().status.success());
    let calls = fs::read_to_string(calls).unwrap();
    let opened = |name: &str| calls.lines().filter(|line| line.contains(name)).count();
    assert_eq!(["local_pipe.json", "spaces.json", "main.log", "local_link.json"].map(opened), [0; 4]);
    assert_eq!(opened("local_a11ce001-5e11-4c0f-9d3a-1b2c3d4e5f60.json"), 1);
}

/// Does nothing, unless it is run by the test below as a user who may read little.
#[test]
fn what_a_stranger_sees() {
    let Some(home) = std::env::var_os("REHOME_STRANGERS_HOME") else { return };
    let survey = cowork::read(&base(Path::new(&home))).unwrap();
    assert_eq!(survey.inputs.len(), 3, "{:?}", survey.inputs);
    let ids: Vec<_> =
        survey.found.sessions().filter_map(cowork::Session::view).map(|view| view.session_id.len()).collect();
    assert_eq!(ids.len(), 2);
    assert_eq!(codes(&survey.anomalies), ["unreadable"], "{:?}", survey.anomalies);
    let contents: Vec<_> =
        survey.found.sessions().map(|session| cowork::contents(session).anomalies).collect();
    assert_eq!(
        contents.iter().map(|anomalies| codes(anomalies).join(" ")).collect::<Vec<_>>(),
        ["", "unreadable no-transcript", ""]
    );
    fs::write(Path::new(&home).join("seen"), "").unwrap();
}

#[test]
fn what_may_not_be_read_costs_nothing_but_itself() {
    let home = tempfile::tempdir().unwrap();
    let profile = profile(home.path());
    let placed: Vec<_> = (1..=3).map(|number| Session::numbered(number).lay_out(&profile)).collect();
    let other = profile.parent().unwrap().join("90d5aa10");
    fs::create_dir(&other).unwrap();
    let mode = |path: &Path, mode: u32| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    mode(home.path(), 0o777);
    mode(&other, 0o000);
    mode(&placed[1].directory.join(".claude/projects"), 0o000);
    mode(&placed[2].sidecar, 0o000);
    let shared = tempfile::tempdir().unwrap();
    let mut command = unprivileged(shared.path());
    command.args(["--exact", "odd::what_a_stranger_sees"]).env("REHOME_STRANGERS_HOME", home.path());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(home.path().join("seen").exists(), "the stranger did not look");
    for closed in [&other, &placed[1].directory.join(".claude/projects")] {
        mode(closed, 0o755); // or nobody could remove it
    }
}

/// These tests as a program for somebody who is bound by permissions, which root is not.
fn unprivileged(shared: &Path) -> Command {
    let program = shared.join("program");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    for path in [shared, &program] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    if shared.metadata().unwrap().uid() != 0 {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(program);
    command
}
