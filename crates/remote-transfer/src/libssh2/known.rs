//! The files of known hosts, as ssh writes them: names and patterns, hashed names, revoked keys. Certificates are not
//! understood, so what vouches for them is passed over.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;

use durable_files::create_private_dirs;
use ssh2::{CheckResult, KnownHostFileKind, Session};

use super::at_home;
use super::base64::base64;
use crate::target::Target;
use crate::transport::TransportError;

/// What the whole machine knows.
const OF_ALL: &str = "/etc/ssh/ssh_known_hosts";

/// What is known of one host.
pub(super) struct KnownHosts {
    /// The host as it is called there: `name`, or `[name]:port`.
    name: String,
    /// Where a new key is remembered.
    file: Option<PathBuf>,
    keys: Vec<Known>,
}

struct Known {
    revoked: bool,
    kind: String,
    /// In base64, without `=` at the end.
    key: String,
}

/// What a key is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Judgement {
    /// The host's.
    Known,
    /// Another one than the host's, or one that was given up.
    Another,
    /// That of a host one has never talked to.
    New,
}

impl KnownHosts {
    pub(super) fn read(target: &Target, port: u16, session: &Session) -> Result<Self, TransportError> {
        let host = target.host.to_ascii_lowercase();
        let name = if port == 22 { host } else { format!("[{host}]:{port}") };
        let file = target.known_hosts.clone().or_else(|| at_home(".ssh/known_hosts"));
        let mut keys = Vec::new();
        for file in file.iter().cloned().chain([PathBuf::from(OF_ALL)]) {
            let text = match fs::read(&file) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                read => read.map_err(|source| cannot("read", &file, source))?,
            };
            let text = String::from_utf8_lossy(&text);
            keys.extend(text.lines().filter_map(|line| Known::read(line, &name, session)));
        }
        Ok(Self { name, file, keys })
    }

    /// These algorithms for the host's key, those of keys that are known first.
    pub(super) fn preferred<'a>(&self, supported: &[&'a str]) -> Vec<&'a str> {
        let is_known = |algorithm: &&str| {
            let kind = if algorithm.starts_with("rsa-sha2-") { "ssh-rsa" } else { algorithm };
            self.keys.iter().any(|known| !known.revoked && known.kind == kind)
        };
        let (mut first, rest): (Vec<_>, Vec<_>) =
            supported.iter().partition(|&algorithm| is_known(algorithm));
        first.extend(rest);
        first
    }

    pub(super) fn judge(&self, key: &[u8]) -> Judgement {
        let key = base64(key);
        let same = |known: &&Known| known.key == key;
        if self.keys.iter().filter(same).any(|known| known.revoked) {
            return Judgement::Another;
        }
        if self.keys.iter().any(|known| same(&known)) {
            return Judgement::Known;
        }
        let of_host = self.keys.iter().any(|known| !known.revoked);
        if of_host { Judgement::Another } else { Judgement::New }
    }

    /// Adds a line for this key.
    pub(super) fn remember(&self, key: &[u8]) -> Result<(), TransportError> {
        let Some(file) = &self.file else {
            let source = io::Error::new(io::ErrorKind::NotFound, "there is no home");
            return Err(cannot("remember the host's key in", "known_hosts".as_ref(), source));
        };
        let padding = "=".repeat((3 - key.len() % 3) % 3);
        let line = format!("{} {} {}{padding}\n", self.name, kind_of(key), base64(key));
        let remembered = || -> io::Result<()> {
            let unended = fs::read(file).is_ok_and(|text| text.last().is_some_and(|&byte| byte != b'\n'));
            let folder = file.parent().unwrap_or(file);
            create_private_dirs(folder).map_err(io::Error::other)?;
            let mut options = OpenOptions::new();
            options.append(true).create(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            options.open(file)?.write_all(if unended { format!("\n{line}") } else { line }.as_bytes())
        };
        remembered().map_err(|source| cannot("remember the host's key in", file, source))
    }
}

fn cannot(what: &str, file: &std::path::Path, source: io::Error) -> TransportError {
    TransportError::Local { doing: format!("{what} {}", file.display()), source }
}

/// A key begins with the name of its kind, after the length of that.
fn kind_of(key: &[u8]) -> String {
    let len = key.first_chunk::<4>().map_or(0, |&len| u32::from_be_bytes(len) as usize);
    String::from_utf8_lossy(key.get(4..4 + len).unwrap_or_default()).into_owned()
}

impl Known {
    /// A line, if it says something of this host.
    fn read(line: &str, host: &str, session: &Session) -> Option<Self> {
        let line = line.trim();
        let (revoked, entry) = match line.split_once(char::is_whitespace)? {
            ("@revoked", entry) => (true, entry.trim_start()),
            (marker, _) if marker.starts_with(['@', '#']) => return None,
            _ => (false, line),
        };
        let mut words = entry.split_whitespace();
        let (names, kind, key) = (words.next()?, words.next()?, words.next()?);
        let is_meant =
            if names.starts_with('|') { is_hash_of(entry, host, session) } else { matches(names, host) };
        let key = key.trim_end_matches('=').to_owned();
        is_meant.then(|| Self { revoked, kind: kind.to_owned(), key })
    }
}

/// Whether a line with a hashed name is that of the host: libssh2 knows how to hash.
fn is_hash_of(entry: &str, host: &str, session: &Session) -> bool {
    let Ok(mut known) = session.known_hosts() else { return false };
    known.read_str(entry, KnownHostFileKind::OpenSSH).is_ok()
        && matches!(known.check(host, b"another"), CheckResult::Mismatch | CheckResult::Match)
}

/// Whether a list of patterns has the host among them, and none that begins with `!`.
fn matches(patterns: &str, host: &str) -> bool {
    let mut found = false;
    for pattern in patterns.split(',') {
        match pattern.strip_prefix('!') {
            Some(not) if is_like(not.as_bytes(), host.as_bytes()) => return false,
            Some(_) => {}
            None => found |= is_like(pattern.as_bytes(), host.as_bytes()),
        }
    }
    found
}

/// `*` stands for anything and `?` for one byte. The time is bounded by the product of the lengths.
fn is_like(pattern: &[u8], host: &[u8]) -> bool {
    let (mut at, mut in_host, mut star) = (0, 0, None);
    while in_host < host.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, in_host));
                at += 1;
            }
            Some(&byte) if byte == b'?' || byte.eq_ignore_ascii_case(&host[in_host]) => {
                (at, in_host) = (at + 1, in_host + 1);
            }
            _ => {
                let Some((before, from)) = star else { return false };
                star = Some((before, from + 1));
                (at, in_host) = (before + 1, from + 1);
            }
        }
    }
    pattern[at..].iter().all(|&byte| byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_pattern_means_the_hosts_that_ssh_takes_it_for() {
        for (patterns, host, expected) in [
            ("agent-1", "agent-1", true),
            ("Agent-1,10.0.0.7", "10.0.0.7", true),
            ("agent-1", "[agent-1]:2222", false),
            ("[agent-1]:2222", "[agent-1]:2222", true),
            ("*.example.org,!bad.example.org", "a.example.org", true),
            ("*.example.org,!bad.example.org", "bad.example.org", false),
            ("agent-?", "agent-12", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-b-b-d", false),
            ("*", "anything", true),
            ("", "anything", false),
        ] {
            assert_eq!(matches(patterns, host), expected, "{patterns} {host}");
        }
    }
}
