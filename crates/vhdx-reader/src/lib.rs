//! Read-only view of the files in a VHDX or raw disk image that holds ext4, on any operating system.
//!
//! Three layers, each of which only reads the one below:
//!
//! * [`ReadAt`]: bytes at positions, of a file ([`ImageFile`]) or in memory;
//! * [`Disk`]: the virtual disk inside an image, a VHDX (dynamic or fixed) or a raw one;
//! * [`Tree`]: the files on the disk, in an ext2, ext3 or ext4 that covers all of it or a partition.
//!
//! What was not closed cleanly is read as if it had been: the log of a VHDX and the journal of the filesystem are
//! replayed in memory, and [`Tree::warnings`] says so. The image itself is opened for reading and never changes.
//! Content is data: an entry that is damaged is an error in its place, and the rest is there.
//!
//! ```
//! use vhdx_reader::{Disk, Found, Skip, Tree};
//!
//! # let image: &[u8] = include_bytes!("../tests/it/small.img");
//! let tree = Tree::open(Disk::of_image(Box::new(image))?)?; // or Tree::open_image(path)
//! assert_eq!(tree.label(), b"sessions");
//!
//! let home = tree.find(b"/calm-amber-noether")?.expect("the session has left something");
//! let (mut files, mut skipped) = (Vec::new(), 0);
//! for visit in tree.walk(&home, Skip::of_session())? {
//!     match visit.found {
//!         Found::File(file) => {
//!             let text = std::io::read_to_string(tree.read(&file)?)?;
//!             files.push((visit.safe_path, text));
//!         }
//!         Found::Skipped(..) => skipped += 1,
//!         Found::Unreadable(error) => return Err(error.into()),
//!         _ => {}
//!     }
//! }
//! assert_eq!(files, [("notes/what%3F.txt".to_owned(), "to be done\n".to_owned())]);
//! assert_eq!(skipped, 2); // .cache, and the empty mount point mnt/drafts
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Limitations
//! - Differencing disks (`.avhdx`) are refused: their content is complete only together with their parents.
//! - The filesystem features `inline_data`, `meta_bg`, `compression` and a journal on another device or with fast
//!   commits are refused by name; encrypted files are errors one by one.
//! - Extended attributes and ACLs are not read. Backup superblocks are not looked for.
//! - Logical partitions inside an extended one are not looked into.
//! - File data have no checksums in ext4: a bit that flipped in them is not noticed.
//! - A directory with more than 1,048,576 names, and a tree with more than 10,000,000 entries or 1,024 levels, are not
//!   read to their ends, and say so.

mod bytes;
mod content;
mod disk;
mod error;
mod ext4;
mod image;
mod names;
mod partition;
mod tree;
mod vhdx;
mod walk;

pub use content::{Content, Piece};
pub use disk::{Disk, Warning};
pub use error::{DiskError, OpenError, TreeError};
pub use image::{ImageFile, ReadAt};
pub use names::{safe_name, safe_names};
pub use tree::{Entry, Kind, Listed, Modified, OpenTreeError, Tree};
pub use vhdx::Guid;
pub use walk::{Found, Reason, Skip, Visit, Walk};
