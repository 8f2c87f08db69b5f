//! Transcripts of any size, for those who read and rewrite them.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use testkit::long_session::{self, Shape};

use super::files;
use crate::shell::Outcome;

/// So that the mean line has 7 KB, as in those that people have.
const TEXT: usize = 13_000;

/// How many bytes come after the last compaction: loaders look for it no further from the end than 30 MiB.
const LAST: u64 = 20_000_000;

/// A transcript on disk.
pub(super) struct Session {
    pub(super) path: PathBuf,
    /// What it is, for people.
    pub(super) name: String,
    lines: u64,
}

impl Session {
    /// Writes one of about so many megabytes.
    pub(super) fn write(folder: &Path, megabytes: u64, compactions: u32) -> Outcome<Self> {
        let turns = turns_in(megabytes * 1_000_000)?;
        let last_turns = (turns / (compactions + 1)).min(turns_in(LAST)?);
        let shape = Shape {
            compactions,
            turns: (turns - last_turns) / compactions,
            last_turns,
            text: TEXT,
            branches: false,
        };
        let path = folder.join("session.jsonl");
        let lines = long_session::write(shape, BufWriter::new(File::create(&path)?))?;
        Ok(Self { path, name: format!("{megabytes} MB, {compactions} compactions, {lines} lines"), lines })
    }

    /// The same behind one line of so many megabytes, of which nobody needs anything.
    pub(super) fn behind_a_line_of(&self, megabytes: usize) -> Outcome<Self> {
        let path = self.path.with_file_name("long-line.jsonl");
        let mut out = BufWriter::new(File::create(&path)?);
        out.write_all(br#"{"parentUuid":null,"isSidechain":true,"type":"progress","uuid":"long","data":""#)?;
        let piece = "aGVsbG8sIHRoaXMgaXMgYSBwaWN0dXJl".repeat(1_000_000 / 32);
        (0..megabytes).try_for_each(|_| out.write_all(piece.as_bytes()))?;
        out.write_all(b"\"}\n")?;
        io::copy(&mut File::open(&self.path)?, &mut out)?;
        out.flush()?;
        Ok(Self {
            path,
            name: format!("a line of {megabytes} MB, then {}", self.name),
            lines: self.lines + 1,
        })
    }

    /// A copy that may be changed. It is durable, so that nobody pays for it later.
    pub(super) fn fresh_copy(&self) -> Outcome<PathBuf> {
        let copy = self.path.with_extension("copy.jsonl");
        files::copy(&self.path, &copy)?;
        Ok(copy)
    }

    /// How much memory the index of it may take with all there is beside it, in KiB: 24 MiB and 96 bytes a line.
    pub(super) fn index_kib(&self) -> u64 {
        24 * 1024 + self.lines * 96 / 1024
    }
}

/// How many turns these bytes have room for.
fn turns_in(bytes: u64) -> Outcome<u32> {
    let mut turn = Vec::new();
    let shape = Shape { compactions: 0, turns: 0, last_turns: 1, text: TEXT, branches: false };
    long_session::write(shape, &mut turn)?;
    Ok(u32::try_from(bytes / turn.len() as u64)?)
}
