//! Members of which it is known that they hold paths.

use super::decode::Text;
use super::json::JsonString;

/// Names of members whose strings are paths from their first to their last character, at whatever depth they stand.
/// Strings in arrays count as the member that holds the array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Members<'m> {
    /// Their values are paths.
    pub values: &'m [&'m str],
    /// They hold objects whose member names are paths.
    pub keys: &'m [&'m str],
}

impl Members<'static> {
    /// Those of transcripts and of what belongs to them.
    pub const TRANSCRIPT: Self = Self { values: COMMON, keys: &["folderMountNames"] };
    /// Those of a session's sidecar.
    pub const SIDECAR: Self = Self { values: SIDECAR, keys: &["folderMountNames"] };
}

const COMMON: &[&str] = &[
    "cwd",
    "directory",
    "display",
    "filePath",
    "file_path",
    "filename",
    "hostPath",
    "notebook_path",
    "path",
];

const SIDECAR: &[&str] = &[
    "cwd",
    "directory",
    "display",
    "filePath",
    "file_path",
    "filename",
    "hostPath",
    "notebook_path",
    "path",
    "midSessionReadOnlyPaths",
    "orgPluginPaths",
    "originCwd",
    "pluginInstallPaths",
    "projectContexts",
    "readOnlyPluginPaths",
    "transcriptFilePath",
    "userApprovedFileAccessPaths",
    "userSelectedFolders",
];

impl Members<'_> {
    /// Whether this string of a JSON text is one of them.
    pub(super) fn hold_path(&self, text: &[u8], string: &JsonString) -> bool {
        let names = if string.is_key { self.keys } else { self.values };
        let name = &text[string.member.clone()];
        if memchr::memchr(b'\\', name).is_none() {
            return names.iter().any(|known| known.as_bytes() == name);
        }
        let name = Text::decode(name, 0..name.len(), 1);
        names.iter().any(|known| known.as_bytes() == name.bytes())
    }
}
