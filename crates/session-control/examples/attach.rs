//! A session's screen on this terminal, and the agent that offers it.
//!
//! `attach here BASE ID [--started]`, `attach serve BASE`, `attach ours|original HOST PORT USER KEY KNOWN_HOSTS ID
//! [--started]`. SIGTERM leaves, and SIGUSR1 is a mistake in this program.

use std::error::Error;
use std::io::Write;
use std::ops::ControlFlow;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use durable_files::Meter;
use remote_transfer::Target;
use session_control::{Attachment, Local, LocalHost, Pong, Profile, Terminal, attach, serve_attach};
use session_model::Timestamp;

/// What a signal has asked for.
struct Signals {
    stop: Arc<AtomicBool>,
    mistake: Arc<AtomicBool>,
}

impl Meter for Signals {
    fn passed(&mut self, _bytes: u64) -> ControlFlow<()> {
        assert!(!self.mistake.load(Ordering::Relaxed), "a mistake");
        if self.stop.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

impl Signals {
    fn heeded() -> std::io::Result<Self> {
        let signals = Self { stop: Arc::default(), mistake: Arc::default() };
        signal_hook::flag::register(signal_hook::consts::SIGTERM, signals.stop.clone())?;
        signal_hook::flag::register(signal_hook::consts::SIGUSR1, signals.mistake.clone())?;
        Ok(signals)
    }
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let host = |base: &str| LocalHost::new(Local::new(base, Profile::CONVOCATE));
    let (terminal, mut signals) = (Terminal::standard()?, Signals::heeded()?);
    let (attachment, more) = match words.as_slice() {
        ["serve", base] => {
            let went_well = serve_attach(&host(base), &terminal, &mut signals);
            return Ok(if went_well { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        ["here", base, id, more @ ..] => (Attachment::here(&host(base), &id.parse()?)?, more),
        [kind @ ("ours" | "original"), name, port, user, key, known_hosts, id, more @ ..] => {
            let target = Target {
                port: Some(port.parse()?),
                user: Some((*user).to_owned()),
                identity: Some(key.into()),
                known_hosts: Some(known_hosts.into()),
                ..Target::new(*name)
            };
            let ours = || Pong::ours("agent", env!("CARGO_PKG_VERSION"), Timestamp::now());
            let agent = if *kind == "ours" { ours() } else { Pong::default() };
            (Attachment::there(target, &id.parse()?, &agent), more)
        }
        _ => return Err("expected: here, serve, ours or original".into()),
    };
    let attachment = if more == ["--started"] { attachment.after_restart() } else { attachment };
    let ended = match attach(&attachment, &terminal, &mut signals) {
        Ok(ended) => format!("{ended:?}"),
        Err(error) => format!("error: {error}"),
    };
    writeln!(std::io::stdout(), "{ended}")?;
    Ok(ExitCode::SUCCESS)
}
