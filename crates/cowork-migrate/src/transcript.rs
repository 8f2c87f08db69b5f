//! What becomes of a transcript: its paths are rewritten, then it is stitched (formats/cowork.md D, E, F).

use std::io::{self, Read};
use std::path::Path;

use jsonl_stitch::load::{Limits, Load, Loader};
use jsonl_stitch::{Checked, Decision, Options, check, decide};
use migration_cli::Refusal;
use migration_engine::Cx;
use transcript_relocate::rewrite::{Members, PathRules, Rewritten, rewrite_document};

use crate::content::{Made, Original, Transcript};
use crate::lines::{Metered, extracted_name, rewritten_lines};

/// A transcript, and what will be made of it.
#[derive(Debug)]
pub(crate) struct Planned {
    /// How it is made.
    pub(crate) made: Made,
    /// What became of its paths.
    pub(crate) report: Rewritten,
    /// What was decided about its compactions; nothing for one that is only rewritten.
    pub(crate) decision: Option<Decision>,
}

/// Rewrites and stitches.
pub(crate) fn conversation(path: &Path, rules: &PathRules, cx: &Cx<'_>) -> Result<Planned, Refusal> {
    let original = Original::of(path)?;
    let open = || -> io::Result<_> {
        let input = original.open().map_err(io::Error::other)?;
        Ok(rewritten_lines(Metered { input, cx }, rules))
    };
    let stem = stem(path);
    let mut lines = open().map_err(|error| unreadable(path, &error))?;
    let checked = check(&mut lines, &stem, Limits::default()).map_err(|error| unreadable(path, &error))?;
    let report = lines.into_report();
    let decision = decide(checked, &Loader::ALL, Options::default(), open)
        .map_err(|error| unreadable(path, &io::Error::other(error)))?;
    let splices = decision.splices();
    original.must_be_as_planned()?;
    let made = Made::Transcript(Transcript { original, splices });
    Ok(Planned { made, report, decision: Some(decision) })
}

/// Rewrites only: a subagent's transcript is loaded by another loader.
pub(crate) fn subagent(path: &Path, rules: &PathRules, cx: &Cx<'_>) -> Result<Planned, Refusal> {
    let original = Original::of(path)?;
    let input = original.open().map_err(|error| unreadable(path, &io::Error::other(error)))?;
    let report =
        rewritten_lines(Metered { input, cx }, rules).survey().map_err(|error| unreadable(path, &error))?;
    original.must_be_as_planned()?;
    let made = Made::Transcript(Transcript { original, splices: Vec::new() });
    Ok(Planned { made, report, decision: None })
}

/// What describes a subagent.
pub(crate) fn document(path: &Path, rules: &PathRules) -> Result<Planned, Refusal> {
    let original = Original::of(path)?;
    let mut bytes = Vec::new();
    let mut file = original.open().map_err(|error| unreadable(path, &io::Error::other(error)))?;
    file.read_to_end(&mut bytes).map_err(|error| unreadable(path, &error))?;
    original.must_be_as_planned()?;
    let (_, report) = rewrite_document(rules, Members::TRANSCRIPT, &extracted_name, &bytes);
    Ok(Planned { made: Made::Document(original), report, decision: None })
}

/// What every build would load of a transcript as it stands.
pub(crate) fn loads(path: &Path, cx: &Cx<'_>) -> io::Result<Vec<Load>> {
    let input = std::fs::File::open(path)?;
    let Checked { loads, .. } = check(Metered { input, cx }, &stem(path), Limits::default())?;
    Ok(loads)
}

/// The name by which fresh ids are derived: the file's, without its ending.
fn stem(path: &Path) -> String {
    path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}

fn unreadable(path: &Path, error: &io::Error) -> Refusal {
    Refusal::new(
        "unreadable",
        format!("cannot read {}: {error}", path.display()),
        "quit the application, check the permissions, then say the same command again",
    )
}
