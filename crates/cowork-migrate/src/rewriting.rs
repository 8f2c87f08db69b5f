//! What became of the paths of a session, for reports (formats/cowork.md E9).

use std::collections::BTreeMap;
use std::path::Path;

use migration_cli::{Exit, Refusal};
use serde_json::{Value, json};
use session_model::Finding;
use transcript_relocate::rewrite::{Group, Rewritten, RuleClass};

/// The counts of all files of a session.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    by_class: BTreeMap<RuleClass, u64>,
    left: BTreeMap<Group, (u64, String)>,
    kept_links: u64,
    files: u64,
}

impl Tally {
    /// Adds what was done to a file.
    pub(crate) fn add(&mut self, file: &Path, report: &Rewritten) {
        self.files += 1;
        self.kept_links += report.kept_links;
        for (class, paths) in report.by_class() {
            *self.by_class.entry(class).or_default() += paths;
        }
        for (group, left) in &report.leftovers {
            let place = || format!("{}:{}", file.display(), left.first_line);
            self.left.entry(*group).or_insert_with(|| (0, place())).0 += left.count;
        }
    }

    /// As a member of an item.
    pub(crate) fn to_json(&self) -> Value {
        let left = self
            .left
            .iter()
            .map(|(group, (count, first))| (name(group), json!({ "count": count, "first": first })));
        let by_class = self.by_class.iter().map(|(class, paths)| (name(class), json!(paths)));
        json!({
            "files": self.files,
            "paths": by_class.collect::<serde_json::Map<_, _>>(),
            "leftovers": left.collect::<serde_json::Map<_, _>>(),
            "kept_links": self.kept_links,
        })
    }

    /// How many paths were rewritten, in words.
    pub(crate) fn summary(&self) -> Finding {
        let all: u64 = self.by_class.values().sum();
        let by_class = self.by_class.iter().map(|(class, paths)| format!("{paths} {}", name(class)));
        let by_class = by_class.collect::<Vec<_>>().join(", ");
        Finding::note("paths", format!("paths rewritten: {all} in {} files ({by_class})", self.files))
    }

    /// What still names the old world.
    pub(crate) fn findings(&self) -> Vec<Finding> {
        let finding = |(group, (count, first)): (&Group, &(u64, String))| {
            let places = if *count == 1 {
                "1 place still names".to_owned()
            } else {
                format!("{count} places still name")
            };
            let message = format!("{places} the old world ({}), the first in {first}", name(group));
            let code = format!("left-{}", name(group));
            if group.is_harmless() { Finding::note(code, message) } else { Finding::warning(code, message) }
        };
        self.left.iter().map(finding).collect()
    }

    /// With `--strict` nothing may be left.
    pub(crate) fn must_be_complete(&self) -> Result<(), Refusal> {
        let left: u64 =
            self.left.iter().filter(|(group, _)| !group.is_harmless()).map(|(_, (count, _))| count).sum();
        if left == 0 {
            return Ok(());
        }
        let message = format!("--strict: {left} places would still name the old world");
        let hint = "--map 'SRC=DST' says where a folder is now; without --strict they are reported and stay";
        Err(Refusal::new("leftovers", message, hint).exit(Exit::Unverified).findings(self.findings()))
    }
}

/// The name of a group or class as documents spell it.
fn name(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}
