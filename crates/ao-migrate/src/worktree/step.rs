//! The step that moves a worktree, and mends what a kill in the middle of git leaves.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use durable_files::{Fingerprint, InContext, PathText, create_private_dirs, remove_empty_dirs};
use migration_engine::steps::Files;
use migration_engine::{Cause, Cx, Look, Slot, State, Step, StepError};
use serde::{Deserialize, Serialize};

use super::git::git;

/// Moves a linked worktree with `git worktree move`. Whatever an agent does in it meanwhile moves along, back too.
///
/// git renames the folder and then rewrites the link to it in the repository. Killed in between, the link names the old
/// place; `git worktree repair` mends that, so it counts as not done yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MoveWorktree {
    /// The main worktree, or the bare repository.
    pub repository: PathText,
    /// Where it is.
    pub from: PathText,
    /// Where it goes.
    pub to: PathText,
    /// The folders that did not exist when the plan was made, outermost first.
    pub new_dirs: Vec<PathText>,
}

/// What is needed to put everything back as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// The file in the repository that names the worktree's place.
    pub link: PathText,
    /// Its modification time before, in nanoseconds since 1970.
    pub link_mtime: i64,
    /// The modification time of the worktree's own `.git` file before.
    pub dot_git_mtime: i64,
}

/// Where the worktree stands, and whether the repository knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    At { source: bool, linked: bool },
    Both,
    Nowhere,
}

impl MoveWorktree {
    fn place(&self) -> Place {
        let (source, target) = (self.from.join(".git").is_file(), self.to.join(".git").is_file());
        match (source, target) {
            (true, true) => Place::Both,
            (false, false) => Place::Nowhere,
            (source, _) => {
                let at: &Path = if source { &self.from } else { &self.to };
                Place::At { source, linked: is_linked(at) }
            }
        }
    }

    /// What keeps git from moving it back: to a place that is taken it would move it into what stands there.
    fn bar(&self, moved: &Moved) -> Option<String> {
        if moved.link.with_file_name("locked").exists() {
            return Some(format!("it is locked; `git worktree unlock {}` lets it go", self.to.display()));
        }
        let is_taken = self.from.symlink_metadata().is_ok();
        is_taken.then(|| format!("something else stands at {} since", self.from.display()))
    }

    fn git(&self, args: &[&std::ffi::OsStr]) -> Result<(), StepError> {
        let args = [&["worktree".as_ref()], args].concat();
        git(&self.repository, args)
            .map(drop)
            .map_err(|said| Cause::new("git", format!("cannot {}: {said}", self.describe())).item())
    }

    fn relocate(&self, from: &Path, to: &Path) -> Result<(), StepError> {
        self.git(&["move".as_ref(), from.as_os_str(), to.as_os_str()])
    }

    fn mend(&self, at: &Path) -> Result<(), StepError> {
        self.git(&["repair".as_ref(), at.as_os_str()])
    }
}

impl Step for MoveWorktree {
    type World = Files;
    type Evidence = Moved;

    fn describe(&self) -> String {
        format!("move the worktree {} to {}", self.from.display(), self.to.display())
    }

    fn inspect(
        &self,
        _world: &mut Files,
        evidence: Option<&Moved>,
        _look: Look,
        _cx: &Cx<'_>,
    ) -> Result<State, StepError> {
        Ok(match self.place() {
            Place::At { source: false, linked: true } => {
                evidence.and_then(|moved| self.bar(moved)).map_or(State::Done, State::Superseded)
            }
            Place::At { .. } => State::Pending,
            Place::Both => State::Conflict("there is a worktree at both places".into()),
            Place::Nowhere => State::Conflict("there is no worktree at either place".into()),
        })
    }

    fn stage(&self, _world: &mut Files, _slot: &Slot, _cx: &Cx<'_>) -> Result<Moved, StepError> {
        let at: &Path =
            if matches!(self.place(), Place::At { source: false, .. }) { &self.to } else { &self.from };
        let dot_git = at.join(".git");
        let link = link_of(at).ok_or_else(|| {
            Cause::source_changed(format!("{} no longer leads to a repository", dot_git.display())).item()
        })?;
        let dot_git_mtime = Fingerprint::of_file(&dot_git)?.mtime;
        let link_mtime = Fingerprint::of_file(&link)?.mtime;
        Ok(Moved { link: link.into(), link_mtime, dot_git_mtime })
    }

    fn publish(&self, world: &mut Files, _slot: &Slot, _evidence: &Moved) -> Result<(), StepError> {
        if let Place::At { source: false, .. } = self.place() {
            self.mend(&self.to)?;
        } else {
            if let Some(parent) = self.to.parent() {
                create_private_dirs(parent)?;
            }
            self.relocate(&self.from, &self.to)?;
        }
        world.touch(&self.from);
        world.touch(&self.to);
        Ok(())
    }

    fn revert(
        &self,
        world: &mut Files,
        _slot: &Slot,
        evidence: Option<&Moved>,
        _cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        if let Some(moved) = evidence {
            match self.place() {
                Place::At { source: true, linked: true } | Place::Nowhere | Place::Both => {}
                Place::At { source: true, linked: false } => self.mend(&self.from)?,
                Place::At { source: false, linked } => {
                    if !linked {
                        self.mend(&self.to)?;
                    }
                    self.relocate(&self.to, &self.from)?;
                }
            }
            set_mtime(&moved.link, moved.link_mtime)?;
            set_mtime(&self.from.join(".git"), moved.dot_git_mtime)?;
            world.touch(&self.from);
        }
        remove_empty_dirs(&self.new_dirs)?;
        world.touch(self.new_dirs.first().unwrap_or(&self.to));
        Ok(())
    }
}

/// The file in the repository that names the place of the worktree at `at`.
fn link_of(at: &Path) -> Option<PathBuf> {
    let text = std::fs::read_to_string(at.join(".git")).ok()?;
    let admin = text.strip_prefix("gitdir: ")?.trim_end_matches(['\r', '\n']);
    Some(at.join(admin).join("gitdir")) // joining an absolute path gives just that
}

/// Whether the repository knows that the worktree is at `at`.
fn is_linked(at: &Path) -> bool {
    let Some(link) = link_of(at) else { return false };
    let Ok(named) = std::fs::read_to_string(&link) else { return false };
    let admin = link.parent().unwrap_or(Path::new("/"));
    let named = admin.join(named.trim_end_matches(['\r', '\n']));
    same_place(&named, &at.join(".git"))
}

fn same_place(one: &Path, other: &Path) -> bool {
    one == other
        || one.canonicalize().ok().is_some_and(|one| other.canonicalize().is_ok_and(|other| one == other))
}

fn set_mtime(path: &Path, nanos: i64) -> Result<(), StepError> {
    let age = Duration::from_nanos(nanos.unsigned_abs());
    let time = if nanos < 0 { SystemTime::UNIX_EPOCH - age } else { SystemTime::UNIX_EPOCH + age };
    std::fs::File::options()
        .write(true)
        .open(path)
        .and_then(|file| file.set_modified(time))
        .doing("restore the time of", path)?;
    Ok(())
}
