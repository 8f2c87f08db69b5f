//! What keys and answers come to.

use convocate_session::Changes;
use convocate_session::tui::{Ask, Event, Health, Key, Order, Outcome, Row};
use session_control::{Holder, Place, Session, Wishes};

use super::scene::{A, B, C, D, FAR, NEAR, Scene, attached, failure, host, locked, running, session};

fn ask(scene: &Scene) -> (&str, &Ask) {
    match scene.last() {
        Some(Order::Ask { host, ask, .. }) => (host, ask),
        other => panic!("expected a question to a host, found {other:?}"),
    }
}

#[test]
fn enter_attaches_to_what_runs_and_to_what_others_are_attached_to() {
    for state in [running, attached] {
        let mut scene = Scene::local(vec![state(session(A, "notes", "2026-03-02"))]);
        scene.key(Key::Enter);
        assert!(matches!(scene.last(), Some(Order::Attach { target, .. }) if target.id.as_str() == A));
    }
}

#[test]
fn enter_on_a_stopped_session_starts_it_and_then_attaches() {
    let mut scene = Scene::local(vec![session(A, "notes", "2026-03-02")]);
    scene.types("1");
    assert_eq!(ask(&scene), ("this machine", &Ask::Enter(A.parse().unwrap())));
    scene.comes_out(Outcome::Done(None));
    assert!(matches!(scene.last(), Some(Order::Attach { name, .. }) if name == "notes"));
}

#[test]
fn what_there_is_to_say_of_a_start_is_told_to_whoever_attaches_too() {
    let mut scene = Scene::local(vec![session(A, "notes", "2026-03-02")]);
    scene.key(Key::Enter).comes_out(Outcome::Done(Some("a power cut may take it back".into())));
    assert!(matches!(scene.last(), Some(Order::Attach { .. })), "{:?}", scene.last());
    scene.event(Event::Back(Ok("The session goes on running: \"notes\"".into())));
    assert!(scene.text().contains("a power cut may take it back"), "{}", scene.text());
}

#[test]
fn who_was_worked_with_last_comes_first_whatever_clock_has_told_the_time() {
    let session = |uuid, name, last_accessed: &str| Session {
        last_accessed: last_accessed.into(),
        ..session(uuid, name, "")
    };
    let scene = Scene::local(vec![
        session(A, "no time", "yesterday"),
        session(B, "first", "2026-03-02T17:00:00+02:00"),
        session(C, "last", "2026-03-02T15:00:00.5Z"),
    ]);
    let names: Vec<_> = scene.model.rows().iter().map(Row::name).collect();
    assert_eq!(names, ["last", "first", "no time"]);
}

#[test]
fn whoever_has_begun_with_something_else_is_not_torn_from_it_by_an_attach() {
    let two = || vec![session(A, "notes", "2026-03-02"), session(B, "other", "2026-03-01")];
    for (keys, shown) in [("nhalf a na", "half a na"), ("/half", "/half"), ("?", "Help")] {
        let mut scene = Scene::local(two());
        scene.key(Key::Enter).types(keys).comes_out(Outcome::Done(None));
        assert!(!scene.orders.iter().any(|order| matches!(order, Order::Attach { .. })), "{keys}");
        assert!(scene.text().contains(shown));
        assert!(scene.key(Key::Esc).text().contains("Enter attaches to it"), "{}", scene.text());
    }
    // Nor from what he has chosen meanwhile.
    let mut scene = Scene::local(two());
    scene.key(Key::Enter).key(Key::Down).comes_out(Outcome::Done(None));
    assert!(!scene.orders.iter().any(|order| matches!(order, Order::Attach { .. })));
    assert_eq!(scene.model.position().0, Some(1));
    // Nor by what was only pasted, or from what he is told.
    let attaches = |scene: &Scene| scene.orders.iter().any(|order| matches!(order, Order::Attach { .. }));
    let mut scene = Scene::local(two());
    scene.key(Key::Enter).event(Event::Paste("a word".into())).comes_out(Outcome::Done(None));
    assert!(!attaches(&scene));
    let [first, second] = [session(A, "notes", "2026-03-02"), running(session(B, "other", "2026-03-01"))];
    let mut scene = Scene::local(vec![first, second]);
    scene.key(Key::Down).types("ky").key(Key::Enter).key(Key::Up).key(Key::Enter);
    let stops = scene.number(|_, ask| matches!(ask, Ask::Kill(_)));
    scene.event(Event::Done(stops, failure("container", "it goes on"))).comes_out(Outcome::Done(None));
    assert!(!attaches(&scene) && scene.text().contains("it goes on"), "{}", scene.text());
}

#[test]
fn what_is_pasted_is_no_row_of_commands() {
    let mut scene = Scene::local(vec![running(session(A, "notes", "2026-03-02"))]);
    let paste = |text: &str| Event::Paste(text.into());
    scene.event(paste("ky\ndyq")).types("k").event(paste("y"));
    assert_eq!(scene.last(), None);
    scene.key(Key::Esc).types("n").event(paste("a\x1b\n b")).key(Key::Enter);
    assert!(matches!(ask(&scene).1, Ask::Create(wishes) if wishes.name == "a b"), "{:?}", scene.last());
}

#[test]
fn an_agent_that_is_not_reached_is_not_chosen() {
    let mut scene = Scene::cluster();
    scene.passes(16).answers(FAR, failure("agent-unreachable", "connection refused"));
    scene.types("n").key(Key::Down).key(Key::Enter);
    assert!(scene.text().contains("Select Agent for New Session"), "{}", scene.text());
}

#[test]
fn enter_never_means_a_session_that_was_not_chosen() {
    let mut scene = Scene::cluster();
    scene.passes(16).lists(FAR, vec![session(C, "scratch", "2026-02-28")]);
    scene.passes(32).types("/scratch").key(Key::Enter).key(Key::Esc);
    let chosen = scene.model.position().0;
    assert!(scene.model.rows()[chosen.unwrap()].name() == "scratch");

    // Its host goes down: what it has said last stays, and nothing can be done with it.
    scene.answers(FAR, failure("agent-unreachable", "connection refused"));
    let at = scene.model.position().0.expect("it stays chosen");
    assert_eq!(scene.model.rows()[at].name(), "scratch");
    for key in [Key::Enter, Key::Char('d'), Key::Char('r'), Key::Char('e')] {
        assert!(scene.key(key).text().contains("is not reached: connection refused"), "{}", scene.text());
        scene.key(Key::Esc);
    }
    scene.passes(48).lists(FAR, vec![session(C, "scratch", "2026-02-28")]);
    scene.key(Key::Enter);
    assert_eq!(ask(&scene), (FAR, &Ask::Enter(C.parse().unwrap())));
    scene.comes_out(failure("container", "no")).key(Key::Esc);

    // Somebody else removes it: then nothing is chosen, whatever stands in its place.
    let before = scene.last().cloned();
    scene.passes(64).lists(FAR, vec![session(D, "another", "2026-02-28")]);
    assert_eq!(scene.model.position().0, None);
    assert!(scene.key(Key::Enter).text().contains("Nothing is chosen"), "{}", scene.text());
    scene.types("dyry");
    assert_eq!(scene.last(), before.as_ref());
    // It is found again when it is back.
    scene.passes(80).lists(FAR, vec![session(C, "scratch", "2026-02-28")]);
    let at = scene.model.position().0.expect("it was chosen");
    assert_eq!(scene.model.rows()[at].name(), "scratch");
}

#[test]
fn what_is_agreed_to_is_not_done_at_a_host_that_went_down_meanwhile() {
    let mut scene = Scene::local(vec![session(A, "notes", "2026-03-02")]);
    scene.types("d").passes(16).answers("this machine", failure("container", "check running: no"));
    assert!(scene.types("y").text().contains("Nothing was done."), "{}", scene.text());
    assert_eq!(scene.last(), None);
}

#[test]
fn which_of_two_sessions_of_one_id_is_meant_is_said_before_anything_is_done_to_it() {
    for key in ["k", "b", "d", "e", "o"] {
        let mut scene = Scene::cluster();
        assert!(
            scene.types(key).text().contains(&format!("the one on {NEAR} is meant")),
            "{key}: {}",
            scene.text()
        );
    }
    let mut scene = Scene::of(vec![host(NEAR, Place::Agent), host(FAR, Place::Agent)]);
    scene.lists(NEAR, vec![session(A, "notes", "2026-03-02")]);
    scene.lists(FAR, vec![locked(session(A, "notes", "2026-03-01"), 4242, false)]);
    assert!(scene.types("r").text().contains(&format!("the one on {NEAR} is meant")), "{}", scene.text());
    scene.key(Key::Esc).key(Key::Down).types("o");
    assert!(scene.text().contains(&format!("the one on {FAR} is meant")), "{}", scene.text());
}

#[test]
fn a_choice_follows_its_session_when_the_list_is_ordered_anew() {
    let (a, b) = (session(A, "first", "2026-03-02"), session(B, "second", "2026-03-01"));
    let mut scene = Scene::local(vec![a.clone(), b.clone()]);
    scene.key(Key::Down).passes(16);
    scene.lists("this machine", vec![a, Session { last_accessed: "2026-03-03T00:00:00Z".into(), ..b }]);
    assert_eq!(scene.model.position().0, Some(0));
    scene.types("d").types("y");
    assert_eq!(ask(&scene), ("this machine", &Ask::Delete { id: B.parse().unwrap(), sure: false }));
}

#[test]
fn an_order_goes_to_the_host_whose_row_is_chosen_though_another_has_the_same_id() {
    let mut scene = Scene::cluster();
    scene.key(Key::End).types("d");
    assert!(scene.text().contains("Only the one on this machine is meant"), "{}", scene.text());
    scene.types("y");
    assert_eq!(ask(&scene), ("this machine", &Ask::Delete { id: A.parse().unwrap(), sure: false }));
}

#[test]
fn what_has_changed_while_a_question_stood_counts() {
    let stopped = session(A, "notes", "2026-03-02");
    let mut scene = Scene::local(vec![stopped.clone()]);
    scene.types("d").passes(16).lists("this machine", vec![attached(stopped.clone())]).types("y");
    assert_eq!(scene.last(), None);
    assert!(scene.text().contains("Somebody is attached"), "{}", scene.text());
    scene.types("n").types("d").passes(32).lists("this machine", Vec::new()).types("y");
    assert_eq!(scene.last(), None);
    assert!(scene.text().contains("It is not on the list any more"), "{}", scene.text());

    let mut scene = Scene::local(vec![locked(stopped.clone(), 42, false)]);
    scene
        .types("o")
        .comes_out(Outcome::Done(None))
        .types("42")
        .passes(16)
        .lists("this machine", vec![locked(stopped, 43, false)])
        .key(Key::Enter);
    assert!(matches!(ask(&scene).1, Ask::Owner(42)), "another program holds it now: {:?}", scene.last());
}

#[test]
fn a_lock_of_somebody_alive_goes_only_by_its_number() {
    let mut scene = Scene::local(vec![locked(session(D, "held", "2026-03-02"), 4242, false)]);
    for key in ["d", "e", "c", "r"] {
        assert!(scene.types(key).text().contains("in use by process 4242"), "{key}: {}", scene.text());
        scene.key(Key::Esc);
    }
    assert_eq!(scene.last(), None);
    scene.types("o").types("y").key(Key::Enter);
    assert!(matches!(ask(&scene).1, Ask::Owner(4242)));
    scene.key(Key::Backspace).types("4242").key(Key::Enter);
    assert_eq!(ask(&scene).1, &Ask::Unlock { id: D.parse().unwrap(), holder: Holder::Process(4242) });
}

#[test]
fn nothing_is_asked_of_an_agent_that_is_not_reached_or_for_what_is_no_session() {
    let mut scene = Scene::of(vec![host(NEAR, Place::Agent), host(FAR, Place::Agent)]);
    scene.answers(NEAR, failure("agent-unreachable", "connection refused"));
    scene.lists(FAR, vec![session("", "no id", "2026-03-02"), session("../x", "a path", "2026-03-02")]);
    for _ in 0..3 {
        for key in "cebdkor1".chars() {
            scene.key(Key::Char(key)).key(Key::Char('y'));
            if scene.model.dialog().is_some() {
                scene.key(Key::Esc);
            }
        }
        scene.key(Key::Enter).key(Key::Esc).key(Key::Down);
    }
    assert_eq!(scene.last(), None);
}

#[test]
fn a_host_that_has_not_answered_is_not_asked_again() {
    let mut scene = Scene::cluster();
    scene.passes(16).passes(40).passes(100).passes(1000);
    let times = |scene: &Scene, id: &str| {
        let fits = |order: &&Order| matches!(order, Order::Ask { host, .. } if host == id);
        scene.orders.iter().filter(fits).count()
    };
    assert_eq!([times(&scene, NEAR), times(&scene, FAR)], [2, 2]);
    assert!(scene.model.hosts().all(|(_, health)| matches!(health, Health::Down(_))));
    scene.lists(FAR, vec![session(C, "scratch", "2026-03-02")]);
    assert!(scene.text().contains("scratch"), "late is better than never: {}", scene.text());
    scene.passes(1001);
    assert_eq!([times(&scene, NEAR), times(&scene, FAR)], [2, 3]);
}

#[test]
fn while_something_long_is_under_way_the_list_is_kept_as_things_stand() {
    let mut scene = Scene::local(vec![session(A, "notes", "2026-03-02")]);
    scene.types("c").types("copy").key(Key::Enter).passes(16);
    assert!(matches!(scene.orders.last(), Some(Order::Ask { ask: Ask::Reload, .. })), "{:?}", scene.orders);
}

#[test]
fn a_host_that_is_at_something_is_not_taken_for_silent() {
    let mut scene = Scene::local(vec![session(A, "notes", "2026-03-02")]);
    scene.types("ry").key(Key::Enter);
    scene.passes(16).passes(100);
    assert!(scene.model.hosts().all(|(_, health)| matches!(health, Health::Up(_))));
    let mut scene = Scene::local(vec![session(A, "notes", "2026-03-02")]);
    scene.types("ry").key(Key::Enter).passes(1).comes_out(Outcome::Done(None));
    assert!(
        matches!(scene.orders.last(), Some(Order::Ask { ask: Ask::Reload, .. })),
        "it is looked at again, at once"
    );
}

#[test]
fn a_form_says_all_of_it_and_what_is_wrong_gets_the_focus() {
    let mut scene =
        Scene::local(vec![Session { dns_name: "Taken".into(), ..session(A, "notes", "2026-03-02") }]);
    scene
        .types("n")
        .types("a b")
        .key(Key::Tab)
        .types("u")
        .key(Key::Tab)
        .types("-1")
        .key(Key::Tab)
        .types("taken");
    scene.key(Key::Enter);
    let words = "DNS name \"taken\" is already assigned to another session";
    scene.comes_out(failure("dns-taken", words));
    assert!(scene.text().contains(&format!("error: {words}")));
    scene.types("2").key(Key::Enter);
    let wishes = Wishes { name: "a b".into(), port: -1, protocol: "udp".into(), dns_name: "taken2".into() };
    assert_eq!(ask(&scene), ("this machine", &Ask::Create(wishes)));

    for (typed, port) in [("", 0), ("none", 0), ("0", 0), ("AUTO", -1), ("65535", 65535)] {
        let mut scene = Scene::local(Vec::new());
        scene.types("n").types("a").key(Key::Tab).key(Key::Tab).types(typed).key(Key::Enter);
        assert!(matches!(ask(&scene).1, Ask::Create(wishes) if wishes.port == port), "{typed}");
    }
    for (typed, wrong) in [("x", "port must be a number"), ("65536", "port must be between 0 and 65535")] {
        let mut scene = Scene::local(Vec::new());
        scene.types("n").types("a").key(Key::BackTab).key(Key::BackTab).types(typed).key(Key::Enter);
        assert!(scene.last().is_none() && scene.text().contains(wrong), "{}", scene.text());
    }
}

#[test]
fn an_edit_says_what_was_typed_and_nothing_else() {
    let before = Session {
        port: 53,
        protocol: "udp".into(),
        dns_name: "n".into(),
        ..session(A, "notes", "2026-03-02")
    };
    let mut scene = Scene::local(vec![before.clone()]);
    scene.types("e").key(Key::End).types("2").key(Key::Enter);
    let changes = Changes { name: Some("notes2".into()), ..Changes::default() };
    assert_eq!(ask(&scene), ("this machine", &Ask::Edit(A.parse().unwrap(), changes)));

    // Everything, and what is nothing.
    let mut scene = Scene::local(vec![before]);
    scene
        .types("e")
        .types("2")
        .key(Key::Tab)
        .types("t")
        .key(Key::Tab)
        .key(Key::Backspace)
        .key(Key::Backspace);
    scene.key(Key::Tab).key(Key::Backspace).key(Key::Enter);
    let changes = Changes {
        name: Some("notes2".into()),
        port: Some(0),
        protocol: Some("tcp".into()),
        dns_name: Some(String::new()),
    };
    assert_eq!(ask(&scene), ("this machine", &Ask::Edit(A.parse().unwrap(), changes)));
}

#[test]
fn what_was_saved_is_applied_to_a_running_session_only_by_stopping_it_first() {
    for (before, after) in [
        (session(A, "notes", "2026-03-02"), Ask::Start(A.parse().unwrap())),
        (running(session(A, "notes", "2026-03-02")), Ask::StopAndStart(A.parse().unwrap())),
    ] {
        let mut scene = Scene::local(vec![before.clone()]);
        scene.types("e").key(Key::Enter).comes_out(Outcome::Session { session: before, warning: None });
        scene.types("y");
        assert_eq!(ask(&scene), ("this machine", &after));
    }
}

#[test]
fn several_orders_are_under_way_at_a_time_and_one_for_each_session() {
    let mut scene = Scene::cluster();
    scene.types("ky").key(Key::Enter);
    scene.key(Key::Down).key(Key::Down).types("ry").key(Key::Enter);
    let text = scene.text();
    assert!(text.contains("stopping \"billing refactor\"..., starting \"scratch\"..."), "{text}");
    let before = scene.orders.len();
    // Whatever is typed but closes what says so.
    scene.types("ry").key(Key::Home).types("dyy").types("dyy");
    assert_eq!(scene.orders.len(), before, "each has enough to do");
}

#[test]
fn an_answer_that_comes_while_something_is_typed_waits() {
    let mut scene = Scene::local(vec![running(session(A, "notes", "2026-03-02"))]);
    scene.types("ky").key(Key::Enter).types("n").types("abc");
    scene.comes_out(failure("container", "failed to stop container: no"));
    assert!(scene.text().contains("abc") && !scene.text().contains("failed to stop"), "{}", scene.text());
    assert!(scene.key(Key::Esc).text().contains("failed to stop container: no"), "{}", scene.text());
}

#[test]
fn a_search_goes_round_and_gives_its_letters_back() {
    let mut scene = Scene::cluster();
    scene.types("/s").key(Key::Enter);
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(scene.model.position().0);
        scene.types("n");
    }
    scene.types("N").types("N").types("N").types("N");
    assert!(seen.windows(2).all(|pair| pair[0] != pair[1]), "{seen:?}");
    scene.key(Key::Esc).types("n");
    assert!(scene.text().contains("Select Agent"), "{}", scene.text());
    let mut scene = Scene::local(Vec::new());
    scene.types("/x").key(Key::Enter).types("nN");
}

#[test]
fn what_was_done_is_told_after_the_end() {
    let mut scene = Scene::cluster();
    scene.types("n").key(Key::Enter).types("api").key(Key::Enter);
    let made = Session { port: 1001, dns_name: "api".into(), ..session(B, "api", "2026-03-02") };
    scene.comes_out(Outcome::Session { session: made, warning: None });
    scene.types("q");
    assert_eq!(scene.last(), Some(&Order::Quit));
    assert_eq!(
        scene.model.said(),
        [
            format!("Created session \"api\" ({B}) on agent {NEAR} (claude@k7.example)"),
            "  published port 1001/tcp".into(),
            "  DNS name \"api\" registered on agent".into(),
        ]
    );
}

#[test]
fn ctrl_c_ends_it_whatever_is_open() {
    let mut scene = Scene::cluster();
    scene.types("n").event(Event::Key(Key::Interrupt));
    assert_eq!(scene.last(), Some(&Order::Interrupt));
}

#[test]
fn a_session_whose_name_another_host_has_too_can_be_edited_all_the_same() {
    let named = |id, name| Session { dns_name: "same".into(), ..session(id, name, "2026-03-02") };
    let mut scene = Scene::local(vec![named(A, "notes"), named(B, "other")]);
    scene.types("e").key(Key::Enter);
    assert!(
        matches!(ask(&scene).1, Ask::Edit(_, changes) if *changes == Changes::default()),
        "{}",
        scene.text()
    );
}
