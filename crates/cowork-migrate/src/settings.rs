//! What a run remembers of its session: all that `verify`, `undo` and `reapply` need to know later.

use durable_files::PathText;
use jsonl_stitch::load::{Load, keeps};
use migration_cli::{Refusal, settings_of};
use migration_engine::Header;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use session_model::Finding;

use crate::content::Means;
use crate::drives::{Drives, Place};

/// What a run remembers.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Settings {
    /// Whether the run has moved the session, so that the application has not loaded it yet.
    pub(crate) moved: bool,
    /// What its contents are read through.
    pub(crate) means: Means,
    /// The mapping by which paths were rewritten.
    pub(crate) mapping_hash: Option<String>,
    /// `sessionId`.
    pub(crate) session: String,
    /// `cliSessionId`.
    pub(crate) cli: Option<String>,
    /// The virtual machine.
    pub(crate) vm: Option<String>,
    /// The installed sidecar.
    pub(crate) sidecar: Option<PathText>,
    /// What it held then.
    pub(crate) promised: String,
    /// `lastActivityAt` of then.
    pub(crate) last_activity: i64,
    /// The session's folder.
    pub(crate) session_dir: Option<PathText>,
    /// The archive.
    pub(crate) archive: Option<PathText>,
    /// The first digits of its id.
    pub(crate) short: String,
    /// Where drives lie here.
    pub(crate) drives: Drives,
    /// What each build will load.
    pub(crate) promises: Vec<Promise>,
    /// Places of the new world that are known without any drive: the session's folder, the archive.
    pub(crate) places: Vec<Place>,
    /// The user's folders that the session was given, whoever has made them.
    pub(crate) folders: Vec<PathText>,
    /// The bundle that it was brought to, from another host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) brought: Option<PathText>,
    /// What the application holds while it runs.
    pub(crate) held: Vec<PathText>,
}

/// What was promised of a transcript.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Promise {
    /// The new file.
    pub(crate) transcript: PathText,
    /// What each build will load of it.
    pub(crate) loads: Value,
    /// What it would have loaded without a stitch.
    pub(crate) before: Value,
    /// How many places the stitch changed.
    pub(crate) edits: usize,
}

impl Promise {
    /// Whether a transcript that loads like this is still as was promised.
    pub(crate) fn is_kept(&self, now: &[Load]) -> bool {
        serde_json::from_value(self.loads.clone()).is_ok_and(|promised| keeps(&promised, now))
    }

    /// What a stitch brings back, in words.
    pub(crate) fn stitched(&self) -> Option<Finding> {
        let shown = |loads: &Value, build: &str| loads[build]["shown"].as_u64().unwrap_or_default();
        let gains = [("v1", "builds of early 2026"), ("v2", "later ones")].map(|(build, builds)| {
            let (before, after) = (shown(&self.before, build), shown(&self.loads, build));
            let instead = if before == after { String::new() } else { format!(" instead of {before}") };
            format!("{builds} show {after} messages{instead}")
        });
        let message = format!("the transcript is stitched: {}", gains.join(", "));
        (self.edits > 0).then(|| Finding::note("stitched", message))
    }
}

impl Settings {
    /// Those of a run.
    pub(crate) fn of(header: &Header) -> Result<Self, Refusal> {
        settings_of(header)
    }
}
