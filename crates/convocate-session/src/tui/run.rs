//! The screen from its beginning to its end.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::time::Instant;

use jiff::tz::TimeZone;
use migration_cli::{Exit, Refusal, Stop, Streams, Surroundings};
use migration_engine::StateRoot;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use session_control::{Ended, Member, Place, Unreachable};
use signal_hook::consts::SIGHUP;

use super::screen_guard::{Hooked, ScreenGuard};
use super::show::{Channels, Left, show};
use super::workers::{Shared, Workers};
use super::{Event, Host, Model, Moment, Palette, Setup, Target};
use crate::hosts::Hosts;
use crate::options::Options;

/// What sessions of this machine are said to be on.
const HERE: &str = "this machine";

/// Shows the sessions of all hosts until somebody has had enough.
pub(crate) fn run(
    options: &Options,
    (root, here): (&StateRoot, &Surroundings),
    streams: &mut Streams<'_>,
) -> Result<Exit, Refusal> {
    // What is under way when the screen is left is stopped, and comes to its end.
    let own = Surroundings { stop: Stop::default(), ..here.clone() };
    let hosts = Hosts::of(options, &own)?;
    let members: Vec<(String, Member)> = hosts.cluster.members().iter().map(named).collect();
    let mut model = Model::new(setup(&members, hosts.cluster.broken()));
    let shared = Arc::new(Shared {
        hosts,
        options: options.clone(),
        root: root.path().to_owned(),
        here: own,
        migrates: AtomicBool::new(false),
    });
    let hung_up = Arc::new(AtomicBool::new(false));
    let listening = signal_hook::flag::register(SIGHUP, hung_up.clone()).map_err(|error| failed(&error))?;
    let left = with_workers(&mut model, members, &shared, (here, &hung_up), streams.stdout);
    signal_hook::low_level::unregister(listening);
    if hung_up.load(Ordering::Relaxed) || matches!(left, Ok(Left::HungUp)) {
        // Ends as every program does whose terminal has gone: killed by that signal.
        let _ = signal_hook::low_level::emulate_default_handler(SIGHUP);
    }
    let exit = match left.map_err(|error| failed(&error))? {
        Left::Interrupt => Exit::Interrupted,
        _ => here.stop.exit().unwrap_or_default(),
    };
    farewell(&model, exit, streams.stdout);
    Ok(exit)
}

/// What is the same all the time.
fn setup(members: &[(String, Member)], broken: &[Unreachable]) -> Setup {
    let known = members.iter().map(|(name, member)| host(name, member));
    Setup {
        version: env!("CARGO_PKG_VERSION").into(),
        build: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        hosts: known.chain(broken.iter().map(not_known)).collect(),
    }
}

/// The screens, and those who work for them.
fn with_workers(
    model: &mut Model,
    members: Vec<(String, Member)>,
    shared: &Arc<Shared>,
    (here, hung_up): (&Surroundings, &AtomicBool),
    out: &mut dyn Write,
) -> io::Result<Left> {
    let ((orders, inbox), (outbox, events)) = (channel(), channel());
    let workers = Workers::start(members, shared, inbox, &outbox);
    let begun = Instant::now();
    let channels = Channels {
        keyboard: &io::stdin(),
        orders: &orders,
        events: &events,
        moment: &|| moment(here, begun),
        stop: &|| here.stop.exit().is_some() || hung_up.load(Ordering::Relaxed),
        palette: palette(here),
    };
    let left = screens(model, &channels, shared, here, out);
    drop(orders);
    workers.part(shared);
    left
}

/// One screen after the other: between two of them a session has the terminal.
fn screens(
    model: &mut Model,
    channels: &Channels<'_>,
    shared: &Shared,
    here: &Surroundings,
    out: &mut dyn Write,
) -> io::Result<Left> {
    let hooked = Hooked::new();
    loop {
        let guard = ScreenGuard::raise(out, &hooked)?;
        let left = {
            let mut terminal = Terminal::new(CrosstermBackend::new(&mut *out))?;
            show(model, &mut terminal, channels)?
        };
        drop(guard);
        let Left::Attach { target, name, fresh } = left else { return Ok(left) };
        writeln!(out, "Attaching to {name:?} on {} (Ctrl-b d to detach)...", model.on(&target.host))?;
        out.flush()?;
        let ended = attach(shared, &target, fresh, here).map(|how| format!("{how}: {name:?}"));
        for order in model.update(Event::Back(ended)) {
            let _ = channels.orders.send(order); // nobody listens only when all is over
        }
    }
}

/// A session has the terminal until it is left; how that has ended.
fn attach(shared: &Shared, target: &Target, fresh: bool, here: &Surroundings) -> Result<String, String> {
    let mut members = shared.hosts.cluster.members().iter();
    let Some(member) = members.find(|member| named(member).0 == target.host) else {
        return Err(format!("there is no host {:?}", target.host));
    };
    let way = shared.hosts.way_to(member, &target.id, &shared.options, here);
    let way = way.map_err(|refusal| refusal.message)?;
    let way = if fresh { way.after_restart() } else { way };
    let terminal = session_control::Terminal::standard().map_err(|error| error.to_string())?;
    match session_control::attach(&way, &terminal, &mut here.stop.clone()) {
        Ok(Ended::Over) => Ok("The session has ended".into()),
        Ok(Ended::Detached | Ended::Stopped) => Ok("The session goes on running".into()),
        Err(error) => Err(error.to_string()),
    }
}

/// What was done, for whoever reads on.
fn farewell(model: &Model, exit: Exit, out: &mut dyn Write) {
    for line in model.said() {
        let _ = writeln!(out, "{}", super::view::visible(line));
    }
    if exit == Exit::Done {
        let _ = writeln!(out, "Goodbye!");
    }
    let _ = out.flush();
}

fn named(member: &Member) -> (String, Member) {
    let name = if member.place == Place::Agent { member.id.clone() } else { HERE.to_owned() };
    (name, member.clone())
}

fn host(name: &str, member: &Member) -> Host {
    Host { id: name.to_owned(), place: member.place, address: member.address.clone(), lost: None }
}

/// An agent that is registered, and nobody knows how to reach it.
fn not_known(broken: &Unreachable) -> Host {
    let Unreachable { member, place, address, reason, .. } = broken.clone();
    Host { id: member, place, address, lost: Some(reason) }
}

fn moment(here: &Surroundings, begun: Instant) -> Moment {
    let now = (here.now)().to_zoned(TimeZone::system());
    // Where it cannot be told, nothing is shown.
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let mut numbers = load.split_whitespace().map_while(|word| word.parse().ok());
    let load = [numbers.next(), numbers.next(), numbers.next()];
    Moment {
        since: begun.elapsed(),
        clock: now.strftime("%Y-%m-%d %H:%M:%S").to_string(),
        load: if let [Some(one), Some(five), Some(fifteen)] = load {
            Some([one, five, fifteen])
        } else {
            None
        },
    }
}

fn palette(here: &Surroundings) -> Palette {
    let is_dumb = here.var("TERM").is_none_or(|term| term == "dumb");
    if is_dumb || here.var("NO_COLOR").is_some() { Palette::Mono } else { Palette::Color }
}

fn failed(error: &io::Error) -> Refusal {
    Refusal::failure(
        "terminal",
        format!("cannot show the sessions on this terminal: {error}"),
        "convocate-session list shows the sessions without a screen",
    )
}
