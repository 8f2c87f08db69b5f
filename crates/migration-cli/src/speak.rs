//! What is said, to whom: the report on standard output, errors and questions on standard error.

use std::io::{self, ErrorKind, Write};

use crate::arguments::{Color, Common};
use crate::escape::visible;
use crate::place::{state_root, with_state_root};
use crate::report::{Report, Style, error_text, to_json, to_text};
use crate::{Exit, Question, Refusal, Streams, Surroundings, Terminals};

/// What to do where nothing was done whose report is lost.
const AGAIN: &str = "nothing else went wrong; say the same command again with another output";
/// The same where what is lost was no good news.
const AGAIN_FOR_THE_REST: &str =
    "that is not all that went wrong; say the same command again with another output";

/// The streams, and how to speak on them.
pub(crate) struct Speaker<'a, 'b> {
    streams: &'a mut Streams<'b>,
    json: bool,
    quiet: bool,
    style: Style,
    color_on_stderr: bool,
    answers: Answers,
    /// What a command that finds the same runs ends with.
    with_root: String,
}

/// Where answers to questions come from.
#[derive(Debug, Clone, Copy)]
struct Answers {
    /// `--yes` was said.
    given: bool,
    /// Somebody is at a terminal.
    somebody: bool,
}

impl<'a, 'b> Speaker<'a, 'b> {
    pub(crate) fn new(common: &Common, here: &Surroundings, streams: &'a mut Streams<'b>) -> Self {
        let colors = |terminal: bool| match common.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => terminal && wants_color(here),
        };
        let flag = common.state_dir.as_deref();
        Self {
            streams,
            json: common.json,
            quiet: common.quiet,
            style: Style { color: colors(here.terminals.stdout), verbose: common.verbose },
            color_on_stderr: colors(here.terminals.stderr),
            answers: Answers {
                given: common.yes,
                somebody: matches!(here.terminals, Terminals { stdin: true, stderr: true, .. }),
            },
            with_root: state_root(flag, here)
                .map_or_else(|_| String::new(), |root| with_state_root(flag, &root)),
        }
    }

    /// The streams themselves, for whoever has them to itself.
    pub(crate) fn streams(&mut self) -> &mut Streams<'b> {
        self.streams
    }

    /// Whether standard output takes colour.
    pub(crate) fn colors(&self) -> bool {
        self.style.color
    }

    /// Says the report, and answers how the tool ends.
    pub(crate) fn report(&mut self, report: &Report) -> Exit {
        let text = if self.json { to_json(report) } else { to_text(report, self.style) };
        if !self.quiet {
            let log: String = report.words.log.iter().map(|line| visible(line) + "\n").collect();
            self.print_to_stderr(&log);
        }
        let error = error_text(report, self.color_on_stderr);
        self.print_to_stderr(&error);
        let hint = match (&report.error, report.was_done, &report.run) {
            (Some(_), ..) => "what became of it is said above".to_owned(),
            (None, false, _) if report.exit == Exit::Done => AGAIN.to_owned(),
            (None, false, _) => AGAIN_FOR_THE_REST.to_owned(),
            (None, true, Some(run)) => {
                format!(
                    "it was done, do not say it again: {} runs show {run}{} shows how it stands",
                    report.tool, self.with_root
                )
            }
            (None, true, None) => "it was done, do not say it again: look how it stands".to_owned(),
        };
        match (self.put_out(&text, &hint), report.exit) {
            (failed, Exit::Done) => failed,
            (_, exit) => exit,
        }
    }

    /// Prints to standard output. That nobody reads it is not an error.
    pub(crate) fn print(&mut self, text: &str) -> Exit {
        self.put_out(text, AGAIN)
    }

    fn put_out(&mut self, text: &str, hint: &str) -> Exit {
        match write_all(self.streams.stdout, text) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                let error = format!("error: cannot write to standard output: {error}\nhint: {hint}\n");
                self.print_to_stderr(&error);
                Exit::Failed
            }
            _ => Exit::Done,
        }
    }

    /// Asks, if somebody is there to answer; anything but a yes is a refusal.
    pub(crate) fn confirm(&mut self, question: &Question) -> Result<(), Refusal> {
        let Question { text, needs } = question;
        if self.answers.given && needs.is_none() {
            return Ok(());
        }
        if !self.answers.somebody {
            let message = format!("nobody is there to be asked: {text}");
            let also = needs.map(|flag| format!(" {flag}")).unwrap_or_default();
            let hint = format!("say the same command with --yes{also}");
            return Err(Refusal::usage("not-confirmed", message, hint));
        }
        self.print_to_stderr(&format!("{} [y/N] ", visible(text)));
        let mut answer = String::new();
        let _ = self.streams.stdin.read_line(&mut answer); // no answer is a no
        if matches!(answer.trim(), "y" | "Y" | "yes") {
            return Ok(());
        }
        Err(Refusal::new(
            "declined",
            "the answer was not yes; nothing was done",
            "say the same command again",
        ))
    }

    fn print_to_stderr(&mut self, text: &str) {
        // If standard error is gone there is nobody to tell.
        let _ = write_all(self.streams.stderr, text);
    }
}

fn write_all(to: &mut dyn Write, text: &str) -> io::Result<()> {
    to.write_all(text.as_bytes())?;
    to.flush()
}

/// Whether the environment has anything against colour.
fn wants_color(here: &Surroundings) -> bool {
    here.var("NO_COLOR").is_none() && here.var("TERM").is_none_or(|term| term != "dumb")
}
