//! Where a transcript belongs, how it gets there, and what in it names places.
//!
//! Claude Code keeps the transcript of a session under `projects/<slug>/<session id>.jsonl`, with a folder `<session id>/`
//! of companions beside it; the slug is made from the directory in which the session runs ([`project_slug`]). A session
//! that moves to another directory is found there again only if its transcript stands under the slug of the new one.
//!
//! A session that moves to another machine, or another user, also names places that are elsewhere now: [`rewrite`] has
//! the rules and the one pass that change them, [`mounts`] says which folder a name of its virtual machine stands for.
//!
//! [`find_transcript`] looks for everything that belongs to a session, [`Destination::survey`] at what stands where it
//! should go, and [`plan_file`] decides: a pure function of the two. What it answers are steps of `migration-engine`.
//!
//! ```
//! use std::sync::atomic::AtomicBool;
//! use migration_engine::{Bucket, Cx, NoProgress};
//! use session_model::Timestamp;
//! use transcript_relocate::{Destination, Homes, find_transcript, plan_file, project_slug};
//!
//! # let home = tempfile::tempdir()?;
//! let claude = home.path().join(".claude");
//! let old = claude.join("projects").join(project_slug("/work/old"));
//! std::fs::create_dir_all(&old)?;
//! std::fs::write(old.join("7f9c.jsonl"), "{}\n")?;
//!
//! let homes = Homes::new(vec![claude.clone()], claude);
//! let cx = Cx { stop: &AtomicBool::new(false), progress: &NoProgress, now: Timestamp::now };
//! let found = find_transcript(&homes.read, "/work/old".as_ref(), "7f9c", (cx.now)())?;
//! let target = homes.transcript_dir("/work/new".as_ref()).join("7f9c.jsonl");
//! let destination = Destination::survey(&found.files[0].path, &target, homes.projects(), &cx);
//! let planned = plan_file(&found.files[0], &[destination], None);
//! assert_eq!(planned.outcome.bucket, Bucket::Migrated);
//! assert_eq!(planned.steps.len(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Limitations
//! A slug does not lead back to its path: `/a/b_c`, `/a/b-c` and `/a/b/c` share one. Tell the projects in a slug
//! directory apart by the `cwd` that their records name. A move within one machine does not rewrite the records:
//! resuming by id does not mind that they name the old place. State that is keyed by path outside `projects/` is
//! reported, not moved.
//!
//! What cannot be told from the text is left as it is and reported: short names (`MIRA~1`), shares, a path in prose that
//! may go on after a blank. Names are compared letter by letter; the composed and the decomposed spelling of one are two.

mod find;
mod homes;
pub mod mounts;
mod plan;
pub mod rewrite;
mod slug;

pub use find::{FoundFile, FoundTranscript, NotAFileName, Unreadable, find_transcript};
pub use homes::{Homes, cleanup_period_days, resolve_physically};
pub use plan::{Destination, PlannedFile, plan_file};
pub use slug::{may_be_slug_of, project_slug};
