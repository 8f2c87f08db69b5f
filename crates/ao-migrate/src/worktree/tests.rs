//! Real repositories, real worktrees, uncommitted work.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use migration_engine::steps::Files;
use migration_engine::{Cx, Look, NoProgress, RunId, Slot, State, Step, World};
use session_model::Timestamp;
use testkit::tree::Tree;

use super::git::git;
use super::repository;
use super::step::{MoveWorktree, Moved};
use super::survey::{Refused, survey_move};

/// A repository with a linked worktree on branch `feat`, in which somebody is in the middle of something.
struct Repository {
    dir: tempfile::TempDir,
    stop: AtomicBool,
}

impl Repository {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let repository = Self { dir, stop: AtomicBool::new(false) };
        std::fs::create_dir(repository.main()).unwrap();
        let main = repository.main();
        let run = |at: &Path, line: &str| git(at, line.split(' ')).unwrap();
        run(&main, "init -q -b main");
        for setting in ["user.name kim", "user.email kim@example"] {
            run(&main, &format!("config {setting}"));
        }
        std::fs::write(main.join("README"), "hello\n").unwrap();
        run(&main, "add README");
        run(&main, "commit -q -m first");
        git(&main, ["worktree", "add", "-q", "-b", "feat", repository.from().to_str().unwrap()]).unwrap();
        std::fs::write(repository.from().join("README"), "changed, not committed\n").unwrap();
        std::fs::write(repository.from().join("staged"), "staged\n").unwrap();
        run(&repository.from(), "add staged");
        std::fs::write(repository.from().join("untracked"), "untracked\n").unwrap();
        repository
    }

    fn base(&self) -> PathBuf {
        self.dir.path().canonicalize().unwrap()
    }

    fn main(&self) -> PathBuf {
        self.base().join("repo")
    }

    fn from(&self) -> PathBuf {
        self.base().join("legacy wt")
    }

    fn to(&self) -> PathBuf {
        self.base().join("data/worktrees/shop/sh-1")
    }

    fn survey(&self) -> Result<MoveWorktree, Refused> {
        self.survey_of(&self.from(), "feat")
    }

    fn survey_of(&self, from: &Path, branch: &str) -> Result<MoveWorktree, Refused> {
        let repository = repository::Repository::survey(&self.main());
        survey_move(repository.as_ref().map_err(String::as_str), from, &self.to(), branch)
    }

    fn reason(&self) -> &'static str {
        self.survey().unwrap_err().reason
    }

    fn status(at: &Path) -> String {
        String::from_utf8(git(at, ["status", "--porcelain", "--branch"]).unwrap()).unwrap()
    }

    fn cx(&self) -> Cx<'_> {
        Cx { stop: &self.stop, progress: &NoProgress, now: Timestamp::now }
    }

    /// Moves it there, and answers what is needed to move it back.
    fn move_there(&self, step: &MoveWorktree) -> Moved {
        let (slot, mut files) = (slot(), Files::default());
        let moved = step.stage(&mut files, &slot, &self.cx()).unwrap();
        step.publish(&mut files, &slot, &moved).unwrap();
        files.settle().unwrap();
        moved
    }

    fn move_back(&self, step: &MoveWorktree, moved: &Moved) {
        let mut files = Files::default();
        step.revert(&mut files, &slot(), Some(moved), &self.cx()).unwrap();
        files.settle().unwrap();
    }
}

fn slot() -> Slot {
    Slot::new(RunId::new(Timestamp::UNIX_EPOCH, 0), 0, PathBuf::from("/nowhere"))
}

fn state(step: &MoveWorktree) -> State {
    let cx = Cx { stop: &AtomicBool::new(false), progress: &NoProgress, now: Timestamp::now };
    step.inspect(&mut Files::default(), None, Look::Full, &cx).unwrap()
}

#[test]
fn uncommitted_work_moves_along_and_comes_back() {
    let repository = Repository::new();
    let (before, status) = (Tree::of(&repository.base()), Repository::status(&repository.from()));
    let step = repository.survey().unwrap();
    let moved = repository.move_there(&step);
    assert_eq!(state(&step), State::Done);
    assert_eq!(Repository::status(&repository.to()), status);
    assert!(!repository.from().exists());
    repository.move_back(&step, &moved);
    assert_eq!(state(&step), State::Pending);
    before.assert_same(&Tree::of(&repository.base()), "moved there and back");
}

#[test]
fn what_a_kill_in_the_middle_of_git_leaves_is_mended_in_both_directions() {
    let repository = Repository::new();
    let before = Tree::of(&repository.base());
    let step = repository.survey().unwrap();
    let moved = step.stage(&mut Files::default(), &slot(), &repository.cx()).unwrap();
    // git has renamed the folder and was killed before it could say so in the repository
    std::fs::create_dir_all(repository.to().parent().unwrap()).unwrap();
    std::fs::rename(repository.from(), repository.to()).unwrap();
    assert_eq!(state(&step), State::Pending);
    let status = {
        repository.move_there(&step);
        Repository::status(&repository.to())
    };
    assert_eq!(state(&step), State::Done);
    assert!(status.contains("untracked"));
    // the same on the way back
    std::fs::rename(repository.to(), repository.from()).unwrap();
    repository.move_back(&step, &moved);
    before.assert_same(&Tree::of(&repository.base()), "mended");
}

#[test]
fn a_worktree_that_must_not_be_moved_is_refused_with_its_reason() {
    let repository = Repository::new();
    let reason_of = |from: &Path, branch: &str| repository.survey_of(from, branch).unwrap_err().reason;
    assert_eq!(reason_of(&repository.from(), "main"), "other-branch");
    assert_eq!(reason_of(&repository.main(), "main"), "not-a-linked-worktree");
    assert_eq!(reason_of(&repository.base().join("gone"), "feat"), "worktree-gone");

    git(&repository.main(), ["worktree", "lock", repository.from().to_str().unwrap()]).unwrap();
    assert_eq!(repository.reason(), "worktree-locked");
    git(&repository.main(), ["worktree", "unlock", repository.from().to_str().unwrap()]).unwrap();

    let second = repository.base().join("second");
    git(&repository.main(), ["worktree", "add", "-q", "--force", second.to_str().unwrap(), "feat"]).unwrap();
    assert_eq!(repository.reason(), "branch-checked-out-elsewhere");
    git(&repository.main(), ["worktree", "remove", second.to_str().unwrap()]).unwrap();

    std::fs::create_dir_all(repository.to()).unwrap();
    assert_eq!(repository.reason(), "managed-path-exists");
    std::fs::remove_dir(repository.to()).unwrap();

    std::fs::write(repository.from().join(".gitmodules"), "").unwrap();
    assert_eq!(repository.reason(), "submodules");
    std::fs::remove_file(repository.from().join(".gitmodules")).unwrap();

    repository.survey().unwrap();
    std::fs::rename(repository.main(), repository.base().join("elsewhere")).unwrap();
    assert_eq!(repository.reason(), "repository-gone");
}
