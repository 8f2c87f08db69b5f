//! What the releases of convocate, and claude-shell before it, call things (formats/convocate.md §2).

use crate::SessionId;

/// The names of one line of releases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Profile {
    /// What to call it on the command line.
    pub name: &'static str,
    /// The releases that are meant, for people.
    pub releases: &'static str,
    /// What the name of a session's container begins with.
    pub container_prefix: &'static str,
    /// What the host name within it begins with.
    pub hostname_prefix: &'static str,
    /// What containers are made of, where an agent does not say.
    pub image: &'static str,
    /// Where a shell host keeps its agents.
    pub registry: &'static str,
    /// Whom sessions belong to.
    pub user: &'static str,
    /// Where they are, and what a session's folder is called within its container.
    pub home: &'static str,
    /// The tmux session that people attach to.
    pub tmux: &'static str,
    /// What the environment variables begin with that tell a container whose files it has: `…_UID` and `…_GID`.
    pub environment: &'static str,
}

impl Default for Profile {
    fn default() -> Self {
        Self::CONVOCATE
    }
}

impl Profile {
    /// claude-shell v1.x to v2.1.
    pub const CLAUDE_SHELL: Self = Self {
        name: "claude-shell",
        releases: "claude-shell 1.x to 2.1",
        container_prefix: "claude-session-",
        hostname_prefix: "claude-",
        image: "claude-shell:latest",
        registry: "/etc/claude-shell/agent-keys",
        ..Self::CONVOCATE
    };
    /// convocate v0.0.1 to v0.0.5.
    pub const CONVOCATE: Self = Self {
        name: "convocate",
        releases: "convocate 0.0.1 to 0.0.5",
        container_prefix: "convocate-session-",
        hostname_prefix: "convocate-",
        image: "convocate:latest",
        registry: "/etc/convocate/agent-keys",
        user: "claude",
        home: "/home/claude",
        tmux: "claude",
        environment: "CLAUDE",
    };
    /// convocate v0.0.6.
    pub const CONVOCATE_0_0_6: Self = Self {
        name: "convocate-0.0.6",
        releases: "convocate 0.0.6",
        user: "convocate",
        home: "/home/convocate",
        tmux: "convocate",
        environment: "CONVOCATE",
        ..Self::CONVOCATE
    };
    /// Every profile.
    pub const ALL: [Self; 3] = [Self::CLAUDE_SHELL, Self::CONVOCATE, Self::CONVOCATE_0_0_6];

    /// The profile of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.name == name)
    }

    /// What the container of a session is called.
    pub fn container(&self, id: &SessionId) -> String {
        format!("{}{id}", self.container_prefix)
    }

    /// Whether some release gives this name to the session's container.
    pub fn any_names(container: &str, uuid: &str) -> bool {
        Self::ALL.iter().any(|profile| container.strip_prefix(profile.container_prefix) == Some(uuid))
    }
}
