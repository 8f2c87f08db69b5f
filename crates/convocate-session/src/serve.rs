//! Being an agent: sshd starts this for whoever calls, and the standard streams are the call.

use migration_cli::{Exit, Refusal, Streams, Surroundings};
use session_control::{LocalHost, Pong, Terminal, decline_rpc, serve_attach, serve_rpc};

use crate::hosts;
use crate::options::Options;
use crate::verbs::AgentVerb;

/// Answers.
pub(crate) fn serve(
    verb: AgentVerb,
    options: &Options,
    here: &Surroundings,
    streams: &mut Streams<'_>,
) -> Result<Exit, Refusal> {
    let local = hosts::local(options, here).inspect_err(|refusal| {
        // Standard error ends at sshd: whoever calls reads this alone, whichever of the two he wants.
        let _ = decline_rpc(&refusal.message, &refusal.code, streams.stdout);
    })?;
    match verb {
        AgentVerb::Rpc => {
            let pong = Pong::ours(&local.id, env!("CARGO_PKG_VERSION"), (here.now)());
            let served = serve_rpc(&mut LocalHost::new(local), &pong, streams.stdin, streams.stdout);
            // That nobody waits for the answer any more is the caller's affair.
            Ok(if served.is_ok() { Exit::Done } else { Exit::Failed })
        }
        AgentVerb::Attach => {
            let terminal = Terminal::standard().map_err(|error| {
                Refusal::failure(
                    "attach",
                    format!("cannot work with the streams: {error}"),
                    "sshd starts this",
                )
            })?;
            let served = serve_attach(&LocalHost::new(local), &terminal, &mut here.stop.clone());
            Ok(if served { Exit::Done } else { Exit::Failed })
        }
    }
}
