//! A project: its entry in the registry, and the settings it was run with.

use std::path::PathBuf;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use session_model::{Anomaly, InputId, Place, Timestamp};

/// One entry of the registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// Kind "project", id = the registry key.
    pub input: InputId,
    /// The registry key, which is the project's id.
    pub id: Arc<str>,
    /// Where the entry stands in the registry.
    pub place: Place,
    /// What it says.
    pub entry: Entry,
}

/// What the registry says of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// It could be read.
    Read(Box<Registration>),
    /// It cannot be read (code `parse-error`): wrong types, or no path. Other entries are unaffected.
    Quarantined(Anomaly),
}

/// A readable entry, together with what lies elsewhere about the same project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// `path`, with `~` expanded, absolute.
    pub path: Utf8PathBuf,
    /// `repo`.
    pub repo: Option<Repo>,
    /// `registeredAt`, Unix seconds.
    pub registered_at: Stamp,
    /// `storageKey`, the scalar as it was written.
    pub storage_key: Option<String>,
    /// `defaultBranch`, as configured.
    pub default_branch: Option<String>,
    /// `displayName` of the registry.
    pub display_name: Option<String>,
    /// `sessionPrefix`, as configured.
    pub session_prefix: Option<String>,
    /// The URL of the repository's remote `origin`; git is asked only when `{path}/.git` itself exists (§5).
    pub git_origin: Option<String>,
    /// What `portfolio/preferences.json` says of it.
    pub preference: Preference,
    /// `addedAt` of `portfolio/registered.json`, matched by `configProjectKey`, else by path.
    pub added_at: Option<String>,
    /// What its own `agent-orchestrator.yaml` says.
    pub local: Local,
}

/// The `repo` map of an entry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Repo {
    /// `owner`.
    pub owner: Option<String>,
    /// `name`.
    pub name: Option<String>,
    /// `platform`: github, gitlab or bitbucket.
    pub platform: Option<String>,
    /// `originUrl`.
    pub origin_url: Option<String>,
}

/// A time that is written as a number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Stamp {
    /// Not given.
    #[default]
    Absent,
    /// A valid time.
    At(Timestamp),
    /// Given, but no number of seconds that a year of four digits can hold.
    Invalid,
}

/// A project's display preferences (formats/ao.md §2.5).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Preference {
    /// `displayName`.
    pub display_name: Option<String>,
    /// `enabled`.
    pub enabled: Option<bool>,
}

/// A project's own settings file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Local {
    /// There is none, which is fine.
    Missing,
    /// It was read.
    Read {
        /// The file.
        path: PathBuf,
        /// What it says.
        behaviour: Box<Behaviour>,
    },
    /// It cannot be read (code `project-degraded`), so the project and its sessions stay out (§2.4).
    Degraded(Anomaly),
}

/// How a project was run (formats/ao.md §2.4), as far as anything of it is carried or reported.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Behaviour {
    /// `runtime`.
    pub runtime: Option<String>,
    /// `agent`.
    pub agent: Option<String>,
    /// `workspace`.
    pub workspace: Option<String>,
    /// `agentConfig`.
    pub agent_config: AgentConfig,
    /// `worker`.
    pub worker: Role,
    /// `orchestrator`.
    pub orchestrator: Role,
    /// `env`, numbers and booleans as they were written.
    pub env: Vec<(String, String)>,
    /// `symlinks`.
    pub symlinks: Vec<String>,
    /// `postCreate`.
    pub post_create: Vec<String>,
    /// Which other known top-level keys are set, under their own names: `tracker`, `scm`, `reactions`, `agentRules`,
    /// `agentRulesFile`, `orchestratorRules`, `orchestratorSessionStrategy`, `opencodeIssueSessionStrategy`,
    /// `decomposer`.
    pub also_set: Vec<String>,
    /// Top-level keys that formats/ao.md §2.4 does not list; the identity keys that it ignores are not among them.
    pub unknown_keys: Vec<String>,
}

/// An `agentConfig` map.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AgentConfig {
    /// `permissions`, as written.
    pub permissions: Option<String>,
    /// `model`.
    pub model: Option<String>,
    /// `orchestratorModel`.
    pub orchestrator_model: Option<String>,
    /// The names of all other keys.
    pub other_keys: Vec<String>,
}

/// The settings of one role.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Role {
    /// `agent`.
    pub agent: Option<String>,
    /// `agentConfig`; it has no defaults.
    pub agent_config: AgentConfig,
}

/// The global part of `config.yaml` (formats/ao.md §2.3).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Defaults {
    /// `defaults.runtime`.
    pub runtime: Option<String>,
    /// `defaults.agent`.
    pub agent: Option<String>,
    /// `defaults.workspace`.
    pub workspace: Option<String>,
    /// `defaults.worker.agent`.
    pub worker_agent: Option<String>,
    /// `defaults.orchestrator.agent`.
    pub orchestrator_agent: Option<String>,
    /// All other global keys that are set, those of `defaults` as `defaults.KEY`: nothing of them is carried.
    pub also_set: Vec<String>,
}

impl Project {
    /// The entry, if it could be read.
    pub fn registration(&self) -> Option<&Registration> {
        match &self.entry {
            Entry::Read(registration) => Some(registration),
            Entry::Quarantined(_) => None,
        }
    }
}

impl Registration {
    /// The prefix of the project's session ids: configured, else derived from its path (formats/ao.md §2.3). One of
    /// blanks counts as not configured.
    pub fn session_prefix(&self) -> String {
        let configured = self.session_prefix.clone().filter(|prefix| !prefix.trim().is_empty());
        configured.unwrap_or_else(|| default_session_prefix(&self.path))
    }

    /// The effective behaviour: the project's own, completed by the global defaults (formats/ao.md §2.4). `None` when
    /// the project is degraded.
    ///
    /// `agent` falls back to claude-code and `workspace` to worktree. `scm` and `tracker` count as set when the entry
    /// has a `repo` with owner and name. The default of `permissions` is left to the mapping (§5.1).
    pub fn effective(&self, defaults: &Defaults) -> Option<Behaviour> {
        let mut behaviour = match &self.local {
            Local::Missing => Behaviour::default(),
            Local::Read { behaviour, .. } => (**behaviour).clone(),
            Local::Degraded(_) => return None,
        };
        let or_default = |own: &mut Option<String>, global: &Option<String>| {
            if own.is_none() {
                own.clone_from(global);
            }
        };
        or_default(&mut behaviour.runtime, &defaults.runtime);
        or_default(&mut behaviour.agent, &defaults.agent);
        or_default(&mut behaviour.workspace, &defaults.workspace);
        or_default(&mut behaviour.worker.agent, &defaults.worker_agent);
        or_default(&mut behaviour.orchestrator.agent, &defaults.orchestrator_agent);
        behaviour.agent.get_or_insert_with(|| "claude-code".into());
        behaviour.workspace.get_or_insert_with(|| "worktree".into());
        if self.repo.as_ref().is_some_and(|repo| repo.owner.is_some() && repo.name.is_some()) {
            for key in ["tracker", "scm"] {
                if !behaviour.also_set.iter().any(|set| set == key) {
                    behaviour.also_set.push(key.into());
                }
            }
        }
        Some(behaviour)
    }
}

/// The prefix that the old orchestrator derives from the last component of a project's path (formats/ao.md §2.3).
///
/// ```
/// use legacy_readers::ao::default_session_prefix;
/// assert_eq!(default_session_prefix("/src/billing-api".into()), "ba");
/// ```
pub fn default_session_prefix(path: &Utf8Path) -> String {
    let name = path.file_name().unwrap_or_default();
    let capitals: String = name.chars().filter(char::is_ascii_uppercase).collect();
    let separator = ['-', '_'].into_iter().find(|separator| name.contains(*separator));
    let prefix: String = match separator {
        _ if name.chars().count() <= 4 => name.into(),
        _ if capitals.len() >= 2 => capitals,
        Some(separator) => name.split(separator).filter_map(|part| part.chars().next()).collect(),
        None => name.chars().take(3).collect(),
    };
    prefix.to_lowercase()
}
