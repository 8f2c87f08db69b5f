//! Sessions of the old format as transcripts of the new: one line a message.

mod conversion;
mod openclaw;
mod python;
mod standing;

pub use conversion::{Conversion, Shape};
pub use openclaw::header;
pub use standing::{Standing, standing};
