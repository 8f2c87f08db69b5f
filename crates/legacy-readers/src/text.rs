//! Places in text, and bytes that should be text.

use std::path::Path;

use session_model::{Anomaly, Place};

/// The text of a file, without a byte order mark; or where it stops being UTF-8.
pub(crate) fn utf8<'a>(bytes: &'a [u8], file: &Path) -> Result<&'a str, Anomaly> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text),
        Err(error) => {
            let (good, _) = bytes.split_at(error.valid_up_to());
            let good = std::str::from_utf8(good).expect("because it ends where the text stopped being UTF-8");
            let place = place_after(good, file);
            Err(Anomaly::new("parse-error", "expected UTF-8, found other bytes").at(place))
        }
    }
}

/// What `serde_json` found wrong, without its own words: they may quote the file.
pub(crate) fn json_error(error: &serde_json::Error, text: &str, file: &Path) -> Anomaly {
    use serde_json::error::Category;
    let message = match error.classify() {
        Category::Syntax if error.to_string().starts_with("recursion limit") => {
            "expected JSON, found it nested more than 127 deep"
        }
        Category::Eof => "expected more JSON, found the end of the file",
        Category::Data => "expected a JSON object, found another value or a key twice",
        Category::Syntax | Category::Io => "expected JSON, found something else",
    };
    let place =
        Place::new(file).line(error.line() as u64).column(characters(text, error.line(), error.column()));
    Anomaly::new("parse-error", message).at(place)
}

/// `serde_json` counts columns in bytes, and may stop within a character; people count characters.
fn characters(text: &str, line: usize, column: usize) -> u64 {
    let last = column.saturating_sub(1); // it says 0 where nothing of the line was read yet
    let line = text.split('\n').nth(line.saturating_sub(1)).unwrap_or_default();
    let before = (0..=last.min(line.len())).rev().find(|at| line.is_char_boundary(*at)).unwrap_or(0);
    let beyond = last.saturating_sub(line.len());
    (line[..before].chars().count() + beyond) as u64 + 1
}

/// The place of the character that follows `before`.
pub(crate) fn place_after(before: &str, file: &Path) -> Place {
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    Place::new(file).line(line as u64).column(column as u64)
}

/// A path as text. Two names may differ only in bytes that are not UTF-8, so those are written out.
#[cfg(any(feature = "ao", feature = "cowork"))]
pub(crate) fn spelled(path: &Path) -> String {
    let mut text = String::new();
    for chunk in path.as_os_str().as_encoded_bytes().utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}")));
    }
    text
}
