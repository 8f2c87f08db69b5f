//! What is to be said otherwise of a session than it is said now.

use session_control::{Session, Wishes};

/// What is to be said otherwise of a session. What is not named here stays as it is, whoever has said it last.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// Its name.
    pub name: Option<String>,
    /// The port to publish.
    pub port: Option<i64>,
    /// The protocol of the port.
    pub protocol: Option<String>,
    /// Its name in the cluster's DNS.
    pub dns_name: Option<String>,
}

impl Changes {
    /// Everything that is to be said of a session of which this is said now.
    pub fn over(&self, now: &Session) -> Wishes {
        let said = |new: &Option<String>, now: &String| new.as_ref().unwrap_or(now).clone();
        Wishes {
            name: said(&self.name, &now.name),
            port: self.port.unwrap_or(now.port),
            protocol: said(&self.protocol, &now.protocol),
            dns_name: said(&self.dns_name, &now.dns_name),
        }
    }
}
