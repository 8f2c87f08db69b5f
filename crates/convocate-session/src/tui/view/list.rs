//! The list of sessions.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::text::{padded, visible};
use super::{Layout, Palette, put};
use crate::tui::{Model, Role, Row};

/// A column: its title, its width, and what stands in it.
struct Column {
    title: &'static str,
    width: usize,
    least: usize,
    cell: fn(&Row) -> String,
}

/// Behind state and number. What there is no room for goes from the right.
const COLUMNS: [Column; 6] = [
    Column { title: "Name", width: 20, least: 6, cell: Row::name },
    Column { title: "Session ID", width: 36, least: 36, cell: |row| of(row, |it| it.uuid.clone()) },
    Column { title: "Created", width: 10, least: 10, cell: |row| of(row, |it| day(&it.created_at)) },
    Column { title: "Last Acc.", width: 10, least: 10, cell: |row| of(row, |it| day(&it.last_accessed)) },
    Column { title: "Port/Proto", width: 10, least: 10, cell: |row| of(row, port) },
    Column { title: "Agent", width: 18, least: 8, cell: agent },
];

fn of(row: &Row, part: fn(&session_control::Session) -> String) -> String {
    row.session.as_ref().map_or_else(|_| "-".to_owned(), part)
}

fn day(time: &str) -> String {
    time.chars().take(10).collect()
}

fn port(session: &session_control::Session) -> String {
    if session.port == 0 { "-".into() } else { format!("{}/{}", session.port, session.effective_protocol()) }
}

fn agent(row: &Row) -> String {
    let id = if row.role == Role::Orphans { "(orphan)" } else { &row.host };
    if row.late { format!("\u{2026} {id}") } else { id.to_owned() }
}

/// The widths of the columns that there is room for, beside state and number.
fn widths(room: usize) -> Vec<usize> {
    let mut widths = Vec::new();
    let mut left = room.saturating_sub(" S | #  ".len());
    for column in COLUMNS {
        let width = column.width.min(left.saturating_sub(" | ".len() - 1));
        if width < column.least {
            break;
        }
        widths.push(width);
        left -= (width + 3).min(left);
    }
    widths
}

fn line(state: &str, number: &str, cells: impl Iterator<Item = String>, room: usize) -> String {
    let cells = cells.zip(widths(room)).map(|(cell, width)| padded(&visible(&cell), width));
    [format!("{state}| {number:<3}"), cells.collect::<Vec<_>>().join(" | ")].join("| ")
}

pub(super) fn header(palette: Palette, layout: &Layout, buffer: &mut Buffer) {
    let room = usize::from(layout.header.width);
    let titles = COLUMNS.iter().map(|column| column.title.to_owned());
    put(buffer, layout.header, 0, &line(" S ", "#", titles, room), palette.header());
    put(buffer, layout.rule, 0, &"\u{2500}".repeat(room), Style::new());
}

pub(super) fn rows(model: &Model, palette: Palette, area: Rect, buffer: &mut Buffer) {
    let (at, top) = model.position();
    if model.rows().is_empty() {
        let words =
            if model.is_young() { "Asking the hosts..." } else { "No sessions. Press (N) to create one." };
        put(buffer, area, 1, words, Style::new());
    }
    let shown = model.rows().iter().enumerate().skip(top).take(usize::from(area.height));
    for ((number, row), y) in shown.zip(area.y..) {
        let place = Rect { y, height: 1, ..area };
        let style = if number == at { palette.chosen() } else { look(row, palette) };
        buffer.set_style(place, style);
        put(buffer, place, 0, &words(number, row, usize::from(area.width)), style);
    }
}

fn words(number: usize, row: &Row, room: usize) -> String {
    let number = (number + 1).to_string();
    let Some(state) = row.state() else {
        // Of a host that is not reached there is only that to be told.
        return format!(" ? | {number:<3}| {}", row.name());
    };
    let mark = match row {
        Row { duplicate: true, .. } => '!',
        Row { late: true, .. } => '\u{2026}',
        _ => ' ',
    };
    line(
        &format!(" {}{mark}", state.letter()),
        &number,
        COLUMNS.iter().map(|column| (column.cell)(row)),
        room,
    )
}

fn look(row: &Row, palette: Palette) -> Style {
    match row.state() {
        None => palette.wrong(),
        Some(_) if row.late => palette.faint(),
        Some(_) => Style::new(),
    }
}
