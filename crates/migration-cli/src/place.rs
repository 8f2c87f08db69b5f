//! Where runs are kept.

use std::path::PathBuf;

use camino::Utf8Path;
use migration_engine::StateRoot;

use crate::{Refusal, Surroundings, shell_word};

/// Families of systems, which differ in where programs keep their state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum System {
    Mac,
    Windows,
    Other,
}

impl System {
    const HERE: Self = if cfg!(target_os = "macos") {
        Self::Mac
    } else if cfg!(windows) {
        Self::Windows
    } else {
        Self::Other
    };
}

/// The state root: the flag, else `$REHOME_STATE_DIR`, else where this system keeps the state of programs.
pub(crate) fn state_root(flag: Option<&Utf8Path>, here: &Surroundings) -> Result<StateRoot, Refusal> {
    let named = flag.map(|dir| here.named(dir)).transpose()?.or_else(|| here.path_var("REHOME_STATE_DIR"));
    Ok(StateRoot::at(named.map_or_else(|| default_root(System::HERE, here), Ok)?))
}

/// What a command that finds the same runs ends with.
pub(crate) fn with_state_root(flag: Option<&Utf8Path>, root: &StateRoot) -> String {
    flag.map(|_| format!(" --state-dir {}", shell_word(root.path()))).unwrap_or_default()
}

fn default_root(system: System, here: &Surroundings) -> Result<PathBuf, Refusal> {
    // The XDG specification has relative paths ignored.
    if let Some(state) = here.var("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute()) {
        return Ok(state.join("rehome"));
    }
    match system {
        System::Mac => Ok(here.home()?.join("Library/Application Support/rehome")),
        System::Windows => match here.path_var("LOCALAPPDATA") {
            Some(local) => Ok(local.join("rehome")),
            None => Ok(here.home()?.join("AppData/Local/rehome")),
        },
        System::Other => Ok(here.home()?.join(".local/state/rehome")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Stop, Terminals};
    use std::collections::BTreeMap;

    fn here(vars: &[(&str, &str)]) -> Surroundings {
        Surroundings {
            env: vars.iter().map(|(name, value)| (name.into(), value.into())).collect::<BTreeMap<_, _>>(),
            home: Some("/home/kim".into()),
            cwd: "/work".into(),
            terminals: Terminals::default(),
            now: session_model::Timestamp::now,
            salt: 0,
            stop: Stop::default(),
        }
    }

    fn root(flag: Option<&str>, vars: &[(&str, &str)]) -> String {
        state_root(flag.map(Utf8Path::new), &here(vars)).unwrap().path().display().to_string()
    }

    #[test]
    fn runs_are_looked_for_where_they_were_kept() {
        let all = [("REHOME_STATE_DIR", "/r"), ("XDG_STATE_HOME", "/x")];
        assert_eq!(root(Some("here"), &all), "/work/here");
        assert_eq!(root(None, &all), "/r");
        assert_eq!(root(None, &[("REHOME_STATE_DIR", ""), ("XDG_STATE_HOME", "/x")]), "/x/rehome");
        let default = |system, vars: &[(&str, &str)]| default_root(system, &here(vars)).unwrap();
        assert_eq!(
            default(System::Other, &[("XDG_STATE_HOME", "relative")]),
            PathBuf::from("/home/kim/.local/state/rehome")
        );
        assert_eq!(default(System::Mac, &[]), PathBuf::from("/home/kim/Library/Application Support/rehome"));
        assert_eq!(default(System::Windows, &[("LOCALAPPDATA", "/local")]), PathBuf::from("/local/rehome"));
    }
}
