//! `reapply`: the rewritten sidecar put back after the application's first load (formats/cowork.md A6, F step 8).

use std::path::{Path, PathBuf};

use legacy_readers::cowork::Sidecar;
use migration_cli::{Refusal, Tool};
use migration_engine::steps::{InstallFile, ReplaceFile, Verbatim};
use migration_engine::{Bucket, Item, Outcome, Plan, RunId, RunSummary, StateRoot};
use session_model::{Finding, InputId};

use crate::content::{Made, Original};
use crate::effect::Effect;
use crate::plan::{Draft, given};
use crate::settings::Settings;
use crate::step::SidecarStep;
use crate::{CoworkMigrate, guard, sidecar};

/// The settings of the run that moved the session: the named one, or the newest of which something is to be put back.
/// And what there is to say about the others.
pub(crate) fn moved(root: &StateRoot, run: Option<&RunId>) -> Result<(Settings, Vec<Finding>), Refusal> {
    if let Some(run) = run {
        root.summary(run)?; // one that is not there has its own sentence
    }
    let mut moves: Vec<_> =
        moves(root)?.into_iter().filter(|(id, _)| run.is_none_or(|run| run == id)).collect();
    let mut dropped =
        moves.iter().enumerate().filter(|(_, (_, settings))| has_dropped(settings)).map(|(at, _)| at);
    let chosen = dropped.next().unwrap_or(0);
    let others = dropped.map(|at| of_another(&moves[at].0, &moves[at].1)).collect();
    let chosen = (chosen < moves.len()).then(|| moves.swap_remove(chosen).1);
    chosen.map(|settings| (settings, others)).ok_or_else(|| {
        let message = "no run is known that has moved a session and still stands";
        Refusal::new(
            "no-run",
            message,
            "`cowork-migrate runs` lists the runs; is this the right --state-dir?",
        )
    })
}

/// Whether the application has dropped something of a session's sidecar.
fn has_dropped(settings: &Settings) -> bool {
    let current = settings.sidecar.as_deref().and_then(|sidecar| Sidecar::read(sidecar).ok());
    let current = current.filter(|current| current.view.session_id == settings.session);
    current.is_some_and(|current| wanted(settings, &current).is_ok_and(|(wanted, _)| wanted != current.bytes))
}

fn of_another(run: &RunId, settings: &Settings) -> Finding {
    let session = &settings.session;
    let message = format!("{session} has to be put back too: `{} reapply {run}`", CoworkMigrate::NAME);
    Finding::warning("another-dropped", message)
}

/// The runs that have moved a session and still stand, the newest first; an interrupted one is refused by the driver.
pub(crate) fn moves(root: &StateRoot) -> Result<Vec<(RunId, Settings)>, Refusal> {
    let mut runs: Vec<RunSummary> = root.summaries()?.into_iter().filter_map(|(_, run)| run.ok()).collect();
    runs.sort_by_key(|run| std::cmp::Reverse(run.began()));
    let is_ours = |run: &RunSummary| run.header.tool == CoworkMigrate::NAME && run.stands();
    let settings = |run: RunSummary| Some((run.id.clone(), Settings::of(&run.header).ok()?));
    let moves = runs.into_iter().filter(is_ours).filter_map(settings);
    Ok(moves.filter(|(_, settings)| settings.moved).collect())
}

/// Puts the sidecar back, or what of it the application may not have dropped.
pub(crate) fn plan((mut settings, findings): (Settings, Vec<Finding>)) -> Result<Plan<Effect>, Refusal> {
    let held: Vec<PathBuf> = settings.held.iter().map(|path| path.to_path_buf()).collect();
    guard::must_not_run(&held)?;
    let target = settings.sidecar.clone().expect("because only runs with a sidecar are found");
    let current = Sidecar::read(&target).map_err(|anomaly| {
        let hint = "start Claude and look whether the session is still there";
        Refusal::new("sidecar", format!("cannot read the sidecar: {anomaly}"), hint)
    })?;
    if current.view.session_id != settings.session {
        let message =
            format!("expected the sidecar of {} at {}, found another's", settings.session, target.display());
        return Err(Refusal::new("another-session", message, "nothing can be put back there"));
    }
    let (wanted, finding) = wanted(&settings, &current)?;
    let is_there = wanted == current.bytes;
    let name = target.display().to_string();
    let outcome = Outcome::plain(if is_there { Bucket::AlreadyPresent } else { Bucket::Migrated });
    let mut item = Item::new(InputId::new("session", name.clone()), settings.session.clone(), outcome);
    item.targets = vec![name];
    item.findings.extend(finding);
    let waves = if is_there { Vec::new() } else { steps(&settings, &target, &wanted)? };
    settings.promised = String::from_utf8_lossy(&wanted).into_owned();
    settings.moved = false;
    settings.brought = None;
    settings.means = crate::content::Means { image: None, ..settings.means };
    Draft { waves, inputs: vec![item.input.clone()], items: vec![item], settings, findings }.finish()
}

/// A sidecar that nobody has worked with since is replaced; one that has gone on gets its folders back.
fn wanted(settings: &Settings, current: &Sidecar) -> Result<(Vec<u8>, Option<Finding>), Refusal> {
    let promised = settings.promised.as_bytes();
    let is_untouched = current.view.last_activity_at.0 == settings.last_activity
        && current.view.cli_session_id == settings.cli;
    if is_untouched {
        return Ok((promised.to_vec(), None));
    }
    let merged = sidecar::merge(&current.bytes, promised)
        .map_err(|error| Refusal::new("sidecar", error.to_string(), "please report this"))?;
    let message = "the session has gone on since it was moved: only its folders and files are put back";
    Ok((merged, Some(Finding::note("merged", message))))
}

fn steps(settings: &Settings, target: &Path, wanted: &[u8]) -> Result<Vec<Vec<Effect>>, Refusal> {
    let archive = settings.archive.clone().unwrap_or_else(|| target.with_extension("").into());
    let original = Original::of(target)?;
    let kept = kept(&archive, &settings.short);
    let copy = Made::Copied(Verbatim::of(target, original.expect));
    let keep = Effect::File(InstallFile::of(copy, &kept, original.expect.mtime));
    let put = Effect::Reapply(SidecarStep {
        inner: ReplaceFile { content: given(wanted), target: target.into(), expect: original.expect },
        target: target.into(),
        session: settings.session.clone(),
        cli: settings.cli.clone(),
        archive,
    });
    Ok(vec![vec![keep], vec![put]])
}

/// What the application had made of the sidecar is always kept.
fn kept(archive: &Path, short: &str) -> PathBuf {
    let name = |number: u32| match number {
        1 => format!("{short}-loaded-sidecar.json"),
        number => format!("{short}-loaded-sidecar-{number}.json"),
    };
    let mut places = (1..).map(|number| archive.join(name(number)));
    places.find(|place| place.symlink_metadata().is_err()).expect("because names do not end")
}
