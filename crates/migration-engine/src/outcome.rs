//! Buckets: every input ends in exactly one.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Cause;

/// Where an input ended, or, in a plan, where it is going to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bucket {
    /// It arrived, verified.
    Migrated,
    /// It was there already, equal.
    AlreadyPresent,
    /// It was there already, and has honestly grown since.
    Superseded,
    /// It is not to be moved, for the reason given.
    Skipped,
    /// Something else stands where it should go; nothing was overwritten.
    Conflict,
    /// It could not be read as what it should be; it was left as it is.
    Quarantined,
    /// Moving it was tried and did not succeed; it was taken back.
    Failed,
}

impl Bucket {
    /// Every bucket, in the order of reports.
    pub const ALL: [Self; 7] = [
        Self::Migrated,
        Self::AlreadyPresent,
        Self::Superseded,
        Self::Skipped,
        Self::Conflict,
        Self::Quarantined,
        Self::Failed,
    ];

    /// How texts write it.
    pub fn as_text(self) -> &'static str {
        match self {
            Self::Migrated => "migrated",
            Self::AlreadyPresent => "already-present",
            Self::Superseded => "superseded",
            Self::Skipped => "skipped",
            Self::Conflict => "conflict",
            Self::Quarantined => "quarantined",
            Self::Failed => "failed",
        }
    }

    /// Whether an item here makes the whole run "partial".
    pub fn is_trouble(self) -> bool {
        matches!(self, Self::Conflict | Self::Quarantined | Self::Failed)
    }
}

impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_text())
    }
}

/// A bucket and, where there is one, the reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The bucket.
    pub bucket: Bucket,
    /// Why: a stable, kebab-case code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Why, in one sentence for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl Outcome {
    /// An outcome without a reason.
    pub fn plain(bucket: Bucket) -> Self {
        Self { bucket, reason: None, detail: None }
    }

    /// An outcome with the code of its reason.
    pub fn because(bucket: Bucket, reason: impl Into<String>) -> Self {
        Self { bucket, reason: Some(reason.into()), detail: None }
    }

    /// The same outcome with a sentence for people.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    pub(crate) fn caused(bucket: Bucket, cause: &Cause) -> Self {
        Self::because(bucket, cause.code.clone()).detail(cause.message.clone())
    }
}

/// How many inputs of one kind ended in each bucket.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sums {
    /// How many there were.
    pub inputs: u64,
    /// See [`Bucket::Migrated`].
    pub migrated: u64,
    /// See [`Bucket::AlreadyPresent`].
    pub already_present: u64,
    /// See [`Bucket::Superseded`].
    pub superseded: u64,
    /// See [`Bucket::Skipped`].
    pub skipped: u64,
    /// See [`Bucket::Conflict`].
    pub conflict: u64,
    /// See [`Bucket::Quarantined`].
    pub quarantined: u64,
    /// See [`Bucket::Failed`].
    pub failed: u64,
}

impl Sums {
    /// The count of one bucket.
    pub fn get(&self, bucket: Bucket) -> u64 {
        let mut copy = *self;
        *copy.slot(bucket)
    }

    /// One more in a bucket.
    pub fn count(&mut self, bucket: Bucket) {
        *self.slot(bucket) += 1;
    }

    /// The total of the buckets.
    pub fn total(&self) -> u64 {
        Bucket::ALL.iter().map(|bucket| self.get(*bucket)).sum()
    }

    /// Whether nothing is uncounted.
    pub fn balance(&self) -> bool {
        self.total() == self.inputs
    }

    fn slot(&mut self, bucket: Bucket) -> &mut u64 {
        match bucket {
            Bucket::Migrated => &mut self.migrated,
            Bucket::AlreadyPresent => &mut self.already_present,
            Bucket::Superseded => &mut self.superseded,
            Bucket::Skipped => &mut self.skipped,
            Bucket::Conflict => &mut self.conflict,
            Bucket::Quarantined => &mut self.quarantined,
            Bucket::Failed => &mut self.failed,
        }
    }
}

impl std::ops::AddAssign for Sums {
    fn add_assign(&mut self, other: Self) {
        self.inputs += other.inputs;
        for bucket in Bucket::ALL {
            *self.slot(bucket) += other.get(bucket);
        }
    }
}
