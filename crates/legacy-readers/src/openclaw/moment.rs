//! Times as sessions hold them (formats/openclaw.md §2, "Timestamps to ms").

use jiff::civil;
use jiff::tz::TimeZone;

/// A time that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// Microseconds since 1970, UTC; what is finer is cut.
    pub micros: i64,
}

impl Moment {
    /// Whole milliseconds since 1970, rounded down.
    pub fn millis(self) -> i64 {
        self.micros.div_euclid(1000)
    }

    /// Reads `YYYY-MM-DD[THH:MM[:SS[.f]]][Z|±HH:MM]`, with `T` or a blank between; without a zone it is UTC, whatever
    /// the machine's is.
    pub fn parse(text: &str) -> Option<Self> {
        let (date, rest) = text.split_at_checked(10)?;
        let [year, month, day] = numbers(date, "dddd-dd-dd")?;
        let date =
            civil::Date::new(year.try_into().ok()?, month.try_into().ok()?, day.try_into().ok()?).ok()?;
        let (time, offset) = match rest.as_bytes().first() {
            None => (civil::Time::midnight(), 0),
            Some(b'T' | b't' | b' ') => time_and_offset(&rest[1..])?,
            Some(_) => return None,
        };
        let at = date.to_datetime(time).to_zoned(TimeZone::UTC).ok()?.timestamp();
        Some(Self { micros: at.as_microsecond().checked_sub(offset)? })
    }

    /// Reads a number: milliseconds from 1e11 on, seconds below.
    pub fn of_number(number: f64) -> Option<Self> {
        let millis = if number.abs() >= 1e11 { number } else { number * 1000.0 };
        // Beyond this a double does not tell one millisecond from the next, and no calendar goes that far.
        #[expect(clippy::cast_possible_truncation, reason = "because it is within bounds")]
        (millis.abs() < 9e12 * 28.0).then(|| Self { micros: (millis * 1000.0).floor() as i64 })
    }
}

/// The time of the day, and by how many microseconds its zone is ahead of UTC.
fn time_and_offset(text: &str) -> Option<(civil::Time, i64)> {
    let (clock, zone) = match text.find(['Z', 'z', '+', '-']) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let (whole, fraction) = match clock.split_once(['.', ',']) {
        Some((whole, fraction)) if whole.len() == 8 => (whole, nanos(fraction)?),
        Some(_) => return None,
        None => (clock, 0),
    };
    let [hour, minute, second] = match whole.len() {
        5 => numbers::<2>(whole, "dd:dd").map(|[hour, minute]| [hour, minute, 0])?,
        _ => numbers(whole, "dd:dd:dd")?,
    };
    let time =
        civil::Time::new(hour.try_into().ok()?, minute.try_into().ok()?, second.try_into().ok()?, fraction);
    Some((time.ok()?, offset(zone)?))
}

/// Nanoseconds of a fraction, cut to whole microseconds.
fn nanos(fraction: &str) -> Option<i32> {
    let is_number = !fraction.is_empty() && fraction.bytes().all(|digit| digit.is_ascii_digit());
    let micros = fraction.bytes().chain(std::iter::repeat(b'0')).take(6);
    is_number.then(|| micros.fold(0, |sum, digit| sum * 10 + i32::from(digit - b'0')) * 1000)
}

/// Microseconds of `Z`, `±HH:MM`, or nothing.
fn offset(zone: &str) -> Option<i64> {
    let (sign, amount) = match zone.as_bytes() {
        [] | [b'Z' | b'z'] => return Some(0),
        [b'+', ..] => (1, &zone[1..]),
        [b'-', ..] => (-1, &zone[1..]),
        _ => return None,
    };
    let [hours, minutes] = numbers(amount, "dd:dd")?;
    (hours < 24 && minutes < 60).then(|| sign * i64::from(hours * 60 + minutes) * 60_000_000)
}

/// The numbers in a text of exactly this shape.
fn numbers<const N: usize>(text: &str, shape: &str) -> Option<[u16; N]> {
    let fits = text.len() == shape.len()
        && text.bytes().zip(shape.bytes()).all(|(have, want)| match want {
            b'd' => have.is_ascii_digit(),
            other => have == other,
        });
    let mut parts = text.split(['-', ':']).map(|digits| digits.parse().ok());
    let mut numbers = [0; N];
    for number in &mut numbers {
        *number = fits.then(|| parts.next())???;
    }
    Some(numbers)
}

#[cfg(test)]
mod tests {
    use super::Moment;

    fn millis(text: &str) -> Option<i64> {
        Moment::parse(text).map(Moment::millis)
    }

    #[test]
    fn every_form_that_was_seen_is_read_and_without_a_zone_it_is_utc() {
        let noon = 1_770_811_200_000;
        for text in [
            "2026-02-11T12:00:00Z",
            "2026-02-11T12:00:00",
            "2026-02-11 12:00:00",
            "2026-02-11T12:00",
            "2026-02-11T14:00:00+02:00",
            "2026-02-11T06:30:00.000000-05:30",
            "2026-02-11T12:00:00.0009999+00:00",
        ] {
            assert_eq!(millis(text), Some(noon), "{text}");
        }
        assert_eq!(millis("2026-02-11"), Some(noon - 12 * 3_600_000));
        assert_eq!(millis("2026-01-02T15:00:01.250999"), Some(1_767_366_001_250));
        assert_eq!(millis("1969-12-31T23:59:59.999999"), Some(-1), "rounded down, also before 1970");
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "",
            "now",
            "2026",
            "2026-02-30",
            "2026-02-11T",
            "2026-02-11T1",
            "2026-02-11T24:00:01",
            "2026-02-11x12:00",
            "2026-02-11T12:00:00+2",
            "2026-02-11T12:00:00ZZ",
            "2026-02-11T12:00:00.",
            "2026-02-11T12:00.5",
            "2026-02-11T12:00:00+25:00",
            "２026-02-11",
            "2026-02-1é",
        ] {
            assert_eq!(millis(text), None, "{text}");
        }
    }

    #[test]
    fn small_numbers_are_seconds_and_large_ones_milliseconds() {
        assert_eq!(Moment::of_number(1_770_811_200.0).map(Moment::millis), Some(1_770_811_200_000));
        assert_eq!(Moment::of_number(1_770_811_200_000.0).map(Moment::millis), Some(1_770_811_200_000));
        assert_eq!(Moment::of_number(f64::INFINITY), None);
        assert_eq!(Moment::of_number(f64::NAN), None);
    }
}
