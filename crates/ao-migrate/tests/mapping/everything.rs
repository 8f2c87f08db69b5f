//! The demo's home, mapped.

use std::fmt::Write as _;
use std::path::Path;

use ao_migrate::mapping::{self, Existing, Mapped, ProjectRow, SessionRow, Settings};
use camino::Utf8PathBuf;
use legacy_readers::ao::{self, Source};
use serde_json::Value;
use session_model::Finding;

use crate::home::{as_it_is, bucket};

fn mapped(home: &Path) -> Mapped {
    let home = Utf8PathBuf::try_from(home.to_path_buf()).expect("a test's home is UTF-8");
    let state_root = home.join(".agent-orchestrator");
    let options = ao::Options {
        config: Source::by_default(state_root.join("config.yaml")),
        state_root: Source::by_default(state_root),
        home,
    };
    let settings = Settings {
        schema: 12,
        restorable: false,
        selected: None,
        worktrees: "/data/worktrees".into(),
        resolve: &as_it_is,
    };
    mapping::map(&ao::read(&options).expect("nothing is named"), &Existing::default(), &settings)
}

fn told(mapped: &Mapped) -> String {
    let mut text = String::new();
    for project in &mapped.projects {
        let _ = writeln!(text, "project {}: {}", project.id, bucket(&project.outcome));
        let row = project.row.as_ref().map(ProjectRow::values);
        tell(&mut text, &project.findings, ProjectRow::COLUMNS, row);
    }
    for session in &mapped.sessions {
        let _ = writeln!(text, "session {}: {}", session.input.id, bucket(&session.outcome));
        let row = session.arrival.as_ref().map(|arrival| arrival.row.values());
        tell(&mut text, &session.findings, SessionRow::COLUMNS, row);
        if let Some(arrival) = &session.arrival {
            let _ = writeln!(text, "  resume: {}", arrival.resume.as_deref().unwrap_or("-"));
            arrival.hindrances.iter().for_each(|hindrance| {
                let _ = writeln!(text, "  cannot be resumed by the daemon: {hindrance}");
            });
        }
    }
    tell(&mut text, &mapped.findings, &[], None);
    text
}

fn tell(text: &mut String, findings: &[Finding], columns: &[&str], row: Option<Vec<Value>>) {
    for (column, value) in columns.iter().zip(row.unwrap_or_default()) {
        let _ = writeln!(text, "  {column} = {value}");
    }
    for finding in findings {
        let _ = writeln!(text, "  {finding}");
    }
}

#[test]
fn a_home_of_every_variant_becomes_these_rows() {
    let folder = tempfile::tempdir().unwrap();
    let home = testkit::fixture::lay_out("ao-migrate/everything", folder.path());
    insta::assert_snapshot!(testkit::fixture::redacted(&told(&mapped(&home)), &home));
}
