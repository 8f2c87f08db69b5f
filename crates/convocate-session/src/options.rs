//! What a user may say on the command line, whatever the verb.

use std::ffi::OsString;

use camino::Utf8PathBuf;
use convocate_migrate::profiles;
use migration_cli::{SshOptions, Surroundings};
use serde::{Deserialize, Serialize};
use session_control::Profile;

/// The options of `convocate-session`.
#[derive(Debug, Clone, clap::Args, Serialize, Deserialize)]
pub struct Options {
    /// Only the sessions of this agent; for `new`, where the session is to be
    #[arg(long, value_name = "ID", conflicts_with = "local")]
    pub agent: Option<String>,

    /// Only the sessions of this machine
    #[arg(long)]
    pub local: bool,

    /// Which releases made the sessions: sets the names of folders, users and containers
    #[arg(long, value_name = "NAME", value_parser = profiles(), default_value = Profile::default().name)]
    #[serde(with = "by_name")]
    pub profile: Profile,

    /// Where the sessions of this machine are, instead of the profile's home
    #[arg(long, value_name = "DIR")]
    pub base: Option<Utf8PathBuf>,

    /// Where agents are registered, instead of the profile's folder
    #[arg(long, value_name = "DIR")]
    pub agent_keys_dir: Option<Utf8PathBuf>,

    /// Where this machine says that it is an agent, and which
    #[arg(long, value_name = "DIR", default_value = "/etc/convocate-agent")]
    pub agent_dir: Utf8PathBuf,

    /// The container engine's program, such as podman
    #[arg(long, value_name = "PROGRAM", default_value = "docker")]
    pub docker: Utf8PathBuf,

    /// Something to say to that program before all else; may be said several times
    #[arg(long, value_name = "ARGUMENT", allow_hyphen_values = true)]
    pub docker_argument: Vec<OsString>,

    /// The program that runs in a session, as it is on this machine
    #[arg(long, value_name = "FILE", default_value = "/usr/local/bin/claude")]
    pub claude: Utf8PathBuf,

    /// Where the names are that dnsmasq reads, instead of the first of the usual places whose folder is there
    #[arg(long, value_name = "FILE")]
    pub dns_hosts: Option<Utf8PathBuf>,

    /// Give a DNS name though an agent cannot be asked for its names
    #[arg(long)]
    pub allow_unverified_dns: bool,

    // Last, since its heading stays.
    /// How agents are reached, where the registry says nothing of it
    #[command(flatten)]
    pub ssh: SshOptions,
}

impl Options {
    /// All that does not choose among sessions, as it is meant wherever it is read again: a run that is gone on with or taken
    /// back needs to be told nothing anew.
    pub(crate) fn anywhere(&self, here: &Surroundings) -> Self {
        let path = |path: &Utf8PathBuf| here.absolute_utf8(path);
        // A program without a folder is looked for where programs are.
        let is_a_path = self.docker.as_str().contains('/');
        Self {
            agent: None,
            local: false,
            base: self.base.as_ref().map(path),
            agent_keys_dir: self.agent_keys_dir.as_ref().map(path),
            agent_dir: path(&self.agent_dir),
            docker: if is_a_path { path(&self.docker) } else { self.docker.clone() },
            claude: path(&self.claude),
            dns_hosts: self.dns_hosts.as_ref().map(path),
            ssh: self.ssh.anywhere(here),
            ..self.clone()
        }
    }
}

/// A profile in a file.
mod by_name {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};
    use session_control::Profile;

    pub(super) fn serialize<S: Serializer>(profile: &Profile, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(profile.name)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Profile, D::Error> {
        let name = String::deserialize(deserializer)?;
        Profile::named(&name).ok_or_else(|| D::Error::custom("expected the name of a profile"))
    }
}
