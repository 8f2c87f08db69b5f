//! What becomes of the registry's entries, and what that means for their sessions (formats/ao.md §5, §6.3).

use std::collections::BTreeMap;

use legacy_readers::ao::{Config, Entry, Legacy, Local, Project, Registration, Stamp};
use migration_engine::{Bucket, Outcome};
use serde_json::Value;
use session_model::{Anomaly, Finding, Timestamp};

use super::existing::Existing;
use super::paths::ManagedPaths;
use super::rows::{ProjectKind, ProjectRow};
use super::{MappedProject, Settings, config, times};

/// An entry that has been considered.
pub(super) struct Considered {
    pub(super) mapped: MappedProject,
    /// Where its sessions go, or what becomes of all of them.
    pub(super) sessions: Result<Home, Outcome>,
}

/// What the sessions of a project need to know of it.
pub(super) struct Home {
    pub(super) managed: ManagedPaths,
    /// The id of its own orchestrator, as the old one named it.
    pub(super) orchestrator: String,
    /// Why its live sessions cannot go in after all.
    pub(super) conflict: Option<Outcome>,
}

struct Context<'a> {
    existing: &'a Existing,
    settings: &'a Settings<'a>,
    config_mtime: Timestamp,
}

/// Considers every entry of the registry, in its order.
pub(super) fn consider_all(legacy: &Legacy, existing: &Existing, settings: &Settings<'_>) -> Vec<Considered> {
    let config_mtime = match &legacy.config {
        Config::Read { mtime, .. } => *mtime,
        Config::Missing | Config::Unreadable { .. } => Timestamp::UNIX_EPOCH,
    };
    let context = Context { existing, settings, config_mtime };
    let mut considered: Vec<Considered> = unreadable_registry(&legacy.config).into_iter().collect();
    considered.extend(legacy.projects.iter().map(|project| context.consider(project, legacy)));
    note_same_paths(&mut considered, existing);
    considered
}

/// A registry that cannot be read is itself the input.
fn unreadable_registry(config: &Config) -> Option<Considered> {
    let Config::Unreadable { input, why } = config else { return None };
    let outcome = quarantined(&why.code, why);
    let id = input.id.clone();
    let mapped =
        MappedProject { input: input.clone(), id, outcome: outcome.clone(), findings: Vec::new(), row: None };
    Some(Considered { mapped, sessions: Err(outcome) })
}

fn quarantined(reason: &str, why: &Anomaly) -> Outcome {
    Outcome::because(Bucket::Quarantined, reason).detail(why.to_string())
}

/// An outcome of a project, and of its sessions.
type Refusal = (Outcome, Outcome);

impl Context<'_> {
    fn consider(&self, project: &Project, legacy: &Legacy) -> Considered {
        let mut findings = Vec::new();
        let (outcome, row, sessions) = match self.admit(project, &mut findings) {
            Ok(registration) => {
                let behaviour = registration.effective(&legacy.defaults).unwrap_or_default();
                let config = config::of(registration, &behaviour, self.settings.schema, &mut findings);
                self.compare(self.row(project, registration, config, &mut findings), registration)
            }
            Err((outcome, sessions)) => (outcome, None, Err(sessions)),
        };
        let (input, id) = (project.input.clone(), project.id.to_string());
        Considered { mapped: MappedProject { input, id, outcome, findings, row }, sessions }
    }

    /// The registration of a project that may go in.
    fn admit<'p>(
        &self,
        project: &'p Project,
        findings: &mut Vec<Finding>,
    ) -> Result<&'p Registration, Refusal> {
        let both = |outcome: Outcome| (outcome.clone(), outcome);
        if self.settings.selected.as_ref().is_some_and(|selected| !selected.contains(&*project.id)) {
            return Err(both(Outcome::because(Bucket::Skipped, "not-selected")));
        }
        if !is_project_id(&project.id) {
            let detail = format!("{}: the daemon takes no such project id", project.place);
            return Err(both(Outcome::because(Bucket::Quarantined, "invalid-project-id").detail(detail)));
        }
        let registration = match &project.entry {
            Entry::Read(registration) => registration,
            Entry::Quarantined(why) => {
                return Err((quarantined(&why.code, why), quarantined("project-degraded", why)));
            }
        };
        if let Local::Degraded(why) = &registration.local {
            findings.push(Finding::warning("degraded", why.to_string()));
            return Err(both(quarantined("project-degraded", why)));
        }
        Ok(registration)
    }

    fn row(
        &self,
        project: &Project,
        registration: &Registration,
        config: Option<String>,
        findings: &mut Vec<Finding>,
    ) -> ProjectRow {
        ProjectRow {
            id: project.id.to_string(),
            path: registration.path.to_string(),
            repo_origin_url: repo_origin_url(registration),
            display_name: display_name(project, registration),
            registered_at: self.registered_at(registration, findings),
            archived_at: None,
            config,
            kind: ProjectKind::SingleRepo,
        }
    }

    fn registered_at(&self, registration: &Registration, findings: &mut Vec<Finding>) -> String {
        let added_at = registration.added_at.as_deref();
        if let Some(text) = added_at.and_then(|text| times::of_text("addedAt", text, findings)) {
            return text;
        }
        match registration.registered_at {
            Stamp::At(at) if let Some(text) = times::written(at) => return text,
            Stamp::At(_) | Stamp::Invalid => findings.push(times::invalid("registeredAt")),
            Stamp::Absent => {}
        }
        times::of_file("time of registration", self.config_mtime, findings)
    }

    /// Compares the row with the one that the database holds, if any.
    fn compare(
        &self,
        row: ProjectRow,
        registration: &Registration,
    ) -> (Outcome, Option<ProjectRow>, Result<Home, Outcome>) {
        let differing = self.existing.differing_project(&row);
        let same_path = !differing.as_ref().is_some_and(|columns| columns.contains(&"path"));
        let home = self.home(&row, registration, same_path);
        match differing {
            None => (Outcome::plain(Bucket::Migrated), Some(row), Ok(home)),
            Some(columns) if columns.is_empty() => {
                (Outcome::plain(Bucket::AlreadyPresent), Some(row), Ok(home))
            }
            Some(columns) => (row_differs(&columns), None, Ok(home)),
        }
    }

    fn home(&self, row: &ProjectRow, registration: &Registration, same_path: bool) -> Home {
        let config = self.existing.config_of(&row.id).or(row.config.as_deref());
        let prefix = config.and_then(prefix_of);
        let conflict = Outcome::because(Bucket::Conflict, "project-differs")
            .detail("the database has a project with this id at another path");
        Home {
            managed: ManagedPaths::new(&row.id, prefix.as_deref(), self.settings),
            orchestrator: format!("{}-orchestrator", registration.session_prefix()),
            conflict: (!same_path).then_some(conflict),
        }
    }
}

/// The database has a row with this id, and it is another one.
pub(super) fn row_differs(columns: &[&str]) -> Outcome {
    Outcome::because(Bucket::Conflict, "row-differs")
        .detail(format!("the database has a row with this id that differs in: {}", columns.join(", ")))
}

/// The prefix in a configuration of the database.
fn prefix_of(config: &str) -> Option<String> {
    let config: Value = serde_json::from_str(config).ok()?;
    config.get("sessionPrefix")?.as_str().map(str::to_owned)
}

fn repo_origin_url(registration: &Registration) -> String {
    let of_registry = || registration.repo.as_ref().and_then(|repo| repo.origin_url.clone());
    registration.git_origin.clone().or_else(of_registry).unwrap_or_default()
}

fn display_name(project: &Project, registration: &Registration) -> String {
    let names = [&registration.preference.display_name, &registration.display_name];
    let name = names.into_iter().flatten().find(|name| !name.is_empty());
    name.filter(|name| **name != *project.id).cloned().unwrap_or_default()
}

/// Whether the daemon takes a project with this id (formats/ao.md §2.3).
fn is_project_id(id: &str) -> bool {
    let is_rest = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    id.starts_with(|first: char| first.is_ascii_alphanumeric())
        && id.bytes().all(is_rest)
        && !id.contains("..")
}

/// The schema permits two projects with one path; the user should know.
fn note_same_paths(considered: &mut [Considered], existing: &Existing) {
    let mut by_path: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut add = |path: &str, id: &str| {
        let ids = by_path.entry(path.to_owned()).or_default();
        if !ids.iter().any(|known| known == id) {
            ids.push(id.to_owned());
        }
    };
    for id in existing.projects.keys() {
        if let Some(path) = existing.path_of(id) {
            add(path, id);
        }
    }
    let rows = considered.iter().filter_map(|considered| considered.mapped.row.as_ref());
    rows.for_each(|row| add(&row.path, &row.id));
    for MappedProject { row, findings, .. } in considered.iter_mut().map(|considered| &mut considered.mapped)
    {
        let Some(row) = row else { continue };
        let others = by_path[&row.path].iter().filter(|id| **id != row.id).map(String::as_str);
        let others: Vec<&str> = others.collect();
        if !others.is_empty() {
            let message = format!("another project has the path {}: {}", row.path, others.join(", "));
            findings.push(Finding::warning("same-path", message));
        }
    }
}
