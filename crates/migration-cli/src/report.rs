//! What a tool answers: one document, for people as text and for programs as JSON.

mod json;
mod lists;
mod page;
mod row;
mod table;
mod text;

use migration_engine::{Bucket, Item, ItemId, Outcome, Receipt, RunId, Sums};
use serde::{Serialize, Serializer};
use session_model::Finding;

pub(crate) use json::to_json;
pub(crate) use page::Style;
pub(crate) use row::{Fate, GROWN, Own, Row, RunFacts, RunState, TAKEN_BACK};
pub(crate) use table::bytes;
pub(crate) use text::{error_text, to_text};

use crate::{Exit, Listed, Listing, Mode, Refusal, Tool, Words};

/// The version of the document; docs/report.schema.json describes it.
const SCHEMA: u32 = 1;

/// What the tool was asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Asked {
    Plan,
    Apply,
    Verify,
    Undo,
    Resume,
    Runs,
    Completions,
    Man,
    /// A verb that only this tool has.
    #[serde(untagged)]
    Own(&'static str),
}

impl Asked {
    /// What a verb asks for, by its name.
    pub(crate) fn of_verb(name: &str) -> Option<Self> {
        Some(match name {
            "verify" => Self::Verify,
            "undo" => Self::Undo,
            "resume" => Self::Resume,
            "runs" => Self::Runs,
            "completions" => Self::Completions,
            "man" => Self::Man,
            _ => return None,
        })
    }
}

/// The document.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Report {
    pub(crate) schema: u32,
    pub(crate) tool: &'static str,
    pub(crate) version: &'static str,
    pub(crate) mode: Asked,
    pub(crate) run: Option<RunId>,
    #[serde(serialize_with = "as_code")]
    pub(crate) exit: Exit,
    pub(crate) summary: Sums,
    pub(crate) items: Vec<Row>,
    /// Whether it tells of something that saying the same command again does once more, or not at all.
    #[serde(skip)]
    pub(crate) was_done: bool,
    /// Whether it is what a verb has to show, rather than what became of inputs.
    #[serde(skip)]
    pub(crate) is_list: bool,
    /// The headings of a list's table, and how many of its columns are text.
    #[serde(skip)]
    pub(crate) columns: (Vec<&'static str>, usize),
    /// Whether it ends with a table of its items.
    #[serde(skip)]
    pub(crate) ends_in_a_table: bool,
    /// What the tool says in words of its own.
    #[serde(skip)]
    pub(crate) words: Words,
    #[serde(serialize_with = "as_map")]
    pub(crate) sums: Vec<(String, Sums)>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) next: Vec<Next>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<ErrorText>,
}

/// A refusal or failure in the document.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ErrorText {
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) hint: String,
}

/// A command to type next, and in one word what it is for.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub(crate) struct Next {
    #[serde(skip)]
    pub(crate) label: &'static str,
    pub(crate) command: String,
}

impl Report {
    /// A document that says nothing yet.
    pub(crate) fn new<T: Tool>(mode: Asked) -> Self {
        Self {
            schema: SCHEMA,
            tool: T::NAME,
            version: T::VERSION,
            mode,
            run: None,
            exit: Exit::Done,
            summary: Sums::default(),
            items: Vec::new(),
            was_done: false,
            is_list: false,
            columns: (Vec::new(), 0),
            ends_in_a_table: false,
            words: Words::default(),
            sums: Vec::new(),
            findings: Vec::new(),
            next: Vec::new(),
            error: None,
        }
    }

    /// What became, or would become, of every input; `stands` if all of it was found to be so.
    pub(crate) fn of_receipt<T: Tool>(asked: Asked, receipt: Receipt, stands: bool) -> Self {
        let (summary, sums) = (receipt.summary(), receipt.sums());
        let exit = match (stands, receipt.is_partial()) {
            (false, _) => Exit::Unverified,
            (true, true) => Exit::Partial,
            (true, false) => Exit::Done,
        };
        Self {
            words: words::<T>(asked, exit, &receipt),
            ends_in_a_table: T::ENDS_IN_A_TABLE && receipt.items.len() > 1,
            was_done: receipt.run.is_some() && matches!(asked, Asked::Apply | Asked::Resume | Asked::Own(_)),
            run: receipt.run,
            exit,
            summary,
            sums,
            items: receipt.items.into_iter().map(|(item, outcome)| Row::of_item(item, outcome)).collect(),
            findings: receipt.header.findings,
            ..Self::new::<T>(asked)
        }
    }

    /// What a verb has to show.
    pub(crate) fn of_listing<T: Tool>(mode: Asked, listing: Listing) -> Self {
        let Listing { columns, text_columns, rows, findings, words, exit } = listing;
        let items = rows.into_iter().map(Row::listed).collect();
        let columns = (columns, text_columns);
        Self { is_list: true, exit, items, findings, words, columns, ..Self::new::<T>(mode) }
    }

    /// A sentence and nothing else: there was nothing to do.
    pub(crate) fn nothing<T: Tool>(mode: Asked, code: &str, message: impl Into<String>) -> Self {
        Self { findings: vec![Finding::note(code, message)], ..Self::new::<T>(mode) }
    }

    /// Why nothing, or not everything, was done.
    pub(crate) fn of_refusal<T: Tool>(mode: Asked, refusal: Refusal) -> Self {
        let Refusal { exit, code, message, hint, run, findings, next } = refusal;
        Self {
            run,
            exit,
            findings,
            next: next.into_iter().map(|command| Next { label: "next", command }).collect(),
            error: Some(ErrorText { code, message, hint }),
            ..Self::new::<T>(mode)
        }
    }

    /// Adds what was found later, each finding to its item.
    pub(crate) fn add_findings(&mut self, findings: Vec<(Option<ItemId>, Finding)>) {
        for (item, finding) in findings {
            let row = item.and_then(|id| self.items.get_mut(id.0 as usize));
            let said = row.map_or(&mut self.findings, |row| &mut row.findings);
            // What kept a source where it is may be found again by the look at what the run left.
            if !said.contains(&finding) {
                said.push(finding);
            }
        }
    }

    /// Adds a command to type next.
    pub(crate) fn then(&mut self, label: &'static str, command: String) {
        self.next.push(Next { label, command });
    }

    /// How many items are in a bucket.
    pub(crate) fn count(&self, bucket: Bucket) -> u64 {
        self.summary.get(bucket)
    }
}

/// What a tool says of a migration in words of its own.
fn words<T: Tool>(asked: Asked, exit: Exit, receipt: &Receipt) -> Words {
    match asked {
        Asked::Plan => T::words(Mode::DryRun, exit, receipt),
        Asked::Apply | Asked::Resume | Asked::Own(_) => T::words(Mode::Apply, exit, receipt),
        _ => Words::default(),
    }
}

impl Row {
    /// A row that only names an item.
    pub(crate) fn named(item: &Item) -> Self {
        let source =
            item.source.clone().or_else(|| (item.input.id != item.name).then(|| item.input.id.clone()));
        Self { source, targets: item.targets.clone(), ..Self::new(&item.input.kind, &item.name) }
    }

    fn listed(listed: Listed) -> Self {
        let Listed { kind, id, source, cells, own, findings } = listed;
        Self { source, cells, findings, own: Own::Facts(own), ..Self::new(kind, id) }
    }

    fn of_item(item: Item, outcome: Outcome) -> Self {
        let arrives =
            matches!(outcome.bucket, Bucket::Migrated | Bucket::AlreadyPresent | Bucket::Superseded);
        let named = Self::named(&item);
        Self {
            bucket: Some(outcome.bucket),
            reason: outcome.reason,
            detail: outcome.detail,
            findings: item.findings,
            resume: item.resume.filter(|_| arrives),
            own: Own::Facts(item.own),
            ..named
        }
    }
}

fn as_map<S: Serializer>(sums: &[(String, Sums)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(sums.iter().map(|(title, sums)| (title, sums)))
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields by reference")]
fn as_code<S: Serializer>(exit: &Exit, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u8(exit.code())
}
