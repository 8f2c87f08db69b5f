//! The steps that only this tool has.

mod folder;
mod put_away;
mod sidecar;

pub use folder::{MadeFolder, MakeFolder};
pub use put_away::{PutAway, WasPutAway};
pub use sidecar::SidecarStep;
pub(crate) use sidecar::kept;
