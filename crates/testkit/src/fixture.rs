//! Fixture homes: `fixtures/<tool>/<case>/`, plain files that a person can read, laid out as a real home.
//!
//! - `home/`, if there is one, is copied, with `@HOME@` in file contents replaced by the home's real path and every file
//!   given the time [`FIXED_TIME`].
//! - `transcripts/` holds Claude transcripts by id: `{id}.jsonl` and, beside it, `{id}/`.
//! - `lay-out.txt` makes what git cannot hold, one line each, paths below the home, where `\xNN` is one byte:
//!
//! | line | makes |
//! |---|---|
//! | `folder PATH` | an empty folder |
//! | `copy FOLDER PATH` | a copy of another folder of the case, as of `home/`: keeps deep homes readable |
//! | `pipe PATH` | a named pipe |
//! | `hollow PATH SIZE` | a file of this many zero bytes, which takes no room |
//! | `symlink PATH TARGET` | a symlink (`@HOME@` in the target is replaced) |
//! | `bytes PATH HEX…` | a file of exactly these bytes |
//! | `mtime PATH TIME` | another time for a file |
//! | `repository PATH [ORIGIN]` | a git repository with one commit of what is there, and a remote `origin` |
//! | `worktree REPOSITORY PATH BRANCH` | a git worktree of it on a new branch |
//! | `transcript CWD ID` | the transcript in the folder where Claude Code run in CWD looks for it |

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use jiff::Timestamp;

/// The modification time of every file of a fixture.
pub const FIXED_TIME: &str = "2026-01-20T10:00:00Z";

/// The names of all cases of a tool, in order.
pub fn cases(tool: &str) -> Vec<String> {
    let folders = entries(&fixtures().join(tool)).into_iter().filter(|path| path.is_dir());
    folders.map(|path| path.file_name().expect("it was listed").to_string_lossy().into_owned()).collect()
}

/// Lays out a case, such as `ao-migrate/v2`, in a folder that exists, and returns that folder's real path, which stands
/// for `@HOME@`.
///
/// # Panics
/// When the case cannot be laid out: a test should fail then.
pub fn lay_out(case: &str, home: &Path) -> PathBuf {
    let home = home.canonicalize().expect("the home to lay out in exists");
    let case = Case { folder: fixtures().join(case), home: home.clone() };
    assert!(case.folder.is_dir(), "there is no fixture {}", case.folder.display());
    if case.folder.join("home").is_dir() {
        case.copy(&case.folder.join("home"), &home);
    }
    let lines = fs::read_to_string(case.folder.join("lay-out.txt")).unwrap_or_default();
    for line in lines.lines().filter(|line| !line.starts_with('#')) {
        case.make(line);
    }
    home
}

/// Text with the home's path replaced by `@HOME@`, so that it can be compared with a golden one.
pub fn redacted(text: &str, home: &Path) -> String {
    text.replace(home.to_str().expect("a test's home is UTF-8"), "@HOME@")
}

struct Case {
    folder: PathBuf,
    home: PathBuf,
}

impl Case {
    fn make(&self, line: &str) {
        let mut words = line.split(' ').filter(|word| !word.is_empty());
        let verb = words.next().unwrap_or_default();
        let rest: Vec<&str> = words.collect();
        match (verb, rest.as_slice()) {
            ("folder", [path]) => fs::create_dir_all(self.home.join(unescaped(path))).expect("folder"),
            ("copy", [folder, path]) => {
                self.copy(&self.folder.join(folder), &self.home.join(unescaped(path)));
            }
            ("pipe", [path]) => run(Command::new("mkfifo").arg(self.home.join(unescaped(path)))),
            ("hollow", [path, size]) => {
                hollow(&self.home.join(unescaped(path)), size.parse().expect("a size"));
            }
            ("symlink", [path, target]) => self.symlink(path, target),
            ("bytes", [path, hex @ ..]) => write(&self.home.join(unescaped(path)), &from_hex(hex)),
            ("mtime", [path, time]) => set_time(&self.home.join(path), time_of(time)),
            ("repository", [path, origin @ ..]) => self.repository(path, origin.first().copied()),
            ("worktree", [repository, path, branch]) => self.worktree(repository, path, branch),
            ("transcript", [cwd, id]) => self.transcript(cwd, id),
            _ => panic!("lay-out.txt of {}: no such line: {line}", self.folder.display()),
        }
    }

    /// Copies a folder's content, filling in the home.
    fn copy(&self, from: &Path, to: &Path) {
        fs::create_dir_all(to).expect("folder of a fixture");
        for path in entries(from) {
            let target = to.join(path.file_name().expect("it was listed"));
            if path.is_dir() {
                self.copy(&path, &target);
            } else {
                self.copy_file(&path, &target);
            }
        }
    }

    fn copy_file(&self, from: &Path, to: &Path) {
        let text = fs::read_to_string(from).expect("files of a fixture are text");
        write(to, self.filled(&text).as_bytes());
    }

    fn filled(&self, text: &str) -> String {
        text.replace("@HOME@", self.home.to_str().expect("a test's home is UTF-8"))
    }

    fn symlink(&self, path: &str, target: &str) {
        #[cfg(unix)]
        let result = std::os::unix::fs::symlink(self.filled(target), self.home.join(path));
        #[cfg(windows)]
        let result = std::os::windows::fs::symlink_file(self.filled(target), self.home.join(path));
        result.expect("symlink of a fixture");
    }

    fn repository(&self, path: &str, origin: Option<&str>) {
        let folder = self.home.join(path);
        fs::create_dir_all(&folder).expect("folder of a repository");
        git(&folder, &["init", "-q", "-b", "main"]);
        git(&folder, &["add", "-A"]);
        git(&folder, &["commit", "-q", "--allow-empty", "-m", "All there is"]);
        if let Some(origin) = origin {
            git(&folder, &["remote", "add", "origin", origin]);
        }
    }

    fn worktree(&self, repository: &str, path: &str, branch: &str) {
        let path = self.home.join(path);
        let path = path.to_str().expect("a test's home is UTF-8");
        git(&self.home.join(repository), &["worktree", "add", "-q", "-b", branch, path]);
    }

    fn transcript(&self, cwd: &str, id: &str) {
        let from = self.folder.join("transcripts");
        let to = self.home.join(".claude/projects").join(slug(&self.home.join(cwd)));
        self.copy_file(&from.join(format!("{id}.jsonl")), &to.join(format!("{id}.jsonl")));
        if from.join(id).is_dir() {
            self.copy(&from.join(id), &to.join(id));
        }
    }
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures")
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let listed = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = listed.map(|entry| entry.expect("entry of a fixture").path()).collect();
    paths.sort();
    paths
}

fn write(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().expect("a file lies in a folder")).expect("folder of a fixture");
    fs::write(path, bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    set_time(path, time_of(FIXED_TIME));
}

fn hollow(path: &Path, size: u64) {
    write(path, b"");
    fs::File::options().write(true).open(path).and_then(|file| file.set_len(size)).expect("room for a hole");
    set_time(path, time_of(FIXED_TIME));
}

fn run(command: &mut Command) {
    assert!(command.status().is_ok_and(|status| status.success()), "{command:?}");
}

fn set_time(path: &Path, time: SystemTime) {
    let file = fs::File::options().write(true).open(path).expect("file of a fixture");
    file.set_modified(time).expect("time of a file");
}

fn time_of(text: &str) -> SystemTime {
    text.parse::<Timestamp>().unwrap_or_else(|error| panic!("{text}: {error}")).into()
}

fn from_hex(words: &[&str]) -> Vec<u8> {
    words.iter().map(|word| u8::from_str_radix(word, 16).expect("two hex digits")).collect()
}

/// A path in which `\xNN` stands for one byte.
fn unescaped(path: &str) -> OsString {
    let mut parts = path.split("\\x");
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (hex, rest) = part.split_at(2);
        bytes.extend(from_hex(&[hex]));
        bytes.extend(rest.as_bytes());
    }
    #[cfg(unix)]
    return std::os::unix::ffi::OsStringExt::from_vec(bytes);
    #[cfg(not(unix))]
    return String::from_utf8_lossy(&bytes).into_owned().into();
}

/// The folder of transcripts of a directory: a second, simpler statement of the rule in formats/claude-code.md, so that
/// a fixture does not depend on what it tests. Enough for the short paths of tests.
fn slug(directory: &Path) -> String {
    let path = directory.to_str().expect("a test's home is UTF-8");
    let slug = path.encode_utf16().map(|unit| match u8::try_from(unit) {
        Ok(byte) if byte.is_ascii_alphanumeric() => char::from(byte),
        _ => '-',
    });
    let slug: String = slug.collect();
    assert!(slug.len() <= 200, "a fixture's home must have a short path: {path}");
    slug
}

/// Runs git untouched by the settings of whoever runs the tests, at a fixed time.
fn git(folder: &Path, arguments: &[&str]) {
    let mut git = Command::new("git");
    git.arg("-C").arg(folder).args(arguments);
    for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
        git.env_remove(variable);
    }
    git.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    for person in ["AUTHOR", "COMMITTER"] {
        git.env(format!("GIT_{person}_NAME"), "Kim").env(format!("GIT_{person}_EMAIL"), "kim@example.com");
        git.env(format!("GIT_{person}_DATE"), "2026-01-05T08:00:00Z");
    }
    let output = git.output().expect("git is installed");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {arguments:?} in {}: {said}", folder.display());
}
