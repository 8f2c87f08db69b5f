//! The program on the terminal of a shell host, whose agents are other machines.

use std::fs;

use serde_json::json;
use testkit::agent::session_user;
use testkit::cluster::{AGENTS, Cluster};
use testkit::docker::Docker;

use super::scene::{A, B, C};
use super::tmux::{TOOL, Tmux, wait};

/// A shell host with two agents, and a screen on it.
struct Shell {
    docker: Docker,
    cluster: Cluster,
}

impl Shell {
    fn with(docker: Docker) -> Self {
        session_user();
        let claude = docker.claude();
        let cluster = Cluster::of(&docker, &|verb, place| {
            let (base, folder) = (place.base.display(), place.folder.display());
            let claude = claude.display();
            format!("{TOOL} agent {verb} --base {base} --agent-dir {folder} --claude {claude}")
        });
        Self { docker, cluster }
    }

    /// A session on an agent, or, as number 2, one that was left behind on the shell host.
    fn lay(&self, host: usize, uuid: &str, name: &str, day: u8) {
        let base = if host == 2 { self.cluster.shell() } else { self.cluster.agent(host).base().to_owned() };
        let document = json!({
            "uuid": uuid,
            "name": name,
            "created_at": "2026-02-11T08:15:30.5Z",
            "last_accessed": format!("2026-03-{day:02}T17:00:00Z"),
        });
        fs::create_dir(base.join(uuid)).unwrap();
        fs::write(base.join(uuid).join("session.json"), document.to_string()).unwrap();
    }

    fn screen(&self) -> Tmux {
        let options = [
            ("--base", &*self.cluster.shell()),
            ("--agent-keys-dir", &*self.cluster.registry()),
            ("--known-hosts", &*self.cluster.known_hosts()),
        ];
        Tmux::with(&options, &[("DOCKER_HOST", &self.docker.host())])
    }

    fn container(&self, uuid: &str) -> String {
        let filter = format!("name=^convocate-session-{uuid}$");
        self.docker.run(&["ps", "--all", "--filter", &filter, "--format", "{{.State}}"])
    }
}

#[test]
fn an_agent_that_says_nothing_is_told_and_holds_up_nobody_at_the_screen() {
    let shell = Shell::with(Docker::start());
    shell.lay(0, A, "billing", 3);
    shell.lay(1, B, "notes", 2);
    let tmux = shell.screen();
    tmux.shows("billing");
    tmux.shows("notes");
    tmux.types(&["s"]).shows(&format!("{}  root@", AGENTS[0]));
    wait(
        || Some(tmux.screen()).filter(|screen| screen.matches("ok, version").count() == 3),
        || format!("not everybody has answered:\n{}", tmux.screen()),
    );
    shell.cluster.agent(0).sshd().is_frozen(true);
    // Keys are answered while it is waited for.
    tmux.types(&["x"]).hides("ok, version");
    tmux.types(&["/", "bill", "Enter"]).shows("/bill  (1 found)");
    tmux.types(&["Escape"]).hides("/bill");
    insta::assert_snapshot!("far-silent-help", tmux.types(&["?"]).golden("Up Down PgUp PgDn"));
    tmux.types(&["x"]).shows("unreachable: ");
    // Then it is told. What it has said last stays, and only the other one's sessions are worked with.
    insta::assert_snapshot!("far-silent", tmux.types(&["Down", "Up"]).golden("unreachable: "));
    tmux.types(&["Enter"]).shows("is not reached: ");
    tmux.types(&["x", "Down", "e"]).shows("Edit Session");
    tmux.types(&["2", "Enter"]).shows("Restart session \"notes2\" now?");
    tmux.types(&["n", "q"]);
    assert_eq!(tmux.ends(), "0");
    shell.cluster.agent(0).sshd().is_frozen(false);
    assert_eq!(shell.container(A), "", "nobody has started it");
}

#[test]
fn two_people_share_a_session_of_an_agent_from_their_screens() {
    let shell = Shell::with(Docker::with_sessions());
    shell.lay(0, A, "billing", 3);
    let [ada, ben] = [shell.screen(), shell.screen()];
    for person in [&ada, &ben] {
        person.shows(" - | 1");
    }
    // At once: one of them starts it, and both get it.
    for person in [&ada, &ben] {
        person.types(&["Enter"]);
    }
    for person in [&ada, &ben] {
        person.shows("Claude listens.");
    }
    ada.types(&["hello", "Enter"]);
    ben.shows("heard: hello");
    ada.types(&["C-b", "d"]).shows("The session goes on running: \"billing\"");
    ada.shows(" C | 1");
    ada.types(&["b"]).shows("Background session \"billing\"?");
    ada.types(&["y"]).shows("Session \"billing\" backgrounded.");
    ben.shows("The session goes on running: \"billing\"");
    // Whoever is stopped while he is in the session leaves it running, and his terminal as it was.
    ben.types(&["Enter"]).shows("heard: hello");
    ben.signals("-TERM");
    assert_eq!(ben.ends(), "143");
    assert_eq!(shell.container(A), "running");
    ada.types(&["x", "k"]).shows("Kill session \"billing\"?");
    ada.types(&["y", "Enter"]).shows("Stopped session \"billing\"");
    assert_eq!(shell.container(A), "");
    let heard = shell.cluster.agent(0).base().join(A).join("claude-heard");
    assert_eq!(fs::read_to_string(heard).unwrap(), "hello\n");
    ada.types(&["q"]);
    assert_eq!(ada.ends(), "0");
}

#[test]
fn an_orphan_is_brought_to_an_agent_from_the_screen_and_how_far_it_has_come_is_seen() {
    let shell = Shell::with(Docker::start());
    shell.lay(2, C, "old notes", 1);
    let (shell_base, base) = (shell.cluster.shell(), shell.cluster.agent(1).base().to_owned());
    // Enough to be seen on its way.
    let work = "what was worked at\n".repeat(5 << 20);
    fs::write(shell_base.join(C).join("work"), &work).unwrap();
    let tmux = shell.screen();
    tmux.shows(" O | 1");
    tmux.types(&["Enter"]).shows("(M)igrate");
    tmux.types(&["m"]).shows("Select Agent to Migrate to");
    tmux.types(&["Down", "Enter"]).shows(&format!("Migrate session \"old notes\" to agent {}?", AGENTS[1]));
    tmux.types(&["y"]).shows(" %  migrating \"old notes\"...");
    tmux.shows(&format!("Migrated session \"old notes\" to agent {}", AGENTS[1]));
    let row = tmux.shows(" - | 1");
    assert!(row.contains(AGENTS[1]), "{row}");
    assert!(fs::read(base.join(C).join("work")).unwrap() == work.as_bytes());
    assert!(!shell_base.join(C).exists() && shell_base.join(".migrated").is_dir());
    tmux.types(&["q"]);
    assert_eq!(tmux.ends(), "0");
    let told = format!("Migrated session \"old notes\" to agent {}\nGoodbye!", AGENTS[1]);
    assert!(tmux.screen().ends_with(&told), "{}", tmux.screen());
}
