//! What becomes of the places that a session names.

mod classes;
mod forms;
mod kit;
mod properties;
mod reference;
mod streams;
