//! `rewrite`: the paths of a session's files rewritten in place (formats/cowork.md E).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use durable_files::PathText;
use legacy_readers::cowork::{self, Session, Sidecar, View};
use migration_cli::{Refusal, Surroundings};
use migration_engine::steps::ReplaceFile;
use migration_engine::{Block, Bucket, Cx, Header, Item, ItemId, Outcome, Plan, Task, Wave};
use session_model::{ForeignPath, InputId};
use transcript_relocate::resolve_physically;
use transcript_relocate::rewrite::{PathRules, RulesError};

use crate::content::{Made, Original};
use crate::drives::{Drives, Home};
use crate::effect::Effect;
use crate::guard;
use crate::in_place::InPlace;
use crate::mapping::{Mapping, Worlds, as_said, homes_in};
use crate::moving::{archive, only};
use crate::options::Options;
use crate::places;
use crate::rewriting::Tally;
use crate::settings::Settings;

/// The files of one session, and what it says about itself.
struct Set {
    /// The session's folder, by which its own mounts are known.
    directory: Option<PathBuf>,
    view: Option<View>,
    /// Each with whether it is a sidecar.
    files: Vec<(PathBuf, bool)>,
}

pub(crate) fn plan(
    options: &Options,
    paths: &[camino::Utf8PathBuf],
    here: &Surroundings,
    cx: &Cx<'_>,
) -> Result<Plan<Effect>, Refusal> {
    let mut tally = Tally::default();
    let mut draft = Draft::default();
    for path in paths {
        for set in sets(&places::named(path, here)?)? {
            guard::must_not_run(&set.files.iter().map(|(file, _)| file.clone()).collect::<Vec<_>>())?;
            let by = rules(options, &set, here)?;
            let first = draft.tasks.len();
            for (file, is_sidecar) in &set.files {
                draft.add(file, *is_sidecar, &by, &mut tally, cx)?;
            }
            draft.together(first);
        }
    }
    if options.strict {
        tally.must_be_complete()?;
    }
    draft.finish(&tally)
}

/// The folders in which something is rewritten.
pub(crate) fn folders(paths: &[camino::Utf8PathBuf], here: &Surroundings) -> Result<Vec<PathBuf>, Refusal> {
    let mut folders = Vec::new();
    for path in paths {
        let sets = sets(&places::named(path, here)?)?;
        let files = sets.iter().flat_map(|set| &set.files);
        folders.extend(files.filter_map(|(file, _)| file.parent().map(Path::to_path_buf)));
    }
    folders.sort();
    folders.dedup();
    Ok(folders)
}

fn sets(path: &Path) -> Result<Vec<Set>, Refusal> {
    if path.is_file() {
        return Ok(vec![of_file(path)?]);
    }
    if !path.is_dir() {
        let message = format!("expected a file or folder at {}, found nothing", path.display());
        return Err(Refusal::new("missing", message, "check the path"));
    }
    let folder = if sidecar_of(path).is_some() { path.parent().unwrap_or(path) } else { path };
    let survey = cowork::read_bundle(folder).map_err(|error| {
        Refusal::new("unreadable", error.to_string(), "check the path and its permissions")
    })?;
    let is_meant = |session: &&Session| folder == path || session.directory.as_deref() == Some(path);
    let sets: Vec<Set> = survey.found.sessions.iter().filter(is_meant).map(of_session).collect();
    if sets.is_empty() {
        let message =
            format!("expected a session's folder at {}, or one with sidecars, found neither", path.display());
        return Err(Refusal::new("not-a-session", message, "name the folder that lies beside local_….json"));
    }
    Ok(sets)
}

fn of_session(session: &Session) -> Set {
    let contents = cowork::contents(session).found;
    let rewritten =
        contents.items.iter().filter(|item| item.role.is_rewritten() && item.kind == cowork::Kind::File);
    let files = rewritten.map(|item| (contents.directory.join(&item.relative), false));
    let files = files.chain([(session.path.clone(), true)]).collect();
    Set { directory: session.directory.clone(), view: session.view().cloned(), files }
}

fn of_file(file: &Path) -> Result<Set, Refusal> {
    let name = file.file_name().and_then(std::ffi::OsStr::to_str).unwrap_or_default();
    if name == "audit.jsonl" {
        let message = format!("{} is sealed: a changed one would not be believed", file.display());
        return Err(Refusal::new("audit", message, "leave it as it is"));
    }
    let is_sidecar =
        name.starts_with("local_") && Path::new(name).extension().is_some_and(|end| end == "json");
    let directory = if is_sidecar {
        Some(file.with_extension("")).filter(|folder| folder.is_dir())
    } else {
        file.ancestors().skip(1).find(|folder| sidecar_of(folder).is_some()).map(Path::to_path_buf)
    };
    let sidecar =
        if is_sidecar { Some(file.to_path_buf()) } else { directory.as_deref().and_then(sidecar_of) };
    let view = sidecar.and_then(|sidecar| Sidecar::read(&sidecar).ok()).map(|sidecar| sidecar.view);
    Ok(Set { directory, view, files: vec![(file.to_path_buf(), is_sidecar)] })
}

/// The sidecar beside a session's folder.
fn sidecar_of(folder: &Path) -> Option<PathBuf> {
    let name = folder.file_name()?.to_str()?;
    let sidecar = folder.with_file_name(format!("{name}.json"));
    (name.starts_with("local_") && sidecar.is_file()).then_some(sidecar)
}

/// From what the sidecar says to where `--to` leads, or to where the files lie already; and what `--map` says.
fn rules(options: &Options, set: &Set, here: &Surroundings) -> Result<(Arc<Mapping>, PathRules), Refusal> {
    let drives = Drives::new(&options.drive, &here.cwd)?;
    let base = match &options.to {
        Some(_) => Some(places::destination(options, None, here)?.base),
        None => set.directory.clone(),
    };
    let home = base.as_deref().and_then(|base| Home::around(&resolve_physically(base), &drives));
    let old = set.view.as_ref().map(|view| only(&homes_in(view), &options.map)).transpose()?.flatten();
    let of_home = |path: &Path| {
        let home = home.as_ref()?;
        Some(home.foreign.join(path.strip_prefix(&home.local).ok()?.to_str()?))
    };
    let session_dir = set.directory.as_deref().and_then(|dir| drives.foreign(dir).or_else(|| of_home(dir)));
    let vm = set.view.as_ref().and_then(View::vm_name);
    let staging =
        archive(options, &drives, home.as_ref(), here).ok().zip(vm).map(|(place, vm)| place.foreign.join(vm));
    // Whoever says that a home has moved means the session in it too, and it may have been rewritten so already.
    let said = |place: ForeignPath| as_said(&options.map, &place);
    let worlds = Worlds {
        homes: old.zip(home.map(|home| said(home.foreign))),
        bases: None,
        profiles: None,
        moved: &options.map,
        session_dir: session_dir.map(said),
        staging: staging.map(said),
        links: options.links.into(),
    };
    let (mapping, rules, _) = Mapping::of(&worlds, set.view.as_ref()).map_err(|error| match error {
        RulesError::Empty => Refusal::usage(
            "no-mapping",
            "expected something to rewrite paths by, found neither --map nor --to",
            "--map 'C:\\Users\\mira=C:\\Users\\otto'",
        ),
        error => Refusal::usage("mapping", error.to_string(), "--map 'SRC=DST'"),
    })?;
    Ok((mapping, rules))
}

#[derive(Default)]
struct Draft {
    items: Vec<Item>,
    tasks: Vec<Task<Effect>>,
}

impl Draft {
    fn add(
        &mut self,
        file: &Path,
        sidecar: bool,
        (mapping, rules): &(Arc<Mapping>, PathRules),
        tally: &mut Tally,
        cx: &Cx<'_>,
    ) -> Result<(), Refusal> {
        let name = file.display().to_string();
        let input = InputId::new("file", name.clone());
        if self.items.iter().any(|item| item.input == input) {
            return Ok(());
        }
        let made = InPlace { original: Original::of(file)?, mapping: Arc::clone(mapping), sidecar };
        let report = made.survey(rules, cx).map_err(|error| {
            Refusal::new("unreadable", format!("cannot read {name}: {error}"), "check the path")
        })?;
        tally.add(file, &report);
        let bucket = if report.changed_lines == 0 { Bucket::AlreadyPresent } else { Bucket::Migrated };
        let mut item = Item::new(input, name.clone(), Outcome::plain(bucket));
        item.targets = vec![name];
        let mut own = Tally::default();
        own.add(file, &report);
        item.own.insert("rewriting".into(), own.to_json());
        if bucket == Bucket::Migrated {
            let item = ItemId(u32::try_from(self.items.len()).unwrap_or(u32::MAX));
            let expect = made.original.expect;
            let step = ReplaceFile { content: Made::InPlace(made), target: PathText::from(file), expect };
            self.tasks.push(Task { item: Some(item), step: Effect::Rewrite(step) });
        }
        self.items.push(item);
        Ok(())
    }

    /// The files of a session name each other's places: each needs the one before it, and the first the last, so that
    /// none is rewritten if one cannot be.
    fn together(&mut self, first: usize) {
        let set: Vec<ItemId> = self.tasks[first..].iter().filter_map(|task| task.item).collect();
        for (before, item) in set.iter().cycle().skip(set.len().saturating_sub(1)).zip(&set) {
            if before != item {
                self.items[item.0 as usize].needs = vec![*before];
            }
        }
    }

    fn finish(self, tally: &Tally) -> Result<Plan<Effect>, Refusal> {
        let inputs: Vec<InputId> = self.items.iter().map(|item| item.input.clone()).collect();
        let changed: Vec<PathText> = self.tasks.iter().flat_map(|task| task.step.concerns()).collect();
        let settings = Settings { held: changed.clone(), ..Settings::default() };
        let header = Header {
            tool: String::new(),
            version: String::new(),
            blocks: vec![Block { kind: "file".into(), title: "files".into(), inputs: 0 }],
            locks: Vec::new(),
            concerns: changed,
            settings: serde_json::to_value(settings).expect("because settings are plain data"),
            partial: false,
            findings: std::iter::once(tally.summary()).chain(tally.findings()).collect(),
        };
        let waves = if self.tasks.is_empty() { Vec::new() } else { vec![Wave::publish(self.tasks)] };
        Plan::new(header, &inputs, self.items, vec![waves])
            .map_err(|error| Refusal::failure("unbalanced", error.to_string(), "please report this"))
    }
}
