//! One session as large and as odd as they come: it arrives equal, lives, and comes back.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;

use testkit::docker::Docker;
use testkit::odd_tree;

use crate::containers::start;
use crate::hosts::{Hosts, session_user, uuid};

const FILES: usize = 30_000;

/// Two gigabytes when there is time for ten times the arbitrary cases too.
fn megabytes() -> u64 {
    if std::env::var_os("PROPTEST_CASES").is_some() { 2048 } else { 200 }
}

fn lay_out(session: &Path) -> UnixListener {
    odd_tree::lay_out(session);
    for n in 0..FILES {
        let folder = session.join(format!("src/module {:03}", n / 100));
        if n % 100 == 0 {
            fs::create_dir_all(&folder).unwrap();
        }
        fs::write(folder.join(format!("file {n}")), format!("{n}\n").repeat(n % 50)).unwrap();
    }
    let mut noise = BufWriter::new(File::create(session.join("noise")).unwrap());
    for n in 0..megabytes() << 17 {
        noise.write_all(&n.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes()).unwrap();
    }
    noise.flush().unwrap();
    // Where a container has been started before.
    for folder in [".claude-shared", ".ssh"] {
        fs::create_dir(session.join(folder)).unwrap();
    }
    fs::write(session.join(".gitconfig"), "").unwrap();
    UnixListener::bind(session.join("a socket")).unwrap()
}

fn shell(folder: &Path, script: &str) -> String {
    let output = Command::new("sh").args(["-c", script]).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Names, kinds, modes but for the bits that set ids, times, lengths, names of a file, links, and digests: as other
/// programs tell them.
fn told(session: &Path) -> String {
    let listed = "find . ! -type s ! -path ./session.json \\( -type l -printf '%p %y %l\\n' -o -type d -printf '%p %y %m %T@\\n' \
                  -o -printf '%p %y %m %T@ %s %n\\n' \\) | sed 's/ f [246]\\([0-7][0-7][0-7]\\) / f \\1 /' | LC_ALL=C sort";
    let hashed = "find . -type f ! -path ./session.json -print0 | LC_ALL=C sort -z | xargs -0 sha256sum";
    shell(session, listed) + &shell(session, hashed)
}

fn blocks(file: &Path) -> u64 {
    std::os::unix::fs::MetadataExt::blocks(&file.metadata().unwrap())
}

#[test]
fn the_largest_and_oddest_session_arrives_equal_lives_there_and_comes_back() {
    session_user();
    let (hosts, docker) = (Hosts::with(1), Docker::start());
    let source = hosts.shell().join(uuid(0));
    let _socket = lay_out(&source);
    let (before, document) = (told(&source), fs::read(source.join("session.json")).unwrap());
    let sparse = blocks(&source.join("sparse"));

    let report = hosts.moves(0, &["--all"]);
    assert!(report.contains("a socket is a socket and is left out"), "{report}");
    assert!(report.contains("* arrives without the bits that set ids"), "{report}");
    let session = hosts.agent().join(uuid(0));
    assert!(told(&session) == before, "it is not what was sent");
    assert!(blocks(&session.join("sparse")) <= sparse, "holes were filled");
    assert_eq!(shell(&session, "find . ! -user claude"), "", "what belongs to somebody else");

    let [uid, gid] = ["-u", "-g"].map(|what| shell(&session, &format!("id {what} claude")).trim().to_owned());
    start(&hosts, &docker, &uid, &gid);
    let name = format!("convocate-session-{}", uuid(0));
    let writes = "for file; do if [ -w \"$file\" ]; then : >> \"$file\"; else [ -O \"$file\" ]; fi || echo \"$file\"; done";
    let mounted = "-path ./.claude-shared -prune -o ! -name .gitconfig -type f";
    let every = format!("cd && find . {mounted} -exec sh -c '{writes}; echo done' sh {{}} +");
    let said = docker.run(&["exec", &name, "su", "claude", "-c", &every]);
    assert!(said.lines().all(|line| line == "done") && !said.is_empty(), "cannot be written: {said}");
    docker.run(&["stop", "--time", "0", &name]);

    hosts.expect(0, &["undo"]);
    assert!(told(&source) == before && fs::read(source.join("session.json")).unwrap() == document);
    assert!(!session.exists());
}
