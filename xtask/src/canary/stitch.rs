//! What a stitch does to a session that goes on: a viewer shows more, and the model is sent what it was sent before.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use testkit::model_server::{ModelServer, Request};

use super::client::{Installed, Talk, all_it_said};
use super::home::Home;
use super::{GOES_ON, PROMPTS, Stage};
use crate::shell::{self, Outcome};

const LATER: &str = "a question after the compaction";
const SUMMARY: &str = "This is the summary of what was said before.";

/// A session that the client made, then given a compaction, then stitched.
pub(super) fn sends_the_same(client: &Installed, stage: &Stage) -> Outcome {
    let (home, stub) = (&Home::lay_out(stage)?, &stage.stub);
    let talk = client.talk(home, stub)?;
    let begun = talk.begin(&home.legacy, &PROMPTS)?;
    let transcript = home.transcript(&home.legacy, &begun.session);
    compact(&transcript)?;
    talk.ask(&home.legacy, LATER, Some(&begun.session))?;
    let session = Session { talk, home, stub, id: begun.session, transcript };
    let tool = Stitch { program: shell::built("cowork-stitch", &[])?, state: home.user.join("state") };

    let before = session.sent()?;
    if before.iter().any(|text| text.contains(&begun.said[0])) {
        return Err("the compaction hides nothing, so a stitch would show nothing".into());
    }
    let bytes = fs::read(&session.transcript)?;
    tool.run(&["--target", "both"], &session.transcript)?;
    tool.run(&["check"], &session.transcript)?;
    must_be_equal("after the stitch", &before, &session.sent()?)?;
    tool.run(&["unstitch"], &session.transcript)?;
    if fs::read(&session.transcript)? != bytes {
        return Err("unstitch did not bring back every byte".into());
    }
    must_be_equal("after the unstitch", &before, &session.sent()?)?;

    tool.run(&["--anchor"], &session.transcript)?;
    let all = session.sent()?;
    let mut rest = all.iter();
    match begun.said.iter().find(|&text| !rest.any(|sent| sent.contains(text))) {
        None => Ok(()),
        Some(text) => Err(format!("with an anchor, {text:?} was not sent; sent was {all:?}").into()),
    }
}

/// A session that can be asked to go on again and again from the same point.
struct Session<'a> {
    talk: Talk<'a>,
    home: &'a Home,
    stub: &'a ModelServer,
    id: String,
    transcript: PathBuf,
}

impl Session<'_> {
    /// What the model is sent when the session goes on; the transcript is then as it was.
    fn sent(&self) -> Outcome<Vec<String>> {
        let kept = fs::read(&self.transcript)?;
        self.stub.forget();
        self.talk.ask(&self.home.legacy, GOES_ON, Some(&self.id))?;
        fs::write(&self.transcript, kept)?;
        let requests = self.stub.requests();
        let mut asked = requests.iter().filter(|request| request.asks_model()).map(Request::texts);
        let sent = asked.rfind(|texts| texts.iter().any(|text| text.contains(GOES_ON)));
        sent.ok_or_else(|| "the stub was never sent the question that goes on".into())
    }
}

/// The built tool, with runs of its own.
struct Stitch {
    program: PathBuf,
    state: PathBuf,
}

impl Stitch {
    fn run(&self, words: &[&str], transcript: &Path) -> Outcome {
        let mut command = Command::new(&self.program);
        command.args(words).arg(transcript).arg("--state-dir").arg(&self.state);
        let output = shell::capture(&mut command)?;
        if output.status.success() {
            return Ok(());
        }
        Err(format!("cowork-stitch {words:?} ended with {}: {}", output.status, all_it_said(&output)).into())
    }
}

/// Appends what the client writes when it compacts: a boundary that has no parent, and the summary.
fn compact(transcript: &Path) -> Outcome {
    let text = fs::read_to_string(transcript)?;
    let mut rows = text.lines().rev().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let last = rows.find(|row| row["uuid"].is_string()).ok_or("a transcript without rows")?;
    let (boundary, summary) =
        ("5b8f7c1e-0001-4000-8000-000000000001", "5b8f7c1e-0002-4000-8000-000000000002");
    let mut row = json!({
        "isSidechain": false, "userType": last["userType"], "cwd": last["cwd"], "sessionId": last["sessionId"],
        "version": last["version"], "gitBranch": last["gitBranch"], "timestamp": last["timestamp"],
    });
    let members = row.as_object_mut().expect("because it was just written so");
    let with = |own: Value| {
        let mut members = members.clone();
        members.extend(own.as_object().cloned().unwrap_or_default());
        Value::Object(members)
    };
    let rows = [
        with(json!({
            "parentUuid": null, "logicalParentUuid": last["uuid"], "type": "system", "uuid": boundary,
            "subtype": "compact_boundary", "content": "Conversation compacted", "isMeta": false, "level": "info",
            "compactMetadata": {"trigger": "auto", "preTokens": 1000},
        })),
        with(json!({
            "parentUuid": boundary, "type": "user", "uuid": summary, "isCompactSummary": true,
            "isVisibleInTranscriptOnly": true, "message": {"role": "user", "content": SUMMARY},
        })),
    ];
    let mut file = fs::OpenOptions::new().append(true).open(transcript)?;
    for row in rows {
        writeln!(file, "{row}")?;
    }
    Ok(())
}

/// The same texts in the same order, but for what the client makes anew each time.
fn must_be_equal(when: &str, before: &[String], now: &[String]) -> Outcome {
    if before == now {
        return Ok(());
    }
    Err(format!("{when} the model is sent something else: {now:?} instead of {before:?}").into())
}
