//! `rewrite`: the paths of a session's files rewritten in place (formats/cowork.md E).

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use durable_files::PathText;
use legacy_readers::cowork::{self, Session, Sidecar, View};
use migration_cli::{Refusal, Surroundings};
use migration_engine::steps::SpliceFile;
use migration_engine::{Block, Bucket, Cx, Header, Item, ItemId, Outcome, Plan, Task, Wave};
use session_model::{ForeignPath, InputId, Splice};
use transcript_relocate::resolve_physically;
use transcript_relocate::rewrite::{Members, PathRules, Rewriter, Rewritten, RulesError};

use crate::content::Original;
use crate::drives::{Drives, Home};
use crate::effect::Effect;
use crate::guard;
use crate::lines::{Metered, extracted_name};
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
    files: Vec<(PathBuf, Members<'static>)>,
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
            let rules = rules(options, &set, here)?;
            for (file, members) in &set.files {
                draft.add(file, *members, &rules, &mut tally, cx)?;
            }
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
    let files = rewritten.map(|item| (contents.directory.join(&item.relative), Members::TRANSCRIPT));
    let files = files.chain([(session.path.clone(), Members::SIDECAR)]).collect();
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
    let members = if is_sidecar { Members::SIDECAR } else { Members::TRANSCRIPT };
    let directory = if is_sidecar {
        Some(file.with_extension("")).filter(|folder| folder.is_dir())
    } else {
        file.ancestors().skip(1).find(|folder| sidecar_of(folder).is_some()).map(Path::to_path_buf)
    };
    let sidecar =
        if is_sidecar { Some(file.to_path_buf()) } else { directory.as_deref().and_then(sidecar_of) };
    let view = sidecar.and_then(|sidecar| Sidecar::read(&sidecar).ok()).map(|sidecar| sidecar.view);
    Ok(Set { directory, view, files: vec![(file.to_path_buf(), members)] })
}

/// The sidecar beside a session's folder.
fn sidecar_of(folder: &Path) -> Option<PathBuf> {
    let name = folder.file_name()?.to_str()?;
    let sidecar = folder.with_file_name(format!("{name}.json"));
    (name.starts_with("local_") && sidecar.is_file()).then_some(sidecar)
}

/// From what the sidecar says to where `--to` leads, or to where the files lie already; and what `--map` says.
fn rules(options: &Options, set: &Set, here: &Surroundings) -> Result<PathRules, Refusal> {
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
    // Whoever says that a home has moved means the session in it too.
    let said = |place: ForeignPath| as_said(&options.map, &place);
    let worlds = Worlds {
        homes: old.zip(home.map(|home| home.foreign)),
        bases: None,
        profiles: None,
        moved: &options.map,
        session_dir: session_dir.map(said),
        staging: staging.map(said),
        links: options.links.into(),
    };
    let (_, rules, _) = Mapping::of(&worlds, set.view.as_ref()).map_err(|error| match error {
        RulesError::Empty => Refusal::usage(
            "no-mapping",
            "expected something to rewrite paths by, found neither --map nor --to",
            "--map 'C:\\Users\\mira=C:\\Users\\otto'",
        ),
        error => Refusal::usage("mapping", error.to_string(), "--map 'SRC=DST'"),
    })?;
    Ok(rules)
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
        members: Members<'static>,
        rules: &PathRules,
        tally: &mut Tally,
        cx: &Cx<'_>,
    ) -> Result<(), Refusal> {
        let name = file.display().to_string();
        let input = InputId::new("file", name.clone());
        if self.items.iter().any(|item| item.input == input) {
            return Ok(());
        }
        let original = Original::of(file)?;
        let (splices, report) = splices(&original, members, rules, cx).map_err(|error| {
            Refusal::new("unreadable", format!("cannot read {name}: {error}"), "check the path")
        })?;
        tally.add(file, &report);
        let bucket = if splices.is_empty() { Bucket::AlreadyPresent } else { Bucket::Migrated };
        let mut item = Item::new(input, name.clone(), Outcome::plain(bucket));
        item.targets = vec![name];
        let mut own = Tally::default();
        own.add(file, &report);
        item.own.insert("rewriting".into(), own.to_json());
        if !splices.is_empty() {
            let item = ItemId(u32::try_from(self.items.len()).unwrap_or(u32::MAX));
            let step = SpliceFile { target: PathText::from(file), expect: original.expect, splices };
            self.tasks.push(Task { item: Some(item), step: Effect::Rewrite(step) });
        }
        self.items.push(item);
        Ok(())
    }

    fn finish(self, tally: &Tally) -> Result<Plan<Effect>, Refusal> {
        let inputs: Vec<InputId> = self.items.iter().map(|item| item.input.clone()).collect();
        let changed = self.tasks.iter().filter_map(|task| match &task.step {
            Effect::Rewrite(step) => Some(step.target.clone()),
            _ => None,
        });
        let settings = Settings { held: changed.collect(), ..Settings::default() };
        let header = Header {
            tool: String::new(),
            version: String::new(),
            blocks: vec![Block { kind: "file".into(), title: "files".into(), inputs: 0 }],
            locks: Vec::new(),
            settings: serde_json::to_value(settings).expect("because settings are plain data"),
            partial: false,
            findings: std::iter::once(tally.summary()).chain(tally.findings()).collect(),
        };
        let waves = if self.tasks.is_empty() { Vec::new() } else { vec![Wave::publish(self.tasks)] };
        Plan::new(header, &inputs, self.items, vec![waves])
            .map_err(|error| Refusal::failure("unbalanced", error.to_string(), "please report this"))
    }
}

/// One splice for every line that changes. A document is one line.
fn splices(
    original: &Original,
    members: Members<'static>,
    rules: &PathRules,
    cx: &Cx<'_>,
) -> std::io::Result<(Vec<Splice>, Rewritten)> {
    let file = original.open().map_err(std::io::Error::other)?;
    let mut input = BufReader::with_capacity(1 << 20, Metered { input: file, cx });
    let is_document = original.source.extension().is_some_and(|end| end == "json");
    let mut rewriter = Rewriter::new(rules, members, &extracted_name);
    let (mut splices, mut offset) = (Vec::new(), 0);
    let (mut line, mut rewritten) = (Vec::new(), Vec::new());
    loop {
        line.clear();
        rewritten.clear();
        let read = if is_document {
            std::io::Read::read_to_end(&mut input, &mut line)?
        } else {
            input.read_until(b'\n', &mut line)?
        };
        if read == 0 {
            break;
        }
        if rewriter.line(&line, &mut rewritten)? {
            splices.push(difference(offset, &line, &rewritten));
        }
        offset += read as u64;
    }
    Ok((splices, rewriter.into_report()))
}

/// What of a line is not what it was.
fn difference(offset: u64, old: &[u8], new: &[u8]) -> Splice {
    let same = |(one, other): &(&u8, &u8)| one == other;
    let start = old.iter().zip(new).take_while(same).count();
    let end = old[start..].iter().rev().zip(new[start..].iter().rev()).take_while(same).count();
    Splice {
        offset: offset + start as u64,
        old: old[start..old.len() - end].to_vec(),
        new: new[start..new.len() - end].to_vec(),
    }
}
