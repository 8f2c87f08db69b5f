//! The images that containers of tests are made of.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Makes the user that the container is told of, gives it its home (the folder alone), and lives on.
const BUSYBOX_ENTRYPOINT: &str = "#!/bin/sh
echo \"claude:x:$CLAUDE_UID:$CLAUDE_GID::/home/claude:/bin/sh\" >> /etc/passwd
echo \"claude:x:$CLAUDE_GID:\" >> /etc/group
chown \"$CLAUDE_UID:$CLAUDE_GID\" /home/claude
exec \"$@\"
";

const APPLETS: [&str; 9] = ["sh", "sleep", "chown", "cat", "find", "id", "ls", "su", "test"];

/// What a session's container does: it makes the user, may use sudo as him, gives him his home (the folder alone), starts
/// his tmux session, and lives as long as that.
const SESSION_ENTRYPOINT: &str = r#"
trap 'exit 0' TERM INT
groupadd --non-unique --gid "$CLAUDE_GID" claude
useradd --non-unique --no-create-home --home-dir /home/claude --shell /bin/bash \
    --uid "$CLAUDE_UID" --gid "$CLAUDE_GID" claude
echo 'claude ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/claude
chown "$CLAUDE_UID:$CLAUDE_GID" /home/claude
as_claude() { sudo -E -u claude -H -- "$@"; }
as_claude tmux new-session -d -s claude "/usr/local/bin/claude --dangerously-skip-permissions"
while as_claude tmux has-session -t claude 2> /dev/null; do sleep 0.2; done
"#;

/// What no session needs, beside what the image has of it.
const NEEDLESS: &str = "cd \"$1\" && rm -rf usr/share/zoneinfo usr/share/bash-completion usr/share/perl5 \
    usr/lib/*/perl-base usr/lib/*/gconv var/lib/apt var/lib/dpkg var/cache";

/// Raised whenever what is made differs: what an earlier build left is not taken for it.
const EDITION: u32 = 1;

/// An image as `docker import` takes it in.
pub(super) struct Image {
    pub(super) tar: PathBuf,
    /// What is changed in it, in a Dockerfile's words.
    pub(super) changes: Vec<String>,
}

impl Image {
    /// busybox, and the start of a session's container; nothing runs in it that anybody could attach to.
    pub(super) fn busybox(folder: &Path) -> Self {
        let root = folder.join("root");
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
        fs::write(root.join("entrypoint"), BUSYBOX_ENTRYPOINT).unwrap();
        let tar = folder.join("image.tar");
        let mut pack = Command::new("tar");
        pack.args(["--owner=0", "--group=0", "--mode=a+rx", "-C"]).arg(&root).arg("-cf").arg(&tar).arg(".");
        assert!(pack.status().unwrap().success(), "the image is packed");
        let changes = ["ENTRYPOINT [\"/bin/sh\", \"/entrypoint\"]", "CMD [\"sleep\", \"100000\"]"];
        Self { tar, changes: changes.map(str::to_owned).to_vec() }
    }

    /// This machine's Debian with tmux and sudo, in which sessions live as they do on an agent.
    pub(super) fn sessions() -> Self {
        let words = serde_json::json!(["/bin/sh", "-c", SESSION_ENTRYPOINT]);
        let changes = vec![format!("ENTRYPOINT {words}"), "ENV LANG=C.UTF-8".to_owned()];
        Self { tar: debian(), changes }
    }
}

/// The tar of that Debian. It is made once (half a minute, and tens of megabytes from the mirror) and serves every test
/// and later run of the same build.
fn debian() -> PathBuf {
    let folder = cache();
    fs::create_dir_all(&folder).unwrap();
    let tar = folder.join(format!("session-image-{EDITION}.tar"));
    let lock = File::create(folder.join("session-image.lock")).unwrap();
    lock.lock().expect("it can be locked");
    if !tar.exists() {
        let part = folder.join("session-image.part.tar");
        // A mirror may be out of reach for a moment.
        let made = make_debian(&part).or_else(|_| make_debian(&part)).or_else(|_| make_debian(&part));
        made.unwrap_or_else(|said| panic!("no image can be made: {said}"));
        fs::rename(&part, &tar).unwrap();
    }
    tar
}

/// Cargo's place for what tests leave: `tmp` beside `debug`, of which the test is in `deps`.
fn cache() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let deps = test.ancestors().find(|folder| folder.ends_with("deps"));
    let target = deps.and_then(|deps| deps.ancestors().nth(2));
    target.map_or_else(std::env::temp_dir, |target| target.join("tmp"))
}

fn make_debian(tar: &Path) -> Result<(), String> {
    let mut mmdebstrap = Command::new("mmdebstrap");
    mmdebstrap.args(["--quiet", "--mode=root", "--variant=essential"]);
    mmdebstrap.arg("--include=tmux,sudo,passwd,procps,ncurses-base");
    for of_no_use in ["doc", "man", "info", "locale"] {
        mmdebstrap.arg(format!("--dpkgopt=path-exclude=/usr/share/{of_no_use}/*"));
    }
    mmdebstrap.arg(format!("--customize-hook={NEEDLESS}")).arg(suite()).arg(tar);
    let output = mmdebstrap.output().map_err(|_| "there is no mmdebstrap here: install mmdebstrap")?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { Ok(()) } else { Err(said) }
}

/// This machine's release, which is known to be within reach.
fn suite() -> String {
    let text = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let name = text.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME="));
    name.unwrap_or("bookworm").trim_matches('"').to_owned()
}
