//! What belongs to one session beside its sidecar (formats/cowork.md A3): every name in its folder, and what each is for.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use serde::Serialize;
use session_model::{Anomaly, InputId, Place, Survey, Timestamp};

use super::disk::{self, Disk, Kind, ThisDisk};
use super::ids::is_plain_name;
use super::session::Session;
use crate::text::spelled;

/// Everything in a session's folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contents {
    /// The folder.
    pub directory: PathBuf,
    /// What is in it at any depth, in the order of paths. Symlinks are not followed.
    pub items: Vec<Item>,
}

/// One name in a session's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Where it is below the folder.
    pub relative: PathBuf,
    /// What stands there.
    pub kind: Kind,
    /// What it is for.
    pub role: Role,
    /// Its size in bytes; 0 for anything but a file.
    pub bytes: u64,
    /// Its modification time.
    pub mtime: Timestamp,
}

/// What something in a session's folder is for, which decides how it travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// `.claude/projects/<slug>/<cliSessionId>.jsonl`: the conversation. Paths in it are rewritten.
    Transcript,
    /// `subagents/agent-<id>.jsonl` beside it. Paths in it are rewritten.
    Subagent,
    /// `subagents/agent-<id>.meta.json`, the other half of a pair. Paths in it are rewritten.
    SubagentMeta,
    /// Below `tool-results/` beside it: copied as bytes.
    ToolResult,
    /// `audit.jsonl` or `.audit-key`: copied verbatim, never rewritten.
    Audit,
    /// Credentials: never copied.
    Secret,
    /// What an edit in place by a tool of this house has set aside, until it is forgotten: never copied.
    Stash,
    /// Below `outputs/`, `uploads/`, `.projects/` or `host-cwd/`: files of the host that the virtual machine mounts.
    Host,
    /// Anything else below `.claude/`.
    Claude,
    /// Anything else.
    Other,
}

impl Role {
    /// Whether what has this role may be copied to another machine.
    pub const fn travels(self) -> bool {
        !matches!(self, Self::Secret | Self::Stash)
    }

    /// Whether paths inside are rewritten on the way.
    pub const fn is_rewritten(self) -> bool {
        matches!(self, Self::Transcript | Self::Subagent | Self::SubagentMeta)
    }
}

/// A subagent's transcript and what is said about it: each half goes with the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subagent<'a> {
    /// `agent-<id>.jsonl`.
    pub transcript: Option<&'a Item>,
    /// `agent-<id>.meta.json`.
    pub meta: Option<&'a Item>,
}

impl Contents {
    /// The regular files that are the session's transcript: one, unless the folder says otherwise.
    pub fn transcripts(&self) -> impl Iterator<Item = &Item> {
        self.items.iter().filter(|item| item.role == Role::Transcript && item.kind == Kind::File)
    }

    /// The pairs of subagents' files, whole or not.
    pub fn subagents(&self) -> Vec<Subagent<'_>> {
        let mut pairs: BTreeMap<&[u8], Subagent<'_>> = BTreeMap::new();
        for item in self.items.iter().filter(|item| item.kind == Kind::File) {
            let suffix: &[u8] = match item.role {
                Role::Subagent => SUBAGENT,
                Role::SubagentMeta => SUBAGENT_META,
                _ => continue,
            };
            let name = item.relative.as_os_str().as_encoded_bytes();
            let name = name.strip_suffix(suffix).unwrap_or(name);
            let pair = pairs.entry(name).or_insert(Subagent { transcript: None, meta: None });
            let half = if item.role == Role::Subagent { &mut pair.transcript } else { &mut pair.meta };
            *half = Some(item);
        }
        pairs.into_values().collect()
    }

    /// The bytes of all files that may be copied.
    pub fn bytes(&self) -> u64 {
        self.items.iter().filter(|item| item.role.travels()).map(|item| item.bytes).sum()
    }
}

/// Looks at everything in a session's folder. Each name that is not a folder is an input of kind "session file".
pub fn contents(session: &Session) -> Survey<Contents> {
    contents_on(&ThisDisk, session)
}

/// The same on the disk that the session was found on.
pub fn contents_on(disk: &dyn Disk, session: &Session) -> Survey<Contents> {
    let mut survey = Survey::<Contents>::default();
    let Some(directory) = &session.directory else { return survey };
    let cli = session.view().and_then(|view| view.cli_session_id.as_deref()).filter(|id| is_plain_name(id));
    survey.found =
        Contents { directory: directory.clone(), items: walk(disk, directory, cli, &mut survey.anomalies) };
    let files = survey.found.items.iter().filter(|item| item.kind != Kind::Folder);
    survey.inputs =
        files.map(|item| InputId::new("session file", spelled(&directory.join(&item.relative)))).collect();
    if let Some(cli) = cli {
        survey.anomalies.extend(about_transcripts(&survey.found, cli));
    }
    survey.anomalies.extend(halves(&survey.found));
    survey
}

fn walk(disk: &dyn Disk, directory: &Path, cli: Option<&str>, anomalies: &mut Vec<Anomaly>) -> Vec<Item> {
    let mut items = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for entry in disk::list_if_there(disk, &directory.join(&folder), anomalies) {
            let relative = folder.join(&entry.name);
            if entry.kind == Kind::Folder {
                folders.push(relative.clone());
            }
            let found = disk.look(&entry.path).ok();
            let file = found.filter(|found| found.kind == Kind::File);
            items.push(Item {
                kind: entry.kind,
                role: role(&relative, cli),
                bytes: file.map_or(0, |file| file.bytes),
                mtime: found.map_or(Timestamp::UNIX_EPOCH, |found| found.mtime),
                relative,
            });
        }
    }
    items.sort_unstable_by(|one, other| one.relative.cmp(&other.relative));
    items
}

const SUBAGENT: &[u8] = b".jsonl";
const SUBAGENT_META: &[u8] = b".meta.json";

fn role(relative: &Path, cli: Option<&str>) -> Role {
    let parts: Vec<&[u8]> = relative.iter().map(OsStr::as_encoded_bytes).collect();
    match parts.as_slice() {
        [.., name] if is_stash(name) => Role::Stash,
        [b".claude", .., name] if is_secret(name) => Role::Secret,
        [b".claude", b"projects", _, rest @ ..] => {
            cli.map_or(Role::Claude, |cli| in_slug(rest, cli.as_bytes()))
        }
        [b".claude", ..] => Role::Claude,
        [b"audit.jsonl" | b".audit-key"] => Role::Audit,
        [b"outputs" | b"uploads" | b".projects" | b"host-cwd", ..] => Role::Host,
        _ => Role::Other,
    }
}

fn is_secret(name: &[u8]) -> bool {
    let secrets: [&[u8]; 2] = [b".credentials.json", b"mcp-needs-auth-cache.json"];
    secrets.iter().any(|secret| secret.eq_ignore_ascii_case(name))
}

/// `.NAME.rehome-RUN-STEP.stash`, wherever it stands.
fn is_stash(name: &[u8]) -> bool {
    let tag = b".rehome-";
    name.starts_with(b".") && name.ends_with(b".stash") && name.windows(tag.len()).any(|part| part == tag)
}

fn in_slug(parts: &[&[u8]], cli: &[u8]) -> Role {
    match parts {
        [name] if name.strip_suffix(SUBAGENT) == Some(cli) => Role::Transcript,
        [id, b"subagents", name] if *id == cli && name.ends_with(SUBAGENT) => Role::Subagent,
        [id, b"subagents", name] if *id == cli && name.ends_with(SUBAGENT_META) => Role::SubagentMeta,
        [id, b"tool-results", ..] if *id == cli => Role::ToolResult,
        _ => Role::Claude,
    }
}

/// The app looks for the transcript in every slug, and takes a regular file only.
fn about_transcripts(contents: &Contents, cli: &str) -> Vec<Anomaly> {
    let at = |relative: &Path| Place::new(contents.directory.join(relative));
    let found: Vec<&Item> = contents.transcripts().collect();
    let others =
        contents.items.iter().filter(|item| item.role == Role::Transcript && item.kind != Kind::File);
    let mut anomalies: Vec<Anomaly> = others
        .map(|item| disk::wrong_kind(&contents.directory.join(&item.relative), "a transcript", item.kind))
        .collect();
    if found.is_empty() {
        let message =
            format!("expected the transcript {cli}.jsonl in one of the folders here, found it in none");
        anomalies.push(Anomaly::new("no-transcript", message).at(at(Path::new(".claude/projects"))));
    }
    for item in found.iter().skip(1) {
        let message = format!("the transcript is also in {}", found[0].relative.display());
        anomalies.push(Anomaly::new("several-transcripts", message).at(at(&item.relative)));
    }
    anomalies
}

fn halves(contents: &Contents) -> Vec<Anomaly> {
    let lone = |item: &Item, other: &str| {
        let message = format!("expected its other half, agent-….{other}, beside it, found none");
        Anomaly::new("half-a-subagent", message).at(Place::new(contents.directory.join(&item.relative)))
    };
    let halves = contents.subagents().into_iter().filter_map(|pair| match (pair.transcript, pair.meta) {
        (Some(transcript), None) => Some(lone(transcript, "meta.json")),
        (None, Some(meta)) => Some(lone(meta, "jsonl")),
        _ => None,
    });
    halves.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_travels_how_is_decided_by_its_place() {
        let cli = "7be01c52";
        for (path, expected) in [
            (".claude/projects/-sessions-x/7be01c52.jsonl", Role::Transcript),
            (".claude/projects/session/7be01c52.jsonl", Role::Transcript),
            (".claude/projects/-sessions-x/other.jsonl", Role::Claude),
            (".claude/projects/7be01c52.jsonl", Role::Claude),
            (".claude/projects/s/7be01c52/subagents/agent-1.jsonl", Role::Subagent),
            (".claude/projects/s/7be01c52/subagents/agent-1.meta.json", Role::SubagentMeta),
            (".claude/projects/s/7be01c52/subagents/deep/agent-1.jsonl", Role::Claude),
            (".claude/projects/s/other/subagents/agent-1.jsonl", Role::Claude),
            (".claude/projects/s/7be01c52/tool-results/a/b.txt", Role::ToolResult),
            (".claude/.credentials.json", Role::Secret),
            (".claude/backups/.Credentials.JSON", Role::Secret),
            (".claude/projects/s/mcp-needs-auth-cache.json", Role::Secret),
            ("outputs/.credentials.json", Role::Host),
            ("outputs/audit.jsonl", Role::Host),
            ("host-cwd/x", Role::Host),
            ("audit.jsonl", Role::Audit),
            (".audit-key", Role::Audit),
            (".claude/CLAUDE.md", Role::Claude),
            ("notes.txt", Role::Other),
            (".claude/projects/s/.7be01c52.jsonl.rehome-20260101-000000-abcd-0.stash", Role::Stash),
            (".claude/projects/s/x.rehome-1.stash", Role::Claude),
        ] {
            assert_eq!(role(Path::new(path), Some(cli)), expected, "{path}");
        }
        assert_eq!(role(Path::new(".claude/projects/s/7be01c52.jsonl"), None), Role::Claude);
    }
}
