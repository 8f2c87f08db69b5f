//! What loaders show, as reports and plans say it: `{"v1": {"strategy": …, "shown": …, "of": …}, "v2": {…}}`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, Serializer};
use session_model::Finding;

use super::{Load, Loader, Loss, WalkFailure};

/// The loads of a transcript by loader: serialised, what a report shows of them.
pub fn by_loader(loads: &[Load]) -> BTreeMap<Loader, &Load> {
    loads.iter().map(|load| (load.loader, load)).collect()
}

/// How much of a transcript a loader shows: as much of a [`Load`] as can be promised, read back from [`by_loader`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promised {
    /// How many rows.
    pub shown: u64,
    /// Of how many.
    pub of: u64,
}

/// Whether a transcript loads at least what was promised of it: it may have grown since.
pub fn keeps(promised: &BTreeMap<Loader, Promised>, now: &[Load]) -> bool {
    let keeps = |load: &Load, Promised { shown, of }: Promised| {
        load.shown >= shown && load.rows_lost() <= of.saturating_sub(shown)
    };
    now.iter().all(|load| promised.get(&load.loader).is_none_or(|promised| keeps(load, *promised)))
}

impl Load {
    /// One finding for every reason for which rows are not shown.
    pub fn findings(&self) -> impl Iterator<Item = Finding> {
        self.lost.iter().map(|(loss, extent)| {
            let rows =
                if extent.rows == 1 { "1 row is".to_owned() } else { format!("{} rows are", extent.rows) };
            let lines = match (extent.first_line, extent.last_line) {
                (first, last) if first == last => format!("line {first}"),
                (first, last) => format!("lines {first} to {last}"),
            };
            let walk = self.walk.as_ref().filter(|_| *loss == Loss::WalkFailed);
            let why = walk.map_or_else(String::new, |walk| format!(": {walk}"));
            Finding::warning(loss.code(), format!("{}: {rows} not shown ({lines}){why}", self.loader.name()))
        })
    }
}

impl Serialize for Loss {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

/// In reports a failed walk is a sentence.
impl Serialize for WalkFailure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check;
    use crate::load::Limits;

    const CUT: &str = concat!(
        r#"{"parentUuid":null,"type":"user","uuid":"a"}"#,
        "\n",
        r#"{"parentUuid":null,"type":"system","subtype":"compact_boundary","uuid":"b","compactMetadata":{"preservedSegment":{"headUuid":"a","tailUuid":"x"}}}"#,
        "\n",
        r#"{"parentUuid":"b","type":"user","uuid":"c"}"#,
        "\n",
    );

    fn loads(transcript: &str) -> Vec<Load> {
        check(transcript.as_bytes(), "session", Limits::default()).unwrap().loads
    }

    #[test]
    fn a_report_says_what_each_build_shows_and_why_not_all_of_it() {
        let loads = loads(CUT);
        let shown = serde_json::to_value(by_loader(&loads)).unwrap();
        let why = "missing uuid x, the segment's tail";
        let lost = serde_json::json!({"cut/walk-failed": {"rows": 1, "first_line": 1, "last_line": 1}});
        let hidden = serde_json::json!({"last-boundary": 1});
        let old = serde_json::json!({"strategy": "none", "shown": 1, "of": 2, "lost": lost, "hidden": hidden, "walk": why});
        assert_eq!(shown["v1"], old);
        assert_eq!(shown["v2"]["shown"], 3);
        let said: Vec<String> = loads[0].findings().map(|finding| finding.message).collect();
        assert_eq!(said, [format!("v1: 1 row is not shown (line 1): {why}")]);
    }

    #[test]
    fn a_transcript_that_grew_keeps_what_was_promised_and_one_that_lost_a_row_does_not() {
        let promised = serde_json::to_value(by_loader(&loads(CUT))).unwrap();
        let promised = serde_json::from_value(promised).unwrap();
        let grown = format!("{CUT}{}\n", r#"{"parentUuid":"c","type":"user","uuid":"d"}"#);
        assert!(keeps(&promised, &loads(CUT)) && keeps(&promised, &loads(&grown)));
        let worse = format!("{grown}{}", r#"{"parentUuid":"d","type":"user","uuid":"e"}"#);
        assert!(!keeps(&promised, &loads(&worse)), "its last line has no ending");
        assert!(!keeps(&promised, &loads(CUT.lines().next().unwrap())));
    }
}
