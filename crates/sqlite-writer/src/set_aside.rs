//! Setting aside a row that is no longer as it was left, with everything that refers to it.

use std::collections::HashSet;
use std::path::Path;

use durable_files::{InContext, Traits, beside, sync_dir, write_file};
use migration_engine::{Slot, Step, StepError};
use serde::Serialize;

use crate::compare::{Found, Handle};
use crate::{InsertRow, Inserted, Row, Rows, SqliteError};

/// One line of the file.
#[derive(Serialize)]
struct Line<'a> {
    table: &'a str,
    row: Row,
}

impl Rows {
    /// Writes the row that has the key now, and every row referring to it, to a file of JSON lines (0600) in the
    /// folder, durably; then deletes them, those that refer to others first.
    pub(crate) fn set_aside(
        &mut self,
        step: &InsertRow,
        slot: &Slot,
        evidence: &Inserted,
        folder: &Path,
    ) -> Result<(), StepError> {
        let failed = |error: SqliteError| {
            error.while_doing(format_args!("set aside what came of: {}", step.describe()))
        };
        let doomed = self.doomed(step, evidence).map_err(failed)?;
        if doomed.is_empty() {
            return Ok(());
        }
        let mut lines = Vec::new();
        for (table, handle) in &doomed {
            let row = self.whole_row(table, handle).map_err(failed)?;
            serde_json::to_writer(&mut lines, &Line { table, row })
                .expect("because names and values have JSON");
            lines.push(b'\n');
        }
        keep(&lines, folder, slot, &step.table)?;
        self.delete_doomed(&doomed, evidence).map_err(failed)
    }

    /// The row, then what came with it, then whatever refers to any of these, each once.
    fn doomed(
        &mut self,
        step: &InsertRow,
        evidence: &Inserted,
    ) -> Result<Vec<(String, Handle)>, SqliteError> {
        let shape = self.shape_of(step)?;
        let Found::One(standing) = self.find(step, Some(evidence))? else { return Ok(Vec::new()) };
        let mut doomed = vec![(shape.table.name.clone(), standing.handle)];
        for brought in &evidence.brought {
            let handle = self.handle_of(brought)?;
            doomed.extend(handle.map(|handle| (brought.table.clone(), handle)));
        }
        let mut seen: HashSet<(String, Handle)> = doomed.iter().cloned().collect();
        let mut next = 0;
        while let Some((table, handle)) = doomed.get(next).cloned() {
            let referring = self.referring(&table, &handle)?;
            doomed.extend(referring.into_iter().filter(|row| seen.insert(row.clone())));
            next += 1;
        }
        Ok(doomed)
    }

    fn whole_row(&mut self, table: &str, handle: &Handle) -> Result<Row, SqliteError> {
        let known = self.table(table)?;
        let all: Vec<String> = known.table.columns.iter().map(|column| column.name.clone()).collect();
        self.columns(&known.table, &all, handle)
    }

    /// Rows may refer to one another in a circle: the keys do not hold meanwhile, and are checked before the COMMIT.
    fn delete_doomed(&mut self, doomed: &[(String, Handle)], evidence: &Inserted) -> Result<(), SqliteError> {
        self.begin_take_back()?;
        for (table, handle) in doomed.iter().rev() {
            self.delete(table, handle)?;
            self.account_for(table, handle.clone());
        }
        self.put_counters_back(&evidence.counters)
    }
}

/// Writes the lines under a name that tells the step, in place of what an interrupted attempt may have written.
fn keep(lines: &[u8], folder: &Path, slot: &Slot, table: &str) -> Result<(), StepError> {
    let name = slot.private(&format!("{}.jsonl", table.replace(['/', '\\'], "_")));
    let kept = folder.join(name.file_name().unwrap_or_default());
    let staged = beside(&kept, "set-aside", "tmp");
    write_file(lines, &staged, Traits::PRIVATE)?;
    std::fs::rename(&staged, &kept).doing("move into place", &kept)?;
    Ok(sync_dir(folder)?)
}
