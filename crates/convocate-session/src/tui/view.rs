//! How it looks.

mod dialog;
mod layout;
mod list;
mod style;
mod text;

pub(super) use text::visible;

pub use layout::Layout;
pub use style::Palette;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::Model;
use super::model::Status;

/// Shows the model on the whole screen.
pub fn draw(model: &Model, palette: Palette, frame: &mut Frame<'_>) {
    let layout = Layout::of(frame.area().width, frame.area().height);
    let buffer = frame.buffer_mut();
    title(model, palette, layout.title, buffer);
    list::header(model, palette, &layout, buffer);
    list::rows(model, palette, layout.list, buffer);
    keys(palette, layout.keys, buffer);
    let mut cursor = status(model, palette, layout.status, buffer);
    if let Some(dialog) = model.dialog() {
        cursor = dialog::draw(&dialog.face(model), palette, layout.whole, buffer);
    }
    if let Some(place) = cursor {
        frame.set_cursor_position(place);
    }
}

fn title(model: &Model, palette: Palette, area: Rect, buffer: &mut Buffer) {
    buffer.set_style(area, palette.title());
    let moment = model.moment();
    let load = moment.load.map(|load| load.map(|number| format!("{number:.2}")).join(" "));
    let right = [load.unwrap_or_default(), moment.clock.clone()].join("  ");
    let right = right.trim_start();
    let room = usize::from(area.width);
    let name = " convocate";
    put(buffer, area, 0, name, palette.title());
    // The clock goes first, then the load, where there is no room for both.
    let fits = |words: &&str| name.len() + words.len() + 3 <= room;
    if let Some(words) = [right, &moment.clock].into_iter().find(fits) {
        put(buffer, area, room - words.len() - 1, words, palette.title());
    }
}

/// Every key, in the longest form that there is room for.
fn keys(palette: Palette, area: Rect, buffer: &mut Buffer) {
    const KEYS: [&str; 10] = [
        "(N)ew",
        "(C)lone",
        "(E)dit",
        "(B)ackground",
        "(D)elete",
        "(K)ill",
        "(O)verride",
        "(S)ettings",
        "(R)estart",
        "(Q)uit",
    ];
    buffer.set_style(area, palette.keys());
    let short = KEYS.map(|key| key.trim_start_matches('('));
    let letters = KEYS.map(|key| &key[1..2]);
    let forms = [
        KEYS.join(" | ") + " | (?)",
        KEYS.join(" | "),
        KEYS.join(" "),
        short.join(" "),
        letters.join(" ") + " ?",
        letters.concat() + " ?",
    ];
    let form = forms.iter().find(|form| form.len() < usize::from(area.width)).unwrap_or(&forms[5]);
    put(buffer, area, 1, form, palette.keys());
}

/// What stands above the keys, or in their place, and where the cursor is.
fn status(model: &Model, palette: Palette, area: Rect, buffer: &mut Buffer) -> Option<(u16, u16)> {
    let status = model.status();
    if status == Status::Quiet {
        return None;
    }
    buffer.set_style(area, palette.status());
    let blank = " ".repeat(usize::from(area.width));
    put(buffer, area, 0, &blank, palette.status());
    match status {
        Status::Quiet => {}
        Status::Typing(before, behind) => {
            let at = put(
                buffer,
                area,
                1,
                &text::cut_left(&format!("/{before}"), usize::from(area.width).saturating_sub(2)),
                palette.status(),
            );
            put(buffer, area, at, &behind, palette.status());
            return Some((area.x + u16::try_from(at).ok()?, area.y));
        }
        Status::Words(words) => _ = put(buffer, area, 1, &words, palette.status()),
        Status::Bar(words, share) => {
            let width = usize::from(area.width / 4);
            let full = width * usize::from(share.percent()) / 100;
            let bar =
                format!("[{}{}] {:>3} %  ", "#".repeat(full), ".".repeat(width - full), share.percent());
            let at = put(buffer, area, 1, &bar, palette.status());
            put(buffer, area, at, &words, palette.status());
        }
    }
    None
}

/// Writes the text, escaped, into the first line of the area as far as there is room, and tells in which column it ends.
fn put(buffer: &mut Buffer, area: Rect, column: usize, words: &str, style: Style) -> usize {
    let room = usize::from(area.width).saturating_sub(column);
    if room == 0 || area.height == 0 {
        return column;
    }
    let words = text::cut(&visible(words), room);
    let x = area.x + u16::try_from(column).unwrap_or(u16::MAX);
    let (end, _) = buffer.set_stringn(x, area.y, &words, room, style);
    usize::from(end - area.x)
}
