//! The names of sessions, as a real dnsmasq tells them.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use session_control::{DnsError, DnsHosts, Dnsmasq, Told};

use crate::cluster::{Shell, as_nobody, session};

const UUID: &str = "3f0c1d2e-5b6a-4c7d-8e9f-0a1b2c3d4e5f";
const OTHER: &str = "9a8b7c6d-1e2f-4a3b-8c4d-5e6f7a8b9c0d";

/// A dnsmasq that reads a file of names, as its configuration says.
struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    fn reading(hosts: &Path, folder: &Path) -> Self {
        let port = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let drop_ins = folder.join("dnsmasq.d");
        fs::create_dir(&drop_ins).unwrap();
        let line = format!("# Managed by convocate. Do not edit.\naddn-hosts={}\n", hosts.display());
        fs::write(drop_ins.join("convocate.conf"), line).unwrap();
        let child = Command::new("dnsmasq")
            .args(["--keep-in-foreground", "--bind-interfaces", "--listen-address=127.0.0.1", "--no-hosts"])
            .args(["--no-resolv", "--user=root", "--pid-file=", "--domain=test", "--expand-hosts"])
            .arg(format!("--port={port}"))
            .arg(format!("--conf-dir={},.dpkg-old", drop_ins.display()))
            .stderr(Stdio::null())
            .spawn()
            .expect("there is a dnsmasq here: install dnsmasq-base");
        let server = Self { child, address: (Ipv4Addr::LOCALHOST, port).into() };
        server.until("nobody", None);
        server
    }

    /// What it says to this name: an address, or that there is none.
    fn ask(&self, name: &str) -> io::Result<Option<Ipv4Addr>> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
        let mut question = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0".to_vec();
        for label in name.split('.') {
            question.push(u8::try_from(label.len()).unwrap());
            question.extend(label.as_bytes());
        }
        question.extend(b"\0\0\x01\0\x01");
        socket.send_to(&question, self.address).unwrap();
        let mut answer = [0; 512];
        let len = socket.recv(&mut answer)?;
        // One answer, an address, is the last thing in it.
        let address: [u8; 4] = answer[len - 4..len].try_into().unwrap();
        Ok((answer[7] == 1).then(|| address.into()))
    }

    #[track_caller]
    fn until(&self, name: &str, expected: Option<Ipv4Addr>) {
        let begun = Instant::now();
        loop {
            let said = self.ask(name);
            if said.as_ref().is_ok_and(|said| *said == expected) {
                return;
            }
            assert!(begun.elapsed() < Duration::from_mins(2), "{name}: {said:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn hosts(shell: &Shell) -> DnsHosts {
    let folder = shell.folder.path().join("lib");
    fs::create_dir(&folder).unwrap();
    DnsHosts::at(folder.join("dnsmasq-hosts"))
}

/// What stands there, line by line.
fn lines(hosts: &DnsHosts) -> Vec<String> {
    let text = fs::read_to_string(hosts.path()).unwrap();
    assert!(text.ends_with('\n') || text.is_empty());
    text.lines().map(str::to_owned).collect()
}

#[test]
fn a_session_is_found_by_its_name_after_a_sync_and_no_more_when_it_is_gone() {
    let shell = Shell::new();
    let hosts = hosts(&shell);
    fs::write(hosts.path(), "").unwrap();
    let server = Server::reading(hosts.path(), shell.folder.path());
    let (cluster, base) = (shell.cluster(), shell.agents[0].base());
    session(&base, UUID, "billing", "2026-03-02T17:00:00Z", "Billing");
    session(&shell.folder.path().join("base"), OTHER, "old", "2026-03-02T17:00:00Z", "old");
    server.until("billing", None);
    let synced = hosts.sync(&cluster, &cluster.survey(), &[]).unwrap();
    assert_eq!((synced.records.len(), synced.kept.len(), synced.left_out.len()), (1, 0, 0));
    assert_eq!(lines(&hosts), ["# Managed by convocate. Do not edit by hand.", "127.0.0.1\tBilling"]);
    let mode = fs::metadata(hosts.path()).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o644);

    let told = Dnsmasq::default().reread(hosts.path());
    assert_eq!(told, Told::Processes(vec![server.child.id()]), "and no other dnsmasq of this machine");
    for name in ["billing", "BILLING.test"] {
        server.until(name, Some(Ipv4Addr::LOCALHOST));
    }
    server.until("old", None);

    fs::remove_dir_all(base.join(UUID)).unwrap();
    hosts.sync(&cluster, &cluster.survey(), &[]).unwrap();
    assert_eq!(lines(&hosts), ["# Managed by convocate. Do not edit by hand."]);
    Dnsmasq::default().reread(hosts.path());
    server.until("billing", None);
    let left: Vec<_> = fs::read_dir(hosts.path().parent().unwrap()).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[test]
fn an_agent_that_is_down_keeps_its_names() {
    let shell = Shell::new();
    let hosts = hosts(&shell);
    session(&shell.agents[0].base(), UUID, "web", "2026-03-02T17:00:00Z", "web");
    session(&shell.agents[0].base(), OTHER, "odd", "2026-03-02T17:00:00Z", "a\tb\n10.0.0.1 c");
    fs::write(
        hosts.path(),
        "# Managed by convocate. Do not edit by hand.\n127.0.0.1\tbilling\n127.0.0.1\tWEB\n192.0.2.7\tgone\nx\n",
    )
    .unwrap();
    shell.agents[1].agent.answers("list", "");
    let cluster = shell.cluster();
    let synced = hosts.sync(&cluster, &cluster.survey(), &[]).unwrap();
    // Both agents have this address; a name that is given anew is its new session's, and the third host is nobody's.
    assert_eq!(
        lines(&hosts),
        ["# Managed by convocate. Do not edit by hand.", "127.0.0.1\tbilling", "127.0.0.1\tweb"]
    );
    assert_eq!(synced.kept.iter().map(|record| &*record.name).collect::<Vec<_>>(), ["billing"]);
    let left_out = &synced.left_out[0];
    assert_eq!(left_out.session, OTHER);
    assert!(left_out.reason.starts_with("DNS name contains invalid character"), "{}", left_out.reason);

    shell.agents[1].agent.answers_by_itself("list");
    let synced = hosts.sync(&cluster, &cluster.survey(), &[]).unwrap();
    assert_eq!((synced.records.len(), synced.kept.len()), (1, 0));
}

#[test]
fn a_name_that_was_given_up_is_not_kept_for_another_at_the_same_address() {
    let shell = Shell::new();
    let hosts = hosts(&shell);
    session(&shell.agents[0].base(), UUID, "web", "2026-03-02T17:00:00Z", "new");
    let cluster = shell.cluster();
    let then = |silent: &[usize], given_up: &[&str]| {
        fs::write(hosts.path(), "127.0.0.1\tbilling\n127.0.0.1\tOld\n").unwrap();
        for agent in shell.agents.iter().map(|far| &far.agent) {
            agent.answers("list", "");
            agent.answers_by_itself("list");
        }
        for &at in silent {
            shell.agents[at].agent.answers("list", "");
        }
        let synced = hosts.sync(&cluster, &cluster.survey(), given_up).unwrap();
        synced.records.into_iter().map(|record| record.name).collect::<Vec<_>>()
    };
    assert_eq!(then(&[1], &[]), ["Old", "billing", "new"], "it may be either's");
    assert_eq!(then(&[1], &["old"]), ["billing", "new"]);
    // Nobody there has said that it is not his.
    assert_eq!(then(&[0, 1], &["old"]), ["Old", "billing"]);
    assert_eq!(then(&[], &[]), ["new"]);
}

#[test]
fn of_several_that_write_names_at_once_none_spoils_the_file() {
    let shell = Shell::new();
    let hosts = hosts(&shell);
    session(&shell.agents[0].base(), UUID, "web", "2026-03-02T17:00:00Z", "web");
    let cluster = shell.cluster();
    let survey = cluster.survey();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..10).for_each(|_| drop(hosts.sync(&cluster, &survey, &[]).unwrap())));
        }
        for _ in 0..200 {
            let found = fs::read_to_string(hosts.path()).unwrap_or_default();
            assert!(found.is_empty() || found.ends_with("127.0.0.1\tweb\n"), "{found}");
        }
    });
    let left: Vec<_> = fs::read_dir(hosts.path().parent().unwrap()).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[test]
fn where_names_have_no_place_none_are_written_and_that_is_told() {
    let shell = Shell::new();
    let cluster = shell.cluster();
    let folder = shell.folder.path().join("lib");
    let nowhere = DnsHosts::at(folder.join("dnsmasq-hosts"));
    let error = nowhere.sync(&cluster, &cluster.survey(), &[]).unwrap_err();
    assert!(matches!(&error, DnsError::NoFolder(path) if *path == folder), "{error}");
    assert_eq!(error.code(), "no-dns-folder");

    let place = |name: &str| shell.folder.path().join(name).join("dnsmasq-hosts").display().to_string();
    let (new, old) = (place("convocate"), place("claude-shell"));
    let found = || DnsHosts::find(&[&new, &old]).path().to_owned();
    assert_eq!(found(), PathBuf::from(&new));
    fs::create_dir(shell.folder.path().join("claude-shell")).unwrap();
    assert_eq!(found(), PathBuf::from(&old));
    fs::create_dir(shell.folder.path().join("convocate")).unwrap();
    assert_eq!(found(), PathBuf::from(&new));
}

#[test]
fn where_no_dnsmasq_reads_the_names_none_is_disturbed() {
    let shell = Shell::new();
    let another = shell.folder.path().join("another");
    fs::write(&another, "").unwrap();
    let server = Server::reading(&another, shell.folder.path());
    let hosts = hosts(&shell);
    let pid_file = shell.folder.path().join("pid");
    fs::write(&pid_file, server.child.id().to_string()).unwrap();
    let dnsmasq = Dnsmasq { pid_files: vec![pid_file], ..Dnsmasq::default() };
    assert_eq!(dnsmasq.reread(hosts.path()), Told::NoneRuns);
    // Where processes are not to be seen, the file with its id has to do.
    let unseen = Dnsmasq { processes: shell.folder.path().join("unseen"), ..dnsmasq };
    assert_eq!(unseen.reread(hosts.path()), Told::Processes(vec![server.child.id()]));
}

/// Told by this test, run by somebody who may not signal: it names a file with a process's id.
const SIGNAL: &str = "REHOME_TEST_SIGNAL";

#[test]
fn who_may_not_tell_dnsmasq_is_told_what_to_type() {
    if let Some(file) = std::env::var_os(SIGNAL) {
        let pid = fs::read_to_string(&file).unwrap().parse().unwrap();
        let (processes, pid_files) = ("/nowhere".into(), vec![PathBuf::from(file)]);
        let dnsmasq = Dnsmasq { processes, pid_files, ..Dnsmasq::default() };
        let command = format!("sudo kill -HUP {pid}");
        assert_eq!(dnsmasq.reread(Path::new("/names")), Told::NotPermitted { pid, command });
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let names = folder.path().join("names");
    fs::write(&names, "").unwrap();
    let server = Server::reading(&names, folder.path());
    let file = folder.path().join("pid");
    fs::write(&file, server.child.id().to_string()).unwrap();
    as_nobody(folder.path(), "who_may_not_tell_dnsmasq", SIGNAL, &file);
}
