//! What a survey keeps of a session file.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::io::Read;

use durable_files::{Digest, Fingerprint};
use serde_json::value::RawValue;

use super::flaw::{Fault, Flaw};
use super::message::Message;
use super::moment::Moment;
use super::session_file::{Event, SessionFile};

/// A session, without its messages.
#[derive(Debug, Clone)]
pub struct Session {
    /// The file as it looked before it was read.
    pub fingerprint: Fingerprint,
    /// What it held then, if it had changed so recently that its looks alone prove nothing.
    pub digest: Option<Digest>,
    /// Whether it begins with a byte order mark.
    pub has_byte_order_mark: bool,
    /// The members of its object but the messages, by name, each once: of several the last counts.
    pub members: Vec<(String, Box<RawValue>)>,
    /// The names of members that were there more than once.
    pub repeated: Vec<String>,
    /// What its messages are like.
    pub messages: Messages,
}

/// What the messages of a session are like, without any of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Messages {
    /// How many members of the name there are: the last counts.
    pub series: u32,
    /// How many messages there are.
    pub count: u64,
    /// How many have no role.
    pub without_role: u64,
    /// How many have no content.
    pub without_content: u64,
    /// How many have no timestamp at all.
    pub without_timestamp: u64,
    /// How many have a timestamp that is no time.
    pub odd_timestamps: u64,
    /// The latest of their times.
    pub latest: Option<Moment>,
}

impl Session {
    /// The value of a member.
    pub fn get(&self, name: &str) -> Option<&RawValue> {
        self.members.iter().find(|(found, _)| found == name).map(|(_, value)| &**value)
    }

    /// The time that a member tells, as text or as a number.
    pub fn time(&self, name: &str) -> Option<Moment> {
        self.get(name).and_then(moment)
    }

    /// A store, or JSON of somebody else: an object that says nothing of what a session file says, or whose values are
    /// all entries (formats/openclaw.md §11, "Selection").
    fn is_foreign(&self) -> bool {
        const OWN: [&str; 4] = ["session_id", "metadata", "created_at", "updated_at"];
        let has_own = self.messages.series > 0 || OWN.iter().any(|name| self.get(name).is_some());
        let is_store = self.messages.series == 0
            && !self.members.is_empty()
            && self.members.iter().all(|(_, value)| is_entry(value));
        !has_own || is_store
    }
}

impl Messages {
    fn count(&mut self, message: &Message<'_>) {
        self.count += 1;
        self.without_role += u64::from(message.get("role").is_none());
        self.without_content += u64::from(message.get("content").is_none());
        match message.get("timestamp") {
            None => self.without_timestamp += 1,
            Some(value) if value.get() == "null" => {}
            Some(value) => match moment(value) {
                Some(at) => self.latest = self.latest.max(Some(at)),
                None => self.odd_timestamps += 1,
            },
        }
    }
}

/// A time as text or as a number.
fn moment(value: &RawValue) -> Option<Moment> {
    match serde_json::from_str::<Cow<'_, str>>(value.get()) {
        Ok(text) => Moment::parse(&text),
        Err(_) => serde_json::from_str(value.get()).ok().and_then(Moment::of_number),
    }
}

/// The members of the object but its messages, each once.
#[derive(Default)]
struct Members {
    found: Vec<(String, Box<RawValue>)>,
    places: HashMap<String, usize>,
    repeated: BTreeSet<String>,
}

impl Members {
    fn add(&mut self, name: String, value: Box<RawValue>) {
        if let Some(at) = self.places.get(&name) {
            self.found[*at].1 = value;
            self.repeated.insert(name);
        } else {
            self.places.insert(name.clone(), self.found.len());
            self.found.push((name, value));
        }
    }
}

/// Reads a session file to its end; `None` if it is of something else.
pub(super) fn read(input: impl Read, fingerprint: Fingerprint) -> Result<Option<Session>, Fault> {
    let mut file = SessionFile::new(input);
    let (mut members, mut messages) = (Members::default(), Messages::default());
    let mut metadata_at = (1, 1);
    while let Some(event) = file.next_event()? {
        match event {
            Event::Message(message) => messages.count(&message),
            Event::Messages => {
                messages = Messages { series: messages.series + 1, ..Messages::default() };
                if messages.series > 1 {
                    members.repeated.insert("messages".into());
                }
            }
            Event::Member { name, value } => {
                let is_metadata = *name == *b"metadata";
                members.add(String::from_utf8_lossy(&name).into_owned(), value.to_owned());
                if is_metadata {
                    metadata_at = file.place();
                }
            }
        }
    }
    let session = Session {
        fingerprint,
        digest: None,
        has_byte_order_mark: file.has_byte_order_mark(),
        members: members.found,
        repeated: members.repeated.into_iter().collect(),
        messages,
    };
    if session.is_foreign() {
        return Ok(None);
    }
    let is_fine = session.get("metadata").is_none_or(|value| value.get() == "null" || is_object(value));
    if is_fine {
        return Ok(Some(session));
    }
    let message = "expected metadata to be an object or null, found another value";
    let (line, column) = metadata_at;
    Err(Fault::Bad(Flaw { code: "metadata-not-an-object", message, line, column }))
}

fn is_object(value: &RawValue) -> bool {
    value.get().starts_with('{')
}

fn is_entry(value: &RawValue) -> bool {
    is_object(value)
        && Message::parse(value.get())
            .is_ok_and(|entry| ["session_id", "sessionId"].iter().any(|name| entry.get(name).is_some()))
}
