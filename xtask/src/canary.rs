//! The real clients, against a stub model server: does a moved session go on where it was left?
//!
//! A client that npm cannot give is skipped, loudly; it never passes quietly.

mod claude;
mod home;
mod npm;

use crate::shell::Outcome;

/// What became of one client.
enum Verdict {
    Passed,
    Skipped(String),
}

/// Tries every client; fails if one of them lost a session.
pub(crate) fn run() -> Outcome {
    let clients: [(&str, fn() -> Outcome<Verdict>); 1] = [("Claude Code", claude::check)];
    let mut lost = Vec::new();
    for (name, check) in clients {
        match check() {
            Ok(Verdict::Passed) => println!("canary: {name}: passed"),
            Ok(Verdict::Skipped(reason)) => println!("canary: {name}: SKIPPED, nothing was shown: {reason}"),
            Err(error) => lost.push(format!("{name}: {error}")),
        }
    }
    if lost.is_empty() { Ok(()) } else { Err(format!("canary: {}", lost.join("\n")).into()) }
}
