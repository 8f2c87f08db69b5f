//! Texts without what is another every time.

/// The same text with `@RUN@` for the id of each run.
pub fn without_run_ids(text: &str) -> String {
    let mut redacted = String::new();
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let len = if is_run_id(rest) { RUN.len() } else { next.len_utf8() };
        redacted.push_str(if len == RUN.len() { "@RUN@" } else { &rest[..len] });
        rest = &rest[len..];
    }
    redacted
}

const RUN: &str = "20260131-174501-3f9a";

/// Whether the text begins with one.
fn is_run_id(text: &str) -> bool {
    let fits = |(at, byte): (usize, u8)| match at {
        8 | 15 => byte == b'-',
        16.. => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
        _ => byte.is_ascii_digit(),
    };
    text.len() >= RUN.len() && text.bytes().take(RUN.len()).enumerate().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_run_stays_in_a_golden_text() {
        let text = format!("\u{e9} undo {RUN}, not 2026-01-31 {}", &RUN[..19]);
        assert_eq!(without_run_ids(&text), format!("\u{e9} undo @RUN@, not 2026-01-31 {}", &RUN[..19]));
    }
}
