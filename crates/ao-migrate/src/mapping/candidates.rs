//! Which session files are live sessions, and what becomes of the others (formats/ao.md §2.9, §3.3, §6).

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use legacy_readers::ao::{Content, Legacy, Owner, SessionFile, SessionRecord};
use migration_engine::{Bucket, Outcome};
use session_model::Anomaly;

use super::Settings;
use super::project::{Considered, Home};

/// A live session of a project that may go in.
#[derive(Clone, Copy)]
pub(super) struct Candidate<'a> {
    pub(super) project: &'a str,
    pub(super) file: &'a SessionFile,
    pub(super) record: &'a SessionRecord,
    pub(super) home: &'a Home,
}

/// Decides for every session file, in order: a candidate, or settled already.
pub(super) fn sift<'a>(
    legacy: &'a Legacy,
    projects: &'a [Considered],
    settings: &Settings<'_>,
) -> Vec<Result<Candidate<'a>, Outcome>> {
    let gates = projects.iter().map(|project| (project.mapped.id.as_str(), project.sessions.as_ref()));
    let mut sieve = Sieve { gates: gates.collect(), seen: HashSet::new(), settings };
    legacy.sessions.iter().map(|file| sieve.decide(file)).collect()
}

struct Sieve<'a, 's> {
    gates: BTreeMap<&'a str, Result<&'a Home, &'a Outcome>>,
    /// Ids of readable records, by project: the first decides.
    seen: HashSet<(&'a str, &'a str)>,
    settings: &'s Settings<'s>,
}

impl<'a> Sieve<'a, '_> {
    fn decide(&mut self, file: &'a SessionFile) -> Result<Candidate<'a>, Outcome> {
        self.check_selected(&file.owner)?;
        let record = match &file.content {
            Content::Skipped(why) => return Err(Outcome::because(Bucket::Skipped, why.as_str())),
            Content::Record(record) => Ok(record.as_ref()),
            Content::Quarantined(why) => Err(why),
            Content::Unlisted(why) => return Err(quarantined(why)),
        };
        let (project, home) = self.owner(&file.owner)?;
        let record = record.map_err(quarantined)?;
        if !self.seen.insert((project, &file.id)) {
            return Err(Outcome::because(Bucket::Skipped, "duplicate"));
        }
        check_live(record)?;
        check_id(&file.id)?;
        if let Some(conflict) = &home.conflict {
            return Err(conflict.clone());
        }
        Ok(Candidate { project, file, record, home })
    }

    fn check_selected(&self, owner: &Owner) -> Result<(), Outcome> {
        let Some(selected) = &self.settings.selected else { return Ok(()) };
        let is_selected = |id: &Arc<str>| selected.contains(&**id);
        let may_be_selected = match owner {
            Owner::Project(id) | Owner::Unknown(id) => is_selected(id),
            Owner::Ambiguous(ids) => ids.iter().any(is_selected),
        };
        if may_be_selected { Ok(()) } else { Err(Outcome::because(Bucket::Skipped, "not-selected")) }
    }

    fn owner(&self, owner: &'a Owner) -> Result<(&'a str, &'a Home), Outcome> {
        let unknown = |id: &str| {
            Outcome::because(Bucket::Quarantined, "unknown-project")
                .detail(format!("the registry has no project {id:?}"))
        };
        match owner {
            Owner::Project(id) => match self.gates.get(&**id) {
                Some(Ok(home)) => Ok((id, home)),
                Some(Err(outcome)) => Err((*outcome).clone()),
                None => Err(unknown(id)),
            },
            Owner::Unknown(id) => Err(unknown(id)),
            Owner::Ambiguous(ids) => Err(Outcome::because(Bucket::Quarantined, "ambiguous-owner")
                .detail(format!("these projects claim it: {}", ids.join(", ")))),
        }
    }
}

fn quarantined(why: &Anomaly) -> Outcome {
    Outcome::because(Bucket::Quarantined, &why.code).detail(why.to_string())
}

/// A session that has ended stays where it is. Its state and its time of termination count separately.
fn check_live(record: &SessionRecord) -> Result<(), Outcome> {
    let reason = match &record.lifecycle {
        Some(lifecycle) => {
            let has_ended = matches!(lifecycle.state.text(), "done" | "terminated");
            (has_ended || !lifecycle.terminated_at.is_absent()).then_some("terminal")
        }
        None => matches!(record.status.text(), "killed" | "terminated" | "cleanup" | "errored" | "done")
            .then_some("terminal-status"),
    };
    reason.map_or(Ok(()), |reason| Err(Outcome::because(Bucket::Skipped, reason)))
}

/// Only the id of a stand-alone orchestrator can be malformed: it is made of a prefix that the user chose.
fn check_id(id: &str) -> Result<(), Outcome> {
    let is_of_id = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if !id.is_empty() && id.bytes().all(is_of_id) {
        return Ok(());
    }
    Err(Outcome::because(Bucket::Quarantined, "invalid-session-id")
        .detail("a session id holds only letters, digits, _ and -"))
}
