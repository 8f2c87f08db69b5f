//! Text under construction, and the care that is taken with it.

use std::fmt::Write;

use clap::builder::styling::{AnsiColor, Style as Ansi};
use session_model::{Finding, Level};

use crate::escape::visible;

/// How many of a kind are listed before the rest is only counted.
const LISTED: usize = 10;

/// How a text is to look.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style {
    pub(crate) color: bool,
    pub(crate) verbose: bool,
}

pub(super) const BOLD: Ansi = Ansi::new().bold();
pub(super) const RED: Ansi = AnsiColor::Red.on_default().bold();
pub(super) const YELLOW: Ansi = AnsiColor::Yellow.on_default().bold();
pub(super) const GREEN: Ansi = AnsiColor::Green.on_default();

/// Text under construction. Whatever is put on it is made visible first, so nothing from outside reaches the terminal
/// as it is.
pub(super) struct Page {
    out: String,
    style: Style,
}

impl Page {
    pub(super) fn new(style: Style) -> Self {
        Self { out: String::new(), style }
    }

    /// What is on it.
    pub(super) fn text(self) -> String {
        self.out
    }

    pub(super) fn is_verbose(&self) -> bool {
        self.style.verbose
    }

    pub(super) fn line(&mut self, text: &str) {
        self.out.push_str(&visible(text));
        self.out.push('\n');
    }

    pub(super) fn styled(&mut self, ansi: Ansi, text: &str) {
        let text = visible(text);
        if self.style.color {
            let _ = write!(self.out, "{ansi}{text}{ansi:#}");
        } else {
            self.out.push_str(&text);
        }
    }

    /// An empty line, if there is something above it.
    pub(super) fn gap(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }

    /// The first few of a list, or all of them when asked for.
    pub(super) fn few<'a, T>(&self, list: &'a [T]) -> &'a [T] {
        if self.style.verbose { list } else { &list[..list.len().min(LISTED)] }
    }

    /// How many were left out of such a list.
    pub(super) fn more(&mut self, indent: &str, all: usize, what: &str) {
        if all > LISTED && !self.style.verbose {
            let rest = all - LISTED;
            self.line(&format!("{indent}… and {rest} more{what}; --verbose or --json shows all"));
        }
    }

    /// `warning: what there is to say [code]`
    pub(super) fn finding(&mut self, indent: &str, finding: &Finding) {
        self.line_of_level(indent, finding.level, &format!(": {} [{}]", finding.message, finding.code));
    }

    pub(super) fn line_of_level(&mut self, indent: &str, level: Level, text: &str) {
        let ansi = match level {
            Level::Note => Ansi::new(),
            Level::Warning => YELLOW,
            Level::Error => RED,
        };
        self.out.push_str(indent);
        self.styled(ansi, &level.to_string());
        self.line(text);
    }
}
