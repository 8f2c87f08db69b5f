//! The members of a sidecar that a migration asks for (formats/cowork.md A4, A5).

use serde::Serialize;
use serde_json::{Map, Value};
use session_model::{Anomaly, Place, Timestamp};

/// A time as the app writes it: milliseconds since 1970, whatever the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Millis(pub i64);

impl Millis {
    /// The instant, if there is one.
    pub fn instant(self) -> Option<Timestamp> {
        Timestamp::from_millisecond(self.0).ok()
    }
}

/// What a session says about itself. Paths are those of the machine it ran on: nothing to open here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// `sessionId`: names the session, its sidecar and its folder.
    pub session_id: String,
    /// `createdAt`.
    pub created_at: Millis,
    /// `lastActivityAt`.
    pub last_activity_at: Millis,
    /// `processName`.
    pub process_name: String,
    /// `cwd`: a host path or one of the virtual machine.
    pub cwd: String,
    /// `cliSessionId`: names the transcript. Without one nothing was ever said.
    pub cli_session_id: Option<String>,
    /// `title`.
    pub title: Option<String>,
    /// `vmProcessName`.
    pub vm_process_name: Option<String>,
    /// `hostLoopMode`.
    pub host_loop_mode: bool,
    /// `isArchived`.
    pub archived: bool,
    /// `sessionType`, such as `agent`.
    pub session_type: Option<String>,
    /// `spaceId`: the space that holds it, which does not travel with it.
    pub space_id: Option<String>,
    /// `model`.
    pub model: Option<String>,
    /// `userSelectedFolders`.
    pub folders: Vec<String>,
    /// `resolvedFolderKinds`.
    pub folder_kinds: Vec<FolderKind>,
    /// `folderMountNames`: host path and mount name, in the order of the file.
    pub mount_names: Vec<(String, String)>,
    /// `fsDetectedFiles[].hostPath`.
    pub detected_files: Vec<String>,
    /// `userApprovedFileAccessPaths`.
    pub approved_paths: Vec<String>,
}

/// One entry of `resolvedFolderKinds`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderKind {
    /// The same text as an entry of `userSelectedFolders`.
    pub display: String,
    /// `local` or another kind.
    pub kind: Option<String>,
}

/// How a session ran, which decides how its folders were mounted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tier {
    /// In the virtual machine.
    Vm,
    /// On the host itself.
    HostLoop,
}

/// A member that is not what it must be.
pub(super) struct Wrong {
    pub(super) member: &'static str,
    expected: &'static str,
    /// What stands there; nothing if the member is missing.
    found: Option<&'static str>,
}

impl Wrong {
    pub(super) fn anomaly(&self, place: Place) -> Anomaly {
        let (code, found) = match self.found {
            Some(found) => ("wrong-type", found),
            None => ("missing-member", "no such member"),
        };
        let message = format!("expected `{}` to be {}, found {found}", self.member, self.expected);
        Anomaly::new(code, message).at(place)
    }
}

impl View {
    /// Reads the members; those that are required and wrong make the sidecar unreadable, others count as absent.
    pub(super) fn of(members: &Map<String, Value>) -> Result<(Self, Vec<Wrong>), Wrong> {
        let mut wrong = Vec::new();
        let view = Members { members, wrong: &mut wrong }.view()?;
        Ok((view, wrong))
    }

    /// Where it ran.
    pub fn tier(&self) -> Tier {
        if self.host_loop_mode { Tier::HostLoop } else { Tier::Vm }
    }

    /// The name of its home in the virtual machine, `/sessions/<name>`: the member that says so, else what `cwd` shows.
    /// A name that could lead elsewhere is none.
    pub fn vm_name(&self) -> Option<&str> {
        let of_cwd = || self.cwd.strip_prefix("/sessions/")?.split('/').next();
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        let name = self.vm_process_name.as_deref().or_else(of_cwd)?;
        (!name.is_empty() && name.len() <= 64 && name.bytes().all(is_part)).then_some(name)
    }
}

struct Members<'a> {
    members: &'a Map<String, Value>,
    wrong: &'a mut Vec<Wrong>,
}

impl Members<'_> {
    fn view(mut self) -> Result<View, Wrong> {
        Ok(View {
            session_id: self.required("sessionId", TEXT, text)?,
            created_at: self.required("createdAt", NUMBER, millis)?,
            last_activity_at: self.required("lastActivityAt", NUMBER, millis)?,
            process_name: self.required("processName", TEXT, text)?,
            cwd: self.required("cwd", TEXT, text)?,
            cli_session_id: self.optional("cliSessionId", TEXT, text),
            title: self.optional("title", TEXT, text),
            vm_process_name: self.optional("vmProcessName", TEXT, text),
            host_loop_mode: self.optional("hostLoopMode", TRUTH, Value::as_bool).unwrap_or(false),
            archived: self.optional("isArchived", TRUTH, Value::as_bool).unwrap_or(false),
            session_type: self.optional("sessionType", TEXT, text),
            space_id: self.optional("spaceId", TEXT, text),
            model: self.optional("model", TEXT, text),
            folders: self.optional("userSelectedFolders", TEXTS, texts).unwrap_or_default(),
            folder_kinds: self.optional("resolvedFolderKinds", KINDS, folder_kinds).unwrap_or_default(),
            mount_names: self.optional("folderMountNames", NAMES, names).unwrap_or_default(),
            detected_files: self.optional("fsDetectedFiles", FILES, detected).unwrap_or_default(),
            approved_paths: self.optional("userApprovedFileAccessPaths", TEXTS, texts).unwrap_or_default(),
        })
    }

    fn required<T>(
        &self,
        member: &'static str,
        expected: &'static str,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Result<T, Wrong> {
        let value = self.members.get(member);
        value.and_then(read).ok_or(Wrong {
            member,
            expected,
            found: value.map(|value| what(value, expected)),
        })
    }

    fn optional<T>(
        &mut self,
        member: &'static str,
        expected: &'static str,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Option<T> {
        let value = self.members.get(member).filter(|value| !value.is_null())?;
        let read = read(value);
        if read.is_none() {
            self.wrong.push(Wrong { member, expected, found: Some(what(value, expected)) });
        }
        read
    }
}

const TEXT: &str = "text";
const NUMBER: &str = "a number";
const TRUTH: &str = "true or false";
const TEXTS: &str = "a list of texts";
const KINDS: &str = "a list of objects with a `display`";
const NAMES: &str = "an object of texts";
const FILES: &str = "a list of objects with a `hostPath`";

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// JavaScript knows one kind of number; fractions of a millisecond are cut, and a cast keeps within what there is.
fn millis(value: &Value) -> Option<Millis> {
    #[expect(clippy::cast_possible_truncation, reason = "cut, and kept within the range")]
    value.as_i64().or_else(|| value.as_f64().map(|number| number as i64)).map(Millis)
}

fn texts(value: &Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(text).collect()
}

fn folder_kinds(value: &Value) -> Option<Vec<FolderKind>> {
    let kind = |entry: &Value| {
        Some(FolderKind { display: text(entry.get("display")?)?, kind: entry.get("kind").and_then(text) })
    };
    value.as_array()?.iter().map(kind).collect()
}

fn names(value: &Value) -> Option<Vec<(String, String)>> {
    value.as_object()?.iter().map(|(path, name)| Some((path.clone(), text(name)?))).collect()
}

fn detected(value: &Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|file| text(file.get("hostPath")?)).collect()
}

fn what(value: &Value, expected: &str) -> &'static str {
    match value {
        Value::Array(_) if expected.starts_with("a list") => "another list",
        Value::Object(_) if expected.starts_with("an object") => "another object",
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
