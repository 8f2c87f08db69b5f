//! What Windows wants to be asked in its own way. Elsewhere nothing of it has an effect.

use std::borrow::Cow;
use std::io;
use std::path::Path;
use std::time::Duration;

/// The path as Windows takes it without a look at its length or its names: a session's files lie deeper than the 260
/// characters of old, and may have names that end in a dot. On other systems it is the path itself.
pub fn verbatim(path: &Path) -> Cow<'_, Path> {
    if cfg!(not(windows)) {
        return Cow::Borrowed(path);
    }
    let absolute = std::path::absolute(path).ok();
    let spelled = absolute.and_then(|path| Some(spelled_verbatim(path.to_str()?).into()));
    spelled.map_or(Cow::Borrowed(path), Cow::Owned)
}

fn spelled_verbatim(absolute: &str) -> String {
    let path = absolute.replace('/', r"\");
    match path.strip_prefix(r"\\") {
        Some(rest) if rest.starts_with(['?', '.']) => path,
        Some(share) => format!(r"\\?\UNC\{share}"),
        None => format!(r"\\?\{path}"),
    }
}

/// Does something, again and again for two seconds while another program is in the way: virus scanners and indexers hold
/// what is new for a moment.
pub(crate) fn patiently<T>(mut act: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    const TRIES: usize = 20;
    const PAUSE: Duration = Duration::from_millis(100);
    for _ in 0..TRIES {
        match act() {
            Err(error) if is_held(&error) => std::thread::sleep(PAUSE),
            done => return done,
        }
    }
    act()
}

fn is_held(error: &io::Error) -> bool {
    const ACCESS_DENIED: i32 = 5; // for folders in which something is open, and names about to go
    const SHARING_VIOLATION: i32 = 32;
    let held = [ACCESS_DENIED, SHARING_VIOLATION];
    cfg!(windows) && error.raw_os_error().is_some_and(|code| held.contains(&code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_windows_path_is_prefixed_once() {
        for (path, expected) in [
            (r"C:\Users\mira", r"\\?\C:\Users\mira"),
            (r"C:/Users\mira", r"\\?\C:\Users\mira"),
            (r"\\?\C:\Users\mira", r"\\?\C:\Users\mira"),
            (r"\\server\share\x", r"\\?\UNC\server\share\x"),
            (r"\\.\pipe\x", r"\\.\pipe\x"),
        ] {
            assert_eq!(spelled_verbatim(path), expected);
        }
    }
}
