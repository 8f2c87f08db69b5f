//! Moves orphan sessions of convocate, which a shell host has kept from its single-host era, to an agent over SSH.
//!
//! Before anything is written, both ends are looked at: the session's document, containers, locks, what the agent has
//! already, room, ports and names. Then each session is a lane of its own: its lock is taken, its folder delivered
//! (staged on the agent, verified there file by file, stamped, shown by one rename), and only when the agent's copy has
//! been looked at again is the source moved aside. One that fails holds up no other.
//!
//! ```
//! use convocate_migrate::OnConflict;
//!
//! assert_eq!(OnConflict::default(), OnConflict::Refuse);
//! ```
//!
//! # Limitations
//! From this host to a Linux agent with a POSIX shell, GNU tar and find, and coreutils. Processes and tmux do not move:
//! a session is started anew from its files. Extended attributes, ACLs and capabilities are not carried.

mod agent_end;
mod checks;
mod effect;
mod elsewhere;
mod far_lock;
mod gc;
mod judge;
mod list;
mod lock;
mod options;
mod plan;
mod settings;
mod source;
mod step;
mod tool;

/// What another tool that moves sessions from host to host is made of too: both ends, what is known of them, and what has
/// to hold.
pub mod parts {
    pub use crate::agent_end::{
        AgentEnd, are_apart, greet, is_open, reach, refusal, registered, this_machine,
    };
    pub use crate::checks::{Facts, conflict, forbidden, oddities, remarks, room, staging};
    pub use crate::elsewhere::Elsewhere;
    pub use crate::far_lock::Lockable;
    pub use crate::judge::{Copy, stand_still};
    pub use crate::plan::{RECEIPTS, RETIRED};
    pub use crate::settings::{Arriving, Held, Reach};
}

pub use effect::{Effect, Handles, Trace};
pub use lock::Locks;
pub use options::{Compress, OnConflict, Options, Verb, profiles};
pub use step::{Purge, Purged, SetLockAside, WasSetAside};
pub use tool::{ConvocateMigrate, Open};
