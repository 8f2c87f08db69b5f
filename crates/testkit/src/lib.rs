//! What the tests of the house share.
//!
//! ```
//! let server = testkit::model_server::ModelServer::start()?;
//! assert!(server.requests().is_empty());
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # Limitations
//! For tests only: helpers panic where a test should fail.

#![allow(clippy::unwrap_used, reason = "helpers of tests panic where a test should fail")]

#[cfg(unix)]
pub mod agent;
pub mod ao_database;
#[cfg(unix)]
pub mod cluster;
pub mod cowork;
pub mod crash;
#[cfg(unix)]
pub mod disk;
#[cfg(unix)]
pub mod docker;
pub mod fixture;
pub mod guide;
pub mod holder;
pub mod long_session;
pub mod model_server;
#[cfg(unix)]
pub mod mounts;
#[cfg(unix)]
pub mod network;
#[cfg(unix)]
pub mod odd_tree;
#[cfg(unix)]
pub mod original_attach;
#[cfg(unix)]
pub mod person;
pub mod redact;
pub mod sftp;
#[cfg(unix)]
pub mod sshd;
pub mod tree;
pub mod wire;
