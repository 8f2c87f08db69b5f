//! A small tool that copies the files of one folder to another.

use std::path::{Path, PathBuf};

use camino::Utf8PathBuf;
use durable_files::{Fingerprint, PathText};
use migration_cli::{
    Ask, Mode, NoVerbs, Prepared, Purpose, Refusal, Signal, Stop, Surroundings, Tool, settings_of, shell_word,
};
use migration_engine::steps::{Files, InstallFile, Retire};
use migration_engine::{
    Block, Bucket, Cause, Cx, Header, Item, ItemId, Outcome, Plan, State, StateRoot, StepError, Task, Wave,
    World, Worlds, compose_steps,
};
use session_model::{Finding, InputId};

/// Copies files: hidden ones are skipped, `*.bad` are quarantined, empty ones are worth a warning.
#[derive(Default)]
pub(crate) struct Toy {
    /// What goes wrong when the run is under way.
    pub(crate) trouble: Option<Trouble>,
}

/// What goes wrong when the run is under way.
#[derive(Clone, Copy)]
pub(crate) enum Trouble {
    /// Somebody wants it to stop.
    Signal(Signal),
    /// The machine fails.
    Disk,
    /// Somebody writes to this source after the plan was made.
    Rewrite(&'static str),
}

/// What to copy, and where
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The folder to copy from
    #[arg(long, value_name = "DIR")]
    from: Option<Utf8PathBuf>,
    /// The folder to copy to; it must exist
    #[arg(long, value_name = "DIR")]
    to: Option<Utf8PathBuf>,
    /// Move aside what has been copied
    #[arg(long = "move")]
    moving: bool,
    /// Only files of this name
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
}

/// Folders that need a sync.
#[derive(Default)]
pub(crate) struct Handles {
    files: Files,
}

impl World for Handles {
    fn persist(&mut self) -> Result<(), StepError> {
        self.files.persist()
    }

    fn settle(&mut self) -> Result<(), StepError> {
        self.files.settle()
    }

    fn abandon(&mut self) {
        self.files.abandon();
    }
}

compose_steps! {
    /// What copying takes.
    pub(crate) enum Effect, Trace in Handles {
        /// The copy.
        Install(InstallFile) with files,
        /// What was copied, moved aside.
        Retire(Retire) with files,
    }
}

pub(crate) struct Copying {
    trouble: Option<Trouble>,
    stop: Stop,
    cwd: PathBuf,
}

impl Worlds<Effect> for Copying {
    fn world(&self, _lane: usize) -> Result<Handles, StepError> {
        match self.trouble {
            Some(Trouble::Signal(signal)) => self.stop.ask(signal),
            Some(Trouble::Disk) => return Err(Cause::new("io", "the disk is on fire").world()),
            Some(Trouble::Rewrite(source)) => std::fs::write(self.cwd.join(source), "rewritten\n").unwrap(),
            None => {}
        }
        Ok(Handles::default())
    }

    fn judge(&self, _world: &mut Handles, item: &Item) -> Vec<Finding> {
        let means_nothing = item
            .targets
            .iter()
            .any(|target| std::fs::read(target).is_ok_and(|bytes| bytes.starts_with(b"nonsense")));
        let finding = || Finding::error("no-meaning", format!("{} would not be understood", item.name));
        (means_nothing || self.cwd.join("veto").exists()).then(finding).into_iter().collect()
    }
}

impl Tool for Toy {
    type Options = Options;
    type Verb = NoVerbs;
    type Step = Effect;
    type Worlds = Copying;

    const NAME: &'static str = "copy-folder";
    const VERSION: &'static str = "0.1.0";
    const ABOUT: &'static str = "Copies the files of one folder to another.";

    fn targets(
        &self,
        Ask { options, .. }: Ask<'_, Self>,
        here: &Surroundings,
    ) -> Result<Vec<PathText>, Refusal> {
        Ok(vec![needed("--to", options.to.as_ref(), here)?.into()])
    }

    fn prepare(
        &self,
        Ask { options, .. }: Ask<'_, Self>,
        _mode: Mode,
        here: &Surroundings,
        cx: &Cx<'_>,
    ) -> Result<Prepared<Self>, Refusal> {
        cx.check()?;
        let from = needed("--from", options.from.as_ref(), here)?;
        let to = needed("--to", options.to.as_ref(), here)?;
        let mut plan = Draft { to, ..Draft::default() };
        for source in files_of(&from)? {
            plan.add(&source, options, cx)?;
        }
        let warned = from.join("warned").exists();
        let header = Header {
            tool: String::new(),
            version: String::new(),
            blocks: vec![Block { kind: "file".into(), title: "files".into(), inputs: 0 }],
            locks: Vec::new(),
            concerns: Vec::new(),
            settings: if from.join("unsaid").exists() {
                serde_json::Value::Null
            } else {
                serde_json::json!(from)
            },
            partial: false,
            findings: warned.then(|| Finding::warning("beware", "beware of it all")).into_iter().collect(),
        };
        let inputs: Vec<InputId> = plan.items.iter().map(|item| item.input.clone()).collect();
        let lanes = vec![vec![Wave::publish(plan.copies), Wave::retire(plan.retires)]];
        let plan = Plan::new(header, &inputs, plan.items, lanes).expect("because every file has an item");
        Ok(Prepared { plan, worlds: self.copying(here) })
    }

    fn brought(&self, root: &StateRoot) -> Result<Vec<PathBuf>, Refusal> {
        let folder = root.path().join(Self::BROUGHT);
        if folder.exists() { files_of(&folder) } else { Ok(Vec::new()) }
    }

    fn needs(&self, header: &Header) -> Result<Vec<PathBuf>, Refusal> {
        Ok(vec![settings_of(header)?])
    }

    fn worlds(
        &self,
        header: &Header,
        _run_dir: &Path,
        _options: &Options,
        purpose: Purpose,
        here: &Surroundings,
    ) -> Result<Copying, Refusal> {
        let busy = header.locks[0].join(".busy");
        if purpose != Purpose::Verify && busy.exists() {
            return Err(Refusal::new("busy", format!("{} exists", busy.display()), "stop the owner first"));
        }
        Ok(self.copying(here))
    }
}

impl Toy {
    /// Where it looks for what was brought for its runs.
    pub(crate) const BROUGHT: &'static str = "brought";

    fn copying(&self, here: &Surroundings) -> Copying {
        Copying { trouble: self.trouble, stop: here.stop.clone(), cwd: here.cwd.clone() }
    }
}

#[derive(Default)]
struct Draft {
    to: PathBuf,
    items: Vec<Item>,
    copies: Vec<Task<Effect>>,
    retires: Vec<Task<Effect>>,
}

impl Draft {
    fn add(&mut self, source: &Path, options: &Options, cx: &Cx<'_>) -> Result<(), Refusal> {
        let name = source.file_name().unwrap().to_string_lossy().into_owned();
        let target = self.to.join(&name);
        let mut expect = Fingerprint::of_file(source)?;
        if name == "huge" {
            expect.size = 1 << 60;
        }
        let outcome = if !options.only.is_empty() && !options.only.contains(&name) {
            Outcome::because(Bucket::Skipped, "not-selected")
        } else if name.starts_with('.') {
            Outcome::because(Bucket::Skipped, "hidden")
        } else if source.extension().is_some_and(|extension| extension == "bad") {
            let place = session_model::Place::new(source).line(3).column(7);
            Outcome::because(Bucket::Quarantined, "parse-error").detail(format!("{place}: expected a value"))
        } else {
            outcome(InstallFile::compare(source, &target, cx)?)
        };
        if outcome.bucket == Bucket::Migrated {
            let id = ItemId(u32::try_from(self.items.len()).unwrap());
            let step = InstallFile::plan(source, expect, &target);
            self.copies.push(Task { item: Some(id), step: step.into() });
            if options.moving {
                let step = Retire { source: source.into(), expect, into: None };
                self.retires.push(Task { item: Some(id), step: step.into() });
            }
        }
        let findings = (expect.size == 0).then(|| Finding::warning("empty", "it holds nothing"));
        let noted = name.contains("noted").then(|| Finding::note("noted", "worth knowing"));
        self.items.push(Item {
            source: Some(source.display().to_string()),
            targets: vec![target.display().to_string()],
            findings: findings.into_iter().chain(noted).collect(),
            resume: Some(format!("cat {}", shell_word(&target))),
            ..Item::new(InputId::new("file", source.display().to_string()), name, outcome)
        });
        Ok(())
    }
}

fn outcome(state: State) -> Outcome {
    match state {
        State::Pending => Outcome::plain(Bucket::Migrated),
        State::Done => Outcome::plain(Bucket::AlreadyPresent),
        State::Superseded(more) => Outcome::plain(Bucket::Superseded).detail(more),
        State::Conflict(found) => Outcome::because(Bucket::Conflict, "occupied").detail(found),
    }
}

fn needed(flag: &str, given: Option<&Utf8PathBuf>, here: &Surroundings) -> Result<PathBuf, Refusal> {
    given.map(|path| here.absolute(path)).ok_or_else(|| {
        Refusal::usage("missing-option", format!("{flag} is missing"), format!("add {flag} DIR"))
    })
}

fn files_of(folder: &Path) -> Result<Vec<PathBuf>, Refusal> {
    let entries = std::fs::read_dir(folder).map_err(|error| {
        let message = format!("cannot read the folder {}: {error}", folder.display());
        Refusal::new("no-source", message, "check --from")
    })?;
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    Ok(files)
}
