//! A program that lives with a store: it sees every session, changes what it means to change, and keeps the rest.

use std::convert::Infallible;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, SystemTime};

use serde_json::json;
use session_model::Timestamp;
use session_store::{
    AgentId, CachedStore, ChangeError, Entries, Filter, Format, Held, LoadError, NewEntry, Patience, STORE,
    Session, Store, UpdateError,
};
use tempfile::{TempDir, tempdir};
use testkit::tree::Tree;

static GO: AtomicBool = AtomicBool::new(false);

const MIXED: &str = r#"{
  "agent:main:telegram:dm:u9": {"session_id": "one", "updated_at": 300, "label": "lone \ud83d", "odd": {"a":1.0}},
  "agent:ops:main": {"sessionId": "two", "updatedAt": 200, "sessionFile": "other.jsonl", "channel": "irc"},
  "agent:main:bad": {"session_id": "three", "updated_at": "soon"},
  "agent:main:worse": 7,
  "agent:main:main": {"session_id": "four", "updated_at": 100},
  "agent:main:main": {"session_id": "five", "updated_at": 400, "last_channel": "irc"}
}
"#;

fn store(text: &str) -> (TempDir, Store) {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join(STORE), text).unwrap();
    let store = Store::open(folder.path(), Format::Python);
    (folder, store)
}

fn update<T>(
    store: &Store,
    change: impl FnOnce(&mut Entries) -> Result<T, ChangeError>,
) -> Result<T, UpdateError<ChangeError>> {
    store.update(&Patience::default(), &GO, change)
}

fn ids(sessions: &[Session]) -> Vec<&str> {
    sessions.iter().map(|session| session.id.as_str()).collect()
}

#[test]
fn one_bad_entry_costs_no_other_and_either_spelling_is_read() {
    let (folder, store) = store(MIXED);
    let loaded = store.load().unwrap();
    assert_eq!(ids(&loaded.sessions), ["one", "two", "five"]);
    let codes: Vec<_> = loaded.findings.iter().map(|finding| finding.code.as_str()).collect();
    assert_eq!(codes, ["repeated-key", "bad-entry", "bad-entry"]);
    let [one, two, _] = &loaded.sessions[..] else { panic!("three") };
    assert_eq!(one.transcript, folder.path().join("one.jsonl"), "where readers guess it");
    assert_eq!(two.transcript, folder.path().join("other.jsonl"));
    assert_eq!(
        (one.text("label").as_deref(), one.member("odd")),
        (Some("lone \u{fffd}"), Some(r#"{"a":1.0}"#))
    );
    assert_eq!(two.text("session_file").as_deref(), Some("other.jsonl"), "by one name in either spelling");

    let nothing = Store::open(folder.path().join("nowhere"), Format::OpenClaw).load().unwrap();
    assert!(nothing.sessions.is_empty() && nothing.findings.is_empty());
    fs::write(store.path(), "{\n \"a\": {").unwrap();
    let error = store.load().unwrap_err();
    assert!(
        matches!(error, LoadError::Unreadable { .. }) && error.to_string().contains("line 2, column"),
        "{error}"
    );
}

#[test]
fn a_list_is_what_was_asked_for_newest_first_and_opens_no_transcript() {
    let (_folder, store) = store(MIXED);
    let list = |filter: &Filter| -> Vec<String> {
        store.list(filter).unwrap().sessions.into_iter().map(|session| session.id).collect()
    };
    assert_eq!(list(&Filter::default()), ["five", "one", "two"]);
    let agent = Some(AgentId::parse("main").unwrap());
    assert_eq!(list(&Filter { agent: agent.clone(), ..Filter::default() }), ["five", "one"]);
    assert_eq!(list(&Filter { channel: Some("irc".into()), ..Filter::default() }), ["five", "two"]);
    assert_eq!(list(&Filter { channel: Some("telegram".into()), ..Filter::default() }), ["one"]);
    assert_eq!(list(&Filter { agent, updated_since: Some(400), ..Filter::default() }), ["five"]);
}

#[test]
fn an_update_keeps_what_nobody_knows_and_all_other_bytes() {
    let (folder, store) = store(MIXED);
    update(&store, |entries| {
        entries.set("agent:main:telegram:dm:u9", "label", &json!("Gärten"))?;
        entries.set("agent:main:telegram:dm:u9", "theirs", &json!([1]))?;
        entries.unset("agent:main:main", "last_channel")
    })
    .unwrap();
    let expected = MIXED
        .replace(r#""label": "lone \ud83d""#, "\"label\": \"Gärten\"")
        .replace(r#"{"a":1.0}}"#, "{\"a\":1.0},\"theirs\": [1]}")
        .replace(r#", "last_channel": "irc""#, "");
    assert_eq!(fs::read_to_string(store.path()).unwrap(), expected);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "neither a lock nor anything else is left");
}

#[test]
fn a_new_store_is_read_by_python_field_by_field() {
    for format in [Format::Python, Format::OpenClaw] {
        let folder = tempdir().unwrap();
        let store = Store::open(folder.path().join("deep/sessions"), format);
        let metadata = Some(r#"{"display_name": "Ga\u0308rten"}"#);
        let entry = NewEntry { session_id: "s", updated_at: 5, session_file: "s.jsonl", metadata };
        update(&store, |entries| {
            entries.insert("agent:main:main", &entry)?;
            entries.set("agent:main:main", "queue_cap", &json!(3))
        })
        .unwrap();
        let script = "import json, sys; print(json.dumps(json.load(open(sys.argv[1])), sort_keys=True))";
        let python = Command::new("python3").args(["-c", script]).arg(store.path()).output().unwrap();
        let mut expected = serde_json::Map::new();
        for (name, value) in [
            ("display_name", json!("Ga\u{308}rten")),
            ("queue_cap", json!(3)),
            ("session_file", json!("s.jsonl")),
            ("session_id", json!("s")),
            ("updated_at", json!(5)),
        ] {
            expected.insert(format.spelled(name).into_owned(), value);
        }
        let read: serde_json::Value = serde_json::from_slice(&python.stdout).unwrap();
        assert_eq!(read, json!({ "agent:main:main": expected }));
    }
}

#[test]
fn nothing_is_written_if_nothing_is_changed_or_a_reader_would_lose_the_store_over_it() {
    let (folder, store) = store(MIXED);
    let tree = Tree::of(folder.path());
    let key = "agent:main:main";
    update(&store, |entries| entries.set(key, "updated_at", &json!(400))).unwrap();
    tree.assert_same(&Tree::of(folder.path()), "the same value");
    for (field, value) in [("label", json!(7)), ("send_policy", json!("maybe")), ("updated_at", json!(1.5))] {
        let refused = update(&store, |entries| entries.set(key, field, &value));
        assert!(matches!(refused, Err(UpdateError::Refused(ChangeError::WrongType { .. }))), "{field}");
    }
    let refused = update(&store, |entries| entries.unset(key, "session_id"));
    assert!(matches!(refused, Err(UpdateError::Refused(ChangeError::Required("session_id")))));
    let refused = update(&store, |entries| entries.set("nobody", "label", &json!("x")));
    assert!(matches!(refused, Err(UpdateError::Refused(ChangeError::Edit(_)))));
    tree.assert_same(&Tree::of(folder.path()), "refused");
}

#[test]
fn updates_of_many_programs_are_all_there() {
    let (_folder, store) = store("{}");
    let patience = Patience { poll: Duration::from_micros(50), ..Patience::default() };
    std::thread::scope(|scope| {
        for program in 0..4 {
            let (store, patience) = (&store, &patience);
            scope.spawn(move || {
                for number in 0..20 {
                    let id = format!("{program}-{number}");
                    let entry =
                        NewEntry { session_id: &id, updated_at: 1, session_file: "x.jsonl", metadata: None };
                    store.update(patience, &GO, |entries| entries.insert(&id, &entry)).unwrap();
                }
            });
        }
    });
    assert_eq!(store.load().unwrap().sessions.len(), 80);
}

#[test]
fn a_store_that_is_in_use_or_damaged_or_written_meanwhile_is_left_alone() {
    let (folder, store) = store(MIXED);
    let held = Held::take(folder.path(), &Patience::default(), &GO).unwrap();
    let at_once = Patience { limit: Duration::ZERO, ..Patience::default() };
    let nothing = |_: &mut Entries| Ok::<_, Infallible>(());
    assert!(matches!(store.update(&at_once, &GO, nothing), Err(UpdateError::Locked(_))));
    drop(held);

    let rude = MIXED.replace("400", "401");
    let written = update(&store, |entries| {
        fs::write(store.path(), &rude).unwrap();
        entries.set("agent:main:main", "label", &json!("x"))
    });
    assert!(matches!(written, Err(UpdateError::ChangedMeanwhile(_))));
    assert_eq!(fs::read_to_string(store.path()).unwrap(), rude);

    fs::write(store.path(), "{\"a\": ").unwrap();
    assert!(matches!(store.update(&at_once, &GO, nothing), Err(UpdateError::Load(_))));
    assert_eq!(fs::read(store.path()).unwrap(), b"{\"a\": ");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[cfg(unix)]
#[test]
fn an_update_keeps_the_mode_and_always_looks_newer() {
    use std::os::unix::fs::PermissionsExt;
    let (_folder, store) = store(MIXED);
    fs::set_permissions(store.path(), fs::Permissions::from_mode(0o640)).unwrap();
    for label in 0..20 {
        let before = fs::metadata(store.path()).unwrap().modified().unwrap();
        update(&store, |entries| entries.set("agent:main:main", "label", &json!(label.to_string()))).unwrap();
        let after = fs::metadata(store.path()).unwrap();
        assert_ne!(after.modified().unwrap(), before, "a reader that looks at the time would miss it");
        assert_eq!(after.permissions().mode() & 0o777, 0o640);
    }
}

#[test]
fn what_is_kept_is_read_again_when_it_is_old_or_the_file_looks_different() {
    let (_folder, store) = store(r#"{"k": {"session_id": "a", "updated_at": 1}}"#);
    let long_ago = SystemTime::now() - Duration::from_hours(1);
    let write = |text: &str, at: SystemTime| {
        fs::write(store.path(), text).unwrap();
        fs::File::options().write(true).open(store.path()).unwrap().set_modified(at).unwrap();
    };
    write(r#"{"k": {"session_id": "a", "updated_at": 1}}"#, long_ago);
    let mut cached = CachedStore::new(store.clone(), CachedStore::LIFETIME);
    let mut id = |seconds: i64| {
        let now = Timestamp::from_second(1_000_000 + seconds).unwrap();
        cached.load(now).unwrap().sessions[0].id.clone()
    };
    assert_eq!(id(0), "a");
    write(r#"{"k": {"session_id": "b", "updated_at": 1}}"#, long_ago);
    assert_eq!(id(44), "a", "it looks the same");
    assert_eq!(id(45), "b", "it is old");
    write(r#"{"k": {"session_id": "c", "updated_at": 1}}"#, long_ago + Duration::from_millis(1));
    assert_eq!(id(46), "c", "another time");
    write(r#"{"k": {"session_id": "long", "updated_at": 1}}"#, long_ago + Duration::from_millis(1));
    assert_eq!(id(47), "long", "another size");
    write(r#"{"k": {"session_id": "back", "updated_at": 1}}"#, long_ago + Duration::from_millis(1));
    assert_eq!(id(-100), "back", "a clock that went back tells no age");
}

const PYTHON: &str = concat!(
    "{\"role\": \"user\", \"content\": \"first\", \"timestamp\": \"2026-01-02T15:00:01\"}\n",
    "{\"role\": \"tool\", \"content\": null, \"name\": \"almanac\"}\n",
    "not json\n",
    "{\"role\": \"assistant\", \"content\": \"l\\ud83d\\u00e4st\", \"tool_calls\": null}\n",
);

const OPENCLAW: &str = concat!(
    "{\"type\":\"session\",\"version\":3,\"id\":\"one\"}\n",
    "{\"type\":\"message\",\"id\":\"0\",\"timestamp\":\"T1\",\"message\":{\"role\":\"user\",\"content\":[",
    "{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"toolCall\",\"text\":\"no\"},{\"type\":\"text\",\"text\":\"b\"}]}}\n",
    "{\"type\":\"compaction\",\"id\":\"1\"}\n",
    "\n",
    "{\"type\":\"message\",\"id\":\"2\",\"message\":{\"role\":\"assistant\",\"content\":\"plain\"}}\n",
);

fn preview(folder: &Path, transcript: &str, last: usize) -> (Vec<(String, String)>, Vec<String>) {
    fs::write(folder.join("five.jsonl"), transcript).unwrap();
    let store = Store::open(folder, Format::Python);
    let session = store.load().unwrap().sessions.pop().unwrap();
    let preview = store.preview(&session, last).unwrap();
    let messages = preview.messages.into_iter().map(|message| (message.role, message.text)).collect();
    (messages, preview.findings.into_iter().map(|finding| finding.code).collect())
}

#[test]
fn a_preview_shows_the_last_messages_of_either_shape() {
    let (folder, _store) = store(MIXED);
    let said = |role: &str, text: &str| (role.to_owned(), text.to_owned());
    let last = said("assistant", "l\u{fffd}äst");
    assert_eq!(preview(folder.path(), PYTHON, 1), (vec![last.clone()], vec![]));
    let all = vec![said("user", "first"), said("tool", ""), last];
    assert_eq!(preview(folder.path(), PYTHON, 9), (all, vec!["bad-line".to_owned()]));
    let all = vec![said("user", "a\nb"), said("assistant", "plain")];
    assert_eq!(preview(folder.path(), OPENCLAW, 9), (all.clone(), vec![]));
    let torn = OPENCLAW.to_owned() + "{\"type\":\"mess";
    assert_eq!(preview(folder.path(), &torn, 2), (all, vec!["torn-line".to_owned()]));
    assert_eq!(preview(folder.path(), "", 9), (vec![], vec![]));
    assert_eq!(preview(folder.path(), PYTHON, 0), (vec![], vec![]));
}

#[test]
fn a_session_without_a_transcript_says_so() {
    let (_folder, store) = store(MIXED);
    let session = store.load().unwrap().sessions.pop().unwrap();
    let preview = store.preview(&session, 5).unwrap();
    assert_eq!((preview.messages.len(), preview.findings[0].code.as_str()), (0, "transcript-missing"));
}

/// Of a transcript as long as a disk only its end is read.
#[cfg(target_os = "linux")]
#[test]
fn a_preview_of_a_huge_transcript_reads_no_more_than_its_end() {
    let (folder, store) = store(MIXED);
    let session = store.load().unwrap().sessions.pop().unwrap();
    let file = fs::File::create(folder.path().join("five.jsonl")).unwrap();
    file.set_len(1 << 40).unwrap();
    let end = format!("\n{}", PYTHON.lines().last().unwrap());
    std::os::unix::fs::FileExt::write_all_at(&file, end.as_bytes(), 1 << 40).unwrap();
    let preview = store.preview(&session, 1).unwrap();
    assert_eq!(preview.messages.len(), 1);
}
