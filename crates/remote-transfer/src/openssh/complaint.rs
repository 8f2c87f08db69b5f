//! What `ssh` complains of, as one of the reasons there are.

use crate::transport::TransportError;

/// Finds the reason in what was said. `connected` tells whether one had been let in before.
pub(super) fn classified(peer: &str, said: &[u8], connected: bool) -> TransportError {
    let text = String::from_utf8_lossy(said);
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let peer = peer.to_owned();
    let message = last_line(&text);
    if has(&["REMOTE HOST IDENTIFICATION HAS CHANGED", "REVOKED HOST KEY"]) {
        TransportError::ChangedHostKey { peer }
    } else if has(&["Host key verification failed", "host key is known for"]) {
        TransportError::UnknownHostKey { peer, fingerprint: None }
    } else if has(&["Permission denied (", "Too many authentication failures", "sign_and_send_pubkey"]) {
        TransportError::Refused { peer, message }
    } else if connected || text.lines().any(is_of_a_loss) {
        TransportError::Lost { peer, message }
    } else {
        TransportError::Unreachable { peer, message }
    }
}

/// Whether ssh says that of none but a connection that stood.
fn is_of_a_loss(line: &str) -> bool {
    let begins = ["client_loop: ", "Timeout, server ", "Read from remote host "];
    begins.iter().any(|begin| line.starts_with(begin))
        || (line.starts_with("Connection to ") && line.trim_end().ends_with(" closed by remote host."))
}

/// That the other end has no such subsystem, if that is what was said.
pub(super) fn of_subsystem(peer: &str, name: &str, said: &str) -> Option<TransportError> {
    said.contains("subsystem request failed").then(|| TransportError::NotOffered {
        peer: peer.to_owned(),
        what: name.to_owned(),
        message: last_line(said),
    })
}

/// What is wrong with sharing a connection that is there itself: too many sessions on it, for one.
#[cfg(unix)]
pub(super) fn of_sharing(peer: &str, said: &[u8]) -> Option<TransportError> {
    let text = String::from_utf8_lossy(said);
    let line = text.lines().find(|line| line.starts_with("mux_client_request_session:"))?;
    let (peer, message) = (peer.to_owned(), shown(line));
    Some(if line.contains("open refused") {
        TransportError::TooFewSessions { peer, message }
    } else {
        TransportError::Lost { peer, message }
    })
}

/// Sharing a connection that somebody else has found lost: what ssh says of the way that it must not take then is beside
/// the point.
#[cfg(unix)]
pub(super) fn of_no_connection(peer: &str, said: &[u8]) -> TransportError {
    of_sharing(peer, said).unwrap_or_else(|| {
        let message = "the connection that commands share has ended".to_owned();
        TransportError::Lost { peer: peer.to_owned(), message }
    })
}

/// What is said of a connection by way of a command that has ended: nothing of why.
const BY_WAY: &str = "UNKNOWN port 65535";

/// The last thing said, without what would do something to a terminal.
pub(super) fn last_line(text: &str) -> String {
    let by_way = text.contains(BY_WAY);
    let says_why = |line: &str| !by_way || !(line.contains(BY_WAY) || line.starts_with("kex_exchange_"));
    let last = text.lines().rev().find(|line| !line.trim().is_empty() && says_why(line));
    let of_nothing =
        if by_way { "what leads there (ProxyCommand, ProxyJump) has ended" } else { "ssh said nothing" };
    shown(last.unwrap_or(of_nothing))
}

fn shown(line: &str) -> String {
    crate::words(line.trim())
}
