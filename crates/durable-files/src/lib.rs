//! Local file effects that survive a crash.
//!
//! The model is small. Something new is written whole under a temporary name beside its target, made durable, read
//! back and compared ([`copy_file`], [`write_file`]); then it takes its place in one step that either happens or does
//! not ([`publish_new`], [`exchange`]); then the directory is made durable ([`sync_dir`]). Killed anywhere, a target is
//! the old thing or the new thing, whole.
//!
//! Names of temporary files are not random: [`beside`] derives them from the target and from a tag of the caller, so
//! that whoever comes after a crash knows them without a record.
//!
//! ```
//! use durable_files::{Fingerprint, Quiet, Traits, beside, copy_file, publish_new, sync_dir};
//! # let folder = tempfile::tempdir()?;
//! let (source, target) = (folder.path().join("a"), folder.path().join("b"));
//! std::fs::write(&source, "months of conversation")?;
//!
//! let temp = beside(&target, "run1-0", "tmp");
//! let copied = copy_file(&source, &Fingerprint::of_file(&source)?, &temp, Traits::PRIVATE, &mut Quiet)?;
//! publish_new(&temp, &target)?; // fails if something is there by now
//! sync_dir(folder.path())?;
//! assert_eq!(copied.digest, durable_files::digest_file(&target, &mut Quiet)?.digest);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Limitations
//! Tried on Linux, and on Windows as Wine plays it. On Windows directories cannot be synced from safe code (a power cut may
//! lose a rename, though never half of one), [`exchange`] does not exist ([`exchange_through`] does, where there are hard
//! links), a [`DirLock`] keeps out only the processes of the same user, a file is known by its size and time alone, and
//! what another program has open is waited for two seconds. Elsewhere [`DirLock`] needs a file
//! system with working `flock`, which network file systems may lack. Extended attributes and ACLs are not carried by
//! [`copy_file`].

mod beside;
mod copy;
mod digest;
mod dirs;
mod error;
mod fingerprint;
mod holder;
mod lock;
mod names;
mod path_text;
mod publish;
mod removing;
mod room;
mod sync;
mod windows;

pub use beside::HasherBeside;
pub use copy::{
    Copied, CopyError, Meter, Quiet, Traits, copy_file, dress_dir, open_expected, open_regular, write_file,
    write_new, write_stream, write_with,
};
pub use digest::{Digest, Digested, Hasher, NotADigest, digest_file, digest_prefix, digest_stream};
pub use dirs::{
    create_private_dir, create_private_dirs, missing_dirs, must_be_no_links, remove_empty_dirs, sync_dir,
};
pub use error::{FileError, InContext, is_world_failure};
pub use fingerprint::Fingerprint;
pub use holder::Holder;
pub use lock::{DirLock, LockError, LockHolder};
pub use names::{beside, tagged};
pub use path_text::PathText;
pub use publish::{
    PublishError, exchange, exchange_through, is_one_file, is_unsupported, link_file, publish_new,
    publish_new_in_shared_dir, publish_over, remove_file_if_there,
};
pub use removing::{Stays, remove_tree, remove_tree_if_there};
pub use room::{Room, Shortage, must_be_writable, room_at};
pub use sync::{Unsynced, sync_tree};
pub use windows::verbatim;
