//! A line as real OpenClaw reads it (formats/openclaw.md §9, "Mapping").

use std::borrow::Cow;

use legacy_readers::openclaw::{Message, Moment};
use serde_json::value::RawValue;

use crate::spelling::{Spacing, respaced};
use crate::time::{iso_millis, naive_utc};

/// An object while it is written, without white space.
struct Object<'a> {
    out: &'a mut Vec<u8>,
    is_empty: bool,
}

impl<'a> Object<'a> {
    fn open(out: &'a mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, is_empty: true }
    }

    /// The place for the value of one more member.
    fn member(&mut self, name: &str) -> &mut Vec<u8> {
        if !std::mem::take(&mut self.is_empty) {
            self.out.push(b',');
        }
        push_text(name, self.out);
        self.out.push(b':');
        self.out
    }

    fn json(&mut self, name: &str, json: &str) {
        respaced(json, Spacing::Compact, self.member(name));
    }

    fn text(&mut self, name: &str, text: &str) {
        push_text(text, self.member(name));
    }

    fn close(self) {
        self.out.push(b'}');
    }
}

fn push_text(text: &str, out: &mut Vec<u8>) {
    let json = serde_json::to_string(text).unwrap_or_default();
    respaced(&json, Spacing::Compact, out);
}

/// The first line of a transcript: which session it is, and all that is known of it and has no other place.
pub fn header(id: &str, begun: Moment, cwd: &str, legacy: &[(String, Box<RawValue>)]) -> String {
    let mut out = Vec::new();
    let mut line = Object::open(&mut out);
    line.text("type", "session");
    line.json("version", "3");
    line.text("id", id);
    line.text("timestamp", &iso_millis(begun));
    line.text("cwd", cwd);
    if !legacy.is_empty() {
        let mut kept = Object::open(line.member("legacy"));
        for (name, value) in legacy {
            kept.json(name, value.get());
        }
        kept.close();
    }
    line.close();
    String::from_utf8(out).unwrap_or_default()
}

/// Appends the line of the message with this number.
pub(super) fn push_line(message: &Message<'_>, number: u64, fill: Moment, out: &mut Vec<u8>) {
    let mut legacy = Vec::new();
    let at = moment(message.get("timestamp"), fill, &mut legacy);
    let mut line = Object::open(out);
    line.text("type", "message");
    line.text("id", &id(number));
    match number.checked_sub(1) {
        None => line.json("parentId", "null"),
        Some(parent) => line.text("parentId", &id(parent)),
    }
    line.text("timestamp", &iso_millis(at));
    push_message(message, at, line.member("message"), &mut legacy);
    push_legacy(message, &legacy, &mut line);
    line.close();
    out.push(b'\n');
}

fn id(number: u64) -> String {
    format!("{number:08x}")
}

/// When it was said; what the line's milliseconds do not tell of how the source says so is kept.
fn moment(timestamp: Option<&RawValue>, fill: Moment, legacy: &mut Vec<&'static str>) -> Moment {
    let Some(timestamp) = timestamp else { return fill };
    let text = text_of(timestamp);
    let found = match &text {
        Some(text) => Moment::parse(text),
        None => serde_json::from_str(timestamp.get()).ok().and_then(Moment::of_number),
    };
    let at = found.unwrap_or(fill);
    let is_told = text.as_deref() == Some(&naive_utc(Moment { micros: at.millis() * 1000 }));
    if !is_told && timestamp.get() != "null" {
        legacy.push("timestamp");
    }
    at
}

fn push_message(message: &Message<'_>, at: Moment, out: &mut Vec<u8>, legacy: &mut Vec<&'static str>) {
    let role = message.get("role").map(|role| (role, text_of(role)));
    let is_result = matches!(&role, Some((_, Some(role))) if role == "tool");
    let mut inner = Object::open(out);
    match role {
        _ if is_result => inner.text("role", "toolResult"),
        Some((role, Some(_))) => inner.json("role", role.get()),
        Some((_, None)) => {
            legacy.push("role");
            inner.text("role", "user");
        }
        None => inner.text("role", "user"),
    }
    if is_result {
        for (name, field) in [("toolCallId", "tool_call_id"), ("toolName", "name")] {
            match message.get(field).filter(|value| value.get() != "null") {
                Some(value) if value.get().starts_with('"') => inner.json(name, value.get()),
                Some(_) => legacy.push(field),
                None => {}
            }
        }
    }
    push_content(message, inner.member("content"), legacy);
    if is_result {
        inner.json("isError", "false");
    } else {
        let unplaced = ["tool_call_id", "name"].into_iter();
        legacy.extend(unplaced.filter(|name| message.get(name).is_some_and(|value| value.get() != "null")));
    }
    inner.json("timestamp", &at.millis().to_string());
    inner.close();
}

fn push_content(message: &Message<'_>, out: &mut Vec<u8>, legacy: &mut Vec<&'static str>) {
    let content = message.get("content").map_or("null", RawValue::get);
    out.push(b'[');
    let mut is_empty = true;
    let mut block = |out: &mut Vec<u8>| {
        if !std::mem::take(&mut is_empty) {
            out.push(b',');
        }
    };
    match content.as_bytes()[0] {
        b'[' => {
            let inside = content[1..content.len() - 1].trim();
            if !inside.is_empty() {
                block(out);
                respaced(inside, Spacing::Compact, out);
            }
        }
        b'"' if content != "\"\"" => {
            block(out);
            let mut text = Object::open(out);
            text.text("type", "text");
            text.json("text", content);
            text.close();
        }
        b'"' | b'n' => {}
        _ => {
            legacy.push("content");
            block(out);
            let mut text = Object::open(out);
            text.text("type", "text");
            text.text("text", content);
            text.close();
        }
    }
    let calls = message.get("tool_calls").map_or("null", RawValue::get);
    match serde_json::from_str::<Vec<&RawValue>>(calls) {
        Ok(calls) => {
            let mut is_plain = true;
            for call in calls {
                block(out);
                is_plain &= push_call(call.get(), out);
            }
            if !is_plain {
                legacy.push("tool_calls");
            }
        }
        Err(_) if calls != "null" => legacy.push("tool_calls"),
        Err(_) => {}
    }
    out.push(b']');
}

/// Appends the block of a tool call, and answers whether all of the call is in it.
fn push_call(call: &str, out: &mut Vec<u8>) -> bool {
    let Ok(call) = Message::parse(call) else {
        let mut block = Object::open(out);
        block.text("type", "toolCall");
        block.json("arguments", "{}");
        block.close();
        return false;
    };
    let function = call.get("function").and_then(|function| Message::parse(function.get()).ok());
    let of = function.as_ref().unwrap_or(&call);
    let mut block = Object::open(out);
    block.text("type", "toolCall");
    for (name, value) in [("id", call.get("id")), ("name", of.get("name"))] {
        if let Some(value) = value.filter(|value| value.get().starts_with('"')) {
            block.json(name, value.get());
        }
    }
    let arguments = of.get("arguments").map_or("{}", RawValue::get);
    let told = push_arguments(arguments, block.member("arguments"));
    block.close();
    let is_plain_call = call.members.len() == 3
        && call.get("id").is_some_and(|id| id.get().starts_with('"'))
        && call.get("type").is_some_and(|kind| kind.get() == "\"function\"");
    let is_plain_function = function.is_some_and(|function| {
        function.members.len() == 2 && function.get("name").is_some_and(|name| name.get().starts_with('"'))
    });
    told && is_plain_call && is_plain_function
}

/// Appends what a tool was called with, as an object, and answers whether that is what was there, as text.
fn push_arguments(arguments: &str, out: &mut Vec<u8>) -> bool {
    if arguments.starts_with('{') {
        respaced(arguments, Spacing::Compact, out);
        return false;
    }
    let text = serde_json::from_str::<Cow<'_, str>>(arguments).ok();
    if let Some(object) = text.as_deref().map(str::trim).filter(|text| Message::parse(text).is_ok()) {
        respaced(object, Spacing::Compact, out);
    } else {
        let mut raw = Object::open(out);
        raw.json("_raw", arguments);
        raw.close();
    }
    arguments.starts_with('"')
}

/// Appends what the line has no place for: members that it does not know, and those that do not fit.
fn push_legacy(message: &Message<'_>, unfit: &[&'static str], line: &mut Object<'_>) {
    const KNOWN: [&str; 6] = ["role", "content", "timestamp", "tool_calls", "tool_call_id", "name"];
    let is_kept = |name: &[u8]| match KNOWN.iter().find(|known| known.as_bytes() == name) {
        Some(known) => unfit.contains(known),
        None => true,
    };
    let is_unset_image = |name: &[u8], value: &RawValue| name == b"images" && value.get() == "null";
    let kept: Vec<_> = message
        .members
        .iter()
        .filter(|(name, value)| is_kept(name) && !is_unset_image(name, value))
        .collect();
    if kept.is_empty() {
        return;
    }
    let out = line.member("legacy");
    out.push(b'{');
    for (number, (name, value)) in kept.into_iter().enumerate() {
        if number > 0 {
            out.push(b',');
        }
        out.extend(jsonl_stitch::json::encode(name));
        out.push(b':');
        respaced(value.get(), Spacing::Compact, out);
    }
    out.push(b'}');
}

/// The text that a value is, unless half of a surrogate pair is in it.
fn text_of(value: &RawValue) -> Option<Cow<'_, str>> {
    serde_json::from_str(value.get()).ok()
}
