//! Moves a Claude Cowork session to another Windows profile of the same login: its sidecar, its folder with the
//! transcript, and what its virtual machine still held, as one run that is journaled and can be taken back.
//!
//! The plan is made of what was read of both worlds. A mapping says which place became which: the user's home, folders
//! that the user names, the mounts of the virtual machine and its home, whose files go to an archive. Every new file is
//! a content of the engine's steps ([`Made`]): a copy, a document whose paths are rewritten, a transcript that is
//! rewritten and then stitched so that it loads whole, a file out of the disk image. The session's folder arrives by one
//! rename, and its sidecar, which makes it exist, last.
//!
//! The application rewrites the sidecar when it first loads it. So an undo expects that, and `reapply` puts back what the
//! application dropped.
//!
//! A session may be on another host: it is read through nothing but an SFTP server, and brought into a bundle first.
//!
//! Paths of the Windows machine are opened only through a [`Drive`]: the tool runs on Windows itself as well as on a
//! Linux that has its disk mounted.
//!
//! ```
//! use cowork_migrate::{Drive, Moved};
//!
//! let moved: Moved = r"D:\work=C:\Users\otto\work".parse()?;
//! assert_eq!(moved.to.to_string(), r"C:\Users\otto\work");
//! let drive: Drive = "C:=/mnt/c".parse()?;
//! assert_eq!(drive.letter, 'C');
//! assert!("/mnt/c".parse::<Drive>().is_err());
//! # Ok::<(), String>(())
//! ```
//!
//! # Limitations
//! One session at a time, from Windows to Windows, within one account: spaces, other accounts, macOS and Linux are
//! refused. Credentials never travel. Symlinks are listed and not made: their targets are places of the old world.
//! Whether the application is running is told by who has its files open, which a Linux cannot see of a Windows beside
//! it, nor anybody of another host. What is brought from there takes its room twice, and
//! while it is looked at about a kilobyte of memory for each file. How a build of the application loads
//! a transcript is a simulation, and Windows is what Wine plays.

mod bundle;
mod content;
mod drives;
mod effect;
mod existing;
mod extract;
mod extraction;
mod far;
mod guard;
mod in_place;
mod inventory;
mod judge;
mod lines;
mod links;
mod mapping;
mod moving;
mod options;
mod pack;
mod places;
mod plan;
mod reapply;
mod rewrite;
mod rewriting;
mod scope;
mod settings;
mod sidecar;
mod step;
mod tool;
mod transcript;

pub use content::{Extracted, Made, Means, Original, Sources, Transcript};
pub use drives::Drive;
pub use effect::{Effect, Handles, Trace};
pub use options::{LinkHandling, Moved, Options, Verb};
pub use step::{MadeFolder, MakeFolder, PutAway, SidecarStep, WasPutAway};
pub use tool::{CoworkMigrate, Open};
