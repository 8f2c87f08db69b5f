//! What is to be said of a session.

use session_control::{Wishes, valid_dns_name, valid_name};

use super::{Face, Line, Reply, Tone};
use crate::Changes;
use crate::tui::field::Field;
use crate::tui::{Failure, Key, Target};
use crate::verbs::port;

/// What a form is for.
#[derive(Debug, Clone, PartialEq)]
enum Purpose {
    Create {
        host: String,
    },
    /// With what is said of it now.
    Edit {
        target: Target,
        now: Wishes,
    },
    Clone {
        target: Target,
    },
}

/// What a filled form asks for.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "they are what the form says")]
pub enum Draft {
    Create { host: String, wishes: Wishes },
    Edit { target: Target, name: String, changes: Changes },
    Clone { target: Target, name: String },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    Name,
    Protocol,
    Port,
    Dns,
}

/// What is to be said of a session.
#[derive(Debug, Clone, PartialEq)]
pub struct Form {
    title: String,
    purpose: Purpose,
    /// What stands above it.
    about: Option<String>,
    name: Field,
    udp: bool,
    port: Field,
    dns: Field,
    focus: Slot,
    wrong: Option<String>,
    /// The order that saves it, while it is under way.
    saving: Option<u64>,
}

impl Form {
    fn new(title: String, purpose: Purpose, said: &Wishes) -> Self {
        let port = if said.port == 0 { String::new() } else { said.port.to_string() };
        Self {
            title,
            purpose,
            about: None,
            name: Field::new(&said.name, 64),
            udp: said.protocol.eq_ignore_ascii_case("udp"),
            port: Field::new(&port, 5),
            dns: Field::new(&said.dns_name, 253),
            focus: Slot::Name,
            wrong: None,
            saving: None,
        }
    }

    /// For a new session on this host.
    pub fn create(title: impl Into<String>, host: impl Into<String>) -> Self {
        Self::new(title.into(), Purpose::Create { host: host.into() }, &Wishes::default())
    }

    /// For a session of which this is said now; `which` of several it is, if there are.
    pub fn edit(target: Target, now: &Wishes, which: Option<String>) -> Self {
        let form = Self::new("Edit Session".into(), Purpose::Edit { target, now: now.clone() }, now);
        Self { about: which, ..form }
    }

    /// For a copy of a session.
    pub fn duplicate(target: Target, from: impl Into<String>) -> Self {
        let form = Self::new("Clone Session".into(), Purpose::Clone { target }, &Wishes::default());
        Self { about: Some(format!("From: {}", from.into())), ..form }
    }

    /// It stays until this order has come out.
    pub(in crate::tui) fn waits_for(&mut self, number: u64) {
        self.saving = Some(number);
    }

    /// Whether it stays for this order.
    pub(in crate::tui) fn is_waiting_for(&self, number: u64) -> bool {
        self.saving == Some(number)
    }

    /// It was not done.
    pub(in crate::tui) fn refused(&mut self, failure: &Failure) {
        self.saving = None;
        let words = &failure.words;
        let slot = match failure.code.as_str() {
            "dns-taken" | "dns-unverified" => Slot::Dns,
            "port-taken" => Slot::Port,
            "invalid" if words.contains("protocol") => Slot::Protocol,
            "invalid" if words.contains("port") => Slot::Port,
            "invalid" if words.contains("DNS") => Slot::Dns,
            _ => Slot::Name,
        };
        self.blame(slot, words.clone());
    }

    fn blame(&mut self, slot: Slot, words: String) {
        self.focus = if self.slots().contains(&slot) { slot } else { Slot::Name };
        self.wrong = Some(words);
    }

    fn slots(&self) -> &'static [Slot] {
        match self.purpose {
            Purpose::Clone { .. } => &[Slot::Name],
            _ => &[Slot::Name, Slot::Protocol, Slot::Port, Slot::Dns],
        }
    }

    fn move_focus(&mut self, by: usize) {
        let slots = self.slots();
        let at = slots.iter().position(|&slot| slot == self.focus).unwrap_or_default();
        self.focus = slots[(at + by) % slots.len()];
    }

    pub(super) fn key(&mut self, key: Key) -> Reply {
        match key {
            Key::Esc => return Reply::Close,
            _ if self.saving.is_some() => {}
            Key::Tab | Key::Down => self.move_focus(1),
            Key::BackTab | Key::Up => self.move_focus(self.slots().len() - 1),
            Key::Enter => match self.draft() {
                Ok(draft) => return Reply::Filled(draft),
                Err((slot, words)) => self.blame(slot, words),
            },
            _ => self.typed(key),
        }
        Reply::Stay
    }

    fn typed(&mut self, key: Key) {
        let known = match (self.focus, key) {
            (Slot::Name, key) => self.name.key(key),
            (Slot::Port, key) => self.port.key(key),
            (Slot::Dns, Key::Char(c)) => self.dns.key(Key::Char(c.to_ascii_lowercase())),
            (Slot::Dns, key) => self.dns.key(key),
            (Slot::Protocol, Key::Char(' ')) => {
                self.udp = !self.udp;
                true
            }
            (Slot::Protocol, Key::Char(c @ ('t' | 'T' | 'u' | 'U'))) => {
                self.udp = c.eq_ignore_ascii_case(&'u');
                true
            }
            (Slot::Protocol, _) => false,
        };
        if known {
            self.wrong = None;
        }
    }

    /// What is filled in, or what is wrong with it and where.
    fn draft(&self) -> Result<Draft, (Slot, String)> {
        let name = valid_name(self.name.text()).map_err(|wrong| (Slot::Name, wrong.to_string()))?.to_owned();
        let port = port(self.port.text()).map_err(|wrong| (Slot::Port, wrong))?;
        let dns_name = valid_dns_name(self.dns.text()).map_err(|wrong| (Slot::Dns, wrong.to_string()))?;
        let wishes = Wishes { name, port, protocol: self.protocol().to_owned(), dns_name };
        Ok(match &self.purpose {
            Purpose::Create { host } => Draft::Create { host: host.clone(), wishes },
            Purpose::Clone { target } => Draft::Clone { target: target.clone(), name: wishes.name },
            Purpose::Edit { target, now } => {
                let (name, changes) = (wishes.name.clone(), between(now, wishes));
                Draft::Edit { target: target.clone(), name, changes }
            }
        })
    }

    fn protocol(&self) -> &'static str {
        if self.udp { "udp" } else { "tcp" }
    }

    pub(super) fn face(&self) -> Face {
        let mut lines: Vec<Line> = self.about.iter().map(Line::plain).collect();
        lines.extend(self.slots().iter().map(|&slot| self.line(slot)));
        lines.push(Line::plain(""));
        lines.push(match (&self.wrong, self.saving) {
            (_, Some(_)) => Line::toned("Saving... (Esc leaves it to the background)", Tone::Faint),
            (Some(wrong), _) => Line::toned(format!("error: {wrong}"), Tone::Wrong),
            (None, None) => Line::plain(""),
        });
        let keys = match self.purpose {
            Purpose::Clone { .. } => "Enter=Clone  Esc=Cancel",
            _ => "Tab=Next  Enter=Save  Esc=Cancel",
        };
        Face { title: self.title.clone(), lines, keys: keys.into(), alarm: false }
    }

    fn line(&self, slot: Slot) -> Line {
        let (label, field) = match slot {
            Slot::Name => ("Name:     ", &self.name),
            Slot::Port => ("Port:     ", &self.port),
            Slot::Dns => ("DNS Name: ", &self.dns),
            Slot::Protocol => {
                let tone = if self.focus == slot { Tone::Chosen } else { Tone::Plain };
                let text = format!("Protocol: {}  (t=tcp, u=udp, Space toggles)", self.protocol());
                return Line::toned(text, tone);
            }
        };
        if self.focus == slot {
            let cursor = Some(format!("{label}{}", field.before()));
            Line { text: format!("{label}{}", field.text()), tone: Tone::Chosen, cursor }
        } else {
            Line::plain(format!("{label}{}", field.text()))
        }
    }
}

/// What was changed in the form: what somebody else has said of the rest meanwhile stays.
fn between(now: &Wishes, wishes: Wishes) -> Changes {
    let dns_is_new = !wishes.dns_name.eq_ignore_ascii_case(&now.dns_name);
    Changes {
        port: (wishes.port != now.port).then_some(wishes.port),
        protocol: (wishes.protocol != now.protocol).then_some(wishes.protocol),
        dns_name: dns_is_new.then_some(wishes.dns_name),
        name: (wishes.name != now.name).then_some(wishes.name),
    }
}
