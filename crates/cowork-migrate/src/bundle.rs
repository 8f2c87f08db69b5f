//! What a bundle says of the profile it was packed from.

use std::ffi::OsStr;
use std::path::Path;

use legacy_readers::cowork::{Disk, OwnerId, ProfileId};
use migration_cli::Refusal;
use serde::{Deserialize, Serialize};
use session_model::ForeignPath;

use crate::moving::OldWorld;
use crate::places::Source;

/// The name of the file in a bundle.
pub(crate) const MANIFEST: &str = "cowork-bundle.json";

/// Where a bundle was packed. A bundle does without one: it may have been put together by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    /// The name of the account's folder.
    pub(crate) account: String,
    /// The name of the profile's folder.
    pub(crate) profile: String,
    /// The user's home.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) home: Option<ForeignPath>,
    /// The base.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) base: Option<ForeignPath>,
}

impl Manifest {
    /// That of a profile's session, whose old world is known as far as this.
    pub(crate) fn of(source: &Source, old: OldWorld) -> Option<Self> {
        if source.manifest.is_some() {
            return source.manifest.clone();
        }
        let id = source.id.as_ref()?;
        Some(Self {
            account: id.account.as_str().to_owned(),
            profile: id.profile.as_str().to_owned(),
            home: old.home,
            base: old.base,
        })
    }

    /// As it is written down.
    pub(crate) fn text(&self) -> Vec<u8> {
        serde_json::to_vec_pretty(self).expect("because it is plain data")
    }

    /// Reads that of a bundle, if it has one.
    pub(crate) fn read(disk: &dyn Disk, folder: &Path) -> Result<Option<Self>, Refusal> {
        let path = folder.join(MANIFEST);
        let refuse = |what: String| {
            let message = format!("cannot read {}: {what}", path.display());
            Refusal::new("bundle-manifest", message, "pack the bundle again, or remove that file")
        };
        let text = match disk.read(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            read => read.map_err(|error| refuse(error.kind().to_string()))?,
        };
        serde_json::from_slice(&text).map(Some).map_err(|error| {
            refuse(format!("it is not what `pack` writes (line {}, column {})", error.line(), error.column()))
        })
    }

    /// The profile it names.
    pub(crate) fn id(&self) -> Option<ProfileId> {
        let owner = |name: &str| OwnerId::from_name(OsStr::new(name));
        Some(ProfileId { account: owner(&self.account)?, profile: owner(&self.profile)? })
    }
}
