//! Claude Code, whose transcripts have to move with their worktree (formats/claude-code.md).

use std::fs;
use std::path::Path;

use super::client::{Client, Installed, Talk, all_it_said};
use super::home::Home;
use super::{GOES_ON, PROMPTS, Stage, was_sent};
use crate::shell::Outcome;

pub(super) struct ClaudeCode;

impl Client for ClaudeCode {
    fn package(&self) -> &'static str {
        "@anthropic-ai/claude-code"
    }

    fn program(&self, platform: &str) -> String {
        format!("@anthropic-ai/claude-code-{platform}/claude")
    }

    fn environment(&self, base_url: &str) -> Vec<(&'static str, String)> {
        let quiet = [
            "DISABLE_TELEMETRY",
            "DISABLE_ERROR_REPORTING",
            "DISABLE_AUTOUPDATER",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC",
        ];
        let stub = [("ANTHROPIC_API_KEY", "dummy".to_owned()), ("ANTHROPIC_BASE_URL", base_url.to_owned())];
        stub.into_iter().chain(quiet.map(|name| (name, "1".to_owned()))).collect()
    }

    fn question(&self, prompt: &str, session: Option<&str>) -> Vec<String> {
        let question = ["-p", prompt, "--output-format", "json"];
        let resume = session.into_iter().flat_map(|session| ["--resume", session]);
        question.into_iter().chain(resume).map(str::to_owned).collect()
    }

    fn session_key(&self) -> &'static str {
        "session_id"
    }
}

/// Begins a session in the legacy worktree, moves it, and resumes it in the rewrite's.
pub(super) fn goes_on_after_the_move(client: &Installed, stage: &Stage) -> Outcome {
    let (home, stub) = (Home::lay_out(stage)?, &stage.stub);
    let talk = client.talk(&home, stub)?;
    let begun = talk.begin(&home.legacy, &PROMPTS)?;
    let session = begun.session.as_str();
    let (old, new) = (home.transcript(&home.legacy, session), home.transcript(&home.rewrite, session));
    let source = read(&old)?;
    home.without(&old, || finds_nothing(&talk, &home.rewrite, session))?;

    home.migrate(session)?;
    let arrived = read(&new)?;
    stub.forget();
    talk.ask(&home.rewrite, GOES_ON, Some(session))?;
    was_sent(stub, &begun.said)?;

    // Newer clients would have found the old transcript too: only a moved one that grew was really taken up.
    if read(&new)?.len() <= arrived.len() {
        return Err(format!("the client went on elsewhere than in {}", new.display()).into());
    }
    if read(&old)? == source { Ok(()) } else { Err("the source was changed".into()) }
}

/// The check of the check: with no transcript to be found, there is nothing to resume.
pub(super) fn finds_nothing(talk: &Talk<'_>, worktree: &Path, session: &str) -> Outcome {
    let output = talk.run(worktree, "is anyone there?", Some(session))?;
    let said = all_it_said(&output);
    if !output.status.success() && said.contains("No conversation found") {
        return Ok(());
    }
    Err(format!("a session without a transcript was resumed: {said}").into())
}

/// A transcript at the place that the slug says; that it is there is half of what the canary shows.
pub(super) fn read(transcript: &Path) -> Outcome<Vec<u8>> {
    fs::read(transcript).map_err(|error| format!("no transcript at {}: {error}", transcript.display()).into())
}
