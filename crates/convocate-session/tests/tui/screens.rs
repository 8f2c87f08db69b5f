//! Every state and every dialog as it looks.

use convocate_session::tui::{Event, Key, Outcome, Palette, Share};

use ratatui::style::Color;
use session_control::{Place, Session, Unknown};

use super::scene::{A, B, C, D, FAR, NEAR, Scene, attached, failure, host, locked, running, session};

/// The screen in the sizes of most terminals.
fn golden(name: &str, scene: &mut Scene) {
    for (columns, rows) in [(80, 24), (120, 40)] {
        scene.resized(columns, rows);
        insta::assert_snapshot!(format!("{name}-{columns}x{rows}"), scene.golden());
    }
}

#[test]
fn the_list_tells_every_state_and_every_host() {
    let mut scene = Scene::cluster();
    golden("list", &mut scene);
    for (columns, rows) in [(20, 4), (30, 5), (40, 6), (200, 50)] {
        scene.resized(columns, rows);
        insta::assert_snapshot!(format!("list-{columns}x{rows}"), scene.golden());
    }
}

#[test]
fn without_colours_everything_can_be_told_apart() {
    let mut scene = Scene::cluster();
    scene.palette = Palette::Mono;
    golden("mono-list", &mut scene);
    golden("mono-delete", scene.types("d"));
    scene.key(Key::Esc).types("b").key(Key::Esc).key(Key::Down);
    golden("mono-alarm", scene.types("b"));
    scene.key(Key::Esc).types("n").key(Key::Enter);
    golden("mono-form-error", scene.key(Key::Enter));
}

#[test]
fn every_state_is_told_by_a_letter_of_its_own_and_no_colour_is_needed_for_it() {
    let mut scene = Scene::cluster();
    scene.palette = Palette::Mono;
    scene.passes(16);
    scene.lists(
        NEAR,
        vec![attached(session(A, "notes", "2026-03-02")), running(session(B, "b", "2026-03-01"))],
    );
    // One host is down, and what it has is not known to stand so any more.
    scene.answers(FAR, failure("agent-unreachable", "connection refused"));
    let text = scene.text();
    let states: Vec<&str> =
        text.lines().skip(4).take(6).map(|line| &line[..line.find('|').unwrap()]).collect();
    assert_eq!(states, [" C!", " R ", " ? ", " ? ", " O!", " ? "], "{text}");
    for cell in scene.buffer().content() {
        assert!(cell.fg == Color::Reset && cell.bg == Color::Reset, "{cell:?}");
    }
}

#[test]
fn before_anybody_has_answered_and_when_there_is_nothing() {
    golden("young", &mut Scene::of(vec![host("this machine", Place::Here)]));
    golden("empty", &mut Scene::local(Vec::new()));
}

#[test]
fn an_agent_that_is_late_or_not_reached_is_told() {
    let mut scene = Scene::cluster();
    scene.passes(16);
    scene.lists(FAR, Vec::new());
    golden("late", scene.passes(20));
    golden("silent", scene.passes(50));
    scene.answers(NEAR, failure("agent-unreachable", "connection refused"));
    golden("unreachable", scene.key(Key::End).key(Key::Enter));
}

#[test]
fn the_form_of_a_new_session() {
    let mut scene = Scene::cluster();
    scene.passes(16).answers(FAR, failure("agent-unreachable", "connection refused"));
    golden("select-agent", scene.types("n"));
    golden("create-form", scene.key(Key::Enter));
    golden("create-no-name", scene.key(Key::Enter));
    scene.types("api").key(Key::Tab).types(" ").key(Key::Tab).types("x").key(Key::Tab).types("API.Dev");
    golden("create-wrong-port", scene.key(Key::Enter));
    scene.key(Key::Backspace).types("auto");
    golden("create-saving", scene.key(Key::Enter));
    let words = "port 1001/udp is already assigned to another session";
    golden("create-refused", scene.comes_out(failure("port-taken", words)));
    scene.key(Key::Enter);
    let made = session("77777777-8888-4999-8aaa-bbbbbbbbbbbb", "api", "2026-03-02");
    golden("created", scene.comes_out(Outcome::Session { session: made, warning: None }));
}

#[test]
fn a_new_session_where_there_is_one_host_or_none() {
    golden("create-local", Scene::local(Vec::new()).types("n"));
    let mut scene = Scene::of(vec![host("this machine", Place::Orphans)]);
    scene.lists("this machine", Vec::new());
    golden("no-agents", scene.types("n"));
}

#[test]
fn the_form_of_a_session_that_is_there() {
    let mut scene = Scene::cluster();
    golden("edit-form", scene.types("e"));
    scene.key(Key::Enter);
    let now = session(A, "billing refactor", "2026-03-02");
    golden("edit-restart", scene.comes_out(Outcome::Session { session: now, warning: None }));
    golden("edit-restarting", scene.types("y"));
    let mut scene = Scene::local(vec![session(A, "notes", "2026-03-02")]);
    scene.types("e").key(Key::Enter);
    let now = session(A, "notes", "2026-03-02");
    let warning = Some("the DNS does not know of it yet: the hosts file cannot be written".to_owned());
    golden("edit-restart-stopped", scene.comes_out(Outcome::Session { session: now, warning }));
    golden("edit-warning", scene.types("n"));
    golden("clone-form", Scene::cluster().types("c"));
}

#[test]
fn every_question_before_something_is_done() {
    let mut scene = Scene::cluster();
    golden("delete", scene.types("d"));
    golden("delete-connected", scene.types("y"));
    scene.key(Key::Esc);
    golden("kill", scene.types("k"));
    golden("kill-initiated", scene.types("y"));
    golden("busy", scene.key(Key::Enter).key(Key::Enter));
    let mut scene = Scene::cluster();
    golden("background", scene.types("b"));
    scene.types("y");
    golden("backgrounded", scene.comes_out(Outcome::Done(None)));
    let mut scene = Scene::cluster();
    scene.key(Key::Down).key(Key::Down);
    golden("restart", scene.types("r"));
    golden("restarting", scene.types("y"));
    scene.key(Key::Enter);
    golden("quit-while-busy", scene.types("q"));
    let mut scene = Scene::cluster();
    scene.key(Key::End);
    golden("delete-orphan", scene.types("d"));
}

#[test]
fn every_no() {
    let mut scene = Scene::cluster();
    golden("already-running", scene.types("r"));
    scene.key(Key::Enter).key(Key::Down);
    golden("not-connected", scene.types("b"));
    scene.key(Key::Enter).key(Key::Down);
    golden("not-running", scene.types("k"));
    scene.key(Key::Enter).key(Key::Down);
    golden("locked", scene.key(Key::Enter));
    scene.key(Key::Enter).key(Key::Home).types("k").types("y").key(Key::Enter);
    let words = "failed to stop container: exit status 1";
    golden("failed", scene.comes_out(failure("container", words)));
    let mut scene = Scene::local(vec![locked(session(A, "notes", "2026-03-02"), 77, true)]);
    golden("locked-stale", scene.key(Key::Enter));
}

#[test]
fn a_lock_whose_owner_lives_shows_the_process_and_wants_its_number() {
    let mut scene = Scene::cluster();
    scene.key(Key::Down).key(Key::Down).key(Key::Down).types("o");
    let owner = "process 4242 of user 1337, since 2026-03-01 08:00:00: claude-shell --attach held";
    scene.comes_out(Outcome::Done(Some(owner.into())));
    golden("override-live", &mut scene);
    golden("override-wrong", scene.types("4243").key(Key::Enter));
    let mut scene = Scene::local(vec![locked(session(A, "notes", "2026-03-02"), 77, true)]);
    golden("override-stale", scene.types("o"));
    let mut scene = Scene::cluster();
    golden("override-unknown", scene.types("o"));
}

#[test]
fn an_orphan_is_offered_its_migration_and_how_far_it_has_come_is_shown() {
    let mut scene = Scene::cluster();
    scene.key(Key::End);
    golden("orphan", scene.key(Key::Enter));
    golden("migrate-select", scene.types("m"));
    golden("migrate-confirm", scene.key(Key::Enter));
    scene.types("y");
    let number = scene.number(|host, _| host == "this machine");
    scene.event(Event::Progress(number, Share { done: 52, all: 100 }));
    golden("migrating", &mut scene);
    golden("migrated", scene.comes_out(Outcome::Done(None)));
}

#[test]
fn settings_help_and_a_search() {
    let mut scene = Scene::cluster();
    scene.passes(16).answers(FAR, failure("agent-unreachable", "connection refused"));
    golden("settings", scene.types("s"));
    golden("help", scene.key(Key::Esc).types("?"));
    golden("search-typing", scene.key(Key::Esc).types("/bill"));
    golden("search", scene.key(Key::Enter));
    // An engine that does not say what runs takes no session from the list, and the settings say so.
    let odd = Session { unknown: Some(Unknown::Running), ..session(A, "notes", "2026-03-02") };
    let remarks = vec!["check running: docker does not say which containers run".to_owned()];
    scene.passes(32).answers(NEAR, Outcome::Listed { sessions: vec![odd], version: None, remarks });
    golden("settings-odd", scene.key(Key::Esc).types("s"));
}

#[test]
fn on_the_smallest_screen_a_dialog_shows_its_keys() {
    let mut scene = Scene::local(vec![attached(session(A, "billing refactor", "2026-03-02"))]);
    scene.resized(20, 4);
    for (name, keys) in [("delete", "d"), ("form", "n"), ("help", "?"), ("settings", "s")] {
        insta::assert_snapshot!(format!("small-{name}"), scene.types(keys).golden());
        scene.key(Key::Esc);
    }
    insta::assert_snapshot!("small-form-error", scene.types("n").key(Key::Enter).golden());
    scene.key(Key::Esc);
    insta::assert_snapshot!("small-search", scene.types("/a long search indeed").golden());
}

#[test]
fn a_list_that_is_longer_than_the_screen_shows_what_is_chosen() {
    let many = (10..60)
        .map(|at| running(session(&A.replace("3f", &at.to_string()), &format!("s{at}"), "2026-03-02")));
    let mut scene = Scene::local(many.collect());
    scene.resized(80, 24).key(Key::PageDown).key(Key::PageDown).key(Key::Up);
    insta::assert_snapshot!("long-list", scene.golden());
}

#[test]
fn a_letter_of_two_columns_behind_a_dialog_hides_none_of_its_keys() {
    for (columns, indent) in (20..60).flat_map(|columns| ["", "x"].map(|indent| (columns, indent))) {
        let wide = |uuid| running(session(uuid, &format!("{indent}{}", "\u{6f22}".repeat(40)), "2026-03-01"));
        let chosen = running(session(A, "ab", "2026-03-02"));
        let mut scene = Scene::local(vec![chosen, wide(B), wide(C), wide(D)]);
        scene.resized(columns, 6).types("k");
        let screen = scene.text();
        assert!(screen.contains("Kill Session") && screen.contains("(Y)es  (N)o"), "{columns}:\n{screen}");
    }
}
