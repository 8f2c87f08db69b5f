//! What the releases of convocate, and claude-shell before it, call things (formats/convocate.md §2).

/// The names of one line of releases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Profile {
    /// What to call it on the command line.
    pub name: &'static str,
    /// What the name of a session's container begins with.
    pub container_prefix: &'static str,
    /// Where a shell host keeps its agents.
    pub registry: &'static str,
    /// Whom sessions belong to.
    pub user: &'static str,
    /// Where they are.
    pub home: &'static str,
}

impl Profile {
    /// claude-shell v1.x to v2.1.
    pub const CLAUDE_SHELL: Self = Self {
        name: "claude-shell",
        container_prefix: "claude-session-",
        registry: "/etc/claude-shell/agent-keys",
        user: "claude",
        home: "/home/claude",
    };
    /// convocate v0.0.1 to v0.0.5.
    pub const CONVOCATE: Self = Self {
        name: "convocate",
        container_prefix: "convocate-session-",
        registry: "/etc/convocate/agent-keys",
        user: "claude",
        home: "/home/claude",
    };
    /// convocate v0.0.6.
    pub const CONVOCATE_0_0_6: Self = Self {
        name: "convocate-0.0.6",
        container_prefix: "convocate-session-",
        registry: "/etc/convocate/agent-keys",
        user: "convocate",
        home: "/home/convocate",
    };
    /// All of them.
    pub const ALL: [Self; 3] = [Self::CLAUDE_SHELL, Self::CONVOCATE, Self::CONVOCATE_0_0_6];
}
