//! One of several agents is chosen.

use super::{Face, Line, Reply, Tone};
use crate::tui::{Key, Target};

/// What an agent is chosen for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// A new session.
    Create,
    /// An orphan, which is brought there, and what it is called.
    Migrate(Target, String),
}

/// An agent to choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Its id.
    pub host: String,
    /// Where it is, for people.
    pub address: String,
    /// Why it cannot be chosen.
    pub not: Option<String>,
}

/// One of several agents is chosen.
#[derive(Debug, Clone, PartialEq)]
pub struct Select {
    title: &'static str,
    choices: Vec<Choice>,
    at: usize,
    wanted: Wanted,
}

impl Select {
    /// One of these, of which the first that can be chosen comes first.
    pub fn new(choices: Vec<Choice>, wanted: Wanted) -> Self {
        let title = match wanted {
            Wanted::Create => "Select Agent for New Session",
            Wanted::Migrate(..) => "Select Agent to Migrate to",
        };
        let at = choices.iter().position(|choice| choice.not.is_none()).unwrap_or_default();
        Self { title, choices, at, wanted }
    }

    pub(super) fn key(&mut self, key: Key) -> Reply {
        match key {
            Key::Up => self.at = self.at.saturating_sub(1),
            Key::Down => self.at = (self.at + 1).min(self.choices.len().saturating_sub(1)),
            Key::Home => self.at = 0,
            Key::End => self.at = self.choices.len().saturating_sub(1),
            Key::Esc => return Reply::Close,
            Key::Enter => {
                if let Some(Choice { host, not: None, .. }) = self.choices.get(self.at) {
                    return Reply::Chosen(host.clone(), self.wanted.clone());
                }
            }
            _ => {}
        }
        Reply::Stay
    }

    pub(super) fn face(&self) -> Face {
        let line = |(at, choice): (usize, &Choice)| {
            let marker = if at == self.at { ">" } else { " " };
            let Choice { host, address, not } = choice;
            let text = match not {
                None => format!("{marker} {host}  {address}"),
                Some(why) => format!("{marker} {host}  {address}  {why}"),
            };
            let tone = match not {
                _ if at == self.at => Tone::Chosen,
                Some(_) => Tone::Faint,
                None => Tone::Plain,
            };
            let cursor = (at == self.at).then(String::new);
            Line { text, tone, cursor }
        };
        Face {
            title: self.title.into(),
            lines: self.choices.iter().enumerate().map(line).collect(),
            keys: "Up/Down=Move  Enter=Select  Esc=Cancel".into(),
            alarm: false,
        }
    }
}
