//! What the guide says of an sshd that serves an agent is what a real sshd does.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};

use remote_transfer::{RemoteCommand, TransportKind};
use session_control::{RemoteHost, SessionHost};
use testkit::sshd::Sshd;

use crate::remote::{Far, target};

const GUIDE: &str = include_str!("../../../../docs/guide/convocate-session.md");
const INSTALLED: &str = "/usr/local/bin/convocate-session";

/// The lines of the guide that begin so, with this program in the place of the installed one.
fn lines(begin: &str, program: &str) -> Vec<String> {
    let lines =
        GUIDE.lines().filter_map(|line| line.strip_prefix("    ")).filter(|line| line.starts_with(begin));
    lines.map(|line| line.replace(INSTALLED, program)).collect()
}

/// An agent that is served as the guide says.
fn served() -> Far {
    let far = Far::new();
    let program = far.folder.path().join("convocate-session");
    let api = far.folder.path().join("agent-api/program");
    let script = format!(
        "#!/bin/sh\ncase \"$*\" in\n'agent rpc') exec {};;\n'agent attach') stty size;;\n*) echo got out;;\nesac\n",
        api.display()
    );
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let subsystems = lines("Subsystem convocate-agent-", program.to_str().unwrap());
    assert_eq!(subsystems.len(), 2);
    let subsystems: Vec<&str> = subsystems.iter().map(String::as_str).collect();
    Far { sshd: Sshd::start(&subsystems), ..far }
}

/// Puts this before the key.
fn restricts(far: &Far) {
    let program = far.folder.path().join("convocate-session");
    let [before] = &lines("restrict,", program.to_str().unwrap())[..] else { panic!("one line is there") };
    let keys = far.sshd.folder().join("authorized_keys");
    let key = fs::read_to_string(&keys).unwrap();
    fs::write(keys, format!("{before} {key}")).unwrap();
}

fn ssh(far: &Far, options: &[&str], words: &[&str]) -> Output {
    let mut ssh = Command::new("ssh");
    ssh.args(["-F", "none", "-o", "BatchMode=yes", "-l", "root", "-p", &far.sshd.port().to_string()]);
    ssh.arg("-o").arg(format!("UserKnownHostsFile={}", far.sshd.known_hosts().display()));
    ssh.arg("-i").arg(far.sshd.identity()).args(options).arg("127.0.0.1").args(words);
    ssh.output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[test]
fn a_key_that_may_only_serve_sessions_serves_them_and_does_nothing_else() {
    let far = served();
    // As it is without: everything.
    assert_eq!(said(&ssh(&far, &[], &["echo a shell"])), "a shell");
    restricts(&far);
    for kind in [TransportKind::OpenSsh, TransportKind::LibSsh2] {
        let mut host = RemoteHost::new("k7m2p9x4qwzt".to_owned(), kind.open(target(&far.sshd)));
        assert_eq!(host.list().unwrap(), []);
    }
    let attached = ssh(&far, &["-tt", "-s"], &["convocate-agent-attach"]);
    assert_eq!(said(&attached).split_whitespace().count(), 2, "it has a terminal: {attached:?}");
    assert_eq!(attached.status.code(), Some(0));

    let program = far.folder.path().join("convocate-session").display().to_string();
    let whole = format!("{program} agent rpc; echo got out");
    let path = format!("{program} agent rpc --base /");
    for words in [&["echo got out"][..], &[&whole], &[&path], &[&program], &["sh", "-c", "echo got out"], &[]]
    {
        let output = ssh(&far, &[], words);
        assert_ne!(output.status.code(), Some(0), "{words:?}");
        assert_eq!(said(&output), "", "{words:?}");
    }
    let sftp = ssh(&far, &["-s"], &["sftp"]);
    assert_ne!(sftp.status.code(), Some(0));
    let forwarded = ssh(&far, &["-W", "127.0.0.1:22"], &[]);
    assert!(!forwarded.status.success() && said(&forwarded).is_empty(), "{forwarded:?}");
    // So nothing is moved with it: that takes another key.
    let mut link = TransportKind::OpenSsh.open(target(&far.sshd));
    let moved = link.run(&RemoteCommand::sh("echo got out", &[]), b"", &mut durable_files::Quiet);
    assert!(!moved.is_ok_and(|ended| ended.is_success()));
}
