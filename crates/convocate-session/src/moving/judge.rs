//! Whether a session that was delivered is the other host's now, and its source was let alone.

use convocate_migrate::parts::{Copy, stand_still};
use migration_cli::Refusal;
use migration_engine::{Cause, StepError};
use session_model::Finding;

use super::running::{NotKnown, Runs, perhaps, runs};
use super::settings::Settings;
use super::worlds::Both;
use crate::watched::Watched;

/// Before the source is moved aside: it must not have changed nor be at work, and the agent that got it must tell of it what
/// its document says. Afterwards the session lives: that it runs, and has been worked with, is as it should be.
pub(super) fn judge(both: &Both) -> Vec<Finding> {
    let Settings { to, moves, becomes, arrives, .. } = &both.settings;
    let is_here = *moves
        && match both.is_there() {
            Ok(is_there) => is_there,
            Err(error) => return vec![not_looked_at(&error)],
        };
    let mut findings = if is_here { source(both) } else { Vec::new() };
    if let Some(api) = &to.api {
        let copy = Copy { agent: &to.id, uuid: becomes, arrives, is_here };
        findings.extend(copy.told(&mut Watched::new(api.open(), &both.stop), &both.unreached));
    }
    findings
}

fn not_looked_at(error: &StepError) -> Finding {
    Finding::error("source-not-looked-at", format!("nobody knows whether the source was let alone: {error}"))
}

fn source(both: &Both) -> Vec<Finding> {
    let Settings { from, uuid, expect, held, .. } = &both.settings;
    let mut findings = Vec::new();
    let folder = [from.base.as_slice(), b"/", uuid.as_bytes()].concat();
    match both.from.far().survey(&folder, &mut both.stop.clone()) {
        Ok(seen) if seen.manifest.digest() == *expect => {}
        Ok(seen) => {
            let found = held.told(&seen.manifest);
            let message = format!("{uuid} on {} changed after it was sent: {found}", from.id);
            findings.push(Finding::error(Cause::SOURCE_CHANGED, message));
        }
        Err(error) => findings.push(not_looked_at(&error.into())),
    }
    match runs((from, &both.from), uuid, &both.containers, &both.stop) {
        Ok(Runs::No) | Err(NotKnown::NotThere) => {}
        Ok(Runs::Perhaps(why)) => findings.push(perhaps(from, uuid, &why)),
        Ok(Runs::Yes(_)) => {
            let message =
                format!("{uuid} runs on {} by now; stop it: convocate-session kill {uuid}", from.id);
            findings.push(Finding::error("source-runs", message));
        }
        Err(why) => {
            let message = format!("nobody knows whether {uuid} runs on {} by now: {why}", from.id);
            findings.push(Finding::error("agent-not-asked", message));
        }
    }
    findings
}

/// Refuses to take back a copy that somebody has locked, or that is at work. An agent that cannot be asked does not hold
/// up an undo: what has changed there is found by its files. Gives the lock that somebody has left, by device and inode.
pub(super) fn copy_stands_still(both: &Both) -> Result<Option<String>, Refusal> {
    let Settings { to, becomes, .. } = &both.settings;
    let left = to.lockable(becomes).stale_lock(&both.to)?;
    if let Some(api) = &to.api {
        return stand_still(&to.id, api, &[becomes]).map(|()| left);
    }
    match runs((to, &both.to), becomes, &both.containers, &both.stop) {
        Ok(Runs::Yes(_)) => {
            let message = format!("session {becomes} runs on {}", to.id);
            Err(Refusal::new("agent-runs-it", message, "stop it there, then say undo again"))
        }
        // The engine is this machine's own.
        Err(why) => Err(Refusal::new("containers", why.to_string(), "start the engine, then say undo again")),
        Ok(Runs::No | Runs::Perhaps(_)) => Ok(left),
    }
}
