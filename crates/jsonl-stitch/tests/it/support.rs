//! Rows as they are written, and what becomes of them.

use std::collections::BTreeSet;
use std::io::Read as _;

use jsonl_stitch::load::{Fate, Limits, Loader, Simulation};
use jsonl_stitch::{Decision, Index, Options, Splice, Spliced, check, decide};

/// The name of every transcript here.
pub(crate) const STEM: &str = "5f0c1d9e-session";

/// No file here is big.
pub(crate) const SMALL: Limits = Limits { big: u64::MAX, window: u64::MAX };

/// Every file is big, and boundaries are seen everywhere in it.
pub(crate) const BIG: Limits = Limits { big: 0, window: u64::MAX };

pub(crate) const PLAIN: Options =
    Options { anchor: false, join_roots: false, no_weave: false, move_anchor: false };

fn row(uuid: &str, parent: &str, kind: &str) -> String {
    let parent = if parent.is_empty() { "null".to_owned() } else { format!("\"{parent}\"") };
    format!(r#"{{"parentUuid":{parent},{kind},"uuid":"{uuid}","timestamp":"2026-02-03T04:05:06.789Z"}}"#)
}

pub(crate) fn user(uuid: &str, parent: &str) -> String {
    row(uuid, parent, r#""type":"user","message":{"role":"user","content":"go on"}"#)
}

pub(crate) fn assistant(uuid: &str, parent: &str) -> String {
    row(
        uuid,
        parent,
        r#""type":"assistant","message":{"role":"assistant","content":[{"type":"text","text":"done"}]}"#,
    )
}

pub(crate) fn result(uuid: &str, parent: &str) -> String {
    row(
        uuid,
        parent,
        r#""type":"user","message":{"content":[{"type":"tool_result","tool_use_id":"t","content":"ok"}]}"#,
    )
}

pub(crate) fn sidechain(uuid: &str, parent: &str) -> String {
    row(uuid, parent, r#""isSidechain":true,"type":"user","message":{"content":"look around"}"#)
}

/// Hidden in the application.
pub(crate) fn summary(uuid: &str, parent: &str) -> String {
    row(uuid, parent, r#""isCompactSummary":true,"type":"user","message":{"content":"what was said"}"#)
}

/// A bookkeeping row, which no loader shows.
pub(crate) fn bookkeeping() -> String {
    r#"{"type":"last-prompt","sessionId":"5f0c1d9e"}"#.to_owned()
}

pub(crate) fn boundary(uuid: &str, logical: &str) -> String {
    boundary_with(uuid, logical, r#"{"trigger":"auto","preTokens":150000}"#)
}

pub(crate) fn boundary_with(uuid: &str, logical: &str, metadata: &str) -> String {
    row(
        uuid,
        "",
        &format!(
            r#""logicalParentUuid":"{logical}","type":"system","subtype":"compact_boundary","compactMetadata":{metadata}"#
        ),
    )
}

pub(crate) fn with_segment(uuid: &str, head: &str, tail: &str) -> String {
    let segment = format!(
        r#"{{"preservedSegment":{{"headUuid":"{head}","anchorUuid":"{uuid}","tailUuid":"{tail}"}}}}"#
    );
    boundary_with(uuid, "", &segment)
}

pub(crate) fn file(lines: &[impl AsRef<str>]) -> Vec<u8> {
    lines.iter().flat_map(|line| [line.as_ref(), "\n"]).collect::<String>().into_bytes()
}

/// How many bytes these lines have.
pub(crate) fn size(lines: &[impl AsRef<str>]) -> u64 {
    file(lines).len() as u64
}

/// The codes of all rows, in order.
pub(crate) fn fates(file: &[u8], loader: Loader, limits: Limits) -> Vec<&'static str> {
    let index = Index::read(file).unwrap();
    let simulation = Simulation::new(&index, STEM, loader, limits);
    index.rows().map(|row| simulation.fate(row).code()).collect()
}

/// The lines of the rows that are shown.
pub(crate) fn shown(file: &[u8], loader: Loader, limits: Limits) -> BTreeSet<u64> {
    let index = Index::read(file).unwrap();
    let simulation = Simulation::new(&index, STEM, loader, limits);
    index.rows().filter(|&row| simulation.fate(row) == Fate::Shown).map(|row| index.line(row)).collect()
}

pub(crate) fn decided(file: &[u8], limits: Limits, options: Options) -> Decision {
    decide(check(file, STEM, limits).unwrap(), &Loader::ALL, options, || Ok(file)).unwrap()
}

pub(crate) fn apply(file: &[u8], splices: &[Splice]) -> Vec<u8> {
    let mut out = Vec::new();
    Spliced::new(file, splices).unwrap().read_to_end(&mut out).unwrap();
    out
}

/// The file with its stitch; that a second one would change nothing and the simulation was right is looked at on the way.
pub(crate) fn stitched(file: &[u8], limits: Limits, options: Options) -> (Decision, Vec<u8>) {
    let decision = decided(file, limits, options);
    let after = apply(file, &decision.splices());
    for load in &decision.after {
        let expected = crate::oracle::load(&after, load.loader, limits);
        assert_eq!(load.shown, expected.offsets.len() as u64);
    }
    assert_eq!(decided(&after, limits, options).edits, [], "a second stitch changes something");
    no_parent_comes_later(&after);
    (decision, after)
}

/// Of rows that were written in order.
fn no_parent_comes_later(file: &[u8]) {
    let rows: Vec<_> =
        crate::oracle::pieces(file, 0).into_iter().map(|(_, line)| crate::oracle::parse(line)).collect();
    let ids: Vec<_> =
        rows.iter().map(|row| row.as_ref().and_then(|row| crate::oracle::id(row, "uuid"))).collect();
    for (at, row) in rows.iter().enumerate() {
        let parent = row.as_ref().and_then(|row| crate::oracle::id(row, "parentUuid"));
        let last = parent.and_then(|parent| ids.iter().rposition(|id| *id == Some(parent)));
        assert!(last.is_none_or(|last| last < at), "line {} has a parent that comes later", at + 1);
    }
}

/// The lines that an edit changed, and all others are as they were.
pub(crate) fn changed_lines(before: &[u8], after: &[u8]) -> Vec<usize> {
    let lines =
        |file: &[u8]| file.split_inclusive(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect::<Vec<_>>();
    let (before, after) = (lines(before), lines(after));
    assert_eq!(before.len(), after.len());
    (0..before.len()).filter(|&at| before[at] != after[at]).map(|at| at + 1).collect()
}
