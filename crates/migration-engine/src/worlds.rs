//! How a tool lends the engine its live handles and its judgement.

use session_model::Finding;

use crate::{Item, Step, StepError};

/// Opens a [`crate::World`] for each lane, and judges items by meaning.
pub trait Worlds<S: Step>: Sync {
    /// The handles for one lane; called on the thread of that lane.
    fn world(&self, lane: usize) -> Result<S::World, StepError>;

    /// Whether the item would be accepted and shown by the target's own loader. An error finding keeps its source from
    /// being retired and makes a verdict fail.
    fn judge(&self, world: &mut S::World, item: &Item) -> Vec<Finding>;
}
