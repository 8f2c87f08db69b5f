//! Getting in: the connection, the host's key, and ours.

use std::fs;
use std::io;
use std::net::{TcpStream, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use durable_files::Meter;
use ssh2::{ErrorCode, HashType, MethodType};

use super::at_home;
use super::base64::base64;
use super::known::{Judgement, KnownHosts};
use super::link::{Link, is_gone, said};
use crate::target::Target;
use crate::transport::TransportError;

/// How long an address may take to answer.
const CONNECT: Duration = Duration::from_secs(10);
/// How often the meter is asked while one waits for that.
const TICK: Duration = Duration::from_millis(200);
/// On a busy machine libssh2 fails about once in a hundred times to agree on keys with a host that does nothing wrong.
/// Nothing has been said or shown then, so that one calls again.
const NOT_AGREED: ErrorCode = ErrorCode::Session(-8);
const CALLS: usize = 4;
/// Where keys are if none is named.
const KEYS: [&str; 3] = [".ssh/id_ed25519", ".ssh/id_ecdsa", ".ssh/id_rsa"];

pub(super) fn log_in(target: &Target, peer: &str, meter: &mut dyn Meter) -> Result<Link, TransportError> {
    if let Some(file) = &target.ssh_config {
        let message = format!("libssh2 does not read {}: use the system's ssh", file.display());
        return Err(unreachable(peer, message));
    }
    let (link, known) = agree(target, peer, meter)?;
    recognise(&link, &known, target)?;
    show_key(&link, target, meter)?;
    Ok(link)
}

/// A connection whose keys are agreed on.
fn agree(target: &Target, peer: &str, meter: &mut dyn Meter) -> Result<(Link, KnownHosts), TransportError> {
    let mut calls = 1;
    loop {
        match shake_hands(target, peer, meter)? {
            Ok(shaken) => return Ok(shaken),
            Err(error) if error.code() == NOT_AGREED && calls < CALLS => calls += 1,
            Err(error) => return Err(unreachable(peer, said(&error))),
        }
    }
}

/// Calls the host, and agrees on keys with it.
fn shake_hands(
    target: &Target,
    peer: &str,
    meter: &mut dyn Meter,
) -> Result<Result<(Link, KnownHosts), ssh2::Error>, TransportError> {
    let port = target.port.unwrap_or(22);
    let socket = dial(&target.host, port, meter)?.map_err(|error| unreachable(peer, error.to_string()))?;
    let link = Link::over(socket, peer, target.silence)?;
    let known = KnownHosts::read(target, port, &link.session)?;
    let supported = link.session.supported_algs(MethodType::HostKey).unwrap_or_default();
    let preferred = known.preferred(&supported).join(",");
    let _ = link.session.method_pref(MethodType::HostKey, &preferred);
    let mut session = link.session.clone();
    let shaken = link.patiently(meter, || session.handshake()).map_err(|error| of_login(error, peer))?;
    Ok(shaken.map(|()| (link, known)))
}

fn unreachable(peer: &str, message: String) -> TransportError {
    TransportError::Unreachable { peer: peer.to_owned(), message }
}

/// Who has not been let in yet has lost nothing.
fn of_login(error: TransportError, peer: &str) -> TransportError {
    match error {
        TransportError::Lost { message, .. } => unreachable(peer, message),
        other => other,
    }
}

/// Whom one calls may take its time, and a name to be found: a thread waits for both, and is left to itself by whoever
/// does not want to any more.
fn dial(host: &str, port: u16, meter: &mut dyn Meter) -> Result<io::Result<TcpStream>, TransportError> {
    let (sender, dialled) = mpsc::channel();
    let host = host.to_owned();
    thread::spawn(move || sender.send(dial_now(&host, port)));
    loop {
        match dialled.recv_timeout(TICK) {
            Ok(socket) => return Ok(socket),
            Err(RecvTimeoutError::Disconnected) => return Ok(Err(io::ErrorKind::NotConnected.into())),
            Err(RecvTimeoutError::Timeout) if meter.passed(0).is_break() => {
                return Err(TransportError::Stopped);
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

fn dial_now(host: &str, port: u16) -> io::Result<TcpStream> {
    let mut failure = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, CONNECT) {
            Ok(socket) => return Ok(socket),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

fn recognise(link: &Link, known: &KnownHosts, target: &Target) -> Result<(), TransportError> {
    let peer = link.peer.clone();
    let Some((key, _)) = link.session.host_key() else {
        return Err(unreachable(&peer, "it shows no key".to_owned()));
    };
    match known.judge(key) {
        Judgement::Known => Ok(()),
        Judgement::Another => Err(TransportError::ChangedHostKey { peer }),
        Judgement::New if target.accept_new_host_key => known.remember(key),
        Judgement::New => {
            let hash = link.session.host_key_hash(HashType::Sha256);
            let fingerprint = hash.map(|hash| format!("SHA256:{}", base64(hash)));
            Err(TransportError::UnknownHostKey { peer, fingerprint })
        }
    }
}

/// Shows the keys that there are until one is taken.
fn show_key(link: &Link, target: &Target, meter: &mut dyn Meter) -> Result<(), TransportError> {
    let refused = |message: String| TransportError::Refused { peer: link.peer.clone(), message };
    let Some(user) = target.user.clone().or_else(user) else {
        return Err(refused("nobody says who one is: name a user".to_owned()));
    };
    let files: Vec<PathBuf> = match &target.identity {
        Some(file) => vec![file.clone()],
        None => KEYS.iter().filter_map(|name| at_home(name)).filter(|file| file.exists()).collect(),
    };
    let mut reason = "there is no key to show".to_owned();
    // Without a key of one's own, the agent's come first, as with ssh; a named one may be sealed, and the agent hold it.
    let named = target.identity.is_some();
    if !named && show_agents(link, &user, None, meter)? {
        return Ok(());
    }
    for file in &files {
        match show_file(link, &user, file, meter)? {
            Ok(()) => return Ok(()),
            Err(_) if named && show_agents(link, &user, Some(file), meter)? => return Ok(()),
            Err(why) => reason = why,
        }
    }
    Err(refused(reason))
}

/// Shows one key. Why it was not taken, if the next one may be.
fn show_file(
    link: &Link,
    user: &str,
    file: &Path,
    meter: &mut dyn Meter,
) -> Result<Result<(), String>, TransportError> {
    match fs::read(file) {
        Err(error) => return Ok(Err(format!("cannot read {}: {error}", file.display()))),
        Ok(key) if is_sealed(&key) => {
            let file = file.display();
            return Ok(Err(format!(
                "{file} is sealed with a passphrase; `ssh-add {file}` lets an agent show it"
            )));
        }
        Ok(_) => {}
    }
    let shown = link.patiently(meter, || link.session.userauth_pubkey_file(user, None, file, None));
    match shown.map_err(|error| of_login(error, &link.peer))? {
        Err(error) if is_gone(&error) => {
            Err(TransportError::Refused { peer: link.peer.clone(), message: said(&error) })
        }
        shown => Ok(shown.map_err(|error| format!("{} ({})", said(&error), file.display()))),
    }
}

/// Whether a private key needs a passphrase, which nobody is asked for here. OpenSSH's own begin with a name and that of
/// their cipher.
fn is_sealed(key: &[u8]) -> bool {
    const UNSEALED: &str = "b3BlbnNzaC1rZXktdjEAAAAABG5vbmU"; // the name, and "none"
    let text = String::from_utf8_lossy(key);
    let openssh = text.split_once("-----BEGIN OPENSSH PRIVATE KEY-----");
    openssh.map_or(text.contains("ENCRYPTED"), |(_, key)| !key.trim_start().starts_with(UNSEALED))
}

/// Shows what the agent has: everything, or only what this file is the private key of.
fn show_agents(
    link: &Link,
    user: &str,
    only: Option<&Path>,
    meter: &mut dyn Meter,
) -> Result<bool, TransportError> {
    let public = only.map(|file| {
        let mut name = file.as_os_str().to_owned();
        name.push(".pub");
        let text = fs::read_to_string(name).unwrap_or_default();
        text.split_whitespace().nth(1).unwrap_or_default().trim_end_matches('=').to_owned()
    });
    let Ok(mut agent) = link.session.agent() else { return Ok(false) };
    if agent.connect().and_then(|()| agent.list_identities()).is_err() {
        return Ok(false);
    }
    for identity in agent.identities().unwrap_or_default() {
        if public.as_ref().is_none_or(|public| *public == base64(identity.blob())) {
            let shown = link.patiently(meter, || agent.userauth(user, &identity));
            if shown.map_err(|error| of_login(error, &link.peer))?.is_ok() {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Who one is here.
fn user() -> Option<String> {
    ["USER", "LOGNAME", "USERNAME"].iter().find_map(|name| std::env::var(name).ok())
}
