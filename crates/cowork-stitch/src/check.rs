//! `check`: what each build of the application would load.

use std::path::{Path, PathBuf};

use jsonl_stitch::load::{Load, Loader, by_loader};
use migration_cli::{Exit, Listed, Listing, Refusal};
use migration_engine::Cx;
use serde_json::{Map, json};
use session_model::Finding;

use crate::transcript::{Transcript, Unfit};

pub(crate) fn check(files: &[PathBuf], targets: &[Loader], cx: &Cx<'_>) -> Result<Listing, Refusal> {
    let mut columns = vec!["file"];
    columns.extend(targets.iter().map(|loader| loader.name()));
    let mut listing = Listing { text_columns: columns.len(), columns, ..Listing::default() };
    for file in files {
        match Transcript::read(file, cx) {
            Ok((_, checked)) => {
                let wants_stitch = checked.wants_stitch(targets);
                let loads: Vec<Load> =
                    checked.loads.into_iter().filter(|load| targets.contains(&load.loader)).collect();
                listing.exit = worst(listing.exit, exit_of(wants_stitch, &loads));
                listing.rows.push(row(file, &loads));
            }
            Err(unfit) if files.len() == 1 => return Err(unfit.into()),
            Err(unfit) => {
                listing.exit = worst(listing.exit, Exit::Partial);
                listing.rows.push(unfit_row(file, &unfit));
            }
        }
    }
    Ok(listing)
}

/// Lost rows weigh more than those that stay beside the chain.
fn worst(one: Exit, other: Exit) -> Exit {
    one.max(other)
}

/// Rows that a stitch could bring back are a reason to make one; those that lead nowhere are only named.
fn exit_of(wants_stitch: bool, loads: &[Load]) -> Exit {
    if wants_stitch {
        Exit::Unverified
    } else if loads.iter().all(Load::is_whole) {
        Exit::Done
    } else {
        Exit::Partial
    }
}

fn row(file: &Path, loads: &[Load]) -> Listed {
    let mut cells = vec![file.display().to_string()];
    cells.extend(loads.iter().map(|load| format!("{} of {} ({})", load.shown, load.of, load.strategy)));
    Listed {
        kind: "transcript",
        id: file.display().to_string(),
        source: None,
        cells,
        own: Map::from_iter([("loads".to_owned(), json!(by_loader(loads)))]),
        findings: loads.iter().flat_map(Load::findings).collect(),
    }
}

fn unfit_row(file: &Path, unfit: &Unfit) -> Listed {
    Listed {
        kind: "transcript",
        id: file.display().to_string(),
        cells: vec![file.display().to_string(), unfit.code.to_owned()],
        findings: vec![Finding::error(unfit.code, unfit.message.clone())],
        ..Listed::default()
    }
}
