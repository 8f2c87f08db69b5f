//! The transcript of a session, as plain data: read from the session's file each time it is needed.

use std::fs::File;
use std::io::{self, Read};

use durable_files::{Digest, Fingerprint, PathText, Quiet, digest_file, open_expected};
use legacy_readers::openclaw::{Event, Fault, Moment, SessionFile};
use migration_engine::steps::{Content, Files};
use migration_engine::{Cause, Cx, StepError};
use serde::{Deserialize, Serialize};

use super::{openclaw, python};

/// How much is made ready at a time.
const BLOCK: usize = 1 << 18;

/// A session's messages as lines of a transcript.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversion {
    /// The session's file.
    pub source: PathText,
    /// What it looked like when the plan was made.
    pub expect: Fingerprint,
    /// What it held then, where it had changed so recently that the fingerprint alone proves nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// Which of its members of the name `messages` counts, from 1; 0 if there is none.
    pub series: u32,
    /// When a message without a time was said: microseconds since 1970.
    pub filled: i64,
    /// What the lines look like.
    pub shape: Shape,
}

/// What the lines of a transcript look like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "shape", rename_all = "kebab-case")]
pub enum Shape {
    /// The messages as they are.
    Python {
        /// The time of a message without one, as it is written.
        fill: String,
    },
    /// A header, and one chain of entries.
    OpenClaw {
        /// The first line, without its end.
        header: String,
    },
}

impl Conversion {
    /// The transcript, of the session's file or of a copy of it.
    pub fn lines<R: Read>(&self, session: R) -> Lines<'_, R> {
        let mut ready = Vec::new();
        if let Shape::OpenClaw { header } = &self.shape {
            ready.extend_from_slice(header.as_bytes());
            ready.push(b'\n');
        }
        Lines {
            conversion: self,
            session: SessionFile::new(session),
            series: 0,
            number: 0,
            ready,
            given: 0,
            ended: false,
        }
    }
}

/// The lines of a transcript while they are read.
pub struct Lines<'a, R> {
    conversion: &'a Conversion,
    session: SessionFile<R>,
    series: u32,
    number: u64,
    ready: Vec<u8>,
    given: usize,
    ended: bool,
}

impl<R: Read> Lines<'_, R> {
    /// Makes one more line ready; `false` if there is none.
    fn advance(&mut self) -> Result<bool, Fault> {
        while let Some(event) = self.session.next_event()? {
            match event {
                Event::Messages => self.series += 1,
                Event::Message(message) if self.series == self.conversion.series => {
                    match &self.conversion.shape {
                        Shape::Python { fill } => python::push_line(&message, fill, &mut self.ready),
                        Shape::OpenClaw { .. } => {
                            let fill = Moment { micros: self.conversion.filled };
                            openclaw::push_line(&message, self.number, fill, &mut self.ready);
                        }
                    }
                    self.number += 1;
                    return Ok(true);
                }
                Event::Message(_) | Event::Member { .. } => {}
            }
        }
        Ok(false)
    }
}

impl<R: Read> Read for Lines<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.given == self.ready.len() && !self.ended {
            self.given = 0;
            self.ready.clear();
        }
        while self.ready.len() < BLOCK && self.given == 0 && !self.ended {
            self.ended = !self.advance().map_err(|fault| match fault {
                Fault::Read(error) => error,
                Fault::Bad(flaw) => io::Error::new(io::ErrorKind::InvalidData, flaw.message),
            })?;
        }
        let count = out.len().min(self.ready.len() - self.given);
        out[..count].copy_from_slice(&self.ready[self.given..][..count]);
        self.given += count;
        Ok(count)
    }
}

impl Content for Conversion {
    type World = Files;

    fn describe(&self) -> String {
        self.source.display().to_string()
    }

    fn size(&self) -> u64 {
        self.expect.size
    }

    fn open<'a>(&'a self, _world: &'a mut Files, _cx: &'a Cx<'_>) -> Result<Box<dyn Read + 'a>, StepError> {
        let file: File = open_expected(&self.source, &self.expect)?;
        Ok(Box::new(self.lines(file)))
    }

    fn after(&self, _world: &mut Files, _read: Digest) -> Result<(), StepError> {
        let held = self.digest.map(|_| digest_file(&self.source, &mut Quiet)).transpose()?;
        if held.map(|held| held.digest) == self.digest && Fingerprint::of_file(&self.source)? == self.expect {
            return Ok(());
        }
        let message = format!("{} changed after the plan was made", self.source.display());
        Err(Cause::source_changed(message).item())
    }
}
