//! A shell host and its two agents, whose sessions are in three folders of this machine.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use testkit::agent::session_user;
use testkit::cluster::Cluster;
use testkit::crash::Program;
use testkit::docker::Docker;
use testkit::tree::Tree;

use crate::place::{Said, uuid};

/// What an agent does before it answers, if a test has put something there.
const HOOK: &str = "#!/bin/sh
if [ -x @HOOK@ ]; then @HOOK@ </dev/null >/dev/null 2>&1; fi
exec \"$@\"
";

pub(crate) struct Two {
    pub(crate) docker: Docker,
    pub(crate) cluster: Cluster,
    state: tempfile::TempDir,
}

impl Two {
    pub(crate) fn new() -> Self {
        session_user();
        let (docker, state) = (Docker::start(), testkit::crash::place());
        let cluster = Cluster::of(&docker, &|verb, place| {
            let (base, folder) = (place.base.display(), place.folder.display());
            let hook = place.folder.join("hook");
            fs::write(place.folder.join("asked"), HOOK.replace("@HOOK@", hook.to_str().unwrap())).unwrap();
            fs::set_permissions(place.folder.join("asked"), fs::Permissions::from_mode(0o755)).unwrap();
            let program = env!("CARGO_BIN_EXE_convocate-session");
            format!("{folder}/asked {program} agent {verb} --base {base} --agent-dir {folder}")
        });
        Self { docker, cluster, state }
    }

    /// The base of an agent, or, as number 2, the shell host's own.
    pub(crate) fn base(&self, host: usize) -> PathBuf {
        if host == 2 { self.cluster.shell() } else { self.cluster.agent(host).base().to_owned() }
    }

    pub(crate) fn session(&self, host: usize, n: usize) -> PathBuf {
        self.base(host).join(uuid(n))
    }

    /// All three, to be compared with how they were.
    pub(crate) fn all(&self) -> [Tree; 3] {
        [0, 1, 2].map(|host| Tree::of(&self.base(host)))
    }

    #[track_caller]
    pub(crate) fn assert_same(&self, before: &[Tree; 3], when: &str) {
        for (host, (was, is)) in before.iter().zip(self.all()).enumerate() {
            was.assert_same(&is, &format!("{when}, host {host}"));
        }
    }

    /// A session that stands on a host.
    pub(crate) fn lay(&self, host: usize, n: usize, name: &str) {
        let folder = self.session(host, n);
        fs::create_dir_all(folder.join(".claude/projects/-home-claude")).unwrap();
        let document = format!(
            "{{\n  \"uuid\": \"{}\",\n  \"name\": \"{name}\",\n  \"created_at\": \"2026-02-11T08:15:30.5Z\",\n  \
             \"last_accessed\": \"2026-03-02T17:00:00Z\",\n  \"port\": 80{n:02},\n  \"protocol\": \"udp\"\n}}",
            uuid(n)
        );
        fs::write(folder.join("session.json"), document).unwrap();
        fs::write(folder.join(".claude/projects/-home-claude/a.jsonl"), "{\"type\":\"user\"}\n").unwrap();
        symlink("/home/claude/.claude-shared/settings.json", folder.join(".claude/settings.json")).unwrap();
        fs::set_permissions(folder, fs::Permissions::from_mode(0o750)).unwrap();
    }

    pub(crate) fn hook(&self, host: usize, script: &str) {
        let hook = self.cluster.agent(host).folder().join("hook");
        fs::write(&hook, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(hook, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// From now on that agent answers as an original one whose engine is in trouble: nothing runs, and it says of itself no
    /// more than who it is.
    pub(crate) fn is_original(&self, host: usize) {
        let forgets = r#"s/,"(running|attached|locked|lock_stale)":(true|false)//g; s/,"lock_pid":[0-9]+//g; s/,"impl":"[^"]*"//; s/,"features":\[[^]]*\]//"#;
        let text = format!("#!/bin/sh\n\"$@\" | sed -E '{forgets}'\n");
        fs::write(self.cluster.agent(host).folder().join("asked"), text).unwrap();
    }

    /// From now on the agent of this folder of a registry is this machine, with the base of that host.
    pub(crate) fn is_here(&self, registered: &Path, host: usize) {
        fs::write(registered.join("agent-host"), "local\n").unwrap();
        let about = serde_json::json!({"base": self.base(host)}).to_string();
        fs::write(registered.join("session-control.json"), about).unwrap();
    }

    pub(crate) fn tool(&self, words: &[&str]) -> Program {
        let given = [
            ("--base", self.cluster.shell()),
            ("--agent-keys-dir", self.cluster.registry()),
            ("--agent-dir", self.state.path().join("no agent")),
            ("--state-dir", self.state()),
            ("--known-hosts", self.cluster.known_hosts()),
        ];
        let program = Program::new(env!("CARGO_BIN_EXE_convocate-session")).alone();
        let program = program.env("DOCKER_HOST", self.docker.host()).env("TMPDIR", self.state.path());
        let program =
            given.into_iter().fold(program, |program, (option, value)| program.arg(option).arg(value));
        words.iter().fold(program, |program, word| program.arg(*word))
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.state.path().join("state")
    }

    #[track_caller]
    pub(crate) fn says(&self, code: i32, words: &[&str]) -> Said {
        let said = Said::of(&self.tool(words).run(), [self.cluster.folder(), self.docker.folder()]);
        assert_eq!(said.code, code, "{words:?}: {}{}", said.out, said.err);
        said
    }

    #[track_caller]
    pub(crate) fn refuses(&self, code: &str, words: &[&str]) {
        let before = self.all();
        let document = self.says(4, &[words, &["--json"]].concat()).document();
        assert_eq!(document["error"]["code"], code, "{words:?}: {document}");
        self.assert_same(&before, code);
    }
}

#[test]
fn an_edit_leaves_what_somebody_else_has_said_meanwhile() {
    let two = Two::new();
    two.lay(0, 1, "one");
    let document = two.session(0, 1).join("session.json");
    // He says it between our looking for the session and our editing it.
    let asked = two.cluster.folder().join("asked");
    two.hook(0, &format!(
        "echo x >> {asked}; [ $(wc -l < {asked}) != 2 ] || sed -i 's/\"udp\"/\"tcp\"/; s/8001/9001/' {document}",
        asked = asked.display(),
        document = document.display(),
    ));
    two.says(0, &["edit", "one", "--name", "other"]);
    let now = fs::read_to_string(document).unwrap();
    for said in ["\"name\": \"other\"", "\"protocol\": \"tcp\"", "\"port\": 9001"] {
        assert!(now.contains(said), "{now}");
    }
}
