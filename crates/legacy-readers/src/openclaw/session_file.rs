//! A session file, read piece by piece: one message, or one other member, is all that is in memory.

use std::io::Read;

use serde_json::value::RawValue;

use super::extent::Extent;
use super::flaw::{self, Fault, Flaw, Kind};
use super::message::{Message, decoded};
use super::window::Window;

/// A value of this many bytes is looked at before more of it is read: a missing quote must not take all memory.
const LARGE: usize = 16 << 20;

/// A session file while it is read.
pub struct SessionFile<R> {
    window: Window<R>,
    /// What the last event was made of.
    told: usize,
    state: State,
    has_mark: bool,
}

/// What was found next.
#[derive(Debug)]
pub enum Event<'a> {
    /// The array of messages begins; if it is a second one, it takes the place of the first.
    Messages,
    /// The next message of the array.
    Message(Message<'a>),
    /// Any other member of the file's object.
    Member {
        /// Its name.
        name: Vec<u8>,
        /// Its value.
        value: &'a RawValue,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Start,
    /// Within the object; whether a member was there already.
    Members(bool),
    /// Within the array of messages.
    Messages(bool),
    End,
}

impl<R: Read> SessionFile<R> {
    /// Begins to read.
    pub fn new(input: R) -> Self {
        Self { window: Window::new(input), told: 0, state: State::Start, has_mark: false }
    }

    /// Whether the file begins with a byte order mark; known after the first event.
    pub fn has_byte_order_mark(&self) -> bool {
        self.has_mark
    }

    /// The line and the column, in bytes, where the value of the last event begins; both from 1.
    pub(super) fn place(&self) -> (u64, u64) {
        self.window.place(0)
    }

    /// The next event; `None` at the end of a file that is whole.
    pub fn next_event(&mut self) -> Result<Option<Event<'_>>, Fault> {
        self.window.consume(std::mem::take(&mut self.told));
        if self.state == State::Start {
            self.begin()?;
        }
        if let State::Messages(after) = self.state {
            if self.goes_on(after, b']')? {
                self.state = State::Messages(true);
                return self.message().map(Some);
            }
            self.state = State::Members(true);
        }
        let State::Members(after) = self.state else { return Ok(None) };
        if self.goes_on(after, b'}')? {
            self.state = State::Members(true);
            return self.member().map(Some);
        }
        self.state = State::End;
        match self.window.peek()? {
            None => Ok(None),
            Some(_) => Err(self.bad(flaw::TRAILING, 0)),
        }
    }

    fn begin(&mut self) -> Result<(), Fault> {
        const MARK: &[u8] = b"\xEF\xBB\xBF";
        while self.window.bytes().len() < MARK.len() && self.window.more()? {}
        self.has_mark = self.window.bytes().starts_with(MARK);
        if self.has_mark {
            self.window.consume(MARK.len());
        }
        match self.window.peek()? {
            Some(b'{') => self.window.consume(1),
            None => return Err(self.bad(flaw::EMPTY, 0)),
            Some(b'[' | b'"' | b'0'..=b'9' | b'-' | b't' | b'f' | b'n') => {
                return Err(self.bad(flaw::NOT_AN_OBJECT, 0));
            }
            Some(_) => {
                let (kind, _) = flaw::first_in(self.window.bytes(), false);
                return Err(self.bad(kind, 0));
            }
        }
        self.state = State::Members(false);
        Ok(())
    }

    /// Whether another member or element follows, behind its comma; otherwise `close` is passed.
    fn goes_on(&mut self, after: bool, close: u8) -> Result<bool, Fault> {
        match self.window.peek()? {
            Some(byte) if byte == close => {
                self.window.consume(1);
                return Ok(false);
            }
            Some(b',') if after => {
                self.window.consume(1);
                if self.window.peek()?.is_some_and(|byte| byte == close) {
                    return Err(self.bad(flaw::SYNTAX, 0));
                }
            }
            Some(_) if after => return Err(self.bad(flaw::SYNTAX, 0)),
            _ => {}
        }
        Ok(true)
    }

    fn message(&mut self) -> Result<Event<'_>, Fault> {
        let first = self.window.peek()?;
        let len = self.value()?;
        if first != Some(b'{') {
            return Err(self.bad(flaw::NO_MESSAGE, 0));
        }
        self.told = len;
        let this = &*self;
        match Message::parse(this.text(len)?) {
            Ok(message) => Ok(Event::Message(message)),
            Err(_) => Err(this.bad_value(len)),
        }
    }

    fn member(&mut self) -> Result<Event<'_>, Fault> {
        let name = self.name()?;
        if self.window.peek()? != Some(b':') {
            return Err(self.bad_here());
        }
        self.window.consume(1);
        let first = self.window.peek()?;
        if name == b"messages" && first == Some(b'[') {
            self.window.consume(1);
            self.state = State::Messages(false);
            return Ok(Event::Messages);
        }
        let len = self.value()?;
        self.told = len;
        if name == b"messages" {
            let is_null = self.text(len)? == "null";
            return if is_null { Ok(Event::Messages) } else { Err(self.bad(flaw::NO_ARRAY, 0)) };
        }
        Ok(Event::Member { name, value: self.raw(len)? })
    }

    fn name(&mut self) -> Result<Vec<u8>, Fault> {
        if self.window.peek()? != Some(b'"') {
            return Err(self.bad_here());
        }
        let len = self.value()?;
        let name = decoded(self.raw(len)?.get()).into_owned();
        self.window.consume(len);
        Ok(name)
    }

    /// The length of the value that begins here, all of which is in the window afterwards.
    fn value(&mut self) -> Result<usize, Fault> {
        let (mut extent, mut looked) = (Extent::default(), LARGE);
        loop {
            if let Some(end) = extent.find(self.window.bytes()) {
                return Ok(end);
            }
            if self.window.bytes().len() >= looked {
                looked = 2 * self.window.bytes().len();
                let (kind, at) = flaw::first_in(self.window.bytes(), true);
                if kind != flaw::TRUNCATED {
                    return Err(self.bad(kind, at));
                }
            }
            if !self.window.more()? {
                let (kind, at) = flaw::first_in(self.window.bytes(), true);
                return Err(self.bad(kind, at));
            }
        }
    }

    fn text(&self, len: usize) -> Result<&str, Fault> {
        std::str::from_utf8(&self.window.bytes()[..len])
            .map_err(|error| self.bad(flaw::NOT_UTF8, error.valid_up_to()))
    }

    fn raw(&self, len: usize) -> Result<&RawValue, Fault> {
        serde_json::from_str(self.text(len)?).map_err(|_| self.bad_value(len))
    }

    /// What is wrong with the value that begins here.
    fn bad_value(&self, len: usize) -> Fault {
        let (kind, at) = flaw::first_in(&self.window.bytes()[..len], false);
        self.bad(kind, at)
    }

    /// What is wrong where a name or a colon should be.
    fn bad_here(&mut self) -> Fault {
        match self.window.peek() {
            Err(error) => error.into(),
            Ok(None) => self.bad(flaw::TRUNCATED, 0),
            Ok(Some(_)) => self.bad(flaw::SYNTAX, 0),
        }
    }

    fn bad(&self, (code, message): Kind, ahead: usize) -> Fault {
        let (line, column) = self.window.place(ahead);
        Fault::Bad(Flaw { code, message, line, column })
    }
}
