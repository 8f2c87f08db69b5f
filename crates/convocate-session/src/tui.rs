//! The sessions of all hosts on a screen in the terminal (formats/convocate.md §15).
//!
//! [`Model`] is what stands on the screen: events go in, orders come out, and nothing else happens. [`draw`] shows it.
//! Neither knows of hosts, files or clocks.

pub mod dialog;
mod event;
mod field;
mod migrating;
mod model;
mod order;
mod row;
mod run;
mod screen_guard;
mod show;
pub mod view;
mod workers;

pub use event::{Event, Failure, Key, Moment, Outcome, Share};
pub use model::{Model, Setup};
pub use order::{Ask, Order, Target};
pub use row::{Health, Host, Row};
pub(crate) use run::run;
pub use view::{Palette, draw};
