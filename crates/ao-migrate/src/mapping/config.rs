//! A project's configuration as the daemon keeps it: JSON text, in which every value must have the type that it
//! expects, because it takes text that it cannot decode for an empty configuration (formats/ao.md §5.1, §5.2).

use legacy_readers::ao::{AgentConfig, Behaviour, Registration, Role};
use serde_json::{Map, Value};
use session_model::{Finding, Harness};

use super::paths;

/// From this version on the daemon starts no orchestrator in a project that names no agent for it (formats/ao.md §8.4).
const AGENTS_REQUIRED: u32 = 19;

/// What the old orchestrator runs where nobody chose.
const DEFAULT_AGENT: &str = "claude-code";

/// A configuration in the making.
struct Draft<'a> {
    behaviour: &'a Behaviour,
    findings: &'a mut Vec<Finding>,
    json: Map<String, Value>,
}

/// The configuration, `None` when it would be empty, and in `findings` what of the old one has no place in it.
pub(super) fn of(
    registration: &Registration,
    behaviour: &Behaviour,
    schema: u32,
    findings: &mut Vec<Finding>,
) -> Option<String> {
    let default_agent = default_agent(behaviour, schema);
    let mut draft = Draft { behaviour, findings, json: Map::new() };
    draft.put("defaultBranch", default_branch(registration));
    draft.session_prefix(registration);
    let env = behaviour.env.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str())));
    draft.put("env", Value::Object(env.collect()));
    draft.symlinks();
    draft.put("postCreate", Value::from(behaviour.post_create.clone()));
    let permissions = behaviour.agent_config.permissions.as_deref().unwrap_or("permissionless");
    let agent_config = draft.agent_config("project", &behaviour.agent_config, Some(permissions));
    draft.put("agentConfig", agent_config);
    draft.role("worker", &behaviour.worker, default_agent);
    draft.role("orchestrator", &behaviour.orchestrator, default_agent);
    draft.project_agent(default_agent);
    draft.dropped(registration);
    let json = draft.json;
    (!json.is_empty()).then(|| Value::Object(json).to_string())
}

/// The agent that roles without one are given, where the daemon insists.
fn default_agent(behaviour: &Behaviour, schema: u32) -> Option<Harness> {
    let agent = behaviour.agent.as_deref().unwrap_or(DEFAULT_AGENT);
    if schema >= AGENTS_REQUIRED { agent.parse().ok() } else { None }
}

fn default_branch(registration: &Registration) -> Value {
    let branch = registration.default_branch.as_deref().filter(|branch| *branch != "main");
    Value::from(branch.unwrap_or_default())
}

impl Draft<'_> {
    fn put(&mut self, key: &str, value: Value) {
        put(&mut self.json, key, value);
    }

    fn warn(&mut self, code: &str, message: String) {
        self.findings.push(Finding::warning(code, message));
    }

    fn note(&mut self, code: &str, message: String) {
        self.findings.push(Finding::note(code, message));
    }

    fn session_prefix(&mut self, registration: &Registration) {
        let prefix = registration.session_prefix();
        if paths::is_prefix(&prefix) {
            self.put("sessionPrefix", Value::from(prefix));
        } else {
            let message = "the daemon refuses the session prefix: it uses the beginning of the project's id";
            self.warn("prefix-dropped", message.into());
        }
    }

    fn symlinks(&mut self) {
        let (kept, dropped): (Vec<&String>, Vec<&String>) =
            self.behaviour.symlinks.iter().partition(|path| is_inside_repository(path));
        let kept = kept.into_iter().map(String::as_str).collect::<Value>();
        self.put("symlinks", kept);
        for path in dropped {
            let message =
                format!("the symlink {path:?} is left out: the daemon takes only paths in the repository");
            self.warn("symlink-dropped", message);
        }
    }

    fn agent_config(&mut self, place: &str, config: &AgentConfig, permissions: Option<&str>) -> Value {
        let mut json = Map::new();
        put(&mut json, "model", Value::from(config.model.as_deref().unwrap_or_default()));
        let permissions = permissions.map(|old| self.permissions(place, old));
        put(&mut json, "permissions", Value::from(permissions.unwrap_or_default()));
        Value::Object(json)
    }

    fn permissions(&mut self, place: &str, old: &str) -> &'static str {
        match old {
            "permissionless" | "skip" => "bypass-permissions",
            "auto-edit" => "accept-edits",
            "default" => "default",
            _ => {
                let message = format!("the daemon has no permissions {old:?} ({place}): default is written");
                self.warn("permission-lossy", message);
                "default"
            }
        }
    }

    fn role(&mut self, name: &str, role: &Role, default_agent: Option<Harness>) {
        let agent = role.agent.as_deref().and_then(|agent| self.role_agent(name, agent)).or(default_agent);
        let permissions = role.agent_config.permissions.as_deref();
        let agent_config = self.agent_config(name, &role.agent_config, permissions);
        let mut json = Map::new();
        put(&mut json, "agent", Value::from(agent.map_or("", Harness::as_str)));
        put(&mut json, "agentConfig", agent_config);
        self.put(name, Value::Object(json));
    }

    fn role_agent(&mut self, role: &str, agent: &str) -> Option<Harness> {
        let known = agent.parse().ok();
        if known.is_none() {
            self.warn("role-agent-dropped", format!("the daemon knows no agent {agent:?} ({role})"));
        }
        known
    }

    /// The daemon has no agent of a project, only of its roles.
    fn project_agent(&mut self, carried: Option<Harness>) {
        let agent = self.behaviour.agent.as_deref().unwrap_or(DEFAULT_AGENT);
        if agent != DEFAULT_AGENT && carried.is_none() {
            let message = format!(
                "the daemon has no default agent of a project, and this one's is {agent:?}: \
                 set the agents of its worker and orchestrator"
            );
            self.warn("project-agent-dropped", message);
        }
    }

    fn dropped(&mut self, registration: &Registration) {
        let fields = dropped_fields(self.behaviour).join(", ");
        self.note("fields-dropped", format!("the daemon has no place for: {fields}"));
        let models = self.agent_configs().filter(|(_, config)| config.orchestrator_model.is_some());
        let models: Vec<&str> = models.map(|(place, _)| place).collect();
        if !models.is_empty() {
            let message = format!("`orchestratorModel` is dropped ({})", models.join(", "));
            self.warn("orchestrator-model-dropped", message);
        }
        let is_strategy = |key: &&String| key.ends_with("SessionStrategy");
        let strategies: Vec<String> = self.behaviour.also_set.iter().filter(is_strategy).cloned().collect();
        if !strategies.is_empty() {
            self.warn("session-strategy-dropped", format!("dropped: {}", strategies.join(", ")));
        }
        let others = self.others(registration);
        if !others.is_empty() {
            self.note("other-dropped", format!("the daemon has no place for: {}", others.join(", ")));
        }
    }

    fn agent_configs(&self) -> impl Iterator<Item = (&'static str, &AgentConfig)> {
        let behaviour = self.behaviour;
        [
            ("project", &behaviour.agent_config),
            ("worker", &behaviour.worker.agent_config),
            ("orchestrator", &behaviour.orchestrator.agent_config),
        ]
        .into_iter()
    }

    /// The names of everything else that is set.
    fn others(&self, registration: &Registration) -> Vec<String> {
        let in_agent_config = |(place, config): (&str, &AgentConfig)| {
            let prefix = if place == "project" { String::new() } else { format!("{place}.") };
            let names = config.other_keys.iter().map(|key| format!("{prefix}agentConfig.{key}"));
            names.collect::<Vec<_>>()
        };
        let decomposer = self.behaviour.also_set.iter().filter(|key| *key == "decomposer").cloned();
        let enabled = registration.preference.enabled.map(|_| "the preference `enabled`".to_owned());
        let unknown = self.behaviour.unknown_keys.iter().cloned();
        self.agent_configs()
            .flat_map(in_agent_config)
            .chain(decomposer)
            .chain(enabled)
            .chain(unknown)
            .collect()
    }
}

/// What the old orchestrator had for every project, by default or by choice, and the daemon has not.
fn dropped_fields(behaviour: &Behaviour) -> Vec<&'static str> {
    let is_set = |key: &str| behaviour.also_set.iter().any(|set| set == key);
    let rules = ["agentRules", "agentRulesFile", "orchestratorRules"].into_iter().any(is_set);
    [
        ("tracker", is_set("tracker")),
        ("scm", is_set("scm")),
        ("rules", rules),
        ("runtime", true),
        ("workspace", true),
        ("reactions", is_set("reactions")),
    ]
    .into_iter()
    .filter(|(_, dropped)| *dropped)
    .map(|(field, _)| field)
    .collect()
}

/// Adds a value that is not empty.
fn put(json: &mut Map<String, Value>, key: &str, value: Value) {
    let is_empty = match &value {
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    };
    if !is_empty {
        json.insert(key.to_owned(), value);
    }
}

/// Whether a path stays in the repository that it is relative to, on every system.
fn is_inside_repository(path: &str) -> bool {
    let has_drive = path.as_bytes().get(1) == Some(&b':');
    !path.is_empty()
        && !path.starts_with(['/', '\\'])
        && !has_drive
        && path.split(['/', '\\']).all(|component| component != "..")
}
