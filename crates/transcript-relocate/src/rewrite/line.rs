//! One line, or one document: which of its strings concern the rules, and what becomes of them.

use std::io::{self, Write};
use std::ops::Range;

use jsonl_stitch::json::is_json;

use super::decode::{Text, encode, says};
use super::edits::Edits;
use super::json::{JsonString, Lexer, NotJson};
use super::leftovers::Group;
use super::literal::backslashes_before;
use super::members::Members;
use super::report::{Rewritten, Sample, around, shortened};
use super::rules::PathRules;
use super::scan::{Change, NameMap, Piece, Site, scan};

/// JSON inside JSON is looked into this deep. Each level doubles the backslashes of the one inside it, so a text that is
/// nested deeper says nothing else.
const DEEPEST: u32 = 24;

/// A string this long is looked into only after the text around it has been let go.
const LARGE: usize = 64 << 10;

/// Rewrites lines, one after the other, and counts.
pub struct Rewriter<'r> {
    rules: &'r PathRules,
    members: Members<'r>,
    names: &'r NameMap<'r>,
    report: Rewritten,
    /// What this line adds to the report, once it is known to be one that may be changed.
    pending: Vec<Noted>,
    edits: Edits,
    deferred: Vec<Region>,
    /// Of the line in hand, from 1.
    number: u64,
    /// A replacement would have broken this line.
    unsafe_line: bool,
}

/// A text this long is not decoded as a whole if it does not have to be.
const LONG_TEXT: usize = 2 << 10;

/// A string of the line.
#[derive(Debug)]
struct Region {
    raw: Range<usize>,
    level: u32,
    known_path: bool,
}

#[derive(Debug)]
enum Noted {
    Path { rule: usize, sample: Option<Sample> },
    Kept,
    Leftover { group: Group, sample: String },
}

impl std::fmt::Debug for Rewriter<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rewriter").field("report", &self.report).finish_non_exhaustive()
    }
}

impl<'r> Rewriter<'r> {
    /// A rewriter that has seen nothing yet.
    pub fn new(rules: &'r PathRules, members: Members<'r>, names: &'r NameMap<'r>) -> Self {
        Self {
            rules,
            members,
            names,
            report: Rewritten::of(rules),
            pending: Vec::new(),
            edits: Edits::default(),
            deferred: Vec::new(),
            number: 0,
            unsafe_line: false,
        }
    }

    /// Writes the next line (with its line end or without) as it is now, and says whether it changed.
    pub fn line(&mut self, line: &[u8], out: &mut impl Write) -> io::Result<bool> {
        self.pass(1);
        if self.rules.anchors.next(line, 0).is_none() {
            out.write_all(line)?;
            return Ok(false);
        }
        self.find_edits(line);
        self.report.changed_lines += u64::from(!self.edits.is_empty());
        self.edits.write(line, out)?;
        Ok(!self.edits.is_empty())
    }

    /// Counts lines that were copied without being looked at.
    pub(super) fn pass(&mut self, lines: u64) {
        self.number += lines;
        self.report.lines += lines;
    }

    /// Another one for lines that begin this many behind the next, to be absorbed when it is done.
    pub(super) fn beside(&self, lines: u64) -> Self {
        Self { number: self.number + lines, ..Self::new(self.rules, self.members, self.names) }
    }

    /// Takes over what was done beside, behind everything that this one did.
    pub(super) fn absorb(&mut self, beside: Self) {
        self.number = beside.number;
        self.report.absorb(beside.report);
    }

    pub(super) fn next_anchor(&self, text: &[u8], from: usize) -> Option<usize> {
        self.rules.anchors.next(text, from)
    }

    /// What was done so far.
    pub fn report(&self) -> &Rewritten {
        &self.report
    }

    /// What was done.
    pub fn into_report(self) -> Rewritten {
        self.report
    }

    /// Nothing is changed unless all of it is JSON, and stays so.
    fn find_edits(&mut self, line: &[u8]) {
        self.forget();
        let whole = Text::decode(line, 0..line.len(), 0);
        if self.strings(&whole, 0..line.len()).is_err() {
            self.forget();
            return self.invalid(line);
        }
        while let Some(region) = self.deferred.pop() {
            self.region(line, &region);
        }
        if self.unsafe_line {
            self.forget();
            self.note(Noted::Leftover { group: Group::Other, sample: shortened(line) });
        }
        self.settle();
    }

    fn forget(&mut self) {
        self.edits.clear();
        self.pending.clear();
        self.deferred.clear();
        self.unsafe_line = false;
    }

    /// Looks into every string of a JSON text that has an anchor.
    fn strings(&mut self, text: &Text<'_>, part: Range<usize>) -> Result<(), NotJson> {
        let bytes = &text.bytes()[part.clone()];
        let anchors = &self.rules.anchors;
        let mut lexer = Lexer::new(bytes);
        let mut next = anchors.next(bytes, 0);
        while let Some(string) = lexer.next_string()? {
            if next.is_some_and(|at| at < string.inside.start) {
                next = anchors.next(bytes, string.inside.start);
            }
            if let Some(at) = next.filter(|&at| at < string.inside.end) {
                let is_long_text = text.level() == 0 && is_long_text(&bytes[string.inside.clone()]);
                if !(is_long_text && self.pieces(bytes, &string.inside, at)) {
                    let known_path = self.members.hold_path(bytes, &string);
                    self.string(text, part.start, &string, known_path);
                }
                next = anchors.next(bytes, string.inside.end);
            }
        }
        Ok(())
    }

    fn string(&mut self, text: &Text<'_>, base: usize, string: &JsonString, known_path: bool) {
        let raw = text.raw_of(base + string.inside.start..base + string.inside.end);
        let region = Region { raw, level: text.level() + 1, known_path };
        if text.level() > 0 && region.raw.len() > LARGE {
            self.deferred.push(region);
        } else {
            self.region(text.line(), &region);
        }
    }

    /// What a string says: JSON again, lines of which some are JSON, or plain text.
    fn region(&mut self, line: &[u8], region: &Region) {
        let text = Text::decode(line, region.raw.clone(), region.level);
        let bytes = text.bytes();
        let Some(first) = self.rules.anchors.next(bytes, 0) else { return };
        let part = trimmed(bytes, 0..bytes.len());
        if self.nested(&text, part.clone(), b"{[\"") {
            return;
        }
        if memchr::memchr(b'\n', &bytes[part.clone()]).is_none() {
            return self.prose(&text, part, region.known_path);
        }
        self.lines(&text, first);
    }

    /// The lines of a long text that have an anchor, decoded one by one; `first` is the first anchor of the string.
    /// Answers whether there are several lines at all: nothing was done otherwise.
    fn pieces(&mut self, line: &[u8], inside: &Range<usize>, first: usize) -> bool {
        let text = &line[..inside.end];
        let (mut floor, mut anchor) = (inside.start, Some(first));
        while let Some(at) = anchor {
            let piece = last_line_end(text, floor, at)..first_line_end(text, at);
            if piece == *inside {
                return false;
            }
            floor = piece.end.max(at + 1);
            let decoded = Text::decode(line, piece, 1);
            if let Some(first) = self.rules.anchors.next(decoded.bytes(), 0) {
                self.lines(&decoded, first);
            }
            anchor = self.rules.anchors.next(text, floor);
        }
        true
    }

    /// The lines of a text that have an anchor, of which one may be JSON and the next not.
    fn lines(&mut self, text: &Text<'_>, first: usize) {
        let bytes = text.bytes();
        let mut anchor = Some(first);
        while let Some(at) = anchor {
            let start = memchr::memrchr(b'\n', &bytes[..at]).map_or(0, |before| before + 1);
            let end = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |more| at + more);
            let part = trimmed(bytes, start..end);
            if !self.nested(text, part.clone(), b"{[") {
                self.prose(text, part, false);
            }
            anchor = self.rules.anchors.next(bytes, end);
        }
    }

    /// Goes a level deeper if the part is JSON that begins with one of these.
    fn nested(&mut self, text: &Text<'_>, part: Range<usize>, begins: &[u8]) -> bool {
        let bytes = &text.bytes()[part.clone()];
        let is_nested = text.level() < DEEPEST
            && bytes.first().is_some_and(|first| begins.contains(first))
            && is_json(bytes);
        is_nested && self.strings(text, part).is_ok()
    }

    fn prose(&mut self, text: &Text<'_>, part: Range<usize>, known_path: bool) {
        let bytes = &text.bytes()[part.clone()];
        let site = Site { rules: self.rules, names: self.names, text: bytes, known_path };
        scan(site, &mut |piece| match piece {
            Piece::Match { rule, at, depth, changes } => {
                let sample = self.sample(rule, bytes, at, &changes);
                self.note(Noted::Path { rule, sample });
                for change in changes {
                    self.change(text, part.start, depth, &change);
                }
            }
            Piece::Kept => self.note(Noted::Kept),
            Piece::Leftover { group, at } => self.leftover(group, bytes, at),
        });
    }

    fn change(&mut self, text: &Text<'_>, base: usize, depth: u32, change: &Change) {
        let raw = text.raw_of(base + change.at.start..base + change.at.end);
        let said = encode(&change.text, depth);
        let spelled = encode(&said, text.level());
        if text.line().get(raw.clone()) == Some(spelled.as_bytes()) {
            return;
        }
        self.unsafe_line |= !says(spelled.as_bytes(), text.level(), &said);
        self.edits.push(raw, spelled.as_bytes());
    }

    fn sample(&self, rule: usize, text: &[u8], at: Range<usize>, changes: &[Change]) -> Option<Sample> {
        self.report.wants_sample(rule).then(|| {
            let mut after = Vec::new();
            let mut copied = at.start;
            for change in changes {
                after.extend_from_slice(&text[copied..change.at.start]);
                after.extend_from_slice(change.text.as_bytes());
                copied = change.at.end;
            }
            after.extend_from_slice(&text[copied..at.end.max(copied)]);
            Sample { line: self.number, before: shortened(&text[at]), after: shortened(&after) }
        })
    }

    fn leftover(&mut self, group: Group, text: &[u8], at: usize) {
        let sample = if self.report.wants_leftover(group) { around(text, at) } else { String::new() };
        self.note(Noted::Leftover { group, sample });
    }

    /// A line that is no JSON stays as it is; what the rules would have found in it is counted.
    fn invalid(&mut self, line: &[u8]) {
        let site = Site { rules: self.rules, names: self.names, text: line, known_path: false };
        scan(site, &mut |piece| match piece {
            Piece::Match { at, .. } => self.leftover(Group::InvalidLine, line, at.start),
            Piece::Leftover { group: Group::Slug, at } => self.leftover(Group::Slug, line, at),
            Piece::Leftover { at, .. } => self.leftover(Group::InvalidLine, line, at),
            Piece::Kept => self.note(Noted::Kept),
        });
        self.settle();
    }

    fn note(&mut self, noted: Noted) {
        self.pending.push(noted);
    }

    fn settle(&mut self) {
        for noted in self.pending.drain(..) {
            match noted {
                Noted::Path { rule, sample } => {
                    self.report.by_rule[rule].paths += 1;
                    if self.report.wants_sample(rule) {
                        self.report.by_rule[rule].samples.extend(sample);
                    }
                }
                Noted::Kept => self.report.kept_links += 1,
                Noted::Leftover { group, sample } => self.report.leftover(group, self.number, sample),
            }
        }
    }
}

/// Whether a string is so long that its lines are better decoded one by one, and is no JSON as a whole.
fn is_long_text(raw: &[u8]) -> bool {
    let mut start = raw;
    while let [b'\\', b'n' | b'r' | b't', rest @ ..] | [b' ', rest @ ..] = start {
        start = rest;
    }
    raw.len() > LONG_TEXT && !matches!(start, [b'{' | b'[' | b'\\', ..])
}

/// Behind the last line end before `at`, or `floor`. All of it is raw: a line end is `\n`.
fn last_line_end(raw: &[u8], floor: usize, at: usize) -> usize {
    let mut end = at;
    while let Some(found) = memchr::memmem::rfind(&raw[floor..end], b"\\n") {
        end = floor + found;
        if is_escape(raw, end) {
            return end + 2;
        }
    }
    floor
}

/// The first line end at or behind `at`, or the end.
fn first_line_end(raw: &[u8], at: usize) -> usize {
    let ends = memchr::memmem::find_iter(&raw[at..], b"\\n").map(|found| at + found);
    ends.into_iter().find(|&end| is_escape(raw, end)).unwrap_or(raw.len())
}

/// Whether the backslash at `at` is not itself escaped.
fn is_escape(raw: &[u8], at: usize) -> bool {
    (at - backslashes_before(raw, at)).is_multiple_of(2)
}

fn trimmed(bytes: &[u8], part: Range<usize>) -> Range<usize> {
    let text = &bytes[part.clone()];
    let start = part.start + (text.len() - text.trim_ascii_start().len());
    start..start + text.trim_ascii().len()
}
