//! A shell host and two agents: what is where, and what may be done to what was left behind.

use insta::assert_snapshot;
use serde_json::json;
use testkit::cluster::AGENTS;
use testkit::tree::Tree;

use crate::place::{Shell, Typing, lay, uuid};

/// Sessions on both agents, and one that was left behind.
fn shell() -> Shell {
    let shell = Shell::new();
    lay(
        shell.cluster.agent(0).base(),
        1,
        "billing",
        &[("port", json!(8080)), ("dns_name", json!("billing"))],
    );
    lay(shell.cluster.agent(1).base(), 2, "notes", &[]);
    lay(&shell.cluster.shell(), 3, "left behind", &[]);
    shell
}

#[test]
fn the_sessions_of_all_hosts_are_listed_in_one_order_and_who_cannot_be_asked_is_named() {
    let shell = shell();
    assert_snapshot!("shell-list", shell.says(0, &["list"]).all());
    assert_snapshot!("shell-agents", shell.says(0, &["agents"]).all());
    assert_snapshot!("shell-show", shell.says(0, &["show", "notes"]).all());
    shell.registers_nobody("nobody");
    let said = shell.says(0, &["list"]);
    assert!(
        said.err.starts_with("warning: agent nobody (root@127.0.0.1:@PORT@) unreachable: "),
        "{}",
        said.err
    );
    assert_eq!(said.out.matches("[agent nobody unreachable: ").count(), 1, "{}", said.out);
    let document = shell.tells(0, &["list"]);
    assert_eq!(document["findings"][0]["level"], "error");
    assert_eq!(document["findings"][0]["code"], "agent-unreachable");
    let told = |item: &serde_json::Value| {
        [&item["name"], &item["agent_id"], &item["status"]].map(ToString::to_string).join(" ")
    };
    let items: Vec<_> = document["items"].as_array().unwrap().iter().map(told).collect();
    let [first, second] = AGENTS.map(|id| format!("{id:?}"));
    assert_eq!(
        items,
        [
            "\"left behind\" null \"O\"".to_owned(),
            format!("\"notes\" {second} \"-\""),
            format!("\"billing\" {first} \"-\"")
        ]
    );
    let agents = shell.tells(0, &["agents"]);
    assert_eq!(agents["items"][1]["id"], "nobody");
    assert_eq!(agents["items"][1]["reachable"], false);
}

#[test]
fn what_is_named_by_its_name_is_changed_only_if_every_host_has_said_what_it_has() {
    let shell = shell();
    shell.registers_nobody("nobody");
    let all = || [shell.cluster.agent(0).base(), shell.cluster.agent(1).base()].map(Tree::of);
    let before = all();
    for words in [&["delete", "notes", "--yes"][..], &["edit", "notes", "--name", "other"]] {
        let said = shell.says(4, words);
        let error = "error: \"notes\" may also be a session of nobody, which could not be asked\n";
        assert!(said.err.contains(error), "{words:?}: {}", said.err);
    }
    for (before, now) in before.iter().zip(&all()) {
        before.assert_same(now, "nothing was done");
    }
    shell.says(0, &["edit", &uuid(2), "--name", "other"]);
    shell.says(0, &["delete", "other", "--yes", "--agent", AGENTS[1]]);
    assert!(!shell.cluster.agent(1).base().join(uuid(2)).exists());
}

#[test]
fn which_of_two_sessions_of_one_id_is_meant_has_to_be_said_before_it_is_changed() {
    let shell = shell();
    let [near, far] = [shell.cluster.agent(0).base(), shell.cluster.agent(1).base()];
    lay(far, 1, "billing", &[]);
    let all = || [near, far].map(Tree::of);
    let before = all();
    for words in [
        &["delete", &uuid(1), "--yes"][..],
        &["kill", &uuid(1), "--yes"],
        &["edit", &uuid(1), "--name", "other"],
        &["restart", &uuid(1)],
        &["background", &uuid(1)],
        &["override", &uuid(1), "--yes"],
        &["clone", &uuid(1), "copy"],
    ] {
        let said = shell.refuses(2, "duplicate", words);
        assert!(said.starts_with(&format!("there is a session {} on ", uuid(1))), "{said}");
    }
    for (before, now) in before.iter().zip(&all()) {
        before.assert_same(now, "nothing was done");
    }
    shell.says(0, &["edit", &uuid(1), "--name", "other", "--agent", AGENTS[1]]);
    before[0].assert_same(&Tree::of(near), "the other one was meant");
}

#[test]
fn one_host_alone_is_asked_if_it_is_named() {
    let shell = shell();
    let names = |words: &[&str]| -> Vec<String> {
        let document = shell.tells(0, words);
        document["items"].as_array().unwrap().iter().map(|item| item["name"].to_string()).collect()
    };
    assert_eq!(names(&["list", "--agent", AGENTS[0]]), ["\"billing\""]);
    assert_eq!(names(&["--local", "list"]), ["\"left behind\""]);
    let said = shell.refuses(4, "agent", &["list", "--agent", "nobody"]);
    assert!(said.starts_with("agent \"nobody\" not registered (missing "), "{said}");
    assert_eq!(
        shell.refuses(4, "no-such-session", &["show", "notes", "--agent", AGENTS[0]]),
        "there is no session \"notes\""
    );
    let said = shell.refuses(2, "no-agent", &["new", "app"]);
    assert_eq!(said, "which agent gets the session? --agent ID is needed");
}

#[test]
fn what_was_left_behind_waits_for_its_migration_and_says_how() {
    let shell = shell();
    let before = Tree::of(&shell.cluster.shell());
    let words: [&[&str]; 6] = [
        &["kill", "left behind", "--yes"],
        &["background", "left behind"],
        &["restart", "left behind"],
        &["edit", "left behind", "--port", "auto"],
        &["clone", "left behind", "copy"],
        &["kill", &uuid(3), "--dry-run"],
    ];
    for words in words {
        let document = shell.tells(4, words);
        let error = &document["error"];
        assert_eq!(error["code"], "orphan", "{words:?}: {document}");
        assert_eq!(
            error["message"],
            "session is a local orphan; migrate it to a convocate-agent before operating on it"
        );
        assert_eq!(error["hint"], format!("convocate-migrate --agent ID --session {}", uuid(3)));
    }
    before.assert_same(&Tree::of(&shell.cluster.shell()), "nothing was touched");
}

#[test]
fn of_two_sessions_with_one_id_none_is_deleted_until_it_is_said_which() {
    let shell = shell();
    lay(&shell.cluster.shell(), 1, "billing", &[]);
    let listed = shell.tells(0, &["list"]);
    let row = listed["items"].as_array().unwrap().iter().find(|item| item["uuid"] == uuid(1)).unwrap();
    assert_eq!((&row["agent_id"], &row["also_on"]), (&json!(AGENTS[0]), &json!(["local"])));
    let said = shell.refuses(2, "duplicate", &["delete", &uuid(1), "--yes"]);
    assert!(said.contains(AGENTS[0]) && said.contains("local"), "{said}");
    let there = Tree::of(shell.cluster.agent(0).base());
    shell.says(0, &["delete", &uuid(1), "--yes", "--local"]);
    assert!(!shell.cluster.shell().join(uuid(1)).exists());
    there.assert_same(&Tree::of(shell.cluster.agent(0).base()), "the agent's is another");
}

#[test]
fn names_come_and_go_with_their_sessions_where_dnsmasq_reads_them() {
    let shell = shell();
    let file = shell.cluster.folder().join("names/dnsmasq-hosts");
    let say = |code, words: &[&str]| shell.says(code, words);
    let said = say(0, &["new", "app", "--agent", AGENTS[1], "--dns", "App"]);
    assert!(said.out.contains("\n  DNS name \"app\" registered on agent\n"), "{}", said.out);
    assert!(said.out.contains("[no-dns-folder]"), "{}", said.out);
    say(4, &["dns", "sync"]);
    std::fs::create_dir(file.parent().unwrap()).unwrap();
    let names = || -> Vec<String> {
        let text = std::fs::read_to_string(&file).unwrap();
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("# Managed by convocate. Do not edit by hand."));
        lines.map(str::to_owned).collect()
    };
    say(0, &["dns", "sync", "--dry-run"]);
    assert!(!file.exists());
    assert_snapshot!("dns-sync", say(0, &["dns", "sync"]).all());
    assert_eq!(names(), ["127.0.0.1\tapp", "127.0.0.1\tbilling"]);
    say(0, &["edit", "app", "--dns", "web"]);
    assert_eq!(names(), ["127.0.0.1\tbilling", "127.0.0.1\tweb"]);
    say(0, &["clone", "app", "copy", "--dns", "other"]);
    assert_eq!(names(), ["127.0.0.1\tbilling", "127.0.0.1\tother", "127.0.0.1\tweb"]);
    say(0, &["delete", "copy", "--yes"]);
    say(0, &["edit", "app", "--dns", ""]);
    assert_eq!(names(), ["127.0.0.1\tbilling"]);

    assert!(shell.refuses(4, "dns-taken", &["edit", "app", "--dns", "billing"]).contains(AGENTS[0]));
    shell.registers_nobody("nobody");
    let free = ["edit", "app", "--agent", AGENTS[1], "--dns", "free"];
    shell.refuses(4, "dns-unverified", &free);
    say(0, &[&free[..], &["--allow-unverified-dns"]].concat());
    assert_eq!(names(), ["127.0.0.1\tbilling", "127.0.0.1\tfree"]);
    shell.tells(0, &["dns", "sync"]);
}
