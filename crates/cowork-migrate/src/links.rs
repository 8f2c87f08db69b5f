//! The links of a transcript to files, which the application opens on a click (formats/cowork.md A7, E6).

use std::collections::BTreeSet;
use std::io::{self, BufRead, BufReader, Read};

use memchr::memmem;
use session_model::ForeignPath;

const SCHEME: &[u8] = b"computer://";

/// Every link in a transcript, each once.
pub(crate) fn links(transcript: impl Read) -> io::Result<BTreeSet<Link>> {
    let mut lines = BufReader::with_capacity(1 << 20, transcript);
    let mut line = Vec::new();
    let mut found = BTreeSet::new();
    while lines.read_until(b'\n', &mut line)? > 0 {
        for at in memmem::find_iter(&line, SCHEME) {
            found.extend(parse(&line[at + SCHEME.len()..]));
        }
        line.clear();
    }
    Ok(found)
}

/// Where a link leads.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Link {
    /// To a file of the host.
    Host(ForeignPath),
    /// Into the virtual machine.
    Machine(String),
}

/// The link behind its scheme: up to what cannot be in a URL, without what ends a sentence.
fn parse(text: &[u8]) -> Option<Link> {
    let mut open = 0_usize;
    let end = text.iter().position(|byte| match byte {
        b'(' => {
            open += 1;
            false
        }
        b')' if open > 0 => {
            open -= 1;
            false
        }
        b'"' | b'\\' | b'<' | b'>' | b'`' | b')' | b']' | b'|' => true,
        byte => byte.is_ascii_whitespace() || byte.is_ascii_control(),
    });
    let url = &text[..end.unwrap_or(text.len())];
    let decoded = String::from_utf8_lossy(&percent_decoded(url)).into_owned();
    let path = decoded.trim_end_matches(['.', ',', ';', ':', '!', '?']);
    if path.starts_with("/sessions/") {
        return Some(Link::Machine(path.to_owned()));
    }
    path.trim_start_matches('/').parse().or_else(|_| path.parse()).ok().map(Link::Host)
}

fn percent_decoded(url: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(url.len());
    let mut rest = url;
    while let Some((&byte, behind)) = rest.split_first() {
        let digits = behind.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let value = digits.filter(|_| byte == b'%').and_then(|digits| u8::from_str_radix(digits, 16).ok());
        decoded.push(value.unwrap_or(byte));
        rest = if value.is_some() { &behind[2..] } else { behind };
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_read_to_its_end_and_no_further() {
        let text = r#"{"t":"see [a](computer:///C:/Users/otto/a%20b%20(1).md), computer:///C:/x.md. and <computer:///sessions/vm/out>"}"#;
        let found: Vec<Link> = links(text.as_bytes()).unwrap().into_iter().collect();
        let host = |path: &str| Link::Host(path.parse().unwrap());
        assert_eq!(
            found,
            [host(r"C:\Users\otto\a b (1).md"), host(r"C:\x.md"), Link::Machine("/sessions/vm/out".into())]
        );
    }
}
