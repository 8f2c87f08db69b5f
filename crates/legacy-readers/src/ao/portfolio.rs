//! The portfolio: display preferences and times of registration (formats/ao.md §2.5).

use std::path::{Path, PathBuf};

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;
use session_model::{Anomaly, Place};

use super::project::Preference;
use super::{files, text};

/// Both files, as far as they could be read: nothing in them is vital.
pub(super) struct Portfolio {
    preferences: Value,
    registered: Value,
    pub(super) anomalies: Vec<Anomaly>,
}

/// Reads both files.
pub(super) fn read(state_root: &Path) -> Portfolio {
    let mut anomalies = Vec::new();
    let folder = state_root.join("portfolio");
    let mut file = |name: &str, member: &str, is_right: fn(&Value) -> bool| {
        object(&folder.join(name), member, is_right).unwrap_or_else(|why| {
            anomalies.push(Anomaly { code: "portfolio-unreadable".into(), ..why });
            Value::Null
        })
    };
    let preferences = file("preferences.json", "projects", Value::is_object);
    let registered = file("registered.json", "projects", Value::is_array);
    Portfolio { preferences, registered, anomalies }
}

/// One member of the object in a file; `null` when there is no file or no such member.
fn object(path: &PathBuf, member: &str, is_right: fn(&Value) -> bool) -> Result<Value, Anomaly> {
    let bytes = match files::read(path) {
        Ok(Some((bytes, _))) => bytes,
        Ok(None) => return Ok(Value::Null),
        Err(error) => return Err(files::unreadable(path, &error)),
    };
    let text = text::utf8(&bytes, path)?;
    let mut root: Value = serde_json::from_str(text).map_err(|error| text::json_error(&error, text, path))?;
    match root.get_mut(member).map(Value::take) {
        Some(value) if is_right(&value) => Ok(value),
        None | Some(Value::Null) if root.is_object() => Ok(Value::Null),
        _ => {
            let message = format!("expected an object with `{member}`, found another form");
            Err(Anomaly::new("parse-error", message).at(Place::new(path)))
        }
    }
}

impl Portfolio {
    /// The preferences of one project.
    pub(super) fn preference(&self, id: &str) -> Preference {
        let of = &self.preferences[id];
        Preference {
            display_name: of["displayName"].as_str().map(str::to_owned),
            enabled: of["enabled"].as_bool(),
        }
    }

    /// When a project was registered: of the record with its key, else of one without a key and with its path.
    pub(super) fn added_at(
        &self,
        id: &str,
        path: &Utf8Path,
        absolute: impl Fn(&str) -> Utf8PathBuf,
    ) -> Option<String> {
        let records = self.registered.as_array()?;
        let by_key = records.iter().find(|record| record["configProjectKey"] == id);
        let has_path = |record: &&Value| {
            record["configProjectKey"].is_null()
                && record["path"].as_str().is_some_and(|other| absolute(other) == path)
        };
        let added_at = &by_key.or_else(|| records.iter().find(has_path))?["addedAt"];
        match added_at {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        }
    }
}
