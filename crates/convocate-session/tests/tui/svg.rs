//! A screen as a picture, for the guide.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use convocate_session::tui::Key;
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr;

use super::scene::Scene;

/// A cell, in pixels.
const CELL: (usize, usize) = (9, 18);

/// The picture of a screen: one text for each run of cells that look alike, stretched to the columns that it takes.
fn picture(buffer: &Buffer) -> String {
    let (columns, rows) = (usize::from(buffer.area.width), usize::from(buffer.area.height));
    let (width, height) = (columns * CELL.0 + 16, rows * CELL.1 + 16);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" font-family=\"monospace\" \
         font-size=\"15\">\n<rect width=\"{width}\" height=\"{height}\" rx=\"6\" fill=\"#1e1e1e\"/>\n"
    );
    for (y, line) in buffer.content().chunks(columns).enumerate() {
        let mut x = 0;
        while x < columns {
            let end = (x + 1..columns).find(|&at| look(&line[at]) != look(&line[x])).unwrap_or(columns);
            run(&mut out, &line[x..end], (x, y));
            x = end;
        }
    }
    out + "</svg>\n"
}

fn look(cell: &Cell) -> (Color, Color, bool) {
    (cell.fg, cell.bg, cell.modifier.contains(Modifier::BOLD))
}

fn run(out: &mut String, cells: &[Cell], (x, y): (usize, usize)) {
    let (left, top, width) = (8 + x * CELL.0, 8 + y * CELL.1, cells.len() * CELL.0);
    let (fg, bg, bold) = look(&cells[0]);
    if bg != Color::Reset {
        let height = CELL.1;
        let fill = rgb(bg);
        writeln!(
            out,
            "<rect x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\" fill=\"{fill}\"/>"
        )
        .expect("a String takes it");
    }
    let mut text = String::new();
    let mut skip = 0;
    for cell in cells {
        if skip == 0 {
            text.push_str(cell.symbol());
            skip = cell.symbol().width().max(1);
        }
        skip -= 1;
    }
    let text = text.trim_end();
    if text.trim().is_empty() {
        return;
    }
    let blank = text.len() - text.trim_start().len();
    let (left, text) = (left + blank * CELL.0, text.trim_start());
    let (base, length) = (top + 14, text.width() * CELL.0);
    let weight = if bold { " font-weight=\"bold\"" } else { "" };
    let fill = rgb(fg);
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    writeln!(
        out,
        "<text x=\"{left}\" y=\"{base}\" textLength=\"{length}\" fill=\"{fill}\"{weight} xml:space=\"preserve\">{text}</text>"
    )
    .expect("a String takes it");
}

fn rgb(color: Color) -> &'static str {
    match color {
        Color::Black => "#000000",
        Color::Blue => "#1d4f91",
        Color::White => "#f2f2f2",
        Color::Yellow => "#f9d649",
        Color::Red => "#c4342b",
        Color::Cyan => "#61d6d6",
        Color::DarkGray => "#8a8a8a",
        _ => "#d0d0d0",
    }
}

/// Holds the picture in the guide against this screen, or draws it anew where `INSTA_UPDATE` asks for that.
#[track_caller]
fn shows(name: &str, scene: &Scene) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide/screens");
    let path = folder.join(format!("{name}.svg"));
    let now = picture(&scene.buffer());
    if std::env::var_os("INSTA_UPDATE").is_some_and(|how| how == "always") {
        fs::create_dir_all(&folder).unwrap();
        fs::write(&path, &now).unwrap();
    }
    let before = fs::read_to_string(&path).unwrap_or_default();
    assert!(before == now, "{} is not how it looks: INSTA_UPDATE=always draws it anew", path.display());
}

#[test]
fn the_pictures_in_the_guide_are_how_it_looks() {
    let mut scene = Scene::cluster();
    scene.resized(124, 24);
    shows("list", &scene);
    shows("delete", scene.types("d"));
    scene
        .key(Key::Esc)
        .types("n")
        .key(Key::Enter)
        .types("api server")
        .key(Key::Tab)
        .key(Key::Tab)
        .types("auto");
    shows("new", &scene);
    scene.key(Key::Esc).key(Key::End).key(Key::Enter);
    shows("orphan", &scene);
    scene.key(Key::Esc).key(Key::Up).types("o");
    shows("override", &scene);
}
