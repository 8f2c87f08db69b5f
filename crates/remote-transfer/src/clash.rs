//! Names that are two here and would be one where case or composition does not tell names apart.

use std::collections::HashMap;

use unicode_normalization::UnicodeNormalization;

use crate::manifest::Manifest;

/// The first two paths that such a file system would take for one.
pub(crate) fn clash(manifest: &Manifest) -> Option<(&[u8], &[u8])> {
    let mut seen: HashMap<Vec<u8>, &[u8]> = HashMap::new();
    manifest.entries().iter().find_map(|entry| {
        let earlier = seen.insert(folded(&entry.path), &entry.path)?;
        Some((earlier, entry.path.as_slice()))
    })
}

/// What is left of a path without case and composition. Bytes that are no text are told apart everywhere.
pub(crate) fn folded(path: &[u8]) -> Vec<u8> {
    match std::str::from_utf8(path) {
        Ok(text) => text.nfc().flat_map(char::to_lowercase).nfc().collect::<String>().into_bytes(),
        Err(_) => path.to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::{Entry, Kind};

    fn clashes(paths: &[&str]) -> bool {
        let entry =
            |path: &&str| Entry { path: path.as_bytes().to_vec(), mode: 0, mtime: 0, kind: Kind::Folder };
        clash(&Manifest::new(paths.iter().map(entry).collect())).is_some()
    }

    #[test]
    fn names_that_one_file_system_tells_apart_and_another_does_not_are_found() {
        assert!(clashes(&["Makefile", "makefile"]));
        assert!(clashes(&["caf\u{e9}", "cafe\u{301}"]));
        assert!(clashes(&["A/x", "a/x"]));
        assert!(!clashes(&["a", "b", "ab", "a/b"]));
    }
}
