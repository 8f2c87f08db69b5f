//! One line that is typed.

use super::Key;

/// One line that is typed, with a place in it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Field {
    text: String,
    /// In characters.
    at: usize,
    longest: usize,
}

impl Field {
    pub(super) fn new(text: &str, longest: usize) -> Self {
        Self { at: text.chars().count(), text: text.to_owned(), longest }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// What stands before the place of the next character.
    pub(super) fn before(&self) -> &str {
        &self.text[..self.byte(self.at)]
    }

    /// Whether the key was one to type with.
    pub(super) fn key(&mut self, key: Key) -> bool {
        let length = self.text.chars().count();
        match key {
            Key::Char(c) if !c.is_control() => {
                if length < self.longest {
                    self.text.insert(self.byte(self.at), c);
                    self.at += 1;
                }
            }
            Key::Backspace if self.at > 0 => {
                self.at -= 1;
                self.text.remove(self.byte(self.at));
            }
            Key::Delete if self.at < length => {
                self.text.remove(self.byte(self.at));
            }
            Key::Left => self.at = self.at.saturating_sub(1),
            Key::Right => self.at = (self.at + 1).min(length),
            Key::Home => self.at = 0,
            Key::End => self.at = length,
            Key::Backspace | Key::Delete => {}
            _ => return false,
        }
        true
    }

    fn byte(&self, at: usize) -> usize {
        self.text.char_indices().nth(at).map_or(self.text.len(), |(byte, _)| byte)
    }
}
