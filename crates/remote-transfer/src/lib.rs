//! Trees of files to and from another host over SSH, with proof that they arrived.
//!
//! To another host: a [`Tree`] is opened once and walked through that handle; a [`Parcel`] sends it as one tar stream,
//! hashed on its way, of which a stock Linux host unpacks what is missing into a private folder; the host's own
//! `sha256sum` says what arrived; and one rename shows it. [`DeliverTree`] is all of that as a step of a migration: it
//! can be killed at any moment, gone on with, and taken back; [`RetireFar`] moves aside over there what is not needed any
//! more.
//!
//! From another host: [`fetch_tree`] brings a tree as one stream, exact to the nanosecond, and compares every file with
//! what a stock Linux host says of its own; [`pull_tree`] reads through nothing but the SFTP server, which Windows has as
//! well.
//!
//! [`unpack`] makes a tree of a tar stream that somebody else may have made: nothing in it leads out of its folder.
//!
//! A [`Transport`] is the way there; [`Here`] leads to this machine, for whoever works at both ends of a link alike. Both ends are the caller's: nothing here knows what the files are for.
//!
//! ```
//! # #[cfg(unix)] {
//! use durable_files::Quiet;
//! use remote_transfer::{Parcel, Tree};
//!
//! let folder = tempfile::tempdir()?;
//! std::fs::write(folder.path().join("notes"), "months of conversation")?;
//!
//! let tree = Tree::open(folder.path())?;
//! let mut parcel = Parcel::new(&tree, tree.walk(&mut Quiet)?);
//! let mut stream = Vec::new();
//! let packed = parcel.send(&|_| true, &mut stream, &mut Quiet)?;
//! assert_eq!(packed.stream.len, stream.len() as u64);
//! assert_eq!(parcel.manifest().entries().len(), 2); // the folder itself, and the file
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Limitations
//! Delivering and fetching go between Unix and a Linux host with a POSIX shell, GNU tar and find, and coreutils. Owners
//! become one user; extended attributes, ACLs and capabilities are not carried, and told only of this host's trees; devices
//! are refused. A fetch that is interrupted begins anew. Pulling tells times in whole seconds, and takes a file whose length
//! and time are those it had for unchanged. libssh2 reads no ssh configuration and knows no certificates, and on Windows
//! (`WinCNG`) no ed25519 keys; a far end that does not say how a command has ended, as every sshd does, has it taken for a
//! success. Unpacking is for Unix, and refuses holes that are described in pax headers.

#[cfg(unix)]
mod clash;
#[cfg(unix)]
mod deliver;
mod display;
#[cfg(unix)]
mod far;
#[cfg(unix)]
mod fetch;
#[cfg(unix)]
mod here;
mod kind;
#[cfg(feature = "libssh2")]
mod libssh2;
#[cfg(unix)]
mod manifest;
mod openssh;
#[cfg(unix)]
mod pack;
mod pull;
mod quote;
#[cfg(unix)]
mod retire;
mod sftp;
mod target;
mod transport;
#[cfg(unix)]
mod unpack;
#[cfg(unix)]
mod walk;

use std::time::Duration;

#[cfg(unix)]
pub use deliver::{Change, DeliverTree, Delivered, Place, Remote, Remotes};
pub use display::{display, words};
#[cfg(unix)]
pub use far::{Collected, Compression, Far, FarError, Hello, Leftover, MalformedListing, Standing, Surveyed};
#[cfg(unix)]
pub use fetch::{FetchError, fetch_tree};
#[cfg(unix)]
pub use here::Here;
pub use kind::TransportKind;
#[cfg(feature = "libssh2")]
pub use libssh2::LibSsh2;
#[cfg(unix)]
pub use manifest::{Difference, Entry, Kind, Manifest, What};
pub use openssh::{Interactive, OpenSsh};
#[cfg(unix)]
pub use pack::{PackError, Packed, Parcel};
pub use pull::{
    PullError, PulledFile, PulledTree, Wanted, name_here, part_of, pull_file, pull_files, pull_tree,
};
pub use quote::quote;
#[cfg(unix)]
pub use retire::{LeftBehind, RetireFar, RetiredFar};
pub use sftp::{FileAttributes, Sftp, SftpError};
pub use target::Target;
pub use transport::{Duplex, Ended, RemoteCommand, Running, Transport, TransportError};
#[cfg(unix)]
pub use unpack::{Limits, UnpackError, Unpacked, unpack};
#[cfg(unix)]
pub use walk::{About, DEPTH, Remark, Tree, WalkError, Walked};

/// After how much silence a peer is taken for dead.
pub const SILENCE: Duration = Duration::from_secs(30);
