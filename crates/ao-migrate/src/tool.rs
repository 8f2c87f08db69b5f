//! The tool: guards, survey, plan; the rest is the same for all tools.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use durable_files::PathText;
use legacy_readers::ao;
use migration_cli::{Ask, Mode, NoVerbs, Prepared, Purpose, Refusal, Surroundings, Tool, settings_of};
use migration_engine::steps::Files;
use migration_engine::{Bucket, Cx, Header, Item, Plan, StepError, Worlds};
use session_model::{Finding, Survey};
use sqlite_writer::{Database, OpenError, Rows, TakeSnapshot};
use transcript_relocate::resolve_physically;

use crate::effect::{Effect, Guarded, Handles};
use crate::mapping::{Existing, Mapped, Settings, map};
use crate::plan::{Decided, assemble, blocks};
use crate::{Options, Places, daemon, database, judge, places, resume_folder, transcripts, worktree};

/// The tool `ao-migrate`.
#[derive(Debug, Clone, Copy, Default)]
pub struct AoMigrate;

/// The one connection, and where everything is.
#[derive(Debug)]
pub struct Open {
    database: Guarded,
    places: Places,
}

impl Worlds<Effect> for Open {
    fn world(&self, _lane: usize) -> Result<Handles, StepError> {
        Ok(Handles { files: Files::default(), database: self.database.lend()? })
    }

    fn judge(&self, world: &mut Handles, item: &Item) -> Vec<Finding> {
        judge::judge(world.database.database(), &self.places, item)
    }
}

impl Tool for AoMigrate {
    type Options = Options;
    type Verb = NoVerbs;
    type Step = Effect;
    type Worlds = Open;

    const NAME: &'static str = "ao-migrate";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const ABOUT: &'static str =
        "Moves agent-orchestrator's projects, sessions and transcripts into its rewrite's database";

    fn targets(&self, ask: Ask<'_, Self>, here: &Surroundings) -> Result<Vec<PathText>, Refusal> {
        let places = Places::of(ask.options, here)?;
        if !places.database().exists() {
            return Err(missing(&places.database()));
        }
        Ok(vec![places.data_dir.into_std_path_buf().into()])
    }

    fn prepare(
        &self,
        Ask { options, .. }: Ask<'_, Self>,
        mode: Mode,
        here: &Surroundings,
        cx: &Cx<'_>,
    ) -> Result<Prepared<Self>, Refusal> {
        let mut places = Places::of(options, here)?;
        daemon::must_not_run(places.run_file.as_std_path())?;
        let database = open(&places, Purpose::Verify)?;
        places.schema = database::check_schema(&database, options.schema)?;
        let survey = ao::read(&places::legacy(options, here)?).map_err(|error| unreadable(&error))?;
        let existing = database::existing(&database)?;
        let plan = plan(options, survey, &database, &existing, &places, cx)?;
        let rows = match mode {
            _ if plan.is_settled() => Rows::new(database),
            Mode::DryRun => would_hold(database, &places)?,
            Mode::Apply => hold(&existing, options, &places)?,
        };
        Ok(Prepared { plan, worlds: Open::new(rows, places) })
    }

    fn worlds(
        &self,
        header: &Header,
        _run_dir: &Path,
        _options: &Options,
        purpose: Purpose,
        _here: &Surroundings,
    ) -> Result<Open, Refusal> {
        let places: Places = settings_of(header)?;
        if purpose != Purpose::Verify {
            daemon::must_not_run(places.run_file.as_std_path())?;
        }
        Ok(Open::new(Rows::new(open(&places, purpose)?), places))
    }
}

impl Open {
    fn new(rows: Rows, places: Places) -> Self {
        Self { database: Guarded::new(rows, places.database()), places }
    }
}

fn plan(
    options: &Options,
    survey: Survey<ao::Legacy>,
    database: &Database,
    existing: &Existing,
    places: &Places,
    cx: &Cx<'_>,
) -> Result<Plan<Effect>, Refusal> {
    let settings = Settings {
        schema: places.schema,
        restorable: options.restorable || options.move_worktrees,
        selected: selected(options, &survey.found)?,
        worktrees: places.data_dir.join("worktrees"),
        resolve: &resolve,
    };
    let mapped = map(&survey, existing, &settings);
    let homes = places.homes();
    let setting = transcripts::Setting {
        homes: &homes,
        touch: options.touch,
        now: (cx.now)(),
        cx,
        first_session: u32::try_from(mapped.projects.len()).expect("because a registry is small"),
    };
    let transcripts = transcripts::plan(&mapped.sessions, &setting);
    let worktrees = worktree::plan::plan(&mapped, existing, options.move_worktrees);
    let no_folder = resume_folder::missing(&mapped.sessions, &transcripts, &worktrees);
    let mut header = header(&mapped, places);
    header.findings.extend(transcripts.of_the_run.clone());
    header.findings.extend(listed_as_live(&mapped));
    header.findings.extend(resume_folder::of_the_run(&no_folder));
    let bytes = database.size().map_err(database::unreadable)?;
    let decided = Decided {
        mapped,
        transcripts,
        moves: worktrees.moves,
        findings: [worktrees.findings, no_folder].concat(),
        snapshot: TakeSnapshot { bytes },
        data_dir: Arc::from(places.data_dir.as_std_path()),
    };
    assemble(survey.inputs, decided, header)
        .map_err(|error| Refusal::failure("unbalanced", error.to_string(), "please report this"))
}

fn header(mapped: &Mapped, places: &Places) -> Header {
    Header {
        tool: AoMigrate::NAME.into(),
        version: AoMigrate::VERSION.into(),
        blocks: blocks(),
        locks: vec![places.data_dir.clone().into_std_path_buf().into()],
        concerns: Vec::new(),
        settings: serde_json::to_value(places).expect("because places are text"),
        partial: false,
        findings: mapped.findings.clone(),
    }
}

/// What the default rows mean, once for all sessions (formats/ao.md §8.4, D6).
fn listed_as_live(mapped: &Mapped) -> Option<Finding> {
    let arrivals = mapped.sessions.iter().filter(|session| session.outcome.bucket == Bucket::Migrated);
    let live = arrivals
        .filter_map(|session| session.arrival.as_deref())
        .filter(|arrival| !arrival.row.is_terminated);
    let count = live.count();
    (count > 0).then(|| {
        let message = format!(
            "sessions written as live: {count}; the daemon lists them, but cannot resume or clear them; \
             --restorable writes rows that it can resume, --move-worktrees also brings their worktrees"
        );
        Finding::warning("listed-as-live", message)
    })
}

fn resolve(path: &Utf8Path) -> Utf8PathBuf {
    Utf8PathBuf::from_path_buf(resolve_physically(path.as_std_path())).unwrap_or_else(|_| path.to_owned())
}

/// The projects to migrate, each of which must be known.
fn selected(options: &Options, legacy: &ao::Legacy) -> Result<Option<BTreeSet<String>>, Refusal> {
    if options.project.is_empty() {
        return Ok(None);
    }
    let known: BTreeSet<&str> = legacy.projects.iter().map(|project| &*project.id).collect();
    if let Some(unknown) = options.project.iter().find(|id| !known.contains(id.as_str())) {
        let known =
            if known.is_empty() { "none".into() } else { known.into_iter().collect::<Vec<_>>().join(", ") };
        let message = format!("there is no project {unknown} in the registry");
        return Err(Refusal::usage("unknown-project", message, format!("the registry knows: {known}")));
    }
    Ok(Some(options.project.iter().cloned().collect()))
}

/// Holds the database for writing, now that there is something to write: opening it for that leaves traces beside it.
/// Refuses if it is no longer what the plan was made for.
fn hold(existing: &Existing, options: &Options, places: &Places) -> Result<Rows, Refusal> {
    let database = open(places, Purpose::Apply)?;
    database::check_schema(&database, options.schema)?;
    if database::existing(&database)? != *existing {
        let path = places.database();
        let message = format!("cannot write to {}: it changed while the plan was being made", path.display());
        let hint = "stop the daemon, then say the same command again";
        return Err(Refusal::new("database-changed", message, hint));
    }
    database::check_whole(&database)?;
    let mut rows = Rows::new(database);
    database::check_takes_rows(&mut rows)?;
    Ok(rows)
}

/// Refuses what [`hold`] would refuse, as far as that can be known without writing.
fn would_hold(database: Database, places: &Places) -> Result<Rows, Refusal> {
    let path = places.database();
    database::check_writable(&path).map_err(|error| refuse(&path, &error))?;
    database::check_whole(&database)?;
    Ok(Rows::new(database))
}

fn open(places: &Places, purpose: Purpose) -> Result<Database, Refusal> {
    let path = places.database();
    let opened = match purpose {
        Purpose::Verify => Database::peek(&path),
        Purpose::Apply | Purpose::Undo => Database::open_exclusive(&path),
    };
    opened.map_err(|error| refuse(&path, &error))
}

fn refuse(path: &Path, error: &OpenError) -> Refusal {
    let (code, hint) = match error {
        OpenError::Missing(_) => return missing(path),
        OpenError::InUse(_) | OpenError::Restless(_) => {
            ("database-in-use", "stop the daemon and whatever else has it open, then try again")
        }
        OpenError::ReadOnly(_) => {
            ("database-read-only", "make the data directory and ao.db writable for this user")
        }
        _ => ("database-unreadable", "check that this is the daemon's ao.db, and that the disk is well"),
    };
    Refusal::new(code, error.to_string(), hint)
}

fn missing(path: &Path) -> Refusal {
    let message = format!("expected the daemon's database at {}, found nothing there", path.display());
    let hint = "start the daemon once and stop it again, or name its data directory with --data-dir";
    Refusal::new("database-missing", message, hint)
}

fn unreadable(error: &ao::ReadError) -> Refusal {
    Refusal::new("legacy-unreadable", error.to_string(), "check --legacy-root and --legacy-config")
}

#[cfg(test)]
mod tests {
    use testkit::ao_database::{self, Version};

    use super::*;

    #[test]
    fn a_plan_is_not_carried_out_on_a_database_that_changed_meanwhile() {
        let dir = tempfile::tempdir().unwrap();
        let data_dir = Utf8PathBuf::from_path_buf(dir.path().to_path_buf()).unwrap();
        let places = Places {
            run_file: data_dir.join("running.json"),
            claude_read: Vec::new(),
            claude_write: data_dir.join("claude"),
            schema: database::SCHEMA,
            data_dir,
        };
        ao_database::create(&places.database(), Version(12));
        let seen = database::existing(&open(&places, Purpose::Verify).unwrap()).unwrap();
        hold(&seen, &Options::default(), &places).unwrap();
        let project =
            "INSERT INTO projects (id, path, registered_at) VALUES ('new', '/new', '2026-01-01T00:00:00Z')";
        ao_database::execute(&places.database(), project);
        let refusal = hold(&seen, &Options::default(), &places).unwrap_err();
        assert_eq!(refusal.code, "database-changed");
    }
}
