//! What stands on the screen, and what becomes of it.

mod asking;
mod choosing;
mod deeds;
mod keys;
mod outcomes;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use session_control::Place;

use super::dialog::Dialog;
use super::event::{Event, Key, Moment, Share};
use super::field::Field;
use super::order::{Ask, Order, Target};
use super::row::{self, Health, Host, HostState, Key as RowKey, Row};

/// How often every host is asked what it has.
const RELOAD: Duration = Duration::from_secs(15);
/// How long a host may take for that, and for how long an order is what somebody wants.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
/// How long a message stands.
const READING: Duration = Duration::from_secs(10);

/// What is the same all the time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Setup {
    /// The version of this program.
    pub version: String,
    /// What it was built from.
    pub build: String,
    /// Every host of sessions.
    pub hosts: Vec<Host>,
}

/// What stands on the screen. Events go in, orders come out.
#[derive(Debug, Clone)]
pub struct Model {
    setup: Setup,
    hosts: Vec<HostState>,
    rows: Vec<Row>,
    /// What is chosen, which may be off the list for a while, and where it stood last.
    chosen: Option<RowKey>,
    at: usize,
    top: usize,
    size: (u16, u16),
    moment: Moment,
    dialog: Option<Dialog>,
    /// What is to be told as soon as nothing else is.
    waiting: VecDeque<Dialog>,
    busy: BTreeMap<u64, Busy>,
    next: u64,
    /// How many keys there were.
    typed: u64,
    search: Search,
    message: Option<(String, Duration)>,
    said: Vec<String>,
    out: Vec<Order>,
}

/// An order that is under way.
#[derive(Debug, Clone)]
struct Busy {
    host: String,
    ask: Ask,
    /// What its session is called.
    name: String,
    /// How many keys there were when it was given.
    typed: u64,
    share: Option<Share>,
}

/// What is searched for.
#[derive(Debug, Clone, Default)]
enum Search {
    #[default]
    None,
    Typing(Field),
    For(String),
}

/// What stands in the line above the keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// Nothing.
    Quiet,
    /// A search that is being typed, up to the cursor and behind it.
    Typing(String, String),
    /// Words.
    Words(String),
    /// Words, and how far it has come.
    Bar(String, Share),
}

impl Model {
    /// A screen before anything is known.
    pub fn new(setup: Setup) -> Self {
        Self {
            hosts: setup.hosts.iter().cloned().map(HostState::new).collect(),
            setup,
            rows: Vec::new(),
            at: 0,
            chosen: None,
            top: 0,
            size: (80, 24),
            moment: Moment::default(),
            dialog: None,
            waiting: VecDeque::new(),
            busy: BTreeMap::new(),
            next: 0,
            typed: 0,
            search: Search::None,
            message: None,
            said: Vec::new(),
            out: Vec::new(),
        }
    }

    /// What becomes of it, and what is to be done.
    pub fn update(&mut self, event: Event) -> Vec<Order> {
        self.typed += u64::from(event.is_typed());
        match event {
            Event::Key(Key::Interrupt) => self.out.push(Order::Interrupt),
            Event::Key(key) => self.key(key),
            Event::Paste(text) => self.paste(&text),
            Event::Resize(columns, rows) => self.size = (columns, rows),
            Event::Tick(moment) => self.moment = moment,
            Event::Done(number, outcome) => self.done(number, outcome),
            Event::Progress(number, share) => {
                if let Some(busy) = self.busy.get_mut(&number) {
                    busy.share = Some(share);
                }
            }
            Event::Back(ended) => self.back(ended),
        }
        if self.dialog.is_none() {
            self.dialog = self.waiting.pop_front();
        }
        self.lose_patience();
        self.reload_what_is_due();
        self.arrange();
        std::mem::take(&mut self.out)
    }

    fn lose_patience(&mut self) {
        let now = self.moment.since;
        let silent = |(_, since): (u64, Duration)| now.saturating_sub(since) >= PATIENCE;
        for known in self.hosts.iter_mut().filter(|known| known.asked.is_some_and(silent)) {
            let words = format!("it has not answered within {} seconds", PATIENCE.as_secs());
            known.health = Health::Down(words);
        }
    }

    /// A host that is still at something short is not asked: its answer would come behind that.
    fn reload_what_is_due(&mut self) {
        let now = self.moment.since;
        for at in 0..self.hosts.len() {
            let HostState { host, asked, last, .. } = &self.hosts[at];
            let is_due = last.is_none_or(|last| now.saturating_sub(last) >= RELOAD);
            if host.lost.is_none()
                && asked.is_none()
                && is_due
                && !self.busy.values().any(|busy| busy.host == host.id && !busy.ask.is_long())
            {
                let host = host.id.clone();
                self.next += 1;
                self.hosts[at].asked = Some((self.next, now));
                self.hosts[at].last = Some(now);
                self.out.push(Order::Ask { number: self.next, host, ask: Ask::Reload });
            }
        }
    }

    /// Puts the rows in their order. What was chosen stays so, wherever it stands now; once it is gone nothing is chosen,
    /// rather than what stands in its place.
    fn arrange(&mut self) {
        self.rows = row::rows(&self.hosts, self.moment.since);
        if self.chosen.is_none() {
            self.chosen = self.rows.first().map(Row::key);
        }
        let known = self.rows.iter().position(|row| Some(row.key()) == self.chosen);
        self.at = known.unwrap_or(self.at).min(self.rows.len().saturating_sub(1));
        let room = self.room();
        let most = self.rows.len().saturating_sub(room);
        self.top = self.top.clamp(self.at.saturating_sub(room - 1), self.at).min(most);
    }

    fn choose(&mut self, at: usize) {
        self.at = at.min(self.rows.len().saturating_sub(1));
        self.chosen = self.rows.get(self.at).map(Row::key);
    }

    fn chosen_at(&self) -> Option<usize> {
        let row = self.rows.get(self.at)?;
        (Some(row.key()) == self.chosen).then_some(self.at)
    }

    /// Gives an order about a session, or to make one.
    fn ask(&mut self, host: &str, ask: Ask, name: &str) -> u64 {
        self.next += 1;
        let number = self.next;
        let (host, typed) = (host.to_owned(), self.typed);
        let busy = Busy { host: host.clone(), ask: ask.clone(), name: name.to_owned(), typed, share: None };
        self.busy.insert(number, busy);
        self.out.push(Order::Ask { number, host, ask });
        number
    }

    /// Told now, or as soon as nothing else is.
    fn tell(&mut self, dialog: Dialog) {
        if self.dialog.is_none() {
            self.dialog = Some(dialog);
        } else {
            self.waiting.push_back(dialog);
        }
    }

    fn mention(&mut self, words: String) {
        self.message = Some((words, self.moment.since));
    }

    fn row_of(&self, target: &Target) -> Option<&Row> {
        self.rows.iter().find(|row| row.target().as_ref() == Some(target))
    }

    fn doing_to(&self, target: &Target) -> Option<&'static str> {
        let mut about = self.busy.values().filter(|busy| busy.host == target.host);
        about.find(|busy| busy.ask.session() == Some(&target.id)).map(|busy| busy.ask.doing())
    }

    /// `agent k7m2p9x4qwzt (agent-1)`, or a name that is one by itself.
    pub(super) fn on(&self, id: &str) -> String {
        match self.setup.hosts.iter().find(|known| known.id == id) {
            Some(Host { place: Place::Agent, address, .. }) => format!("agent {id} ({address})"),
            _ => id.to_owned(),
        }
    }
}

/// What is to be seen of it.
impl Model {
    /// What is the same all the time.
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// Every host, and how it is.
    pub fn hosts(&self) -> impl Iterator<Item = (&Host, &Health)> {
        self.hosts.iter().map(|known| (&known.host, &known.health))
    }

    /// What was wrong beside the sessions of this host.
    pub fn remarks(&self, host: &str) -> &[String] {
        self.hosts.iter().find(|known| known.host.id == host).map_or(&[], |known| &known.remarks)
    }

    /// The list.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Which of the rows is chosen, if one is, and which stands at the top of the screen.
    pub fn position(&self) -> (Option<usize>, usize) {
        (self.chosen_at(), self.top)
    }

    /// The time, and the load of the machine.
    pub fn moment(&self) -> &Moment {
        &self.moment
    }

    /// The dialog that is open.
    pub fn dialog(&self) -> Option<&Dialog> {
        self.dialog.as_ref()
    }

    /// What was done, for whoever reads on after the end.
    pub fn said(&self) -> &[String] {
        &self.said
    }

    /// Whether nobody has answered yet, so that nothing can be told of sessions.
    pub fn is_young(&self) -> bool {
        !self.hosts.is_empty() && self.hosts.iter().all(|known| known.health == Health::Unknown)
    }

    /// How many rows of the list the screen has room for; one at least.
    fn room(&self) -> usize {
        usize::from(super::view::Layout::of(self.size.0, self.size.1).list.height).max(1)
    }

    /// What stands above the keys.
    pub fn status(&self) -> Status {
        if let Search::Typing(field) = &self.search {
            let behind = field.text()[field.before().len()..].to_owned();
            return Status::Typing(field.before().to_owned(), behind);
        }
        let under_way: Vec<String> = self.busy.values().map(Busy::words).collect();
        let share = self.busy.values().find_map(|busy| busy.share);
        let fresh =
            |since: Duration| self.moment.since.saturating_sub(since) < READING && under_way.is_empty();
        match (&self.message, &self.search, share) {
            (_, _, Some(share)) => Status::Bar(under_way.join(", "), share),
            (Some((words, since)), _, _) if fresh(*since) => Status::Words(words.clone()),
            _ if !under_way.is_empty() => Status::Words(under_way.join(", ")),
            (_, Search::For(text), _) => {
                let count = (0..self.rows.len()).filter(|&at| self.is_hit(at, text)).count();
                Status::Words(format!("/{text}  ({count} found)  n=next  N=previous  Esc=clear"))
            }
            _ => Status::Quiet,
        }
    }
}

impl Busy {
    fn words(&self) -> String {
        format!("{} {:?}...", self.ask.doing(), self.name)
    }
}
