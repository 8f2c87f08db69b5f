//! A shell host and two agents, each agent a stock sshd that offers a program of ours, with its own base, agent's folder
//! and sessions, and a container engine for both.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::docker::{Docker, IMAGE};
use crate::sshd::Sshd;

/// The ids of the agents.
pub const AGENTS: [&str; 2] = ["k7m2p9x4qwzt", "w3nd8rj5hbcy"];

/// Both agents, and the shell host's registry of them. They end when this is dropped.
#[derive(Debug)]
pub struct Cluster {
    /// Before the folder, so that nobody serves from what is gone.
    agents: Vec<Agent>,
    folder: TempDir,
}

/// An agent.
#[derive(Debug)]
pub struct Agent {
    id: &'static str,
    place: Place,
    engine: PathBuf,
    sshd: Sshd,
}

/// Where an agent has its things.
#[derive(Debug, Clone)]
pub struct Place {
    /// Its sessions.
    pub base: PathBuf,
    /// What it knows of itself: `agent-id`, `current-image`.
    pub folder: PathBuf,
}

impl Cluster {
    /// Starts both. `serves` gives the words that serve `rpc` or `attach` for the agent that is there; they are run as
    /// the subsystem of that name, with `DOCKER_HOST` set to this engine.
    ///
    /// ```no_run
    /// # use testkit::{cluster::Cluster, docker::Docker};
    /// let docker = Docker::with_sessions();
    /// let cluster = Cluster::of(&docker, &|verb, place| {
    ///     let (base, folder) = (place.base.display(), place.folder.display());
    ///     format!("/path/to/convocate-session agent {verb} --base {base} --agent-dir {folder}")
    /// });
    /// assert!(cluster.agent(0).base().is_dir());
    /// ```
    ///
    /// # Panics
    /// If one does not start.
    pub fn of(docker: &Docker, serves: &dyn Fn(&str, &Place) -> String) -> Self {
        let folder = crate::crash::place();
        for name in ["shell", "registry"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        let agents = AGENTS.map(|id| Agent::start(id, folder.path(), docker, serves));
        let cluster = Self { agents: agents.into(), folder };
        let known = cluster.agents.iter().map(|agent| fs::read_to_string(agent.sshd.known_hosts()).unwrap());
        fs::write(cluster.known_hosts(), known.collect::<String>()).unwrap();
        cluster.agents.iter().for_each(|agent| agent.register_in(&cluster.registry()));
        cluster
    }

    /// One of the agents: 0 or 1.
    pub fn agent(&self, number: usize) -> &Agent {
        &self.agents[number]
    }

    /// The shell host's folder with a folder for each agent.
    pub fn registry(&self) -> PathBuf {
        self.folder.path().join("registry")
    }

    /// The shell host's own base, where nothing but orphans can be.
    pub fn shell(&self) -> PathBuf {
        self.folder.path().join("shell")
    }

    /// The file that knows both agents' keys.
    pub fn known_hosts(&self) -> PathBuf {
        self.folder.path().join("known_hosts")
    }

    /// The folder around all of that, for what a test wants to put there.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Agent {
    fn start(
        id: &'static str,
        around: &Path,
        docker: &Docker,
        serves: &dyn Fn(&str, &Place) -> String,
    ) -> Self {
        let place = Place { base: around.join(id).join("base"), folder: around.join(id).join("agent") };
        fs::create_dir_all(&place.base).unwrap();
        fs::create_dir_all(&place.folder).unwrap();
        fs::write(place.folder.join("agent-id"), format!("{id}\n")).unwrap();
        fs::write(place.folder.join("current-image"), format!("{IMAGE}\n")).unwrap();
        let subsystems = ["rpc", "attach"].map(|verb| {
            let program = around.join(id).join(verb);
            let words = serves(verb, &place);
            fs::write(&program, format!("#!/bin/sh\nexport DOCKER_HOST={}\nexec {words}\n", docker.host()))
                .unwrap();
            fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
            format!("Subsystem convocate-agent-{verb} {}", program.display())
        });
        let [rpc, attach] = subsystems.each_ref().map(String::as_str);
        let engine = around.join(id).join("engine");
        std::os::unix::fs::symlink(docker.socket(), &engine).unwrap();
        let shells = format!("SetEnv DOCKER_HOST=unix://{}", engine.display());
        let sshd = Sshd::start(&[rpc, attach, "Subsystem sftp internal-sftp", &shells]);
        Self { id, place, engine, sshd }
    }

    fn register_in(&self, registry: &Path) {
        let folder = registry.join(self.id);
        fs::create_dir(&folder).unwrap();
        let port = self.sshd.port();
        let about = serde_json::json!({"api": "sshd", "port": port, "user": "root", "base": self.place.base});
        fs::copy(self.sshd.identity(), folder.join("shell_to_agent_ed25519_key")).unwrap();
        fs::write(folder.join("agent-host"), format!("root@{}:{port}\n", self.sshd.address())).unwrap();
        fs::write(folder.join("session-control.json"), about.to_string()).unwrap();
    }

    /// Its id.
    pub fn id(&self) -> &str {
        self.id
    }

    /// Its sessions.
    pub fn base(&self) -> &Path {
        &self.place.base
    }

    /// What it knows of itself.
    pub fn folder(&self) -> &Path {
        &self.place.folder
    }

    /// Where shells on its host find the engine: a link, which a test may take away from them.
    pub fn engine(&self) -> &Path {
        &self.engine
    }

    /// How it is reached.
    pub fn sshd(&self) -> &Sshd {
        &self.sshd
    }
}
