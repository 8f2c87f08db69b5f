//! `gc`: what no run knows of any more, at both ends.
//!
//! What a run keeps so that it can be undone is the run's: `runs gc` and `runs forget` remove it. A source that was moved
//! aside by a run which is lost goes only if the agent has the session, since it may be the only copy.

use std::collections::HashSet;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use durable_files::{remove_empty_dirs, remove_tree_if_there};
use legacy_readers::convocate::session_id;
use migration_cli::{Ask, Deed, Exit, Listed, Listing, Refusal, Surroundings, size_of};
use migration_engine::RunId;
use remote_transfer::Leftover;
use serde_json::json;
use session_model::Finding;

use crate::agent_end::{self, AgentEnd, refusal};
use crate::checks::staging;
use crate::plan::{RECEIPTS, RETIRED};
use crate::source;
use crate::tool::ConvocateMigrate;

const SECONDS_A_DAY: u64 = 86_400;

/// A source that was moved aside.
struct Retired {
    path: PathBuf,
    uuid: String,
    run: RunId,
    /// Since when it has its name, in seconds.
    age: u64,
    bytes: u64,
    /// Device and inode.
    identity: (u64, u64),
}

/// What can be removed, and what has to be said of the rest.
pub(crate) fn deed(ask: Ask<'_, ConvocateMigrate>, days: u32, here: &Surroundings) -> Result<Deed, Refusal> {
    let (_, agent) = agent_end::registered(ask.options, here)?;
    let base = source::base(ask.options, here)?;
    let end = agent_end::reach(agent, ask.options, here)?;
    let known: HashSet<String> = ask.root.ids()?.iter().map(RunId::to_string).collect();
    let limit = u64::from(days) * SECONDS_A_DAY;
    let is_due = |run: &str, age: u64| !known.contains(run) && age >= limit;

    let staged = end.remote.far().leftovers(&end.base, &staging("")).map_err(|error| refusal(&error))?;
    let is_due_there = |left: &Leftover| {
        let unknown = |runs: Vec<String>| runs.iter().all(|run| is_due(run, left.age.as_secs()));
        runs_of(left).is_some_and(unknown)
    };
    let staged: Vec<Leftover> = staged.into_iter().filter(is_due_there).collect();
    let (mut retired, mut only) = (Vec::new(), Vec::new());
    for source in retired_in(&base, (here.now)().as_second())? {
        if is_due(source.run.as_str(), source.age) {
            let arrived = has_arrived(&end, &source)?;
            if arrived { retired.push(source) } else { only.push(source) }
        }
    }

    let mut listing = Listing {
        columns: vec!["what", "run", "days", "bytes"],
        text_columns: 2,
        rows: retired.iter().map(of_source).chain(staged.iter().map(|left| of_agent(&end, left))).collect(),
        findings: only.iter().map(|source| keeps(&end, source)).collect(),
        ..Listing::default()
    };
    if listing.rows.is_empty() {
        let message = format!("no run has left anything that is {days} days old and that none knows of");
        listing.findings.push(Finding::note("nothing-left", message));
        let nothing = listing.clone();
        return Ok(Deed { listing, questions: Vec::new(), act: Box::new(|_| Ok(nothing)) });
    }
    let question = format!("remove {} for good?", count(listing.rows.len()));
    let mut after = listing.clone();
    let act = move |_: &_| {
        // From the first removal on it is no refusal any more.
        remove(&end, &base, &retired, &staged).map_err(|error| error.exit(Exit::Failed))?;
        after.findings.push(Finding::note("removed", "all of this was removed for good"));
        Ok(after)
    };
    Ok(Deed { listing, questions: vec![question.into()], act: Box::new(act) })
}

/// The runs that a staging folder is of: as its label says, and as it is called before it gets its name. None if it is no
/// staging folder of ours, whatever its name begins with.
fn runs_of(left: &Leftover) -> Option<Vec<String>> {
    let (uuid, rest) = left.name.strip_prefix(&staging(""))?.split_at_checked(36)?;
    session_id(uuid.as_ref())?;
    let called = if rest.is_empty() { "" } else { rest.strip_prefix('.')? };
    let is_run = |text: &str| text.parse::<RunId>().is_ok();
    let is_ours = (is_run(&left.run) || left.is_empty) && (rest.is_empty() || is_run(called));
    is_ours.then(|| vec![left.run.clone(), called.to_owned()])
}

/// Whether the agent has the session, and it was this run that brought it.
fn has_arrived(end: &AgentEnd, source: &Retired) -> Result<bool, Refusal> {
    let receipt = format!("{RECEIPTS}/{}-{}.json", source.uuid, source.run);
    let session = format!("{}/session.json", source.uuid); // an empty folder is no session
    let standing = end.remote.far().look(&end.base, &session, ".none", &receipt);
    let standing = standing.map_err(|error| refusal(&error))?;
    Ok(standing.live.is_some() && standing.receipt)
}

fn keeps(end: &AgentEnd, source: &Retired) -> Finding {
    let message = format!(
        "{} stays: agent {} does not have the session {} of that run, so it may be the only copy",
        source.path.display(),
        end.id,
        source.uuid
    );
    Finding::warning("only-copy", message)
}

/// The sources that were moved aside, whose names tell the session and the run.
fn retired_in(base: &Path, now: i64) -> Result<Vec<Retired>, Refusal> {
    let folder = base.join(RETIRED);
    let unreadable = |error: std::io::Error| {
        let message = format!("cannot list {}: {error}", folder.display());
        Refusal::new("shell-base", message, "say it again as root: sudo convocate-migrate …")
    };
    if !folder.symlink_metadata().is_ok_and(|found| found.is_dir()) {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for entry in std::fs::read_dir(&folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let Some((uuid, run)) = named(&path) else { continue };
        let metadata = path.symlink_metadata().map_err(unreadable)?;
        let age = u64::try_from(now - metadata.ctime()).unwrap_or(0);
        let identity = (metadata.dev(), metadata.ino());
        let bytes = size_of(&path);
        found.push(Retired { path, uuid, run, age, bytes, identity });
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

/// `UUID-RUN`.
fn named(path: &Path) -> Option<(String, RunId)> {
    let (uuid, run) = path.file_name()?.to_str()?.split_at_checked(36)?;
    session_id(uuid.as_ref())?;
    Some((uuid.to_owned(), run.strip_prefix('-')?.parse().ok()?))
}

fn of_source(source: &Retired) -> Listed {
    let place = source.path.display().to_string();
    row("retired", &place, source.run.as_str(), source.age, source.bytes)
}

fn of_agent(end: &AgentEnd, left: &Leftover) -> Listed {
    let place = format!("{}:{}/{}", end.id, remote_transfer::display(&end.base), left.name);
    row("staging", &place, &left.run, left.age.as_secs(), left.bytes)
}

fn row(kind: &'static str, place: &str, run: &str, age: u64, bytes: u64) -> Listed {
    let days = age / SECONDS_A_DAY;
    let own = json!({"made_by_run": run, "days": days, "bytes": bytes});
    Listed {
        kind,
        id: place.to_owned(),
        source: Some(place.to_owned()),
        cells: vec![place.to_owned(), run.to_owned(), days.to_string(), bytes.to_string()],
        own: own.as_object().cloned().unwrap_or_default(),
        findings: Vec::new(),
    }
}

fn remove(end: &AgentEnd, base: &Path, retired: &[Retired], staged: &[Leftover]) -> Result<(), Refusal> {
    for source in retired {
        let is_it = |found: std::fs::Metadata| (found.dev(), found.ino()) == source.identity;
        if source.path.symlink_metadata().is_ok_and(is_it) {
            remove_tree_if_there(&source.path)?;
        }
    }
    remove_empty_dirs(&[base.join(RETIRED)])?;
    for left in staged {
        end.remote.far().clear(&end.base, left).map_err(|error| refusal(&error))?;
    }
    Ok(())
}

fn count(things: usize) -> String {
    if things == 1 { "one thing".to_owned() } else { format!("{things} things") }
}
