//! Each step by itself.

use std::fs;
use std::io::Write;

use cowork_migrate::{CoworkMigrate, Options, Verb};
use migration_cli::{Ask, Mode, Prepared, Surroundings, Tool};
use migration_engine::{Bucket, Cx, NoProgress, Run, RunId, StateRoot, TargetLocks};
use serde_json::{Value, json};
use testkit::cowork::Session;
use testkit::tree::Tree;

use crate::world::{World, with_machine};

#[test]
fn every_session_is_listed_one_that_cannot_be_read_too() {
    let world = with_machine();
    fs::write(world.profile_of("mira").join("local_broken.json"), "{").unwrap();
    let from = world.base_of("mira").display().to_string();
    let report = world.report(0, &["inventory", "--from", &from].map(str::to_owned));
    let items = report["items"].as_array().unwrap();
    assert_eq!(items.len(), 2);
    assert_eq!(items[0]["vm"], "calm-amber-noether-7");
    assert_eq!(items[0]["folders"][0], r"C:\Users\mira\drafts");
    assert!(items[0]["bytes"].as_u64().unwrap() > 0);
    assert_eq!(items[1]["findings"][0]["code"], "parse-error");
}

#[test]
fn the_machines_files_are_extracted_alone_with_caches_if_asked_for() {
    let world = with_machine();
    let image =
        world.base_of("mira").join("vm_bundles/claudevm.bundle/sessiondata.vhdx").display().to_string();
    for (all, name) in [(false, "some"), (true, "all")] {
        let archive = world.path().join(name).display().to_string();
        let mut words =
            vec!["extract", "--vhdx", &image, "--session", "calm-amber-noether-7", "--archive", &archive];
        words.extend(all.then_some("--all"));
        world.say(0, &words);
        let home = world.path().join(name).join("calm-amber-noether-7");
        assert!(home.join("notes/plan%3F.md").is_file());
        assert_eq!(home.join(".cache/x").is_file(), all);
        assert!(world.say(0, &words).stdout.contains("nothing left to do"));
        world.say(0, &["undo"]);
        assert!(!home.exists());
    }
}

#[test]
fn nothing_to_extract_is_normal() {
    let world = with_machine();
    let image =
        world.base_of("mira").join("vm_bundles/claudevm.bundle/sessiondata.vhdx").display().to_string();
    let archive = world.path().join("archive").display().to_string();
    let said = world.say(0, &["extract", "--vhdx", &image, "--session", "no-such-vm", "--archive", &archive]);
    assert!(said.stdout.contains("holds nothing of /no-such-vm"), "{}", said.stdout);
    assert!(!world.path().join("archive").exists());
}

#[test]
fn paths_are_rewritten_in_place_and_back() {
    let world = with_machine();
    let before = world.tree();
    let map = r"C:\Users\mira=C:\Users\otto";
    let folder = world.placed.directory.display().to_string();
    world.say(0, &["rewrite", &folder, "--map", map]);
    let sidecar = fs::read_to_string(&world.placed.sidecar).unwrap();
    assert!(sidecar.contains(r"C:\\Users\\otto\\drafts") && !sidecar.contains("mira"), "{sidecar}");
    assert!(fs::read_to_string(&world.placed.transcript).unwrap().contains(r"C:\\Users\\otto\\drafts"));
    world.say(0, &["undo"]);
    before.assert_same(&world.tree(), "undone");
}

#[test]
fn what_was_rewritten_in_the_old_home_is_not_rewritten_again() {
    let world = with_machine();
    let folder = world.placed.directory.display().to_string();
    let drive = format!("C:={}", world.disk().display());
    let rewrite = ["rewrite", &folder, "--drive", &drive, "--map", r"C:\Users\mira=C:\Users\otto"];
    world.say(0, &rewrite);
    let (before, state) = (world.tree(), Tree::of(&world.path().join("state")));
    let report = world.report(0, &rewrite.map(str::to_owned));
    assert_eq!((&report["run"], &report["summary"]["migrated"]), (&Value::Null, &json!(0)));
    before.assert_same(&world.tree(), "after the second run");
    state.assert_same(&Tree::of(&world.path().join("state")), "after the second run");
}

#[test]
fn a_long_transcript_is_rewritten_with_none_of_it_in_the_plan_and_what_is_set_aside_never_travels() {
    let world = with_machine();
    let line = "{\"cwd\":\"C:\\\\Users\\\\mira\\\\x\",\"said\":\"Look at C:\\\\Users\\\\mira\\\\plan.md\"}\n";
    fs::write(&world.placed.transcript, line.repeat(20_000)).unwrap();
    let folder = world.placed.directory.display().to_string();
    let rewrite = ["rewrite", &folder, "--map", r"C:\Users\mira=C:\Users\otto"];
    world.say(0, &rewrite);
    let run = fs::read_dir(world.path().join("state/runs")).unwrap().next().unwrap().unwrap().path();
    let plan = fs::metadata(run.join("plan.jsonl")).unwrap().len();
    assert!(plan < 32 << 10, "{plan} bytes of plan for {} of transcript", line.len() * 20_000);
    let out = world.path().join("bundle");
    let from = world.base_of("mira").display().to_string();
    world.say(0, &["pack", "--from", &from, "--out", out.to_str().unwrap()]);
    let slug = world.placed.transcript.parent().unwrap();
    let packed = out.join(slug.strip_prefix(world.placed.directory.parent().unwrap()).unwrap());
    let stashes = |folder: &std::path::Path| {
        let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        names.filter(|name| name.to_string_lossy().ends_with(".stash")).count()
    };
    assert_eq!((stashes(slug), stashes(&packed)), (1, 0));
}

#[test]
fn one_file_is_rewritten_alone_and_an_empty_mapping_is_no_run() {
    let world = with_machine();
    let lone = world.path().join("lone.jsonl");
    let text = "{\"cwd\":\"C:\\\\Users\\\\mira\\\\x\"}\r\nnot json C:\\Users\\mira\r\n{\"n\":1.0}";
    fs::write(&lone, text).unwrap();
    let name = lone.display().to_string();
    world.say(2, &["rewrite", &name]);
    world.say(5, &["rewrite", &name, "--map", r"C:\Users\mira=C:\Users\otto", "--strict"]);
    assert_eq!(fs::read_to_string(&lone).unwrap(), text);
    world.say(0, &["rewrite", &name, "--map", r"C:\Users\mira=C:\Users\otto"]);
    assert_eq!(
        fs::read_to_string(&lone).unwrap(),
        "{\"cwd\":\"C:\\\\Users\\\\otto\\\\x\"}\r\nnot json C:\\Users\\mira\r\n{\"n\":1.0}"
    );
}

#[test]
fn a_sealed_log_is_never_rewritten() {
    let world = with_machine();
    let log = world.placed.directory.join("audit.jsonl").display().to_string();
    let refused = world.say(4, &["rewrite", &log, "--map", r"C:\a=C:\b"]);
    assert!(refused.stderr.contains("sealed"), "{}", refused.stderr);
}

#[test]
fn a_bundle_is_packed_without_credentials_and_taken_back() {
    let world = with_machine();
    let before = world.tree();
    let from = world.base_of("mira").display().to_string();
    let out = world.path().join("bundle");
    let pack = ["pack", "--from", &from, "--out", out.to_str().unwrap()];
    let packed = world.report(0, &pack.map(str::to_owned));
    assert_eq!(packed["sums"]["disk images"]["migrated"], 1, "the image is counted");
    assert_eq!(packed["findings"][0]["code"], "image-whole", "that it holds other sessions too is said");
    let folder = out.join(world.placed.directory.file_name().unwrap());
    assert!(folder.join("audit.jsonl").is_file() && !folder.join(".claude/.credentials.json").exists());
    assert!(world.say(0, &pack).stdout.contains("nothing left to do"));
    before.assert_same(&world.tree(), "packed: the source is only read");
    world.say(0, &["undo"]);
    assert!(!out.exists());
}

#[test]
fn a_machine_without_the_application_has_no_sessions_and_says_so() {
    let world = World::new(Session::numbered(7));
    let said = world.say(0, &["inventory"]);
    assert!(said.stdout.contains("never run on this machine"), "{}{}", said.stdout, said.stderr);
    let report = world.report(0, &["inventory".to_owned()]);
    assert_eq!((&report["items"], &report["findings"][0]["code"]), (&json!([]), &json!("no-base")));
    let nowhere = world.path().join("nowhere").display().to_string();
    for option in ["--base", "--from"] {
        let refused = world.say(4, &["inventory", option, &nowhere]);
        assert!(refused.stderr.contains(&world.redacted(&nowhere)), "{}", refused.stderr);
    }
}

#[test]
fn one_bad_file_never_leaves_a_session_half_rewritten() {
    let world = with_machine();
    let root = StateRoot::at(world.path().join("state"));
    let paths = vec![camino::Utf8PathBuf::from_path_buf(world.placed.directory.clone()).unwrap()];
    let options =
        Options { map: vec![r"C:\Users\mira=C:\Users\otto".parse().unwrap()], ..Options::default() };
    let here = Surroundings { cwd: world.path(), ..Surroundings::of_process().unwrap() };
    let cx = Cx { stop: here.stop.flag(), progress: &NoProgress, now: here.now };
    let ask = Ask { options: &options, verb: Some(&Verb::Rewrite { paths }), root: &root, json: false };
    let Prepared { plan, worlds } = CoworkMigrate.prepare(ask, Mode::Apply, &here, &cx).unwrap();
    let files = plan.tasks().count();
    assert!(files > 2, "{files}");

    let mut transcript = fs::File::options().append(true).open(&world.placed.transcript).unwrap();
    transcript.write_all(b"{}\n").unwrap(); // after the plan was made
    drop(transcript);
    let before = world.tree();
    let locks = TargetLocks::take(&[]).unwrap();
    let run = Run::create(&root, RunId::new((here.now)(), 0), plan, locks, (here.now)()).unwrap();
    let receipt = run.apply(&worlds, 1, &cx).unwrap();
    before.assert_same(&world.tree(), "one file had changed");
    let arrived = receipt.items.iter().filter(|(_, outcome)| outcome.bucket == Bucket::Migrated);
    assert_eq!(arrived.count(), 0);
}
