//! Where a transcript belongs.
//!
//! Claude Code keeps the transcript of a session under `projects/<slug>/<session id>.jsonl`, and the slug is made from
//! the directory in which the session runs. A session that moves to another directory is found there again only if its
//! transcript stands under the slug of the new one.
//!
//! ```
//! use transcript_relocate::project_slug;
//!
//! assert_eq!(project_slug("/srv/kim/.ao/data/worktrees/web_shop.v2/ws-3"), "-srv-kim--ao-data-worktrees-web-shop-v2-ws-3");
//! ```
//!
//! # Limitations
//! A slug does not lead back to its path: `/a/b_c`, `/a/b-c` and `/a/b/c` share one. Tell the projects in a slug
//! directory apart by the `cwd` that their records name.

mod slug;

pub use slug::{may_be_slug_of, project_slug};
