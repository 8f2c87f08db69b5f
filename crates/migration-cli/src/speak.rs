//! What is said, to whom: the report on standard output, errors and questions on standard error.

use std::io::{self, ErrorKind, Write};

use crate::arguments::{Color, Common};
use crate::escape::visible;
use crate::report::{Report, Style, error_text, to_json, to_text};
use crate::{Exit, Refusal, Streams, Surroundings, Terminals};

/// The streams, and how to speak on them.
pub(crate) struct Speaker<'a, 'b> {
    streams: &'a mut Streams<'b>,
    json: bool,
    quiet: bool,
    style: Style,
    color_on_stderr: bool,
    answers: Answers,
}

/// Who answers a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answers {
    /// `--yes` has.
    Given,
    /// Somebody at a terminal.
    Somebody,
    /// Nobody can.
    Nobody,
}

impl<'a, 'b> Speaker<'a, 'b> {
    pub(crate) fn new(common: &Common, here: &Surroundings, streams: &'a mut Streams<'b>) -> Self {
        let colors = |terminal: bool| match common.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => terminal && wants_color(here),
        };
        Self {
            streams,
            json: common.json,
            quiet: common.quiet,
            style: Style { color: colors(here.terminals.stdout), verbose: common.verbose },
            color_on_stderr: colors(here.terminals.stderr),
            answers: match here.terminals {
                _ if common.yes => Answers::Given,
                Terminals { stdin: true, stderr: true, .. } => Answers::Somebody,
                _ => Answers::Nobody,
            },
        }
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
        match self.print(&text) {
            Exit::Done => report.exit,
            failed => failed,
        }
    }

    /// Prints to standard output. That nobody reads it is not an error.
    pub(crate) fn print(&mut self, text: &str) -> Exit {
        let written = write_all(self.streams.stdout, text);
        match written {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                self.print_to_stderr(&format!(
                    "error: cannot write to standard output: {error}\nhint: nothing else went wrong; say the same \
                     command again with another output\n"
                ));
                Exit::Failed
            }
            _ => Exit::Done,
        }
    }

    /// Asks, if somebody is there to answer; anything but a yes is a refusal.
    pub(crate) fn confirm(&mut self, question: &str) -> Result<(), Refusal> {
        if self.answers == Answers::Given {
            return Ok(());
        }
        if self.answers == Answers::Nobody {
            let message = format!("nobody is there to be asked: {question}");
            return Err(Refusal::usage("not-confirmed", message, "say the same command with --yes"));
        }
        self.print_to_stderr(&format!("{} [y/N] ", visible(question)));
        let mut answer = String::new();
        let _ = self.streams.stdin.read_line(&mut answer); // no answer is a no
        if matches!(answer.trim(), "y" | "Y" | "yes") {
            return Ok(());
        }
        Err(Refusal::new(
            "declined",
            "the answer was not yes; nothing was removed",
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
