//! A path of another machine.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How a path is spelled and compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PathStyle {
    /// `C:\work\notes`: backslashes (slashes are understood), compared without regard to case.
    Windows,
    /// `/work/notes`: slashes, compared exactly.
    Posix,
}

impl PathStyle {
    /// What stands between two components.
    pub fn separator(self) -> char {
        match self {
            Self::Windows => '\\',
            Self::Posix => '/',
        }
    }
}

/// Where an absolute path begins.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PathRoot {
    /// `C:\`; the letter in upper case.
    Drive(char),
    /// `\\server\share`.
    Share {
        /// The machine.
        server: String,
        /// What it offers.
        share: String,
    },
    /// `/`.
    Posix,
}

/// An absolute path of another machine or operating system: plain data that must pass through a mapping before anything
/// can be opened with it. It is deliberately no `std::path::Path`, and does not turn into one.
///
/// It serialises as its text.
///
/// ```
/// use session_model::{ForeignPath, PathStyle};
///
/// let home: ForeignPath = r"C:\Users\mira".parse()?;
/// let notes: ForeignPath = "c:/users/MIRA/notes/".parse()?;
/// assert_eq!(home.style(), PathStyle::Windows);
/// assert_eq!(notes.below(&home), Some(&["notes".to_owned()][..]));
/// assert_eq!(home.join("a/b").to_string(), r"C:\Users\mira\a\b");
/// assert!("notes/today.md".parse::<ForeignPath>().is_err());
/// # Ok::<(), session_model::ForeignPathError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ForeignPath {
    root: PathRoot,
    components: Vec<String>,
}

/// Why a text is not a [`ForeignPath`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ForeignPathError {
    /// It begins with neither a drive, nor a share, nor a slash.
    Relative(String),
    /// It has a `..`, or a NUL: where it leads cannot be told from the text.
    Unclear(String),
    /// It names a device, or a share without a name.
    Device(String),
}

impl fmt::Display for ForeignPathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Relative(text) => {
                write!(f, "expected an absolute path like C:\\work or /work, found {text:?}")
            }
            Self::Unclear(text) => write!(f, "expected a path without `..` and NUL, found {text:?}"),
            Self::Device(text) => write!(f, "expected a path on a drive or a share, found {text:?}"),
        }
    }
}

impl std::error::Error for ForeignPathError {}

impl ForeignPath {
    /// Where it begins.
    pub fn root(&self) -> &PathRoot {
        &self.root
    }

    /// How it is spelled.
    pub fn style(&self) -> PathStyle {
        match self.root {
            PathRoot::Posix => PathStyle::Posix,
            PathRoot::Drive(_) | PathRoot::Share { .. } => PathStyle::Windows,
        }
    }

    /// The names below the root, outermost first.
    pub fn components(&self) -> &[String] {
        &self.components
    }

    /// The last name; `None` for a root.
    pub fn file_name(&self) -> Option<&str> {
        self.components.last().map(String::as_str)
    }

    /// The path without its last name; `None` for a root.
    pub fn parent(&self) -> Option<Self> {
        let (_, components) = self.components.split_last()?;
        Some(Self { root: self.root.clone(), components: components.to_vec() })
    }

    /// The path with these names after it: separators of its style, and `/` in any style, tell them apart.
    #[must_use]
    pub fn join(&self, more: &str) -> Self {
        let separators = separators(self.style());
        let names = more.split(separators).filter(|name| !is_nothing(name)).map(str::to_owned);
        Self { root: self.root.clone(), components: self.components.iter().cloned().chain(names).collect() }
    }

    /// Whether both name one place, as the system they belong to compares names.
    pub fn same_place(&self, other: &Self) -> bool {
        self.components.len() == other.components.len() && self.below(other).is_some()
    }

    /// What of the path is below `base`; `None` if it is elsewhere.
    pub fn below(&self, base: &Self) -> Option<&[String]> {
        let alike = |ours: &str, theirs: &str| match self.style() {
            PathStyle::Windows => same_name(ours, theirs),
            PathStyle::Posix => ours == theirs,
        };
        let same_root = match (&self.root, &base.root) {
            (PathRoot::Share { server, share }, PathRoot::Share { server: other, share: offered }) => {
                alike(server, other) && alike(share, offered)
            }
            (ours, theirs) => ours == theirs,
        };
        let (start, rest) = self.components.split_at_checked(base.components.len())?;
        let pairs = start.iter().zip(&base.components);
        (same_root && pairs.into_iter().all(|(ours, theirs)| alike(ours, theirs))).then_some(rest)
    }

    /// The text with this separator. A root ends in one, nothing else does.
    pub fn spelled(&self, separator: char) -> String {
        let mut text = match &self.root {
            PathRoot::Drive(letter) => format!("{letter}:"),
            PathRoot::Share { server, share } => format!("{separator}{separator}{server}{separator}{share}"),
            PathRoot::Posix => String::new(),
        };
        for name in &self.components {
            text.push(separator);
            text.push_str(name);
        }
        if self.components.is_empty() {
            text.push(separator);
        }
        text
    }
}

/// A character as Windows compares names: by its simple lower case. An ASCII letter is never the same as another
/// letter, whatever Unicode says of the Kelvin sign.
pub fn fold_case(letter: char) -> char {
    let mut lower = letter.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(only), None) if only.is_ascii() == letter.is_ascii() => only,
        _ => letter,
    }
}

/// Whether Windows takes both for the same name.
pub fn same_name(one: &str, other: &str) -> bool {
    one.chars().map(fold_case).eq(other.chars().map(fold_case))
}

fn separators(style: PathStyle) -> &'static [char] {
    match style {
        PathStyle::Windows => &['\\', '/'],
        PathStyle::Posix => &['/'],
    }
}

/// Empty or `.`: it leads nowhere.
fn is_nothing(name: &str) -> bool {
    matches!(name, "" | ".")
}

impl FromStr for ForeignPath {
    type Err = ForeignPathError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (root, rest) = split_root(text)?;
        let style = if root == PathRoot::Posix { PathStyle::Posix } else { PathStyle::Windows };
        let names = rest.split(separators(style)).filter(|name| !is_nothing(name));
        let components: Vec<String> = names.map(str::to_owned).collect();
        if text.contains('\0') || components.iter().any(|name| name == "..") {
            return Err(ForeignPathError::Unclear(text.to_owned()));
        }
        Ok(Self { root, components })
    }
}

fn split_root(text: &str) -> Result<(PathRoot, &str), ForeignPathError> {
    let verbatim = text.strip_prefix(r"\\?\").or_else(|| text.strip_prefix("//?/"));
    if let Some(rest) = verbatim {
        return match rest.get(..4) {
            Some(unc) if unc.eq_ignore_ascii_case(r"UNC\") => split_share(text, &rest[4..]),
            _ => split_drive(rest).ok_or_else(|| ForeignPathError::Device(text.to_owned())),
        };
    }
    if let Some(found) = split_drive(text) {
        return Ok(found);
    }
    if let Some(share) = text.strip_prefix(r"\\") {
        return split_share(text, share);
    }
    if text.starts_with('/') {
        return Ok((PathRoot::Posix, text));
    }
    Err(ForeignPathError::Relative(text.to_owned()))
}

/// `C:` alone is relative to wherever that drive's current directory is, so a separator has to follow.
fn split_drive(text: &str) -> Option<(PathRoot, &str)> {
    let mut chars = text.chars();
    let letter = chars.next().filter(char::is_ascii_alphabetic)?;
    let well_formed = chars.next() == Some(':') && matches!(chars.next(), Some('\\' | '/'));
    well_formed.then(|| (PathRoot::Drive(letter.to_ascii_uppercase()), chars.as_str()))
}

fn split_share<'t>(whole: &str, text: &'t str) -> Result<(PathRoot, &'t str), ForeignPathError> {
    let is_separator = |c: char| c == '\\' || c == '/';
    let mut parts = text.splitn(3, is_separator);
    match (parts.next(), parts.next()) {
        (Some(server), Some(share)) if !matches!(server, "" | "." | "?" | "..") && !is_nothing(share) => {
            let root = PathRoot::Share { server: server.to_owned(), share: share.to_owned() };
            Ok((root, parts.next().unwrap_or_default()))
        }
        _ => Err(ForeignPathError::Device(whole.to_owned())),
    }
}

impl fmt::Display for ForeignPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.spelled(self.style().separator()))
    }
}

impl TryFrom<String> for ForeignPath {
    type Error = ForeignPathError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<ForeignPath> for String {
    fn from(path: ForeignPath) -> Self {
        path.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> ForeignPath {
        text.parse().unwrap()
    }

    #[test]
    fn every_spelling_of_a_place_is_read_as_the_same_place() {
        for text in [r"C:\Users\mira", "c:/users/MIRA/", r"\\?\C:\Users\.\mira", r"C:\\Users//mira\"] {
            assert!(path(text).same_place(&path(r"C:\Users\mira")), "{text}");
        }
        assert!(path(r"\\NAS\Share\x").same_place(&path(r"\\?\UNC\nas\share\X")));
        assert!(path(r"C:\Zoë").same_place(&path(r"C:\ZOË")));
        assert!(!path("/Users/mira").same_place(&path("/users/mira")));
        assert!(!path(r"D:\Users\mira").same_place(&path(r"C:\Users\mira")));
    }

    #[test]
    fn what_leads_to_an_unclear_place_is_no_path() {
        let error = |text: &str| text.parse::<ForeignPath>().unwrap_err();
        for text in ["", "mira", r"Users\mira", "C:", "C:notes", "~/x", r"\x"] {
            assert_eq!(error(text), ForeignPathError::Relative(text.into()), "{text}");
        }
        for text in [r"C:\a\..\b", "/a/../b", "/a\0b"] {
            assert_eq!(error(text), ForeignPathError::Unclear(text.into()), "{text}");
        }
        for text in [r"\\.\pipe\x", r"\\server", r"\\?\Volume{1}\x", r"\\"] {
            assert_eq!(error(text), ForeignPathError::Device(text.into()), "{text}");
        }
    }

    #[test]
    fn a_path_is_below_itself_and_its_ancestors_only() {
        let drafts = path(r"C:\Users\mira\drafts");
        assert_eq!(drafts.below(&path(r"c:\USERS")), Some(&["mira".to_owned(), "drafts".to_owned()][..]));
        assert_eq!(drafts.below(&drafts), Some(&[][..]));
        assert_eq!(drafts.below(&path(r"C:\Users\mir")), None);
        assert_eq!(path(r"C:\a").below(&drafts), None);
        assert_eq!(drafts.parent(), Some(path(r"C:\Users\mira")));
        assert_eq!(path("/").parent(), None);
    }

    #[test]
    fn a_path_survives_being_written_down() {
        for text in [r"C:\Users\mira", r"D:\", "/", "/srv/a b", r"\\nas\share", r"\\nas\share\x"] {
            let json = serde_json::to_string(&path(text)).unwrap();
            assert_eq!(serde_json::from_str::<ForeignPath>(&json).unwrap(), path(text), "{json}");
        }
        assert_eq!(path(r"C:\a\b").spelled('/'), "C:/a/b");
        assert_eq!(path(r"C:\").join(r"a\b/c").to_string(), r"C:\a\b\c");
        assert_eq!(path("/a").join(r"b\c").components(), ["a", r"b\c"]);
    }

    #[test]
    fn letters_that_only_unicode_takes_for_each_other_are_two_names() {
        assert!(same_name("MIRA", "mira"));
        assert!(same_name("ÖLGA", "ölga"));
        assert!(!same_name("mi\u{212A}e", "mike"), "the Kelvin sign");
        assert!(!same_name("mira", "mirá"));
    }
}
