//! Where on which host: `ssh://[user@]host[:port]/path`.

use std::path::Path;

use legacy_readers::cowork::{ProfileId, Purpose};
use migration_cli::Refusal;

use super::disk::FarDisk;
use crate::places::{self, Source};

/// The home of whoever logs in.
const HOME: &str = ".";

/// A place on another host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FarPlace {
    pub(crate) user: Option<String>,
    pub(crate) host: String,
    pub(crate) port: Option<u16>,
    /// What was said.
    pub(crate) said: String,
    /// As an SFTP server takes it: `/C:/Users/mira`, or from the user's home on.
    pub(crate) path: String,
}

impl FarPlace {
    /// What the user says, if it is a place on another host at all.
    pub(crate) fn named(said: Option<&camino::Utf8Path>) -> Result<Option<Self>, Refusal> {
        let Some(rest) = said.and_then(|said| said.as_str().strip_prefix("ssh://")) else { return Ok(None) };
        Self::parse(rest).map(Some).ok_or_else(|| {
            let message = format!("expected ssh://[USER@]HOST[:PORT]/PATH, found ssh://{rest}");
            let hint =
                "such as ssh://mira@old-pc/C:/Users/mira/AppData/Roaming/Claude, or ssh://old-pc/~/AppData/…";
            Refusal::usage("far-place", message, hint)
        })
    }

    /// The profile or bundle there; at a user's home without more, where the application keeps its own.
    pub(super) fn source(
        &self,
        disk: &FarDisk<'_>,
        path: &Path,
        purpose: Purpose,
    ) -> Result<Source, Refusal> {
        let source = if self.path == HOME {
            places::source_of_home(disk, path, purpose)?
        } else {
            places::source_at(disk, path, "--from")?
        };
        Ok(Source { said: Some(self.said.clone()), ..source })
    }

    /// Whose profile it is, as far as that can be told at a glance.
    pub(super) fn owner(&self, disk: &FarDisk<'_>, path: &Path) -> Result<Option<ProfileId>, Refusal> {
        if self.path == HOME {
            return Ok(self.source(disk, path, Purpose::Write)?.id);
        }
        places::owner_at(disk, path)
    }

    fn parse(rest: &str) -> Option<Self> {
        let (authority, path) = rest.split_at(end_of_host(rest));
        let (user, at) = match authority.rsplit_once('@') {
            Some((user, at)) => (Some(decoded(user)?), at),
            None => (None, authority),
        };
        let (host, port) = match at.strip_prefix('[') {
            Some(literal) => {
                let (host, rest) = literal.split_once(']')?;
                (host, rest.strip_prefix(':').or(Some(rest).filter(|rest| rest.is_empty()).map(|_| ""))?)
            }
            None => at.split_once(':').unwrap_or((at, "")),
        };
        let port = if port.is_empty() { None } else { Some(port.parse().ok()?) };
        let is_name = |name: &str| !name.is_empty() && !name.starts_with('-');
        let fine = is_name(host) && user.as_deref().is_none_or(is_name);
        fine.then(|| {
            Some(Self {
                said: format!("ssh://{rest}"),
                user,
                host: host.to_owned(),
                port,
                path: as_served(&decoded(path)?),
            })
        })?
    }
}

/// Where the path begins: at the first `/` or `\`, unless the latter stands in the name of a user, `DOM\mira@old-pc`.
fn end_of_host(rest: &str) -> usize {
    let next = |from: usize| rest[from..].find(['/', '\\']).map_or(rest.len(), |at| from + at);
    let first = next(0);
    if !rest[first..].starts_with('\\') || rest[..first].contains(['@', ':']) {
        return first;
    }
    let second = next(first + 1);
    if rest[first..second].contains('@') { second } else { first }
}

/// `\C:\Users` and `/C:\Users` are what `/C:/Users` is; `/~/x` and `\~\x` are `x` from the home on.
fn as_served(path: &str) -> String {
    let drive = path.trim_start_matches(['/', '\\']);
    let is_windows = matches!(drive.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic());
    match path.strip_prefix(['/', '\\']).and_then(|path| path.strip_prefix('~')) {
        _ if is_windows => format!("/{}", drive.replace('\\', "/")),
        Some(rest) if rest.starts_with('\\') => as_served(&format!("/~{}", rest.replace('\\', "/"))),
        Some(rest) if rest.is_empty() || rest.starts_with('/') => match rest.trim_start_matches('/') {
            "" => HOME.to_owned(),
            below => below.to_owned(),
        },
        _ if path.is_empty() || path == "/" => HOME.to_owned(),
        _ => path.to_owned(),
    }
}

/// `%20` is a space, as in any URL; a `%` that begins no such thing is itself.
fn decoded(text: &str) -> Option<String> {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((&byte, after)) = rest.split_first() {
        let hex = rest.get(1..3).filter(|_| byte == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        let digits = hex.filter(|hex| hex.bytes().all(|digit| digit.is_ascii_hexdigit()));
        if let Some(code) = digits.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            bytes.push(code);
            rest = &rest[3..];
        } else {
            bytes.push(byte);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok().filter(|text| !text.contains('\0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(said: &str) -> Option<(Option<String>, String, Option<u16>, String)> {
        let place = FarPlace::named(Some(said.into())).ok()??;
        Some((place.user, place.host, place.port, place.path))
    }

    #[test]
    fn a_place_is_understood_however_windows_paths_are_spelled() {
        for (said, host, path) in [
            ("ssh://pc/C:/Users/mira", "pc", "/C:/Users/mira"),
            (r"ssh://pc/C:\Users\mira", "pc", "/C:/Users/mira"),
            (r"ssh://pc\C:\Users\mira", "pc", "/C:/Users/mira"),
            ("ssh://pc/D:/a%20b/100%", "pc", "/D:/a b/100%"),
            ("ssh://pc/home/mira", "pc", "/home/mira"),
            ("ssh://pc/~/AppData", "pc", "AppData"),
            ("ssh://pc/~", "pc", "."),
            (r"ssh://pc/~\AppData\Roaming", "pc", "AppData/Roaming"),
            (r"ssh://pc\~\AppData", "pc", "AppData"),
            (r"ssh://pc\~", "pc", "."),
            ("ssh://pc", "pc", "."),
            ("ssh://pc/", "pc", "."),
            ("ssh://pc/~mira/x", "pc", "/~mira/x"),
            ("ssh://[::1]/x", "::1", "/x"),
        ] {
            assert_eq!(place(said), Some((None, host.into(), None, path.into())), "{said}");
        }
        let whole = Some((Some("m r".into()), "::1".into(), Some(2222), "/x".into()));
        assert_eq!(place("ssh://m%20r@[::1]:2222/x"), whole);
        assert_eq!(place("ssh://mira@pc:22/x").unwrap().2, Some(22));
        for path in ["/C:/x", r"\C:\x"] {
            let of_a_domain = Some((Some(r"DOM\mira".into()), "pc".into(), None, "/C:/x".into()));
            assert_eq!(place(&format!(r"ssh://DOM\mira@pc{path}")), of_a_domain, "{path}");
        }
        let at = Some((Some("mira".into()), "pc".into(), None, "/C:/a@b".into()));
        assert_eq!(place(r"ssh://mira@pc\C:\a@b"), at);
    }

    #[test]
    fn what_is_no_place_or_would_be_an_option_of_ssh_is_refused() {
        for said in [
            "ssh://",
            "ssh:///x",
            "ssh://-oProxyCommand=x/y",
            "ssh://-l@pc/x",
            "ssh://pc:x/y",
            "ssh://[::1/x",
        ] {
            assert_eq!(place(said), None, "{said}");
        }
        assert_eq!(FarPlace::named(Some("/home/mira".into())), Ok(None));
        assert_eq!(FarPlace::named(None), Ok(None));
    }
}
