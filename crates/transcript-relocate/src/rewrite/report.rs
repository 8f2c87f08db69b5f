//! What was done, as data.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use serde::{Deserialize, Serialize};

use super::leftovers::Group;
use super::rules::{PathRules, RuleClass};

/// The most characters of a sample.
const SAMPLE: usize = 120;
/// The most samples of one rule.
const SAMPLES: usize = 3;

/// What a rewriting did, and what it left.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rewritten {
    /// Lines read (a document counts as one).
    pub lines: u64,
    /// Lines that are not what they were.
    pub changed_lines: u64,
    /// How many paths each rule moved, in the order of [`PathRules::rules`].
    pub by_rule: Vec<RuleCount>,
    /// Links to the virtual machine that were kept because that was asked for.
    pub kept_links: u64,
    /// What names an old place and stays.
    pub leftovers: BTreeMap<Group, Leftover>,
}

/// What one rule did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleCount {
    /// The class of the rule.
    pub class: RuleClass,
    /// Paths that named its place.
    pub paths: u64,
    /// The first few of them.
    pub samples: Vec<Sample>,
}

/// A path before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// Its line, from 1.
    pub line: u64,
    /// What stood there, at most 120 characters of it.
    pub before: String,
    /// What stands there now.
    pub after: String,
}

/// All leftovers of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leftover {
    /// How many.
    pub count: u64,
    /// The line of the first, from 1.
    pub first_line: u64,
    /// The text around the first, at most 120 characters of it.
    pub sample: String,
}

impl Rewritten {
    pub(super) fn of(rules: &PathRules) -> Self {
        let count = |rule: &super::Rule| RuleCount { class: rule.class, paths: 0, samples: Vec::new() };
        Self { by_rule: rules.rules().iter().map(count).collect(), ..Self::default() }
    }

    /// Paths that were moved, by all rules.
    pub fn paths(&self) -> u64 {
        self.by_rule.iter().map(|rule| rule.paths).sum()
    }

    /// How many paths the rules of each class moved.
    pub fn by_class(&self) -> BTreeMap<RuleClass, u64> {
        self.by_rule.iter().fold(BTreeMap::new(), |mut sums, rule| {
            *sums.entry(rule.class).or_default() += rule.paths;
            sums
        })
    }

    /// Whether nothing was left that a strict run minds.
    pub fn is_complete(&self) -> bool {
        self.leftovers.keys().all(|group| group.is_harmless())
    }

    /// Adds what was done further on.
    pub(super) fn absorb(&mut self, further: Self) {
        self.lines += further.lines;
        self.changed_lines += further.changed_lines;
        self.kept_links += further.kept_links;
        for (rule, more) in self.by_rule.iter_mut().zip(further.by_rule) {
            rule.paths += more.paths;
            let wanted = SAMPLES - rule.samples.len();
            rule.samples.extend(more.samples.into_iter().take(wanted));
        }
        for (group, more) in further.leftovers {
            match self.leftovers.entry(group) {
                Entry::Occupied(known) => known.into_mut().count += more.count,
                Entry::Vacant(first) => drop(first.insert(more)),
            }
        }
    }

    pub(super) fn wants_sample(&self, rule: usize) -> bool {
        self.by_rule[rule].samples.len() < SAMPLES
    }

    pub(super) fn wants_leftover(&self, group: Group) -> bool {
        !self.leftovers.contains_key(&group)
    }

    pub(super) fn leftover(&mut self, group: Group, line: u64, sample: String) {
        self.leftovers.entry(group).or_insert(Leftover { count: 0, first_line: line, sample }).count += 1;
    }
}

/// The start of a text, short enough for a sample.
pub(super) fn shortened(text: &[u8]) -> String {
    let start = &text[..text.len().min(4 * SAMPLE)];
    String::from_utf8_lossy(start).chars().take(SAMPLE).collect()
}

/// What stands around a place.
pub(super) fn around(text: &[u8], at: usize) -> String {
    let mut start = at.saturating_sub(SAMPLE / 3);
    while start > 0 && text[start] & 0xC0 == 0x80 {
        start -= 1;
    }
    shortened(&text[start..])
}
