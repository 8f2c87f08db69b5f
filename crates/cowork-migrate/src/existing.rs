//! What stands already where a session goes (formats/cowork.md F, E1).

use std::path::{Path, PathBuf};

use legacy_readers::cowork::Sidecar;
use migration_cli::Refusal;
use migration_engine::{Bucket, Cx, Look, Outcome, State, Step};

use crate::effect::{Effect, Handles};
use crate::moving::Moving;
use crate::plan::Draft;
use crate::step::PutAway;

/// Leaves out of a plan what is done already; refuses, or puts away what is in the way.
pub(crate) fn reconcile(
    mut draft: Draft,
    moving: &Moving,
    replace: bool,
    cx: &Cx<'_>,
) -> Result<Draft, Refusal> {
    refuse_a_twin(moving)?;
    let states = states(&draft, cx)?;
    let is_there = moving.new_sidecar().symlink_metadata().is_ok() || moving.session_dir.local.exists();
    let in_the_way: Vec<&(PathBuf, State)> =
        states.iter().filter(|(_, state)| matches!(state, State::Conflict(_))).collect();
    if is_there && in_the_way.is_empty() {
        settle(&mut draft, &states);
        return Ok(draft);
    }
    if in_the_way.is_empty() {
        return Ok(draft);
    }
    if !replace {
        return Err(refuse(is_there, &in_the_way));
    }
    let aside = aside(moving);
    let mut putting = Vec::new();
    for (target, _) in &in_the_way {
        let name = target.file_name().unwrap_or_default();
        putting.push(Effect::PutAway(PutAway::plan(target, &aside.join(name))?));
    }
    draft.waves.insert(0, putting);
    Ok(draft)
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
fn states(draft: &Draft, cx: &Cx<'_>) -> Result<Vec<(PathBuf, State)>, Refusal> {
    let mut world = Handles::new(draft.settings.means.clone());
    let mut states = Vec::new();
    for step in draft.waves.iter().flatten() {
        let Some(target) = target(step) else { continue };
        let state = step.inspect(&mut world, None, Look::Full, cx)?;
        states.push((target.to_path_buf(), of_a_sidecar(step, state)));
    }
    Ok(states)
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
fn settle(draft: &mut Draft, states: &[(PathBuf, State)]) {
    let missing = |state: &State| matches!(state, State::Pending);
    if states.iter().any(|(_, state)| missing(state)) {
        return; // what is missing is made, and what is there is left alone
    }
    let grown = states.iter().find_map(|(path, state)| match state {
        State::Superseded(how) => Some(format!("{}: {how}", path.display())),
        _ => None,
    });
    draft.waves.clear();
    for (number, item) in draft.items.iter_mut().enumerate() {
        if item.planned.bucket == Bucket::Migrated {
            item.planned = match &grown {
                Some(how) if number == 0 => {
                    Outcome::because(Bucket::Superseded, "gone-on").detail(how.clone())
                }
                _ => Outcome::plain(Bucket::AlreadyPresent),
            };
        }
    }
}

fn refuse(is_there: bool, in_the_way: &[&(PathBuf, State)]) -> Refusal {
    let found = |(path, state): &(PathBuf, State)| match state {
        State::Conflict(found) => format!("{}: {found}", path.display()),
        _ => path.display().to_string(),
    };
    let found = in_the_way.iter().map(|it| found(it)).collect::<Vec<_>>().join("; ");
    if is_there {
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

/// A folder in the archive that is not there yet.
fn aside(moving: &Moving) -> PathBuf {
    let name = |number: u32| match number {
        1 => format!("{}-replaced", moving.short()),
        number => format!("{}-replaced-{number}", moving.short()),
    };
    let mut places = (1..).map(|number| moving.archive.local.join(name(number)));
    places.find(|place| place.symlink_metadata().is_err()).expect("because names do not end")
}
