//! What becomes of everything in the session's folder.

use std::path::Path;

use durable_files::PathText;
use jsonl_stitch::load::{Load, by_loader};
use legacy_readers::cowork::{self, Kind, Role};
use migration_cli::Refusal;
use migration_engine::steps::{Entry, Node, Verbatim};
use migration_engine::{Bucket, Cx, Item, Outcome};
use serde_json::json;
use session_model::{Finding, InputId};
use transcript_relocate::rewrite::PathRules;

use super::SESSION;
use crate::content::{Made, Original};
use crate::moving::Moving;
use crate::rewriting::Tally;
use crate::settings::Promise;
use crate::transcript::{self, Planned};

/// The entries of the new folder, and what is said about each.
pub(super) struct SessionFiles {
    pub(super) entries: Vec<Entry<Made>>,
    pub(super) items: Vec<Item>,
    /// What each build will load, by transcript.
    pub(super) promises: Vec<Promise>,
    pub(super) findings: Vec<Finding>,
}

impl SessionFiles {
    pub(super) fn of(moving: &Moving, tally: &mut Tally, cx: &Cx<'_>) -> Result<Self, Refusal> {
        let mut files =
            Self { entries: Vec::new(), items: Vec::new(), promises: Vec::new(), findings: Vec::new() };
        let contents = &moving.contents.found;
        for found in &contents.items {
            cx.check()?;
            let source = contents.directory.join(&found.relative);
            let target = moving.session_dir.local.join(&found.relative);
            let path = PathText::from(found.relative.clone());
            if found.kind == Kind::Folder {
                files.entries.push(Entry { path, node: Node::Folder { mode: 0o700, mtime: None } });
            } else if let Some(reason) = left_behind(found) {
                files.items.push(item(&source, None, Outcome::because(Bucket::Skipped, reason)));
            } else {
                let content = files.made(found.role, &source, &target, &moving.rules, tally, cx)?;
                let mtime = i64::try_from(found.mtime.as_nanosecond()).ok();
                files.entries.push(Entry { path, node: Node::File { content, mode: 0o600, mtime } });
                files.items.push(item(&source, Some(&target), Outcome::plain(Bucket::Migrated)));
            }
        }
        Ok(files)
    }

    fn made(
        &mut self,
        role: Role,
        source: &Path,
        target: &Path,
        rules: &PathRules,
        tally: &mut Tally,
        cx: &Cx<'_>,
    ) -> Result<Made, Refusal> {
        let planned = match role {
            Role::Transcript => transcript::conversation(source, rules, cx)?,
            Role::Subagent => transcript::subagent(source, rules, cx)?,
            Role::SubagentMeta => transcript::document(source, rules)?,
            _ => {
                let Original { source, expect } = Original::of(source)?;
                return Ok(Made::Copied(Verbatim::of(&source, expect)));
            }
        };
        let Planned { made, report, decision } = planned;
        tally.add(source, &report);
        if let Some(decision) = decision {
            self.findings.extend(decision.after.iter().flat_map(Load::findings));
            self.promises.push(Promise {
                transcript: target.into(),
                loads: json!(by_loader(&decision.after)),
                before: json!(by_loader(&decision.before)),
                edits: decision.edits.len(),
            });
        }
        Ok(made)
    }
}

/// Why something in a session's folder does not travel.
pub(crate) fn left_behind(found: &cowork::Item) -> Option<&'static str> {
    match found.kind {
        Kind::File if found.role == Role::Stash => Some("stash"),
        Kind::File if !found.role.travels() => Some("credentials"),
        Kind::File | Kind::Folder => None,
        Kind::Link => Some("symlink"),
        Kind::Special => Some("special-file"),
    }
}

/// The item of a file in a session's folder.
pub(crate) fn item(source: &Path, target: Option<&Path>, outcome: Outcome) -> Item {
    let name = source.display().to_string();
    let item = Item::new(InputId::new("session file", name.clone()), name, outcome);
    let targets = target.map(|target| target.display().to_string()).into_iter().collect();
    Item { targets, needs: vec![SESSION], ..item }
}
