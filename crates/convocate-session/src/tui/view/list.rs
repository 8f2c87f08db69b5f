//! The list of sessions.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use session_control::{Place, Session};

use super::text::{padded, visible};
use super::{Layout, Palette, put};
use crate::rows::{day, port};
use crate::tui::{Model, Row};

/// A column: its title, its width, and what stands in it.
struct Column {
    title: &'static str,
    width: usize,
    /// Of those that there is no room for the lowest goes first.
    worth: u8,
    cell: fn(&Row) -> String,
}

/// Behind state and number.
const COLUMNS: [Column; 6] = [
    Column { title: "Name", width: 8, worth: 5, cell: Row::name },
    Column { title: "Session ID", width: 36, worth: 3, cell: |row| of(row, |it| it.uuid.clone()) },
    Column { title: "Created", width: 10, worth: 0, cell: |row| of(row, |it| day(&it.created_at)) },
    Column { title: "Last Acc.", width: 10, worth: 1, cell: |row| of(row, |it| day(&it.last_accessed)) },
    Column { title: "Port/Proto", width: 10, worth: 2, cell: |row| of(row, port) },
    // As wide as an id, which is of use only if all of it can be read.
    Column { title: "Agent", width: 12, worth: 4, cell: agent },
];

/// The longest name that there is: the first column takes what is left of the room.
const LONGEST: usize = 64;

fn of(row: &Row, part: fn(&Session) -> String) -> String {
    row.session.as_ref().map_or_else(|_| "-".to_owned(), part)
}

fn agent(row: &Row) -> String {
    if row.place == Place::Orphans { "(orphan)".to_owned() } else { row.host.clone() }
}

/// The columns that there is room for, beside state and number, and their widths.
fn columns(room: usize) -> Vec<(&'static Column, usize)> {
    let room = room.saturating_sub(" S | #  | ".len());
    let mut kept: Vec<_> = COLUMNS.iter().map(|column| (column, column.width)).collect();
    let takes =
        |kept: &[(&Column, usize)]| kept.iter().map(|it| it.1 + " | ".len()).sum::<usize>() - " | ".len();
    while kept.len() > 1 && takes(&kept) > room {
        let least = kept.iter().map(|(column, _)| column.worth).min();
        kept.retain(|(column, _)| Some(column.worth) != least);
    }
    let rest = room.saturating_sub(takes(&kept));
    kept[0].1 = (kept[0].1 + rest).min(LONGEST).min(room);
    kept
}

/// How wide the column of the numbers is: as the last one of so many.
fn digits(rows: usize) -> usize {
    rows.to_string().len().max(3)
}

fn line(
    state: &str,
    (number, digits): (&str, usize),
    room: usize,
    cell: impl Fn(&Column) -> String,
) -> String {
    let cells = columns((room + 3).saturating_sub(digits))
        .into_iter()
        .map(|(column, width)| padded(&visible(&cell(column)), width));
    [format!("{state}| {number:<digits$}"), cells.collect::<Vec<_>>().join(" | ")].join("| ")
}

pub(super) fn header(model: &Model, palette: Palette, layout: &Layout, buffer: &mut Buffer) {
    let room = usize::from(layout.header.width);
    let titles = line(" S ", ("#", digits(model.rows().len())), room, |column| column.title.to_owned());
    put(buffer, layout.header, 0, &titles, palette.header());
    put(buffer, layout.rule, 0, &"\u{2500}".repeat(room), Style::new());
}

pub(super) fn rows(model: &Model, palette: Palette, area: Rect, buffer: &mut Buffer) {
    let (at, top) = model.position();
    if model.rows().is_empty() {
        let words =
            if model.is_young() { "Asking the hosts..." } else { "No sessions. Press (N) to create one." };
        put(buffer, area, 1, words, Style::new());
    }
    let digits = digits(model.rows().len());
    let shown = model.rows().iter().enumerate().skip(top).take(usize::from(area.height));
    for ((number, row), y) in shown.zip(area.y..) {
        let place = Rect { y, height: 1, ..area };
        let style = if Some(number) == at { palette.chosen() } else { look(row, palette) };
        buffer.set_style(place, style);
        put(buffer, place, 0, &words((number, digits), row, usize::from(area.width)), style);
    }
}

fn words((number, digits): (usize, usize), row: &Row, room: usize) -> String {
    let number = (number + 1).to_string();
    if row.session.is_err() {
        // Of a host that is not reached there is only that to be told.
        return format!(" ? | {number:<digits$}| {}", row.name());
    }
    let state = row.state().map_or('?', session_control::SessionState::letter);
    let mark = match row {
        Row { duplicate: true, .. } => '!',
        Row { late: true, .. } => '\u{2026}',
        _ => ' ',
    };
    line(&format!(" {state}{mark}"), (&number, digits), room, |column| (column.cell)(row))
}

fn look(row: &Row, palette: Palette) -> Style {
    match row {
        Row { session: Err(_), .. } => palette.wrong(),
        Row { lost: Some(_), .. } | Row { late: true, .. } => palette.faint(),
        _ => Style::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_however_many_sessions_the_columns_stand_below_their_titles() {
        for (rows, number) in [(9, "9"), (999, "999"), (1000, "1"), (5000, "4997")] {
            let of = |number| line(" S ", (number, digits(rows)), 80, |column| column.title.to_owned());
            let places = |line: String| line.match_indices('|').map(|(at, _)| at).collect::<Vec<_>>();
            assert_eq!(places(of(number)), places(of("#")), "{number} of {rows}");
            assert!(of(number).len() <= 80, "{rows}");
        }
    }
}
