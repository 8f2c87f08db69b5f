//! `cowork-migrate.exe`: a session that is read from another host.

use std::fs;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::Command;
use std::thread;

use testkit::cowork::{CLASSIC, Session};
use testkit::sshd::Sshd;

use crate::moving::{Move, TOOL};

/// The SFTP server of OpenSSH at a port, for one connection after the other.
fn serve_sftp() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for near in listener.incoming().map_while(Result::ok) {
            let streams: [OwnedFd; 2] = [near.try_clone().unwrap().into(), near.into()];
            let [input, output] = streams;
            let _ = Command::new("/usr/lib/openssh/sftp-server").stdin(input).stdout(output).status();
        }
    });
    port
}

/// What is said of the old user's place, which is looked for on the host itself.
fn place_of(moving: &Move, port: u16) -> String {
    let old = moving.machine.disk(r"C:\users").join("mira").join(CLASSIC);
    format!("ssh://root@127.0.0.1:{port}{}", old.display())
}

/// `ssh.exe` is only its wire here: how it lets one in is tried on other systems.
#[test]
fn a_session_is_read_from_another_host_and_moves_in() {
    let moving = Move::of(&Session::numbered(7));
    let machine = &moving.machine;
    machine.install("ssh");
    let place = place_of(&moving, serve_sftp());
    let before = moving.tree();
    assert!(machine.expect(0, TOOL, &["inventory", &place]).stdout.contains("calm-amber-noether-7"));
    let planned = machine.expect(0, TOOL, &["--from", &place, "--dry-run"]);
    assert!(planned.stdout.contains("would come from"), "{}", planned.stdout);
    assert_eq!(machine.kept("pulled"), 0);
    before.assert_same(&moving.tree(), "a dry run");
    let moved = machine.expect(0, TOOL, &["--from", &place]);
    assert!(moved.stdout.contains(r"bytes; they stay in C:\"), "{}", moved.stdout);
    machine.expect(0, TOOL, &["verify"]);
    let again = machine.expect(0, TOOL, &["--from", &place]);
    assert!(again.stdout.contains(r", 0 bytes; they stay in C:\"), "{}", again.stdout);
    machine.expect(0, TOOL, &["undo"]);
    before.assert_same(&moving.tree(), "undone");
    assert_eq!(machine.kept("pulled"), 1);
    machine.expect(0, TOOL, &["runs", "gc", "--older-than", "0", "--yes"]);
    assert_eq!(machine.kept("pulled"), 0);
}

#[test]
fn a_host_that_nobody_answers_at_is_named() {
    let moving = Move::of(&Session::numbered(7));
    let absent = moving.machine.expect(4, TOOL, &["inventory", &place_of(&moving, 1)]);
    assert!(absent.stderr.contains("--transport libssh2 needs none"), "{}", absent.stderr);
    moving.machine.install("ssh");
    let refused = moving.machine.expect(4, TOOL, &["inventory", &place_of(&moving, 1)]);
    assert!(refused.stderr.contains("root@127.0.0.1:1 cannot be reached"), "{}", refused.stderr);
}

/// A key as Windows' own cryptography takes one: RSA, in its oldest spelling.
fn make_rsa(path: &Path) {
    let mut keygen = Command::new("ssh-keygen");
    keygen.args(["-q", "-t", "rsa", "-b", "3072", "-m", "PEM", "-N", "", "-C", "test", "-f"]).arg(path);
    assert!(keygen.status().unwrap().success());
}

fn public(key: &Path) -> String {
    fs::read_to_string(key.with_extension("pub")).unwrap()
}

#[test]
fn a_session_is_read_over_the_libssh2_inside() {
    let keys = tempfile::tempdir().unwrap();
    let [host_key, user_key] = ["host", "user"].map(|name| keys.path().join(name));
    for key in [&host_key, &user_key] {
        make_rsa(key);
    }
    let own_key = format!("HostKey {}", host_key.display());
    let sshd = Sshd::start(&[&own_key, "Subsystem sftp internal-sftp", "ForceCommand internal-sftp"]);
    let let_in = sshd.folder().join("authorized_keys");
    fs::write(&let_in, fs::read_to_string(&let_in).unwrap() + &public(&user_key)).unwrap();
    let moving = Move::of(&Session::numbered(7));
    let machine = &moving.machine;
    fs::copy(&user_key, machine.disk(r"C:\key")).unwrap();
    fs::write(machine.disk(r"C:\known"), format!("[127.0.0.1]:{} {}", sshd.port(), public(&host_key)))
        .unwrap();

    let reaching = ["--identity", r"C:\key", "--known-hosts", r"C:\known", "--transport", "libssh2"];
    let place = place_of(&moving, sshd.port());
    let told = machine.run(TOOL, &[&["inventory", &place][..], &reaching].concat());
    if told.code == Some(4) && told.stderr.contains("Unable to exchange encryption keys") {
        assert!(TcpStream::connect(("127.0.0.1", sshd.port())).is_ok());
        // Past the harness, which shows nothing of a test that passes.
        let said =
            "\nSKIPPED: libssh2 reached the sshd, but this Wine has no Diffie-Hellman: no login was shown\n";
        std::io::stderr().write_all(said.as_bytes()).unwrap();
        return;
    }
    assert!(told.stdout.contains("calm-amber-noether-7"), "{}{}", told.stdout, told.stderr);
}
