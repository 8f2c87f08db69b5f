//! The life of a convocate session: made, copied, started, left running, stopped and removed, on this machine and on any
//! agent, in the same words ([`SessionHost`]).
//!
//! A session is a folder of a base, named by a UUID and told of by the `session.json` in it, and, while it runs, a
//! container that has that folder for its home. There is no list and no daemon: whoever looks sees what lies there.
//! Here that is a [`LocalHost`]; at other hosts it is a [`RemoteHost`], which helps an original agent to behave the same;
//! and a [`Cluster`] is all of them. Beside that stand who holds a session ([`Lock`]), what runs ([`Containers`]), which
//! agents there are ([`Registry`]) and what names resolve ([`DnsHosts`]).
//!
//! ```
//! use session_control::{Containers, Local, LocalHost, Profile, SessionHost, Wishes};
//!
//! let base = tempfile::tempdir()?;
//! let engine = Containers { program: "podman".into(), ..Containers::default() };
//! # let no = base.path().join("no-engine");
//! # let engine = Containers { program: no.clone(), socket: no, ..engine };
//! let local = Local { containers: engine, ..Local::new(base.path(), Profile::CONVOCATE) };
//! let mut host = LocalHost::new(local);
//! let wishes = Wishes { name: "billing refactor".into(), port: -1, ..Wishes::default() };
//! let made = host.create(&wishes)?;
//! assert_eq!((made.port, made.state().letter()), (1001, '-'));
//!
//! let copy = host.duplicate(&made.id().expect("it has one"), "billing again")?;
//! assert_eq!((host.list()?.len(), copy.port), (2, 0));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Limitations
//! Containers are those of one engine with `docker`'s command line, asked anew each time. Processes are looked up in
//! `/proc`, so a lock speaks for a process of this machine only, and for whoever has been given its number since.
//! Starting, stopping and removing have no undo. A copy has neither extended attributes nor set-user-id bits, leaves
//! out pipes and sockets, which is told, and may be of files that were being written. Whoever stops a removal
//! ([`Watch`]) waits for the engine while it stops a container. Whoever has the base locked, as a migration has, is
//! waited for ten seconds. A base with a colon in its path cannot be seen by containers. Agents are attached to
//! through the system's `ssh`, whichever transport asks them else; without a terminal there, as at an original agent,
//! the screen keeps the size that it has at first. Whoever is killed outright while he is attached stays so until he
//! is detached. A list of all hosts takes as long as the slowest of them, 25 seconds at most. Two programs that ask
//! at the same moment whether a DNS name is free are both told that it is.

mod agent;
mod agent_folder;
mod attach;
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
pub use attach::{AttachError, Attachment, Ended, Terminal, attach, serve_attach};
pub use cluster::{
    Cluster, Dial, LOCAL, Layout, Member, NameError, NotFound, Open, OpenHere, Place, Row, Survey,
    Unreachable,
};
pub use containers::{Container, Containers, ContainersError, Mount, Use};
pub use dns::{DnsError, DnsHosts, DnsRecord, Dnsmasq, LeftOut, Synced, Told};
pub use error::SessionError;
pub use host::{HostError, SessionHost};
pub use local::{Local, LocalHost, Watch};
pub use lock::{Held, HeldError, Holder, Lock};
pub use mounts::mounted_in;
pub use process::Process;
pub use profile::Profile;
pub use protocol::{BadRequest, Pong, Request};
pub use registry::{Agent, AgentHost, Api, Registry, RegistryError};
pub use remote::RemoteHost;
pub use server::{decline_rpc, serve_rpc};
pub use session::{NotAnId, Session, SessionId, SessionState, Unknown, Wishes};
pub use validation::{Invalid, valid_dns_name, valid_name, valid_port, valid_protocol};
