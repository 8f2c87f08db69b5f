//! The daemon must not run: it would serve old answers, and see a database change under it (formats/ao.md §8.1, D2).

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use migration_cli::Refusal;
use serde::Deserialize;

/// How long a daemon on this machine may take to answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// What a running daemon writes of itself.
#[derive(Debug, Deserialize)]
struct RunFile {
    pid: u32,
    port: Option<u16>,
}

/// Refuses if the run file names a process that is alive, or cannot be read. A stale one passes.
pub(crate) fn must_not_run(run_file: &Path) -> Result<(), Refusal> {
    let bytes = match std::fs::metadata(run_file).and_then(|found| read(run_file, &found)) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(unreadable(run_file, &error.to_string())),
        Ok(bytes) => bytes,
    };
    let found: RunFile = serde_json::from_slice(&bytes).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        unreadable(run_file, &format!("expected a JSON object with a pid, found something else at {place}"))
    })?;
    if !is_alive(found.pid) {
        return Ok(());
    }
    let answers = found.port.is_some_and(|port| answers_as(port, found.pid));
    Err(alive(run_file, found.pid, answers))
}

/// Only a regular file is opened: a pipe would be waited for without end.
fn read(run_file: &Path, found: &std::fs::Metadata) -> std::io::Result<Vec<u8>> {
    if found.is_file() { std::fs::read(run_file) } else { Err(std::io::ErrorKind::InvalidInput.into()) }
}

fn alive(run_file: &Path, pid: u32, answers: bool) -> Refusal {
    let file = run_file.display();
    if answers {
        let message =
            format!("cannot write to the database: the daemon is running as process {pid} ({file})");
        return Refusal::new("daemon-running", message, "stop the daemon, then say the same command again");
    }
    let message = format!(
        "cannot write to the database: {file} names process {pid}, which is alive, though no daemon answers for it"
    );
    let hint =
        format!("stop that process if it is the daemon; if it is another program by now, remove {file}");
    Refusal::new("daemon-running", message, hint)
}

fn unreadable(run_file: &Path, found: &str) -> Refusal {
    let message = format!("cannot tell whether the daemon is running: {}: {found}", run_file.display());
    let hint = format!("make sure that the daemon is stopped, then remove {}", run_file.display());
    Refusal::new("run-file-unreadable", message, hint)
}

/// Whether signal 0 reaches the process, or is refused for lack of permission.
#[cfg(unix)]
fn is_alive(pid: u32) -> bool {
    use rustix::process::{Pid, test_kill_process};
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    pid.is_some_and(|pid| !matches!(test_kill_process(pid), Err(rustix::io::Errno::SRCH)))
}

/// There is no asking from safe code here, so a run file counts as a running daemon.
#[cfg(not(unix))]
fn is_alive(_pid: u32) -> bool {
    true
}

/// Whether a daemon with this pid answers on the port.
fn answers_as(port: u16, pid: u32) -> bool {
    ask_health(port).is_ok_and(|answer| {
        let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        serde_json::from_str::<serde_json::Value>(body)
            .is_ok_and(|health| health.get("pid").and_then(serde_json::Value::as_u64) == Some(pid.into()))
    })
}

fn ask_health(port: u16) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(b"GET /healthz HTTP/1.0\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.take(64 << 10).read_to_string(&mut answer)?;
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(content: &str) -> Option<String> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("running.json");
        std::fs::write(&file, content).unwrap();
        must_not_run(&file).err().map(|refusal| refusal.code)
    }

    #[test]
    fn only_a_dead_daemon_lets_us_in() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        child.wait().unwrap();
        assert_eq!(refusal(&format!(r#"{{"pid": {}}}"#, child.id())), None, "a stale run file");
        assert_eq!(
            refusal(&format!(r#"{{"pid": {}}}"#, std::process::id())).as_deref(),
            Some("daemon-running")
        );
        assert_eq!(refusal(r#"{"pid": 1}"#).as_deref(), Some("daemon-running"), "not ours, but alive");
        assert_eq!(refusal("{").as_deref(), Some("run-file-unreadable"));
        assert_eq!(refusal(r#"{"port": 3001}"#).as_deref(), Some("run-file-unreadable"));
        must_not_run(Path::new("/nowhere/running.json")).unwrap();
    }
}
