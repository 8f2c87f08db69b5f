//! The tool: its options, its plan and its judgement.

use std::path::Path;
use std::sync::OnceLock;

use durable_files::PathText;
use migration_cli::{Ask, Deed, Listing, Mode, Prepared, Purpose, Refusal, Surroundings, Tool};
use migration_engine::steps::Files;
use migration_engine::{Bucket, Cx, Header, Item, Outcome, Plan, StepError, Worlds};
use remote_transfer::{Remote, Remotes};
use session_model::Finding;

use crate::agent_end::{self, AgentEnd};
use crate::checks::{self, Facts};
use crate::effect::{Effect, Handles};
use crate::elsewhere::Elsewhere;
use crate::lock::Locks;
use crate::options::{Options, Verb};
use crate::plan::Draft;
use crate::settings::Settings;
use crate::{gc, judge, list, source};

/// Moves sessions to an agent.
#[derive(Debug, Clone, Copy, Default)]
pub struct ConvocateMigrate;

/// The agent, over one connection where the transport can share it, and for as many sessions at a time as shall move.
pub struct Open {
    settings: Settings,
    remotes: Remotes,
    purpose: Purpose,
    /// Why the agent's API was not reached.
    unreached: OnceLock<String>,
}

impl Worlds<Effect> for Open {
    fn world(&self, lane: usize) -> Result<Handles, StepError> {
        let moving = &self.settings.lanes[lane];
        let folder = self.settings.base.join(&moving.uuid);
        let wanted = match self.purpose {
            Purpose::Verify => false,
            Purpose::Apply => folder.exists(),
            Purpose::Undo => true,
        };
        let locks = if wanted { Locks::of(&folder, moving.stale.as_deref())? } else { Locks::default() };
        Ok(Handles { remote: self.remotes.idle(), files: Files::default(), locks })
    }

    fn judge(&self, _world: &mut Handles, item: &Item) -> Vec<Finding> {
        let is_meant = |uuid: &str| Path::new(&item.input.id).ends_with(uuid);
        let moving = self.settings.lanes.iter().find(|moving| is_meant(&moving.uuid));
        moving.map(|moving| judge::judge(&self.settings, moving, &self.unreached)).unwrap_or_default()
    }
}

impl Tool for ConvocateMigrate {
    type Options = Options;
    type Verb = Verb;
    type Step = Effect;
    type Worlds = Open;

    const NAME: &'static str = "convocate-migrate";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const ABOUT: &'static str = "Moves orphan convocate sessions of this host to an agent";

    const ENDS_IN_A_TABLE: bool = true;
    const REFUSALS: &'static [&'static str] = &["locked"];

    fn targets(&self, ask: Ask<'_, Self>, here: &Surroundings) -> Result<Vec<PathText>, Refusal> {
        Ok(vec![source::base(ask.options, here)?.into()])
    }

    fn prepare(
        &self,
        ask: Ask<'_, Self>,
        _mode: Mode,
        here: &Surroundings,
        cx: &Cx<'_>,
    ) -> Result<Prepared<Self>, Refusal> {
        let options = ask.options;
        let (registry, agent) = agent_end::registered(options, here)?;
        let base = source::base(options, here)?;
        let sessions = source::chosen(source::survey(&base)?, options)?;
        let end = agent_end::reach(agent, options, here)?;
        agent_end::is_elsewhere(&end, &base)?;
        agent_end::is_open(&end)?;
        let named = |session: &legacy_readers::convocate::Session| {
            session.document().is_some_and(|document| !document.fields().dns_name.is_empty())
        };
        let elsewhere = if sessions.iter().any(named) {
            Elsewhere::ask(&registry, &end.id, end.api.as_ref().unwrap_or(&end.ssh))
        } else {
            Elsewhere::default()
        };
        let containers = checks::containers(options)?;
        let mut facts = Facts::gather(&end, elsewhere)?;
        let mut draft = Draft::new(&base, &end, options);
        for session in &sessions {
            let mut cx = *cx;
            match facts.check(session, &containers, options, &end, &mut cx)? {
                Ok(ready) => draft.moves(session, ready)?,
                Err(outcome) if sessions.len() == 1 && !options.all => {
                    return Err(only(&session.uuid, outcome));
                }
                Err(outcome) => draft.stays(session, outcome),
            }
        }
        checks::room(&end, draft.takes, draft.entries)?;
        let plan = draft.finish()?;
        let worlds = Open::of(&plan, end, self.jobs(options))?;
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
        if purpose == Purpose::Undo {
            judge::stands_still(&settings)?;
        }
        let mut far = agent_end::greet(&settings.ssh, here)?;
        if settings.as_root {
            far.act_as_root();
        }
        far.compress(options.compress.unwrap_or(settings.compress).into());
        let remote = Remote::new(far);
        if purpose == Purpose::Undo {
            judge::are_free(&settings, &remote)?;
        }
        let remotes = Remotes::of(remote, self.jobs(options));
        Ok(Open { settings, remotes, purpose, unreached: OnceLock::new() })
    }

    fn jobs(&self, options: &Options) -> usize {
        options.jobs.into()
    }

    fn look(
        &self,
        ask: Ask<'_, Self>,
        here: &Surroundings,
        _cx: &Cx<'_>,
    ) -> Option<Result<Listing, Refusal>> {
        matches!(ask.verb, Some(Verb::List)).then(|| list::list(ask.options, here))
    }

    fn act(&self, ask: Ask<'_, Self>, here: &Surroundings, _cx: &Cx<'_>) -> Option<Result<Deed, Refusal>> {
        let Some(Verb::Gc { older_than }) = ask.verb else { return None };
        Some(gc::deed(ask, *older_than, here))
    }
}

impl Open {
    fn of(plan: &Plan<Effect>, end: AgentEnd, jobs: usize) -> Result<Self, Refusal> {
        let (settings, remotes) = (Settings::of(&plan.header)?, Remotes::of(end.remote, jobs));
        Ok(Self { settings, remotes, purpose: Purpose::Apply, unreached: OnceLock::new() })
    }
}

/// The only session that was asked for is the reason: nothing was tried.
fn only(uuid: &str, outcome: Outcome) -> Refusal {
    let code = outcome.reason.unwrap_or_else(|| Bucket::Conflict.as_text().to_owned());
    let message = format!("session {uuid} cannot move: {}", outcome.detail.unwrap_or_default());
    Refusal::new(code, message, "convocate-migrate list shows what can")
}
