//! What becomes of projects and sessions, rule by rule (formats/ao.md §5, §6, §12).

mod conflicts;
mod everything;
mod home;
mod numbers;
mod projects;
mod properties;
mod restorable;
mod sessions;
