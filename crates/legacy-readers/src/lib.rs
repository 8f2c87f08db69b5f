//! Readers of the stores that agent tools left behind, one module and cargo feature per old world.
//!
//! # Limitations
//! `ao` is the only world so far.

#[cfg(feature = "ao")]
pub mod ao;
