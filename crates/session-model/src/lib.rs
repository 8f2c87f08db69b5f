//! The nouns of the house: what a session *is*, and how reading one is reported.
//!
//! Every migration begins with a [`Survey`]: what was found, plus what was wrong with it. Reading bad content is not an
//! error here but data: an [`Anomaly`] that names the file, the line, the column and the reason. Everything that was
//! found has an [`InputId`], and the engine later shows that each of them ended in exactly one bucket.
//!
//! This crate is pure: it opens no file, reads no clock and knows no environment.
//!
//! ```
//! use session_model::{Anomaly, InputId, Place, Survey};
//!
//! let mut survey: Survey<Vec<String>> = Survey::default();
//! survey.inputs.push(InputId::new("session", "/legacy/app-1.json"));
//! survey.anomalies.push(
//!     Anomaly::new("parse-error", "expected a value").at(Place::new("/legacy/app-1.json").line(3).column(7)),
//! );
//! assert_eq!(survey.anomalies[0].to_string(), "/legacy/app-1.json:3:7: expected a value");
//! ```
//!
//! # Limitations
//! Times are UTC instants with at most nanoseconds; a calendar date without a time is not one of them.

mod finding;
mod foreign_path;
mod kinds;
mod session_json;
mod splice;
mod survey;
pub mod text_or_hex;
mod time;

pub use finding::{Finding, Level};
pub use foreign_path::{ForeignPath, ForeignPathError, PathRoot, PathStyle, fold_case, same_name};
pub use kinds::{ActivityState, Harness, LifecycleState, SessionKind};
pub use session_json::{Fields, SessionJson, SessionJsonError, is_session_id};
pub use splice::{Splice, SpliceError, Spliced, growth, reversed};
pub use survey::{Anomaly, InputId, Place, Survey};
pub use time::{ParsedTime, Timestamp, parse_time, to_millis_utc};
