//! What a key means.

use super::super::dialog::{Confirm, Deed, Dialog, Reply, Wanted};
use super::super::event::Key;
use super::super::field::Field;
use super::super::order::Order;
use super::{Model, Search};

impl Model {
    pub(super) fn key(&mut self, key: Key) {
        if let Some(dialog) = &mut self.dialog {
            match dialog.key(key) {
                Reply::Stay => {}
                Reply::Filled(draft) => self.filled(draft),
                reply => {
                    self.dialog = None;
                    self.replied(reply);
                }
            }
        } else if let Search::Typing(field) = &mut self.search {
            match key {
                Key::Esc => self.search = Search::None,
                Key::Enter => {
                    let text = field.text().to_owned();
                    self.search = if text.is_empty() { Search::None } else { Search::For(text) };
                    self.hit(0);
                }
                _ => _ = field.key(key),
            }
        } else {
            self.list_key(key);
        }
    }

    /// What is pasted is typed where something is typed, and is nothing elsewhere.
    pub(super) fn paste(&mut self, text: &str) {
        for c in text.chars().filter(|c| !c.is_control()) {
            if matches!(self.dialog, Some(Dialog::Form(_))) || self.is_searching() {
                self.key(Key::Char(c));
            }
        }
    }

    fn is_searching(&self) -> bool {
        self.dialog.is_none() && matches!(self.search, Search::Typing(_))
    }

    fn replied(&mut self, reply: Reply) {
        match reply {
            Reply::Agreed(deed) => self.agreed(deed),
            Reply::Chosen(host, Wanted::Create) => self.create_on(&host),
            Reply::Chosen(agent, Wanted::Migrate(target, name)) => self.migrate_to(target, &name, agent),
            Reply::Migrate(target, name) => self.migrate(target, name),
            Reply::Stay | Reply::Close | Reply::Filled(_) => {}
        }
    }

    fn list_key(&mut self, key: Key) {
        let page = self.room().saturating_sub(1).max(1);
        match key {
            Key::Up => self.choose(self.at.saturating_sub(1)),
            // Where nothing is chosen, what stands there now comes first.
            Key::Down => self.choose(self.chosen_at().map_or(self.at, |at| at + 1)),
            Key::PageUp => self.choose(self.at.saturating_sub(page)),
            Key::PageDown => self.choose(self.at + page),
            Key::Home => self.choose(0),
            Key::End => self.choose(self.rows.len()),
            Key::Enter => self.enter(),
            Key::Esc if matches!(self.search, Search::For(_)) => self.search = Search::None,
            Key::Esc => self.quit(),
            Key::Char(digit @ '1'..='9') => {
                let at = digit as usize - '1' as usize;
                if at < self.rows.len() {
                    self.choose(at);
                    self.enter();
                }
            }
            Key::Char('n') if matches!(self.search, Search::For(_)) => self.hit(1),
            Key::Char('N') if matches!(self.search, Search::For(_)) => self.hit(-1),
            Key::Char('/') => self.search = Search::Typing(Field::new("", 64)),
            Key::Char('?') => self.dialog = Some(Dialog::Help),
            Key::Char(letter) => self.letter(letter.to_ascii_lowercase()),
            _ => {}
        }
    }

    fn letter(&mut self, letter: char) {
        match letter {
            'q' => self.quit(),
            's' => self.dialog = Some(Dialog::Settings),
            'n' => self.create(),
            'c' => self.duplicate(),
            'e' => self.edit(),
            'b' => self.background(),
            'd' => self.delete(),
            'k' => self.kill(),
            'o' => self.unlock(),
            'r' => self.restart(),
            _ => {}
        }
    }

    pub(super) fn is_hit(&self, at: usize, text: &str) -> bool {
        let Some(row) = self.rows.get(at) else { return false };
        let (uuid, dns_name) =
            row.session.as_ref().map_or(("", ""), |session| (&session.uuid, &session.dns_name));
        let whole = [&row.name(), &row.host, uuid, dns_name].join("\n");
        whole.to_lowercase().contains(&text.to_lowercase())
    }

    /// The next row that fits: from the chosen one on, from the one behind it, or backwards from the one before it.
    fn hit(&mut self, step: isize) {
        let (Search::For(text), all) = (&self.search, self.rows.len()) else { return };
        let backwards = |at: usize| (self.at + 2 * all - 1 - at) % all;
        let forwards = |at: usize| (self.at + step.unsigned_abs() + at) % all;
        let found = (0..all).map(|at| if step < 0 { backwards(at) } else { forwards(at) });
        if let Some(at) = { found }.find(|&at| self.is_hit(at, text)) {
            self.choose(at);
        }
    }

    fn quit(&mut self) {
        let under_way: Vec<String> = self.busy.values().map(super::Busy::words).collect();
        if under_way.is_empty() {
            return self.out.push(Order::Quit);
        }
        let confirm = Confirm::new("Quit", "Quit, though this is under way?", Deed::Quit);
        self.dialog = Some(under_way.into_iter().fold(confirm, Confirm::and).into());
    }
}
