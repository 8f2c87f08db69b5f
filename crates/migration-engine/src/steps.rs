//! Steps on files: each usable alone, or as a variant of a tool's own enum ([`crate::compose_steps`]).

mod content;
mod files;
mod install;
mod pair;
mod replace;
mod retire;
mod splice;
mod tree;

pub use content::{Bytes, Content, FileWorld, Verbatim};
pub use files::{Files, move_into};
pub use install::{InstallFile, Installed};
pub use replace::{ReplaceFile, Replaced};
pub use retire::{Retire, Retired};
pub use splice::{SpliceFile, SplicedFile};
pub use tree::{BadEntry, Entry, InstallTree, InstalledTree, Node};
