//! What a fuzzer tries, and a test on its corpus.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use durable_files::Quiet;
use remote_transfer::{Limits, Tree, UnpackError, Unpacked, unpack};

/// Unpacks any bytes. Nothing may panic, nothing may come to be outside, and what is told must be what is there.
pub(crate) fn unpack_and_look(stream: &[u8]) -> Result<Unpacked, UnpackError> {
    let memory = Path::new("/dev/shm"); // it is done ever so often
    let place = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    let place = place.expect("there is room");
    let (into, victim) = (place.path().join("into"), place.path().join("victim"));
    fs::create_dir(&into).expect("there is room");
    fs::create_dir(&victim).expect("there is room");
    fs::write(victim.join("precious"), "precious").expect("there is room");

    let limits = Limits { bytes: 1 << 20, entries: 200 };
    let unpacked = unpack(&mut &stream[..], &into, limits, &mut Quiet);

    let names = |folder: &Path| fs::read_dir(folder).expect("it is there").count();
    assert_eq!((names(place.path()), names(&victim)), (2, 1), "something came to be outside");
    assert_eq!(fs::read(victim.join("precious")).expect("it is there"), b"precious");
    let walked = Tree::open(&into).expect("it is there").walk(&mut Quiet).expect("it can be looked at");
    let sets_ids = |path: &Path| path.symlink_metadata().is_ok_and(|found| found.mode() & 0o6000 != 0);
    for entry in walked.manifest.entries() {
        let path = into.join(<std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(&entry.path));
        assert!(!sets_ids(&path), "{} sets ids", path.display());
    }
    if let Ok(unpacked) = &unpacked
        && walked.remarks.iter().all(|remark| !remark.about.forbids())
    {
        assert_eq!(unpacked.manifest.differences(&walked.manifest), [], "it is not what it is told to be");
    }
    unpacked
}
