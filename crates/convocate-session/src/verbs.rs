//! What can be done with sessions.

use convocate_migrate::OnConflict;
use migration_cli::Verbs;

/// The verbs of `convocate-session`.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum Verb {
    /// Show the sessions of all hosts, the one that was worked with last first
    List,
    /// Show all there is to know of a session
    Show(Named),
    /// Make a session, which does not run yet
    New {
        /// What to call it: up to 64 letters, digits, blanks, _, - and .
        name: String,
        /// How it is reached
        #[command(flatten)]
        published: Published,
    },
    /// Connect the terminal to a session, which is started if it does not run; Ctrl-b d leaves it running
    Attach(Named),
    /// Detach everybody from a session, which goes on running
    Background(Named),
    /// Change what is said of a session; it takes effect when the session is started again
    Edit {
        /// Which one
        #[command(flatten)]
        session: Named,
        /// What to call it
        #[arg(long)]
        name: Option<String>,
        /// How it is reached
        #[command(flatten)]
        published: Published,
    },
    /// Start a session that does not run, with nobody attached
    Restart(Named),
    /// Stop a session
    Kill(Named),
    /// Stop a session and remove it for good: container, files and DNS name
    Delete {
        /// Which one
        #[command(flatten)]
        session: Named,
        /// Even if somebody is attached to it
        #[arg(long)]
        connected: bool,
    },
    /// Make a session with the files of another, on the same host or on an agent
    Clone {
        /// Which one
        #[command(flatten)]
        session: Named,
        /// What to call the new one
        name: String,
        /// The new one's DNS name; the old one's is its own
        #[arg(long, value_name = "NAME")]
        dns: Option<String>,
        /// The agent that gets it, instead of the host that has the old one; this can be undone
        #[arg(long, value_name = "ID")]
        to: Option<String>,
    },
    /// Move a session to an agent: delivered, verified there, and only then moved aside where it was; this can be undone
    Move {
        /// Which one
        #[command(flatten)]
        session: Named,
        /// The agent that gets it
        #[arg(long, value_name = "ID")]
        to: String,
        /// If its port is taken there
        #[arg(long, value_name = "WHAT", value_enum, default_value_t)]
        on_port_conflict: OnConflict,
        /// If its DNS name is taken in the cluster
        #[arg(long, value_name = "WHAT", value_enum, default_value_t)]
        on_dns_conflict: OnConflict,
    },
    /// Remove a session's lock that nobody holds any more
    Override {
        /// Which one
        #[command(flatten)]
        session: Named,
        /// Even if its owner is alive
        #[arg(long)]
        force: bool,
    },
    /// Show the version, where things are, and how the agents are
    Settings,
    /// Show the registered agents, and how they are
    Agents,
    /// Look after the cluster's DNS names
    Dns {
        /// Which of it
        #[command(subcommand)]
        verb: DnsVerb,
    },
    /// Tell what happens to sessions, as it happens, until interrupted
    Events {
        /// How many seconds to wait between two looks
        #[arg(long, value_name = "SECONDS", default_value_t = 15, value_parser = clap::value_parser!(u64).range(1..=3600))]
        every: u64,
    },
    /// Be an agent: sshd starts this for whoever calls
    Agent {
        /// Which of it
        #[command(subcommand)]
        verb: AgentVerb,
    },
}

/// A session.
#[derive(Debug, Clone, clap::Args)]
pub struct Named {
    /// The session: its id, the beginning of it (four characters or more), or its name
    #[arg(value_name = "SESSION")]
    pub session: String,
}

/// How a session is reached from outside.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Published {
    /// The port to publish: a number, `auto` for one that is free, `none`
    #[arg(long, value_name = "PORT", value_parser = port, allow_hyphen_values = true)]
    pub port: Option<i64>,
    /// The protocol of the port: tcp or udp
    #[arg(long, value_name = "NAME")]
    pub protocol: Option<String>,
    /// Its name in the cluster's DNS; an empty one is none
    #[arg(long, value_name = "NAME")]
    pub dns: Option<String>,
}

/// What to do about DNS names.
#[derive(Debug, Clone, Copy, clap::Subcommand)]
pub enum DnsVerb {
    /// Write the names of all sessions where dnsmasq reads them, and have it read them
    Sync,
}

/// How to be an agent.
#[derive(Debug, Clone, Copy, clap::Subcommand)]
pub enum AgentVerb {
    /// Answer one question, a line of JSON, on the standard streams
    Rpc,
    /// Connect the standard streams to a session
    Attach,
}

impl Verbs for Verb {
    const NAMES: &'static [&'static str] = &[
        "list",
        "show",
        "new",
        "attach",
        "background",
        "edit",
        "restart",
        "kill",
        "delete",
        "clone",
        "move",
        "override",
        "settings",
        "agents",
        "dns",
        "events",
        "agent",
    ];

    fn name(&self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Show(_) => "show",
            Self::New { .. } => "new",
            Self::Attach(_) => "attach",
            Self::Background(_) => "background",
            Self::Edit { .. } => "edit",
            Self::Restart(_) => "restart",
            Self::Kill(_) => "kill",
            Self::Delete { .. } => "delete",
            Self::Clone { .. } => "clone",
            Self::Move { .. } => "move",
            Self::Override { .. } => "override",
            Self::Settings => "settings",
            Self::Agents => "agents",
            Self::Dns { .. } => "dns",
            Self::Events { .. } => "events",
            Self::Agent { .. } => "agent",
        }
    }
}

/// A port as people say it, and as it is on the wire: nothing is none.
pub(crate) fn port(text: &str) -> Result<i64, String> {
    match &*text.trim().to_ascii_lowercase() {
        "" | "none" => Ok(0),
        "auto" => Ok(-1),
        number => match number.parse() {
            Ok(port) if (-1..=65535).contains(&port) => Ok(port),
            Ok::<i64, _>(_) => Err("port must be between 0 and 65535".to_owned()),
            Err(_) => Err("port must be a number".to_owned()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_said_in_every_way_there_is() {
        let said = ["", "none", "0", "auto", "AUTO", "-1", "1", "65535"].map(|text| port(text).unwrap());
        assert_eq!(said, [0, 0, 0, -1, -1, -1, 1, 65535]);
        assert_eq!(port("http").unwrap_err(), "port must be a number");
        assert_eq!(
            ["-2", "65536"].map(|text| port(text).unwrap_err())[1],
            "port must be between 0 and 65535"
        );
    }
}
