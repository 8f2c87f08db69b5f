//! A whole move between two profiles.

use std::fs;

use serde_json::json;
use testkit::cowork::Session;

use crate::world::{World, with_machine};

#[test]
fn a_session_arrives_with_its_folders_its_transcript_and_what_its_machine_held() {
    let world = with_machine();
    world.move_it(0, &[]);
    let sidecar = world.sidecar();
    let archive = r"C:\Users\otto\cowork-archive\calm-amber-noether-7";
    assert_eq!(sidecar["userSelectedFolders"], json!([r"C:\Users\otto\drafts", archive]));
    assert_eq!(sidecar["resolvedFolderKinds"][1], json!({"display": archive, "kind": "local"}));
    assert_eq!(sidecar["folderMountNames"], json!({r"C:\Users\otto\drafts": "drafts"}));
    assert_eq!(sidecar["sessionId"], json!(format!("local_{}", world.session.uuid)));
    let transcript = world.new_transcript();
    assert!(transcript.contains(r"Look at C:\\Users\\otto\\drafts\\plan.md"), "{transcript}");
    assert!(transcript.contains(r"\\outputs\\plan.md now."), "{transcript}");
    assert!(!transcript.contains("mira") && !transcript.contains("/sessions/"), "{transcript}");
    assert!(world.disk().join("Users/otto/drafts").is_dir());
    let notes = world.archive().join("calm-amber-noether-7/notes/plan%3F.md");
    assert_eq!(fs::read_to_string(notes).unwrap(), "what only the machine had\n");
    assert!(!world.archive().join("calm-amber-noether-7/.cache").exists());
    assert!(!world.archive().join("other-vm").exists());
}

#[test]
fn what_is_not_rewritten_arrives_byte_for_byte_and_credentials_do_not() {
    let world = with_machine();
    world.move_it(0, &[]);
    for name in ["audit.jsonl", ".audit-key", "outputs/plan.md", "uploads/letter.txt", ".claude/.claude.json"]
    {
        let old = world.placed.directory.join(name);
        assert_eq!(fs::read(&old).unwrap(), fs::read(world.moved(&old)).unwrap(), "{name}");
    }
    for name in [".claude/.credentials.json", ".claude/mcp-needs-auth-cache.json"] {
        assert!(!world.moved(&world.placed.directory.join(name)).exists(), "{name}");
    }
    let result = world.placed.transcript.with_extension("").join("tool-results/result-1.txt");
    assert_eq!(fs::read(&result).unwrap(), fs::read(world.moved(&result)).unwrap());
    let agent = world.placed.transcript.with_extension("").join("subagents/agent-a1.jsonl");
    assert!(fs::read_to_string(world.moved(&agent)).unwrap().contains(r"C:\\Users\\otto\\drafts"));
}

#[test]
fn the_archive_keeps_both_sidecars_and_what_the_machines_names_became() {
    let world = with_machine();
    world.move_it(0, &[]);
    let kept = |what: &str| fs::read(world.archive().join(format!("00000007-{what}.json"))).unwrap();
    assert_eq!(kept("pristine-sidecar"), fs::read(&world.placed.sidecar).unwrap());
    assert_eq!(kept("rewritten-sidecar"), fs::read(world.new_sidecar()).unwrap());
    let extraction: serde_json::Value = serde_json::from_slice(&kept("extraction")).unwrap();
    assert_eq!(extraction["renamed"], json!({"notes/plan?.md": "notes/plan%3F.md"}));
}

#[test]
fn a_compacted_session_loads_whole_in_its_new_home() {
    let mut session = Session::numbered(7);
    let uuid = |number: u32| format!("{number:08x}-0000-4000-8000-000000000000");
    let row = |kind: &str, number: u32| {
        let parent = (number > 1).then(|| uuid(number - 1));
        json!({"type": kind, "uuid": uuid(number), "parentUuid": parent, "isSidechain": false,
            "message": {"role": kind, "content": "at /sessions/calm-amber-noether-7/mnt/drafts"}})
    };
    let boundary = json!({"type": "system", "subtype": "compact_boundary", "uuid": uuid(3), "parentUuid": null,
        "logicalParentUuid": uuid(2), "compactMetadata": {"trigger": "auto"}});
    let after = json!({"type": "user", "uuid": uuid(4), "parentUuid": uuid(3), "message": {"role": "user", "content": "on"}});
    let rows = [row("user", 1), row("assistant", 2), boundary, after].map(|row| format!("{row}\n"));
    session.transcript = rows.concat().into_bytes();
    let world = World::new(session);
    let report = world.report(0, &world.whole());
    let loads = &report["items"][0]["transcripts"][0];
    assert_eq!((&loads["before"]["v1"]["shown"], &loads["after"]["v1"]["shown"]), (&json!(1), &json!(3)));
    assert!(world.new_transcript().contains("preservedSegment"));
    world.say(0, &["verify"]);
}

#[test]
fn what_belongs_to_the_old_machine_stays_there_unless_it_is_asked_for() {
    let members =
        json!({"otelConfig": {"on": true}, "mcpToken": "x", "chromeTabGroupId": 3, "unknown": {"b": 1e0}});
    for (more, kept) in [(&[][..], false), (&["--keep-machine-local"], true)] {
        let world = World::new(Session::numbered(7).with(&members));
        world.move_it(0, more);
        let sidecar = world.sidecar();
        for name in ["otelConfig", "mcpToken", "chromeTabGroupId"] {
            assert_eq!(sidecar.get(name).is_some(), kept, "{name}");
        }
        assert!(sidecar.get("unknown").is_some());
    }
}

#[test]
fn a_folder_that_lies_elsewhere_now_is_said_with_map() {
    let folders = json!({"userSelectedFolders": [r"D:\work\q3", r"C:\Users\mira\drafts"],
        "folderMountNames": {r"D:\work\q3": "q3", r"C:\Users\mira\drafts": "drafts"}});
    let world = World::new(Session::numbered(7).with(&folders));
    world.move_it(0, &["--map", r"D:\work=C:\Users\otto\work"]);
    assert_eq!(world.sidecar()["userSelectedFolders"][0], json!(r"C:\Users\otto\work\q3"));
    assert!(world.disk().join("Users/otto/work/q3").is_dir());
}

#[test]
fn without_drives_nothing_is_made_for_folders_and_that_is_said() {
    let world = World::new(Session::numbered(7));
    let from = world.base_of("mira").display().to_string();
    let to = world.base_of("otto").display().to_string();
    let report = world.report(0, &["--from", &from, "--to", &to].map(str::to_owned));
    assert!(!world.disk().join("Users/otto/drafts").exists());
    let findings = report["items"][0]["findings"].as_array().unwrap();
    assert!(findings.iter().any(|finding| finding["code"] == "folder-unchecked"), "{findings:?}");
    assert_eq!(world.sidecar()["userSelectedFolders"][0], json!(r"C:\Users\otto\drafts"));
}

#[test]
fn a_bundle_is_as_good_as_the_profile_it_was_packed_from() {
    let world = with_machine();
    let out = world.path().join("bundle").display().to_string();
    let from = world.base_of("mira").display().to_string();
    let drive = format!("C:={}", world.disk().display());
    world.say(0, &["pack", "--from", &from, "--out", &out, "--drive", &drive]);
    assert!(world.path().join("bundle/sessiondata.vhdx").is_file());
    let direct = with_machine();
    direct.move_it(0, &[]);
    let to = world.base_of("otto").display().to_string();
    world.say(0, &["--from", &out, "--to", &to, "--drive", &drive]);
    assert_eq!(world.sidecar(), direct.sidecar());
    assert_eq!(world.new_transcript(), direct.new_transcript());
    assert!(world.archive().join("calm-amber-noether-7/notes/plan%3F.md").exists());
}

#[test]
fn a_bundle_put_together_by_hand_is_moved_and_its_account_is_said_to_be_unchecked() {
    let world = World::new(Session::numbered(7));
    let bundle = world.path().join("by-hand");
    Session::numbered(8).lay_out(&bundle);
    let (from, to) = (bundle.display().to_string(), world.base_of("otto").display().to_string());
    let drive = format!("C:={}", world.disk().display());
    let report = world.report(0, &["--from", &from, "--to", &to, "--drive", &drive].map(str::to_owned));
    let codes: Vec<&str> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|finding| finding["code"].as_str())
        .collect();
    assert!(codes.contains(&"account-unchecked"), "{codes:?}");
    let new = world.profile_of("otto").join(format!("local_{}.json", Session::numbered(8).uuid));
    assert!(fs::read_to_string(new).unwrap().contains(r"C:\\Users\\otto\\drafts"));
}

#[test]
fn profiles_with_short_names_are_the_same_profiles() {
    let old = format!(
        r"C:\Users\mira\AppData\Roaming\Claude\local-agent-mode-sessions\{}\{}\local_x\outputs",
        testkit::cowork::ACCOUNT,
        testkit::cowork::PROFILE
    );
    let world = World::new(Session::numbered(7).with(&json!({"cwd": old})));
    let sessions = world.base_of("otto").join("local-agent-mode-sessions");
    fs::remove_dir_all(&sessions).unwrap();
    let profile = sessions.join("1c9f2a77/7be01c52");
    fs::create_dir_all(&profile).unwrap();
    world.move_it(0, &[]);
    let sidecar = fs::read_to_string(profile.join(world.placed.sidecar.file_name().unwrap())).unwrap();
    assert!(
        sidecar.contains(
            r"otto\\AppData\\Roaming\\Claude\\local-agent-mode-sessions\\1c9f2a77\\7be01c52\\local_x"
        ),
        "{sidecar}"
    );
}

#[test]
fn what_is_left_out_is_looked_for_below_the_base() {
    let world = World::new(Session::numbered(7));
    let whole = world.whole();
    world.expect(0, &[&["--base".to_owned(), whole[1].clone()], &whole[2..]].concat());
    world.say(0, &["undo"]);
    world.expect(0, &[&["--base".to_owned(), whole[3].clone()], &whole[..2], &whole[4..]].concat());
    assert!(world.new_sidecar().exists());
}

#[test]
fn a_session_without_a_folder_arrives_without_one() {
    let world = World::new(Session::numbered(7));
    fs::remove_dir_all(&world.placed.directory).unwrap();
    world.move_it(0, &[]);
    assert!(world.new_sidecar().exists() && !world.moved(&world.placed.directory).exists());
}

#[test]
fn what_of_the_machine_cannot_be_read_is_named_and_everything_else_arrives() {
    let world = with_machine();
    world.lay_out_image(&[("calm-amber-noether-7/bad.md", "lost"), ("calm-amber-noether-7/good.md", "kept")]);
    world.damage("calm-amber-noether-7/bad.md");
    let report = world.report(3, &world.whole());
    let bad = "/calm-amber-noether-7/bad.md";
    let item = report["items"].as_array().unwrap().iter().find(|item| item["id"] == bad).unwrap();
    assert_eq!((&item["bucket"], &item["reason"]), (&json!("quarantined"), &json!("unreadable")));
    assert_eq!(report["summary"]["quarantined"], 1);
    assert_eq!(report["items"][0]["bucket"], "migrated");
    let staging = world.archive().join("calm-amber-noether-7");
    assert_eq!(fs::read_to_string(staging.join("good.md")).unwrap(), "kept");
    assert!(!staging.join("bad.md").exists());
    assert!(world.new_sidecar().is_file());
    world.say(0, &["verify"]);
}

#[test]
fn a_machine_whose_home_cannot_be_read_keeps_no_session_from_moving() {
    let world = with_machine();
    world.damage("calm-amber-noether-7");
    let report = world.report(3, &world.whole());
    let home = "/calm-amber-noether-7";
    let item = report["items"].as_array().unwrap().iter().find(|item| item["id"] == home).unwrap();
    assert_eq!((&item["bucket"], &item["reason"]), (&json!("quarantined"), &json!("unreadable")));
    let codes: Vec<_> = report["findings"].as_array().unwrap().iter().map(|it| &it["code"]).collect();
    assert!(!codes.contains(&&json!("nothing-to-extract")), "that would be a lie: {codes:?}");
    assert!(world.new_sidecar().is_file());
    world.say(0, &["verify"]);
}
