//! A convocate container, as far as a client can tell: the session's folder is its home, whatever host it is on.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::client::{Place, a_minute_for};

/// The home and the working directory of every session, seen from inside.
pub(super) const HOME: &str = "/home/claude";

/// What `docker run` would mount (formats/convocate.md, section 7), for one process; then the client as the session's user.
///
/// All that is needed from outside is gathered before anything is covered, since it may stand in what is.
const SCRIPT: &str = r#"set -e
session=$1 shared=$2 program=$3 user=$4
shift 4
mount -t tmpfs tmpfs /mnt
mkdir /mnt/session /mnt/shared
touch /mnt/client
mount --bind "$session" /mnt/session
mount --bind "$shared" /mnt/shared
mount --bind "$program" /mnt/client
for covered in /home /tmp /usr/local/bin; do mount -t tmpfs tmpfs "$covered"; done
chmod 1777 /tmp
mkdir /home/claude
mount --bind /mnt/session /home/claude
mount --bind -o ro /mnt/shared /home/claude/.claude-shared
mount -o remount,bind,ro /home/claude/.claude-shared
touch /usr/local/bin/claude
mount --bind /mnt/client /usr/local/bin/claude
cd /home/claude
exec setpriv --reuid="$user" --regid="$user" --clear-groups /usr/local/bin/claude "$@"
"#;

/// One session's container on one host.
pub(super) struct Container {
    /// The session's folder there.
    session: PathBuf,
    /// The host's own configuration of the client.
    shared: PathBuf,
    /// Who the session belongs to there.
    user: u32,
}

impl Container {
    pub(super) fn on(base: &Path, session: &str, user: u32) -> Self {
        Self { session: base.join(session), shared: base.join(".claude"), user }
    }

    /// What is in the session's home.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.session.join(name)
    }
}

impl Place for Container {
    fn home(&self) -> &Path {
        &self.session
    }

    fn start(&self, program: &Path, folder: &Path) -> Command {
        assert_eq!(folder, Path::new(HOME), "a container works in its home");
        let mut command = a_minute_for(Path::new("unshare"));
        command.args(["--mount", "--propagation", "private", "sh", "-c", SCRIPT, "sh"]);
        command.arg(&self.session).arg(&self.shared).arg(program).arg(self.user.to_string());
        command.env("HOME", HOME);
        command
    }
}
