//! A container engine of its own: its socket, its images and its containers are nobody else's.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// The image that every engine has: busybox, with the start of a session's container.
pub const IMAGE: &str = "convocate:latest";

/// Makes the user that the container is told of, gives it its home (the folder alone), and lives on.
const ENTRYPOINT: &str = "#!/bin/sh
echo \"claude:x:$CLAUDE_UID:$CLAUDE_GID::/home/claude:/bin/sh\" >> /etc/passwd
echo \"claude:x:$CLAUDE_GID:\" >> /etc/group
chown \"$CLAUDE_UID:$CLAUDE_GID\" /home/claude
exec \"$@\"
";

const APPLETS: [&str; 9] = ["sh", "sleep", "chown", "cat", "find", "id", "ls", "su", "test"];

/// A running engine. It ends when this is dropped, and so does every container of it.
#[derive(Debug)]
pub struct Docker {
    folder: tempfile::TempDir,
    child: Child,
}

impl Docker {
    /// Starts one.
    ///
    /// # Panics
    /// If this machine has none, or it does not begin to answer within minutes.
    pub fn start() -> Self {
        for (program, package) in [("dockerd", "docker.io"), ("busybox", "busybox-static")] {
            let is_there = Command::new("which").arg(program).stdout(Stdio::null()).status();
            assert!(is_there.is_ok_and(|it| it.success()), "there is no {program} here: install {package}");
        }
        let folder = tempfile::Builder::new().prefix("dockerd-").tempdir().expect("there is room");
        let at = |name: &str| folder.path().join(name);
        let log = File::create(at("log")).expect("the folder is ours");
        let mut dockerd = Command::new("dockerd");
        dockerd.arg("--host").arg(format!("unix://{}", at("socket").display()));
        dockerd.arg("--data-root").arg(at("data")).arg("--exec-root").arg(at("exec"));
        dockerd.arg("--pidfile").arg(at("pid"));
        dockerd.args(["--iptables=false", "--ip6tables=false", "--bridge=none"]);
        dockerd.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let child = dockerd.spawn().expect("it can be started: run as root");
        let docker = Self { folder, child };
        docker.wait_until_it_answers();
        docker.import();
        docker
    }

    fn wait_until_it_answers(&self) {
        let begun = Instant::now();
        while !self.try_run(&["version"]).status.success() {
            assert!(begun.elapsed() < Duration::from_mins(5), "dockerd does not answer: {}", self.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn import(&self) {
        let root = self.folder.path().join("root");
        for folder in ["bin", "etc", "home/claude", "tmp", "usr/local/bin"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        let busybox = Command::new("which").arg("busybox").output().unwrap().stdout;
        fs::copy(String::from_utf8(busybox).unwrap().trim(), root.join("bin/busybox")).unwrap();
        for applet in APPLETS {
            symlink("busybox", root.join("bin").join(applet)).unwrap();
        }
        fs::write(root.join("etc/passwd"), "root:x:0:0::/:/bin/sh\n").unwrap();
        fs::write(root.join("etc/group"), "root:x:0:\n").unwrap();
        fs::write(root.join("entrypoint"), ENTRYPOINT).unwrap();
        let image = self.folder.path().join("image.tar");
        let mut tar = Command::new("tar");
        tar.args(["--owner=0", "--group=0", "--mode=a+rx", "-C"]).arg(&root).arg("-cf").arg(&image).arg(".");
        assert!(tar.status().unwrap().success(), "the image is packed");
        let changes = ["ENTRYPOINT [\"/bin/sh\", \"/entrypoint\"]", "CMD [\"sleep\", \"100000\"]"];
        let [entrypoint, command] = changes.map(|change| format!("--change={change}"));
        self.run(&["import", &entrypoint, &command, &image.display().to_string(), IMAGE]);
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
