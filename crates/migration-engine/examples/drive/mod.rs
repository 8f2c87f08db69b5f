//! The commands of a small tool.

use std::error::Error;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use migration_engine::{
    Changed, Cx, NoProgress, Phase, Plan, Run, RunId, StateRoot, Step, TargetLocks, Worlds, check_room,
};
use session_model::Timestamp;

type Planned<S> = Result<Plan<S>, Box<dyn Error>>;

/// `apply|resume|undo|keep|set-aside PLACE`, with the runs in `PLACE/state`.
pub(crate) fn main<S: Step>(
    plan: fn(&Path) -> Planned<S>,
    worlds: &impl Worlds<S>,
) -> Result<(), Box<dyn Error>> {
    let [verb, place] = std::env::args().skip(1).collect::<Vec<_>>().try_into().map_err(|_| "VERB PLACE")?;
    let place = Path::new(&place);
    let root = StateRoot::at(place.join("state"));
    let cx = Cx { stop: &AtomicBool::new(false), progress: &NoProgress, now: Timestamp::now };
    if verb == "apply" {
        let plan = plan(place)?;
        let locks = TargetLocks::take(&plan.header.locks)?;
        if let Some(run) = root.interrupted_on(&plan.header.locks)? {
            return Err(format!("run {} must be resumed or undone first", run.id).into());
        }
        check_room(&plan, root.path())?;
        let run = Run::create(&root, RunId::new(Timestamp::UNIX_EPOCH, 0), plan, locks, (cx.now)())?;
        run.apply(worlds, 1, &cx)?;
        return Ok(());
    }
    let id = root.ids()?.pop().ok_or("there is no run")?;
    let run = Run::<S>::open(&root, &id)?;
    match verb.as_str() {
        "resume" if run.phase() == Phase::Undoing => drop(run.undo(worlds, Changed::Refuse, &cx)?),
        "resume" => drop(run.apply(worlds, 1, &cx)?),
        "undo" => drop(run.undo(worlds, Changed::Refuse, &cx)?),
        "keep" => drop(run.undo(worlds, Changed::Keep, &cx)?),
        "set-aside" => drop(run.undo(worlds, Changed::SetAside, &cx)?),
        _ => return Err("apply, resume, undo, keep or set-aside".into()),
    }
    Ok(())
}
