//! The tools that Windows users have, on a Windows that Wine plays. `cargo xtask windows` builds them and runs this.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod far;
mod killing;
mod machine;
mod moving;
mod stitch;
