//! How fast, as ratios: machines are shared and noisy, so ours and its peers run in turn, and medians are compared.
//!
//! A bench is a file here and a line in [`BENCHES`]. Its targets stand in it, each beside the peer it is about.

mod ao;
mod check;
mod deliver;
mod extract;
mod files;
mod measure;
mod memory;
mod openclaw;
mod race;
mod rewrite;
mod rows;
mod sessions;
mod stitch;
mod tool;
mod tree;

use std::path::Path;
use std::process::Command;

use durable_files::room_at;
use tempfile::TempDir;

use crate::packages;
use crate::shell::{self, Outcome};
use sessions::Session;

/// How often each runs.
const ROUNDS: usize = 5;

/// One bench.
struct Bench {
    name: &'static str,
    /// Its peers and what makes its inputs, each with the Debian package that has it.
    needs: &'static [(&'static str, &'static str)],
    /// Whether it has inputs of 4 GB as well.
    is_scalable: bool,
    run: fn(&Given) -> Outcome,
}

const BENCHES: [Bench; 9] = [
    Bench { name: "ao", needs: &[PYTHON], is_scalable: false, run: ao::run },
    Bench { name: "check", needs: &[PYTHON, ("jq", "jq")], is_scalable: true, run: check::run },
    Bench { name: "stitch", needs: &[PYTHON], is_scalable: true, run: stitch::run },
    Bench { name: "rewrite", needs: &[PYTHON], is_scalable: true, run: rewrite::run },
    Bench { name: "memory", needs: &[PYTHON], is_scalable: false, run: memory::run },
    Bench { name: "extract", needs: &extract::NEEDS, is_scalable: false, run: extract::run },
    Bench { name: "deliver", needs: &deliver::NEEDS, is_scalable: false, run: deliver::run },
    Bench { name: "openclaw", needs: &[PYTHON], is_scalable: false, run: openclaw::run },
    Bench { name: "tree", needs: &[PYTHON], is_scalable: false, run: tree::run },
];

const PYTHON: (&str, &str) = ("python3", "python3");

/// Free room that the large inputs take, in bytes: a transcript, a copy of it, and what becomes of that.
const LARGE_ROOM: u64 = 12_000_000_000;

/// Runs the benches that are named, or else all; with `--large`, those that can on inputs of 4 GB.
///
/// They run as they would be released: what a debug build takes says nothing.
pub(crate) fn run(words: &[&str]) -> Outcome {
    let (options, names): (Vec<&str>, Vec<&str>) = words.iter().partition(|word| word.starts_with('-'));
    let is_large = options == ["--large"];
    if !is_large && !options.is_empty() {
        return Err(format!("expected --large or nothing, found {}", options.join(" ")).into());
    }
    let chosen = chosen(&names, is_large)?;
    if cfg!(debug_assertions) {
        let mut released = Command::new("cargo");
        released.args(["run", "--quiet", "--release", "--package", "xtask", "--", "bench"]);
        return shell::run(released.args(words));
    }
    chosen.into_iter().try_for_each(|bench| {
        packages::install(bench.needs)?;
        (bench.run)(&Given::new(is_large)?)
    })
}

fn chosen(names: &[&str], is_large: bool) -> Outcome<Vec<&'static Bench>> {
    let known: Vec<&'static str> = BENCHES.iter().map(|bench| bench.name).collect();
    if let Some(unknown) = names.iter().find(|name| !known.contains(name)) {
        return Err(format!("there is no bench {unknown}, but: {}", known.join(", ")).into());
    }
    let is_named_in_vain = |bench: &&Bench| is_large && !bench.is_scalable && names.contains(&bench.name);
    if let Some(bench) = BENCHES.iter().find(is_named_in_vain) {
        return Err(format!("the bench {} has no inputs of 4 GB: name it without --large", bench.name).into());
    }
    let is_meant = |bench: &&Bench| {
        (names.is_empty() || names.contains(&bench.name)) && (bench.is_scalable || !is_large)
    };
    Ok(BENCHES.iter().filter(is_meant).collect())
}

/// What a bench has for itself.
struct Given {
    folder: TempDir,
    is_large: bool,
}

impl Given {
    fn new(is_large: bool) -> Outcome<Self> {
        let folder = tempfile::tempdir()?;
        let free = room_at(folder.path())?.bytes;
        if is_large && free < LARGE_ROOM {
            let (needed, free, place) = (LARGE_ROOM / 1_000_000, free / 1_000_000, folder.path().display());
            return Err(format!(
                "expected {needed} MB free at {place} for --large, found {free} MB; name another place in TMPDIR"
            )
            .into());
        }
        Ok(Self { folder, is_large })
    }

    /// A folder that goes with it.
    fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A transcript: of 500 MB with so many compactions, or of 4 GB with twelve.
    fn session(&self, compactions: u32) -> Outcome<Session> {
        let (megabytes, compactions) = if self.is_large { (4000, 12) } else { (500, compactions) };
        Session::write(self.folder(), megabytes, compactions)
    }

    /// Large inputs take their time.
    fn rounds(&self) -> usize {
        if self.is_large { 3 } else { ROUNDS }
    }
}
