//! A plan as a file: one line for the header, for each item, each wave and each step.

use std::io::{self, Write};
use std::path::Path;

use durable_files::{Digest, FileError, InContext};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{Header, Item, Plan, Step, Task, Wave, WaveKind};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Line<H, I, T> {
    Plan(H),
    Item(I),
    Wave { lane: usize, kind: WaveKind, together: bool },
    Task(T),
}

/// A plan that cannot be read back.
#[derive(Debug, thiserror::Error)]
pub enum PlanFileError {
    /// The operating system refused.
    #[error(transparent)]
    File(#[from] FileError),
    /// It is not the plan that its journal was begun for.
    #[error("{path} has the digest {found}, and its journal was begun for {expected}")]
    Altered {
        /// The plan's file.
        path: String,
        /// What the journal says.
        expected: Digest,
        /// What the file has.
        found: Digest,
    },
    /// A line that this version does not understand.
    #[error("{path}:{line}: not a line of a plan of this tool")]
    Foreign {
        /// The plan's file.
        path: String,
        /// The line, counted from 1.
        line: usize,
    },
}

/// Writes a plan as it goes into its file: a line may be as long as all that a stitch changes.
pub(crate) fn write<S: Step>(plan: &Plan<S>, out: &mut dyn Write) -> io::Result<()> {
    let mut put = |line: &Line<&Header, &Item, &Task<S>>| {
        serde_json::to_writer(&mut *out, line)?;
        out.write_all(b"\n")
    };
    put(&Line::Plan(&plan.header))?;
    plan.items.iter().try_for_each(|item| put(&Line::Item(item)))?;
    for (lane, waves) in plan.lanes.iter().enumerate() {
        for wave in waves {
            put(&Line::Wave { lane, kind: wave.kind, together: wave.together })?;
            wave.tasks.iter().try_for_each(|task| put(&Line::Task(task)))?;
        }
    }
    Ok(())
}

/// Reads a plan whose file must have this digest.
pub(crate) fn read<S: Step>(path: &Path, expected: Digest) -> Result<Plan<S>, PlanFileError> {
    let bytes = std::fs::read(path).doing("read", path)?;
    let found = Digest::of(&bytes);
    if found != expected {
        return Err(PlanFileError::Altered { path: path.display().to_string(), expected, found });
    }
    parse(&bytes).map_err(|line| PlanFileError::Foreign { path: path.display().to_string(), line })
}

/// Reads what a plan says about itself and its items, whatever steps it has.
pub(crate) fn read_outline(path: &Path) -> Result<(Header, Vec<Item>), PlanFileError> {
    let bytes = std::fs::read(path).doing("read", path)?;
    let foreign = |line| PlanFileError::Foreign { path: path.display().to_string(), line };
    let mut header = None;
    let mut items = Vec::new();
    for (number, line) in lines(&bytes) {
        match parse_line::<serde::de::IgnoredAny>(line).ok_or_else(|| foreign(number))? {
            Line::Plan(found) => header = Some(found),
            Line::Item(item) => items.push(item),
            Line::Wave { .. } | Line::Task(_) => break,
        }
    }
    Ok((header.ok_or_else(|| foreign(1))?, items))
}

fn parse<S: DeserializeOwned>(bytes: &[u8]) -> Result<Plan<S>, usize> {
    let (mut header, mut items, mut lanes) = (None, Vec::new(), Vec::<Vec<Wave<S>>>::new());
    for (number, line) in lines(bytes) {
        match parse_line(line).ok_or(number)? {
            Line::Plan(found) => header = Some(found),
            Line::Item(item) => items.push(item),
            Line::Wave { lane, kind, together } => {
                if lane > lanes.len() {
                    return Err(number);
                }
                if lane == lanes.len() {
                    lanes.push(Vec::new());
                }
                lanes[lane].push(Wave { kind, together, tasks: Vec::new() });
            }
            Line::Task(task) => {
                lanes.last_mut().and_then(|waves| waves.last_mut()).ok_or(number)?.tasks.push(task);
            }
        }
    }
    Ok(Plan { header: header.ok_or(1_usize)?, items, lanes })
}

fn lines(bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    bytes
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .zip(1..)
        .map(|(line, number)| (number, line))
}

fn parse_line<T: DeserializeOwned>(line: &[u8]) -> Option<Line<Header, Item, T>> {
    serde_json::from_slice(line).ok()
}
