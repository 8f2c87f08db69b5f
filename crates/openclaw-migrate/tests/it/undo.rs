//! A migration taken back.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};
use testkit::tree::Tree;

use crate::troubled;
use crate::world::World;

#[test]
fn an_undo_leaves_the_workspace_as_it_was() {
    for (more, word) in [
        (&["--format", "python"][..], "undo"),
        (&["--no-backup"], "rollback"),
        (&["--remove-originals"], "rollback"),
    ] {
        let world = troubled::workspace();
        let odd = world.sessions().join("tools.json");
        fs::set_permissions(odd, fs::Permissions::from_mode(0o440)).unwrap();
        let before = world.tree();
        world.migrate(3, more);
        assert!(!before.difference(&world.tree()).is_empty());
        world.say(0, &[word]);
        before.assert_same(&world.tree(), &format!("{more:?}"));
    }
}

#[test]
fn an_undo_of_openclaws_own_format_leaves_the_workspace_as_it_was() {
    for more in [&["--format", "openclaw"][..], &["--format", "openclaw", "--remove-originals"]] {
        let world = troubled::workspace_without_older_run();
        let before = world.tree();
        world.migrate(3, more);
        assert!(world.agent().join("sessions.json").exists());
        assert!(!world.sessions().join("sessions.json").exists());
        world.say(0, &["verify"]);
        world.say(0, &["undo"]);
        before.assert_same(&world.tree(), &format!("{more:?}"));
    }
}

#[test]
fn the_backup_is_kept_if_one_says_so() {
    let world = World::of("app");
    let before = Tree::of(&world.sessions());
    world.migrate(0, &["--remove-originals"]);
    let backup = Tree::of(&world.sessions().join("backup_old_format"));
    world.say(0, &["rollback", "--keep-backup"]);
    backup.assert_same(&Tree::of(&world.sessions().join("backup_old_format")), "the backup");
    before.assert_same(&Tree::of(&world.sessions()).without(&["backup_old_format"]), "all else");
}

#[test]
fn the_only_copy_of_a_session_is_never_removed() {
    const NAME: &str = "0b7f6c1e-3a52-4d0e-9c55-7d1f2e6a9b10.json";
    for edited in [None, Some("{}")] {
        let world = World::of("app");
        world.migrate(0, &[]);
        let (original, copy) =
            (world.sessions().join(NAME), world.sessions().join("backup_old_format").join(NAME));
        let held = fs::read(&copy).unwrap();
        match edited {
            None => fs::remove_file(&original).unwrap(),
            Some(text) => fs::write(&original, text).unwrap(),
        }
        let before = world.tree();
        let refused = world.say(4, &["undo"]);
        assert!(refused.stderr.contains("its copy is the only one"), "{}", refused.stderr);
        before.assert_same(&world.tree(), "refused");
        world.say(3, &["undo", "--keep-changed"]);
        assert_eq!(fs::read(&copy).unwrap(), held);
        assert!(!world.sessions().join("sessions.json").exists());
    }
}

#[test]
fn only_what_has_arrived_and_has_its_copy_is_removed() {
    let world = World::of("app");
    let old: Vec<String> = Tree::of(&world.sessions()).names();
    world.migrate(0, &["--remove-originals"]);
    let now = Tree::of(&world.sessions()).names();
    assert!(!old.iter().any(|name| now.contains(name)), "{now:?}");
    assert_eq!(old, Tree::of(&world.sessions().join("backup_old_format")).names());
    world.say(0, &["verify"]);
    world.migrate(0, &["--remove-originals"]);

    let world = troubled::workspace();
    world.migrate(3, &["--remove-originals"]);
    let left = Tree::of(&world.sessions()).names();
    let is_left = |name: &str| left.iter().any(|left| left == name);
    let troubled = ["bad-end.json", "bad-pipe.json", "strayed.json", "reworded.json", "session_map.json"];
    let others = ["settings.json", "folder.json", "gone-on.json", "compacted.json"];
    assert!(troubled.into_iter().chain(others).all(is_left), "{left:?}");
    assert!(!["tools.json", "as-it-was.json", "collides-b.json"].into_iter().any(is_left), "{left:?}");
}

#[test]
fn without_a_backup_there_is_none() {
    let world = World::of("app");
    let told = world.migrate(0, &["--no-backup"]);
    assert!(!world.sessions().join("backup_old_format").exists());
    assert!(!told.stdout.contains("Backup location"), "{}", told.stdout);
}

#[test]
fn what_has_been_said_since_is_never_taken_back_unasked() {
    for name in ["0b7f6c1e-3a52-4d0e-9c55-7d1f2e6a9b10.jsonl", "sessions.json"] {
        let world = World::of("app");
        let before = world.tree();
        world.migrate(0, &["--remove-originals"]);
        let changed = world.sessions().join(name);
        fs::File::options().append(true).open(&changed).unwrap().write_all(b"{}\n").unwrap();
        let drifted = world.tree();
        let refused = world.say(4, &["undo"]);
        assert!(refused.stderr.contains(name), "{}", refused.stderr);
        drifted.assert_same(&world.tree(), name);
        let told = world.say(0, &["undo", "--set-aside"]).stdout;
        assert!(told.contains(name), "{told}");
        before.assert_same(&world.tree(), name);
    }
}

#[test]
fn an_original_whose_copy_was_damaged_is_not_claimed_to_be_restored() {
    let world = World::of("app");
    world.migrate(0, &["--remove-originals"]);
    let copy = world.sessions().join("backup_old_format/9e2f4b6d-1c3a-4e5f-a7b8-c9d0e1f2a3b4.json");
    fs::write(copy, "{}").unwrap();
    let before = world.tree();
    for way in [&["undo"][..], &["undo", "--set-aside"]] {
        let refused = world.say(4, way).stderr;
        assert!(refused.contains("is gone or has changed") && !refused.contains("--set-aside"), "{refused}");
        before.assert_same(&world.tree(), "refused");
    }
    world.say(5, &["verify"]);
}

#[test]
fn an_undo_takes_only_its_own_entries_out_of_a_store_that_others_write_to() {
    let world = World::of("app");
    let theirs = "{\n    \"theirs\": {\n        \"session_id\": \"t\",\n        \"updated_at\": 7\n    }";
    world.put("sessions.json", format!("{theirs}\n}}\n"));
    world.migrate(0, &[]);
    let store = fs::read_to_string(world.sessions().join("sessions.json")).unwrap();
    assert!(store.contains("\n        \"session_id\": \"0b7f6c1e"), "indented as theirs: {store}");
    let later = ",\n    \"later\": {\"session_id\": \"l\", \"updated_at\": 8}\n}\n";
    world.put(
        "sessions.json",
        store.replace("\n}\n", later).replace("\"updated_at\": 7", "\"updated_at\": 9"),
    );
    world.say(0, &["undo"]);
    let left = fs::read_to_string(world.sessions().join("sessions.json")).unwrap();
    assert_eq!(left, theirs.replace('7', "9") + later);
}

#[test]
fn an_undo_that_keeps_what_has_changed_leaves_no_entry_that_leads_to_nothing() {
    for format in ["python", "openclaw"] {
        let world = World::of("app");
        world.migrate(0, &["--remove-originals", "--format", format]);
        let (folder, id, file, time) = match format {
            "python" => (world.sessions(), "session_id", "session_file", "updated_at"),
            _ => (world.agent(), "sessionId", "sessionFile", "updatedAt"),
        };
        let path = folder.join("sessions.json");
        let read = || -> Value { serde_json::from_slice(&fs::read(&path).unwrap()).unwrap() };
        let mut store = read();
        let used = "agent:main:telegram:dm:ada";
        store[used][time] = json!(4_000_000_000_000_i64);
        store["theirs"] = json!({id: "t", time: 1});
        let renamed = store.as_object_mut().unwrap().remove("agent:main:4c1d90aa").unwrap();
        store["renamed"] = renamed;
        fs::write(&path, store.to_string()).unwrap();
        let before = world.tree();
        let refused = world.say(4, &["undo"]);
        assert!(refused.stderr.contains(used), "{}", refused.stderr);
        before.assert_same(&world.tree(), "refused");

        world.say(3, &["undo", "--keep-changed"]);
        let left = read();
        let mut keys: Vec<&String> = left.as_object().unwrap().keys().collect();
        keys.sort();
        assert_eq!(keys, [used, "renamed", "theirs"]);
        for key in [used, "renamed"] {
            assert_eq!(left[key], store[key]);
            assert!(folder.join(left[key][file].as_str().unwrap()).is_file(), "{key} leads to nothing");
        }
        let transcripts = fs::read_dir(&folder)
            .unwrap()
            .filter(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|end| end == "jsonl"));
        assert_eq!(transcripts.count(), 2, "what nobody has used is taken back");
        world.assert_tidy(format);
    }
}
