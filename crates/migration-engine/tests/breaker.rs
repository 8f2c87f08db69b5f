//! What went wrong once: sequences of kills, failures and strangers' hands under which a promise did not hold.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "breaker/aside.rs"]
mod aside;
#[path = "breaker/failing.rs"]
mod failing;
#[path = "breaker/format.rs"]
mod format;
#[path = "breaker/hostile.rs"]
mod hostile;
#[path = "breaker/place.rs"]
mod place;
#[path = "breaker/splices.rs"]
mod splices;
#[path = "breaker/staying.rs"]
mod staying;
#[path = "breaker/stopping.rs"]
mod stopping;
#[path = "breaker/strangers.rs"]
mod strangers;
#[path = "breaker/trees.rs"]
mod trees;
