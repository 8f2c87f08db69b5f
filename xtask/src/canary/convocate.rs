//! A convocate session that moved to an agent: who wakes up there knows all that was said.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;
use testkit::agent::session_user;
use testkit::sshd::Sshd;
use testkit::tree::Tree;

use super::claude::{finds_nothing, read};
use super::client::{Installed, all_it_said};
use super::container::{Container, HOME};
use super::{GOES_ON, PROMPTS, Stage, was_sent};
use crate::packages;
use crate::shell::{self, Outcome};

const AGENT: &str = "k7m2p9x4qwzt";
const SESSION: &str = "3f0c1d2e-5b6a-4c7d-8e9f-0a1b2c3d4e5f";
/// Another session of the agent's, in which nothing was ever said.
const SILENT: &str = "9a8b7c6d-1e2f-4a3b-8c4d-5e6f7a8b9c0d";
/// What the session's user is called by on the shell host; the agent calls him something else.
const USER: u32 = 4711;

/// Only root may mount a home, and be somebody else then.
pub(super) fn hindered() -> Outcome<Option<&'static str>> {
    if shell::capture(Command::new("id").arg("-u"))?.stdout.trim_ascii() != b"0" {
        return Ok(Some("a session's container takes root to set up: run it as root"));
    }
    packages::install(&[("sshd", "openssh-server"), ("setpriv", "util-linux"), ("unshare", "util-linux")])?;
    Ok(None)
}

/// Begins a session in its container on the shell host, moves it, and wakes it up in its container on the agent.
pub(super) fn goes_on_at_the_agent(client: &Installed, stage: &Stage) -> Outcome {
    session_user();
    let (hosts, stub, home) = (Hosts::lay_out(stage)?, &stage.stub, Path::new(HOME));
    let begun = client.talk(&hosts.left, stub)?.begin(home, &PROMPTS)?;
    finds_nothing(&client.talk(&hosts.silent, stub)?, home, &begun.session)?;
    let before = hosts.both();

    hosts.migrate(0, &["--agent", AGENT, "--session", SESSION])?;
    if hosts.left.path("").exists() {
        return Err("the session is still on the shell host".into());
    }
    hosts.keep()?;
    let transcript = hosts.arrived.path(&format!(".claude/projects/-home-claude/{}.jsonl", begun.session));
    let delivered = read(&transcript)?;
    stub.forget();
    client.talk(&hosts.arrived, stub)?.ask(home, GOES_ON, Some(&begun.session))?;
    was_sent(stub, &begun.said)?;
    if !read(&transcript)?.starts_with(&delivered) || read(&transcript)?.len() == delivered.len() {
        return Err(format!("the client did not go on in {}", transcript.display()).into());
    }

    // What was said since stands on the agent alone, so it is not taken back; as it came, it is.
    hosts.migrate(4, &["undo"])?;
    hosts.put_back()?;
    hosts.migrate(0, &["undo"])?;
    for (host, (was, is)) in ["shell host", "agent"].into_iter().zip(before.iter().zip(&hosts.both())) {
        if was != is {
            return Err(format!("undo left another {host}:\n{}", was.difference(is)).into());
        }
    }
    Ok(())
}

/// A shell host and an agent: two bases on this machine, and an sshd before the second.
struct Hosts {
    place: PathBuf,
    sshd: Sshd,
    left: Container,
    arrived: Container,
    silent: Container,
}

impl Hosts {
    fn lay_out(stage: &Stage) -> Outcome<Self> {
        let place = stage.place.clone();
        let [shell, agent, keys] = ["shell", "agent", "keys"].map(|name| place.join(name));
        for base in [&shell, &agent] {
            fs::create_dir_all(base.join(".claude/plugins"))?;
            fs::write(base.join(".claude/settings.json"), "{}\n")?;
        }
        let user = session_user_id()?;
        session(&shell, SESSION, USER)?;
        session(&agent, SILENT, user)?;

        let sshd = Sshd::start(&[]);
        let registered = keys.join(AGENT);
        fs::create_dir_all(&registered)?;
        fs::copy(sshd.identity(), registered.join("shell_to_agent_ed25519_key"))?;
        fs::write(registered.join("agent-host"), format!("root@{}:{}\n", sshd.address(), sshd.port()))?;
        let left = Container::on(&shell, SESSION, USER);
        let [arrived, silent] = [SESSION, SILENT].map(|session| Container::on(&agent, session, user));
        Ok(Self { place, sshd, left, arrived, silent })
    }

    fn both(&self) -> [Tree; 2] {
        ["shell", "agent"].map(|name| Tree::of(&self.place.join(name)))
    }

    /// Runs the built `convocate-migrate`, and expects this exit code.
    fn migrate(&self, code: i32, words: &[&str]) -> Outcome {
        let at = |name: &str| self.place.join(name);
        let mut tool = Command::new(shell::built("convocate-migrate", &[])?);
        tool.args(words).args(["--profile", "convocate", "--no-docker-check", "--known-hosts"]);
        tool.arg(self.sshd.known_hosts()).arg("--state-dir").arg(at("state"));
        tool.arg("--shell-base").arg(at("shell")).arg("--agent-base").arg(at("agent"));
        let output = shell::capture(tool.arg("--agent-keys-dir").arg(at("keys")))?;
        if output.status.code() == Some(code) {
            return Ok(());
        }
        let said = all_it_said(&output);
        Err(format!("convocate-migrate {words:?}: {} instead of {code}: {said}", output.status).into())
    }

    /// Keeps the session as it was delivered, where nobody goes on with it.
    fn keep(&self) -> Outcome {
        copy(&self.arrived.path(""), &self.place.join("kept"))
    }

    /// Has the session as it was delivered; its folder stays the one that the run knows.
    fn put_back(&self) -> Outcome {
        for entry in fs::read_dir(self.arrived.path(""))? {
            let path = entry?.path();
            if path.symlink_metadata()?.is_dir() { fs::remove_dir_all(path)? } else { fs::remove_file(path)? }
        }
        copy(&self.place.join("kept"), &self.arrived.path(""))
    }
}

/// A session as an installation leaves it before anybody says anything in it.
fn session(base: &Path, id: &str, user: u32) -> Outcome {
    let home = base.join(id);
    fs::create_dir_all(home.join(".claude"))?;
    let document = json!({
        "uuid": id, "name": "billing refactor",
        "created_at": "2026-02-11T08:15:30.5Z", "last_accessed": "2026-03-02T17:00:00Z",
    });
    fs::write(home.join("session.json"), serde_json::to_string_pretty(&document)?)?;
    fs::write(home.join("CLAUDE.md"), "# A session\n")?;
    for name in ["settings.json", "settings.local.json", ".credentials.json", "plugins"] {
        symlink(format!("{HOME}/.claude-shared/{name}"), home.join(".claude").join(name))?;
    }
    fs::set_permissions(home.join(".claude"), fs::Permissions::from_mode(0o700))?;
    fs::set_permissions(&home, fs::Permissions::from_mode(0o750))?;
    for owned in [".", "session.json", "CLAUDE.md", ".claude"] {
        chown(home.join(owned), Some(user), Some(user))?;
    }
    // What docker makes to mount something there is root's.
    Ok(fs::create_dir(home.join(".claude-shared"))?)
}

fn session_user_id() -> Outcome<u32> {
    let id = shell::capture(Command::new("id").args(["-u", "claude"]))?;
    Ok(String::from_utf8(id.stdout)?.trim().parse()?)
}

fn copy(from: &Path, to: &Path) -> Outcome {
    let mut copy = Command::new("cp");
    let output = shell::capture(copy.arg("-a").arg("--no-target-directory").arg(from).arg(to))?;
    if output.status.success() { Ok(()) } else { Err(all_it_said(&output).into()) }
}
