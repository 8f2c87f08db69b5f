//! Moving a session from host to host, and cloning one onto another: by the engine that migrations go by, relayed through
//! this machine, which has the keys of both.
//!
//! Both ends are worked with in the same way, this machine as if it were at the other end of a link. What is on another host
//! is brought here first, into a bundle below the state folder, compared with what that host says of it; then it is
//! delivered, shown and looked at again, and only then the source is moved aside where it is.

mod bring;
mod hold;
mod judge;
mod known;
mod network;
mod orphan;
mod plan;
mod running;
mod settings;
mod source;
mod step;
mod worlds;

pub use network::Network;
pub use orphan::migrate_orphan;
pub use step::{Deliver, Effect, Handles, Leaves, MoveAside, Trace};
pub use worlds::Open;

use std::path::PathBuf;

use durable_files::{DirLock, PathText};
use migration_cli::{Mode, Refusal, Surroundings, settings_of};
use migration_engine::{Cx, Header, Plan, StateRoot};
use session_control::SessionId;

use known::Known;
use settings::Settings;

/// What shall become of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The session.
    pub session: SessionId,
    /// The host that has it: an agent's id, or `local`.
    pub from: String,
    /// The agent that gets it.
    pub to: String,
    /// Whether it is a copy that goes there.
    pub copy: Option<CopyOf>,
}

/// The session that a clone becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyOf {
    /// Its id.
    pub id: SessionId,
    /// What it is called.
    pub name: String,
    /// Its DNS name; empty is none.
    pub dns_name: String,
}

/// What keeps two moves out of each other's way, whatever they move: one at a time from this machine.
pub fn targets(network: &Network) -> Result<Vec<PathText>, Refusal> {
    let folder = network.registry_folder()?;
    Ok(vec![folder.into()])
}

/// Looks at both ends, brings what has to come (unless nothing may be written), and plans.
pub fn prepare(
    request: &Request,
    network: &Network,
    (root, mode): (&StateRoot, Mode),
    here: &Surroundings,
    cx: &Cx<'_>,
) -> Result<(Plan<Effect>, Open), Refusal> {
    if request.from == request.to && request.copy.is_none() {
        return Ok((plan::already_there(request)?, Open::idle()));
    }
    let (known, lock) = match known(request, network, (root, mode), here, cx) {
        // Whoever was at work with it may have stopped by now.
        Err(refusal) if refusal.code == "source-changed" => known(request, network, (root, mode), here, cx)?,
        known => known?,
    };
    let plan = plan::plan(request, &known)?;
    let worlds = Open::of(&plan.header, known, network, (lock, here))?;
    Ok((plan, worlds))
}

/// What is known of both ends, and what has to come, come.
fn known(
    request: &Request,
    network: &Network,
    (root, mode): (&StateRoot, Mode),
    here: &Surroundings,
    cx: &Cx<'_>,
) -> Result<(Known, Option<DirLock>), Refusal> {
    let mut known = Known::of(request, network, root, here, cx)?;
    let lock = match mode {
        Mode::Apply => known.bring(cx)?,
        Mode::DryRun => None,
    };
    Ok((known, lock))
}

/// What was brought from other hosts, below a state folder.
pub fn brought(root: &StateRoot) -> Vec<PathBuf> {
    let folders = std::fs::read_dir(bring::fetched(root)).into_iter().flatten().flatten();
    folders.map(|entry| entry.path()).collect()
}

/// What of that a run needs.
pub fn needs(header: &Header) -> Result<Vec<PathBuf>, Refusal> {
    let settings: Settings = settings_of(header)?;
    Ok(settings.bundle.map(|bundle| bundle.to_path_buf()).into_iter().collect())
}

/// Whether what a run moves has, or had, a DNS name.
pub(crate) fn has_a_name(header: &Header) -> Result<bool, Refusal> {
    settings_of(header).map(|Settings { named, .. }| named)
}
