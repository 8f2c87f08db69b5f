//! What a run remembers beside its plan.

use migration_engine::Header;
use serde::de::DeserializeOwned;

use crate::Refusal;

/// The settings of a run, as its tool has written them.
pub fn settings_of<T: DeserializeOwned>(header: &Header) -> Result<T, Refusal> {
    serde_json::from_value(header.settings.clone()).map_err(|_| {
        Refusal::failure(
            "run-settings",
            "the run's settings do not read",
            "use the version of the tool that made it",
        )
    })
}
