//! What a line of a transcript says about itself, as far as a loader or a stitch needs it.

use std::ops::Range;

use bitflags::bitflags;
use memchr::memmem;

use crate::id::Name;
use crate::json::{decode, each_element, each_member, is_truthy, skip_space, string_inside, value_end};

bitflags! {
    /// What is known of a row.
    #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
    pub(crate) struct Flags: u16 {
        /// Not well-formed: every reader skips it.
        const BAD_JSON = 1;
        /// A compaction: `type` is exactly `system` and `subtype` exactly `compact_boundary`.
        const BOUNDARY = 1 << 1;
        /// A compaction that somebody disabled by renaming its subtype to `compact_boundary_disabled`.
        const DISABLED = 1 << 2;
        /// A boundary whose bytes hold `"compact_boundary"` as it is usually spelled.
        const LITERAL = 1 << 3;
        /// Its type is one that loaders show.
        const VISIBLE = 1 << 4;
        /// A user or assistant row.
        const MESSAGE = 1 << 5;
        /// Its message holds tool results and nothing else.
        const ONLY_TOOL_RESULTS = 1 << 6;
        /// A summary of what was compacted: never shown.
        const SUMMARY = 1 << 7;
        /// Only for the transcript: never shown.
        const TRANSCRIPT_ONLY = 1 << 8;
        /// A row of a subagent.
        const SIDECHAIN = 1 << 9;
        /// A queued command that the newest builds show again as a user row.
        const QUEUED_COMMAND = 1 << 10;
        /// The last line, without a line ending.
        const UNTERMINATED = 1 << 11;
        /// A boundary with a `preservedSegment` that is true to JavaScript.
        const SEGMENT = 1 << 12;
        /// Its line ends with CR LF.
        const CRLF = 1 << 13;
        /// A user row.
        const USER = 1 << 14;
        /// Not said by anybody: written for the model only.
        const META = 1 << 15;
    }
}

/// The segment of rows that a compaction preserved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Segment<I> {
    pub(crate) head: Option<I>,
    pub(crate) tail: Option<I>,
}

/// What only rows at compactions have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Compaction<I> {
    pub(crate) logical_parent: Option<I>,
    pub(crate) segment: Option<Segment<I>>,
}

/// A line, looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) flags: Flags,
    pub(crate) uuid: Option<Name>,
    pub(crate) parent: Option<Name>,
    pub(crate) compaction: Option<Box<Compaction<Name>>>,
}

/// The types that loaders show.
const VISIBLE_TYPES: [&[u8]; 10] = [
    b"user",
    b"assistant",
    b"system",
    b"result",
    b"stream_event",
    b"tool_use_summary",
    b"tool_progress",
    b"auth_status",
    b"prompt_suggestion",
    b"rate_limit_event",
];

/// The values of the members that matter, the last of each name.
#[derive(Default)]
struct Values {
    kind: Range<usize>,
    subtype: Range<usize>,
    uuid: Range<usize>,
    parent: Range<usize>,
    logical_parent: Range<usize>,
    metadata: Range<usize>,
    attachment: Range<usize>,
    flags: Flags,
}

impl<I> Compaction<I> {
    /// The same, with every id put through `change`.
    pub(crate) fn map<J>(self, mut change: impl FnMut(I) -> J) -> Compaction<J> {
        let logical_parent = self.logical_parent.map(&mut change);
        let segment = self.segment.map(|segment| Segment {
            head: segment.head.map(&mut change),
            tail: segment.tail.map(&mut change),
        });
        Compaction { logical_parent, segment }
    }
}

impl Record {
    /// Looks at a line, which has no line feed in it and is not blank.
    pub(crate) fn of(line: &[u8]) -> Self {
        let start = skip_space(line, 0);
        let mut values = Values::default();
        let end = if line.get(start) == Some(&b'{') {
            each_member(line, start, |line, name, at| values.take(line, name, at))
        } else {
            value_end(line, start)
        };
        match end.map(|end| skip_space(line, end) == line.len()) {
            Some(true) if line[start] == b'{' => values.record(line),
            Some(true) => Self::default(),
            _ => Self { flags: Flags::BAD_JSON, ..Self::default() },
        }
    }
}

impl Values {
    /// Keeps the value of a member, if it is one that matters.
    fn take(&mut self, line: &[u8], name: Range<usize>, at: usize) -> Option<usize> {
        let name = decode(&line[name]);
        if *name == *b"message" {
            let (end, only) = only_tool_results(line, at)?;
            self.flags.set(Flags::ONLY_TOOL_RESULTS, only);
            return Some(end);
        }
        let end = value_end(line, at)?;
        let value = at..end;
        match &*name {
            b"type" => self.kind = value,
            b"subtype" => self.subtype = value,
            b"uuid" => self.uuid = value,
            b"parentUuid" => self.parent = value,
            b"logicalParentUuid" => self.logical_parent = value,
            b"compactMetadata" => self.metadata = value,
            b"attachment" => self.attachment = value,
            b"isCompactSummary" => self.flags.set(Flags::SUMMARY, is_truthy(&line[value])),
            b"isVisibleInTranscriptOnly" => self.flags.set(Flags::TRANSCRIPT_ONLY, is_truthy(&line[value])),
            b"isSidechain" => self.flags.set(Flags::SIDECHAIN, is_truthy(&line[value])),
            b"isMeta" => self.flags.set(Flags::META, is_truthy(&line[value])),
            _ => {}
        }
        Some(end)
    }

    fn record(&self, line: &[u8]) -> Record {
        let kind = string_inside(&line[self.kind.clone()]).map(decode).unwrap_or_default();
        let subtype = string_inside(&line[self.subtype.clone()]).map(decode).unwrap_or_default();
        let is_system = *kind == *b"system";
        let boundary = is_system && *subtype == *b"compact_boundary";
        let disabled = is_system && *subtype == *b"compact_boundary_disabled";
        let mut flags = self.flags;
        flags.set(Flags::BOUNDARY, boundary);
        flags.set(Flags::DISABLED, disabled);
        flags.set(Flags::LITERAL, boundary && memmem::find(line, b"\"compact_boundary\"").is_some());
        flags.set(Flags::VISIBLE, VISIBLE_TYPES.contains(&&*kind));
        flags.set(Flags::USER, *kind == *b"user");
        flags.set(Flags::MESSAGE, matches!(&*kind, b"user" | b"assistant"));
        flags.set(Flags::QUEUED_COMMAND, *kind == *b"attachment" && self.is_queued_command(line));
        let compaction = (boundary || disabled).then(|| {
            Box::new(Compaction {
                logical_parent: name(line, &self.logical_parent),
                segment: segment(&line[self.metadata.clone()]),
            })
        });
        flags.set(Flags::SEGMENT, compaction.as_ref().is_some_and(|found| found.segment.is_some()));
        Record { flags, uuid: name(line, &self.uuid), parent: name(line, &self.parent), compaction }
    }

    fn is_queued_command(&self, line: &[u8]) -> bool {
        let attachment = &line[self.attachment.clone()];
        let text = |name: &str| value_of(attachment, name).and_then(string_inside).map(decode);
        !self.flags.contains(Flags::META)
            && text("type").is_some_and(|kind| *kind == *b"queued_command")
            && text("commandMode").is_none_or(|mode| *mode != *b"task-notification")
            && value_of(attachment, "source_uuid").is_some_and(is_truthy)
    }
}

/// The last value of this name in an object.
fn value_of<'a>(object: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let members = crate::json::members(object)?;
    crate::json::member(object, &members, name).map(|member| &object[member.value.clone()])
}

fn name(bytes: &[u8], value: &Range<usize>) -> Option<Name> {
    Name::of(&decode(string_inside(&bytes[value.clone()])?))
}

/// The preserved segment of a boundary's metadata: there is one if JavaScript takes its value for true.
fn segment(metadata: &[u8]) -> Option<Segment<Name>> {
    let segment = value_of(metadata, "preservedSegment").filter(|value| is_truthy(value))?;
    let id = |name| Name::of(&decode(string_inside(value_of(segment, name)?)?));
    Some(Segment { head: id("headUuid"), tail: id("tailUuid") })
}

/// Where a message ends, and whether its content is a list of tool results and nothing else.
fn only_tool_results(line: &[u8], at: usize) -> Option<(usize, bool)> {
    if line.get(at) != Some(&b'{') {
        return Some((value_end(line, at)?, false));
    }
    let mut only = false;
    let end = each_member(line, at, |line, name, at| {
        if *decode(&line[name]) != *b"content" {
            return value_end(line, at);
        }
        let (end, results) = is_list_of_tool_results(line, at)?;
        only = results;
        Some(end)
    })?;
    Some((end, only))
}

fn is_list_of_tool_results(line: &[u8], at: usize) -> Option<(usize, bool)> {
    if line.get(at) != Some(&b'[') {
        return Some((value_end(line, at)?, false));
    }
    let (mut results, mut others) = (0, 0);
    let end = each_element(line, at, |line, at| {
        let (end, is_result) = is_tool_result(line, at)?;
        *(if is_result { &mut results } else { &mut others }) += 1;
        Some(end)
    })?;
    Some((end, results > 0 && others == 0))
}

fn is_tool_result(line: &[u8], at: usize) -> Option<(usize, bool)> {
    if line.get(at) != Some(&b'{') {
        return Some((value_end(line, at)?, false));
    }
    let mut is_result = false;
    let end = each_member(line, at, |line, name, at| {
        let end = value_end(line, at)?;
        if *decode(&line[name]) == *b"type" {
            is_result =
                string_inside(&line[at..end]).map(decode).is_some_and(|kind| *kind == *b"tool_result");
        }
        Some(end)
    })?;
    Some((end, is_result))
}
