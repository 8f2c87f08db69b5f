//! Whether what was left means what it should.

use std::fs;

use serde_json::Value;
use testkit::cowork::Session;

use crate::world::World;

/// A session whose transcript links to these places of the old world.
fn linking(links: &[&str]) -> World {
    let mut session = Session::numbered(7);
    for link in links {
        let row = serde_json::json!({"type": "user", "uuid": "x", "parentUuid": null,
            "message": {"role": "user", "content": format!("[it](computer://{link})")}});
        session.transcript.extend(format!("{row}\n").into_bytes());
    }
    World::new(session)
}

fn codes(report: &Value) -> Vec<String> {
    let findings = report["items"][0]["findings"].as_array().unwrap();
    findings.iter().map(|finding| finding["code"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_link_out_of_the_sessions_folders_or_to_nothing_is_found() {
    let world = linking(&[
        "/sessions/calm-amber-noether-7/mnt/outputs/plan.md",
        "/sessions/calm-amber-noether-7/mnt/outputs/gone.md",
        "/C:/Users/mira/elsewhere/x.md",
    ]);
    world.move_it(0, &[]);
    let found = codes(&world.report(0, &["verify".to_owned()]));
    assert!(
        found.contains(&"link-gone".to_owned()) && found.contains(&"link-outside".to_owned()),
        "{found:?}"
    );
    assert!(!found.contains(&"link-unchecked".to_owned()), "{found:?}");
}

#[test]
fn links_that_all_open_are_not_spoken_of() {
    let world = linking(&["/sessions/calm-amber-noether-7/mnt/outputs/plan.md"]);
    world.move_it(0, &[]);
    assert!(world.new_transcript().contains("computer:///C:/Users/otto/"), "{}", world.new_transcript());
    let found = codes(&world.report(0, &["verify".to_owned()]));
    assert!(!found.iter().any(|code| code.starts_with("link-")), "{found:?}");
}

#[test]
fn links_that_are_kept_lead_through_the_machine() {
    let world = linking(&["/sessions/calm-amber-noether-7/mnt/outputs/plan.md"]);
    world.move_it(0, &["--links", "keep"]);
    assert!(world.new_transcript().contains("computer:///sessions/"));
    assert!(codes(&world.report(0, &["verify".to_owned()])).contains(&"link-machine".to_owned()));
}

#[test]
fn a_transcript_that_lost_rows_does_not_pass() {
    let world = World::new(Session::numbered(7));
    world.move_it(0, &[]);
    fs::write(world.moved(&world.placed.transcript), "{\"type\":\"user\"}\n").unwrap();
    world.say(5, &["verify"]);
}

#[test]
fn the_logs_last_word_is_held_against_what_was_promised() {
    let world = World::new(Session::numbered(7));
    world.move_it(0, &[]);
    let log = world.base_of("otto").join("logs/main.log");
    let verify = ["verify".to_owned(), "--log".to_owned(), log.display().to_string()];
    assert!(codes(&world.report(0, &verify)).contains(&"log-silent".to_owned()));
    let id = format!("local_{}", world.session.uuid);
    for (messages, code, expected) in [(2, 0, "log-loaded"), (1, 5, "log-loaded-less")] {
        let line = format!(
            "2026-02-01 10:00:00 [info] Loaded {messages} messages from transcript for session {id}\n"
        );
        fs::write(&log, line).unwrap();
        let found = codes(&world.report(code, &verify));
        assert!(found.contains(&expected.to_owned()), "{found:?}");
    }
    fs::write(&log, format!("2026-02-01 10:00:00 [warn] Transcript not found for session {id}\n")).unwrap();
    assert!(codes(&world.report(5, &verify)).contains(&"log-not-found".to_owned()));
}
