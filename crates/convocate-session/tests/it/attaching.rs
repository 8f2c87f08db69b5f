//! People at sessions, each at a terminal of his own.

use std::fs;
use std::path::Path;
use std::process::Command;

use testkit::cluster::AGENTS;
use testkit::person::Person;

use crate::place::{Place, Shell, Typing, lay, uuid};

/// What somebody types to say this.
pub(crate) fn line(there: &impl Typing, words: &[&str]) -> String {
    let program = there.tool(words);
    let quoted = program.words().map(migration_cli::shell_word);
    let line = quoted.collect::<Vec<_>>().join(" ");
    format!("clear; DOCKER_HOST={} {line}", there.docker().host())
}

fn status(there: &impl Typing) -> String {
    there.tells(0, &["list"])["items"][0]["status"].to_string()
}

/// Two people share the session of this base, and leave it in every way there is.
fn share(there: &impl Typing, base: &Path) {
    lay(base, 1, "one", &[]);
    let [ada, ben] = [Person::sits_down(80, 24), Person::sits_down(80, 24)];
    // Both at once: one of them starts it.
    for person in [&ada, &ben] {
        person.types(&line(there, &["attach", "one"]));
    }
    for person in [&ada, &ben] {
        person.waits_to_see("Claude listens.");
    }
    assert_eq!(there.container(&uuid(1)), "running", "it was started");
    ada.types("good morning");
    ben.waits_to_see("heard: good morning");
    assert_eq!(status(there), "\"C\"");

    let refused = there.says(2, &["delete", "one", "--yes"]);
    let asked = "error: nobody is there to be asked: Somebody is attached to session \"one\": delete it all the same?";
    assert_eq!(refused.err, format!("{asked}\nhint: say the same command with --yes --connected\n"));

    ben.presses(&["C-b", "d"]);
    ben.waits_to_see("Session \"one\" goes on running.");
    assert_eq!(status(there), "\"C\"", "the other is still there");
    let said = there.says(0, &["background", "one"]);
    assert_eq!(said.out, "Session \"one\" backgrounded.\n");
    ada.waits_to_see("Session \"one\" goes on running.");
    assert_eq!(status(there), "\"R\"");
    assert_eq!(fs::read_to_string(base.join(uuid(1)).join("claude-heard")).unwrap(), "good morning\n");

    ada.types(&line(there, &["attach", "one"]));
    ada.waits_to_see("heard: good morning");
    there.says(0, &["delete", "one", "--yes", "--connected"]);
    ada.waits_to_see("Session \"one\" has ended.");
    assert_eq!(there.container(&uuid(1)), "");
    assert!(!base.join(uuid(1)).exists());
}

#[test]
fn two_people_share_a_session_of_this_machine() {
    let place = Place::alive();
    share(&place, &place.base());
}

#[test]
fn two_people_share_a_session_of_an_agent() {
    let shell = Shell::alive();
    share(&shell, shell.cluster.agent(0).base());
    assert!(fs::read_dir(shell.cluster.agent(1).base()).unwrap().next().is_none(), "{}", AGENTS[1]);
}

#[test]
fn who_cannot_be_attached_is_told_why() {
    let shell = Shell::new();
    lay(&shell.cluster.shell(), 1, "left behind", &[]);
    assert!(shell.refuses(2, "no-terminal", &["attach", "left behind"]).starts_with("there is no terminal"));
    let ada = Person::sits_down(180, 24);
    ada.types(&line(&shell, &["attach", "left behind"]));
    let seen = ada.waits_to_see("hint: ");
    let told = "session \"left behind\" is a local orphan (shell host no longer runs containers)";
    assert!(seen.contains(told), "{seen}");
    assert!(seen.contains("convocate-migrate --agent ID --session"), "{seen}");

    let base = shell.cluster.agent(0).base();
    lay(base, 2, "taken", &[]);
    fs::write(base.join(format!("{}.lock", uuid(2))), std::process::id().to_string()).unwrap();
    ada.types(&line(&shell, &["attach", "taken"]));
    ada.waits_to_see("is already locked (another instance may be running)");
    assert_eq!(shell.container(&uuid(2)), "");
}

#[test]
fn whoever_loses_the_link_to_a_screen_is_told_how_to_have_it_again_and_scripts_that_it_had_begun() {
    let shell = Shell::alive();
    let agent = shell.cluster.agent(0);
    lay(agent.base(), 1, "one", &[]);
    let ada = Person::sits_down(120, 24);
    ada.types(&format!("{}; echo it ended with $?", line(&shell, &["attach", "one"])));
    ada.waits_to_see("Claude listens.");
    for process in agent.sshd().children() {
        Command::new("kill").args(["-KILL", &process.to_string()]).status().unwrap();
    }
    ada.waits_to_see("it ended with 1");
    assert!(ada.sees().contains(&format!("hint: convocate-session attach {}", uuid(1))), "{}", ada.sees());
}
