//! What every transport has to do, against a stock sshd.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
#[cfg(feature = "libssh2")]
use std::net::TcpStream;
use std::ops::ControlFlow;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use durable_files::{Meter, Quiet};
use remote_transfer::{Ended, RemoteCommand, Target, Transport, TransportError, TransportKind};
use testkit::sshd::{Sshd, make_key};

pub(crate) fn target(sshd: &Sshd) -> Target {
    Target {
        user: Some("root".to_owned()),
        port: Some(sshd.port()),
        identity: Some(sshd.identity()),
        known_hosts: Some(sshd.known_hosts()),
        silence: Duration::from_secs(6),
        ..Target::new(sshd.address())
    }
}

fn run(link: &mut dyn Transport, script: &str) -> Result<Ended, TransportError> {
    link.run(&RemoteCommand::sh(script, &[]), b"", &mut Quiet)
}

fn error_of(kind: TransportKind, target: Target) -> TransportError {
    run(&mut *kind.open(target), "true").expect_err("there is no getting in")
}

/// Every test of this file for each transport.
macro_rules! contract {
    ($($name:ident),* $(,)?) => {
        mod openssh {
            $(#[test] fn $name() { super::$name(remote_transfer::TransportKind::OpenSsh); })*
        }
        #[cfg(feature = "libssh2")]
        mod libssh2 {
            $(#[test] fn $name() { super::$name(remote_transfer::TransportKind::LibSsh2); })*
        }
    };
}

contract!(
    whatever_a_name_is_made_of_arrives_as_one_word,
    whatever_a_command_is_given_and_prints_is_what_the_next_one_does_not_see,
    a_command_says_how_it_ended_and_one_connection_serves_many,
    megabytes_both_ways_keep_nobody_waiting,
    a_command_that_reads_nothing_says_why_all_the_same,
    of_a_command_that_complains_at_length_enough_is_kept,
    only_the_known_key_is_talked_to,
    who_is_not_let_in_or_reaches_nobody_is_told_so,
    a_peer_that_falls_silent_is_noticed,
    a_silent_command_that_ends_with_255_is_no_lost_link,
    a_wish_to_stop_does_not_wait_for_the_other_host,
    a_wish_to_stop_waits_neither_for_a_silent_subsystem_nor_for_being_let_in,
    a_session_that_is_killed_there_is_a_lost_link,
    hashed_names_and_given_up_keys_are_known,
    a_key_may_have_any_name,
    a_command_goes_where_it_is_told_whatever_the_user_is_used_to,
    subsystems_are_spoken_to_both_ways_and_their_absence_is_said,
);

fn whatever_a_name_is_made_of_arrives_as_one_word(kind: TransportKind) {
    let sshd = Sshd::start(&[]);
    let mut link = kind.open(target(&sshd));
    let words: [&[u8]; 8] = [
        b"",
        b"$(touch x)",
        b"`touch x`",
        b"; touch x",
        b"a\nb",
        b"it's \"it\"",
        b"-n",
        b"bad\xff\xfe \\ * ?",
    ];
    let print = r#"for word; do printf '%s\0' "$word"; done"#;
    for command in [RemoteCommand::sh(print, &words), RemoteCommand::sudo(print, &words)] {
        let ended = link.run(&command, b"", &mut Quiet).unwrap();
        let said: Vec<&[u8]> = ended.stdout.split(|&byte| byte == 0).collect();
        assert_eq!(said[..8], words, "{}", ended.complaint());
        assert!(ended.is_success());
    }
}

fn whatever_a_command_is_given_and_prints_is_what_the_next_one_does_not_see(kind: TransportKind) {
    let sshd = Sshd::start(&[]);
    let mut link = kind.open(target(&sshd));
    let every_byte: Vec<u8> = (0..=255).collect();
    let word: Vec<u8> = (1..=255).collect();
    for length in [0, 1, 2, 255, 256, 70_000] {
        let given: Vec<u8> = every_byte.iter().cycle().take(length).copied().collect();
        let unread = link.run(&RemoteCommand::sh("printf '%s' \"$1\"; exit 3", &[&word]), &given, &mut Quiet);
        assert_eq!(unread.unwrap(), Ended { status: Some(3), stdout: word.clone(), stderr: Vec::new() });
        let back = link.run(&RemoteCommand::sh("cat; printf '\\n\\n' >&2", &[]), &given, &mut Quiet);
        assert_eq!(back.unwrap(), Ended { status: Some(0), stdout: given, stderr: b"\n\n".to_vec() });
    }
}

fn a_command_says_how_it_ended_and_one_connection_serves_many(kind: TransportKind) {
    let sshd = Sshd::start(&[]);
    let mut link = kind.open(target(&sshd));
    for status in [0, 1, 7, 254, 255] {
        let script = format!("echo out; echo err >&2; exit {status}");
        let ended = run(&mut *link, &script).unwrap();
        assert_eq!(
            (ended.status, &*ended.stdout, &*ended.stderr),
            (Some(status), &b"out\n"[..], &b"err\n"[..])
        );
    }
    assert_eq!(sshd.logins(), 1);
}

fn megabytes_both_ways_keep_nobody_waiting(kind: TransportKind) {
    let sshd = Sshd::start(&["RekeyLimit 3M"]);
    let mut link = kind.open(target(&sshd));
    let sent: Vec<u8> = (0..20_000_000u32).map(|n| (n >> 3).to_le_bytes()[0]).collect();
    let ended =
        link.run(&RemoteCommand::sh("exec cat", &[]).printing_up_to(1 << 30), &sent, &mut Quiet).unwrap();
    assert!(ended.stdout == sent, "{} bytes came back", ended.stdout.len());
    let error = link.run(&RemoteCommand::sh("exec cat", &[]), &sent, &mut Quiet).unwrap_err();
    assert!(matches!(error, TransportError::TooMuch { .. }), "{error}");
}

fn a_command_that_reads_nothing_says_why_all_the_same(kind: TransportKind) {
    let sshd = Sshd::start(&[]);
    let mut link = kind.open(target(&sshd));
    let mut quiet = Quiet;
    let mut running = link.start(&RemoteCommand::sh("echo no room >&2; exit 3", &[]), &mut quiet).unwrap();
    let _ = (0..1000).try_for_each(|_| running.write_all(&[0; 1 << 12]));
    let ended = running.finish().unwrap();
    assert_eq!((ended.status, ended.complaint().as_str()), (Some(3), "no room"));
}

fn of_a_command_that_complains_at_length_enough_is_kept(kind: TransportKind) {
    let sshd = Sshd::start(&[]);
    let mut link = kind.open(target(&sshd));
    for (input, bytes) in [(&b""[..], 40 << 20), (b"read by nobody", 40 << 20), (b"", 1000)] {
        let script = format!("echo done; head -c {bytes} /dev/zero | tr '\\0' e >&2; exit 3");
        let ended = link.run(&RemoteCommand::sh(&script, &[]), input, &mut Quiet).unwrap();
        assert_eq!((ended.status, &ended.stdout[..]), (Some(3), &b"done\n"[..]));
        assert_eq!(ended.stderr.len(), RemoteCommand::LIMIT.min(bytes));
    }
}

fn only_the_known_key_is_talked_to(kind: TransportKind) {
    let (sshd, other) = (Sshd::start(&[]), Sshd::start(&[]));
    let none = sshd.folder().join("none");
    let unknown = Target { known_hosts: Some(none.clone()), ..target(&sshd) };
    assert!(matches!(error_of(kind, unknown.clone()), TransportError::UnknownHostKey { .. }));
    assert!(!none.exists(), "nothing was remembered");

    let accepting = Target { accept_new_host_key: true, ..unknown };
    assert!(run(&mut *kind.open(accepting.clone()), "true").unwrap().is_success());
    assert!(run(&mut *kind.open(Target { accept_new_host_key: false, ..accepting }), "true").is_ok());

    let swapped = fs::read_to_string(other.known_hosts()).unwrap();
    let lie = sshd.folder().join("lie");
    fs::write(&lie, swapped.replace(&other.port().to_string(), &sshd.port().to_string())).unwrap();
    let lied_to = Target { known_hosts: Some(lie), accept_new_host_key: true, ..target(&sshd) };
    assert!(matches!(error_of(kind, lied_to), TransportError::ChangedHostKey { .. }));
}

fn who_is_not_let_in_or_reaches_nobody_is_told_so(kind: TransportKind) {
    let sshd = Sshd::start(&[]);
    let key = sshd.folder().join("stranger");
    make_key(&key);
    let stranger = Target { identity: Some(key), ..target(&sshd) };
    assert!(matches!(error_of(kind, stranger), TransportError::Refused { .. }));
    let nobody = Target { port: Some(1), ..target(&sshd) };
    assert!(matches!(error_of(kind, nobody), TransportError::Unreachable { .. }));
    let nowhere = Target { host: "no-such-host.invalid".to_owned(), ..target(&sshd) };
    assert!(matches!(error_of(kind, nowhere), TransportError::Unreachable { .. }));
}

fn a_peer_that_falls_silent_is_noticed(kind: TransportKind) {
    let sshd = Sshd::start(&[]);
    let mut link = kind.open(target(&sshd));
    run(&mut *link, "true").unwrap();
    assert!(!sshd.children().is_empty());
    sshd.is_silent(true);
    let error = run(&mut *link, "true").unwrap_err();
    sshd.is_silent(false);
    assert!(matches!(error, TransportError::Lost { .. }), "{error}");
}

fn subsystems_are_spoken_to_both_ways_and_their_absence_is_said(kind: TransportKind) {
    let sshd = Sshd::start(&["Subsystem echo /bin/cat", "Subsystem sftp internal-sftp"]);
    let mut link = kind.open(target(&sshd));
    let mut quiet = Quiet;
    {
        let mut echo = link.subsystem("echo", &mut quiet).unwrap();
        echo.write_all(b"hello").unwrap();
        let mut back = [0; 5];
        echo.read_exact(&mut back).unwrap();
        assert_eq!(&back, b"hello");
    }
    let error = match link.subsystem("convocate-agent-rpc", &mut quiet) {
        Ok(mut absent) => std::io::read_to_string(&mut *absent).unwrap_err().to_string(),
        Err(error) => error.to_string(),
    };
    assert!(error.contains("does not offer convocate-agent-rpc"), "{error}");
}

fn a_silent_command_that_ends_with_255_is_no_lost_link(kind: TransportKind) {
    let sshd = Sshd::start(&[]);
    let mut link = kind.open(target(&sshd));
    assert_eq!(run(&mut *link, "exit 255").unwrap(), Ended { status: Some(255), ..Ended::default() });
    assert!(!run(&mut *link, "kill -TERM $$").unwrap().is_success());
    assert_eq!(sshd.logins(), 1);
}

/// Says stop when it has been asked so many times.
struct Impatient(usize);

impl Meter for Impatient {
    fn passed(&mut self, _bytes: u64) -> ControlFlow<()> {
        self.0 = self.0.saturating_sub(1);
        if self.0 == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// Says stop from when it is wished.
struct OnWish<'a>(&'a AtomicBool);

impl Meter for OnWish<'_> {
    fn passed(&mut self, _bytes: u64) -> ControlFlow<()> {
        if self.0.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

fn a_wish_to_stop_does_not_wait_for_the_other_host(kind: TransportKind) {
    let sshd = Sshd::start(&[]);
    let mut link = kind.open(target(&sshd));
    run(&mut *link, "true").unwrap();
    let forever = RemoteCommand::sh("exec sleep 100", &[]);
    let stopped = link.run(&forever, b"", &mut Impatient(3)).unwrap_err();
    assert!(matches!(stopped, TransportError::Stopped), "{stopped}");
    assert!(run(&mut *link, "true").unwrap().is_success(), "one can go on");
    let stop = AtomicBool::new(false);
    let mut meter = OnWish(&stop);
    let mut running = link.start(&forever, &mut meter).unwrap();
    stop.store(true, Ordering::Relaxed);
    while running.write_all(&[0; 1 << 12]).is_ok() {}
    let stopped = running.finish().unwrap_err();
    assert!(matches!(stopped, TransportError::Stopped), "{stopped}");
    assert!(run(&mut *link, "true").unwrap().is_success(), "one can go on");
}

fn a_wish_to_stop_waits_neither_for_a_silent_subsystem_nor_for_being_let_in(kind: TransportKind) {
    let sshd = Sshd::start(&["Subsystem silent /bin/sleep 100"]);
    let mut link = kind.open(target(&sshd));
    let mut meter = Impatient(50);
    let mut silent = link.subsystem("silent", &mut meter).unwrap();
    let stopped = silent.read(&mut [0; 8]).unwrap_err();
    assert!(matches!(stopped.downcast(), Ok(TransportError::Stopped)));
    drop(silent);

    let mute = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = Some(mute.local_addr().unwrap().port());
    let mut link = kind.open(Target { port, silence: Duration::from_mins(1), ..target(&sshd) });
    let mut meter = Impatient(3);
    let stopped = match link.subsystem("silent", &mut meter) {
        Ok(mut silent) => silent.read(&mut [0; 8]).unwrap_err().downcast().unwrap(),
        Err(error) => error,
    };
    assert!(matches!(stopped, TransportError::Stopped), "{stopped}");
}

fn a_session_that_is_killed_there_is_a_lost_link(kind: TransportKind) {
    let sshd = Sshd::start(&[]);
    let mut link = kind.open(target(&sshd));
    let its_sshd = r#"at=$$; while [ "$(cut -c 1-4 /proc/$at/comm)" != sshd ]; do at=$(ps -o ppid= "$at" | tr -d ' '); done"#;
    let error = run(&mut *link, &format!("{its_sshd}; kill -KILL $at; exec sleep 100")).unwrap_err();
    assert!(matches!(error, TransportError::Lost { .. }), "{error}");
    assert!(run(&mut *link, "true").unwrap().is_success(), "the next one connects anew");
}

#[test]
fn a_host_that_is_not_up_to_one_shell_for_all_commands_runs_each_by_itself() {
    let folder = testkit::crash::place();
    let [shell, head] = ["shell", "head"].map(|name| folder.path().join(name));
    let with_its_own = format!("PATH={}:$PATH; eval \"$SSH_ORIGINAL_COMMAND\"", folder.path().display());
    // A `head` that takes more than it is told, as some do.
    for (program, script) in
        [(&shell, with_its_own.as_str()), (&head, "exec dd bs=65536 count=1 2>/dev/null")]
    {
        fs::write(program, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(program, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let sshd = Sshd::start(&[&format!("ForceCommand {}", shell.display())]);
    let mut link = TransportKind::OpenSsh.open(target(&sshd));
    for status in [0, 7] {
        let ended = run(&mut *link, &format!("echo out; exit {status}")).unwrap();
        assert_eq!((ended.status, &*ended.stdout), (Some(status), &b"out\n"[..]));
    }
}

fn hashed_names_and_given_up_keys_are_known(kind: TransportKind) {
    let sshd = Sshd::start(&[]);
    let file = sshd.folder().join("hosts");
    let plain = fs::read_to_string(sshd.known_hosts()).unwrap();
    let at = |text: &str| {
        fs::write(&file, text).unwrap();
        Target { known_hosts: Some(file.clone()), ..target(&sshd) }
    };
    let hashed = at(&format!("# a comment\n\n{plain}"));
    assert!(Command::new("ssh-keygen").arg("-qHf").arg(&file).status().unwrap().success());
    assert!(!fs::read_to_string(&file).unwrap().contains("127.0.0.1"));
    assert!(run(&mut *kind.open(hashed), "true").unwrap().is_success());
    let given_up = at(&format!("{plain}@revoked * {}", plain.split_once(' ').unwrap().1));
    assert!(matches!(error_of(kind, given_up), TransportError::ChangedHostKey { .. }));
}

fn a_key_may_have_any_name(kind: TransportKind) {
    let sshd = Sshd::start(&[]);
    let folder = sshd.folder().join("it's \"a\" %h key \\ %");
    fs::create_dir(&folder).unwrap();
    let (identity, known) = (folder.join("id %d \"x\""), folder.join("known 'hosts' %k"));
    fs::copy(sshd.identity(), &identity).unwrap();
    fs::copy(sshd.known_hosts(), &known).unwrap();
    let named = Target { identity: Some(identity), known_hosts: Some(known), ..target(&sshd) };
    assert!(run(&mut *kind.open(named), "true").unwrap().is_success());
}

fn a_command_goes_where_it_is_told_whatever_the_user_is_used_to(kind: TransportKind) {
    let elsewhere = tempfile::tempdir().unwrap();
    let with_his = format!("export CDPATH={}; eval \"$SSH_ORIGINAL_COMMAND\"", elsewhere.path().display());
    let sshd = Sshd::start(&[&format!("ForceCommand {with_his}")]);
    for folder in [elsewhere.path(), sshd.folder()] {
        fs::create_dir(folder.join("x")).unwrap();
    }
    let (mut link, at) = (kind.open(target(&sshd)), sshd.folder().display().to_string());
    let command = RemoteCommand::sh("cd -- \"$1\" && cd x && pwd", &[at.as_bytes()]);
    let ended = link.run(&command, b"", &mut Quiet).unwrap();
    assert_eq!(String::from_utf8_lossy(&ended.stdout), format!("{at}/x\n"));
}

#[test]
fn a_host_that_never_stops_printing_keeps_nobody_waiting() {
    let sshd = Sshd::start(&[]);
    let mut link = TransportKind::OpenSsh.open(target(&sshd));
    let error = run(&mut *link, "exec yes").unwrap_err();
    assert!(matches!(error, TransportError::TooMuch { .. }), "{error}");
    let forever = RemoteCommand::sh("exec yes", &[]).printing_up_to(1 << 30);
    let stopped = link.run(&forever, b"", &mut Impatient(50)).unwrap_err();
    assert!(matches!(stopped, TransportError::Stopped), "{stopped}");
    assert!(run(&mut *link, "true").unwrap().is_success(), "one can go on");
    assert_eq!(sshd.logins(), 1);
}

#[test]
fn a_host_that_allows_few_sessions_on_one_connection_is_told_from_one_that_is_lost() {
    for sessions in [1, 2] {
        let sshd = Sshd::start(&[&format!("MaxSessions {sessions}")]);
        let mut link = TransportKind::OpenSsh.open(target(&sshd));
        let short = run(&mut *link, "true");
        assert_eq!(short.is_ok(), sessions == 2);
        let started = RemoteCommand::sh("cat", &[]);
        let started = link.start(&started, &mut Quiet).and_then(|running| running.given(b""));
        for error in [short.err(), started.err()].into_iter().flatten() {
            let text = error.to_string();
            assert!(matches!(error, TransportError::TooFewSessions { .. }), "{text}");
            assert!(text.contains("MaxSessions") && text.contains("Session open refused"), "{text}");
        }
    }
}

#[test]
fn what_leads_to_a_host_and_ends_is_named_by_what_it_said() {
    let sshd = Sshd::start(&[]);
    let config = sshd.folder().join("config");
    for (command, said) in [("false", "what leads there"), ("ls /no/such/way", "/no/such/way")] {
        fs::write(&config, format!("Host *\nProxyCommand {command}\n")).unwrap();
        let by_way = Target { ssh_config: Some(config.clone()), ..target(&sshd) };
        let error = error_of(TransportKind::OpenSsh, by_way);
        assert!(matches!(error, TransportError::Unreachable { .. }), "{error}");
        assert!(error.to_string().contains(said), "{error}");
    }
}

#[test]
fn a_shell_that_gives_up_on_who_is_silent_waits_for_the_next_command_all_the_same() {
    let programs = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/bin/bash", programs.path().join("sh")).unwrap();
    let with_those = format!("export TMOUT=1 PATH={}:$PATH", programs.path().display());
    let sshd = Sshd::start(&[&format!("ForceCommand {with_those}; eval \"$SSH_ORIGINAL_COMMAND\"")]);
    let mut link = TransportKind::OpenSsh.open(target(&sshd));
    for _ in 0..2 {
        assert!(run(&mut *link, "true").unwrap().is_success());
        std::thread::sleep(Duration::from_millis(1500)); // longer than it would wait
    }
    assert!(run(&mut *link, "true").unwrap().is_success());
}

#[test]
fn why_nobody_was_reached_is_told_also_to_who_speaks_first() {
    let sshd = Sshd::start(&[]);
    let nobody = Target { port: Some(1), ..target(&sshd) };
    let mut link = TransportKind::OpenSsh.open(nobody);
    let mut quiet = Quiet;
    let mut channel = link.subsystem("sftp", &mut quiet).unwrap();
    let error = loop {
        if let Err(error) = channel.write_all(b"x") {
            break error;
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    assert!(matches!(error.downcast(), Ok(TransportError::Unreachable { .. })));
}

/// A wire to an sshd that spoils the first exchange of keys: a byte of what the host adds to the secret is another.
#[cfg(feature = "libssh2")]
fn spoiling_once(sshd: &Sshd) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (port, to) = (listener.local_addr().unwrap().port(), (sshd.address().to_owned(), sshd.port()));
    std::thread::spawn(move || {
        for (nth, near) in listener.incoming().map(Result::unwrap).enumerate() {
            let far = TcpStream::connect((to.0.as_str(), to.1)).unwrap();
            let (mut up, mut down) = ((near.try_clone().unwrap(), far.try_clone().unwrap()), (far, near));
            std::thread::spawn(move || std::io::copy(&mut up.0, &mut up.1));
            std::thread::spawn(move || {
                let mut length = [0; 4];
                let mut byte = [0; 1];
                while byte != *b"\n" {
                    down.0.read_exact(&mut byte)?; // who it is
                    down.1.write_all(&byte)?;
                }
                down.0.read_exact(&mut length)?; // what it knows
                let mut known = vec![0; u32::from_be_bytes(length) as usize];
                down.0.read_exact(&mut known)?;
                down.1.write_all(&[&length[..], &known].concat())?;
                let mut reply = [0; 80]; // its key, and the first bytes of what it adds
                down.0.read_exact(&mut reply)?;
                reply[79] ^= u8::from(nth == 0);
                down.1.write_all(&reply)?;
                std::io::copy(&mut down.0, &mut down.1)
            });
        }
    });
    port
}

#[cfg(feature = "libssh2")]
#[test]
fn a_host_with_which_libssh2_does_not_agree_on_keys_is_called_again() {
    let sshd = Sshd::start(&[]);
    let port = spoiling_once(&sshd);
    let by_wire = Target { port: Some(port), known_hosts: Some(sshd.known_hosts_at(port)), ..target(&sshd) };
    assert!(run(&mut *TransportKind::LibSsh2.open(by_wire), "true").unwrap().is_success());
}
