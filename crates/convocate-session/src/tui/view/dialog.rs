//! A dialog, in the middle of the screen.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::{Block, Clear, Widget};

use super::text::{cut_left, visible, width, wrapped};
use super::{Palette, put};
use crate::tui::dialog::{Face, Line, Tone};

/// The widest that a line may become before it is broken.
const WIDEST: usize = 76;

/// A line as it is shown: the cursor is behind so many columns of it.
struct Shown {
    text: String,
    tone: Tone,
    cursor: Option<usize>,
}

/// Shows it, and tells where the cursor is.
pub(super) fn draw(face: &Face, palette: Palette, screen: Rect, buffer: &mut Buffer) -> Option<(u16, u16)> {
    // A frame takes four columns and two rows, and air two rows more, if there is room for that.
    let framed = screen.width >= 30 && screen.height >= 8;
    let margin = if framed { 4 } else { 0 };
    let most = usize::from(screen.width).saturating_sub(margin + 2 * usize::from(framed)).clamp(1, WIDEST);
    let lines: Vec<Shown> = face.lines.iter().flat_map(|line| shown(line, most)).collect();
    let cursor = lines.iter().position(|line| line.cursor.is_some());
    let widest = lines.iter().map(|line| width(&line.text) + usize::from(line.cursor.is_some()));
    let inner = widest.chain([width(&face.keys), width(&face.title) + 2]).max().unwrap_or(0).min(most);

    let extra = if framed { 4 } else { 2 };
    let height = (lines.len() + extra).min(usize::from(screen.height));
    let area = middle(screen, inner + margin, height);
    let ground = if face.alarm { palette.alarm() } else { palette.dialog() };
    cut_wide(area, buffer);
    Clear.render(area, buffer);
    buffer.set_style(area, ground);
    let inside = if framed {
        Block::bordered().style(ground).title(format!(" {} ", visible(&face.title))).render(area, buffer);
        Rect::new(area.x + 2, area.y + 1, area.width - 4, area.height - 2)
    } else {
        let title = Rect { height: area.height.min(1), ..area };
        put(buffer, title, 0, &face.title, palette.header());
        Rect::new(area.x, area.y + title.height, area.width, area.height - title.height)
    };
    body(face, &lines, cursor, (palette, ground), inside, buffer)
}

/// A letter of two columns that begins before the dialog would hide the dialog's first column.
fn cut_wide(area: Rect, buffer: &mut Buffer) {
    let Some(before) = area.x.checked_sub(1) else { return };
    for y in area.top()..area.bottom() {
        if let Some(cell) = buffer.cell_mut((before, y)).filter(|cell| width(cell.symbol()) > 1) {
            cell.set_symbol(" ");
        }
    }
}

/// The lines, as many as there is room for, and the keys beneath.
fn body(
    face: &Face,
    lines: &[Shown],
    cursor: Option<usize>,
    (palette, ground): (Palette, Style),
    area: Rect,
    buffer: &mut Buffer,
) -> Option<(u16, u16)> {
    let air = usize::from(lines.len() + 2 <= usize::from(area.height));
    let room = usize::from(area.height).saturating_sub(1 + air);
    let first = cursor.map_or(0, |at| (at + 1).saturating_sub(room.max(1)));
    let mut found = None;
    for (line, y) in lines.iter().skip(first).take(room).zip(area.y..) {
        let place = Rect { y, height: 1, ..area };
        let style = match line.tone {
            Tone::Plain => ground,
            Tone::Chosen => palette.chosen(),
            Tone::Faint => ground.patch(palette.faint()),
            Tone::Wrong => palette.wrong_in_dialog(),
        };
        buffer.set_style(place, style);
        put(buffer, place, 0, &line.text, style);
        if let Some(column) = line.cursor.and_then(|column| u16::try_from(column).ok()) {
            found = Some((area.x + column.min(area.width.saturating_sub(1)), y));
        }
    }
    let last = area.bottom().saturating_sub(1);
    if area.height > 0 {
        // Where not all can be seen, what is wrong is worth more than the keys.
        let wrong = lines.iter().skip(first + room).find(|line| line.tone == Tone::Wrong);
        let (words, style) =
            wrong.map_or((&face.keys, ground), |line| (&line.text, palette.wrong_in_dialog()));
        put(buffer, Rect { y: last, height: 1, ..area }, 0, words, style);
    }
    found
}

/// A line in pieces that fit. One that is typed into is not broken: its end is to be seen.
fn shown(line: &Line, most: usize) -> Vec<Shown> {
    let text = visible(&line.text);
    let tone = line.tone;
    let Some(before) = line.cursor.as_deref().map(visible) else {
        let pieces = wrapped(&text, most).into_iter();
        return pieces.map(|text| Shown { text, tone, cursor: None }).collect();
    };
    let room = most.saturating_sub(1);
    let text = if width(&before) > room { cut_left(&before, room) } else { text };
    let cursor = width(&before).min(width(&text));
    vec![Shown { text, tone, cursor: Some(cursor) }]
}

fn middle(screen: Rect, width: usize, height: usize) -> Rect {
    let width = u16::try_from(width).unwrap_or(u16::MAX).min(screen.width);
    let height = u16::try_from(height).unwrap_or(u16::MAX).min(screen.height);
    Rect::new((screen.width - width) / 2, (screen.height - height) / 2, width, height)
}
