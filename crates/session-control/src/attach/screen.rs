//! What comes of a session before it is shown. A failure is a line at the very end, or is told before there is any screen:
//! neither shall flash up.

use std::time::{Duration, Instant};

use serde::Deserialize;

/// How a line begins that says why there is no screen, or no more.
const FAILURE: &[u8] = b"{\"ok\":false,\"error\":\"";
/// What such a line may come to, and how much of the end is kept to be looked at.
const LINE: usize = 4096;
/// How long what may become such a line is held back, and how long a whole one: its end follows at once.
const PART: Duration = Duration::from_millis(100);
const WHOLE: Duration = Duration::from_secs(1);
/// How long it may take until what has come is a screen. Then it is shown, whatever it is.
const BEGINNING: Duration = Duration::from_secs(1);

/// Switching to the alternate screen, and back.
const ALTERNATE: [&[u8]; 2] = [b"\x1b[?1049h", b"\x1b[?1049l"];

#[derive(Deserialize)]
struct Failure {
    ok: bool,
    error: String,
}

/// Where a screen comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// A program here, whose end tells how it went.
    Program,
    /// An agent, which may end with a line that tells what went wrong.
    Agent,
}

/// What has come.
#[derive(Debug)]
pub(super) struct Screen {
    held: Vec<u8>,
    end: Vec<u8>,
    source: Source,
    since: Option<Instant>,
    last: Option<Instant>,
    /// Whether it has begun to be shown.
    is_shown: bool,
    /// Whether there has been a screen: the first thing that one does is to move on it.
    pub(super) is_drawn: bool,
    /// Whether the alternate screen was not left.
    pub(super) is_alternate: bool,
}

impl Screen {
    pub(super) fn new(source: Source) -> Self {
        let (held, end, since, last) = (Vec::new(), Vec::new(), None, None);
        Self { held, end, source, since, last, is_shown: false, is_drawn: false, is_alternate: false }
    }

    /// That is passed on as it comes.
    pub(super) fn passing() -> Self {
        Self { is_shown: true, ..Self::new(Source::Program) }
    }

    fn ends_with_a_line(&self) -> bool {
        self.source == Source::Agent
    }

    /// Whether anything has come.
    pub(super) fn is_heard(&self) -> bool {
        self.since.is_some()
    }

    /// Whether somebody is there to be told of keys: a screen, and not only the reason why there is none.
    pub(super) fn listens(&self) -> bool {
        self.is_shown && self.is_heard()
    }

    pub(super) fn take(&mut self, bytes: &[u8], now: Instant) {
        self.since.get_or_insert(now);
        self.last = Some(now);
        self.is_drawn |= bytes.contains(&0x1b);
        let seam = self.end.len().saturating_sub(ALTERNATE[0].len() - 1);
        self.end.extend_from_slice(bytes);
        let [into, out_of] = ALTERNATE.map(|switch| last(&self.end[seam..], switch));
        if into.is_some() || out_of.is_some() {
            self.is_alternate = into > out_of;
        }
        let old = self.end.len().saturating_sub(LINE);
        self.end.drain(..old);
        self.held.extend_from_slice(bytes);
    }

    /// What may be shown now.
    pub(super) fn due(&mut self, now: Instant) -> Vec<u8> {
        let (Some(since), Some(last)) = (self.since, self.last) else { return Vec::new() };
        self.is_shown |= self.is_drawn || now.duration_since(since) > BEGINNING;
        if !self.is_shown {
            return Vec::new();
        }
        let quiet = now.duration_since(last);
        let cut = match self.ends_with_a_line().then(|| suspicious(&self.held)).flatten() {
            Some(at) if quiet < if self.held.ends_with(b"\n") { WHOLE } else { PART } => at,
            _ => self.held.len(),
        };
        self.held.drain(..cut).collect()
    }

    /// What the last line says that went wrong.
    pub(super) fn failure(&self) -> Option<String> {
        let at = last(&self.end, FAILURE).filter(|_| self.ends_with_a_line())?;
        let failure: Failure = serde_json::from_slice(self.end[at..].trim_ascii()).ok()?;
        (!failure.ok).then_some(failure.error)
    }

    /// What was not shown and may be now that nothing follows.
    pub(super) fn rest(&mut self) -> Vec<u8> {
        if !self.is_shown {
            return Vec::new();
        }
        if self.failure().is_some() {
            self.held.truncate(last(&self.held, FAILURE).unwrap_or(self.held.len()));
        }
        std::mem::take(&mut self.held)
    }

    /// What was said instead of a screen: its last line.
    pub(super) fn complaint(&self) -> String {
        let end = last(&self.end, FAILURE).filter(|_| self.ends_with_a_line()).unwrap_or(self.end.len());
        let text = String::from_utf8_lossy(&self.end[..end]).into_owned();
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        lines.next_back().unwrap_or_default().escape_debug().to_string()
    }

    /// What was said after the screen was left.
    pub(super) fn last_words(&self) -> String {
        let at = self.end.iter().rposition(|&byte| byte == 0x1b).unwrap_or(0);
        String::from_utf8_lossy(&self.end[at..]).into_owned()
    }
}

/// Where something begins that may be, or become, the line of a failure: with nothing after it.
fn suspicious(held: &[u8]) -> Option<usize> {
    let at = held.iter().rposition(|&byte| byte == b'{')?;
    let line = &held[at..];
    let may_become = FAILURE.starts_with(line) || line.starts_with(FAILURE);
    let within = line.trim_ascii_end();
    (may_become && line.len() <= LINE && !within.contains(&b'\n')).then_some(at)
}

fn last(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).rposition(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "{\"ok\":false,\"error\":\"exec exited: exit status 1\"}\n";

    fn shown(screen: &mut Screen, now: Instant) -> String {
        String::from_utf8(screen.due(now)).unwrap()
    }

    #[test]
    fn a_last_line_that_says_what_failed_is_told_and_not_shown_however_it_comes() {
        let whole = format!("\x1b[Hhello{LINE}");
        for cut in 0..whole.len() {
            let (mut screen, now) = (Screen::new(Source::Agent), Instant::now());
            let mut seen = String::new();
            for part in [&whole[..cut], &whole[cut..]] {
                screen.take(part.as_bytes(), now);
                seen += &shown(&mut screen, now);
            }
            seen += std::str::from_utf8(&screen.rest()).unwrap();
            assert_eq!(seen, "\x1b[Hhello", "cut at {cut}");
            assert_eq!(screen.failure().as_deref(), Some("exec exited: exit status 1"));
        }
    }

    #[test]
    fn what_somebody_types_is_shown_though_it_looks_like_the_beginning_of_a_failure() {
        let (mut screen, now) = (Screen::new(Source::Agent), Instant::now());
        screen.take(b"\x1b[H{\"ok\"", now);
        assert_eq!(shown(&mut screen, now), "\x1b[H");
        assert_eq!(shown(&mut screen, now + PART), "{\"ok\"");
        screen.take(LINE.as_bytes(), now);
        screen.take(b"$ ", now);
        assert_eq!(shown(&mut screen, now), format!("{LINE}$ "));
        assert_eq!(screen.failure(), None);
        let (mut screen, text) = (Screen::new(Source::Program), format!("\x1b[H{LINE}"));
        screen.take(text.as_bytes(), now);
        assert_eq!((shown(&mut screen, now), screen.failure()), (text, None));
    }

    #[test]
    fn what_is_said_before_there_is_a_screen_is_a_complaint_and_does_not_flash_up() {
        let (mut screen, now) = (Screen::new(Source::Agent), Instant::now());
        screen.take(b"sudo: unknown user claude\r\n", now);
        screen.take(LINE.as_bytes(), now);
        assert_eq!(shown(&mut screen, now), "");
        assert_eq!((screen.rest().len(), screen.complaint().as_str()), (0, "sudo: unknown user claude"));
        screen.take(b"or is it a screen", now);
        assert_eq!(shown(&mut screen, now + BEGINNING * 2).lines().count(), 3);
    }

    #[test]
    fn whether_the_alternate_screen_was_left_is_known_however_the_switch_comes() {
        let whole = "\x1b[?1049hscreen\x1b[?1049l[exited]\r\n";
        for cut in 0..whole.len() {
            let (mut screen, now) = (Screen::new(Source::Agent), Instant::now());
            screen.take(&whole.as_bytes()[..cut], now);
            screen.due(now);
            assert_eq!(screen.is_alternate, (8..22).contains(&cut), "{cut}");
            screen.take(&whole.as_bytes()[cut..], now);
            assert!(!screen.is_alternate && screen.last_words().ends_with("[exited]\r\n"));
        }
    }
}
