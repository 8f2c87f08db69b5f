//! What the guide's readers are used to see (formats/openclaw.md §5, §10): the same lines, telling the truth.

use std::fmt::Display;

use migration_cli::{Exit, Mode, Words};
use migration_engine::{Bucket, Item, Outcome, Receipt};

use crate::settings::Settings;

const RULE: &str = "============================================================";

/// All of it.
pub(crate) fn words(mode: Mode, exit: Exit, receipt: &Receipt) -> Words {
    let Ok(settings) = serde_json::from_value::<Settings>(receipt.header.settings.clone()) else {
        return Words::default();
    };
    let told = Told { mode, exit, receipt, settings: &settings };
    Words { log: told.log(), block: told.block(), closing: Some(told.closing()) }
}

struct Told<'a> {
    mode: Mode,
    exit: Exit,
    receipt: &'a Receipt,
    settings: &'a Settings,
}

impl Told<'_> {
    fn log(&self) -> Vec<String> {
        let mut log =
            vec![format!("Starting migration for workspace: {}", self.settings.workspace.display())];
        if !self.settings.is_there {
            log.push(format!("Sessions directory not found: {}", self.settings.sessions.display()));
            return log;
        }
        log.push(format!("Found {} session files to migrate", self.found()));
        let is_dry = self.mode == Mode::DryRun;
        if is_dry {
            log.push("DRY RUN MODE - no changes will be made".to_owned());
        }
        let did = if is_dry { "Would migrate" } else { "Migrated" };
        for (item, outcome) in &self.receipt.items {
            if let (Bucket::Migrated, Some(key)) =
                (outcome.bucket, item.own.get("key").and_then(|key| key.as_str()))
            {
                log.push(format!("{did} session: {key} ({})", item.name));
            }
        }
        let lost = self.receipt.items.iter().filter(|(_, outcome)| outcome.bucket.is_trouble());
        log.extend(lost.map(|(item, outcome)| format!("Failed to migrate {}", reason(item, outcome))));
        if self.receipt.run.is_some() {
            if self.count(Bucket::Migrated) > 0 {
                log.push(format!("Saved centralized store to {}", self.settings.store.display()));
            }
            if let Some((folder, count)) = self.settings.backup.as_ref().filter(|(_, count)| *count > 0) {
                log.push(format!("Backed up {count} files to {}", folder.display()));
            }
        }
        log
    }

    fn block(&self) -> Vec<String> {
        let mut block = vec![String::new(), RULE.to_owned(), "Migration Results".to_owned(), RULE.to_owned()];
        let mut say = |title: &str, value: &dyn Display| block.push(format!("{title}: {value}"));
        say("Status", &self.status());
        say("Sessions found", &self.found());
        say("Sessions migrated", &self.count(Bucket::Migrated));
        say("Errors", &self.errors());
        if let (Some((folder, _)), Some(_)) = (&self.settings.backup, &self.receipt.run) {
            say("Backup location", &folder.display());
        }
        let findings: usize = self.receipt.items.iter().map(|(item, _)| item.findings.len()).sum();
        let counts = [
            ("Superseded", self.count(Bucket::Superseded)),
            ("Conflicts", self.count(Bucket::Conflict)),
            ("Skipped", self.count(Bucket::Skipped)),
            ("Findings", findings as u64),
        ];
        for (title, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
            say(title, &count);
        }
        let troubled = self.receipt.items.iter().filter(|(_, outcome)| outcome.bucket.is_trouble());
        let errors: Vec<String> =
            troubled.map(|(item, outcome)| format!("  {}", reason(item, outcome))).collect();
        if !errors.is_empty() {
            block.extend([String::new(), "Errors:".to_owned()]);
            block.extend(errors);
        }
        block.extend([RULE.to_owned(), String::new()]);
        block
    }

    fn closing(&self) -> String {
        match (self.mode, self.errors()) {
            (Mode::DryRun, _) => "DRY RUN - No changes were made".to_owned(),
            (Mode::Apply, 0) if self.exit != Exit::Unverified => "Migration complete!".to_owned(),
            (Mode::Apply, errors) => {
                format!("Migration finished with errors: {errors} file(s) not migrated")
            }
        }
    }

    fn status(&self) -> &'static str {
        match self.exit {
            _ if !self.settings.is_there => "not_found",
            Exit::Done => "success",
            Exit::Partial => "partial",
            _ => "failed",
        }
    }

    /// How many files could be sessions.
    fn found(&self) -> u64 {
        self.of_sessions(|bucket| bucket != Bucket::Skipped)
    }

    fn count(&self, bucket: Bucket) -> u64 {
        self.of_sessions(|found| found == bucket)
    }

    fn of_sessions(&self, is_counted: impl Fn(Bucket) -> bool) -> u64 {
        let sessions = self
            .receipt
            .items
            .iter()
            .filter(|(item, _)| item.input.kind == legacy_readers::openclaw::SESSION);
        sessions.filter(|(_, outcome)| is_counted(outcome.bucket)).count() as u64
    }

    fn errors(&self) -> u64 {
        self.receipt.items.iter().filter(|(_, outcome)| outcome.bucket.is_trouble()).count() as u64
    }
}

/// The file, and what is wrong with it: where a place in the file is known it is named.
fn reason(item: &Item, outcome: &Outcome) -> String {
    let reason = outcome.detail.as_ref().or(outcome.reason.as_ref()).map_or("", String::as_str);
    if reason.starts_with(&item.input.id) {
        reason.to_owned()
    } else {
        format!("{}: {reason}", item.input.id)
    }
}
