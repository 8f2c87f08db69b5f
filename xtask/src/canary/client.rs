//! What a client has to say about itself, and talking with one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use testkit::model_server::ModelServer;

use crate::shell::{self, Outcome};

/// How one client is installed, pointed at the stub, and asked.
pub(super) trait Client {
    /// Its name at npm.
    fn package(&self) -> &'static str;
    /// Its program, below `node_modules`, on a platform as npm spells it (`linux-x64`).
    fn program(&self, platform: &str) -> String;
    /// Its configuration: a file below the home and what to write into it. Nothing for most.
    fn configuration(&self, _base_url: &str) -> Option<(&'static str, String)> {
        None
    }
    /// The environment that points it at the stub and keeps it from calling anyone else.
    fn environment(&self, base_url: &str) -> Vec<(&'static str, String)>;
    /// The arguments that ask one question, of a session begun before if one is named.
    fn question(&self, prompt: &str, session: Option<&str>) -> Vec<String>;
    /// The key under which its JSON output names the session.
    fn session_key(&self) -> &'static str;
}

/// Where a client lives.
pub(super) trait Place {
    /// Its home, as it is seen from outside.
    fn home(&self) -> &Path;
    /// A program, started in a folder, with that home and no environment besides.
    fn start(&self, program: &Path, folder: &Path) -> Command;
}

/// A client that npm gave and that runs on this machine.
pub(super) struct Installed {
    pub(super) client: &'static dyn Client,
    pub(super) program: PathBuf,
    pub(super) version: String,
}

/// A client at home, with the stub to talk to.
pub(super) struct Talk<'a> {
    installed: &'a Installed,
    place: &'a dyn Place,
    base_url: String,
}

/// A session with some turns: its id, and what both sides said, in order.
pub(super) struct Begun {
    pub(super) session: String,
    pub(super) said: Vec<String>,
}

impl Installed {
    /// Settles the client there.
    pub(super) fn talk<'a>(&'a self, place: &'a dyn Place, stub: &ModelServer) -> Outcome<Talk<'a>> {
        let base_url = stub.base_url();
        if let Some((file, content)) = self.client.configuration(&base_url) {
            let file = place.home().join(file);
            fs::create_dir_all(file.parent().expect("a configuration stands in a folder"))?;
            fs::write(file, content)?;
        }
        Ok(Talk { installed: self, place, base_url })
    }
}

impl Talk<'_> {
    /// Holds a conversation in a worktree.
    pub(super) fn begin(&self, worktree: &Path, prompts: &[&str]) -> Outcome<Begun> {
        let mut begun: Option<Begun> = None;
        for prompt in prompts {
            let session = begun.as_ref().map(|begun| begun.session.as_str());
            let output = self.ask(worktree, prompt, session)?;
            let turn = [(*prompt).to_owned(), answer_in(&output)?];
            match &mut begun {
                Some(begun) => begun.said.extend(turn),
                None => begun = Some(Begun { session: self.session_in(&output)?, said: turn.into() }),
            }
        }
        begun.ok_or_else(|| "a session without a prompt is none".into())
    }

    /// Asks one question and gives the client's output.
    pub(super) fn ask(&self, worktree: &Path, prompt: &str, session: Option<&str>) -> Outcome<String> {
        let output = self.run(worktree, prompt, session)?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        Err(format!("the client ended with {}: {}", output.status, all_it_said(&output)).into())
    }

    /// Asks one question, however that ends.
    pub(super) fn run(&self, worktree: &Path, prompt: &str, session: Option<&str>) -> Outcome<Output> {
        let Installed { client, program, .. } = self.installed;
        let mut command = self.place.start(program, worktree);
        command.args(client.question(prompt, session)).envs(client.environment(&self.base_url));
        command.stdin(Stdio::null());
        shell::capture(&mut command)
    }

    fn session_in(&self, output: &str) -> Outcome<String> {
        let key = self.installed.client.session_key();
        let events = output.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let mut named = events.filter_map(|event| event[key].as_str().map(str::to_owned));
        named.next().ok_or_else(|| format!("the client named no session: {output}").into())
    }
}

/// A minute for a program, in a clean environment.
///
/// `OpenCode`, asked from another directory than the session's, sends the history and then waits for ever; and a client
/// at work on something in the background may not heed the signal that asks it to end.
pub(super) fn a_minute_for(program: &Path) -> Command {
    let mut command = Command::new("timeout");
    command.args(["--kill-after=5", "60"]).arg(program);
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command
}

/// All that a client said, on both streams.
pub(super) fn all_it_said(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|said| String::from_utf8_lossy(said).trim().to_owned()).join("\n")
}

/// The stub's sentence, found in whatever the client wraps around it.
fn answer_in(output: &str) -> Outcome<String> {
    const SENTENCE: &str = "stub answer ";
    let (_, rest) =
        output.split_once(SENTENCE).ok_or_else(|| format!("no answer of the stub in {output}"))?;
    Ok(SENTENCE.to_owned() + &rest[..rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len())])
}
