//! The life of a convocate session, from the keyboard or from a script: create, attach, leave in the background, clone,
//! edit, restart, kill, delete, take over a stale lock, and move between agents.
//!
//! ```
//! use session_control::SessionState;
//!
//! assert_eq!(SessionState::Connected.letter(), 'C');
//! ```
//!
//! # Limitations
//! Linux only. A move between hosts that is stopped before all of a session has come begins anew: what came is not
//! kept.

mod agents;
mod changes;
mod deeds;
mod events;
mod hosts;
mod look;
mod moves;
pub mod moving;
mod names;
mod options;
mod refusals;
mod rows;
mod serve;
mod tool;
pub mod tui;
mod verbs;
mod watched;
mod words;

pub use changes::Changes;
pub use options::Options;
pub use tool::ConvocateSession;
pub use verbs::{AgentVerb, DnsVerb, Named, Published, Verb};
