//! The map of routing keys (formats/openclaw.md §2).

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::{Path, PathBuf};

use durable_files::Fingerprint;
use session_model::{Anomaly, Place};

use super::message::Message;
use crate::files;
use crate::text;

/// The name of its file.
pub const MAP_NAME: &str = "session_map.json";

/// Which session a routing key leads to.
#[derive(Debug, Clone)]
pub struct SessionMap {
    /// The file.
    pub path: PathBuf,
    /// How it looked before it was read, if it is a regular file.
    pub fingerprint: Option<Fingerprint>,
    /// Key and session id, in the order of the file, each key once: of several the last counts.
    pub entries: Vec<(String, String)>,
    /// What is wrong with the map, or with some of it: then that is as if it were not there.
    pub damage: Vec<Anomaly>,
}

/// Reads the map; `None` if there is none.
pub(super) fn read(path: &Path) -> Option<SessionMap> {
    let metadata = match path.symlink_metadata() {
        Err(error) if files::is_absence(&error) => return None,
        found => found,
    };
    let mut map =
        SessionMap { path: path.into(), fingerprint: None, entries: Vec::new(), damage: Vec::new() };
    let mut bytes = Vec::new();
    let read = metadata.and_then(|metadata| {
        if !metadata.is_file() {
            return Err(std::io::ErrorKind::InvalidInput.into());
        }
        map.fingerprint = Some(Fingerprint::of(&metadata));
        files::fill(&mut bytes, files::open_itself(path)?)
    });
    match read {
        Ok(_) => map.fill(&bytes),
        Err(error) => map.damage.push(files::unreadable(path, &error)),
    }
    Some(map)
}

impl SessionMap {
    fn fill(&mut self, bytes: &[u8]) {
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        let parsed = text::utf8(bytes, &self.path).and_then(|text| {
            Message::parse(text).map_err(|error| text::json_error(&error, text, &self.path))
        });
        let members = match parsed {
            Ok(object) => object.members,
            Err(anomaly) => return self.damage.push(anomaly),
        };
        let mut known = HashMap::<String, usize>::new();
        for (key, value) in members {
            let key = String::from_utf8(key.into_owned());
            let (Ok(key), Ok(id)) = (key, serde_json::from_str::<String>(value.get())) else {
                let message = "expected a key and the name of a session, found something else";
                self.damage.push(Anomaly::new("map-entry", message).at(Place::new(&self.path)));
                continue;
            };
            match known.entry(key) {
                Entry::Occupied(at) => self.entries[*at.get()].1 = id,
                Entry::Vacant(at) => {
                    self.entries.push((at.key().clone(), id));
                    at.insert(self.entries.len() - 1);
                }
            }
        }
    }
}
