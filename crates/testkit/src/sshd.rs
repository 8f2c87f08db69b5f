//! A stock sshd on a free port of the loopback, or at the other end of a network, with keys and a configuration of its
//! own.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::network::Network;

const PROGRAM: &str = "/usr/sbin/sshd";

/// A running sshd. It ends when this is dropped, and so does every connection to it.
#[derive(Debug)]
pub struct Sshd {
    folder: tempfile::TempDir,
    address: String,
    port: u16,
    child: Child,
}

impl Sshd {
    /// Starts one whose configuration ends with these lines.
    ///
    /// # Panics
    /// If there is no sshd on this machine, or it does not begin to listen.
    pub fn start(configuration: &[&str]) -> Self {
        Self::listening("127.0.0.1", Command::new(PROGRAM), configuration)
    }

    /// Starts one at the other end of a network.
    ///
    /// # Panics
    /// As [`start`](Self::start) does.
    pub fn on(network: &Network, configuration: &[&str]) -> Self {
        Self::listening(&network.address(), network.command(PROGRAM), configuration)
    }

    fn listening(address: &str, mut sshd: Command, configuration: &[&str]) -> Self {
        assert!(Path::new(PROGRAM).exists(), "there is no sshd here: install openssh-server");
        let folder = tempfile::Builder::new().prefix("sshd-").tempdir().expect("there is room for keys");
        // Whoever logs in reads there which keys he may show.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("the folder is ours");
        let _ = fs::create_dir_all("/run/sshd"); // where a privileged one drops its privileges
        for key in ["host_key", "user_key"] {
            make_key(&folder.path().join(key));
        }
        fs::copy(folder.path().join("user_key.pub"), folder.path().join("authorized_keys"))
            .expect("the key was made");
        let port = free_port();
        let at = |name: &str| folder.path().join(name).display().to_string();
        // Of several such lines only the first counts.
        let environment =
            configuration.iter().find_map(|line| line.strip_prefix("SetEnv ")).unwrap_or_default();
        let mut lines = vec![
            format!("Port {port}"),
            format!("ListenAddress {address}"),
            format!("HostKey {}", at("host_key")),
            format!("AuthorizedKeysFile {}", at("authorized_keys")),
            format!("PidFile {}", at("pid")),
            "UsePAM no".to_owned(),
            "StrictModes no".to_owned(),
            "PermitRootLogin prohibit-password".to_owned(),
            "PasswordAuthentication no".to_owned(),
            "KbdInteractiveAuthentication no".to_owned(),
            "LogLevel VERBOSE".to_owned(),
            "MaxStartups 100".to_owned(),
            // A bash that is not the first reads no .bashrc: what stands there is this machine's, and takes its time.
            format!("SetEnv SHLVL=2 {environment}"),
        ];
        lines.extend(configuration.iter().map(|&line| line.to_owned()));
        fs::write(folder.path().join("sshd_config"), lines.join("\n") + "\n").expect("the folder is ours");
        fs::write(
            folder.path().join("known_hosts"),
            known(address, port, &folder.path().join("host_key.pub")),
        )
        .expect("the folder is ours");
        let log = File::create(folder.path().join("log")).expect("the folder is ours");
        sshd.args(["-D", "-e", "-f"]).arg(folder.path().join("sshd_config"));
        let child =
            sshd.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().expect("it can be started");
        let sshd = Self { folder, address: address.to_owned(), port, child };
        sshd.wait_until_it_listens();
        sshd
    }

    fn wait_until_it_listens(&self) {
        let begun = Instant::now();
        while TcpStream::connect((self.address.as_str(), self.port)).is_err() {
            assert!(begun.elapsed() < Duration::from_mins(2), "sshd does not listen: {}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The address it listens on.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The private key that it lets in.
    pub fn identity(&self) -> PathBuf {
        self.folder.path().join("user_key")
    }

    /// The file that knows its key.
    pub fn known_hosts(&self) -> PathBuf {
        self.folder.path().join("known_hosts")
    }

    /// The same for a wire that leads to it from another port.
    ///
    /// # Panics
    /// If there is no room for it.
    pub fn known_hosts_at(&self, port: u16) -> PathBuf {
        let file = self.folder.path().join(format!("known_hosts-{port}"));
        fs::write(&file, known("127.0.0.1", port, &self.folder.path().join("host_key.pub")))
            .expect("the folder is ours");
        file
    }

    /// A folder of its own, for what a test wants to put beside its keys.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What it has said so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// How many connections it has let in.
    pub fn logins(&self) -> usize {
        self.log().lines().filter(|line| line.contains("Accepted publickey")).count()
    }

    /// Its connections stay, and nothing is heard on them any more; or again. Who calls anew is served.
    pub fn is_silent(&self, silent: bool) {
        Self::stand_still(&self.children(), silent);
    }

    /// Nothing at all is heard of it any more, whoever calls; or again.
    pub fn is_frozen(&self, frozen: bool) {
        Self::stand_still(&[vec![self.child.id()], self.children()].concat(), frozen);
    }

    fn stand_still(processes: &[u32], still: bool) {
        let signal = if still { "-STOP" } else { "-CONT" };
        for process in processes {
            let _ = Command::new("kill").args([signal, &process.to_string()]).status();
        }
    }

    /// The processes that serve its connections: for whom is not root there are two each.
    pub fn children(&self) -> Vec<u32> {
        let listing = Command::new("ps").args(["-e", "-o", "pid=,ppid=,comm="]).output();
        let listing = listing.expect("there is a ps").stdout;
        let mut serving = vec![self.child.id()];
        // A child has the higher number, but where numbers have begun anew.
        for line in BufReader::new(listing.as_slice()).lines().map_while(Result::ok) {
            let words: Vec<&str> = line.split_whitespace().collect();
            if let &[process, parent, name] = words.as_slice()
                && let (Ok(process), Ok(parent)) = (process.parse(), parent.parse())
                && name.starts_with("sshd")
                && serving.contains(&parent)
            {
                serving.push(process);
            }
        }
        serving.split_off(1)
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        for process in self.children() {
            let _ = Command::new("kill").args(["-KILL", &process.to_string()]).status();
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Makes a key pair: `path` and `path.pub`.
///
/// # Panics
/// If there is no `ssh-keygen`.
pub fn make_key(path: &Path) {
    let mut keygen = Command::new("ssh-keygen");
    keygen.args(["-q", "-t", "ed25519", "-N", "", "-C", "test", "-f"]).arg(path);
    assert!(keygen.status().expect("there is an ssh-keygen").success());
}

fn known(address: &str, port: u16, key: &Path) -> String {
    format!("[{address}]:{port} {}", fs::read_to_string(key).expect("the key was made"))
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("there is a loopback");
    listener.local_addr().expect("it is bound").port()
}
