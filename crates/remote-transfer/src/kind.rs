//! The transports there are.

use serde::{Deserialize, Serialize};

use crate::openssh::OpenSsh;
use crate::target::Target;
use crate::transport::Transport;

/// A transport by its name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum TransportKind {
    /// The system's `ssh`, with the user's configuration of it.
    #[default]
    OpenSsh,
    /// The libssh2 inside.
    #[cfg(feature = "libssh2")]
    LibSsh2,
    /// None: the host is this machine, whatever it is called.
    #[cfg(unix)]
    Here,
}

impl TransportKind {
    /// A transport to this host. Nothing is connected before the first command.
    pub fn open(self, target: Target) -> Box<dyn Transport> {
        match self {
            Self::OpenSsh => Box::new(OpenSsh::new(target)),
            #[cfg(feature = "libssh2")]
            Self::LibSsh2 => Box::new(crate::libssh2::LibSsh2::new(target)),
            #[cfg(unix)]
            Self::Here => Box::new(crate::here::Here),
        }
    }
}
