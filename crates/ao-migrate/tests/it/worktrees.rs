//! `--restorable` and `--move-worktrees`: what the daemon needs to resume a session, asked of the real git (formats/ao.md
//! §8.3, §8.4).

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::home::Home;

fn git(at: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    command.arg("-C").arg(at).args(arguments).env("GIT_OPTIONAL_LOCKS", "0"); // looking must not touch the index
    let output = command.output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_worktree_with_uncommitted_files_stands_at_the_managed_path_and_comes_back() {
    let home = Home::new("everything");
    let legacy = home.path().join(".agent-orchestrator/projects/billing-api/worktrees/ba-1");
    let managed = home.data_dir().join("worktrees/billing-api/ba-1");
    let repository = home.path().join("src/billing-api");
    let status = git(&legacy, &["status", "--porcelain", "--branch"]);
    assert!(status.contains("uncommitted.txt"), "{status}");
    let index = git(&legacy, &["ls-files", "--stage"]);
    let (files, dump) = (home.files(), home.dump());

    home.expect(3, &["--move-worktrees"]);
    assert!(!legacy.exists());
    assert_eq!(git(&managed, &["status", "--porcelain", "--branch"]), status);
    assert_eq!(git(&managed, &["ls-files", "--stage"]), index);
    let listed = git(&repository, &["worktree", "list", "--porcelain"]);
    assert!(
        listed.contains(managed.to_str().unwrap()) && !listed.contains(legacy.to_str().unwrap()),
        "{listed}"
    );
    home.expect(0, &["verify"]);

    home.expect(0, &["undo"]);
    assert_eq!(git(&legacy, &["status", "--porcelain", "--branch"]), status);
    files.assert_same(&home.files(), "after the undo");
    assert_eq!(dump, home.dump());
}

#[test]
fn an_undo_is_refused_while_nothing_is_touched_if_git_would_not_move_a_worktree_back() {
    let home = Home::new("everything");
    let legacy = home.path().join(".agent-orchestrator/projects/billing-api/worktrees/ba-1");
    let managed = home.data_dir().join("worktrees/billing-api/ba-1");
    let repository = home.path().join("src/billing-api");
    let (files, dump) = (home.files(), home.dump());
    home.expect(3, &["--move-worktrees"]);
    let refused = |found: &str| {
        let (files, dump) = (home.files(), home.dump());
        for more in [None, Some("--set-aside")] {
            let said = home.expect(4, &["undo"].into_iter().chain(more).collect::<Vec<_>>()).stderr;
            assert!(said.contains("move the worktree") && said.contains(found), "{said}");
            assert!(said.contains("undo @RUN@ --keep-changed`") && !said.contains("--set-aside"), "{said}");
            files.assert_same(&home.files(), found);
            assert_eq!(dump, home.dump());
        }
    };
    git(&repository, &["worktree", "lock", managed.to_str().unwrap()]);
    refused("it is locked");
    home.expect(0, &["verify"]);
    git(&repository, &["worktree", "unlock", managed.to_str().unwrap()]);
    std::fs::create_dir(&legacy).unwrap();
    refused("something else stands at");
    std::fs::remove_dir(&legacy).unwrap();
    let elsewhere = home.path().join("elsewhere");
    std::fs::rename(&managed, &elsewhere).unwrap();
    refused("there is no worktree at either place");
    std::fs::rename(&elsewhere, &managed).unwrap();
    home.expect(0, &["undo"]);
    files.assert_same(&home.files(), "after the undo");
    assert_eq!(dump, home.dump());
}

/// Every condition of formats/ao.md §8.3, asked of the database and of git, not of our own report.
#[test]
fn the_daemon_can_resume_what_was_moved() {
    let home = Home::new("everything");
    home.expect(3, &["--move-worktrees"]);
    let row = home.query(
        "SELECT is_terminated || '|' || activity_state || '|' || runtime_handle_id || '|' || branch || '|' ||
         agent_session_id || '|' || harness || '|' || workspace_path FROM sessions WHERE id = 'ba-1'",
    );
    let managed = home.data_dir().join("worktrees/billing-api/ba-1");
    let expected = "1|exited||feat/tax|0b1f5a3e-9d36-4a53-8d54-6f3d6f2f7a01|claude-code|@HOME@/.ao/data/worktrees/billing-api/ba-1";
    assert_eq!(home.redacted(&row), expected);
    let worktree = home.query(
        "SELECT repo_name || '|' || branch || '|' || state FROM session_worktrees WHERE session_id = 'ba-1'",
    );
    assert_eq!(worktree, "__root__|feat/tax|active");
    assert_eq!(git(&managed, &["branch", "--show-current"]).trim(), "feat/tax");

    let report = home.report(3, &["--dry-run", "--restorable"]);
    assert_eq!(report["summary"]["migrated"], 0, "a run with --restorable alone plans the same rows");
}

#[test]
fn a_worktree_that_must_stay_is_named_and_its_session_migrates_all_the_same() {
    let home = Home::new("everything");
    let legacy = home.path().join(".agent-orchestrator/projects/billing-api/worktrees/ba-1");
    git(&home.path().join("src/billing-api"), &["worktree", "lock", legacy.to_str().unwrap()]);
    let report = home.report(3, &["--move-worktrees"]);
    let item = report["items"].as_array().unwrap().iter().find(|item| item["id"] == "ba-1").unwrap();
    assert_eq!(item["bucket"], "migrated");
    let codes: Vec<&str> =
        item["findings"].as_array().unwrap().iter().map(|f| f["code"].as_str().unwrap()).collect();
    assert!(codes.contains(&"worktree-locked") && codes.contains(&"daemon-cannot-resume"), "{codes:?}");
    assert!(legacy.exists());
}

/// A home in which the worktree of session `ba-1` is in some disorder, and the daemon's question about it.
struct Disorder {
    home: Home,
    data_dir: PathBuf,
}

impl Disorder {
    fn new() -> Self {
        let home = Home::new("everything");
        let data_dir = home.data_dir();
        Self { home, data_dir }
    }

    fn repository(&self) -> PathBuf {
        self.home.path().join("src/billing-api")
    }

    fn legacy(&self) -> PathBuf {
        self.home.path().join(".agent-orchestrator/projects/billing-api/worktrees/ba-1")
    }

    fn managed(&self) -> PathBuf {
        self.data_dir.join("worktrees/billing-api/ba-1")
    }

    /// git with a path as its last argument.
    fn git_on(&self, arguments: &[&str], path: &Path) {
        git(&self.repository(), &[arguments, &[path.to_str().unwrap()]].concat());
    }

    /// Why the daemon cannot resume the session, as the report has it; "" if it can.
    fn reported(&self) -> String {
        let data_dir = self.data_dir.to_str().unwrap();
        let arguments = ["--restorable", "--dry-run", "--json", "--data-dir", data_dir];
        let output = self.home.tool(&arguments).run();
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let item = report["items"].as_array().unwrap().iter().find(|item| item["id"] == "ba-1").unwrap();
        let message = item["findings"].as_array().unwrap().iter().find_map(|finding| {
            finding["message"].as_str().unwrap().strip_prefix("resumable by the daemon: ").map(str::to_owned)
        });
        let message = message.unwrap();
        if message == "yes" {
            String::new()
        } else {
            message.strip_prefix("no, because ").unwrap().to_owned()
        }
    }

    /// What the daemon does to resume it, for real.
    fn daemon_gets_its_worktree(&self) -> bool {
        let managed = self.managed();
        if managed.join(".git").exists() {
            return git(&managed, &["branch", "--show-current"]).trim() == "feat/tax";
        }
        let mut add = Command::new("git");
        add.arg("-C").arg(self.repository()).args(["worktree", "add", "-q"]).arg(&managed).arg("feat/tax");
        add.output().unwrap().status.success()
    }

    /// The report says no, as git does, and what it says to do makes it a yes.
    #[track_caller]
    fn is_mended_as_the_report_says(&self, disorder: &str) -> String {
        let reported = self.reported();
        assert!(!reported.is_empty(), "{disorder}: reported as resumable");
        assert!(!self.daemon_gets_its_worktree(), "{disorder}: no disorder at all");
        let commands: Vec<&str> = reported.split('`').skip(1).step_by(2).collect();
        assert!(!commands.is_empty(), "{disorder}: no command in {reported}");
        for command in &commands {
            let done = Command::new("bash").args(["-euc", command]).output().unwrap();
            let said = String::from_utf8_lossy(&done.stderr);
            assert!(done.status.success(), "{disorder}: {command}: {said}");
        }
        assert_eq!(self.reported(), "", "{disorder}: after {commands:?}");
        assert!(self.daemon_gets_its_worktree(), "{disorder}: after {commands:?}");
        commands.join("\n")
    }
}

fn has_uncommitted_work(place: &Path) -> bool {
    place.join("uncommitted.txt").exists()
}

#[test]
fn a_worktree_whose_folder_was_deleted_still_holds_its_branch() {
    let disorder = Disorder::new();
    std::fs::remove_dir_all(disorder.legacy()).unwrap();
    let command = disorder.is_mended_as_the_report_says("deleted, not pruned");
    assert_eq!(command, format!("git -C {} worktree prune", disorder.repository().display()));

    let disorder = Disorder::new();
    disorder.git_on(&["worktree", "lock"], &disorder.legacy());
    std::fs::remove_dir_all(disorder.legacy()).unwrap();
    disorder.is_mended_as_the_report_says("locked and deleted");

    let disorder = Disorder::new();
    disorder.git_on(&["worktree", "remove", "--force"], &disorder.legacy());
    std::fs::create_dir_all(disorder.managed().parent().unwrap()).unwrap();
    git(&disorder.repository(), &["worktree", "add", "-q", disorder.managed().to_str().unwrap(), "feat/tax"]);
    assert_eq!(disorder.reported(), "", "the daemon's own worktree holds the branch");
    std::fs::remove_dir_all(disorder.managed()).unwrap();
    disorder.is_mended_as_the_report_says("the daemon's own worktree was deleted");
}

#[test]
fn the_printed_move_takes_uncommitted_work_to_where_the_daemon_looks() {
    let disorder = Disorder::new();
    disorder.is_mended_as_the_report_says("nothing special");
    assert!(has_uncommitted_work(&disorder.managed()));

    let disorder = Disorder::new();
    disorder.git_on(&["worktree", "lock"], &disorder.legacy());
    let command = disorder.is_mended_as_the_report_says("locked");
    assert!(command.contains("worktree unlock") && !command.contains(" -f"), "{command}");
    assert!(has_uncommitted_work(&disorder.managed()));

    let disorder = Disorder::new();
    std::fs::create_dir_all(disorder.managed()).unwrap();
    disorder.is_mended_as_the_report_says("an empty folder in its place");
    assert!(has_uncommitted_work(&disorder.managed()));
}

#[test]
fn a_worktree_that_git_would_not_move_there_gives_up_its_branch_only() {
    let disorder = Disorder::new();
    std::fs::write(disorder.legacy().join(".gitmodules"), "").unwrap();
    disorder.is_mended_as_the_report_says("submodules");
    assert!(has_uncommitted_work(&disorder.legacy()));

    let disorder = Disorder::new();
    git(&disorder.legacy(), &["switch", "-q", "--detach"]);
    git(&disorder.repository(), &["switch", "-q", "feat/tax"]);
    let command = disorder.is_mended_as_the_report_says("in the main checkout");
    assert!(!command.contains("worktree move"), "git does not move the main worktree: {command}");

    let disorder = Disorder::new();
    let second = disorder.home.path().join("second");
    git(&disorder.repository(), &["worktree", "add", "-q", "-f", second.to_str().unwrap(), "feat/tax"]);
    disorder.is_mended_as_the_report_says("in two worktrees");
}

#[test]
fn what_stands_where_the_daemon_looks_is_never_moved_into() {
    let disorder = Disorder::new();
    std::fs::create_dir_all(disorder.managed()).unwrap();
    std::fs::write(disorder.managed().join("note"), "mine").unwrap();
    let reported = disorder.reported();
    assert!(reported.contains("exists already"), "{reported}");
    assert!(!reported.contains("worktree move"), "git would move it into the folder: {reported}");
    assert!(!disorder.daemon_gets_its_worktree());
    git(&disorder.legacy(), &["switch", "-q", "--detach"]);
    assert!(disorder.reported().contains("exists already"), "not even with the branch freed");
    assert!(!disorder.daemon_gets_its_worktree());
    std::fs::rename(disorder.managed(), disorder.home.path().join("aside")).unwrap();
    assert_eq!(disorder.reported(), "");
    assert!(disorder.daemon_gets_its_worktree());
}

#[test]
fn a_branch_in_the_middle_of_a_bisection_is_not_free() {
    let disorder = Disorder::new();
    let commit = ["-c", "user.name=kim", "-c", "user.email=kim@example", "commit", "-q", "--allow-empty"];
    for _ in 0..3 {
        git(&disorder.legacy(), &[&commit[..], &["-m", "more"]].concat());
    }
    git(&disorder.legacy(), &["bisect", "start", "HEAD", "HEAD~3"]);
    assert!(disorder.reported().contains("bisection"), "{}", disorder.reported());
    assert!(!disorder.daemon_gets_its_worktree());
}

#[test]
fn without_its_branch_or_its_repository_no_session_is_resumed() {
    let disorder = Disorder::new();
    disorder.git_on(&["worktree", "remove", "--force"], &disorder.legacy());
    git(&disorder.repository(), &["update-ref", "refs/remotes/origin/feat/tax", "HEAD"]);
    git(&disorder.repository(), &["branch", "-q", "-D", "feat/tax"]);
    assert_eq!(disorder.reported(), "", "the origin has it");
    git(&disorder.repository(), &["update-ref", "-d", "refs/remotes/origin/feat/tax"]);
    assert!(disorder.reported().contains("the branch feat/tax"), "{}", disorder.reported());
    assert!(!disorder.daemon_gets_its_worktree());

    std::fs::rename(disorder.repository(), disorder.home.path().join("elsewhere")).unwrap();
    assert!(disorder.reported().contains("src/billing-api"), "{}", disorder.reported());
}

#[test]
fn a_printed_command_works_whatever_the_paths_are_called() {
    let mut disorder = Disorder::new();
    let odd = disorder.home.path().join("it's\nan \"odd\" $HOME `x`");
    disorder.git_on(&["worktree", "move", disorder.legacy().to_str().unwrap()], &odd);
    disorder.data_dir = disorder.home.path().join("dä ta\n'dir'");
    std::fs::rename(disorder.home.data_dir(), &disorder.data_dir).unwrap();
    let reported = disorder.reported();
    let (command, _) = reported.split_once("` moves it").unwrap();
    let (_, command) = command.split_once("; `").unwrap();
    assert!(!command.contains('\n'), "{command}");
    assert!(Command::new("bash").args(["-euc", command]).status().unwrap().success(), "{command}");
    assert_eq!(disorder.reported(), "");
    assert!(has_uncommitted_work(&disorder.managed()));
}
