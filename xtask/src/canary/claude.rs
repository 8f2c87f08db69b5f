//! Claude Code: a genuine session is begun in a legacy worktree, moved, and resumed (formats/claude-code.md).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use testkit::model_server::{ModelServer, Request};

use super::home::Home;
use super::{Verdict, npm};
use crate::shell::{self, Outcome};

const PROMPTS: [&str; 3] = ["first question", "second question: naïve 😀", "third question"];

/// Resumes a moved session in an ordinary place, in one with a cut slug, and in one of odd characters.
pub(super) fn check() -> Outcome<Verdict> {
    let modules = match npm::install("@anthropic-ai/claude-code")? {
        Ok(modules) => modules,
        Err(reason) => return Ok(Verdict::Skipped(reason)),
    };
    let binary = modules.join("@anthropic-ai/claude-code-linux-x64/claude");
    let version = shell::capture(Command::new(&binary).arg("--version"))?;
    println!("canary: Claude Code {}", String::from_utf8_lossy(&version.stdout).trim());

    let long = format!("long/{}/{}", "l".repeat(120), "m".repeat(120));
    for folder in ["plain", &long, "a b.c_d/日本語/x😀y/café"] {
        goes_on_after_the_move(&binary, folder).map_err(|error| format!("below `{folder}`: {error}"))?;
        println!("canary:   below `{folder}`: the whole history was sent");
    }
    Ok(Verdict::Passed)
}

fn goes_on_after_the_move(binary: &Path, folder: &str) -> Outcome {
    let temp = tempfile::tempdir()?;
    let stub = ModelServer::start()?;
    let home = Home::lay_out(temp.path(), folder)?;
    let claude = Claude { binary, home: &home.home, stub: &stub };

    let session = claude.begin(&home.legacy)?;
    let (old, new) = (home.transcript(&home.legacy, &session), home.transcript(&home.rewrite, &session));
    let said = texts_of_transcript(&old)?;
    let before = fs::read(&old)?;
    home.without(&old, || claude.finds_nothing(&home.rewrite, &session))?;

    home.migrate(&session)?;
    let arrived = fs::metadata(&new)?.len();
    stub.forget();
    claude.ask(&home.rewrite, "and on it goes", Some(&session))?;
    was_sent(&stub, &said, "and on it goes")?;
    // Newer clients would also have found the old transcript: only a moved one that grew was really taken up.
    if fs::metadata(&new)?.len() <= arrived {
        return Err(format!("the client went on elsewhere than in {}", new.display()).into());
    }
    if fs::read(&old)? == before { Ok(()) } else { Err("the source was changed".into()) }
}

/// The client as installed, in a home of its own, talking to the stub.
struct Claude<'a> {
    binary: &'a Path,
    home: &'a Path,
    stub: &'a ModelServer,
}

impl Claude<'_> {
    /// Holds a conversation of several turns and gives its id.
    fn begin(&self, worktree: &Path) -> Outcome<String> {
        let first = self.ask(worktree, PROMPTS[0], None)?;
        let session = first["session_id"].as_str().ok_or("the client named no session")?.to_owned();
        for prompt in &PROMPTS[1..] {
            self.ask(worktree, prompt, Some(&session))?;
        }
        Ok(session)
    }

    /// The check of the check: with no transcript to be found, there is nothing to resume.
    fn finds_nothing(&self, worktree: &Path, session: &str) -> Outcome {
        let output = self.run(worktree, "is anyone there?", Some(session))?;
        let said = String::from_utf8_lossy(&output.stderr) + String::from_utf8_lossy(&output.stdout);
        if output.status.success() || !said.contains("No conversation found") {
            return Err(format!("a session without a transcript was resumed: {said}").into());
        }
        Ok(())
    }

    fn ask(&self, worktree: &Path, prompt: &str, resume: Option<&str>) -> Outcome<Value> {
        let output = self.run(worktree, prompt, resume)?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
            return Err(format!("the client ended with {}: {said}", output.status).into());
        }
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    fn run(&self, worktree: &Path, prompt: &str, resume: Option<&str>) -> Outcome<Output> {
        let mut command = Command::new("timeout");
        command.arg("120").arg(self.binary).args(["-p", prompt, "--output-format", "json"]);
        command.args(resume.iter().flat_map(|session| ["--resume", session]));
        command.current_dir(worktree).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", self.home);
        command.env("ANTHROPIC_API_KEY", "dummy").env("ANTHROPIC_BASE_URL", self.stub.base_url());
        for quiet in [
            "DISABLE_TELEMETRY",
            "DISABLE_ERROR_REPORTING",
            "DISABLE_AUTOUPDATER",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC",
        ] {
            command.env(quiet, "1");
        }
        shell::capture(&mut command)
    }
}

/// Every text that user and assistant said, in order, as the client itself recorded it.
fn texts_of_transcript(transcript: &PathBuf) -> Outcome<Vec<String>> {
    let lines = fs::read_to_string(transcript)
        .map_err(|error| format!("no transcript where the slug says, {}: {error}", transcript.display()))?;
    let records = lines.lines().map(serde_json::from_str::<Value>).collect::<Result<Vec<_>, _>>()?;
    let turns =
        records.into_iter().filter(|record| record["type"] == "user" || record["type"] == "assistant");
    let messages = Value::from_iter(turns.map(|record| record["message"].clone()));
    let texts = testkit::model_server::texts_of_messages(&messages);
    if texts.len() < 2 * PROMPTS.len() {
        return Err(format!("{} texts in the transcript of {} turns", texts.len(), PROMPTS.len()).into());
    }
    Ok(texts)
}

/// The proof: the question that went on with the session carried every earlier text, in order.
fn was_sent(stub: &ModelServer, said: &[String], question: &str) -> Outcome {
    let requests = stub.requests();
    let asked = requests.iter().filter(|request| request.asks_model()).map(Request::texts);
    let sent = asked.filter(|texts| texts.iter().any(|text| text == question)).last();
    let sent = sent.ok_or("the stub was never sent the question")?;
    let mut rest = sent.iter();
    let missing = said.iter().find(|&text| !rest.any(|sent| sent == text));
    match missing {
        None => Ok(()),
        Some(text) => Err(format!("the client did not send {text:?} in its place; it sent {sent:?}").into()),
    }
}
