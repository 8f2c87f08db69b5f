//! Whether what was left means what it should (formats/cowork.md A7, A8, F).

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};

use jsonl_stitch::load::Load;
use legacy_readers::cowork::{Extent, LogEvent, Said, Sidecar, last_word};
use migration_engine::Cx;
use serde_json::Value;
use session_model::Finding;
use transcript_relocate::resolve_physically;

use crate::links::{Link, links};
use crate::settings::{Promise, Settings};
use crate::sidecar::MERGED;
use crate::transcript;

/// Everything that can be said about a session that was moved.
pub(crate) fn judge(settings: &Settings, log: Option<&[LogEvent]>, cx: &Cx<'_>) -> Vec<Finding> {
    let mut findings = sidecar(settings);
    for promise in &settings.promises {
        findings.extend(transcript(promise, cx));
        findings.extend(gate(settings, promise));
    }
    findings.extend(log.into_iter().flat_map(|events| of_log(settings, events)));
    findings
}

fn sidecar(settings: &Settings) -> Vec<Finding> {
    let Some(path) = settings.sidecar.as_deref() else { return Vec::new() };
    let found = match Sidecar::read(path) {
        Ok(found) => found,
        Err(anomaly) => return vec![Finding::error("sidecar", anomaly.to_string())],
    };
    let promised: Value = serde_json::from_str(&settings.promised).unwrap_or_default();
    let differs = |name: &&str| promised.get(name) != found.members.get(*name);
    let changed: Vec<&str> = MERGED.iter().copied().filter(differs).collect();
    if changed.is_empty() {
        return Vec::new();
    }
    let message = format!(
        "the application has changed {} of the sidecar on loading; quit it, then `cowork-migrate reapply` puts that back",
        changed.join(", ")
    );
    vec![Finding::error("sidecar-changed", message)]
}

fn transcript(promise: &Promise, cx: &Cx<'_>) -> Option<Finding> {
    let name = promise.transcript.display();
    match transcript::loads(&promise.transcript, cx) {
        Ok(now) if promise.is_kept(&now) => None,
        Ok(now) => {
            let message = format!("{name} would load less than was promised: {}", in_words(&now));
            Some(Finding::error("loads-less", message))
        }
        Err(error) => Some(Finding::error("unreadable", format!("cannot read {name}: {error}"))),
    }
}

fn in_words(loads: &[Load]) -> String {
    let words = loads.iter().map(|load| format!("{} of {} ({})", load.shown, load.of, load.loader.name()));
    words.collect::<Vec<_>>().join(", ")
}

/// The application opens a file on a click only if it lies in a folder that the session was given.
fn gate(settings: &Settings, promise: &Promise) -> Vec<Finding> {
    let Ok(links) = File::open(&promise.transcript).and_then(links) else { return Vec::new() };
    let allowed = Allowed::of(settings);
    let (mut closed, mut gone, mut unchecked, mut machine) = (Vec::new(), Vec::new(), 0, 0);
    for link in links {
        let Link::Host(path) = link else {
            machine += 1;
            continue;
        };
        let Some(local) = settings.drives.local(&path).or_else(|| Allowed::known(&path, settings)) else {
            unchecked += 1;
            continue;
        };
        if !allowed.opens(&local) {
            closed.push(path.to_string());
        } else if local.symlink_metadata().is_err() {
            gone.push(path.to_string());
        }
    }
    let list = |paths: &[String]| paths.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
    let mut findings = Vec::new();
    if !closed.is_empty() {
        let message = format!(
            "{} out of the folders that the session was given: {}",
            lead(closed.len()),
            list(&closed)
        );
        findings.push(Finding::warning("link-outside", message));
    }
    if !gone.is_empty() {
        let message = format!("{} to files that are not there: {}", lead(gone.len()), list(&gone));
        findings.push(Finding::warning("link-gone", message));
    }
    if unchecked > 0 {
        let message =
            format!("{} to drives that were not looked at: --drive says where they lie", lead(unchecked));
        findings.push(Finding::note("link-unchecked", message));
    }
    if machine > 0 {
        let message =
            format!("{} into the virtual machine, which the application has to open", lead(machine));
        findings.push(Finding::note("link-machine", message));
    }
    findings
}

fn lead(links: usize) -> String {
    if links == 1 { "1 link leads".to_owned() } else { format!("{links} links lead") }
}

/// The real paths below which the application opens files.
struct Allowed(Vec<PathBuf>);

impl Allowed {
    fn of(settings: &Settings) -> Self {
        let promised = Sidecar::parse(settings.promised.clone().into_bytes(), Path::new("the sidecar"));
        let folders = promised.map(|sidecar| sidecar.view.folders).unwrap_or_default();
        let chosen = folders.iter().filter_map(|folder| settings.drives.local(&folder.parse().ok()?));
        let session = settings.session_dir.as_deref();
        let own = session
            .into_iter()
            .flat_map(|dir| ["outputs", "uploads", ".projects"].map(|name| dir.join(name)));
        let archive =
            settings.archive.as_deref().zip(settings.vm.as_deref()).map(|(archive, vm)| archive.join(vm));
        let all = chosen.chain(own).chain(archive).map(|folder| resolve_physically(&folder));
        Self(all.collect::<BTreeSet<_>>().into_iter().collect())
    }

    fn opens(&self, path: &Path) -> bool {
        let real = resolve_physically(path);
        self.0.iter().any(|folder| real.starts_with(folder))
    }

    /// A link into the session's own folder or the archive is known without any drive.
    fn known(path: &session_model::ForeignPath, settings: &Settings) -> Option<PathBuf> {
        let places = settings.places.iter();
        let places = places.filter_map(|place| Some((path.below(&place.foreign)?, place.local.clone())));
        let (rest, local) = places.min_by_key(|(rest, _)| rest.len())?;
        Some(rest.iter().fold(local, |folder, name| folder.join(name)))
    }
}

/// What main.log last said about the session.
fn of_log(settings: &Settings, events: &[LogEvent]) -> Vec<Finding> {
    let ids: Vec<&str> = [settings.session.as_str(), settings.session.trim_start_matches("local_")]
        .into_iter()
        .chain(settings.cli.as_deref())
        .collect();
    let mut findings = vec![match last_word(events, &ids) {
        None => Finding::warning(
            "log-silent",
            "the log says nothing of the session yet: start Claude and open it",
        ),
        Some(LogEvent { said: Said::Loaded { messages, extent, .. }, at, .. }) => {
            loaded(settings, *messages, extent, &at.to_string())
        }
        Some(event) => Finding::error(
            "log-not-found",
            format!("{}: the application found no transcript of the session", event.at),
        ),
    }];
    let folders = events.iter().filter_map(|event| match &event.said {
        Said::FolderNotAllowed(text) | Said::FolderGone(text) => Some((event, text)),
        _ => None,
    });
    let promised: Value = serde_json::from_str(&settings.promised).unwrap_or_default();
    let chosen: Vec<&str> =
        promised["userSelectedFolders"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let dropped: BTreeSet<&str> = folders
        .flat_map(|(_, text)| chosen.iter().copied().filter(|folder| text.contains(*folder)))
        .collect();
    findings.extend(dropped.into_iter().map(|folder| {
        Finding::warning(
            "log-folder-dropped",
            format!("the application has dropped the folder {folder} once"),
        )
    }));
    findings
}

fn loaded(settings: &Settings, messages: u64, extent: &Extent, at: &str) -> Finding {
    let promised = |loader: &str| {
        let shown = settings.promises.first().and_then(|promise| promise.loads[loader]["shown"].as_u64());
        shown.unwrap_or_default()
    };
    let (v1, v2) = (promised("v1"), promised("v2"));
    let least = v1.min(v2);
    if messages < least {
        let message =
            format!("{at}: the application loaded {messages} messages, and at least {least} were promised");
        return Finding::error("log-loaded-less", message);
    }
    let how = match extent {
        Extent::Unsaid => String::new(),
        Extent::Tail => ", only the end of the file".into(),
        Extent::Compaction => ", only what follows a compaction".into(),
        Extent::Other(said) => format!(" {said}"),
    };
    Finding::note("log-loaded", format!("{at}: the application loaded {messages} messages{how}"))
}
