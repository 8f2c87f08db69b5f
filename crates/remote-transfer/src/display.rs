//! Paths as people may see them.

/// A path for people.
pub fn display(path: &[u8]) -> String {
    let shown = path.utf8_chunks().map(|chunk| {
        let valid = chunk.valid().escape_debug().to_string();
        chunk.invalid().iter().fold(valid, |shown, byte| shown + &format!("\\x{byte:02x}"))
    });
    let shown: String = shown.collect();
    if shown.is_empty() { ".".to_owned() } else { shown }
}

/// What another program has said, for people: as it is, but for control characters.
pub fn words(text: &str) -> String {
    let shown = |letter: char| {
        if matches!(letter, '\'' | '"') { letter.to_string() } else { letter.escape_debug().to_string() }
    };
    text.chars().map(shown).collect()
}
