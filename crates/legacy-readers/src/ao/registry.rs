//! The registry: `config.yaml` (formats/ao.md §2.3).

use std::path::Path;
use std::sync::Arc;

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use session_model::{Anomaly, InputId, Place, Timestamp};

use super::model::{Config, Options};
use super::portfolio::Portfolio;
use super::project::{Defaults, Entry, Project, Registration, Repo, Stamp};
use super::typed::{self, Map};
use super::yaml::{self, Node, Wrong};
use super::{behaviour, files, origin, text};

/// What the registry yields.
#[derive(Default)]
pub(super) struct Registry {
    pub(super) config: Config,
    pub(super) defaults: Defaults,
    pub(super) projects: Vec<Project>,
    pub(super) anomalies: Vec<Anomaly>,
}

/// Reads the registry, and beside each entry what lies elsewhere about the same project.
pub(super) fn read(options: &Options, portfolio: &Portfolio) -> Registry {
    let path = options.config.path.as_std_path();
    match files::read(path) {
        Ok(None) => {
            let why = Anomaly::new("no-registry", "expected the registry of projects, found no file");
            Registry { anomalies: vec![why.at(Place::new(path))], ..Registry::default() }
        }
        Ok(Some((bytes, mtime))) => from_bytes(&bytes, mtime, options, portfolio)
            .unwrap_or_else(|why| Registry::unreadable(path, why)),
        Err(error) => Registry::unreadable(path, files::unreadable(path, &error)),
    }
}

fn from_bytes(
    bytes: &[u8],
    mtime: Timestamp,
    options: &Options,
    portfolio: &Portfolio,
) -> Result<Registry, Anomaly> {
    let path = options.config.path.as_std_path();
    let wrong = |wrong: Wrong| wrong.in_file(path, "");
    let root = yaml::parse(text::utf8(bytes, path)?).map_err(wrong)?;
    let map = Map::of(&root, "the registry").map_err(wrong)?;
    let entries = map.map("projects").map_err(wrong)?.entries();
    let projects = entries.iter().map(|(id, node)| project(id, node, options, portfolio)).collect();
    let mut registry =
        Registry { config: Config::Read { path: path.into(), mtime }, projects, ..Registry::default() };
    match defaults(map) {
        Ok(defaults) => registry.defaults = defaults,
        Err(wrong) => registry.anomalies.push(wrong.in_file(path, "global defaults are not used: ")),
    }
    Ok(registry)
}

impl Registry {
    fn unreadable(path: &Path, why: Anomaly) -> Self {
        let input = InputId::new("project", path.display().to_string());
        Self { config: Config::Unreadable { input, why }, ..Self::default() }
    }
}

fn defaults(root: Map<'_>) -> Result<Defaults, Wrong> {
    let map = root.map("defaults")?;
    let used = ["runtime", "agent", "workspace", "worker", "orchestrator"];
    let global = root.keys().filter(|key| !["projects", "defaults"].contains(key)).map(str::to_owned);
    let inside = map.keys().filter(|key| !used.contains(key)).map(|key| format!("defaults.{key}"));
    Ok(Defaults {
        runtime: map.text("runtime")?,
        agent: map.text("agent")?,
        workspace: map.text("workspace")?,
        worker_agent: map.map("worker")?.text("agent")?,
        orchestrator_agent: map.map("orchestrator")?.text("agent")?,
        also_set: global.chain(inside).collect(),
    })
}

fn project(id: &str, node: &Node, options: &Options, portfolio: &Portfolio) -> Project {
    let path = options.config.path.as_std_path();
    let entry = match registration(id, node, options, portfolio) {
        Ok(registration) => Entry::Read(Box::new(registration)),
        Err(wrong) => Entry::Quarantined(wrong.in_file(path, "")),
    };
    let place = Place::new(path).line(node.line).column(node.column);
    Project { input: InputId::new("project", id), id: Arc::from(id), place, entry }
}

fn registration(
    id: &str,
    node: &Node,
    options: &Options,
    portfolio: &Portfolio,
) -> Result<Registration, Wrong> {
    let map = Map::of(node, "the entry")?;
    let path = map.text("path")?.filter(|path| !path.trim().is_empty());
    let path = path.ok_or_else(|| node.wrong("expected the entry to have a `path`, found none"))?;
    let path = absolute(&path, options);
    Ok(Registration {
        repo: repo(map)?,
        registered_at: registered_at(map),
        storage_key: map.raw("storageKey")?,
        default_branch: map.text("defaultBranch")?,
        display_name: map.text("displayName")?,
        session_prefix: map.text("sessionPrefix")?,
        git_origin: origin::ask(path.as_std_path()),
        preference: portfolio.preference(id),
        added_at: portfolio.added_at(id, &path, |path| absolute(path, options)),
        local: behaviour::read(path.as_std_path()),
        path,
    })
}

fn repo(map: Map<'_>) -> Result<Option<Repo>, Wrong> {
    if map.get("repo").is_none() {
        return Ok(None);
    }
    let map = map.map("repo")?;
    Ok(Some(Repo {
        owner: map.text("owner")?,
        name: map.text("name")?,
        platform: map.text("platform")?,
        origin_url: map.text("originUrl")?,
    }))
}

/// A number of Unix seconds; text and milliseconds are not valid (formats/ao.md §2.3).
fn registered_at(map: Map<'_>) -> Stamp {
    let Some(node) = map.get("registeredAt") else { return Stamp::Absent };
    let seconds = typed::number(node).filter(|seconds| *seconds >= 0.0);
    #[expect(clippy::cast_possible_truncation, reason = "a number beyond i64 saturates and is then refused")]
    let millis = seconds.map(|seconds| (seconds * 1000.0).floor() as i64);
    match millis.and_then(|millis| Timestamp::from_millisecond(millis).ok()) {
        Some(at) if at <= files::latest() => Stamp::At(at),
        _ => Stamp::Invalid,
    }
}

/// A path of the registry: `~` is the home, a relative one begins at the registry's folder.
fn absolute(path: &str, options: &Options) -> Utf8PathBuf {
    let expanded = match path.strip_prefix('~') {
        Some("") => options.home.clone(),
        Some(rest) if rest.starts_with(['/', '\\']) => {
            options.home.join(rest.trim_start_matches(['/', '\\']))
        }
        _ => options.config.path.parent().unwrap_or(Utf8Path::new("/")).join(path),
    };
    without_dots(&expanded)
}

/// The path without `.` and `..`, resolved as text: the old orchestrator did not look at symlinks here either.
fn without_dots(path: &Utf8Path) -> Utf8PathBuf {
    let mut plain = Utf8PathBuf::new();
    for component in path.components() {
        match component {
            Utf8Component::CurDir => {}
            Utf8Component::ParentDir => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}
