//! The verbs that only this tool has.

use super::migrate::migrate;
use super::session::Session;
use crate::report::{Asked, Report};
use crate::{Ask, Refusal, Tool, Verbs};

/// Shows what a verb that only looks has found, or carries out the migration that the verb is.
pub(super) fn own<T: Tool>(session: &Session<'_, T>, ask: Ask<'_, T>) -> Result<Report, Refusal> {
    let name = ask.verb.map_or("", Verbs::name);
    let Some(listing) = session.tool.look(ask, session.here, &session.cx()) else {
        return migrate(session, ask);
    };
    if let Some(exit) = session.here.stop.exit() {
        return Err(Refusal::new("stopped", "stopped while looking", "say the same command again").exit(exit));
    }
    Ok(Report::of_listing::<T>(Asked::Own(name), listing?))
}
