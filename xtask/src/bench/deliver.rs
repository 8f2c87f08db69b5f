//! Trees to another host, beside what one would type without us: both ends in memory, over a loopback.

mod ends;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::files::shell_line;
use super::race::{Race, Runner};
use super::{Given, measure};
use crate::shell::Outcome;
use ends::Ends;

pub(super) const NEEDS: [(&str, &str); 5] = [
    super::PYTHON,
    ("rsync", "rsync"),
    ("scp", "openssh-client"),
    ("sshd", "openssh-server"),
    ("tar", "tar"),
];

/// Each takes seconds.
const ROUNDS: usize = 3;

const FOLDERS: usize = 200;
const FILES_EACH: usize = 100;
const FILE: usize = 10_000;
const SESSIONS: usize = 50;

/// What our side may take, in KiB.
const PEAK: u64 = 32 << 10;

const TAR: &str = r#"tar -cf - -C "$2" . | ssh -F "$1" agent tar -xf - -C "$3""#;

pub(super) fn run(_: &Given) -> Outcome {
    let ends = Ends::start()?;
    one_file(&ends)?;
    many_files(&ends)?;
    sessions(&ends)
}

fn one_file(ends: &Ends) -> Outcome {
    ends.clear_source()?;
    measure::program(&shell_line(r#"head -c 1G /dev/urandom > "$1/large""#, &[&ends.source()]))?;
    let mut race = Race::new();
    let [openssh, libssh2] = ours(ends, &mut race);
    let tar = ends.enter(&mut race, "tar | ssh tar", TAR);
    let rsync = ends.enter(&mut race, "rsync -aW", r#"rsync -aW -e "ssh -F $1" "$2" agent:"$3""#);
    let results = race.run("deliver: one file of 1 GiB, over ssh", ROUNDS)?;
    results.at_most(openssh, tar, 1.45);
    results.at_most(openssh, rsync, 1.25);
    results.compare(libssh2, tar);
    results.peak_at_most(openssh, PEAK);
    results.peak_at_most(libssh2, PEAK);
    Ok(())
}

fn many_files(ends: &Ends) -> Outcome {
    ends.clear_source()?;
    for folder in 0..FOLDERS {
        let folder = ends.source().join(folder.to_string());
        fs::create_dir(&folder)?;
        for file in 0..FILES_EACH {
            fs::write(folder.join(file.to_string()), vec![b'x'; FILE])?;
        }
    }
    let mut race = Race::new();
    let [openssh, libssh2] = ours(ends, &mut race);
    let tar = ends.enter(&mut race, "tar | ssh tar", TAR);
    let rsync = ends.enter(&mut race, "rsync -a", r#"rsync -a -e "ssh -F $1" "$2" agent:"$3""#);
    let scp = ends.enter(&mut race, "scp -r", r#"scp -q -r -p -F "$1" "$2" agent:"$3""#);
    let results = race.run("deliver: 20,000 files, 200 MB in all, over ssh", ROUNDS)?;
    results.at_most(openssh, tar, 1.3);
    results.at_most(openssh, rsync, 1.0);
    results.at_least(scp, openssh, 3.0);
    results.compare(libssh2, tar);
    results.peak_at_most(openssh, PEAK);
    results.peak_at_most(libssh2, PEAK);
    Ok(())
}

fn ours<'a>(ends: &'a Ends, race: &mut Race<'a>) -> [Runner; 2] {
    [("ours, by ssh", "openssh"), ("ours, by libssh2", "libssh2")]
        .map(|(name, transport)| race.enter(name, move || ends.deliver(transport)))
}

fn sessions(ends: &Ends) -> Outcome {
    ends.clear_source()?;
    (0..SESSIONS).try_for_each(|n| session(&ends.source(), n))?;
    let mut race = Race::new();
    let ours = race.enter("convocate-migrate --all", || ends.move_all());
    let tar = ends.enter(&mut race, "tar | ssh tar", TAR);
    let results = race.run("deliver: 50 small sessions, over ssh", ROUNDS)?;
    results.at_most(ours, tar, 1.5);
    results.peak_at_most(ours, PEAK);
    Ok(())
}

/// A session as small as they come.
fn session(base: &Path, n: usize) -> Outcome {
    let (id, port) = (format!("3f0c1d2e-5b6a-4c7d-8e9f-{n:012x}"), 8000 + n);
    let folder = base.join(&id);
    fs::create_dir_all(folder.join(".claude/projects/-home-claude"))?;
    let document = format!(
        r#"{{"uuid":"{id}","name":"session {n}","created_at":"2026-02-11T08:15:30Z","last_accessed":"2026-03-02T17:00:00Z","port":{port}}}"#
    );
    fs::write(folder.join("session.json"), document)?;
    fs::write(folder.join(".claude/projects/-home-claude/a.jsonl"), "{\"type\":\"user\"}\n")?;
    symlink("/home/claude/.claude-shared/settings.json", folder.join(".claude/settings.json"))?;
    fs::write(folder.join("Makefile"), "all:\n")?;
    Ok(fs::write(folder.join("notes"), "what is to be done\n")?)
}
