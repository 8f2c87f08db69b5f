//! The tool: its options, its plan and its judgement.

use std::path::{Path, PathBuf};

use camino::Utf8PathBuf;
use durable_files::{Holder, PathText};
use jsonl_stitch::load::keeps;
use migration_cli::{Ask, Listing, Mode, Prepared, Purpose, Refusal, Surroundings, Tool};
use migration_engine::steps::Files;
use migration_engine::{Cx, Header, Item, StepError, Worlds};
use session_model::Finding;

use crate::effect::Effect;
use crate::options::{Options, Verb};
use crate::plan::{Draft, LOADS, Settings, without_repeats};
use crate::transcript::{Transcript, Unfit};
use crate::{check, unstitch};

/// Makes transcripts load whole again.
#[derive(Debug, Clone, Copy, Default)]
pub struct CoworkStitch;

/// Opens the worlds of a run, and judges what it left by loading it.
#[derive(Debug)]
pub struct Open(Surroundings);

impl Worlds<Effect> for Open {
    fn world(&self, _lane: usize) -> Result<Files, StepError> {
        Ok(Files::default())
    }

    /// The transcript must load as was promised; after it has grown, at least as much of it.
    fn judge(&self, _world: &mut Files, item: &Item) -> Vec<Finding> {
        let promised = item.own.get(LOADS).cloned().map(serde_json::from_value);
        let Some(Ok(promised)) = promised else { return Vec::new() };
        let progress = migration_engine::NoProgress;
        let cx = Cx { stop: self.0.stop.flag(), progress: &progress, now: self.0.now };
        let checked = match Transcript::read(Path::new(&item.input.id), &cx) {
            Ok((_, checked)) => checked,
            Err(unfit) => return vec![Finding::error(unfit.code, unfit.message)],
        };
        if keeps(&promised, &checked.loads) {
            return Vec::new();
        }
        let message = "the application would load less of it than was promised".to_owned();
        vec![Finding::error("loads-less", message)]
    }
}

impl Tool for CoworkStitch {
    type Options = Options;
    type Verb = Verb;
    type Step = Effect;
    type Worlds = Open;

    const NAME: &'static str = "cowork-stitch";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const ABOUT: &'static str =
        "Makes a Claude Cowork transcript load whole again, with its history before each compaction";

    fn targets(&self, ask: Ask<'_, Self>, here: &Surroundings) -> Result<Vec<PathText>, Refusal> {
        let mut folders: Vec<PathBuf> =
            files(ask, here)?.iter().filter_map(|file| file.parent()?.canonicalize().ok()).collect();
        folders.sort();
        folders.dedup();
        Ok(folders.into_iter().map(PathText::from).collect())
    }

    fn prepare(
        &self,
        ask: Ask<'_, Self>,
        _mode: Mode,
        here: &Surroundings,
        cx: &Cx<'_>,
    ) -> Result<Prepared<Self>, Refusal> {
        let files = files(ask, here)?;
        let backup = ask.options.backup.as_ref().map(|folder| here.named(folder)).transpose()?;
        let mut draft = Draft::default();
        for file in &files {
            let added = match ask.verb {
                Some(_) => unstitch::add(&mut draft, file, ask.root, cx),
                None => add(&mut draft, file, ask.options, backup.as_deref(), cx),
            };
            match added {
                Err(unfit) if files.len() == 1 => return Err(unfit.into()),
                Err(unfit) => draft.unfit(file, &unfit),
                Ok(()) => {}
            }
        }
        refuse_the_only_one(&draft)?;
        Ok(Prepared { plan: draft.finish(), worlds: Open(here.clone()) })
    }

    fn worlds(
        &self,
        header: &Header,
        _run_dir: &Path,
        _options: &Options,
        purpose: Purpose,
        here: &Surroundings,
    ) -> Result<Open, Refusal> {
        if purpose != Purpose::Verify
            && let Some(holder) = Holder::of(&Settings::of(header).changed())
        {
            return Err(Unfit::held(&holder).into());
        }
        Ok(Open(here.clone()))
    }

    fn look(&self, ask: Ask<'_, Self>, here: &Surroundings, cx: &Cx<'_>) -> Option<Result<Listing, Refusal>> {
        let Some(Verb::Check { .. }) = ask.verb else { return None };
        Some(files(ask, here).and_then(|files| check::check(&files, ask.options.target.loaders(), cx)))
    }
}

fn add(
    draft: &mut Draft,
    file: &Path,
    options: &Options,
    backup: Option<&Path>,
    cx: &Cx<'_>,
) -> Result<(), Unfit> {
    let (transcript, checked) = Transcript::read_to_change(file, cx)?;
    let decision = transcript.decide(checked, options.target.loaders(), options.stitch(), cx)?;
    let is_changed = !decision.edits.is_empty();
    if is_changed {
        transcript.must_be_replaceable()?;
    }
    let backup =
        backup.filter(|_| is_changed).map(|folder| draft.backup(&transcript, folder, cx)).transpose()?;
    draft.decided(&transcript, decision, options.target.loaders(), backup);
    Ok(())
}

/// If the only file asked for is in the way of the whole run, the run is refused.
fn refuse_the_only_one(draft: &Draft) -> Result<(), Refusal> {
    match draft.items() {
        [Item { planned, .. }] if planned.bucket == migration_engine::Bucket::Conflict => {
            let reason = planned.reason.clone().unwrap_or_default();
            let message = planned.detail.clone().unwrap_or_default();
            let hint =
                "--move-anchor appends a boundary at the end of the file; the guide tells what that costs";
            Err(Refusal::new(reason, message, hint))
        }
        _ => Ok(()),
    }
}

/// The files that were named.
fn files(ask: Ask<'_, CoworkStitch>, here: &Surroundings) -> Result<Vec<PathBuf>, Refusal> {
    let named: &[Utf8PathBuf] = match ask.verb {
        Some(Verb::Check { files } | Verb::Unstitch { files }) => files,
        None => &ask.options.files,
    };
    if named.is_empty() {
        let hint = format!("{} FILE…, or `{} --help`", CoworkStitch::NAME, CoworkStitch::NAME);
        return Err(Refusal::usage("no-file", "expected the name of a transcript, found none", hint));
    }
    let named: Vec<PathBuf> = named.iter().map(|file| here.named(file)).collect::<Result<_, _>>()?;
    Ok(without_repeats(named))
}

impl From<Unfit> for Refusal {
    fn from(unfit: Unfit) -> Self {
        Self::new(unfit.code, unfit.message, unfit.hint)
    }
}
