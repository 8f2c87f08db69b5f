//! A transcript on disk, looked at without touching it.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use durable_files::{Fingerprint, Holder, must_be_writable};
use jsonl_stitch::load::{Limits, Loader};
use jsonl_stitch::{Checked, Decision, Options, check, decide};
use migration_engine::Cx;

/// A transcript that was read.
#[derive(Debug, Clone)]
pub(crate) struct Transcript {
    pub(crate) path: PathBuf,
    pub(crate) fingerprint: Fingerprint,
}

/// Why a file cannot be worked with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unfit {
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) hint: String,
}

impl Transcript {
    /// Reads a transcript whole, to write to it afterwards: nobody else may have it open.
    pub(crate) fn read_to_change(path: &Path, cx: &Cx<'_>) -> Result<(Self, Checked), Unfit> {
        regular_file(path)?;
        match Holder::of(&[path.to_path_buf()]) {
            Some(holder) => Err(Unfit::held(&holder)),
            None => Self::read(path, cx),
        }
    }

    /// Reads a transcript whole.
    pub(crate) fn read(path: &Path, cx: &Cx<'_>) -> Result<(Self, Checked), Unfit> {
        let fingerprint = regular_file(path)?;
        let file = open(path)?;
        let checked = check(Metered { file, cx }, &stem(path), Limits::default())
            .map_err(|error| Unfit::read(path, &error))?;
        let transcript = Self { path: path.to_path_buf(), fingerprint };
        transcript.must_be_unchanged()?;
        transcript.must_be_one(&checked)?;
        Ok((transcript, checked))
    }

    /// What is to be done with it.
    pub(crate) fn decide(
        &self,
        checked: Checked,
        targets: &[Loader],
        options: Options,
        cx: &Cx<'_>,
    ) -> Result<Decision, Unfit> {
        let open = || Ok(Metered { file: File::open(&self.path)?, cx });
        let decision = decide(checked, targets, options, open)
            .map_err(|error| Unfit::changed(&self.path, &error.to_string()))?;
        self.must_be_unchanged()?;
        Ok(decision)
    }

    /// Another file takes its place, so its folder must let one be made.
    pub(crate) fn must_be_replaceable(&self) -> Result<(), Unfit> {
        let folder = self.path.parent().unwrap_or(&self.path);
        must_be_writable(folder).map_err(|error| Unfit {
            code: "not-writable",
            message: error.to_string(),
            hint: "copy the session to where you may write, and stitch it there".into(),
        })
    }

    pub(crate) fn must_be_unchanged(&self) -> Result<(), Unfit> {
        if regular_file(&self.path)? == self.fingerprint {
            return Ok(());
        }
        Err(Unfit::changed(&self.path, "somebody is writing to it"))
    }

    /// A file of which no line is a JSON object is something else.
    fn must_be_one(&self, checked: &Checked) -> Result<(), Unfit> {
        if checked.index.is_empty() || checked.index.has_json() {
            return Ok(());
        }
        Err(Unfit {
            code: "not-a-transcript",
            message: format!("expected JSON objects, one a line, in {}, found none", self.path.display()),
            hint: "name the session's .jsonl file".into(),
        })
    }
}

impl Unfit {
    fn read(path: &Path, error: &io::Error) -> Self {
        if let Some(holder) = Holder::behind(error, path) {
            return Self::held(&holder);
        }
        Self {
            code: "unreadable",
            message: format!("cannot read {}: {error}", path.display()),
            hint: "check the path and its permissions".into(),
        }
    }

    fn changed(path: &Path, how: &str) -> Self {
        Self::busy(format!("{} changed while it was looked at: {how}", path.display()))
    }

    pub(crate) fn held(holder: &Holder) -> Self {
        Self::busy(holder.to_string())
    }

    fn busy(message: String) -> Self {
        let hint = "quit the application that has it open, then say the same command again".into();
        Self { code: "file-busy", message, hint }
    }
}

/// The name by which fresh ids are derived: the file's, without its ending.
pub(crate) fn stem(path: &Path) -> String {
    path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The application opens regular files only; what is a symlink to it is nothing.
fn regular_file(path: &Path) -> Result<Fingerprint, Unfit> {
    let unfit = |code, message| Unfit { code, message, hint: "name the transcript itself".into() };
    let metadata = match path.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(unfit("missing", format!("there is no file {}", path.display())));
        }
        looked => looked.map_err(|error| Unfit::read(path, &error))?,
    };
    if !metadata.is_file() {
        let what = if metadata.is_symlink() { "a symlink" } else { "something else" };
        let message = format!("expected a regular file at {}, found {what}", path.display());
        return Err(unfit("not-a-regular-file", message));
    }
    Ok(Fingerprint::of(&metadata))
}

fn open(path: &Path) -> Result<File, Unfit> {
    File::open(path).map_err(|error| Unfit::read(path, &error))
}

/// A file while it is read: progress is shown, and a wish to stop is heard.
struct Metered<'a> {
    file: File,
    cx: &'a Cx<'a>,
}

impl Read for Metered<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.cx.check().map_err(|_| io::Error::other("stopped"))?;
        let read = self.file.read(out)?;
        self.cx.progress.advance(read as u64);
        Ok(read)
    }
}
