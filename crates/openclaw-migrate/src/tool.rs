//! The tool: guards, survey, plan; the rest is the same for all tools.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use durable_files::{PathText, must_be_writable};
use legacy_readers::openclaw;
use migration_cli::{
    Ask, Exit, Mode, NoVerbs, Prepared, Purpose, Refusal, Surroundings, Tool, Words, settings_of,
};
use migration_engine::steps::Files;
use migration_engine::{Cx, Header, Item, Receipt, StepError, Worlds};
use session_model::Finding;
use session_store::{AgentId, Format, Held, LockError, Patience, STORE, StoreFiles};

use crate::destination::Existing;
use crate::effect::{Effect, Handles};
use crate::judge::Judge;
use crate::plan::{Asked, plan};
use crate::settings::Settings;
use crate::{Options, words};

/// The tool `openclaw-migrate`.
#[derive(Debug, Clone, Copy, Default)]
pub struct OpenclawMigrate;

/// Opens the worlds of a run, and judges what it left.
#[derive(Debug)]
pub struct Open {
    settings: Settings,
    keeps_backup: bool,
}

impl Worlds<Effect> for Open {
    fn world(&self, _lane: usize) -> Result<Handles, StepError> {
        Ok(Handles {
            files: Files::default(),
            store: StoreFiles::new(self.settings.patience()),
            keeps_backup: self.keeps_backup,
            judge: OnceLock::new(),
        })
    }

    fn judge(&self, world: &mut Handles, item: &Item) -> Vec<Finding> {
        world.judge.get_or_init(|| Judge::of(&self.settings)).judge(&self.settings, item)
    }
}

impl Tool for OpenclawMigrate {
    type Options = Options;
    type Verb = NoVerbs;
    type Step = Effect;
    type Worlds = Open;

    const NAME: &'static str = "openclaw-migrate";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const ABOUT: &'static str =
        "Moves OpenClaw's per-session JSON files into one store and a JSONL transcript for each";
    const REFUSALS: &'static [&'static str] = &["store-locked"];
    const UNDO_ALIAS: Option<&'static str> = Some("rollback");

    fn words(mode: Mode, exit: Exit, receipt: &Receipt) -> Words {
        words::words(mode, exit, receipt)
    }

    fn targets(&self, ask: Ask<'_, Self>, here: &Surroundings) -> Result<Vec<PathText>, Refusal> {
        let asked = asked(ask.options, here)?;
        if !asked.workspace.is_dir() {
            let message = format!("expected a workspace at {}, found no folder", asked.workspace.display());
            return Err(Refusal::new(
                "workspace-missing",
                message,
                "check the path: the guide's is ~/.openclaw",
            ));
        }
        let sessions = asked.workspace.join(openclaw::FOLDER);
        let folders = [sessions, asked.folder];
        let mut targets: Vec<PathBuf> =
            folders.into_iter().filter_map(|folder| folder.canonicalize().ok()).collect();
        targets.sort();
        targets.dedup();
        if targets.is_empty() {
            targets.push(asked.workspace);
        }
        Ok(targets.into_iter().map(PathText::from).collect())
    }

    fn prepare(
        &self,
        ask: Ask<'_, Self>,
        mode: Mode,
        here: &Surroundings,
        cx: &Cx<'_>,
    ) -> Result<Prepared<Self>, Refusal> {
        let asked = asked(ask.options, here)?;
        let watch = |bytes| {
            cx.progress.advance(bytes);
            cx.check().map_err(|_| io::Error::other("stopped"))
        };
        let survey = openclaw::read(&asked.workspace, (cx.now)(), &watch)
            .map_err(|error| unreadable(&asked, &error))?;
        let existing = existing(&asked)?;
        let plan = plan(survey, &existing, &asked)?;
        let settings: Settings = settings_of(&plan.header)?;
        if mode == Mode::Apply && !plan.is_settled() {
            must_take_files(&settings)?;
            must_be_free(&settings, cx.stop)?;
        }
        Ok(Prepared { plan, worlds: Open { settings, keeps_backup: false } })
    }

    fn worlds(
        &self,
        header: &Header,
        _run_dir: &Path,
        options: &Options,
        _purpose: Purpose,
        _here: &Surroundings,
    ) -> Result<Open, Refusal> {
        Ok(Open { settings: settings_of(header)?, keeps_backup: options.keep_backup })
    }
}

/// What the options mean here.
fn asked(options: &Options, here: &Surroundings) -> Result<Asked, Refusal> {
    let Some(workspace) = &options.workspace else {
        let hint = "openclaw-migrate ~/.openclaw --dry-run, or `openclaw-migrate --help`";
        return Err(Refusal::usage("no-workspace", "expected the name of a workspace, found none", hint));
    };
    let workspace = match workspace.strip_prefix("~") {
        Ok(below) => here.home()?.join(below),
        Err(_) => here.named(workspace)?,
    };
    let agent = AgentId::parse(&options.agent_id).map_err(|error| {
        Refusal::usage("agent-id", error.to_string(), format!("--agent-id {}", error.suggestion))
    })?;
    let format = Format::from(options.format);
    let folder = format.folder(&workspace, agent.as_str());
    Ok(Asked {
        folder,
        workspace,
        agent,
        format,
        makes_backup: !options.no_backup,
        removes_originals: options.remove_originals,
        patience: options.lock_timeout,
    })
}

/// The store that is there. Beside the old sessions there may be one for the other program, which is not written to.
fn existing(asked: &Asked) -> Result<Existing, Refusal> {
    if asked.format == Format::OpenClaw {
        let beside = Format::Python.folder(&asked.workspace, asked.agent.as_str()).join(STORE);
        Existing::read(&beside, asked.format)?;
    }
    Existing::read(&asked.folder.join(STORE), asked.format)
}

/// Refuses where nothing can be written, which a lock on a store would not tell whose folder is yet to be made.
fn must_take_files(settings: &Settings) -> Result<(), Refusal> {
    let folder: &Path = settings.store.parent().unwrap_or(&settings.store);
    let backup = settings.backup.as_ref().map(|(backup, _)| -> &Path { backup });
    let mut places = backup.into_iter().chain([folder]);
    places.try_for_each(must_be_writable).map_err(|error| {
        Refusal::new("not-writable", error.to_string(), "say it as a user who may write there")
    })
}

/// Waits for whoever has the lock on the store, before anything is written.
fn must_be_free(settings: &Settings, stop: &AtomicBool) -> Result<(), Refusal> {
    match settings.store.parent().filter(|folder| folder.is_dir()) {
        Some(folder) => {
            Held::take(folder, &settings.patience(), stop).map(drop).map_err(|error| locked(&error))
        }
        None => Ok(()),
    }
}

fn locked(error: &LockError) -> Refusal {
    let hint =
        "quit the program that has it, or wait for it with --lock-timeout SECONDS; nothing was written";
    Refusal::new("store-locked", error.to_string(), hint)
}

fn unreadable(asked: &Asked, error: &io::Error) -> Refusal {
    let folder = asked.workspace.join(openclaw::FOLDER);
    let message = format!("cannot read {}: {error}", folder.display());
    Refusal::new("sessions-unreadable", message, "check the permissions of the folder")
}

impl Settings {
    fn patience(&self) -> Patience {
        Patience { limit: Duration::from_secs(self.patience), ..Patience::default() }
    }
}
