//! The reader of Cowork's sessions, against the fixture homes.

#![allow(clippy::unwrap_used, reason = "helpers of tests panic where a test should fail")]

mod arbitrary;
mod fixtures;
mod odd;
mod rendered;
mod selecting;

use std::path::{Path, PathBuf};

use testkit::cowork::{self, Session};

/// The profile of a classic base below a home.
fn profile(home: &Path) -> PathBuf {
    cowork::profile(&base(home))
}

fn base(home: &Path) -> PathBuf {
    home.join(cowork::CLASSIC)
}

/// The codes of anomalies, in their order.
fn codes(anomalies: &[session_model::Anomaly]) -> Vec<&str> {
    anomalies.iter().map(|anomaly| anomaly.code.as_str()).collect()
}

/// A profile with one session of the test kit.
fn one_session(home: &Path) -> cowork::Placed {
    Session::numbered(1).lay_out(&profile(home))
}
