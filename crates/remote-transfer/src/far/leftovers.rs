//! What interrupted deliveries have left at the far end.

use std::time::Duration;

use durable_files::Quiet;

use super::{Far, FarError};

/// A staging folder that nobody may need any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    /// Its name in the base.
    pub name: String,
    /// The run that it says it is of; empty if it says nothing.
    pub run: String,
    /// Since when nothing has come to it.
    pub age: Duration,
    /// What it takes on the disk, in bytes.
    pub bytes: u64,
    /// Whether there is nothing in it but at most a label that was never written.
    pub is_empty: bool,
    /// Device and inode: a path may lead elsewhere by the time it is removed.
    identity: String,
}

impl Far {
    /// The staging folders in a base, whose names begin so. A name that is no text is none of ours.
    pub fn leftovers(&mut self, base: &[u8], prefix: &str) -> Result<Vec<Leftover>, FarError> {
        let script = include_str!("leftovers.sh");
        let ended = self.run("look for leftovers", script, &[base, prefix.as_bytes()], b"", &mut Quiet)?;
        let texts: Vec<&[u8]> = ended.stdout.split(|&byte| byte == 0).collect();
        Ok(texts.as_chunks::<6>().0.iter().filter_map(read).collect())
    }

    /// Removes one of them for good, if it is still the one that was found.
    pub fn clear(&mut self, base: &[u8], leftover: &Leftover) -> Result<(), FarError> {
        let words = [&leftover.name, &leftover.run, &leftover.identity].map(String::as_bytes);
        let arguments: Vec<&[u8]> = std::iter::once(base).chain(words).collect();
        let script = concat!(include_str!("base.sh"), include_str!("clear.sh"));
        self.run("remove a leftover", script, &arguments, b"", &mut Quiet).map(drop)
    }
}

fn read(texts: &[&[u8]; 6]) -> Option<Leftover> {
    let [name, run, age, kib, identity, empty] = texts.map(|text| std::str::from_utf8(text).ok());
    Some(Leftover {
        name: name?.to_owned(),
        run: run?.to_owned(),
        age: Duration::from_secs(age?.parse().ok()?),
        bytes: kib?.parse::<u64>().ok()?.saturating_mul(1024),
        is_empty: empty? == "empty",
        identity: identity?.to_owned(),
    })
}
