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
//! Linux only.
