//! The tool: its options, its plans and its judgement.

use std::path::{Path, PathBuf};

use durable_files::PathText;
use legacy_readers::cowork::{LogEvent, Purpose as Wanted};
use migration_cli::{Ask, Listing, Mode, Prepared, Purpose, Refusal, Surroundings, Tool};
use migration_engine::{Cx, Header, Item, NoProgress, Plan, StepError, Worlds};
use session_model::Finding;

use crate::effect::{Effect, Handles};
use crate::moving::Moving;
use crate::options::{Options, Verb};
use crate::settings::Settings;
use crate::{existing, extract, guard, inventory, judge, pack, places, plan, reapply, rewrite, step};

/// Moves a session to another profile.
#[derive(Debug, Clone, Copy, Default)]
pub struct CoworkMigrate;

/// Opens the worlds of a run, and judges what it left.
#[derive(Debug)]
pub struct Open {
    settings: Settings,
    log: Option<Vec<LogEvent>>,
    here: Surroundings,
}

impl Open {
    fn of(plan: &Plan<Effect>, here: &Surroundings) -> Result<Self, Refusal> {
        Ok(Self { settings: Settings::of(&plan.header)?, log: None, here: here.clone() })
    }
}

impl Worlds<Effect> for Open {
    fn world(&self, _lane: usize) -> Result<Handles, StepError> {
        Ok(Handles::new(self.settings.means.clone()))
    }

    fn judge(&self, _world: &mut Handles, item: &Item) -> Vec<Finding> {
        if item.input.kind != "session" {
            return Vec::new();
        }
        let cx = Cx { stop: self.here.stop.flag(), progress: &NoProgress, now: self.here.now };
        judge::judge(&self.settings, self.log.as_deref(), &cx)
    }
}

impl Tool for CoworkMigrate {
    type Options = Options;
    type Verb = Verb;
    type Step = Effect;
    type Worlds = Open;

    const NAME: &'static str = "cowork-migrate";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const ABOUT: &'static str = "Moves a Claude Cowork session to another Windows profile";

    fn targets(&self, ask: Ask<'_, Self>, here: &Surroundings) -> Result<Vec<PathText>, Refusal> {
        let options = ask.options;
        let folders = match ask.verb {
            None => {
                let source = places::source(options, Wanted::Write, here)?;
                vec![places::destination(options, source.id.as_ref(), here)?.profile.path]
            }
            Some(Verb::Inventory) => Vec::new(),
            Some(Verb::Pack { out }) => vec![that_exists(&places::named(out, here)?)],
            Some(Verb::Extract { .. }) => vec![that_exists(&extract::archive(options, here)?)],
            Some(Verb::Rewrite { paths }) => rewrite::folders(paths, here)?,
            Some(Verb::Reapply { run }) => {
                let (settings, _) = reapply::moved(ask.root, run.as_ref())?;
                settings
                    .sidecar
                    .as_deref()
                    .and_then(Path::parent)
                    .map(Path::to_path_buf)
                    .into_iter()
                    .collect()
            }
        };
        Ok(folders.into_iter().map(PathText::from).collect())
    }

    fn prepare(
        &self,
        ask: Ask<'_, Self>,
        _mode: Mode,
        here: &Surroundings,
        cx: &Cx<'_>,
    ) -> Result<Prepared<Self>, Refusal> {
        let plan = match ask.verb {
            None => migrate(ask, here, cx)?,
            Some(Verb::Inventory) => unreachable!("because an inventory only looks"),
            Some(Verb::Pack { out }) => pack::plan(ask.options, &places::named(out, here)?, here, cx)?,
            Some(Verb::Extract { all }) => extract::plan(ask.options, *all, here, cx)?,
            Some(Verb::Rewrite { paths }) => rewrite::plan(ask.options, paths, here, cx)?,
            Some(Verb::Reapply { run }) => reapply::plan(reapply::moved(ask.root, run.as_ref())?)?,
        };
        let worlds = Open::of(&plan, here)?;
        Ok(Prepared { plan, worlds })
    }

    fn worlds(
        &self,
        header: &Header,
        _run_dir: &Path,
        options: &Options,
        purpose: Purpose,
        here: &Surroundings,
    ) -> Result<Open, Refusal> {
        let settings = Settings::of(header)?;
        if purpose != Purpose::Verify {
            let held: Vec<PathBuf> = settings.held.iter().map(|path| path.to_path_buf()).collect();
            guard::must_not_run(&held)?;
        }
        let log = options.log.as_ref().map(|log| read_log(&places::named(log, here)?)).transpose()?;
        Ok(Open { settings, log, here: here.clone() })
    }

    /// The application has to load the session once before the sidecar can be put back.
    fn onward(&self, header: &Header) -> Vec<(&'static str, &'static str)> {
        let settings = Settings::of(header).unwrap_or_default();
        match settings.sidecar {
            Some(_) if settings.moved => vec![("then", "reapply"), ("look", "verify")],
            Some(_) => vec![("look", "verify")],
            None => Vec::new(),
        }
    }

    fn left(&self, header: &Header) -> Vec<Finding> {
        let settings = Settings::of(header).unwrap_or_default();
        settings
            .archive
            .zip(settings.sidecar)
            .map(|(archive, sidecar)| step::kept(&archive, &sidecar))
            .unwrap_or_default()
    }

    fn look(
        &self,
        ask: Ask<'_, Self>,
        here: &Surroundings,
        _cx: &Cx<'_>,
    ) -> Option<Result<Listing, Refusal>> {
        let Some(Verb::Inventory) = ask.verb else { return None };
        Some(match places::source(ask.options, Wanted::Read, here) {
            Ok(source) => Ok(inventory::inventory(&source)),
            Err(refusal) if refusal.code == places::NO_BASE => Ok(inventory::nothing_here()),
            Err(refusal) => Err(refusal),
        })
    }
}

fn migrate(
    Ask { options, root, .. }: Ask<'_, CoworkMigrate>,
    here: &Surroundings,
    cx: &Cx<'_>,
) -> Result<Plan<Effect>, Refusal> {
    let moving = Moving::survey(options, here)?;
    let draft = plan::plan(&moving, options, cx)?;
    existing::reconcile(draft, &moving, options.replace, root, cx)?.finish()
}

/// The folder, or what exists of the way to it.
fn that_exists(folder: &Path) -> PathBuf {
    folder.ancestors().find(|folder| folder.is_dir()).unwrap_or(folder).to_path_buf()
}

fn read_log(file: &Path) -> Result<Vec<LogEvent>, Refusal> {
    let survey = legacy_readers::cowork::read_log_file(file);
    match survey.anomalies.first() {
        Some(anomaly) => Err(Refusal::new("log", anomaly.to_string(), "name the application's main.log")),
        None => Ok(survey.found),
    }
}
