//! A container engine of its own: its socket, its network, its images and its containers are nobody else's.

mod image;

use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use image::Image;

/// The image that every engine has.
pub const IMAGE: &str = "convocate:latest";

/// What `claude` is in the sessions of tests: every line that it is told it keeps in the session's home, and says again.
/// `/exit` ends it, and the session with it.
const CLAUDE: &str = r#"#!/bin/sh
echo "claude $*" >> "$HOME/claude-ran"
printf 'Claude listens.\n> '
while IFS= read -r line; do
    printf '%s\n' "$line" >> "$HOME/claude-heard"
    [ "$line" != /exit ] || exit 0
    printf 'heard: %s\n> ' "$line"
done
"#;

/// A running engine. It ends when this is dropped, and so does every container of it.
#[derive(Debug)]
pub struct Docker {
    folder: tempfile::TempDir,
    child: Child,
}

impl Docker {
    /// Starts one whose image is a busybox: its containers do nothing.
    ///
    /// # Panics
    /// If this machine has none, or it does not begin to answer within minutes.
    pub fn start() -> Self {
        let docker = Self::engine();
        docker.import(&Image::busybox(docker.folder()));
        docker
    }

    /// Starts one in whose containers sessions live as on an agent: with a user, sudo, tmux, and [`claude`](Self::claude)
    /// in it.
    ///
    /// # Panics
    /// As [`start`](Self::start) does, and if its image cannot be made: the first time that takes half a minute.
    pub fn with_sessions() -> Self {
        let image = Image::sessions();
        let docker = Self::engine();
        docker.import(&image);
        fs::write(docker.claude(), CLAUDE).unwrap();
        fs::set_permissions(docker.claude(), fs::Permissions::from_mode(0o755)).unwrap();
        docker
    }

    /// In a network of its own: what it publishes and forbids there is nobody else's.
    fn engine() -> Self {
        for (program, package) in
            [("dockerd", "docker.io"), ("busybox", "busybox-static"), ("ip", "iproute2")]
        {
            let is_there = Command::new("which").arg(program).stdout(Stdio::null()).status();
            assert!(is_there.is_ok_and(|it| it.success()), "there is no {program} here: install {package}");
        }
        let folder = tempfile::Builder::new().prefix("dockerd-").tempdir().expect("there is room");
        // Whoever is in a session runs what is mounted from here.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("the folder is ours");
        let at = |name: &str| folder.path().join(name);
        let log = File::create(at("log")).expect("the folder is ours");
        let mut dockerd = Command::new("unshare");
        dockerd.args(["--net", "--", "sh", "-c", "ip link set lo up && exec dockerd \"$@\"", "sh"]);
        dockerd.arg("--host").arg(format!("unix://{}", at("socket").display()));
        dockerd.arg("--data-root").arg(at("data")).arg("--exec-root").arg(at("exec"));
        dockerd.arg("--pidfile").arg(at("pid"));
        dockerd.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let child = dockerd.spawn().expect("it can be started: run as root");
        let docker = Self { folder, child };
        docker.wait_until_it_answers();
        docker
    }

    fn wait_until_it_answers(&self) {
        let begun = Instant::now();
        while !self.try_run(&["version"]).status.success() {
            assert!(begun.elapsed() < Duration::from_mins(5), "dockerd does not answer: {}", self.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn import(&self, image: &Image) {
        let changes: Vec<String> = image.changes.iter().map(|change| format!("--change={change}")).collect();
        let mut words = vec!["import"];
        words.extend(changes.iter().map(String::as_str));
        let tar = image.tar.display().to_string();
        words.extend([tar.as_str(), IMAGE]);
        self.run(&words);
    }

    /// The `claude` of its sessions, for `/usr/local/bin/claude`. What it is told stands in `claude-heard` of the
    /// session's home.
    pub fn claude(&self) -> PathBuf {
        self.folder.path().join("claude")
    }

    /// Where it listens.
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("socket")
    }

    /// What `DOCKER_HOST` has to be for the command line to mean this one.
    pub fn host(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    /// What it has said so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// A command of its command line, and what that printed.
    ///
    /// # Panics
    /// If it fails.
    #[track_caller]
    pub fn run(&self, words: &[&str]) -> String {
        let output = self.try_run(words);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "docker {words:?}: {said}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    fn try_run(&self, words: &[&str]) -> Output {
        Command::new("docker")
            .env("DOCKER_HOST", self.host())
            .args(words)
            .output()
            .expect("there is a docker")
    }

    /// A container of this name that sees `FOLDER:PLACE[:ro]`, and does nothing.
    pub fn container(&self, name: &str, volumes: &[&str]) {
        let mut words = vec!["run", "--rm", "--detach", "--network=none", "--name", name];
        words.extend(volumes.iter().flat_map(|volume| ["--volume", volume]));
        words.push(IMAGE);
        self.run(&words);
    }

    /// A session's container of this name, started as an agent starts it, with this folder as its home, which belongs to
    /// whom it is made to belong to there. It can be attached to when this returns.
    ///
    /// # Panics
    /// If it does not come up.
    pub fn session(&self, name: &str, home: &Path, published: &[&str]) {
        self.begins(name, home, published);
        self.wait_for_tmux(name);
    }

    /// The same, which may not have come up yet.
    ///
    /// # Panics
    /// If it cannot be started.
    pub fn begins(&self, name: &str, home: &Path, published: &[&str]) {
        let owner = fs::metadata(home).expect("there is a home");
        let [uid, gid] =
            [("UID", owner.uid()), ("GID", owner.gid())].map(|(it, id)| format!("CLAUDE_{it}={id}"));
        let volumes = [
            format!("{}:/home/claude", home.display()),
            format!("{}:/usr/local/bin/claude:ro", self.claude().display()),
        ];
        let mut words = vec!["run", "--rm", "--detach", "--name", name, "-w", "/home/claude"];
        words.extend(volumes.iter().flat_map(|volume| ["-v", volume]));
        words.extend(published.iter().flat_map(|port| ["-p", port]));
        words.extend(["-e", &uid, "-e", &gid, IMAGE]);
        self.run(&words);
    }

    /// Waits until somebody can attach to the session in this container.
    ///
    /// # Panics
    /// If that is never so.
    pub fn wait_for_tmux(&self, name: &str) {
        let begun = Instant::now();
        while !self
            .try_run(&["exec", name, "sudo", "-u", "claude", "--", "tmux", "has-session", "-t", "claude"])
            .status
            .success()
        {
            assert!(begun.elapsed() < Duration::from_mins(1), "no session in {name}: {}", self.said_in(name));
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn said_in(&self, name: &str) -> String {
        let logs = self.try_run(&["logs", name]);
        String::from_utf8_lossy(&[logs.stdout, logs.stderr].concat()).into_owned()
    }

    /// What the tmux in this container says to this.
    ///
    /// # Panics
    /// If it fails.
    #[track_caller]
    pub fn tmux(&self, name: &str, words: &[&str]) -> String {
        self.run(&[&["exec", name, "sudo", "-u", "claude", "--", "tmux"], words].concat())
    }

    /// A command in its network, where its containers' ports are published.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/proc/{}/ns/net", self.child.id())).arg("--").arg(program);
        command
    }

    /// It goes on listening, and answers nothing any more.
    pub fn freezes(&self) {
        self.signal("STOP");
    }

    fn signal(&self, signal: &str) {
        let _ = Command::new("kill").arg(format!("-{signal}")).arg(self.child.id().to_string()).status();
    }

    /// The folder that is its own, for what a test wants to put beside it.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Docker {
    fn drop(&mut self) {
        self.signal("CONT");
        let left = self.try_run(&["ps", "--all", "--quiet"]).stdout;
        for container in String::from_utf8_lossy(&left).split_whitespace() {
            let _ = self.try_run(&["rm", "--force", container]);
        }
        self.signal("TERM");
        let begun = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) && begun.elapsed() < Duration::from_secs(30) {
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
