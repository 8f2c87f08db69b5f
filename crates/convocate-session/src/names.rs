//! The cluster's DNS names.

use migration_cli::Refusal;
use session_control::NameError;
use session_model::Finding;

use crate::hosts::Hosts;
use crate::options::Options;

impl Hosts {
    /// Refuses a name that is another session's, or may be.
    pub(crate) fn name_is_free(
        &self,
        name: &str,
        but: Option<&str>,
        options: &Options,
    ) -> Result<(), Refusal> {
        if name.is_empty() {
            return Ok(());
        }
        self.survey().name_is_free(name, but, options.allow_unverified_dns).map_err(|error| {
            let hint = match error {
                NameError::Taken { .. } => "name another one: --dns NAME",
                NameError::Unverified { .. } => {
                    "wait until that host answers, or say --allow-unverified-dns if the name is surely free"
                }
            };
            Refusal::new(error.code(), error.to_string(), hint)
        })
    }

    /// Has the cluster's names written anew, where this machine is the one that looks after them.
    pub(crate) fn sync_dns(&self) -> Vec<Finding> {
        if !self.cluster.is_shell() {
            return Vec::new();
        }
        Vec::new()
    }
}
