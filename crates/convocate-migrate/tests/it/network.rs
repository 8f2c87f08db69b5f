//! The networks there are: cut in the middle, silent, slow, and losing what they carry.

use std::fs;
use std::process::Output;
use std::time::{Duration, Instant};

use testkit::network::Network;
use testkit::tree::Tree;

use crate::hosts::{AGENT, Hosts, owner, said, session_user, uuid};

const FILES: usize = 24;
const SIZE: usize = 500_000;

/// An agent behind a network, and a session of twelve megabytes.
fn apart() -> (Network, Hosts) {
    session_user();
    let network = Network::new();
    let hosts = Hosts::on(&network, 1);
    for n in 0..FILES {
        let mut noise = n as u64 + 1;
        let mut next = || {
            noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            noise.to_be_bytes()[0]
        };
        let content: Vec<u8> = (0..SIZE).map(|_| next()).collect();
        fs::write(hosts.shell().join(uuid(0)).join(format!("part {n:02}")), content).unwrap();
    }
    (network, hosts)
}

/// How much has arrived in the staging folder.
fn arrived(hosts: &Hosts) -> u64 {
    let staged = hosts.agent().join(format!(".incoming-{0}/{0}", uuid(0)));
    let Ok(files) = fs::read_dir(staged) else { return 0 };
    files.map_while(Result::ok).filter_map(|file| Some(file.metadata().ok()?.len())).sum()
}

fn begin(hosts: &Hosts, transport: &str) -> Output {
    hosts.tool(&["--agent", AGENT, "--all", "--transport", transport]).run()
}

/// What a lost link leaves, and how the run goes on, if it is told to, and is taken back.
fn goes_on(network: &Network, hosts: &Hosts, before: &[Tree; 2], stopped: &Output, resumed: bool) {
    assert_eq!(stopped.status.code(), Some(1), "{}", said(stopped));
    let text = said(stopped);
    assert!(text.contains("the link to root@") && text.contains(" was lost"), "{text}");
    assert!(text.contains("convocate-migrate resume"), "{text}");
    assert!(!hosts.agent().join(uuid(0)).exists(), "half a session is visible");
    before[0].assert_same(&Tree::of(&hosts.shell()).without(&[&format!("{}.lock", uuid(0))]), "the source");

    let (had, begun) = (arrived(hosts), network.carried());
    assert!(had > 3_000_000, "{had} bytes had arrived");
    if resumed {
        hosts.expect(0, &["resume"]);
        let (sent, missing) = (network.carried() - begun, (FILES * SIZE) as u64 - had);
        assert!(sent < missing + 1_500_000, "{sent} bytes were sent, {missing} were missing");
    } else {
        hosts.expect(0, &["undo"]);
    }
    hosts.sshd.is_silent(false); // whoever was still at work on what had been sent before is of no account
    std::thread::sleep(Duration::from_secs(1));
    if resumed {
        hosts.expect(0, &["verify"]);
        hosts.expect(0, &["undo"]);
    }
    for (was, is) in before.iter().zip(hosts.both()) {
        was.assert_same(&is, "undone");
    }
}

/// From one moment to the next nothing arrives any more, and nobody says so.
fn cut(transport: &str) {
    let (network, hosts) = apart();
    let before = hosts.both();
    network.cuts_after(6_000_000);
    let stopped = begin(&hosts, transport);
    network.is_mended();
    goes_on(&network, &hosts, &before, &stopped, transport == "openssh");
}

/// The machine at the other end hangs, and its network goes on.
fn silent(transport: &str) {
    let (network, hosts) = apart();
    let before = hosts.both();
    network.is_slow(2_000_000);
    let (stopped, silence) = std::thread::scope(|scope| {
        let run = scope.spawn(|| begin(&hosts, transport));
        while arrived(&hosts) < 4_000_000 {
            assert!(!run.is_finished(), "it was to be slow");
            std::thread::sleep(Duration::from_millis(20));
        }
        hosts.sshd.is_silent(true);
        let begun = Instant::now();
        (run.join().unwrap(), begun.elapsed())
    });
    assert!(silence < Duration::from_secs(35), "it was noticed after {silence:?}");
    goes_on(&network, &hosts, &before, &stopped, transport == "libssh2");
}

/// Every packet may be lost, and none is in a hurry.
fn bad(transport: &str) {
    let (network, hosts) = apart();
    network.is_slow(8_000_000);
    network.is_lossy(0.02);
    let session = Tree::of(&hosts.shell().join(uuid(0)));
    let moved = begin(&hosts, transport);
    assert_eq!(moved.status.code(), Some(0), "{transport}: {}", said(&moved));
    let place = hosts.agent().join(uuid(0));
    let difference = session.difference(&Tree::of(&place));
    assert_eq!(difference.lines().count(), 1, "only the stamp differs: {difference}");
    assert_eq!(owner(&place.join("part 00")), "claude");
}

/// Side by side: all of them wait rather than work.
fn at_once(acts: &[fn(&str)]) {
    std::thread::scope(|scope| {
        for transport in ["openssh", "libssh2"] {
            for act in acts {
                scope.spawn(move || act(transport));
            }
        }
    });
}

#[test]
fn a_link_that_is_cut_or_silent_in_mid_stream_stops_the_run_which_sends_only_the_rest_or_is_taken_back() {
    at_once(&[cut, silent]);
}

#[test]
fn over_a_slow_link_that_loses_packets_all_of_it_arrives() {
    at_once(&[bad]);
}
