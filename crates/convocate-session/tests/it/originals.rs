//! An original agent behind a stock sshd, worked with by every verb: what it is asked, byte for byte, and what is there
//! afterwards (formats/convocate.md §19).

use std::fs;

use serde_json::json;
use testkit::agent::Agent;
use testkit::cluster::{AGENTS, Cluster};
use testkit::docker::Docker;

use crate::place::{Shell, Typing, lay, uuid};

/// A shell host whose agents are originals.
fn shell() -> Shell {
    let docker = Docker::start();
    let cluster = Cluster::of(&docker, &|verb, place| {
        let agent = Agent::with_engine(&place.folder, &place.base, &docker, &["--network=none"]);
        // It lets itself be asked only; who attaches is another stand-in's affair.
        if verb == "rpc" { agent.program().display().to_string() } else { "false".to_owned() }
    });
    Shell { cluster, docker }
}

/// What the first agent was asked since the last look.
fn asked(shell: &Shell) -> Vec<String> {
    let log = shell.cluster.agent(0).folder().join("agent-api/asked");
    let asked = fs::read_to_string(&log).unwrap_or_default();
    let _ = fs::remove_file(log);
    asked.lines().map(str::to_owned).collect()
}

/// The same, of the first agent.
fn only<'w>(words: &[&'w str]) -> Vec<&'w str> {
    [words, &["--agent", AGENTS[0]]].concat()
}

#[test]
fn the_sessions_of_an_original_agent_are_worked_with_in_its_own_words() {
    let shell = shell();
    let base = shell.cluster.agent(0).base().to_owned();
    lay(&base, 1, "billing", &[("port", json!(53)), ("protocol", json!("udp"))]);
    let (id, list) = (uuid(1), r#"{"op":"list","params":null}"#.to_owned());
    let of = |op: &str| format!(r#"{{"op":"{op}","params":{{"id":"{id}"}}}}"#);
    let says = |words: &[&str]| shell.tells(0, &only(words));
    let ping = r#"{"op":"ping","params":null}"#.to_owned();

    let listed = says(&["list"]);
    assert_eq!(listed["items"][0]["locked"], json!(null), "it does not tell of locks");
    assert_eq!(asked(&shell), std::slice::from_ref(&list));
    says(&["show", "billing"]);
    assert_eq!(asked(&shell), std::slice::from_ref(&list));

    says(&["edit", "billing", "--port", "8080"]);
    let edit = format!(
        r#"{{"op":"edit","params":{{"id":"{id}","name":"billing","port":8080,"protocol":"udp","dns_name":""}}}}"#
    );
    let said = asked(&shell);
    assert!(
        said.contains(&edit) && said.iter().all(|line| [&list, &of("get"), &edit].contains(&line)),
        "{said:#?}"
    );
    says(&["edit", "billing", "--port", "none"]);
    asked(&shell);

    says(&["restart", "billing"]);
    let said = asked(&shell);
    assert!(said.contains(&of("restart")), "{said:#?}");
    assert_eq!(shell.container(&id), "running");
    let refused = shell.refuses(4, "already-running", &only(&["restart", "billing"]));
    assert_eq!(refused, "session \"billing\" already running");
    asked(&shell);
    says(&["kill", "billing", "--yes"]);
    let said = asked(&shell);
    assert!(said.contains(&of("kill")), "{said:#?}");
    assert_eq!(shell.container(&id), "");

    // The protocol is forgotten there, and put right.
    let made = says(&["clone", "billing", "copy"])["items"][0]["uuid"].as_str().unwrap().to_owned();
    let said = asked(&shell);
    let clone = format!(r#"{{"op":"clone","params":{{"source_id":"{id}","name":"copy"}}}}"#);
    let right = format!(
        r#"{{"op":"edit","params":{{"id":"{made}","name":"copy","port":0,"protocol":"udp","dns_name":""}}}}"#
    );
    let at = |line: &String| {
        said.iter().position(|one| one == line).unwrap_or_else(|| panic!("{line}: {said:#?}"))
    };
    assert!(at(&ping) < at(&clone) && at(&clone) < at(&right), "{said:#?}");

    // A lock whose owner lives keeps it, and none is asked for by force, of which it knows nothing.
    let lock = base.join(format!("{id}.lock"));
    fs::write(&lock, std::process::id().to_string()).unwrap();
    shell.refuses(4, "locked", &only(&["override", "billing", "--force", "--yes"]));
    shell.refuses(4, "locked", &only(&["delete", "billing", "--yes"]));
    let said = asked(&shell);
    assert!(said.contains(&of("override")) && !said.contains(&of("delete")), "{said:#?}");
    fs::write(&lock, "x").unwrap();
    says(&["override", "billing", "--yes"]);
    assert!(!lock.exists());
    asked(&shell);
    shell.refuses(4, "not-locked", &only(&["override", "billing", "--yes"]));
    asked(&shell);

    says(&["restart", "billing"]);
    asked(&shell);
    says(&["delete", "billing", "--yes", "--connected"]);
    let said = asked(&shell);
    let done: Vec<_> = said.iter().filter(|line| !line.contains("\"list\"")).cloned().collect();
    let tail = [of("override"), of("kill"), of("delete")];
    assert!(done.ends_with(&tail), "{said:#?}");
    assert!(!base.join(&id).exists() && shell.container(&id).is_empty());
    assert!(base.join(&made).exists());
}
