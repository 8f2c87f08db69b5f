//! What the app wrote about its sessions into `main.log` (formats/cowork.md A8).

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use jiff::civil::DateTime;
use serde::Serialize;
use session_model::Survey;

use super::disk::{self, Disk, ThisDisk};
use crate::files::{is_absence, open_itself};

/// One line that says something about sessions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogEvent {
    /// When, by the clock on that machine's wall: the log names no zone.
    pub at: DateTime,
    /// The file it stands in.
    pub file: PathBuf,
    /// Its line, counted from 1.
    pub line: u64,
    /// What it says.
    pub said: Said,
}

/// What a line says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Said {
    /// A transcript was loaded.
    Loaded {
        /// The session's id, as the line has it.
        session: String,
        /// How many messages.
        messages: u64,
        /// What it says about how much that is.
        extent: Extent,
    },
    /// A session has no transcript.
    TranscriptNotFound {
        /// The session's id; empty if the line ends before it.
        session: String,
    },
    /// A selected folder was dropped because it is not there.
    FolderGone(String),
    /// A selected folder was dropped because it lies where the app allows none.
    FolderNotAllowed(String),
    /// A file was not opened because it lies in no selected folder.
    FileNotAllowed(String),
    /// A sidecar was passed over.
    SidecarSkipped(String),
    /// A sidecar could not be loaded.
    SidecarFailed(String),
    /// All sidecars of a folder were looked at.
    SessionsLoaded {
        /// How many were loaded.
        sessions: u64,
        /// From where.
        folder: String,
    },
    /// The app of another machine still owns the live session.
    Conflict,
}

/// What the log says about how much of a transcript was loaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Extent {
    /// Nothing. That is no proof that all was loaded: old builds say nothing when they hide history.
    Unsaid,
    /// Only the end of the file was read.
    Tail,
    /// Only what follows a compaction was shown.
    Compaction,
    /// Something that this reader does not know.
    Other(String),
}

/// The files of the log, the oldest first.
const FILES: [&str; 5] = ["main4.log", "main3.log", "main2.log", "main1.log", "main.log"];

/// The longest line that is looked at. What follows is passed over: no line that counts is longer.
const LONGEST_LINE: u64 = 64 << 10;

/// Reads the log of a base, the oldest line first. Lines that say nothing about sessions are passed over.
pub fn read_log(base: &Path) -> Survey<Vec<LogEvent>> {
    read_files(&base.join("logs"), &FILES)
}

/// Reads a log that lies anywhere: `main.log` with those beside it that it was before, any other file alone. One that is
/// not there is an anomaly.
pub fn read_log_file(file: &Path) -> Survey<Vec<LogEvent>> {
    let (folder, name) = (file.parent().unwrap_or(file), file.file_name().and_then(|name| name.to_str()));
    let mut survey = match name {
        Some("main.log") => read_files(folder, &FILES),
        Some(name) => read_files(folder, &[name]),
        None => Survey::default(),
    };
    if let Err(error) = ThisDisk.look(file) {
        survey.anomalies.push(disk::unreadable(file, &error));
    }
    survey
}

fn read_files(folder: &Path, names: &[&str]) -> Survey<Vec<LogEvent>> {
    let mut survey = Survey::<Vec<LogEvent>>::default();
    for name in names {
        let path = folder.join(name);
        let read = open_itself(&path).and_then(|file| lines(file, &path, &mut survey.found));
        match read {
            Err(error) if !is_absence(&error) => {
                survey.anomalies.push(disk::unreadable_file(&ThisDisk, &path, &error));
            }
            _ => {}
        }
    }
    survey
}

/// The last thing that the log says about the transcript of a session, whichever of its ids it uses.
pub fn last_word<'a>(events: &'a [LogEvent], ids: &[&str]) -> Option<&'a LogEvent> {
    events.iter().rev().find(|event| match &event.said {
        Said::Loaded { session, .. } | Said::TranscriptNotFound { session } => {
            ids.contains(&session.as_str())
        }
        _ => false,
    })
}

fn lines(file: File, path: &Path, events: &mut Vec<LogEvent>) -> io::Result<()> {
    let mut reader = BufReader::new(file);
    let mut bytes = Vec::new();
    for line in 1.. {
        bytes.clear();
        if reader.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut bytes)? == 0 {
            break;
        }
        if !bytes.ends_with(b"\n") {
            reader.skip_until(b'\n')?;
        }
        let text = String::from_utf8_lossy(&bytes);
        let event = parse(text.trim_end());
        events.extend(event.map(|(at, said)| LogEvent { at, file: path.to_path_buf(), line, said }));
    }
    Ok(())
}

/// `YYYY-MM-DD HH:MM:SS [level] message`, for messages that say something about sessions.
fn parse(line: &str) -> Option<(DateTime, Said)> {
    let (time, rest) = line.split_at_checked("YYYY-MM-DD HH:MM:SS".len())?;
    let (_, message) = rest.split_once(']').filter(|(level, _)| level.contains('['))?;
    let said = said(message.trim_start())?;
    let is_time = time.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b' ' | b':'));
    Some((time.parse().ok().filter(|_| is_time)?, said))
}

fn said(message: &str) -> Option<Said> {
    let after = |pattern: &str| Some(message.split_once(pattern)?.1.trim_start_matches([' ', ':', '…', '.']));
    let text = |pattern: &str| after(pattern).map(str::to_owned);
    loaded(message)
        .or_else(|| {
            Some(Said::TranscriptNotFound { session: word(after("Transcript not found for session")?) })
        })
        .or_else(|| text("Filtering out deleted folder").map(Said::FolderGone))
        .or_else(|| text("Dropping persisted folder outside allowed mount roots").map(Said::FolderNotAllowed))
        .or_else(|| file_not_allowed(message))
        .or_else(|| text("Skipping invalid session file").map(Said::SidecarSkipped))
        .or_else(|| text("Failed to load session from").map(Said::SidecarFailed))
        .or_else(|| message.contains("Registration conflict (409)").then_some(Said::Conflict))
}

/// `Loaded N messages from transcript for session <id>`, or `Loaded N persisted sessions from <folder>`.
fn loaded(message: &str) -> Option<Said> {
    let (number, rest) = message.split_once("Loaded ")?.1.split_once(' ')?;
    let number = number.parse().ok()?;
    if let Some(folder) = rest.strip_prefix("persisted sessions from") {
        return Some(Said::SessionsLoaded { sessions: number, folder: folder.trim().to_owned() });
    }
    let rest = rest.strip_prefix("messages from transcript for session ")?;
    let session = word(rest);
    let extent = match rest[session.len()..].trim() {
        "" => Extent::Unsaid,
        "(truncated via tail)" => Extent::Tail,
        "(truncated via compaction)" => Extent::Compaction,
        other => Extent::Other(other.to_owned()),
    };
    Some(Said::Loaded { session, messages: number, extent })
}

/// `readLocalFile: path <p> resolves outside allowed folders`.
fn file_not_allowed(message: &str) -> Option<Said> {
    let path = message.split_once("readLocalFile: path ")?.1;
    let (path, _) = path.rsplit_once(" resolves outside allowed folders")?;
    Some(Said::FileNotAllowed(path.to_owned()))
}

fn word(text: &str) -> String {
    text.split([' ', '(', ',']).next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_only_if_it_is_one_of_the_log() {
        let parsed = |line: &str| parse(line).map(|(at, _)| at.to_string());
        let message = "Registration conflict (409)";
        for prefix in ["2026-01-20 10:00:00 [info] ", "2026-01-20 10:00:00.123 [error]  "] {
            let at = parsed(&format!("{prefix}{message}"));
            assert_eq!(at.as_deref(), Some("2026-01-20T10:00:00"), "{prefix}");
        }
        for prefix in
            ["", "2026-01-20 10:00:00 ", "2026-02-30 10:00:00 [info] ", "2026-01-20T10:00:00Z[info] ", "é"]
        {
            assert_eq!(parsed(&format!("{prefix}{message}")), None, "{prefix}");
        }
        assert_eq!(parsed("2026-01-20 10:00:00 [info] Loaded many messages"), None);
    }

    #[test]
    fn what_the_log_says_about_truncation_is_kept_even_if_unknown() {
        let extent =
            |suffix: &str| match said(&format!("Loaded 7 messages from transcript for session x{suffix}")) {
                Some(Said::Loaded { session, messages: 7, extent }) if session == "x" => extent,
                other => panic!("{other:?}"),
            };
        assert_eq!(extent(""), Extent::Unsaid);
        assert_eq!(extent(" (truncated via tail)"), Extent::Tail);
        assert_eq!(extent(" (truncated via compaction)"), Extent::Compaction);
        assert_eq!(extent(" (preserved)"), Extent::Other("(preserved)".into()));
    }
}
