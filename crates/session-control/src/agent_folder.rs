//! What an agent's machine says of itself (formats/convocate.md §3).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use durable_files::{FileError, InContext};

use crate::Profile;

/// The folder that an installed agent has for its settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentFolder {
    path: PathBuf,
}

impl Default for AgentFolder {
    fn default() -> Self {
        Self::at("/etc/convocate-agent")
    }
}

impl AgentFolder {
    /// The settings folder at this path. Where there is none, this machine is no agent.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The agent's id, if this machine is one.
    pub fn id(&self) -> Result<Option<String>, FileError> {
        self.line("agent-id")
    }

    /// What its containers are made of: as it says, or else as the profile does.
    pub fn image(&self, profile: &Profile) -> Result<String, FileError> {
        Ok(self.line("current-image")?.unwrap_or_else(|| profile.image.to_owned()))
    }

    /// What a file of it says, blanks around it left out; nothing if it says nothing.
    fn line(&self, name: &str) -> Result<Option<String>, FileError> {
        let path = self.path.join(name);
        match fs::read_to_string(&path) {
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                Ok(None)
            }
            text => Ok(Some(text.doing("read", &path)?.trim().to_owned()).filter(|text| !text.is_empty())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_is_what_its_folder_says_and_a_machine_without_one_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let agent = AgentFolder::at(folder.path().join("convocate-agent"));
        assert_eq!(agent.id().unwrap(), None);
        assert_eq!(agent.image(&Profile::CLAUDE_SHELL).unwrap(), "claude-shell:latest");
        fs::create_dir(agent.path()).unwrap();
        fs::write(agent.path().join("agent-id"), "k7m2p9x4qwzt\n").unwrap();
        fs::write(agent.path().join("current-image"), " convocate:v0.0.5\n").unwrap();
        assert_eq!(agent.id().unwrap().as_deref(), Some("k7m2p9x4qwzt"));
        assert_eq!(agent.image(&Profile::CONVOCATE).unwrap(), "convocate:v0.0.5");
        fs::write(agent.path().join("current-image"), "\n").unwrap();
        assert_eq!(agent.image(&Profile::CONVOCATE).unwrap(), "convocate:latest");
    }
}
