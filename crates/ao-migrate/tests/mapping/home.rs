//! Legacy homes in memory, and what they are mapped to.

use std::path::Path;
use std::sync::Arc;

use ao_migrate::mapping::{
    self, Arrival, Existing, Mapped, MappedProject, MappedSession, ProjectRow, Settings,
};
use camino::{Utf8Path, Utf8PathBuf};
use legacy_readers::ao::{
    Behaviour, Config, Content, Entry, Field, Layout, Legacy, Lifecycle, Local, Owner, Preference, Project,
    Registration, SessionFile, SessionRecord, Stamp,
};
use serde_json::Value;
use session_model::{Anomaly, Finding, InputId, Place, Survey, Timestamp};

/// When every file was last changed.
pub(crate) const MTIME: &str = "2026-01-20T10:00:00.000Z";

/// A home with a registry, and what else a mapping depends on.
#[derive(Debug)]
pub(crate) struct Home {
    pub(crate) legacy: Legacy,
    pub(crate) existing: Existing,
    pub(crate) schema: u32,
    pub(crate) restorable: bool,
    pub(crate) selected: Option<Vec<&'static str>>,
}

pub(crate) fn text(text: &str) -> Field {
    Field::Text(text.into())
}

pub(crate) fn mtime() -> Timestamp {
    MTIME.parse().expect("a time")
}

/// The identity: what a data directory without symlinks resolves to.
pub(crate) fn as_it_is(path: &Utf8Path) -> Utf8PathBuf {
    path.to_owned()
}

impl Home {
    pub(crate) fn new() -> Self {
        let config =
            Config::Read { path: "/home/kim/.agent-orchestrator/config.yaml".into(), mtime: mtime() };
        let legacy = Legacy { config, ..Legacy::default() };
        Self { legacy, existing: Existing::default(), schema: 12, restorable: false, selected: None }
    }

    /// A home with the project `ledger` at `/src/ledger`, whose prefix is therefore `led`.
    pub(crate) fn with_ledger() -> Self {
        Self::new().project("ledger", |_| {})
    }

    pub(crate) fn project(self, id: &str, edit: impl FnOnce(&mut Registration)) -> Self {
        let mut registration = registration(id);
        edit(&mut registration);
        self.entry(id, Entry::Read(Box::new(registration)))
    }

    pub(crate) fn entry(mut self, id: &str, entry: Entry) -> Self {
        let place = Place::new("/home/kim/.agent-orchestrator/config.yaml").line(2);
        self.legacy.projects.push(Project {
            input: InputId::new("project", id),
            id: id.into(),
            place,
            entry,
        });
        self
    }

    /// A project with settings of its own.
    pub(crate) fn behaviour(self, id: &str, behaviour: Behaviour) -> Self {
        let path = Path::new("/src").join(id).join("agent-orchestrator.yaml");
        self.project(id, |registration| {
            registration.local = Local::Read { path, behaviour: Box::new(behaviour) };
        })
    }

    /// A readable session of a project that is in the registry.
    pub(crate) fn session(self, project: &str, id: &str, edit: impl FnOnce(&mut SessionRecord)) -> Self {
        let mut record =
            SessionRecord { created_at: text("2026-01-10T10:00:00Z"), ..SessionRecord::default() };
        edit(&mut record);
        self.content(project, id, Content::Record(Box::new(record)))
    }

    pub(crate) fn content(self, project: &str, id: &str, content: Content) -> Self {
        self.file(Owner::Project(project.into()), id, content)
    }

    pub(crate) fn file(mut self, owner: Owner, id: &str, content: Content) -> Self {
        let path = format!("/home/kim/.agent-orchestrator/{}/{id}", self.legacy.sessions.len());
        self.legacy.sessions.push(SessionFile {
            input: InputId::new("session", &path),
            path: path.into(),
            owner,
            id: id.into(),
            layout: Layout::V2,
            mtime: mtime(),
            content,
        });
        self
    }

    pub(crate) fn map(&self) -> Mapped {
        let survey = Survey { found: self.legacy.clone(), ..Survey::default() };
        let selected = self.selected.as_ref();
        mapping::map(
            &survey,
            &self.existing,
            &Settings {
                schema: self.schema,
                restorable: self.restorable,
                selected: selected.map(|ids| ids.iter().map(|id| (*id).to_owned()).collect()),
                worktrees: "/data/worktrees".into(),
                resolve: &as_it_is,
            },
        )
    }

    /// The first project's mapping.
    pub(crate) fn first_project(&self) -> MappedProject {
        self.map().projects.remove(0)
    }

    /// The first session's mapping.
    pub(crate) fn first_session(&self) -> MappedSession {
        self.map().sessions.remove(0)
    }
}

/// What an entry with nothing but a path says.
pub(crate) fn registration(id: &str) -> Registration {
    Registration {
        path: format!("/src/{id}").into(),
        repo: None,
        registered_at: Stamp::Absent,
        storage_key: None,
        default_branch: None,
        display_name: None,
        session_prefix: None,
        git_origin: None,
        preference: Preference::default(),
        added_at: None,
        local: Local::Missing,
    }
}

/// A lifecycle in a state.
pub(crate) fn lifecycle(state: &str) -> Lifecycle {
    Lifecycle { state: text(state), ..Lifecycle::default() }
}

/// A readable session with a state.
pub(crate) fn in_state(state: &str) -> impl FnOnce(&mut SessionRecord) {
    let lifecycle = lifecycle(state);
    |record| record.lifecycle = Some(lifecycle)
}

pub(crate) fn anomaly(code: &str, line: u64) -> Anomaly {
    Anomaly::new(code, "expected text, found a list")
        .at(Place::new("/src/x/agent-orchestrator.yaml").line(line))
}

/// The database after the rows were inserted.
pub(crate) fn after(mapped: &Mapped, mut existing: Existing) -> Existing {
    for row in mapped.projects.iter().filter_map(|project| project.row.as_ref()) {
        existing.projects.insert(row.id.clone(), row.values());
    }
    for arrival in mapped.sessions.iter().filter_map(|session| session.arrival.as_ref()) {
        existing.sessions.insert(arrival.row.id.clone(), arrival.row.values());
    }
    existing
}

/// The outcome as reports write it: `skipped(terminal)`.
pub(crate) fn bucket(outcome: &migration_engine::Outcome) -> String {
    match &outcome.reason {
        Some(reason) => format!("{}({reason})", outcome.bucket),
        None => outcome.bucket.to_string(),
    }
}

pub(crate) fn buckets(mapped: &Mapped) -> Vec<String> {
    mapped.sessions.iter().map(|session| bucket(&session.outcome)).collect()
}

pub(crate) fn codes(findings: &[Finding]) -> Vec<&str> {
    findings.iter().map(|finding| finding.code.as_str()).collect()
}

/// The message of the only finding with a code.
pub(crate) fn message<'a>(findings: &'a [Finding], code: &str) -> &'a str {
    let found: Vec<&Finding> = findings.iter().filter(|finding| finding.code == code).collect();
    assert_eq!(found.len(), 1, "{code} in {findings:?}");
    &found[0].message
}

pub(crate) fn config(row: &ProjectRow) -> Value {
    serde_json::from_str(row.config.as_deref().expect("a configuration")).expect("JSON")
}

pub(crate) fn arrival(mapped: &Mapped, id: &str) -> Arrival {
    let session = mapped.sessions.iter().find(|session| session.id == id && session.arrival.is_some());
    *session.and_then(|session| session.arrival.clone()).unwrap_or_else(|| panic!("{id} arrives"))
}

/// An owner that is not in the registry.
pub(crate) fn unknown(id: &str) -> Owner {
    Owner::Unknown(Arc::from(id))
}
