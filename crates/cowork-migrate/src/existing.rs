//! What stands already where a session goes (formats/cowork.md F, E1).

use std::path::{Path, PathBuf};

use legacy_readers::cowork::Sidecar;
use migration_cli::Refusal;
use migration_engine::{Bucket, Cx, Look, Outcome, RunId, State, StateRoot, Step};
use session_model::Finding;

use crate::effect::{Effect, Handles};
use crate::moving::Moving;
use crate::plan::Draft;
use crate::reapply;
use crate::settings::Settings;
use crate::step::PutAway;

/// Leaves out of a plan what is done already; refuses, or puts away what is in the way.
pub(crate) fn reconcile(
    mut draft: Draft,
    moving: &Moving,
    replace: bool,
    root: &StateRoot,
    cx: &Cx<'_>,
) -> Result<Draft, Refusal> {
    refuse_a_twin(moving)?;
    let standing = Standing::of(&draft, moving, cx)?;
    if standing.in_the_way().next().is_none() {
        if standing.is_there && !standing.is_missing() {
            settle(&mut draft, standing.grown().as_deref());
        }
        return Ok(draft);
    }
    if !replace {
        if let Some(run) = moved_before(&draft, root)? {
            settle(&mut draft, Some(&format!("it was moved by run {run} and has gone on since")));
            return Ok(draft);
        }
        return Err(standing.refusal());
    }
    let aside = aside(moving);
    let put_away = |target: &&Path| {
        let name = target.file_name().unwrap_or_default();
        PutAway::plan(target, &aside.join(name)).map(Effect::PutAway)
    };
    let putting = standing.displaced().iter().map(put_away).collect::<Result<Vec<_>, _>>()?;
    draft.waves.insert(0, putting);
    let message = format!("what is there already moves aside, to {}", aside.display());
    draft.findings.push(Finding::note("replaced", message));
    Ok(draft)
}

/// A run of the same mapping that has brought the session there: whatever is there now came of it.
fn moved_before(draft: &Draft, root: &StateRoot) -> Result<Option<RunId>, Refusal> {
    let runs = reapply::moves(root)?;
    let is_same = |settings: &Settings| {
        settings.sidecar == draft.settings.sidecar
            && settings.session == draft.settings.session
            && settings.mapping_hash == draft.settings.mapping_hash
    };
    Ok(runs.into_iter().find(|(_, settings)| is_same(settings)).map(|(run, _)| run))
}

/// The application loads one of two sidecars of one session, and nobody can tell which.
fn refuse_a_twin(moving: &Moving) -> Result<(), Refusal> {
    let new = moving.new_sidecar();
    let mut others = moving.destination.profile.sessions.iter().filter(|session| session.path != new);
    match others
        .find(|session| session.view().is_some_and(|view| view.session_id == moving.view().session_id))
    {
        None => Ok(()),
        Some(twin) => Err(Refusal::new(
            "session-exists",
            format!("the session is there already, in another sidecar: {}", twin.path.display()),
            "move that file out of the profile first",
        )),
    }
}

/// How every target of a plan stands.
struct Standing {
    /// Whether the session itself is there, in whatever state.
    is_there: bool,
    /// The targets, and whether each is the session itself.
    states: Vec<(PathBuf, bool, State)>,
}

impl Standing {
    fn of(draft: &Draft, moving: &Moving, cx: &Cx<'_>) -> Result<Self, Refusal> {
        let mut world = Handles::new(draft.settings.means.clone());
        let mut states = Vec::new();
        for step in draft.waves.iter().flatten() {
            let Some(target) = target(step) else { continue };
            let is_session = target == moving.session_dir.local || target == moving.new_sidecar();
            let state = step.inspect(&mut world, None, Look::Full, cx)?;
            states.push((target.to_path_buf(), is_session, of_a_sidecar(step, state)));
        }
        let is_there =
            |(path, is_session, _): &(PathBuf, bool, State)| *is_session && path.symlink_metadata().is_ok();
        Ok(Self { is_there: states.iter().any(is_there), states })
    }

    fn in_the_way(&self) -> impl Iterator<Item = (&Path, &str)> {
        self.states.iter().filter_map(|(path, _, state)| match state {
            State::Conflict(found) => Some((&**path, found.as_str())),
            _ => None,
        })
    }

    /// What is missing is made, and what is there is left alone.
    fn is_missing(&self) -> bool {
        self.states.iter().any(|(_, _, state)| *state == State::Pending)
    }

    fn grown(&self) -> Option<String> {
        self.states.iter().find_map(|(path, _, state)| match state {
            State::Superseded(how) => Some(format!("{}: {how}", path.display())),
            _ => None,
        })
    }

    /// What has to go for a session to be replaced: what is in the way, and all of the session.
    fn displaced(&self) -> Vec<&Path> {
        let goes = |(path, is_session, state): &&(PathBuf, bool, State)| {
            matches!(state, State::Conflict(_)) || *is_session && path.symlink_metadata().is_ok()
        };
        self.states.iter().filter(goes).map(|(path, _, _)| &**path).collect()
    }

    fn refusal(&self) -> Refusal {
        let found = self.in_the_way().map(|(path, found)| format!("{}: {found}", path.display()));
        let found = found.collect::<Vec<_>>().join("; ");
        if self.is_there {
            let message = format!("the session is there already, and differs: {found}");
            return Refusal::new(
                "session-exists",
                message,
                "--replace moves what is there aside, out of the profile",
            );
        }
        let message = format!("the archive holds something else under these names: {found}");
        Refusal::new(
            "archive-occupied",
            message,
            "name another with --archive DIR, or let --replace move it aside",
        )
    }
}

fn target(step: &Effect) -> Option<&Path> {
    match step {
        Effect::File(step) => Some(&step.target),
        Effect::Tree(step) => Some(&step.target),
        Effect::Sidecar(step) => Some(&step.target),
        _ => None,
    }
}

/// The application has rewritten it since.
fn of_a_sidecar(step: &Effect, state: State) -> State {
    let Effect::Sidecar(step) = step else { return state };
    let is_same = || {
        Sidecar::read(&step.target)
            .is_ok_and(|found| found.view.session_id == step.session && found.view.cli_session_id == step.cli)
    };
    match state {
        State::Conflict(_) if is_same() => State::Superseded("the application has rewritten it since".into()),
        state => state,
    }
}

/// Everything is there: the run has nothing to do.
fn settle(draft: &mut Draft, grown: Option<&str>) {
    draft.waves.clear();
    draft.findings.retain(|finding| finding.code != "by-hand");
    for (number, item) in draft.items.iter_mut().enumerate() {
        if item.planned.bucket == Bucket::Migrated {
            item.planned = match grown {
                Some(how) if number == 0 => Outcome::because(Bucket::Superseded, "gone-on").detail(how),
                _ => Outcome::plain(Bucket::AlreadyPresent),
            };
        }
    }
}

/// A folder in the archive that is not there yet.
fn aside(moving: &Moving) -> PathBuf {
    let name = |number: u32| match number {
        1 => format!("{}-replaced", moving.short()),
        number => format!("{}-replaced-{number}", moving.short()),
    };
    let mut places = (1..).map(|number| moving.archive.local.join(name(number)));
    places.find(|place| place.symlink_metadata().is_err()).expect("because names do not end")
}
