//! The steps that only `openclaw-migrate` has.

mod back_up;
mod remove_original;

pub use back_up::BackUp;
pub use remove_original::{RemoveOriginal, Removed};
