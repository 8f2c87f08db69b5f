//! What small tools share: a world that needs nothing to begin with, and the commands.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use migration_engine::{
    Block, Changed, Cx, Header, Item, NoProgress, Phase, Plan, Run, RunId, StateRoot, Step, StepError,
    TargetLocks, Worlds, check_room,
};
use session_model::{Finding, Timestamp};

type Planned<S> = Result<Plan<S>, Box<dyn Error>>;

/// Opens a world for each lane, and accepts what was left unless there is a veto.
struct Here {
    veto: PathBuf,
}

impl<S: Step<World: Default>> Worlds<S> for Here {
    fn world(&self, _lane: usize) -> Result<S::World, StepError> {
        Ok(S::World::default())
    }

    fn judge(&self, _world: &mut S::World, _item: &Item) -> Vec<Finding> {
        let finding = || Finding::error("veto", format!("{} is there", self.veto.display()));
        self.veto.exists().then(finding).into_iter().collect()
    }
}

/// The head of a plan whose inputs are of one kind, locked on `PLACE/new`.
pub(crate) fn header(tool: &str, kind: &str, place: &Path) -> Header {
    Header {
        tool: tool.into(),
        version: "0.1.0".into(),
        blocks: vec![Block { kind: kind.into(), title: format!("{kind}s"), inputs: 0 }],
        locks: vec![place.join("new").into()],
        concerns: Vec::new(),
        settings: serde_json::Value::Null,
        partial: false,
        findings: Vec::new(),
    }
}

/// `apply|resume|undo|keep|set-aside PLACE`, with the runs in `PLACE/state`; sources stay while `PLACE/state/veto` is there.
pub(crate) fn main<S: Step<World: Default>>(plan: fn(&Path) -> Planned<S>) -> Result<(), Box<dyn Error>> {
    let [verb, place] = std::env::args().skip(1).collect::<Vec<_>>().try_into().map_err(|_| "VERB PLACE")?;
    let place = Path::new(&place);
    let root = StateRoot::at(place.join("state"));
    let here = Here { veto: place.join("state/veto") };
    let cx = Cx { stop: &AtomicBool::new(false), progress: &NoProgress, now: Timestamp::now };
    if verb == "apply" {
        let plan = plan(place)?;
        let locks = TargetLocks::take(&plan.header.locks)?;
        if let Some(run) = root.interrupted_on(&plan.header.locks)? {
            return Err(format!("run {} must be resumed or undone first", run.id).into());
        }
        check_room(&plan, root.path())?;
        let run = Run::create(&root, RunId::new(Timestamp::UNIX_EPOCH, 0), plan, locks, (cx.now)())?;
        run.apply(&here, 1, &cx)?;
        return Ok(());
    }
    let id = root.ids()?.pop().ok_or("there is no run")?;
    let run = Run::<S>::open(&root, &id)?;
    match verb.as_str() {
        "resume" if run.phase() == Phase::Undoing => drop(run.undo(&here, Changed::Refuse, &cx)?),
        "resume" => drop(run.apply(&here, 1, &cx)?),
        "undo" => drop(run.undo(&here, Changed::Refuse, &cx)?),
        "keep" => drop(run.undo(&here, Changed::Keep, &cx)?),
        "set-aside" => drop(run.undo(&here, Changed::SetAside, &cx)?),
        _ => return Err("apply, resume, undo, keep or set-aside".into()),
    }
    Ok(())
}
