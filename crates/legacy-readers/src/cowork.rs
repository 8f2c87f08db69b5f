//! Claude Cowork's sessions as the desktop app keeps them (formats/cowork.md A).
//!
//! [`bases`] finds the places where the app keeps its data and [`choose`] decides between them; [`read`] surveys the
//! sessions of one, [`read_bundle`] those of a folder that somebody carried away; [`select`] finds the one that is meant,
//! [`contents`] everything that belongs to it, and [`read_log`] what the app last said about it. [`Sidecar::read`] reads
//! one sidecar whole, for whoever rewrites it.
//!
//! Everything is read where it lies, on any system: a Windows disk may only be mounted here, or be another machine's
//! that is read through a [`Disk`] (`read_on` and its like). Paths inside sidecars and
//! logs are those of the machine they are from, and stay text. No symlink is followed below a base, and no pipe waited
//! for. What the reader leaves to whoever plans with it: whether a session may move, and what its paths become.
//!
//! ```
//! use legacy_readers::cowork::{self, Choice, Environment, Platform, Purpose, Selection};
//!
//! let home = tempfile::tempdir()?;
//! let profile = home.path().join("AppData/Roaming/Claude/local-agent-mode-sessions/1c9f2a77/7be01c52");
//! std::fs::create_dir_all(&profile)?;
//! std::fs::write(profile.join("local_a.json"), r#"{"sessionId": "local_a", "title": "Sort the drafts", "createdAt": 1,
//!     "lastActivityAt": 2, "processName": "calm-amber-noether", "cwd": "/sessions/calm-amber-noether"}"#)?;
//! std::fs::write(profile.join("local_b.json"), r#"{"sessionId": "#)?;
//!
//! let bases = cowork::bases(&Environment::of_home(Platform::Windows, home.path()), None)?.found;
//! let Choice::Only(base) = cowork::choose(&bases, Purpose::Write) else { unreachable!() };
//! let survey = cowork::read(&base.path)?;
//! assert_eq!(survey.inputs.len(), 2);
//! let Selection::One(session) = cowork::select(survey.found.sessions(), "drafts") else { unreachable!() };
//! assert_eq!(session.view().and_then(|view| view.vm_name()), Some("calm-amber-noether"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod base;
mod choice;
mod contents;
mod disk;
mod environment;
mod ids;
mod image;
mod log;
mod select;
mod session;
mod sidecar;
mod space;
mod store;
mod view;

pub use base::{Base, bases, bases_on};
pub use choice::{Choice, Purpose, choose, image_of};
pub use contents::{Contents, Item, Role, Subagent, contents, contents_on};
pub use disk::{Disk, Kind, Standing, ThisDisk};
pub use environment::{Candidate, Environment, FAMILIES, Origin, Platform};
pub use ids::{OwnerId, short_id};
pub use image::{DiskImage, ImageFormat};
pub use log::{Extent, LogEvent, Said, last_word, read_log, read_log_file};
pub use select::{Selection, select};
pub use session::{Content, Session};
pub use sidecar::Sidecar;
pub use space::Space;
pub use store::{Bundle, Profile, ProfileId, ReadError, Store, read, read_bundle, read_bundle_on, read_on};
pub use view::{FolderKind, Millis, Tier, View};
