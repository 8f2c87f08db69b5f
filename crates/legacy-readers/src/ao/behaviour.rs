//! A project's own `agent-orchestrator.yaml` (formats/ao.md §2.4).

use std::path::{Path, PathBuf};

use session_model::{Anomaly, Place};

use super::project::{AgentConfig, Behaviour, Local, Role};
use super::typed::Map;
use super::yaml::{self, Wrong};
use super::{files, text};

const NAMES: [&str; 2] = ["agent-orchestrator.yaml", "agent-orchestrator.yml"];
/// Known keys of which only their presence matters, and whether each is a map (else text).
const ALSO: [(&str, bool); 9] = [
    ("tracker", true),
    ("scm", true),
    ("reactions", true),
    ("agentRules", false),
    ("agentRulesFile", false),
    ("orchestratorRules", false),
    ("orchestratorSessionStrategy", false),
    ("opencodeIssueSessionStrategy", false),
    ("decomposer", true),
];
/// Keys that become part of [`Behaviour`].
const USED: [&str; 9] = [
    "runtime",
    "agent",
    "workspace",
    "agentConfig",
    "worker",
    "orchestrator",
    "env",
    "symlinks",
    "postCreate",
];
/// Keys that belong to the registry and are ignored here.
const IDENTITY: [&str; 6] = ["repo", "defaultBranch", "originUrl", "projectId", "path", "storageKey"];

/// Reads the settings file of the project in `folder`.
pub(super) fn read(folder: &Path) -> Local {
    for path in NAMES.map(|name| folder.join(name)) {
        match files::read(&path) {
            Ok(None) => {}
            Ok(Some((bytes, _))) => return from_bytes(&bytes, path),
            Err(error) => return Local::Degraded(degraded(files::unreadable(&path, &error))),
        }
    }
    Local::Missing
}

fn from_bytes(bytes: &[u8], path: PathBuf) -> Local {
    let text = match text::utf8(bytes, &path) {
        Ok(text) => text,
        Err(anomaly) => return Local::Degraded(degraded(anomaly)),
    };
    match parse(text) {
        Ok(behaviour) => Local::Read { path, behaviour: Box::new(behaviour) },
        Err(wrong) => Local::Degraded(degraded(wrong.in_file(&path, ""))),
    }
}

fn degraded(why: Anomaly) -> Anomaly {
    Anomaly { code: "project-degraded".into(), ..why }
}

fn parse(text: &str) -> Result<Behaviour, Wrong> {
    let root = yaml::parse(text)?;
    let map = Map::of(&root, "the file")?;
    if let Some(wrapped) = map.get("projects") {
        return Err(
            wrapped.wrong("expected one project's settings, found `projects` of the older, wrapped form")
        );
    }
    Ok(Behaviour {
        runtime: map.text("runtime")?,
        agent: map.text("agent")?,
        workspace: map.text("workspace")?,
        agent_config: agent_config(map)?,
        worker: role(map.map("worker")?)?,
        orchestrator: role(map.map("orchestrator")?)?,
        env: env(map)?,
        symlinks: map.texts("symlinks")?,
        post_create: map.texts("postCreate")?,
        also_set: also_set(map)?,
        unknown_keys: map.keys().filter(|key| !is_known(key)).map(str::to_owned).collect(),
    })
}

fn role(map: Map<'_>) -> Result<Role, Wrong> {
    Ok(Role { agent: map.text("agent")?, agent_config: agent_config(map)? })
}

fn agent_config(parent: Map<'_>) -> Result<AgentConfig, Wrong> {
    let map = parent.map("agentConfig")?;
    let known = ["permissions", "model", "orchestratorModel"];
    Ok(AgentConfig {
        permissions: map.text("permissions")?,
        model: map.text("model")?,
        orchestrator_model: map.text("orchestratorModel")?,
        other_keys: map.keys().filter(|key| !known.contains(key)).map(str::to_owned).collect(),
    })
}

/// Numbers and booleans are no wrong types here: they are taken as they were written (§5.1).
fn env(map: Map<'_>) -> Result<Vec<(String, String)>, Wrong> {
    let entries = map.map("env")?.entries();
    entries.iter().map(|(key, node)| Ok((key.clone(), node.raw(&format!("env.{key}"))?))).collect()
}

fn also_set(map: Map<'_>) -> Result<Vec<String>, Wrong> {
    for (key, is_map) in ALSO {
        if is_map {
            map.map(key)?;
        } else {
            map.text(key)?;
        }
    }
    Ok(ALSO.iter().map(|(key, _)| *key).filter(|key| map.get(key).is_some()).map(str::to_owned).collect())
}

fn is_known(key: &str) -> bool {
    USED.contains(&key) || IDENTITY.contains(&key) || ALSO.iter().any(|(name, _)| *name == key)
}

impl Wrong {
    /// The same error as an anomaly of a file; `what` begins its message.
    pub(super) fn in_file(self, path: &Path, what: &str) -> Anomaly {
        let place = Place::new(path).line(self.line).column(self.column);
        Anomaly::new("parse-error", format!("{what}{}", self.message)).at(place)
    }
}
