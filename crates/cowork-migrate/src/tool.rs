//! The tool: its options, its plans and its judgement.

use std::path::{Path, PathBuf};

use camino::Utf8Path;
use durable_files::{DirLock, InContext, PathText};
use legacy_readers::cowork::{LogEvent, Purpose as Wanted, ThisDisk, View};
use migration_cli::{Ask, Listing, Mode, Prepared, Purpose, Refusal, Surroundings, Tool};
use migration_engine::{Cx, Header, Item, NoProgress, Plan, StateRoot, StepError, Worlds};
use session_model::Finding;

use crate::effect::{Effect, Handles};
use crate::far::{self, Bringing, FarPlace, Wish};
use crate::moving::Moving;
use crate::options::{Options, Verb};
use crate::places::Source;
use crate::settings::Settings;
use crate::{existing, extract, guard, inventory, judge, pack, places, plan, reapply, rewrite, scope, step};

/// Moves a session to another profile.
#[derive(Debug, Clone, Copy, Default)]
pub struct CoworkMigrate;

/// Opens the worlds of a run, and judges what it left.
#[derive(Debug)]
pub struct Open {
    settings: Settings,
    log: Option<Vec<LogEvent>>,
    here: Surroundings,
    /// What was brought stays as it is while a run is made of it.
    _brought: Option<DirLock>,
}

impl Open {
    fn of(plan: &Plan<Effect>, here: &Surroundings) -> Result<Self, Refusal> {
        Ok(Self { settings: Settings::of(&plan.header)?, log: None, here: here.clone(), _brought: None })
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
                let owner = match FarPlace::named(options.from.as_deref())? {
                    Some(place) => far::owner(&place, options, here)?,
                    None => places::source(options, Wanted::Write, here)?.id,
                };
                vec![places::destination(options, owner.as_ref(), here)?.profile.path]
            }
            Some(Verb::Inventory { .. }) => Vec::new(),
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
        mode: Mode,
        here: &Surroundings,
        cx: &Cx<'_>,
    ) -> Result<Prepared<Self>, Refusal> {
        let (plan, brought) = match ask.verb {
            None => migrate(ask, mode, here, cx)?,
            Some(Verb::Inventory { .. }) => unreachable!("because an inventory only looks"),
            Some(Verb::Pack { out }) => pack(ask, mode, out, here, cx)?,
            Some(Verb::Extract { all }) => (extract::plan(ask.options, *all, here, cx)?, None),
            Some(Verb::Rewrite { paths }) => (rewrite::plan(ask.options, paths, here, cx)?, None),
            Some(Verb::Reapply { run }) => (reapply::plan(reapply::moved(ask.root, run.as_ref())?)?, None),
        };
        let worlds = Open { _brought: brought, ..Open::of(&plan, here)? };
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
        Ok(Open { settings, log, here: here.clone(), _brought: None })
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

    fn brought(&self, root: &StateRoot) -> Result<Vec<PathBuf>, Refusal> {
        let pulled = far::pulled(root);
        let entries = match std::fs::read_dir(&pulled) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.doing("list", &pulled)?,
        };
        let bundles = entries.map(|entry| Ok(entry.doing("list", &pulled)?.path()));
        let mut bundles = bundles.collect::<Result<Vec<_>, Refusal>>()?;
        bundles.sort();
        Ok(bundles)
    }

    fn needs(&self, header: &Header) -> Result<Vec<PathBuf>, Refusal> {
        Ok(Settings::of(header)?.brought.iter().map(|bundle| bundle.to_path_buf()).collect())
    }

    fn look(&self, ask: Ask<'_, Self>, here: &Surroundings, cx: &Cx<'_>) -> Option<Result<Listing, Refusal>> {
        let Some(Verb::Inventory { place }) = ask.verb else { return None };
        let mut options = ask.options.clone();
        options.from = place.clone().or(options.from);
        Some(look(&options, here, cx))
    }
}

fn look(options: &Options, here: &Surroundings, cx: &Cx<'_>) -> Result<Listing, Refusal> {
    if let Some(place) = FarPlace::named(options.from.as_deref())? {
        return far::inventory(&place, options, here, cx);
    }
    match places::source(options, Wanted::Read, here) {
        Ok(source) => Ok(inventory::inventory(&ThisDisk, &source)),
        Err(refusal) if refusal.code == places::NO_BASE => Ok(inventory::nothing_here()),
        Err(refusal) => Err(refusal),
    }
}

/// A plan, and the lock on what was brought for it.
type Made = (Plan<Effect>, Option<DirLock>);

fn migrate(
    Ask { options, root, .. }: Ask<'_, CoworkMigrate>,
    mode: Mode,
    here: &Surroundings,
    cx: &Cx<'_>,
) -> Result<Made, Refusal> {
    let (source, lock) = match FarPlace::named(options.from.as_deref())? {
        None => already_here(options, (root, mode), here)?,
        Some(place) => {
            let check = |source: &Source, view: &View| {
                let destination = places::destination(options, source.id.as_ref(), here)?;
                scope::check(source, view, &destination).map(drop)
            };
            let image = |view: &View| options.vhdx.is_none() && view.vm_name().is_some();
            let wish = Wish { image: &image, check: &check };
            match far::bring(&place, &wish, (options, root, mode), here, cx)? {
                Bringing::Here(source, lock) => (*source, lock),
                Bringing::Outlined(outline) => return Ok((plan::outlined(outline).finish()?, None)),
            }
        }
    };
    let bundle = source.brought.then(|| source.path.clone());
    let plan = || {
        let moving = Moving::survey(source, options, here)?;
        let draft = plan::plan(&moving, options, cx)?;
        existing::reconcile(draft, &moving, options.replace, root, cx)?.finish()
    };
    Ok((plan().map_err(|refusal| with_bundle(refusal, bundle))?, lock))
}

fn pack(
    Ask { options, root, .. }: Ask<'_, CoworkMigrate>,
    mode: Mode,
    out: &Utf8Path,
    here: &Surroundings,
    cx: &Cx<'_>,
) -> Result<Made, Refusal> {
    let out = places::named(out, here)?;
    let (source, lock) = match FarPlace::named(options.from.as_deref())? {
        None => already_here(options, (root, mode), here)?,
        Some(place) => {
            let wish = Wish { image: &|_| options.vhdx.is_none(), check: &|_, _| Ok(()) };
            match far::bring(&place, &wish, (options, root, mode), here, cx)? {
                Bringing::Here(source, lock) => (*source, lock),
                Bringing::Outlined(outline) => return Ok((plan::outlined(outline).finish()?, None)),
            }
        }
    };
    let bundle = source.brought.then(|| source.path.clone());
    let plan = pack::plan(&source, options, &out, here, cx);
    Ok((plan.map_err(|refusal| with_bundle(refusal, bundle))?, lock))
}

/// A source of this machine. A bundle that was brought for a run that never came may be named by hand: it stays then as
/// if it had been brought for this one.
fn already_here(
    options: &Options,
    (root, mode): (&StateRoot, Mode),
    here: &Surroundings,
) -> Result<(Source, Option<DirLock>), Refusal> {
    let source = places::source(options, Wanted::Write, here)?;
    let real = transcript_relocate::resolve_physically;
    let brought = source.path.parent().is_some_and(|folder| real(folder) == real(&far::pulled(root)));
    let lock = if brought && mode == Mode::Apply { Some(DirLock::take(&source.path)?) } else { None };
    Ok((Source { brought, ..source }, lock))
}

/// What was brought stays, and nobody else says where.
fn with_bundle(refusal: Refusal, bundle: Option<PathBuf>) -> Refusal {
    match bundle {
        Some(bundle) => far::stays_here(refusal, &bundle),
        None => refusal,
    }
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
