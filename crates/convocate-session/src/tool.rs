//! The tool: which verb does what.

use std::path::{Path, PathBuf};
use std::time::Duration;

use durable_files::PathText;
use migration_cli::{
    Ask, Deed, Exit, Listing, Mode, Prepared, Purpose, Refusal, Streams, Surroundings, TakeOver, Tool,
};
use migration_engine::{Cx, Header, StateRoot};
use session_model::Finding;

use crate::hosts::Hosts;
use crate::moving::{self, Effect, Open};
use crate::options::Options;
use crate::verbs::{DnsVerb, Verb};
use crate::{agents, deeds, events, look, moves, names, serve, tui};

/// Works with sessions.
#[derive(Debug, Clone, Copy, Default)]
pub struct ConvocateSession;

impl Tool for ConvocateSession {
    type Options = Options;
    type Verb = Verb;
    type Step = Effect;
    type Worlds = Open;

    const NAME: &'static str = "convocate-session";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const ABOUT: &'static str =
        "The sessions of convocate, on this machine and on every agent: on a screen if no verb is said";

    const REFUSALS: &'static [&'static str] = &["locked", "no-room"];

    fn targets(&self, ask: Ask<'_, Self>, here: &Surroundings) -> Result<Vec<PathText>, Refusal> {
        moves::targets(ask.options, here)
    }

    fn prepare(
        &self,
        ask: Ask<'_, Self>,
        mode: Mode,
        here: &Surroundings,
        cx: &Cx<'_>,
    ) -> Result<Prepared<Self>, Refusal> {
        let (request, network) = moves::request(ask, here)?.ok_or_else(no_migration)?;
        let (mut plan, worlds) = moving::prepare(&request, &network, (ask.root, mode), here, cx)?;
        moves::remember(&mut plan.header, ask.options, here)?;
        Ok(Prepared { plan, worlds })
    }

    fn worlds(
        &self,
        header: &Header,
        _run_dir: &Path,
        _options: &Options,
        purpose: Purpose,
        here: &Surroundings,
    ) -> Result<Open, Refusal> {
        let containers = crate::hosts::local(&moves::remembered(header)?, here)?.containers;
        Open::again(header, purpose, &containers, here)
    }

    fn make_known(&self, header: &Header, here: &Surroundings) -> Vec<Finding> {
        let told = moves::make_known(header, here);
        told.unwrap_or_else(|refusal| vec![Finding::warning(refusal.code, refusal.message)])
    }

    fn brought(&self, root: &StateRoot) -> Result<Vec<PathBuf>, Refusal> {
        Ok(moving::brought(root))
    }

    fn needs(&self, header: &Header) -> Result<Vec<PathBuf>, Refusal> {
        moving::needs(header)
    }

    fn look(
        &self,
        ask: Ask<'_, Self>,
        here: &Surroundings,
        _cx: &Cx<'_>,
    ) -> Option<Result<Listing, Refusal>> {
        let hosts = || Hosts::of(ask.options, here);
        match ask.verb? {
            Verb::List => Some(hosts().and_then(|hosts| look::list(&hosts))),
            Verb::Show(named) => Some(hosts().and_then(|hosts| look::show(&hosts, &named.session))),
            Verb::Agents => Some(hosts().map(|hosts| agents::list(&hosts))),
            Verb::Settings => Some(hosts().and_then(|hosts| {
                let local = crate::hosts::local(ask.options, here)?;
                Ok(look::settings(&hosts, &local))
            })),
            _ => None,
        }
    }

    fn act(&self, ask: Ask<'_, Self>, here: &Surroundings, _cx: &Cx<'_>) -> Option<Result<Deed, Refusal>> {
        let options = ask.options;
        deed(ask.verb?, options, || Hosts::of(options, here)).transpose()
    }

    fn take_over<'a>(&'a self, ask: Ask<'a, Self>, here: &'a Surroundings) -> Option<TakeOver<'a>> {
        match ask.verb {
            None => Some(Box::new(move |streams| screen(&ask, here, streams))),
            Some(Verb::Agent { verb }) => {
                Some(Box::new(move |streams| serve::serve(*verb, ask.options, here, streams)))
            }
            Some(Verb::Events { every }) => Some(Box::new(move |streams| {
                let hosts = Hosts::of(ask.options, here)?;
                events::events(&hosts, Duration::from_secs(*every), ask.json, here, streams)
            })),
            Some(Verb::Attach(named)) => {
                Some(Box::new(move |streams| deeds::attach(&named.session, ask.options, here, streams)))
            }
            Some(_) => None,
        }
    }
}

/// What a verb does that no undo takes back, if it is one of those.
fn deed(
    verb: &Verb,
    options: &Options,
    hosts: impl FnOnce() -> Result<Hosts, Refusal>,
) -> Result<Option<Deed>, Refusal> {
    Ok(Some(match verb {
        Verb::New { name, published } => deeds::new(hosts()?, options, name, published)?,
        Verb::Background(named) => deeds::background(hosts()?, &named.session)?,
        Verb::Edit { session, name, published } => {
            deeds::edit(hosts()?, options, (&session.session, name.as_deref()), published)?
        }
        Verb::Restart(named) => deeds::restart(hosts()?, &named.session)?,
        Verb::Kill(named) => deeds::kill(hosts()?, &named.session)?,
        Verb::Delete { session, connected } => deeds::delete(hosts()?, &session.session, *connected)?,
        Verb::Clone { session, name, dns, to: None } => {
            deeds::duplicate(hosts()?, options, (&session.session, name), dns.as_deref())?
        }
        Verb::Dns { verb: DnsVerb::Sync } => names::sync(hosts()?),
        Verb::Override { session, force } => deeds::unlock(hosts()?, &session.session, *force)?,
        _ => return Ok(None),
    }))
}

/// The screen.
fn screen(
    ask: &Ask<'_, ConvocateSession>,
    here: &Surroundings,
    streams: &mut Streams<'_>,
) -> Result<Exit, Refusal> {
    if !(here.terminals.stdin && here.terminals.stdout) {
        let hint = "convocate-session list shows the sessions; --help shows what else can be said";
        return Err(Refusal::usage("no-terminal", "there is no terminal to show the sessions on", hint));
    }
    tui::run(ask.options, (ask.root, here), streams)
}

fn no_migration() -> Refusal {
    Refusal::usage("no-migration", "this moves nothing", "convocate-session --help shows what can be said")
}
