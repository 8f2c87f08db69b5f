//! Rewriting the places that a session names: its transcripts, and the documents beside them.
//!
//! Rules say which place became which; they are plain data ([`Rule`]) that a step can carry, and are compiled once
//! ([`PathRules`]). A text is passed over once, from left to right: wherever it names a mapped place, in whatever
//! spelling and however deep in JSON inside JSON, the longest source wins, its bytes are replaced, and the pass goes on
//! behind them. So a destination that contains a source, or two users that change places, are no danger. What names an
//! old place and stays is reported ([`Group`]).
//!
//! ```
//! use std::ops::ControlFlow;
//! use transcript_relocate::rewrite::{Links, Members, PathRules, Rule, RuleClass, keep_name, rewrite_jsonl};
//!
//! let rules = PathRules::compile(
//!     [Rule { class: RuleClass::Home, from: r"C:\Users\mira".parse()?, to: r"C:\Users\otto".parse()? }],
//!     Links::Rewrite,
//! )?;
//! let transcript = r#"{"cwd":"c:/users/MIRA/x","said":"{\"in\":\"C:\\\\Users\\\\mira\\\\a b.txt\"}"}"#;
//! let mut rewritten = Vec::new();
//! let report = rewrite_jsonl(
//!     &rules, Members::TRANSCRIPT, &keep_name, transcript.as_bytes(), &mut rewritten, |_| ControlFlow::Continue(()),
//! )?;
//! let expected = r#"{"cwd":"C:/Users/otto/x","said":"{\"in\":\"C:\\\\Users\\\\otto\\\\a b.txt\"}"}"#;
//! assert_eq!(String::from_utf8(rewritten)?, expected);
//! assert_eq!(report.paths(), 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::borrow::Cow;

mod anchors;
mod bounds;
mod decode;
mod document;
mod edits;
mod json;
mod leftovers;
mod line;
mod literal;
mod matcher;
mod members;
mod report;
mod rules;
mod scan;
mod spelling;
mod stream;
mod tail;
mod urls;

pub use document::rewrite_document;
pub use leftovers::Group;
pub use line::Rewriter;
pub use members::Members;
pub use report::{Leftover, Rewritten, RuleCount, Sample};
pub use rules::{Links, PathRules, Rule, RuleClass, RulesError};
pub use scan::NameMap;
pub use stream::{RewriteError, RewrittenLines, rewrite_jsonl};

/// The [`NameMap`] of files that kept their names.
pub fn keep_name(name: &str) -> Cow<'_, str> {
    Cow::Borrowed(name)
}
