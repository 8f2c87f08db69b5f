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
    } else if connected {
        TransportError::Lost { peer, message }
    } else {
        TransportError::Unreachable { peer, message }
    }
}

/// What is wrong with sharing a connection that is there itself: too many sessions on it, for one.
#[cfg(unix)]
pub(super) fn of_sharing(peer: &str, said: &[u8]) -> Option<TransportError> {
    let text = String::from_utf8_lossy(said);
    let ours = text.lines().any(|line| line.starts_with("mux_client_request_session:"));
    ours.then(|| TransportError::Lost { peer: peer.to_owned(), message: last_line(&text) })
}

/// The last thing said, without what would do something to a terminal.
pub(super) fn last_line(text: &str) -> String {
    let line = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("ssh said nothing");
    line.trim().escape_debug().to_string()
}
