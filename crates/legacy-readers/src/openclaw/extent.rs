//! Where a value ends, told from quotes and brackets alone: whether it is one is asked of its bytes afterwards.

use super::window::is_space;

/// A look for the end of a value, which goes on where it stopped once more has been read.
#[derive(Default)]
pub(super) struct Extent {
    at: usize,
    depth: usize,
    in_string: bool,
}

impl Extent {
    /// The end of the value that `bytes` begin with, if they hold it. They are those of the last time, and more.
    pub(super) fn find(&mut self, bytes: &[u8]) -> Option<usize> {
        if !matches!(bytes.first(), Some(b'"' | b'{' | b'[')) {
            return bytes.iter().position(|&byte| is_delimiter(byte));
        }
        while self.at < bytes.len() {
            if self.in_string {
                self.leave_string(bytes)?;
            } else {
                match bytes[self.at] {
                    b'"' => self.in_string = true,
                    b'{' | b'[' => self.depth += 1,
                    b'}' | b']' => self.depth -= 1,
                    _ => {}
                }
                self.at += 1;
            }
            if self.depth == 0 && !self.in_string {
                return Some(self.at);
            }
        }
        None
    }

    /// Goes on to behind the closing quote, if it is there.
    fn leave_string(&mut self, bytes: &[u8]) -> Option<()> {
        loop {
            let Some(found) = memchr::memchr2(b'"', b'\\', &bytes[self.at..]) else {
                self.at = bytes.len();
                return None;
            };
            self.at += found;
            if bytes[self.at] == b'"' {
                self.at += 1;
                self.in_string = false;
                return Some(());
            }
            if self.at + 2 > bytes.len() {
                return None; // what is escaped has not been read yet
            }
            self.at += 2;
        }
    }
}

/// What ends a number or a word.
fn is_delimiter(byte: u8) -> bool {
    matches!(byte, b',' | b'}' | b']' | b':') || is_space(byte)
}
