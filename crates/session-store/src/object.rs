//! A JSON object as text that can be changed member by member: every byte that nobody changes stays.

use std::borrow::Cow;
use std::fmt;

use jsonl_stitch::json;

/// An object, taken apart. What [`Display`](fmt::Display) gives is what was parsed, but for what was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Object {
    /// All up to the opening brace, with it.
    head: String,
    members: Vec<Member>,
    /// All from behind the last value on.
    tail: String,
}

/// A member, with what stands before it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Member {
    /// White space, after a comma unless it is the first.
    lead: String,
    /// The name with its quotes, the colon and the white space around that.
    name: String,
    /// What the name says.
    key: Vec<u8>,
    value: String,
}

impl Object {
    /// An object without members, on lines of its own.
    pub(crate) fn empty() -> Self {
        Self { head: "{".to_owned(), members: Vec::new(), tail: "}\n".to_owned() }
    }

    /// Takes apart what must be one object, with white space around it and nothing else.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let found = json::members(bytes)?;
        let mut at = text.find('{')? + 1;
        let head = text[..at].to_owned();
        let members = found.iter().map(|member| {
            let name = member.name.start - 1;
            let parsed = Member {
                lead: text[at..name].to_owned(),
                name: text[name..member.value.start].to_owned(),
                key: json::decode(&bytes[member.name.clone()]).into_owned(),
                value: text[member.value.clone()].to_owned(),
            };
            at = member.value.end;
            parsed
        });
        let members = members.collect();
        Some(Self { head, members, tail: text[at..].to_owned() })
    }

    /// The members in their order, each name as often as it stands there: what it says, and its value.
    pub(crate) fn members(&self) -> impl DoubleEndedIterator<Item = (&[u8], &str)> {
        self.members.iter().map(|member| (&member.key[..], member.value.as_str()))
    }

    /// The value of a name: the last one, which is the one that counts.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.members().rev().find(|(key, _)| *key == name.as_bytes()).map(|(_, value)| value)
    }

    /// Gives a name this value, in its place if it is there, else behind all others.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        match self.members.iter_mut().rev().find(|member| member.key == name.as_bytes()) {
            Some(member) => value.clone_into(&mut member.value),
            None => self.push(name, value, 1),
        }
    }

    /// Adds a member behind all others, as these are laid out; the first one on a line of its own, this deep.
    pub(crate) fn push(&mut self, name: &str, value: &str, depth: usize) {
        let lead = match &mut self.members[..] {
            [] => self.open_up(depth),
            [first, ..] => format!(",{}", first.lead),
        };
        let name_and_colon = match self.members.first() {
            Some(first) => first.colon().to_owned(),
            None => ": ".to_owned(),
        };
        let quoted = String::from_utf8_lossy(&json::encode(name.as_bytes())).into_owned();
        self.members.push(Member {
            lead,
            name: quoted + &name_and_colon,
            key: name.as_bytes().to_vec(),
            value: value.to_owned(),
        });
    }

    /// How the first member's line begins, if it has one of its own: the end of the line before, and its indentation.
    pub(crate) fn margin(&self) -> Option<(&str, &str)> {
        let lead = &self.members.first()?.lead;
        let end = lead.rfind('\n')? + 1;
        let line = if lead[..end].ends_with("\r\n") { "\r\n" } else { "\n" };
        Some((line, &lead[end..]))
    }

    /// Takes away every member of such a name; answers whether there was one.
    pub(crate) fn remove(&mut self, is_meant: impl Fn(&[u8]) -> bool) -> bool {
        let before = self.members.len();
        let first_lead = self.members.first().map(|first| first.lead.clone());
        self.members.retain(|member| !is_meant(&member.key));
        match (self.members.first_mut(), first_lead) {
            (Some(first), Some(lead)) => first.lead = lead,
            (None, Some(_)) => self.tail = self.tail.trim_start_matches(is_space).to_owned(),
            _ => {}
        }
        self.members.len() < before
    }

    /// Makes room between braces with nothing but white space between them.
    fn open_up(&mut self, depth: usize) -> String {
        let indent = "  ".repeat(depth);
        let close = format!("\n{}", "  ".repeat(depth - 1));
        self.tail = close + self.tail.trim_start_matches(is_space);
        format!("\n{indent}")
    }
}

impl Member {
    /// What stands between a name and its value.
    fn colon(&self) -> &str {
        let end = self.name.rfind('"').map_or(0, |quote| quote + 1);
        &self.name[end..]
    }
}

impl fmt::Display for Object {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.head)?;
        for Member { lead, name, value, .. } in &self.members {
            write!(out, "{lead}{name}{value}")?;
        }
        out.write_str(&self.tail)
    }
}

/// What decoded text says, for people: half of a surrogate pair is no text.
pub(crate) fn shown(decoded: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(decoded) {
        return text.into();
    }
    let mut text = String::new();
    for chunk in decoded.utf8_chunks() {
        text += chunk.valid();
        if chunk.invalid().first() == Some(&0xED) {
            text.push(char::REPLACEMENT_CHARACTER); // the first of its three bytes
        }
    }
    text.into()
}

/// What a value says, if it is text.
pub(crate) fn text(value: &str) -> Option<String> {
    let inside = json::string_inside(value.as_bytes())?;
    Some(shown(&json::decode(inside)).into_owned())
}

fn is_space(letter: char) -> bool {
    matches!(letter, ' ' | '\t' | '\r' | '\n')
}
