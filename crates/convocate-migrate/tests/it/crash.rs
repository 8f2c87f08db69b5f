//! A move, struck at every effect that the tool has on this host, and with its link cut at any command.

use std::fs;

use testkit::crash::Blow;
use testkit::tree::Tree;

use crate::hosts::{AGENT, Hosts, said, session_user, uuid};

fn strike(blow: Blow) {
    session_user();
    let hosts = Hosts::with(1);
    let before = hosts.both();
    let id = uuid(0);
    let words = ["--agent", AGENT, "--session", &id];
    let effects = hosts.tool(&words).effects();
    assert!(effects.len() > 30, "only {} effects: the loop would prove little", effects.len());
    hosts.expect(0, &["undo"]);
    // Each takes five conversations with the agent: all of them when there is time for ten times the arbitrary cases too.
    let every = if std::env::var_os("PROPTEST_CASES").is_some() { 1 } else { 8 };
    for (at, effect) in effects.iter().enumerate().filter(|(at, _)| at % every == 0) {
        let when = format!("after {blow:?} at {effect}");
        hosts.begin_again(1);
        let before = [Tree::of(&hosts.shell()), before[1].clone()];
        hosts.tool(&words).run_struck(effect, blow);
        let arrived = hosts.agent().join(&id);
        assert!(!arrived.exists() || arrived.join("makefile").exists(), "{when}: half a session is visible");

        let again = hosts.tool(&words).run();
        match again.status.code() {
            Some(7) if at % 2 == 0 => drop(hosts.expect(0, &["resume"])),
            Some(0 | 7) => {}
            Some(4) if arrived.exists() => {} // it had moved already
            _ => panic!("{when}: {}", said(&again)),
        }
        hosts.expect(0, &["undo"]);
        before[0].assert_same(&Tree::of(&hosts.shell()), &format!("undone here {when}"));
        before[1].assert_same(&Tree::of(&hosts.agent()), &format!("undone there {when}"));
    }
    assert_eq!(hosts.clients(), [0; 0], "a connection outlives whom it was made for");
    let left: Vec<_> = fs::read_dir(hosts.moments()).unwrap().map(|it| it.unwrap().file_name()).collect();
    assert!(left.is_empty(), "{left:?} is left");
}

#[test]
fn killed_at_any_effect_a_session_is_whole_at_one_end_or_the_other() {
    strike(Blow::Kill);
}

#[test]
fn a_full_disk_here_costs_no_session() {
    strike(Blow::Error("ENOSPC"));
}
