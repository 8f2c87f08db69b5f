//! A lock whose owner lives: it goes only for somebody who has looked at the owner.

use super::{Deed, Face, Line, Reply, Tone};
use crate::tui::field::Field;
use crate::tui::{Key, Target};

/// A lock whose owner lives. Its process is shown, and its number has to be typed.
#[derive(Debug, Clone, PartialEq)]
pub struct Unlock {
    target: Target,
    name: String,
    pid: u32,
    owner: Option<String>,
    /// Which of several sessions it is.
    which: Option<String>,
    typed: Field,
    wrong: bool,
}

impl Unlock {
    /// For the session of this name, which that process holds.
    pub fn new(target: Target, name: impl Into<String>, pid: u32, which: Option<String>) -> Self {
        Self { target, name: name.into(), pid, owner: None, which, typed: Field::new("", 10), wrong: false }
    }

    /// Who the owner is has been found out.
    pub(in crate::tui) fn owner_is(&mut self, pid: u32, words: &str) {
        if self.pid == pid {
            self.owner = Some(words.to_owned());
        }
    }

    pub(super) fn key(&mut self, key: Key) -> Reply {
        match key {
            Key::Esc => return Reply::Close,
            Key::Enter if self.typed.text() == self.pid.to_string() => {
                return Reply::Agreed(Deed::Unlock { target: self.target.clone(), owner: Some(self.pid) });
            }
            Key::Enter => self.wrong = true,
            _ => self.wrong &= !self.typed.key(key),
        }
        Reply::Stay
    }

    pub(super) fn face(&self) -> Face {
        let process = self.owner.clone().unwrap_or_else(|| format!("process {}", self.pid));
        let asked = "Type the pid to override: ";
        let mut lines = vec![
            Line::plain(format!("Session {:?} is in use by a process that is alive:", self.name)),
            Line::plain(process),
        ];
        lines.extend(self.which.iter().map(Line::plain));
        lines.extend([
            Line::plain(""),
            Line {
                text: format!("{asked}{}", self.typed.text()),
                tone: Tone::Chosen,
                cursor: Some(format!("{asked}{}", self.typed.before())),
            },
        ]);
        if self.wrong {
            lines.push(Line::toned(format!("error: expected {}", self.pid), Tone::Wrong));
        }
        Face { title: "Override Lock".into(), lines, keys: "Enter=Override  Esc=Cancel".into(), alarm: false }
    }
}
