//! Whatever is typed and whatever happens: it can be drawn, and nothing is lost that nobody has agreed to lose.

use convocate_session::tui::{Ask, Event, Key, Order, Outcome, Share};
use proptest::prelude::*;
use session_control::{Holder, Session};

use super::scene::{A, B, C, D, Scene, failure, session};

/// What happens to a screen.
#[derive(Debug, Clone)]
enum Happening {
    Keys(Vec<Key>),
    Resize(u16, u16),
    Passes(u64),
    Lists(Vec<Session>),
    /// One of the orders that are out comes out.
    Ends(usize, usize),
    Progress(usize, u64),
    Back(bool),
}

fn key() -> impl Strategy<Value = Key> {
    use Key::{
        BackTab, Backspace, Char, Delete, Down, End, Enter, Esc, Home, Left, PageDown, PageUp, Right, Tab, Up,
    };
    prop_oneof![
        4 => proptest::sample::select("nceBDkosrq".chars().collect::<Vec<_>>()).prop_map(Char),
        4 => proptest::sample::select("yyY1234m/?".chars().collect::<Vec<_>>()).prop_map(Char),
        1 => any::<char>().prop_map(Char),
        4 => proptest::sample::select(vec![
            Enter, Enter, Esc, Tab, BackTab, Backspace, Delete, Up, Down, Down, Left, Right, Home, End, PageUp, PageDown,
            Key::Other,
        ]),
    ]
}

/// What leads to an order, or just past it: a row is chosen, its letter is pressed, and its dialog is answered.
fn purposeful() -> impl Strategy<Value = Vec<Key>> {
    use Key::{Char, Down, End, Enter, Esc, Home};
    let row = proptest::sample::select(vec![Home, Down, End]);
    let letter = proptest::sample::select("dkbroo".chars().collect::<Vec<_>>()).prop_map(Char);
    let answer = prop_oneof![
        proptest::sample::select(vec!['y', '1', '2']).prop_map(|c| vec![Char(c), Enter]),
        Just(vec![Char('m'), Enter, Char('y')]),
    ];
    (row, letter, answer).prop_map(|(row, letter, answer)| [vec![Esc, row, letter], answer].concat())
}

fn any_session() -> impl Strategy<Value = Session> {
    let uuid = proptest::sample::select(vec![A, B, C, D, "", "../x"]);
    let name = prop_oneof![Just("notes".to_owned()), any::<String>()];
    let lock = prop_oneof![
        Just(None),
        (any::<bool>(), proptest::option::of(1_u32..3), any::<bool>()).prop_map(Some),
        (1_u32..3).prop_map(|pid| Some((true, Some(pid), false))), // of somebody who lives
    ];
    (uuid, name, 1_u8..29, any::<(bool, bool)>(), -1_i64..70000, lock).prop_map(
        |(uuid, name, day, (running, attached), port, lock)| Session {
            running,
            attached,
            port,
            locked: lock.map(|(locked, ..)| locked),
            lock_pid: lock.and_then(|(_, pid, _)| pid),
            lock_stale: lock.map(|(.., stale)| stale),
            ..session(uuid, &name, &format!("2026-03-{day:02}"))
        },
    )
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        20 => key().prop_map(|key| Happening::Keys(vec![key])),
        3 => purposeful().prop_map(Happening::Keys),
        1 => (0_u16..130, 0_u16..45).prop_map(|(columns, rows)| Happening::Resize(columns, rows)),
        2 => (0_u64..40).prop_map(Happening::Passes),
        4 => proptest::collection::vec(any_session(), 0..5).prop_map(Happening::Lists),
        4 => (any::<usize>(), 0..6_usize).prop_map(|(at, how)| Happening::Ends(at, how)),
        1 => (any::<usize>(), 0_u64..200).prop_map(|(at, done)| Happening::Progress(at, done)),
        1 => any::<bool>().prop_map(Happening::Back),
    ]
}

/// The screen, and what a witness has seen of it.
struct Witness {
    scene: Scene,
    screen: String,
    seconds: u64,
    out: Vec<(u64, Ask)>,
    /// The last keys, each with the screen that it answered.
    typed: Vec<(Key, String)>,
}

impl Witness {
    fn sees(&mut self, happening: Happening) {
        if let Happening::Keys(keys) = happening {
            for key in keys {
                self.typed.push((key, self.screen.clone()));
                self.watches(true, |it| _ = it.scene.key(key));
            }
        } else {
            self.watches(false, |it| it.happens(happening));
        }
    }

    fn watches(&mut self, is_key: bool, happens: impl FnOnce(&mut Self)) {
        let before = self.scene.orders.len();
        happens(self);
        self.screen = self.scene.text(); // it can be drawn
        for order in self.scene.orders.split_off(before) {
            if let Order::Ask { number, ask, .. } = order {
                if is_destructive(&ask) {
                    assert!(is_key, "{ask:?} was ordered without a key");
                    self.agreed(&ask);
                }
                self.out.push((number, ask));
            }
        }
    }

    /// The keys that were shown were the last that were typed.
    fn agreed(&self, ask: &Ask) {
        let (key, screen) = self.typed.last().expect("a key was typed");
        if let Ask::Unlock { holder: Holder::Process(pid), .. } = ask {
            assert_eq!(*key, Key::Enter, "{screen}");
            // Where there is no room for all of it, the end of what is typed into is to be seen.
            let typed = screen.lines().find_map(|line| line.split_once("override: "));
            let typed = typed.and_then(|(_, rest)| rest.split(|c: char| !c.is_ascii_digit()).next());
            assert!(self.is_tiny() || typed == Some(&pid.to_string()), "{pid} is unlocked at\n{screen}");
            return;
        }
        assert!(matches!(key, Key::Char('y' | 'Y')), "{ask:?} was ordered by {key:?} at\n{screen}");
        let (title, yes) = match ask {
            Ask::Delete { .. } => ("Confirm Delete", "(Y)es  (N)o"),
            Ask::Kill(_) => ("Kill Session", "(Y)es  (N)o"),
            Ask::Background(_) => ("Background Session", "(Y)es  (N)o"),
            Ask::StopAndStart(_) => ("Restart Session", "Y = restart now"),
            Ask::Migrate { .. } => ("Migrate Session", "(Y)es  (N)o"),
            _ => ("Override Lock", "(Y)es  (N)o"),
        };
        assert!(
            self.is_tiny() || (screen.contains(title) && screen.contains(yes)),
            "{ask:?} was ordered at\n{screen}"
        );
    }

    /// On less than 20x4 not all can be shown.
    fn is_tiny(&self) -> bool {
        self.scene.size.0 < 20 || self.scene.size.1 < 4
    }

    fn happens(&mut self, happening: Happening) {
        match happening {
            Happening::Resize(columns, rows) => _ = self.scene.resized(columns, rows),
            Happening::Passes(seconds) => {
                self.seconds += seconds;
                self.scene.passes(self.seconds % 3000);
            }
            Happening::Lists(sessions) => self.lists(sessions),
            Happening::Ends(at, how) if !self.out.is_empty() => {
                let (number, _) = self.out.remove(at % self.out.len());
                self.scene.event(Event::Done(number, outcome(how)));
            }
            Happening::Progress(at, done) if !self.out.is_empty() => {
                let (number, _) = self.out[at % self.out.len()];
                self.scene.event(Event::Progress(number, Share { done, all: 100 }));
            }
            Happening::Back(well) => {
                let ended = if well { Ok("detached".into()) } else { Err("the link was lost".into()) };
                self.scene.event(Event::Back(ended));
            }
            Happening::Keys(_) | Happening::Ends(..) | Happening::Progress(..) => {}
        }
    }

    fn lists(&mut self, sessions: Vec<Session>) {
        let Some(at) = self.out.iter().position(|(_, ask)| *ask == Ask::Reload) else { return };
        let (number, _) = self.out.remove(at);
        self.scene.event(Event::Done(
            number,
            Outcome::Listed { sessions, version: None, remarks: vec!["it is odd".into()] },
        ));
    }
}

fn outcome(how: usize) -> Outcome {
    match how {
        0 => Outcome::Done(None),
        1 => Outcome::Done(Some("and more".into())),
        2 => Outcome::Session { session: session(A, "made", "2026-03-02"), warning: None },
        3 => failure("port-taken", "port 1/tcp is already assigned to another session"),
        4 => failure("already-running", "session \"x\" already running"),
        _ => failure("io", "cannot do it"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 80, max_shrink_iters: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_without_the_keys_that_were_shown(all in proptest::collection::vec(happening(), 1..150)) {
        let (scene, screen) = (Scene::cluster(), String::new());
        let mut witness = Witness { scene, screen, seconds: 0, out: Vec::new(), typed: Vec::new() };
        for happening in all {
            witness.sees(happening);
        }
    }
}

/// Whether somebody's work may be lost by it.
fn is_destructive(ask: &Ask) -> bool {
    matches!(
        ask,
        Ask::Delete { .. }
            | Ask::Kill(_)
            | Ask::Background(_)
            | Ask::StopAndStart(_)
            | Ask::Unlock { .. }
            | Ask::Migrate { .. }
    )
}
