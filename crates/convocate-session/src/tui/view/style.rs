//! Colours, or what can be told apart without them.

use ratatui::style::{Color, Modifier, Style};

/// Colours, or none: then what stands out is bold or reversed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Palette {
    /// As on the page.
    Color,
    /// `NO_COLOR` is set, or the terminal has none.
    Mono,
}

impl Palette {
    fn style(self, color: Style, mono: Modifier) -> Style {
        match self {
            Self::Color => color,
            Self::Mono => Style::new().add_modifier(mono),
        }
    }

    pub(super) fn title(self) -> Style {
        self.style(Style::new().fg(Color::White).bg(Color::Blue), Modifier::REVERSED)
    }

    pub(super) fn header(self) -> Style {
        self.style(Style::new().fg(Color::Yellow), Modifier::BOLD).add_modifier(Modifier::BOLD)
    }

    pub(super) fn faint(self) -> Style {
        self.style(Style::new().fg(Color::DarkGray), Modifier::DIM)
    }

    pub(super) fn chosen(self) -> Style {
        self.style(Style::new().fg(Color::Black).bg(Color::White), Modifier::REVERSED)
    }

    pub(super) fn keys(self) -> Style {
        self.style(Style::new().fg(Color::Yellow).bg(Color::Blue), Modifier::REVERSED)
    }

    pub(super) fn status(self) -> Style {
        self.style(Style::new().fg(Color::Cyan), Modifier::BOLD)
    }

    /// What is wrong is red, and says so in its words too.
    pub(super) fn wrong(self) -> Style {
        self.style(Style::new().fg(Color::Red), Modifier::BOLD)
    }

    pub(super) fn dialog(self) -> Style {
        self.style(Style::new().fg(Color::White).bg(Color::Blue), Modifier::empty())
    }

    pub(super) fn alarm(self) -> Style {
        self.style(Style::new().fg(Color::Yellow).bg(Color::Red), Modifier::BOLD)
    }

    /// What is wrong, in a dialog: red on its ground would not be read.
    pub(super) fn wrong_in_dialog(self) -> Style {
        self.style(Style::new().fg(Color::White).bg(Color::Red), Modifier::BOLD)
    }
}
