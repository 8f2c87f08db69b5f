//! The life of a convocate session, seen from outside: which agents there are and what they say, which containers run,
//! who holds a lock, which ports and names are taken.
//!
//! ```
//! use session_control::{AgentHost, Registry};
//!
//! let folder = tempfile::tempdir()?;
//! let agent = folder.path().join("k7m2p9x4qwzt");
//! std::fs::create_dir(&agent)?;
//! std::fs::write(agent.join("shell_to_agent_ed25519_key"), "")?;
//! std::fs::write(agent.join("agent-host"), "claude@agent-1.example\n")?;
//!
//! let agents = Registry::at(folder.path()).agents()?;
//! assert_eq!(agents[0].host.to_string(), "claude@agent-1.example");
//! assert_ne!(agents[0].host, AgentHost::Local);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Limitations
//! So far it looks, and changes nothing: a session is not started, stopped or attached to here. Containers are asked of
//! a `docker` command line; processes are looked up in `/proc`.

mod agent;
mod agent_folder;
mod cluster;
mod containers;
mod deadline;
mod dns;
mod error;
mod host;
mod local;
mod lock;
mod mounts;
mod process;
mod profile;
mod protocol;
mod registry;
mod remote;
mod server;
mod session;
mod spelling;
mod validation;

pub use agent::{AgentError, call, get, list, ping};
pub use agent_folder::AgentFolder;
pub use cluster::{
    Cluster, Dial, Layout, Member, NameError, NotFound, Open, OpenHere, Place, Row, Survey, Unreachable,
};
pub use containers::{Container, Containers, ContainersError, Mount, Use};
pub use dns::{DnsError, DnsHosts, DnsRecord, Dnsmasq, Synced, Told, own_address};
pub use error::SessionError;
pub use host::{HostError, SessionHost};
pub use local::{Local, LocalHost};
pub use lock::{Held, HeldError, Lock};
pub use process::Process;
pub use profile::Profile;
pub use protocol::{BadRequest, Pong, Request};
pub use registry::{Agent, AgentHost, Api, Registry, RegistryError};
pub use remote::RemoteHost;
pub use server::serve_rpc;
pub use session::{NotAnId, Session, SessionId, SessionState, Wishes};
pub use validation::{Invalid, valid_dns_name, valid_name, valid_port, valid_protocol};
