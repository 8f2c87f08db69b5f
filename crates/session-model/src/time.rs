//! Time, read strictly and written one way.

pub use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A time read from text, and whether the text said where in the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParsedTime {
    /// The instant, cut (never rounded) to whole milliseconds.
    pub at: Timestamp,
    /// Whether the text named no offset, so that UTC was assumed.
    pub assumed_utc: bool,
}

/// Reads an RFC 3339 time with any offset, or without one (then as UTC); anything else is `None`.
///
/// Digits alone, dates alone and years outside four digits are not times: a database column with numeric affinity
/// would store them as numbers and its owner would fail to load the row (formats/ao.md §6.2, §7.3).
///
/// ```
/// use session_model::{parse_time, to_millis_utc};
/// let parsed = parse_time("2026-02-03T10:15:00+02:00").unwrap();
/// assert_eq!(to_millis_utc(parsed.at), "2026-02-03T08:15:00.000Z");
/// assert!(parse_time("1770000000").is_none());
/// ```
pub fn parse_time(text: &str) -> Option<ParsedTime> {
    if !looks_like_rfc3339(text) {
        return None;
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(ParsedTime { at: cut_to_millis(at)?, assumed_utc: false });
    }
    let civil: jiff::civil::DateTime = text.parse().ok()?;
    let at = civil.to_zoned(TimeZone::UTC).ok()?.timestamp();
    Some(ParsedTime { at: cut_to_millis(at)?, assumed_utc: true })
}

/// Writes a time as `YYYY-MM-DDTHH:MM:SS.mmmZ`, cut to whole milliseconds.
pub fn to_millis_utc(at: Timestamp) -> String {
    let at = cut_to_millis(at).unwrap_or(at);
    at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

/// `YYYY-MM-DDTHH:MM:SS`, with `T`, `t` or a space between, and no bracketed zone at the end: the shape without which
/// no parser is asked, because parsers are more generous than the programs that will read the result.
fn looks_like_rfc3339(text: &str) -> bool {
    let shape = b"dddd-dd-dd.dd:dd:dd";
    let bytes = text.as_bytes();
    bytes.len() >= shape.len()
        && !text.contains('[')
        && shape.iter().zip(bytes).all(|(want, have)| match want {
            b'd' => have.is_ascii_digit(),
            b'.' => matches!(have, b'T' | b't' | b' '),
            other => other == have,
        })
}

/// Cut, and still with a year of four digits: an offset can carry the first or last day of them out of range.
fn cut_to_millis(at: Timestamp) -> Option<Timestamp> {
    let nanos = at.as_nanosecond();
    let cut = Timestamp::from_nanosecond(nanos - nanos.rem_euclid(1_000_000)).ok()?;
    (0..=9999).contains(&cut.to_zoned(TimeZone::UTC).year()).then_some(cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> Option<String> {
        parse_time(text).map(|parsed| to_millis_utc(parsed.at))
    }

    #[test]
    fn offsets_are_converted_and_fractions_cut_not_rounded() {
        assert_eq!(written("2026-02-03T10:15:00+02:00").as_deref(), Some("2026-02-03T08:15:00.000Z"));
        assert_eq!(written("2026-02-03T10:15:00.9999Z").as_deref(), Some("2026-02-03T10:15:00.999Z"));
        assert_eq!(written("1969-12-31T23:59:59.9999Z").as_deref(), Some("1969-12-31T23:59:59.999Z"));
        assert_eq!(written("0001-01-01T00:00:00Z").as_deref(), Some("0001-01-01T00:00:00.000Z"));
    }

    #[test]
    fn a_time_without_an_offset_is_utc_and_says_so() {
        let parsed = parse_time("2026-02-03T10:15:00").unwrap();
        assert!(parsed.assumed_utc);
        assert_eq!(to_millis_utc(parsed.at), "2026-02-03T10:15:00.000Z");
    }

    #[test]
    fn what_a_daemon_could_not_load_is_not_a_time() {
        for bad in [
            "",
            "1770000000",
            "2026-02-03",
            "yesterday",
            "2026-13-03T10:15:00Z",
            "2026-02-30T10:15:00Z",
            "+012026-02-03T10:15:00Z",
            "20260203T101500Z",
            "2026-02-03T10:15:00Z[UTC]",
            "2026-02-03T10:15",
            "2026-02-03T25:15:00Z",
            "0000-01-01T00:00:00+02:00",
        ] {
            assert_eq!(written(bad), None, "{bad}");
        }
    }
}
