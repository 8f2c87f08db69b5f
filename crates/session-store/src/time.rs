//! Times as the new format writes them.

use legacy_readers::openclaw::Moment;
use session_model::{Timestamp, to_millis_utc};

/// `YYYY-MM-DDTHH:MM:SS.mmmZ`.
pub(crate) fn iso_millis(at: Moment) -> String {
    to_millis_utc(timestamp(at))
}

/// As Python's `isoformat` writes a UTC time without a zone: six digits of a fraction, or none.
pub(crate) fn naive_utc(at: Moment) -> String {
    let form =
        if at.micros.rem_euclid(1_000_000) == 0 { "%Y-%m-%dT%H:%M:%S" } else { "%Y-%m-%dT%H:%M:%S.%6f" };
    timestamp(at).strftime(form).to_string()
}

/// Times beyond the calendar are its ends.
fn timestamp(at: Moment) -> Timestamp {
    Timestamp::from_microsecond(at.micros).unwrap_or(if at.micros < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    })
}
