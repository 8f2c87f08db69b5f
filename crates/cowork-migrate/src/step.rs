//! The steps that only this tool has.

mod brought;
mod folder;
mod put_away;
mod sidecar;

pub use brought::{KeepBrought, KeptBrought};
pub use folder::{MadeFolder, MakeFolder};
pub use put_away::{PutAway, WasPutAway};
pub use sidecar::SidecarStep;
pub(crate) use sidecar::kept;
