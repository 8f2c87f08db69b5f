//! What became of every input, and whether it still stands.

use session_model::{Finding, Level};

use crate::plan::sums;
use crate::{Bucket, Header, History, Item, ItemId, Outcome, RunId, Sums};

/// What became of every input of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Receipt {
    /// The run; `None` if there was nothing to do, or nothing was done.
    pub run: Option<RunId>,
    /// What the plan said about itself.
    pub header: Header,
    /// Every item of the plan and where it ended, with all findings.
    pub items: Vec<(Item, Outcome)>,
}

impl Receipt {
    /// What would become of every input if all went well: the report of a dry run, and of a run with nothing to do.
    pub fn planned(header: Header, items: Vec<Item>) -> Self {
        let items = items
            .into_iter()
            .map(|item| {
                let outcome = item.planned.clone();
                (item, outcome)
            })
            .collect();
        Self { run: None, header, items }
    }

    pub(crate) fn of<E>(run: RunId, header: Header, items: &[Item], history: &History<E>) -> Self {
        let items = items.iter().zip(0..).map(|(item, id)| settle(item, ItemId(id), history)).collect();
        Self { run: Some(run), header, items }
    }

    /// The sums, titled, in the order of reports.
    pub fn sums(&self) -> Vec<(String, Sums)> {
        let outcomes = self.items.iter().map(|(item, outcome)| (item.input.kind.as_str(), outcome));
        sums(&self.header.blocks, outcomes)
    }

    /// The total of the sums.
    pub fn summary(&self) -> Sums {
        self.sums().into_iter().fold(Sums::default(), |mut total, (_, sums)| {
            total += sums;
            total
        })
    }

    /// Whether every input is in exactly one bucket. If not, the error is ours.
    pub fn balances(&self) -> bool {
        self.sums().iter().all(|(_, sums)| sums.balance())
            && self.summary().total() == self.items.len() as u64
    }

    /// Whether some item did not arrive, or something stays behind.
    pub fn is_partial(&self) -> bool {
        self.header.partial || self.items.iter().any(|(_, outcome)| outcome.bucket.is_trouble())
    }
}

fn settle<E>(item: &Item, id: ItemId, history: &History<E>) -> (Item, Outcome) {
    let mut item = item.clone();
    item.findings.extend(history.notes.get(&id).into_iter().flatten().cloned());
    item.resume =
        item.resume.filter(|_| item.resumed_from.is_none_or(|from| !history.failed.contains_key(&from)));
    let outcome = match history.failed.get(&id) {
        Some((outcome, _)) => outcome.clone(),
        None => item.planned.clone(),
    };
    (item, outcome)
}

/// Whether what a run left still stands, and means what it should.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// What was found, with the item it concerns; the others are as they were left.
    pub findings: Vec<(Option<ItemId>, Finding)>,
}

impl Verdict {
    /// The code of what is said of a step whose target holds all that it left, and more.
    pub const SUPERSEDED: &str = "superseded";

    /// Whether every promise is kept.
    pub fn passes(&self) -> bool {
        self.findings.iter().all(|(_, finding)| finding.level < Level::Error)
    }
}

/// Whether an item was planned to be, or already was, at its destination: what a verdict judges.
pub(crate) fn arrived(outcome: &Outcome) -> bool {
    matches!(outcome.bucket, Bucket::Migrated | Bucket::AlreadyPresent | Bucket::Superseded)
}

#[cfg(test)]
mod tests {
    use session_model::{InputId, Timestamp};

    use super::*;
    use crate::{Cause, Record};

    #[test]
    fn a_session_whose_transcript_failed_is_not_said_to_be_resumable() {
        let item = Item {
            resume: Some("resume it".into()),
            resumed_from: Some(ItemId(1)),
            ..Item::new(InputId::new("session", "app-1"), "app-1", Outcome::plain(Bucket::Migrated))
        };
        let plan = durable_files::Digest::of(b"");
        let began = Record::<()>::Began { format: crate::FORMAT, plan, at: Timestamp::UNIX_EPOCH };
        let mut history = History::begin(&began).unwrap();
        assert!(settle(&item, ItemId(0), &history).0.resume.is_some());
        let cause = Cause::new("source-changed", "it changed");
        history.take_in(Record::Failed { item: ItemId(1), bucket: Bucket::Failed, cause });
        assert_eq!(settle(&item, ItemId(0), &history).0.resume, None);
    }
}
