//! The real clients, against a stub model server: does a moved session go on where it was left? And the real `OpenClaw`,
//! without a network: does it take over what was migrated?
//!
//! A client that npm cannot give is skipped, loudly; it never passes quietly.

mod claude;
mod client;
mod codex;
mod container;
mod convocate;
mod home;
mod npm;
mod openclaw;
mod opencode;
mod stitch;

use std::path::PathBuf;

use testkit::model_server::{ModelServer, Request};

use crate::shell::Outcome;
use client::{Client, Installed};
use home::Home;

const PROMPTS: [&str; 3] = ["first question", "second question: naïve 😀", "third question"];
const GOES_ON: &str = "and on it goes";

/// Where the worktrees stand below the home: the second makes a slug longer than 200 characters.
const FOLDERS: [&str; 3] = [
    "plain",
    "long-path-of-which-the-slug-is-cut/where-every-folder-is-named-at-length/because-paths-like-this-do-exist/\
     and-the-client-cuts-what-it-makes-of-them-at-200-characters/to-which-it-adds-a-hash-of-the-whole-path",
    "a b.c_d/日本語/x😀y/café",
];

/// Tries every client, or those that are named, and gives those that were skipped; fails if one of them lost a session.
pub(crate) fn run(names: &[&str]) -> Outcome<Vec<&'static str>> {
    let clients = canaries();
    let known: Vec<&str> =
        clients.iter().map(|canary| canary.client.package()).chain([openclaw::PACKAGE]).collect();
    if let Some(unknown) = names.iter().find(|name| !known.contains(name)) {
        return Err(format!("there is no canary {unknown}, but: {}", known.join(", ")).into());
    }
    let is_meant = |name: &str| names.is_empty() || names.contains(&name);
    let (mut skipped, mut lost) = (Vec::new(), Vec::new());
    let meant = clients.iter().filter(|canary| is_meant(canary.client.package()));
    let sung = meant.map(|canary| (canary.client.package(), canary.sings()));
    // One is no client with a session to go on with: it takes over a store.
    let store = is_meant(openclaw::PACKAGE).then_some(openclaw::PACKAGE);
    let taken_over = store.into_iter().map(|package| (package, openclaw::sings()));
    for (package, sung) in sung.chain(taken_over) {
        match sung {
            Ok(Sung::Passed) => {}
            Ok(Sung::Skipped) => skipped.push(package),
            Err(error) => lost.push(error.to_string()),
        }
    }
    if lost.is_empty() { Ok(skipped) } else { Err(lost.join("\n").into()) }
}

/// A client that has to take a session up again.
struct Canary {
    client: &'static dyn Client,
    /// Where the session stands, below the stage's own folder.
    folders: &'static [&'static str],
    /// Why this machine cannot show it, if it cannot.
    hindered: fn() -> Outcome<Option<&'static str>>,
    check: fn(&Installed, &Stage) -> Outcome,
}

/// Where one canary sings.
struct Stage {
    /// An empty folder.
    place: PathBuf,
    folder: &'static str,
    stub: ModelServer,
}

fn canaries() -> [Canary; 5] {
    let canary = |client, folders, check| Canary { client, folders, hindered: || Ok(None), check };
    [
        canary(&claude::ClaudeCode, &FOLDERS, claude::goes_on_after_the_move),
        canary(&claude::ClaudeCode, &FOLDERS[..1], stitch::sends_the_same),
        Canary {
            hindered: convocate::hindered,
            ..canary(&claude::ClaudeCode, &["/home/claude"], convocate::goes_on_at_the_agent)
        },
        canary(&codex::Codex, &FOLDERS[..1], accepts_the_id_elsewhere),
        canary(&opencode::OpenCode, &FOLDERS[..1], accepts_the_id_elsewhere),
    ]
}

enum Sung {
    Passed,
    Skipped,
}

fn skipped(package: &str, reason: &str) -> Sung {
    println!("canary: {package}: SKIPPED, nothing was shown, because: {reason}");
    Sung::Skipped
}

impl Canary {
    fn sings(&self) -> Outcome<Sung> {
        let package = self.client.package();
        let installed = match (self.hindered)()? {
            Some(reason) => Err(reason.to_owned()),
            None => npm::install(self.client)?,
        };
        let installed = match installed {
            Ok(installed) => installed,
            Err(reason) => return Ok(skipped(package, &reason)),
        };
        println!("canary: {package} {}", installed.version);
        for folder in self.folders {
            self.in_folder(&installed, folder)
                .map_err(|error| format!("{package}, below `{folder}`: {error}"))?;
            println!("canary:   below `{folder}`: it went on as it should");
        }
        Ok(Sung::Passed)
    }

    fn in_folder(&self, client: &Installed, folder: &'static str) -> Outcome {
        let temp = tempfile::tempdir()?;
        let place = std::fs::canonicalize(temp.path())?;
        (self.check)(client, &Stage { place, folder, stub: ModelServer::start()? })
    }
}

/// Clients that keep sessions by id alone: the carried id is enough, from whatever directory.
fn accepts_the_id_elsewhere(client: &Installed, stage: &Stage) -> Outcome {
    let (home, stub) = (Home::lay_out(stage)?, &stage.stub);
    let talk = client.talk(&home, stub)?;
    let begun = talk.begin(&home.legacy, &PROMPTS)?;
    stub.forget();
    let output = talk.run(&home.rewrite, GOES_ON, Some(&begun.session))?;
    was_sent(stub, &begun.said)?;
    if !output.status.success() {
        println!(
            "canary:   note: the session was taken up, but the client then ended with {}",
            output.status
        );
    }
    Ok(())
}

/// The proof: the question that went on with the session carried every earlier text, in order.
fn was_sent(stub: &ModelServer, said: &[String]) -> Outcome {
    let requests = stub.requests();
    let mut asked = requests.iter().filter(|request| request.asks_model()).map(Request::texts);
    let sent = asked.rfind(|texts| texts.iter().any(|text| text.contains(GOES_ON)));
    let sent = sent.ok_or("the stub was never sent the question that goes on")?;
    let mut rest = sent.iter();
    match said.iter().find(|&text| !rest.any(|sent| sent.contains(text))) {
        None => Ok(()),
        Some(text) => Err(format!("the client did not send {text:?} in its place; it sent {sent:?}").into()),
    }
}
