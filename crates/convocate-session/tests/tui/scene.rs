//! A screen that a test looks at and types into.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use convocate_session::tui::{
    Ask, Event, Failure, Host, Key, Model, Moment, Order, Outcome, Palette, Setup, draw,
};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::{Buffer, Cell};
use session_control::{Place, Session};

pub(crate) const A: &str = "3f0c1d2e-5b6a-4c7d-8e9f-0a1b2c3d4e5f";
pub(crate) const B: &str = "9a8b7c6d-1e2f-4a3b-8c4d-5e6f7a8b9c0d";
pub(crate) const C: &str = "11111111-2222-4333-8444-555555555555";
pub(crate) const D: &str = "0d15ea5e-0000-4000-8000-00000000c0de";
pub(crate) const NEAR: &str = "k7m2p9x4qwzt";
pub(crate) const FAR: &str = "b3c4d5e6f7g8";

/// A model, the orders it has given, and the size of the screen.
pub(crate) struct Scene {
    pub(crate) model: Model,
    pub(crate) orders: Vec<Order>,
    pub(crate) size: (u16, u16),
    pub(crate) palette: Palette,
}

pub(crate) fn host(id: &str, place: Place) -> Host {
    let address = match place {
        Place::Agent => format!("claude@{}.example", &id[..2]),
        Place::Here => "local".into(),
        Place::Orphans => "/home/claude".into(),
    };
    Host { id: id.into(), place, address, lost: None }
}

pub(crate) fn session(uuid: &str, name: &str, accessed: &str) -> Session {
    Session {
        uuid: uuid.into(),
        name: name.into(),
        created_at: "2026-02-11T08:15:30.5Z".into(),
        last_accessed: format!("{accessed}T17:00:00Z"),
        ..Session::default()
    }
}

pub(crate) fn running(mut session: Session) -> Session {
    session.running = true;
    session
}

pub(crate) fn attached(session: Session) -> Session {
    Session { attached: true, ..running(session) }
}

pub(crate) fn locked(session: Session, pid: u32, stale: bool) -> Session {
    Session { locked: Some(true), lock_pid: Some(pid), lock_stale: Some(stale), ..session }
}

pub(crate) fn failure(code: &str, words: &str) -> Outcome {
    Outcome::Failed(Failure { code: code.into(), words: words.into() })
}

impl Scene {
    pub(crate) fn of(hosts: Vec<Host>) -> Self {
        let setup = Setup { version: "0.1.0".into(), build: "2026-03-01 1a2b3c4".into(), hosts };
        let mut scene =
            Self { model: Model::new(setup), orders: Vec::new(), size: (80, 24), palette: Palette::Color };
        scene.resized(80, 24);
        scene.passes(0);
        scene
    }

    /// One host, this machine, with these sessions.
    pub(crate) fn local(sessions: Vec<Session>) -> Self {
        let mut scene = Self::of(vec![host("this machine", Place::Here)]);
        scene.lists("this machine", sessions);
        scene
    }

    /// Two agents, and what was left behind here.
    pub(crate) fn cluster() -> Self {
        let mut scene = Self::of(vec![
            host(NEAR, Place::Agent),
            host(FAR, Place::Agent),
            host("this machine", Place::Orphans),
        ]);
        let billing = Session {
            port: 8080,
            protocol: "tcp".into(),
            dns_name: "billing".into(),
            ..attached(session(A, "billing refactor", "2026-03-02"))
        };
        let odd = running(session(B, "\u{6f22}\u{5b57}\u{202e}gnp.exe\x1b[2J and a long name", "2026-03-01"));
        scene.lists(NEAR, vec![odd, billing]);
        let stopped = session(C, "scratch", "2026-02-28");
        let held = locked(session(D, "held", "2026-02-27"), 4242, false);
        scene.lists(FAR, vec![held, stopped]);
        scene.lists("this machine", vec![session(A, "old notes", "2025-12-01")]);
        scene
    }

    pub(crate) fn resized(&mut self, columns: u16, rows: u16) -> &mut Self {
        self.size = (columns, rows);
        self.event(Event::Resize(columns, rows))
    }

    pub(crate) fn event(&mut self, event: Event) -> &mut Self {
        let orders = self.model.update(event);
        self.orders.extend(orders);
        self
    }

    /// So many seconds after the beginning.
    pub(crate) fn passes(&mut self, seconds: u64) -> &mut Self {
        let clock = format!("2026-03-02 17:{:02}:{:02}", 5 + seconds / 60, seconds % 60);
        let since = Duration::from_secs(seconds);
        self.event(Event::Tick(Moment { since, clock, load: Some([0.1, 0.2, 0.15]) }))
    }

    pub(crate) fn key(&mut self, key: Key) -> &mut Self {
        self.event(Event::Key(key))
    }

    pub(crate) fn types(&mut self, text: &str) -> &mut Self {
        for c in text.chars() {
            self.key(Key::Char(c));
        }
        self
    }

    /// The order of which nothing has been heard yet, the newest such first.
    pub(crate) fn number(&self, fits: impl Fn(&str, &Ask) -> bool) -> u64 {
        let numbers = self.orders.iter().rev().filter_map(|order| match order {
            Order::Ask { number, host, ask } if fits(host, ask) => Some(*number),
            _ => None,
        });
        { numbers }.next().expect("it was ordered")
    }

    /// The host answers the newest question for its list.
    pub(crate) fn lists(&mut self, host: &str, sessions: Vec<Session>) -> &mut Self {
        self.answers(host, Outcome::Listed { sessions, version: Some("0.1.0".into()), remarks: Vec::new() })
    }

    pub(crate) fn answers(&mut self, host: &str, outcome: Outcome) -> &mut Self {
        let number = self.number(|asked, ask| asked == host && *ask == Ask::Reload);
        self.event(Event::Done(number, outcome))
    }

    /// The newest order that is no question for a list has come out like this.
    pub(crate) fn comes_out(&mut self, outcome: Outcome) -> &mut Self {
        let number = self.number(|_, ask| *ask != Ask::Reload);
        self.event(Event::Done(number, outcome))
    }

    /// What was ordered last, questions for lists aside.
    pub(crate) fn last(&self) -> Option<&Order> {
        self.orders.iter().rev().find(|order| !matches!(order, Order::Ask { ask: Ask::Reload, .. }))
    }

    pub(crate) fn buffer(&self) -> Buffer {
        let mut terminal = Terminal::new(TestBackend::new(self.size.0, self.size.1)).unwrap();
        terminal.draw(|frame| draw(&self.model, self.palette, frame)).unwrap();
        terminal.backend().buffer().clone()
    }

    /// What stands on the screen.
    pub(crate) fn text(&self) -> String {
        lines(&self.buffer(), |cell| cell.symbol().chars().next().unwrap_or(' ')).join("\n")
    }

    /// The same, with a letter for the look of each cell beneath.
    pub(crate) fn golden(&self) -> String {
        let buffer = self.buffer();
        let mut looks: BTreeMap<String, char> = BTreeMap::new();
        for cell in buffer.content() {
            let next = char::from(b'a' + u8::try_from(looks.len()).expect("there are few looks"));
            looks.entry(look(cell)).or_insert(if look(cell) == "plain" { '.' } else { next });
        }
        let mut out = self.text();
        out += "\n--- looks\n";
        // Equal lines of looks stand once.
        let all = lines(&buffer, |cell| looks[&look(cell)]);
        let mut from = 0;
        for at in 1..=all.len() {
            if all.get(at) != all.get(from) {
                let rows = if at - from == 1 { from.to_string() } else { format!("{from}-{}", at - 1) };
                if !all[from].trim_end_matches('.').is_empty() {
                    writeln!(out, "{rows:>5} {}", runs(&all[from])).expect("a String takes it");
                }
                from = at;
            }
        }
        for (look, letter) in looks.iter().filter(|(look, _)| *look != "plain") {
            writeln!(out, "{letter} = {look}").expect("a String takes it");
        }
        out
    }
}

/// `aaab` as `a3 b1`.
fn runs(line: &str) -> String {
    let mut runs: Vec<(char, usize)> = Vec::new();
    for c in line.chars() {
        match runs.last_mut() {
            Some((last, times)) if *last == c => *times += 1,
            _ => runs.push((c, 1)),
        }
    }
    runs.iter().map(|(c, times)| format!("{c}{times}")).collect::<Vec<_>>().join(" ")
}

/// Line by line. Behind a wide character stands nothing.
pub(crate) fn lines(buffer: &Buffer, letter: impl Fn(&Cell) -> char) -> Vec<String> {
    let width = usize::from(buffer.area.width);
    let line = |cells: &[Cell]| {
        let mut line = String::new();
        let mut skip = 0;
        for cell in cells {
            if skip == 0 {
                line.push(letter(cell));
                skip = unicode_width::UnicodeWidthStr::width(cell.symbol()).max(1);
            }
            skip -= 1;
        }
        line.trim_end().to_owned()
    };
    buffer.content().chunks(width.max(1)).map(line).collect()
}

pub(crate) fn look(cell: &Cell) -> String {
    let style = cell.style();
    let mut parts = Vec::new();
    for (what, color) in [("", style.fg), ("on ", style.bg)] {
        if let Some(color) = color.filter(|color| *color != ratatui::style::Color::Reset) {
            parts.push(format!("{what}{color:?}").to_lowercase());
        }
    }
    if !style.add_modifier.is_empty() {
        parts.push(format!("{:?}", style.add_modifier).to_lowercase());
    }
    if parts.is_empty() { "plain".into() } else { parts.join(" ") }
}
