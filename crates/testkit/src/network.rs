//! A network between this machine and a namespace of its own, which can be made as bad as networks are.

use std::fs;
use std::io::Read;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// A namespace at the other end of a pair of virtual cables. It lives as long as this, or the test's process.
#[derive(Debug)]
pub struct Network {
    name: String,
    number: u32,
    /// Whoever lives in the namespace keeps it; its standard input is what keeps him.
    tenant: Child,
}

/// How many there may be at a time, each with four addresses of its own.
const NETWORKS: u32 = 1 << 14;

impl Network {
    /// Lays one.
    ///
    /// # Panics
    /// If this machine gives no namespaces: run as root, with iproute2 and iptables installed.
    pub fn new() -> Self {
        for (program, package) in [("ip", "iproute2"), ("tc", "iproute2"), ("iptables", "iptables")] {
            assert!(Command::new(program).arg("-V").output().is_ok(), "no {program} here: install {package}");
        }
        let mut network = Self { name: String::new(), number: 0, tenant: tenant() };
        network.claim();
        let [here, there] = [1, 2].map(|host| format!("{}/30", network.host(host)));
        run(&["ip", "address", "add", &here, "dev", &network.name]);
        run(&["ip", "link", "set", &network.name, "up"]);
        network.run(&["ip", "address", "add", &there, "dev", "uplink"]);
        network.run(&["ip", "link", "set", "uplink", "up"]);
        network.run(&["ip", "link", "set", "lo", "up"]);
        network
    }

    /// Takes a number that nobody has: of two that want one, the system gives it to one.
    fn claim(&mut self) {
        let tenant = self.tenant.id().to_string();
        for number in (0..NETWORKS).map(|number| (number + self.tenant.id()) % NETWORKS) {
            (self.name, self.number) = (format!("rehome{number}"), number);
            let cables = ["type", "veth", "peer", "name", "uplink", "netns", &tenant];
            let laid = Command::new("ip").args(["link", "add", &self.name]).args(cables).output();
            let laid = laid.expect("there is an ip");
            if laid.status.success() {
                return;
            }
            let said = String::from_utf8_lossy(&laid.stderr);
            assert!(said.contains("File exists"), "no network can be laid: {said}");
        }
        panic!("every number is taken");
    }

    fn host(&self, host: u32) -> String {
        format!("10.201.{}.{}", self.number / 64, self.number % 64 * 4 + host)
    }

    /// The address at the other end.
    pub fn address(&self) -> String {
        self.host(2)
    }

    /// A command that works at the other end.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/proc/{}/ns/net", self.tenant.id())).arg("--").arg(program);
        command
    }

    fn run(&self, words: &[&str]) {
        done(self.command(words[0]).args(&words[1..]));
    }

    /// From now on it carries so many bytes a second each way, and each of them arrives late.
    pub fn is_slow(&self, bytes_a_second: u64) {
        let rate = format!("{}bit", bytes_a_second * 8);
        let shape = ["root", "tbf", "rate", &rate, "burst", "64kb", "latency", "200ms"];
        run(&[&["tc", "qdisc", "replace", "dev", &self.name][..], &shape].concat());
        self.run(&[&["tc", "qdisc", "replace", "dev", "uplink"][..], &shape].concat());
    }

    /// From now on it loses this part of all packets, both ways.
    pub fn is_lossy(&self, part: f64) {
        let part = part.to_string();
        self.drops(&["-m", "statistic", "--mode", "random", "--probability", &part]);
    }

    /// Connections that begin from now on are cut without a word once so many bytes have gone over them.
    pub fn cuts_after(&self, bytes: u64) {
        let bytes = format!("{bytes}:");
        let carried = ["--connbytes", &bytes, "--connbytes-dir", "both", "--connbytes-mode", "bytes"];
        self.drops(&[&["-p", "tcp", "-m", "connbytes"], &carried[..]].concat());
    }

    fn drops(&self, what: &[&str]) {
        for chain in ["INPUT", "OUTPUT"] {
            self.run(&[&["iptables", "-A", chain], what, &["-j", "DROP"]].concat());
        }
    }

    /// It loses and cuts nothing any more.
    pub fn is_mended(&self) {
        self.run(&["iptables", "-F"]);
    }

    /// How many bytes have gone to the other end, with all that a network puts around them.
    pub fn carried(&self) -> u64 {
        let counter = PathBuf::from(format!("/sys/class/net/{}/statistics/tx_bytes", self.name));
        fs::read_to_string(counter).unwrap().trim().parse().unwrap()
    }
}

impl Default for Network {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["link", "delete", &self.name]).output();
        let _ = self.tenant.kill();
        let _ = self.tenant.wait();
    }
}

/// Somebody in a new namespace who does nothing, until nobody holds his standard input any more.
fn tenant() -> Child {
    let mut unshare = Command::new("unshare");
    unshare.args(["--net", "--", "sh", "-c", "echo here; exec cat"]);
    let mut tenant =
        unshare.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("there is an unshare");
    let mut said = [0; 5];
    let moved_in = tenant.stdout.as_mut().expect("it is piped").read_exact(&mut said);
    assert!(moved_in.is_ok(), "this machine gives no namespace: run as root");
    tenant
}

fn run(words: &[&str]) {
    done(Command::new(words[0]).args(&words[1..]));
}

fn done(command: &mut Command) {
    let output = command.output().expect("it can be started");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
