//! A tree of another host, brought here: one stream, unpacked into a folder of its own, and every file compared with what
//! the other host says of its own.

use std::io::{self, Read};
use std::path::Path;

use durable_files::{FileError, Unsynced, sync_dir};
use migration_engine::{Cause, Cx, StepError};

use crate::far::{Far, FarError, Surveyed};
use crate::manifest::{Kind, Manifest};
use crate::transport::TransportError;
use crate::unpack::{Limits, UnpackError, unpack_at_times};

/// Why a tree was not brought. What came of it is to be thrown away.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// Something in it cannot be sent: see the remarks upon it.
    #[error("{path} on {peer} cannot be brought")]
    Forbidden {
        /// Whom one talked to.
        peer: String,
        /// The first such entry.
        path: String,
    },
    /// It is not what it was when it was looked at, or became something else meanwhile.
    #[error("{path} on {peer} changed while it was being read")]
    Changed {
        /// Whom one talked to.
        peer: String,
        /// The tree.
        path: String,
    },
    /// What came is not what is there.
    #[error("{path} did not come from {peer} as it is there")]
    Damaged {
        /// Whom one talked to.
        peer: String,
        /// The first entry that differs.
        path: String,
    },
    /// The other end failed.
    #[error(transparent)]
    Far(#[from] FarError),
    /// What it sent cannot be unpacked.
    #[error(transparent)]
    Unpack(UnpackError),
    /// This end failed.
    #[error(transparent)]
    File(#[from] FileError),
    /// The wish to stop was seen.
    #[error("stopped")]
    Stopped,
}

/// What a stream may have after its end: zeros up to a whole record, and what was complained of.
const TRAILER: u64 = 2 << 20;

/// Brings a tree into an empty folder of this host, which becomes its root: modes, times to the nanosecond, links, further
/// names and holes; whoever brings it owns it. Gives what it is, with the digests of all files.
///
/// It is compared with what the other host says of its own, and with how it looked before and afterwards: what changed
/// meanwhile is an error, and may be tried again. It is durable when this returns. Interrupted, it is begun anew.
pub fn fetch_tree(far: &mut Far, of: &Surveyed, into: &Path, cx: &Cx<'_>) -> Result<Manifest, FetchError> {
    if let Some(remark) = of.remarks.iter().find(|remark| remark.about.forbids()) {
        let (peer, path) = (far.peer().to_owned(), crate::display(&remark.path));
        return Err(FetchError::Forbidden { peer, path });
    }
    let came = stream(far, of, into, cx).and_then(|unpacked| as_told(far, of, &unpacked, cx));
    // Whatever looks like damage may be no more than that somebody works with the tree.
    if came.as_ref().map_or_else(FetchError::may_come_of_a_change, |_| true) && !is_as_it_was(far, of, cx)? {
        let (peer, path) = (far.peer().to_owned(), crate::display(&of.tree.path));
        return Err(FetchError::Changed { peer, path });
    }
    let manifest = came?;
    let mut unsynced = Unsynced::default();
    unsynced.add_tree(into.to_owned())?;
    unsynced.sync()?;
    sync_dir(into)?;
    Ok(manifest)
}

impl FetchError {
    fn may_come_of_a_change(&self) -> bool {
        match self {
            Self::Unpack(_) | Self::Damaged { .. } => true,
            Self::Far(error) => !matches!(error, FarError::Link(_) | FarError::Chatty { .. }),
            Self::Forbidden { .. } | Self::Changed { .. } | Self::File(_) | Self::Stopped => false,
        }
    }
}

/// What came, with the digests that the other host tells, if it is that.
fn as_told(far: &mut Far, of: &Surveyed, came: &Manifest, cx: &Cx<'_>) -> Result<Manifest, FetchError> {
    let told = far.tell(&of.tree, of.manifest.bytes(), &mut { *cx })?;
    let mut expected = of.manifest.clone();
    for entry in expected.entries_mut() {
        if let (Kind::File { digest, .. }, Some(Kind::File { digest: found, .. })) =
            (&mut entry.kind, told.get(&entry.path).map(|found| &found.kind))
        {
            *digest = *found;
        }
    }
    match expected.differences(came).first() {
        None => Ok(expected),
        Some(first) => {
            Err(FetchError::Damaged { peer: far.peer().to_owned(), path: crate::display(&first.path) })
        }
    }
}

/// One that is not there any more is not as it was.
fn is_as_it_was(far: &mut Far, of: &Surveyed, cx: &Cx<'_>) -> Result<bool, FarError> {
    match far.survey(&of.tree.path, &mut { *cx }) {
        Ok(seen) => Ok(seen.is_still(of)),
        Err(FarError::NoBase { .. } | FarError::Elsewhere { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Has it sent and unpacks it.
fn stream(far: &mut Far, of: &Surveyed, into: &Path, cx: &Cx<'_>) -> Result<Manifest, FetchError> {
    let manifest = &of.manifest;
    let limits = Limits { bytes: manifest.bytes(), entries: manifest.entries().len() as u64 };
    let time = |path: &[u8]| manifest.get(path).map(|entry| entry.mtime);
    let command = far.packing(&of.tree);
    let (mut counting, mut waiting) = (*cx, *cx);
    let mut coming =
        Coming { stream: far.link().converse(&command, &mut waiting).map_err(FarError::from)?, lost: None };
    let unpacked = unpack_at_times(&mut coming, into, limits, &time, &mut counting);
    let ended = match &unpacked {
        Ok(_) | Err(UnpackError::Stream(_)) => rest_of(&mut coming),
        Err(_) => Vec::new(), // the rest is of no interest
    };
    let lost = coming.lost.take();
    drop(coming);
    match (unpacked, lost) {
        (Err(UnpackError::Stopped), _) | (_, Some(TransportError::Stopped)) => Err(FetchError::Stopped),
        (_, Some(lost)) => Err(FarError::from(lost).into()),
        (Err(UnpackError::File(error)), None) => Err(error.into()),
        (Err(error @ (UnpackError::Refused { .. } | UnpackError::TooMuch { .. })), None) => {
            Err(FetchError::Unpack(error))
        }
        (unpacked, None) => {
            far.has_packed(&of.tree, &ended)?;
            Ok(unpacked.map_err(FetchError::Unpack)?.manifest)
        }
    }
}

/// What comes after the stream.
fn rest_of(coming: &mut dyn Read) -> Vec<u8> {
    let mut rest = Vec::new();
    let _ = coming.take(TRAILER).read_to_end(&mut rest); // a lost link is remembered
    rest
}

/// A stream that remembers how it was lost: whoever reads it makes an error of his own of that.
struct Coming<'a> {
    stream: Box<dyn crate::Duplex + 'a>,
    lost: Option<TransportError>,
}

impl Read for Coming<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.read(buffer).map_err(|error| match error.downcast::<TransportError>() {
            Ok(lost) => {
                self.lost = Some(lost);
                io::ErrorKind::ConnectionReset.into()
            }
            Err(error) => error,
        })
    }
}

impl From<FetchError> for StepError {
    fn from(error: FetchError) -> Self {
        let item = |code, error: &FetchError| Cause::new(code, error.to_string()).item();
        match error {
            FetchError::Stopped => Self::Stopped,
            FetchError::Far(error) => error.into(),
            FetchError::File(error) => error.into(),
            FetchError::Changed { .. } => Cause::source_changed(error.to_string()).item(),
            FetchError::Forbidden { .. } => item("cannot-be-sent", &error),
            FetchError::Damaged { .. } | FetchError::Unpack(_) => item("damaged", &error),
        }
    }
}
