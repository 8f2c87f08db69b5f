//! The verbs that only this tool has.

use session_model::Finding;

use super::migrate::migrate;
use super::session::Session;
use crate::report::{Asked, Report};
use crate::speak::Speaker;
use crate::{Ask, Clearance, Refusal, Tool, Verbs};

/// Shows what a verb that only looks has found, removes what one that removes has found, or carries out the migration that
/// the verb is.
pub(super) fn own<T: Tool>(
    session: &Session<'_, T>,
    ask: Ask<'_, T>,
    speaker: &mut Speaker<'_, '_>,
) -> Result<Report, Refusal> {
    let name = ask.verb.map_or("", Verbs::name);
    if let Some(listing) = session.tool.look(ask, session.here, &session.cx()) {
        session.go_on_looking()?;
        return Ok(Report::of_listing::<T>(Asked::Own(name), listing?));
    }
    if let Some(clearance) = session.tool.clear(ask, session.here, &session.cx()) {
        session.go_on_looking()?;
        let Clearance { mut listing, question, remove } = clearance?;
        if !listing.rows.is_empty() && !session.common.dry_run {
            speaker.confirm(&question)?;
            remove()?;
            listing.findings.push(Finding::note("removed", "all of this was removed for good"));
        }
        return Ok(Report::of_listing::<T>(Asked::Own(name), listing));
    }
    migrate(session, ask)
}

impl<T: Tool> Session<'_, T> {
    fn go_on_looking(&self) -> Result<(), Refusal> {
        let Some(exit) = self.here.stop.exit() else { return Ok(()) };
        Err(Refusal::new("stopped", "stopped while looking", "say the same command again").exit(exit))
    }
}
