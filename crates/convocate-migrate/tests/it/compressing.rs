//! What is compressed on its way is the same where it arrives.

use std::fs;
use std::path::{Path, PathBuf};

use testkit::crash::Blow;
use testkit::network::Network;
use testkit::sshd::Sshd;
use testkit::tree::Tree;

use crate::hosts::{AGENT, Hosts, session_user, uuid};

/// Gives a session a long file.
fn says_much(hosts: &Hosts, n: usize, lines: usize) {
    let long = hosts.shell().join(uuid(n)).join("long");
    fs::write(long, "what people say, again and again\n".repeat(lines)).unwrap();
}

/// A session with a long file, moved like this. What went over the link, in bytes.
fn sent(hosts: &Hosts, n: usize, how: &str, lines: usize) -> u64 {
    says_much(hosts, n, lines);
    let before = Tree::of(&hosts.shell().join(uuid(n)));
    let report = hosts.moves(0, &["--session", &uuid(n), "--compress", how]);
    let difference = before.difference(&Tree::of(&hosts.agent().join(uuid(n))));
    assert_eq!(difference.lines().count(), 1, "only the stamp differs: {difference}");
    let run = runs(hosts).find(|run| report.contains(run.file_name().unwrap().to_str().unwrap())).unwrap();
    delivered(&run).unwrap()
}

fn runs(hosts: &Hosts) -> impl Iterator<Item = PathBuf> {
    let runs = fs::read_dir(hosts.folder.path().join("state/runs")).unwrap();
    runs.map(|run| run.unwrap().path())
}

/// What a run has noted of its delivery.
fn delivered(folder: &Path) -> Option<u64> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).find_map(|path| {
        if path.is_dir() {
            return delivered(&path);
        }
        let noted: serde_json::Value = serde_json::from_slice(&fs::read(&path).ok()?).ok()?;
        noted["sent"].as_u64()
    })
}

#[test]
fn what_is_compressed_arrives_the_same_by_far_fewer_bytes() {
    session_user();
    let hosts = Hosts::with(3);
    let [plain, zipped, left_to_it] = [
        sent(&hosts, 0, "never", 100_000),
        sent(&hosts, 1, "gzip", 100_000),
        sent(&hosts, 2, "auto", 100_000), // so little that nobody measures
    ];
    assert!(plain > 3_000_000 && zipped < plain / 20, "{zipped} bytes instead of {plain}");
    assert_eq!(left_to_it / 100_000, plain / 100_000);
}

#[test]
fn a_run_that_goes_on_compresses_as_it_began_unless_it_is_told_otherwise() {
    session_user();
    let hosts = Hosts::with(1);
    let id = uuid(0);
    let words = ["--agent", AGENT, "--session", &id, "--compress", "gzip"];
    let effects = hosts.tool(&words).effects();
    let begins = effects.iter().filter(|effect| effect.is("fdatasync", "/journal>")).nth(1).unwrap();
    for (more, is_compressed) in [(&[][..], true), (&["--compress", "never"], false)] {
        hosts.begin_again(1);
        says_much(&hosts, 0, 100_000);
        hosts.tool(&words).run_struck(begins, Blow::Kill);
        assert!(!hosts.agent().join(&id).exists());
        hosts.expect(0, &[&["resume"], more].concat());
        let sent = delivered(&runs(&hosts).next().unwrap()).unwrap();
        assert_eq!(sent < 200_000, is_compressed, "{sent} bytes with {more:?}");
    }
}

#[test]
fn much_is_compressed_where_the_link_is_slow() {
    session_user();
    let network = Network::new();
    network.is_slow(8_000_000);
    let sent = sent(&Hosts::on(&network, 1), 0, "auto", 600_000);
    assert!(sent < 2_000_000, "{sent} bytes of twenty million");
}

#[test]
fn an_agent_without_gzip_gets_it_as_it_is_and_that_is_said() {
    session_user();
    let mut hosts = Hosts::with(1);
    let programs = hosts.folder.path().join("programs");
    fs::create_dir(&programs).unwrap();
    for program in ["/usr/bin", "/usr/sbin"].iter().flat_map(|folder| fs::read_dir(folder).unwrap()) {
        let path = program.unwrap().path();
        let _ = std::os::unix::fs::symlink(&path, programs.join(path.file_name().unwrap()));
    }
    fs::remove_file(programs.join("gzip")).unwrap();
    let with_those = format!("PATH={}; eval \"$SSH_ORIGINAL_COMMAND\"", programs.display());
    hosts.sshd = Sshd::start(&[&format!("ForceCommand {with_those}")]);
    let registered = hosts.keys().join(AGENT);
    fs::copy(hosts.sshd.identity(), registered.join("shell_to_agent_ed25519_key")).unwrap();
    fs::write(registered.join("agent-host"), format!("root@127.0.0.1:{}\n", hosts.sshd.port())).unwrap();
    let report = hosts.moves(0, &["--all", "--compress", "gzip"]);
    assert!(report.contains("[no-gzip]") && hosts.agent().join(uuid(0)).exists(), "{report}");
}
