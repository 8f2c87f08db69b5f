//! What an original agent does with somebody who attaches: it gives nobody a terminal, takes whatever comes together with
//! the header for a part of it, and has one of its own for the container.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

const PROGRAM: &str = r#"#!/usr/bin/env python3
import fcntl, json, os, select, struct, subprocess, sys, termios
BASE = @BASE@
os.environ["DOCKER_HOST"] = @DOCKER_HOST@

def fails(why):
    os.write(1, (json.dumps({"ok": False, "error": why}, separators=(",", ":")) + "\n").encode())
    sys.exit(0)

try:
    header = json.loads(os.read(0, 4096).split(b"\n")[0])
except ValueError as error:
    fails("bad attach header: %s" % error)
uuid = header.get("id", "")
if not os.path.exists(os.path.join(BASE, uuid, "session.json")):
    fails("attach: session %s not found" % json.dumps(uuid))
ours, theirs = os.openpty()
size = struct.pack("HHHH", header.get("rows") or 24, header.get("cols") or 80, 0, 0)
fcntl.ioctl(ours, termios.TIOCSWINSZ, size)
words = ["docker", "exec", "-it", "convocate-session-" + uuid]
words += "sudo -E -u claude -H -- tmux attach-session -t claude".split()
exec_ = subprocess.Popen(words, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
os.close(theirs)
while True:
    ready, _, _ = select.select([0, ours], [], [])
    if ours in ready:
        try:
            os.write(1, os.read(ours, 4096))
        except OSError:
            break
    if 0 in ready:
        keys = os.read(0, 4096)
        if not keys:
            exec_.kill()
            sys.exit(0)
        os.write(ours, keys)
if exec_.wait():
    fails("exec exited: exit status %d" % exec_.returncode)
"#;

/// Writes it to this file, for sessions in this base and an engine that listens there, and gives the lines of an sshd's
/// configuration that offer it.
///
/// # Panics
/// If it cannot be written.
pub fn offered(program: &Path, base: &Path, docker_host: &str) -> [String; 2] {
    let text = |text: &str| serde_json::Value::from(text).to_string();
    let base = text(base.to_str().unwrap());
    let code = PROGRAM.replace("@BASE@", &base).replace("@DOCKER_HOST@", &text(docker_host));
    fs::write(program, code).unwrap();
    fs::set_permissions(program, fs::Permissions::from_mode(0o755)).unwrap();
    [format!("Subsystem convocate-agent-attach {}", program.display()), "PermitTTY no".to_owned()]
}
