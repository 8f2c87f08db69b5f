//! Recorded exchanges: what an agent of ours answers to the byte, what is made of these very bytes at the other end,
//! and how an original agent is worked with (exchanges/*).

use std::fs;
use std::io::{self, BufReader, Cursor, Read};
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use session_control::{
    Containers, Holder, HostError, Local, LocalHost, Pong, Profile, RemoteHost, Request, SessionHost,
    SessionId, Wishes, serve_rpc,
};
use session_model::Timestamp;

use crate::exercise::answered;
use crate::scripted::Scripted;

const FILES: [(&str, &str); 4] = [
    ("looking", include_str!("exchanges/looking.txt")),
    ("refusals", include_str!("exchanges/refusals.txt")),
    ("changing", include_str!("exchanges/changing.txt")),
    ("cloning", include_str!("exchanges/cloning.txt")),
];

fn then() -> Timestamp {
    "2026-03-02T17:05:00Z".parse().unwrap()
}

/// The host that the exchanges speak of.
pub(crate) fn host(folder: &Path) -> LocalHost {
    let base = folder.join("base");
    let session = |uuid: &str, document: &str| {
        fs::create_dir_all(base.join(uuid)).unwrap();
        fs::write(base.join(uuid).join("session.json"), document).unwrap();
    };
    session(
        "3f0c1d2e-5b6a-4c7d-8e9f-0a1b2c3d4e5f",
        r#"{"uuid": "3f0c1d2e-5b6a-4c7d-8e9f-0a1b2c3d4e5f", "name": "billing refactor",
        "created_at": "2026-02-11T08:15:30.5Z", "last_accessed": "2026-03-02T17:00:00Z",
        "port": 8080, "protocol": "tcp", "dns_name": "billing", "later": [1]}"#,
    );
    session(
        "9a8b7c6d-1e2f-4a3b-8c4d-5e6f7a8b9c0d",
        r#"{"uuid": "9a8b7c6d-1e2f-4a3b-8c4d-5e6f7a8b9c0d", "name": "<old> & notes",
        "created_at": "2025-11-20T00:00:00Z", "last_accessed": "2025-12-01T00:00:00Z"}"#,
    );
    session("c0ffee00-0000-4000-8000-000000000000", r#"{"port": "8080"}"#);
    fs::write(base.join("9a8b7c6d-1e2f-4a3b-8c4d-5e6f7a8b9c0d.lock"), "x").unwrap();
    let nowhere = folder.join("no engine");
    let containers = Containers { program: nowhere.clone(), socket: nowhere, ..Containers::default() };
    LocalHost::new(Local {
        id: "k7m2p9x4qwzt".to_owned(),
        containers,
        now: then,
        ..Local::new(base, Profile::CONVOCATE)
    })
}

pub(crate) fn pong() -> Pong {
    Pong::ours("k7m2p9x4qwzt", "1.2.3", then())
}

fn served(host: &mut LocalHost, question: &[u8]) -> String {
    let mut answer = Vec::new();
    serve_rpc(host, &pong(), &mut Cursor::new(question), &mut answer).unwrap();
    String::from_utf8(answer).unwrap()
}

/// Questions and answers, in turn.
fn pairs(text: &str) -> Vec<(String, String)> {
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let pair = |pair: &[&str]| {
        let [asked, said] = pair else { panic!("a question without an answer: {pair:?}") };
        (asked.strip_prefix("-> ").unwrap().to_owned(), said.strip_prefix("<- ").unwrap().to_owned())
    };
    lines.chunks(2).map(pair).collect()
}

#[test]
fn every_answer_is_to_the_byte_what_was_recorded() {
    for (file, text) in FILES {
        let folder = tempfile::tempdir().unwrap();
        let mut host = host(folder.path());
        let mut made = None;
        for (asked, said) in pairs(text) {
            let known = |text: &str| text.replace("<new>", made.as_deref().unwrap_or("<new>"));
            let base = folder.path().join("base").display().to_string();
            let (asked, said) = (known(&asked), known(&said).replace("<base>", &base));
            let answer = served(&mut host, format!("{asked}\n").as_bytes());
            if let Some(at) = said.find("<new>") {
                made = answer.get(at..at + 36).map(str::to_owned);
            }
            let said = said.replace("<new>", made.as_deref().unwrap_or("<new>"));
            assert_eq!(answer, format!("{said}\n"), "{file}: {asked}");
        }
    }
}

#[test]
fn what_was_recorded_is_asked_and_understood_to_the_byte() {
    let (mut asked_so, new) = (Vec::new(), "d0d0d0d0-0000-4000-8000-000000000000");
    for (file, text) in FILES {
        for (asked, said) in pairs(&text.replace("<new>", new)) {
            let Ok(request) = Request::parse(asked.as_bytes()) else { continue };
            if request.to_line() != format!("{asked}\n") {
                continue; // what nobody of ours says
            }
            asked_so.push(request.op());
            let answer: Value = serde_json::from_str(&said).unwrap();
            if invalid_here(&request) || matches!(request, Request::SettingsGet | Request::SettingsSet) {
                continue; // not sent at all
            }
            let mut host = ours();
            host.1.expect(&format!("{asked}\n"), &format!("{said}\n"));
            let came = done(&mut host.0, &request);
            match came {
                Ok(result) => {
                    let mut told = json!({"ok": true, "result": result});
                    let findings = host.0.findings();
                    if !findings.is_empty() {
                        told["findings"] = json!(findings);
                    }
                    assert_eq!(told, answer, "{file}: {asked}");
                }
                Err(error) => {
                    let words = answer["error"].as_str().unwrap();
                    assert_eq!(error.to_string(), format!("agent op {:?}: {words}", request.op()), "{file}");
                }
            }
            host.1.is_over();
        }
    }
    for op in [
        "ping",
        "list",
        "get",
        "create",
        "edit",
        "clone",
        "delete",
        "kill",
        "background",
        "override",
        "settings-get",
        "settings-set",
    ] {
        assert!(asked_so.contains(&op), "{op} was never recorded");
    }
}

/// An agent of ours that has been called before.
fn ours() -> (RemoteHost, Scripted) {
    let script = Scripted::default();
    let mut host = RemoteHost::new("k7m2p9x4qwzt".to_owned(), Box::new(script.clone()));
    script.expect(
        &Request::Ping.to_line(),
        &format!("{}\n", json!({"ok": true, "result": serde_json::to_value(pong()).unwrap()})),
    );
    assert!(host.ping().unwrap().is_ours());
    (host, script)
}

fn invalid_here(request: &Request) -> bool {
    match request {
        Request::Create(wishes) | Request::Edit(_, wishes) => {
            session_control::valid_name(&wishes.name).is_err()
                || session_control::valid_port(wishes.port).is_err()
                || session_control::valid_protocol(&wishes.protocol).is_ok_and(|it| it != wishes.protocol)
                || session_control::valid_protocol(&wishes.protocol).is_err()
                || session_control::valid_dns_name(&wishes.dns_name).is_ok_and(|it| it != wishes.dns_name)
        }
        Request::Clone { name, .. } => session_control::valid_name(name).is_err(),
        _ => false,
    }
}

fn done(host: &mut RemoteHost, request: &Request) -> Result<Value, HostError> {
    let nothing = |()| json!({});
    let told = |session| serde_json::to_value::<session_control::Session>(session).unwrap();
    match request {
        Request::Ping => host.ping().map(|pong| serde_json::to_value(pong).unwrap()),
        Request::List => host.list().map(|sessions| json!(sessions)),
        Request::Get(id) => host.get(id).map(told),
        Request::Create(wishes) => host.create(wishes).map(told),
        Request::Edit(id, wishes) => host.edit(id, wishes).map(told),
        Request::Clone { source, name } => host.duplicate(source, name).map(told),
        Request::Delete(id) => host.delete(id).map(nothing),
        Request::Kill(id) => host.kill(id).map(nothing),
        Request::Background(id) => host.background(id).map(nothing),
        Request::Override { id, holder } => host.unlock(id, *holder).map(nothing),
        Request::Restart(id) => host.restart(id).map(nothing),
        Request::SettingsGet | Request::SettingsSet => Ok(json!({})),
    }
}

#[test]
fn an_original_agent_is_worked_with_so_that_nobody_sees_a_difference() {
    converses(include_str!("exchanges/originals.conversation"));
}

#[test]
fn an_agent_of_ours_is_left_to_do_itself_what_it_can() {
    converses(include_str!("exchanges/ours.conversation"));
}

/// What is wanted, what is said for it, and what comes of it.
fn converses(text: &str) {
    let script = Scripted::default();
    let mut host = RemoteHost::new("k7m2p9x4qwzt".to_owned(), Box::new(script.clone()));
    let (mut wanted, mut asked) = ("", "");
    for line in text.lines() {
        match line.split_once(' ') {
            Some(("!", words)) => wanted = words,
            Some(("->", line)) => asked = line,
            Some(("<-", line)) => script.expect(&format!("{asked}\n"), &format!("{line}\n")),
            Some(("<~", line)) => script.expect(&format!("{asked}\n"), line),
            Some(("=", outcome)) => {
                let came = match done(&mut host, &request(wanted)) {
                    Ok(done) if done == json!({}) => "done".to_owned(),
                    Ok(told) => told.to_string(),
                    Err(error) => error.to_string(),
                };
                let outcome = serde_json::from_str::<Value>(outcome)
                    .map_or_else(|_| outcome.to_owned(), |outcome| outcome.to_string());
                assert_eq!(came, outcome, "{wanted}");
                script.is_over();
            }
            _ => assert!(line.starts_with('#'), "{line}"),
        }
    }
}

fn request(wanted: &str) -> Request {
    let mut words = wanted.splitn(3, ' ');
    let (verb, id, rest) = (words.next().unwrap(), words.next(), words.next().unwrap_or_default());
    let id = || -> SessionId { id.unwrap().parse().unwrap() };
    match verb {
        "list" => Request::List,
        "delete" => Request::Delete(id()),
        "kill" => Request::Kill(id()),
        "background" => Request::Background(id()),
        "restart" => Request::Restart(id()),
        "clone" => Request::Clone { source: id(), name: rest.to_owned() },
        "edit" => Request::Edit(id(), serde_json::from_str::<Wishes>(rest).unwrap()),
        "unlock" => {
            let holder = match rest {
                "" => Holder::Nobody,
                "force" => Holder::Anybody,
                pid => Holder::Process(pid.parse().unwrap()),
            };
            Request::Override { id: id(), holder }
        }
        other => panic!("nobody can {other}"),
    }
}

#[test]
fn a_question_that_does_not_end_is_not_read_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let mut host = host(folder.path());
    let mut long = Cursor::new(vec![b' '; 3 << 20]);
    let mut answer = Vec::new();
    serve_rpc(&mut host, &pong(), &mut long, &mut answer).unwrap();
    assert_eq!(
        String::from_utf8(answer).unwrap(),
        "{\"ok\":false,\"error\":\"malformed request: the line is longer than 1 MiB\"}\n"
    );
    assert!(long.position() <= (1 << 20) + 1, "{} bytes were read", long.position());
    let question = Request::List.to_line();
    let most = format!("{}{question}", " ".repeat((1 << 20) - question.len()));
    assert!(served(&mut host, most.as_bytes()).starts_with("{\"ok\":true"));
}

/// Somebody who opens a channel, and asks later.
struct Late {
    question: Cursor<String>,
    asked: Option<Instant>,
}

impl Read for Late {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.asked.get_or_insert_with(Instant::now);
        self.question.read(buffer)
    }
}

#[test]
fn whoever_asks_late_is_not_answered_as_if_the_engine_were_silent() {
    let question = Cursor::new(Request::List.to_line());
    let mut late = BufReader::new(Late { question, asked: None });
    let (_, until) = answered(&mut late);
    let asked = late.get_ref().asked.unwrap();
    assert!(until.unwrap() >= asked + Duration::from_secs(7), "its time went while nothing was asked");
}

#[test]
fn a_question_is_answered_once_with_a_line_end_or_without_and_what_follows_is_not_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let mut host = host(folder.path());
    let question = "{\"op\":\"settings-get\"}";
    for asked in [question.to_owned(), format!("{question}\r\n"), format!("{question}\n{question}\n")] {
        assert_eq!(served(&mut host, asked.as_bytes()), "{\"ok\":true,\"result\":{}}\n", "{asked:?}");
    }
    // A text that is none becomes one, as in the original.
    let odd = served(&mut host, b"{\"op\":\"\xe2\x82\"}");
    assert_eq!(odd, "{\"ok\":false,\"error\":\"unknown op: \\\"\u{fffd}\u{fffd}\\\"\"}\n");
    assert!(served(&mut host, b"").starts_with("{\"ok\":false,\"error\":\"malformed request: "));
    let lists_none = served(&mut empty(folder.path()), b"{\"op\":\"list\"}\n");
    assert_eq!(lists_none, "{\"ok\":true,\"result\":null}\n");
}

fn empty(folder: &Path) -> LocalHost {
    let base = folder.join("empty");
    fs::create_dir_all(&base).unwrap();
    let nowhere = folder.join("no engine");
    let containers = Containers { program: nowhere.clone(), socket: nowhere, ..Containers::default() };
    LocalHost::new(Local { containers, ..Local::new(base, Profile::CONVOCATE) })
}
