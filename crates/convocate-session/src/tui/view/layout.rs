//! What stands where.

use ratatui::layout::Rect;

/// What stands where on the screen. What there is no room for is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// All of it.
    pub whole: Rect,
    /// What this is, and the time.
    pub title: Rect,
    /// What the columns are.
    pub header: Rect,
    /// The line beneath.
    pub rule: Rect,
    /// The sessions.
    pub list: Rect,
    /// What is going on. It covers the keys where both have no room.
    pub status: Rect,
    /// The keys.
    pub keys: Rect,
}

impl Layout {
    /// For a screen of this size.
    pub fn of(columns: u16, rows: u16) -> Self {
        let line = |at: u16| Rect::new(0, at, columns, u16::from(at < rows));
        let none = Rect::new(0, 0, columns, 0);
        let last = rows.saturating_sub(1);
        let (header, rule, first, status) = match rows {
            8.. => (line(2), line(3), 4, line(last - 1)),
            5.. => (line(1), none, 2, line(last)),
            _ => (none, none, 1, line(last)),
        };
        let end = if rows >= 8 { last - 1 } else { last };
        Self {
            whole: Rect::new(0, 0, columns, rows),
            title: if rows > 1 { line(0) } else { none },
            header,
            rule,
            list: Rect::new(0, first, columns, end.saturating_sub(first)),
            status,
            keys: line(last),
        }
    }
}
