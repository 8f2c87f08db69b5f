//! The steps that only `convocate-migrate` has.

mod purge;
mod set_lock_aside;

pub use purge::{Purge, Purged};
pub use set_lock_aside::{SetLockAside, WasSetAside};
