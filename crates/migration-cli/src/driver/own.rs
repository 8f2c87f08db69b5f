//! The verbs that only this tool has.

use session_model::Finding;

use super::migrate::migrate;
use super::session::Session;
use crate::arguments::Verb;
use crate::report::{Asked, Report};
use crate::speak::Speaker;
use crate::{Ask, Deed, Exit, Refusal, Tool, Verbs};

/// Shows what a verb that only looks has found, does what one that acts is about, or carries out the migration that the
/// verb is.
pub(super) fn own<T: Tool>(
    session: &Session<'_, T>,
    ask: Ask<'_, T>,
    speaker: &mut Speaker<'_, '_>,
) -> Result<Report, Refusal> {
    let name = ask.verb.map_or("", Verbs::name);
    if let Some(listing) = session.tool.look(ask, session.here, &session.cx()) {
        session.unless_stopped("stopped while looking")?;
        return Ok(Report::of_listing::<T>(Asked::Own(name), listing?));
    }
    if let Some(deed) = session.tool.act(ask, session.here, &session.cx()) {
        session.unless_stopped("stopped while looking")?;
        return session.act(name, deed?, speaker);
    }
    migrate(session, ask)
}

/// Gives the streams to what takes them over, if that is what was asked for.
pub(super) fn take_over<T: Tool>(
    session: &Session<'_, T>,
    verb: Option<&Verb<T::Verb>>,
    speaker: &mut Speaker<'_, '_>,
) -> Option<Result<Exit, Refusal>> {
    let verb = match verb {
        None => None,
        Some(Verb::Own(verb)) => Some(verb),
        Some(_) => return None,
    };
    let take_over = session.tool.take_over(session.ask(verb), session.here)?;
    if session.common.dry_run {
        let message = format!("`{}` has no dry run", verb.map_or(T::NAME, Verbs::name));
        return Some(Err(Refusal::usage("no-dry-run", message, "say it without --dry-run")));
    }
    Some(take_over(speaker.streams()).map_err(|refusal| session.by_signal(refusal)))
}

impl<T: Tool> Session<'_, T> {
    fn act(&self, name: &'static str, deed: Deed, speaker: &mut Speaker<'_, '_>) -> Result<Report, Refusal> {
        let Deed { mut listing, questions, act } = deed;
        if self.common.dry_run {
            listing.findings.push(Finding::note("dry-run", "nothing was done"));
            return Ok(Report::of_listing::<T>(Asked::Own(name), listing));
        }
        questions.iter().try_for_each(|question| speaker.confirm(question))?;
        self.unless_stopped("stopped at a question; nothing was done")?;
        let done = act(&self.progress);
        self.progress.end();
        let listing = done.map_err(|refusal| self.by_signal(refusal))?;
        Ok(Report { was_done: true, ..Report::of_listing::<T>(Asked::Own(name), listing) })
    }

    /// What was stopped ends as the signal says that stopped it. So does what was refused meanwhile: that may be for no
    /// more than an answer that was not waited for.
    fn by_signal(&self, refusal: Refusal) -> Refusal {
        match self.here.stop.exit() {
            Some(exit) if refusal.code == "stopped" => refusal.exit(exit),
            Some(exit) if refusal.exit == Exit::Refused => {
                let message = format!("stopped: {}", refusal.message);
                let stopped = Refusal::new("stopped", message, "say the same command again");
                stopped.exit(exit).findings(refusal.findings)
            }
            _ => refusal,
        }
    }

    /// Refuses to go on where somebody has said stop.
    fn unless_stopped(&self, stopped: &str) -> Result<(), Refusal> {
        let Some(exit) = self.here.stop.exit() else { return Ok(()) };
        Err(Refusal::new("stopped", stopped, "say the same command again").exit(exit))
    }
}
