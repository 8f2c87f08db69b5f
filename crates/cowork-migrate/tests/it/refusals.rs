//! What is refused, each with its own sentence, and nothing written.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use serde_json::json;
use testkit::cowork::{self, Session};
use testkit::holder::Holder;

use crate::world::{World, with_machine};

/// Refused with this code of exit and this part of a sentence, and no byte changed.
#[track_caller]
fn refuses(world: &World, exit: i32, arguments: &[String], sentence: &str) {
    let before = world.tree();
    for dry in [true, false] {
        let arguments: Vec<String> =
            arguments.iter().cloned().chain(dry.then(|| "--dry-run".to_owned())).collect();
        let refused = world.expect(exit, &arguments);
        assert!(refused.stderr.contains(sentence), "{}", refused.stderr);
        assert!(refused.stderr.contains("hint: "), "{}", refused.stderr);
    }
    before.assert_same(&world.tree(), sentence);
    assert!(!world.has_run());
}

#[test]
fn an_ambiguous_session_is_listed_and_refused() {
    let world = World::new(Session::numbered(7));
    Session::numbered(0x0700_0000).lay_out(&world.profile_of("mira"));
    Session::numbered(0x0000_0077).lay_out(&world.profile_of("mira"));
    refuses(
        &world,
        4,
        &world.whole_and(&["--session", "000000"]),
        "expected --session to mean one session, found 2",
    );
    let listed = world.move_it(4, &["--session", "000000"]);
    assert!(listed.stderr.contains("local_00000077-") && listed.stderr.contains("local_00000007-"));
    refuses(&world, 2, &world.whole(), "expected --session, since 3 sessions are there");
    refuses(&world, 4, &world.whole_and(&["--session", "nobody"]), "found none");
}

#[test]
fn another_system_is_refused() {
    let posix = json!({"userSelectedFolders": ["/Users/mira/drafts"], "cwd": "/Users/mira/drafts"});
    let world = World::new(Session::numbered(7).with(&posix));
    refuses(&world, 4, &world.whole(), "moving from macOS is not supported");
    let world = World::new(Session::numbered(7));
    let linux = world.path().join("home/.config/Claude");
    cowork::profile(&linux);
    let (from, to) = (world.base_of("mira").display().to_string(), linux.display().to_string());
    refuses(
        &world,
        4,
        &["--from", &from, "--to", &to].map(str::to_owned),
        "moving to Linux is not supported",
    );
}

#[test]
fn another_account_and_another_organisation_are_refused() {
    for (name, sentence) in [
        ("ffffffff-3b5e-4d10-9c41-8a6b0f2d7e01/7be01c52-94aa-4f0e-8d2c-5a3e6b1f9c02", "another account"),
        ("1c9f2a77-3b5e-4d10-9c41-8a6b0f2d7e01/ffffffff-94aa-4f0e-8d2c-5a3e6b1f9c02", "another organisation"),
    ] {
        let world = World::new(Session::numbered(7));
        let sessions = world.base_of("otto").join("local-agent-mode-sessions");
        fs::remove_dir_all(&sessions).unwrap();
        fs::create_dir_all(sessions.join(name)).unwrap();
        refuses(&world, 4, &world.whole(), sentence);
    }
}

#[test]
fn a_space_is_not_moved_but_a_session_in_one_is() {
    let world = World::new(Session::numbered(7).with(&json!({"spaceId": "space-1"})));
    let spaces = json!({"spaces": [{"id": "space-1", "name": "Papers"}]});
    fs::write(world.profile_of("mira").join("spaces.json"), spaces.to_string()).unwrap();
    refuses(&world, 4, &world.whole_and(&["--session", "papers"]), "spaces and their projects are not moved");
    Session::numbered(8).with(&json!({"title": "Sort my papers"})).lay_out(&world.profile_of("mira"));
    let named = world.whole_and(&["--session", "Papers"]);
    refuses(&world, 4, &named, "spaces and their projects are not moved");
    let report = world.report(0, &world.whole_and(&["--session", "00000007"]));
    assert!(report["findings"].as_array().unwrap().iter().any(|finding| finding["code"] == "in-a-space"));
}

#[test]
fn a_damaged_sidecar_is_named_and_refused() {
    let world = World::new(Session::numbered(7));
    fs::write(&world.placed.sidecar, "{\"sessionId\": 7}").unwrap();
    refuses(&world, 4, &world.whole(), "whose sidecar cannot be read");
}

#[test]
fn several_profiles_are_listed_and_the_one_with_the_same_ids_is_taken() {
    let world = World::new(Session::numbered(7));
    let sessions = world.base_of("otto").join("local-agent-mode-sessions");
    fs::create_dir_all(sessions.join("aaaaaaaa/bbbbbbbb")).unwrap();
    world.move_it(0, &["--dry-run"]);
    fs::create_dir_all(world.base_of("mira").join("local-agent-mode-sessions/aaaaaaaa/bbbbbbbb")).unwrap();
    refuses(&world, 4, &world.whole(), "expected one profile for --from");
    let profile = world.profile_of("mira").display().to_string();
    let whole = world.whole();
    let named: Vec<String> = ["--from".to_owned(), profile].into_iter().chain(whole[2..].to_vec()).collect();
    world.expect(0, &named);
}

#[test]
fn places_that_are_none_are_refused() {
    let world = World::new(Session::numbered(7));
    let nowhere = world.path().join("nowhere").display().to_string();
    let plain = world.disk().display().to_string();
    let from = world.base_of("mira").display().to_string();
    for (arguments, exit, sentence) in [
        (["--from", &nowhere, "--to", &from], 4, "expected a folder at"),
        (["--from", &plain, "--to", &from], 4, "expected --from to be a profile"),
        (["--from", &from, "--to", &from], 2, "would be moved to where it is"),
    ] {
        refuses(&world, exit, &arguments.map(str::to_owned), sentence);
    }
}

#[test]
fn while_the_application_has_its_files_open_nothing_happens() {
    let world = with_machine();
    let image = world.base_of("mira").join("vm_bundles/claudevm.bundle/sessiondata.vhdx");
    let others = ["mira", "otto"].map(|user| world.profile_of(user).join("held.json"));
    for file in others.iter().chain([&image]) {
        fs::File::options().append(true).create(true).open(file).unwrap();
        let holder = Holder::of(file, "<");
        refuses(&world, 4, &world.whole(), &format!("is in use by sh (process {})", holder.process()));
    }
    world.move_it(0, &["--dry-run"]);
}

#[test]
fn while_the_application_has_a_file_open_its_paths_are_not_rewritten_in_place() {
    let world = World::new(Session::numbered(7));
    let transcript = world.placed.transcript.display().to_string();
    let rewrite = ["rewrite", &transcript, "--map", r"C:\Users\mira=C:\Users\otto"].map(str::to_owned);
    let holder = Holder::of(&world.placed.transcript, ">>");
    refuses(&world, 4, &rewrite, "is in use by sh");
    drop(holder);
    world.expect(0, &rewrite);
    let _holder = Holder::of(&world.placed.transcript, ">>");
    let rewritten = world.tree();
    let refused = world.say(4, &["undo"]);
    assert!(refused.stderr.contains("is in use by sh"), "{}", refused.stderr);
    rewritten.assert_same(&world.tree(), "not undone");
}

#[test]
fn with_strict_nothing_may_still_name_the_old_world() {
    let mut session = Session::numbered(7);
    session.transcript.extend(
        b"{\"t\":\"on D:\\\\Users\\\\mira\\\\x and /sessions/calm-amber-noether-7/mnt/unknown/y\"}\n",
    );
    let world = World::new(session);
    refuses(&world, 5, &world.whole_and(&["--strict"]), "would still name the old world");
    let report = world.report(0, &world.whole());
    assert!(report["items"][0]["rewriting"]["leftovers"]["unmapped-mount"]["count"].as_u64() == Some(1));
}

#[test]
fn folders_are_never_made_on_the_old_machines_disk() {
    let world = World::new(Session::numbered(7));
    let here = world.path().join("new");
    let base = here.join("Users/otto").join(cowork::CLASSIC);
    cowork::profile(&base);
    let from = world.base_of("mira").display().to_string();
    let to = base.display().to_string();
    let [old, new] = [&world.disk(), &here].map(|disk| format!("C:={}", disk.display()));
    let nowhere = format!("C:={}", world.path().join("nowhere").display());
    for (drives, exit, sentence) in [
        (vec![&old], 2, "to lie where --drive says its drive is"),
        (vec![&old, &new], 2, "expected one place for the drive C:"),
        (vec![&nowhere], 4, "expected a folder at"),
    ] {
        let drives = drives.into_iter().flat_map(|drive| ["--drive", drive]);
        let words = ["--from", &from, "--to", &to].into_iter().chain(drives);
        refuses(&world, exit, &words.map(str::to_owned).collect::<Vec<_>>(), sentence);
    }
    world.say(0, &["--from", &from, "--to", &to, "--drive", &new]);
    assert!(here.join("Users/otto/drafts").is_dir() && !world.disk().join("Users/otto/drafts").exists());
}

#[test]
fn copies_of_a_sidecar_never_go_where_they_would_be_loaded_as_sessions() {
    let world = World::new(Session::numbered(7));
    let inside = world.profile_of("otto").join("archive").display().to_string();
    refuses(&world, 2, &world.whole_and(&["--archive", &inside]), "expected --archive outside");
}

#[test]
fn what_a_hint_prints_can_be_typed() {
    let place = tempfile::Builder::new().prefix("a b'").tempdir().unwrap();
    let world = World::in_dir(place, Session::numbered(7));
    let refused = world.move_it(4, &["--session", "nobody"]);
    let command = refused.stderr.split('`').nth(1).unwrap();
    let command = command.replace("@HERE@", world.path().to_str().unwrap());
    let tool = Path::new(env!("CARGO_BIN_EXE_cowork-migrate")).parent().unwrap();
    let listed = Command::new("/bin/sh").arg("-c").arg(&command).env("PATH", tool).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(listed.contains("Sort the drafts"), "{command}: {listed}");
}

#[test]
fn a_place_that_may_not_be_written_to_is_named_before_anything_is_written() {
    let world = World::in_dir(testkit::crash::place(), Session::numbered(7));
    let state = world.path().join("state");
    fs::create_dir(&state).unwrap();
    testkit::crash::hand_over(&world.path());
    let locked = world.profile_of("otto");
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o555)).unwrap();
    let refused = world.tool(&world.whole()).unprivileged().run();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(4), "{said}");
    assert!(said.contains("cannot write to") && said.contains(locked.to_str().unwrap()), "{said}");
    assert!(!world.has_run());
}

#[test]
fn another_machine_is_not_mistaken_for_a_folder() {
    let world = World::new(Session::numbered(7));
    let from = world.base_of("mira").display().to_string();
    let far = "ssh://new/C:/x";
    refuses(&world, 2, &["--from", &from, "--to", far].map(str::to_owned), "expected a path of this machine");
    let words = ["extract", "--vhdx", far, "--session", "7", "--archive", "a"].map(str::to_owned);
    refuses(&world, 2, &words, "over SSH sessions are only read");
}
