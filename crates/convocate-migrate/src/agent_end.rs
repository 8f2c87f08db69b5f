//! The other end: who it is, what one may do there, and what it has.

use std::path::Path;

use migration_cli::{Refusal, Surroundings};
use remote_transfer::{Far, FarError, Remote, Target, TransportKind};
use session_control::{Agent, AgentHost, Registry};

use crate::options::Options;
use crate::settings::Reach;

/// A host of sessions that one is let into: an agent, or this machine as if it were one.
pub struct AgentEnd {
    /// Its id.
    pub id: String,
    /// How it is reached.
    pub ssh: Reach,
    /// How its API is; none where sessions are asked after without one.
    pub api: Option<Reach>,
    /// Where its sessions are.
    pub base: Vec<u8>,
    /// Whom they shall belong to, if not to whoever delivers them.
    pub owner: Option<String>,
    /// Whether everything there is done through `sudo -n`.
    pub as_root: bool,
    /// The way there.
    pub remote: Remote,
}

/// The registry, and in it the agent that is meant.
pub fn registered(options: &Options, here: &Surroundings) -> Result<(Registry, Agent), Refusal> {
    let profile = options.profile;
    let folder = options.agent_keys_dir.as_deref().map_or(profile.registry, |folder| folder.as_str());
    let registry = Registry::at(here.absolute(folder));
    let known = || match registry.agents() {
        Ok(agents) if agents.is_empty() => format!("no agent is registered in {folder}"),
        Ok(agents) => {
            let ids: Vec<_> = agents.iter().map(|agent| format!("--agent {}", agent.id)).collect();
            format!("say one of: {}", ids.join(", "))
        }
        Err(error) => error.to_string(),
    };
    let Some(id) = &options.agent else {
        return Err(Refusal::usage("no-agent", "--agent ID is needed", known()));
    };
    let agent = registry.agent(id).map_err(|error| Refusal::new("agent", error.to_string(), known()))?;
    Ok((registry, agent))
}

/// Goes there, and finds out what one may do.
pub fn reach(agent: Agent, options: &Options, here: &Surroundings) -> Result<AgentEnd, Refusal> {
    let AgentHost::Remote { user, host, port } = &agent.host else {
        let message = format!("agent {} is on this machine: its sessions are here already", agent.id);
        return Err(Refusal::new("local-agent", message, "nothing has to be moved"));
    };
    let profile = options.profile;
    let known = Target {
        user: user.clone().or(Some(profile.user.to_owned())),
        port: *port,
        identity: Some(agent.identity.clone()),
        ..Target::new(host)
    };
    let ssh = Reach::of(options.ssh.applied_to(known, here), options.ssh.transport.into());
    let api = Reach {
        user: Some(agent.api.user.clone()),
        port: Some(agent.api.port),
        identity: Some(agent.identity.clone().into()),
        ..ssh.clone()
    };
    let mut far = greet(&ssh, here)?;
    far.compress(options.compress.unwrap_or_default().into());
    let (owner, as_root) = rights(&mut far, profile.user)?;
    let said = options.agent_base.as_ref().map(|base| base.as_str());
    let base = said.or(agent.base.as_deref()).unwrap_or(profile.home).as_bytes().to_vec();
    Ok(AgentEnd { id: agent.id, ssh, api: Some(api), base, owner, as_root, remote: Remote::new(far) })
}

/// This machine, whose sessions are in this folder. What comes there belongs to whom the folder belongs to, if we are root.
pub fn this_machine(id: &str, base: &Path, here: &Surroundings) -> Result<AgentEnd, Refusal> {
    let ssh = Reach::of(Target::new(id), TransportKind::Here);
    let mut far = greet(&ssh, here)?;
    let base = base.as_os_str().as_encoded_bytes().to_vec();
    let owner = if far.is_root() { Some(far.owner(&base).map_err(|error| refusal(&error))?) } else { None };
    let remote = Remote::new(far);
    Ok(AgentEnd { id: id.to_owned(), ssh, api: None, base, owner, as_root: false, remote })
}

/// Says hello to a host.
pub fn greet(ssh: &Reach, here: &Surroundings) -> Result<Far, Refusal> {
    let word = format!("rehome-{:x}-{:04x}", (here.now)().as_nanosecond(), here.salt);
    Far::greet(ssh.open(), &word).map_err(|error| refusal(&error))
}

/// Whom files can be given to, and whether that takes root.
fn rights(far: &mut Far, session_user: &str) -> Result<(Option<String>, bool), Refusal> {
    let hello = far.hello().clone();
    if hello.uid == Some(0) || hello.sudo {
        far.act_as_root();
        return Ok((Some(session_user.to_owned()), hello.uid != Some(0)));
    }
    if hello.user == session_user {
        return Ok((None, false));
    }
    let message = format!(
        "{} can give nothing to {session_user} on {}: it is neither root nor may it run `sudo -n`",
        hello.user,
        far.peer()
    );
    let hint = format!("log in as root or as {session_user}: --ssh-user {session_user}");
    Err(Refusal::new("rights", message, hint))
}

/// Refuses an end in whose folder nothing can be written, not even a session's lock.
pub fn is_open(end: &AgentEnd) -> Result<(), Refusal> {
    let mut far = end.remote.far();
    if !far.look(&end.base, ".none", ".none", ".none").map_err(|error| refusal(&error))?.closed {
        return Ok(());
    }
    let base = remote_transfer::display(&end.base);
    let (message, hint) = if far.is_root() {
        let hint = "its file system is mounted read-only, or the folder is protected (lsattr -d): make it writable there";
        (format!("nothing can be written to {base} on {}, not even by root", end.id), hint)
    } else {
        let hint = "log in as whom it belongs to, or as root: --ssh-user NAME";
        (format!("{} may write nothing to {base} on {}", far.hello().user, end.id), hint)
    };
    Err(Refusal::new("rights", message, hint))
}

/// Refuses an agent that keeps its sessions in the very folder that they are in here.
pub(crate) fn is_elsewhere(end: &AgentEnd, base: &Path) -> Result<(), Refusal> {
    let text = |file: &str| std::fs::read_to_string(file).map(|text| text.trim().to_owned()).ok();
    let here = Whereabouts {
        machine: text("/etc/machine-id"),
        boot: text("/proc/sys/kernel/random/boot_id"),
        base: device_and_inode(base),
    };
    if Whereabouts::of(end)?.is(&here) {
        return Err(same_folder(end, "the very folder that the sessions are in here"));
    }
    Ok(())
}

/// Refuses two ends that keep their sessions in the very same folder.
pub fn are_apart(from: &AgentEnd, to: &AgentEnd) -> Result<(), Refusal> {
    if Whereabouts::of(to)?.is(&Whereabouts::of(from)?) {
        return Err(same_folder(to, &format!("the very folder of {}", from.id)));
    }
    Ok(())
}

fn same_folder(end: &AgentEnd, whose: &str) -> Refusal {
    let base = remote_transfer::display(&end.base);
    let message = format!("{base} on {} is {whose}", end.remote.far().peer());
    Refusal::new("same-folder", message, "nothing has to be moved; --agent-base DIR names another folder")
}

/// Which folder of which machine a base is.
struct Whereabouts {
    machine: Option<String>,
    boot: Option<String>,
    base: String,
}

impl Whereabouts {
    fn of(end: &AgentEnd) -> Result<Self, Refusal> {
        let mut far = end.remote.far();
        let standing = far.look(&end.base, ".none", ".none", ".none").map_err(|error| refusal(&error))?;
        let hello = far.hello();
        Ok(Self { machine: hello.machine.clone(), boot: hello.boot.clone(), base: standing.base })
    }

    fn is(&self, other: &Self) -> bool {
        let same = |a: &Option<String>, b| a.is_some() && a == b;
        let same_machine = same(&self.machine, &other.machine) || same(&self.boot, &other.boot);
        same_machine && self.base == other.base
    }
}

fn device_and_inode(folder: &Path) -> String {
    use std::os::unix::fs::MetadataExt;
    folder.metadata().map_or(String::new(), |metadata| format!("{}:{}", metadata.dev(), metadata.ino()))
}

/// An end that cannot be worked with, with what to do about it.
pub fn refusal(error: &FarError) -> Refusal {
    let (code, hint) = match error {
        FarError::Link(error) => return error.into(),
        FarError::Chatty { .. } => {
            ("chatty-shell", "let its shell's start-up files print only where somebody reads: [ -t 1 ] && …")
        }
        FarError::NoBase { .. } => ("agent-base", "name the folder of its sessions with --agent-base DIR"),
        FarError::Elsewhere { .. } => {
            ("moved-away", "put it back to where it was on the agent, then say the same again")
        }
        FarError::Failed { .. } | FarError::Listing { .. } => {
            ("far-end", "the agent needs a POSIX shell, GNU tar and find, and coreutils for this user")
        }
    };
    Refusal::new(code, error.to_string(), hint)
}
