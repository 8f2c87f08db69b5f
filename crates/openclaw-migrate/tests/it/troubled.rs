//! A workspace with every trouble that there is.

use std::os::unix::ffi::OsStrExt as _;
use std::process::Command;

use serde_json::{Value, json};

use crate::world::World;

/// The workspace, beside what the application wrote and what an older tool made of some sessions.
pub(crate) fn workspace() -> World {
    let world = World::of("older-run");
    world.lay_out("app");
    lay_out_more(&world);
    world
}

/// The same without what an older tool made.
pub(crate) fn workspace_without_older_run() -> World {
    let world = World::of("app");
    lay_out_more(&world);
    world
}

fn lay_out_more(world: &World) {
    map(world);
    keys(world);
    times(world);
    messages(world);
    metadata(world);
    unreadable(world);
    no_sessions(world);
}

/// A session with one message, as the application writes it.
pub(crate) fn session(id: &str, metadata: &Value) -> Value {
    json!({"session_id": id, "messages": [message(&json!({"content": format!("hello from {id}")}))], "metadata": metadata,
        "created_at": "2026-01-06T08:00:00+00:00", "updated_at": "2026-01-06T08:00:09.123456+00:00"})
}

/// A message as the application writes it, but for these fields.
fn message(but: &Value) -> Value {
    let mut message = json!({"role": "user", "content": "", "timestamp": "2026-01-06T08:00:01", "tool_calls": null,
        "tool_call_id": null, "name": null, "images": null});
    message.as_object_mut().unwrap().extend(but.as_object().unwrap().clone());
    message
}

fn put(world: &World, id: &str, session: &Value) {
    world.put(&format!("{id}.json"), serde_json::to_string_pretty(session).unwrap());
}

/// A session whose file says this, but for its id.
fn put_text(world: &World, id: &str, messages: &str) {
    world.put(
        &format!("{id}.json"),
        format!(
            r#"{{"session_id": "{id}", "messages": {messages}, "updated_at": "2026-01-06T08:00:09+00:00"}}"#
        ),
    );
}

fn map(world: &World) {
    let path = world.sessions().join("session_map.json");
    let mut map: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    map["agent:main:dm:two-names"] = json!("two-names");
    map["agent:main:shared"] = json!("explicit-two");
    map["agent:main:discord:channel:beds"] = json!("other-key");
    world.put("session_map.json", map.to_string());
}

fn keys(world: &World) {
    for id in ["collides-a", "collides-b"] {
        put(world, id, &session(id, &json!({})));
    }
    for id in ["explicit-one", "explicit-two"] {
        put(world, id, &session(id, &json!({"session_key": "agent:main:shared"})));
    }
    put(world, "two-names", &session("two-names", &json!({"session_key": "agent:main:dm:own"})));
    put(world, "other-id", &session("not-the-name-of-the-file", &json!({})));
    put(world, "ünï cödé €", &session("ünï cödé €", &json!({"label": "naïve €"})));
}

fn times(world: &World) {
    let mut naive = session("naive-times", &json!({}));
    naive["updated_at"] = json!("2026-01-06 08:00");
    naive["messages"] = json!([
        {"role": "user", "content": "no time"},
        message(&json!({"timestamp": null})),
        message(&json!({"timestamp": "2026-01-06T07:00:00+02:00"})),
        message(&json!({"timestamp": "2026-01-06T08:00:02.5Z"})),
        message(&json!({"timestamp": "yesterday"})),
    ]);
    put(world, "naive-times", &naive);
    put(
        world,
        "no-times",
        &json!({"session_id": "no-times", "messages": [{"role": "user", "content": "when?"}]}),
    );
    let mut numbers = session("number-times", &json!({}));
    numbers["created_at"] = json!(1_770_811_200);
    numbers["updated_at"] = json!(1_770_811_200_999_i64);
    numbers["messages"] = json!([message(&json!({"timestamp": 1_770_811_200.5})), {"content": "filled"}]);
    put(world, "number-times", &numbers);
}

fn messages(world: &World) {
    let mut contents = session("contents", &json!({}));
    contents["messages"] = json!([
        message(&json!({"content": [{"type": "text", "text": "in a list"}, {"type": "image", "url": "x"}]})),
        message(&json!({"content": null})),
        message(&json!({"content": 7})),
        message(&json!({"content": []})),
        {},
    ]);
    put(world, "contents", &contents);
    let call = |arguments: Value| json!({"id": "c", "type": "function", "function": {"name": "f", "arguments": arguments}});
    let mut tools = session("tools", &json!({}));
    tools["messages"] = json!([
        message(
            &json!({"role": "assistant", "content": "", "tool_calls": [call(json!("{\"a\": [1, 2]}")), call(json!("no JSON")),
            call(json!({"b": 1})), {"id": "odd"}, 7]})
        ),
        message(&json!({"role": "tool", "content": "done", "tool_call_id": "c", "name": "f"})),
        message(&json!({"role": "assistant", "tool_calls": "none", "name": "somebody", "images": ["a.png"]})),
    ]);
    put(world, "tools", &tools);
    put_text(
        world,
        "spellings",
        r#"[{"role": "user", "content": "\ud83d alone, \u00e9 and é", "n": [1.0, 1e3, 123456789012345678901234567890, -0.0], "reaction": {"by": ["ada"]}}]"#,
    );
    let lines = "\u{85}\u{2028}\u{2029}\u{7f}";
    put_text(world, "lines", &format!(r#"[{{"role": "user", "content": "a{lines}b\u000b\u001c\n"}}]"#));
    put_text(world, "no-messages", "[]");
    put_text(world, "null-messages", "null");
    world.put("repeated.json", concat!(
        r#"{"session_id": "repeated", "messages": [{"role": "user", "content": "first"}], "metadata": {"label": "a", "label": "b"},"#,
        r#""messages": [{"role": "user", "role": "assistant", "content": "last"}], "updated_at": "2026-01-06T08:00:09Z"}"#));
    world.put("byte-order-mark.json", format!("\u{feff}{}", session("byte-order-mark", &json!({}))));
    let mut many = session("many", &json!({}));
    many["messages"] = (0..10_000).map(|number| message(&json!({"content": number.to_string()}))).collect();
    put(world, "many", &many);
}

fn metadata(world: &World) {
    let wrong = json!({"label": 7, "display_name": null, "send_policy": "sometimes", "system_sent": true, "total_tokens": 12,
        "origin": {"label": "x"}, "session_file": "elsewhere.jsonl", "session_key": ""});
    put(world, "wrong-types", &session("wrong-types", &wrong));
    put(world, "null-metadata", &session("null-metadata", &Value::Null));
}

fn unreadable(world: &World) {
    put_text(world, "bad-nan", r#"[{"content": NaN}]"#);
    world.put("bad-utf8.json", b"{\"session_id\": \"bad-utf8\", \"metadata\": {\"label\": \"\xff\"}}");
    world.put("bad-empty.json", "");
    world.put("bad-end.json", "{\"session_id\": \"bad-end\",\n \"messages\": [{\"role\"");
    world.put("bad-syntax.json", "{\"session_id\": \"bad-syntax\", messages: []}");
    world.put("bad-rest.json", "{\"session_id\": \"bad-rest\", \"messages\": []}\n}");
    world.put("bad-list.json", "[]");
    put_text(world, "bad-messages", "{}");
    put_text(world, "bad-message", r#"[{"role": "user"}, "a text"]"#);
    put(world, "bad-metadata", &session("bad-metadata", &json!([])));
    std::os::unix::fs::symlink("bad-rest.json", world.sessions().join("bad-link.json")).unwrap();
    let pipe = world.sessions().join("bad-pipe.json");
    assert!(Command::new("mkfifo").arg(pipe).status().unwrap().success());
    let name = std::ffi::OsStr::from_bytes(b"bad-name-\xff.json");
    std::fs::write(world.sessions().join(name), session("bad-name", &json!({})).to_string()).unwrap();
}

fn no_sessions(world: &World) {
    std::fs::create_dir(world.sessions().join("folder.json")).unwrap();
    world.put(".hidden.json", "{}");
    world.put("settings.json", "{\"theme\": \"dark\"}");
    world.put("store.json", "{\"agent:main:x\": {\"session_id\": \"x\", \"updated_at\": 1}}");
    world.put("notes.txt", "not ours");
}
