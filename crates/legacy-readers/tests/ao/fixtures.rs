//! Every fixture home, as the reader sees it.

use std::path::Path;

use legacy_readers::ao::{Config, Content, Defaults, Entry, Legacy, SessionFile, Source};
use session_model::Survey;
use testkit::fixture;
use testkit::tree::Tree;

use crate::{options, read, utf8};

#[test]
fn every_fixture_is_read_as_its_golden_survey_says_and_left_untouched() {
    for case in fixture::cases("ao-migrate") {
        let place = tempfile::tempdir().unwrap();
        let home = fixture::lay_out(&format!("ao-migrate/{case}"), place.path());
        let mut options = options(&home);
        if case == "registry-in-xdg-config" {
            options.config = Source::named(utf8(&home).join(".config/agent-orchestrator/config.yaml"));
        }
        let before = Tree::of(&home);
        let survey = legacy_readers::ao::read(&options).unwrap();
        before.assert_same(&Tree::of(&home), &format!("after reading {case}"));
        insta::with_settings!({ snapshot_path => "snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(case.as_str(), fixture::redacted(&rendered(&survey), &home));
        });
        each_input_once(&survey);
    }
}

/// Every input has exactly one entry, and every entry is an input.
pub(crate) fn each_input_once(survey: &Survey<Legacy>) {
    let found = &survey.found;
    let mut entries: Vec<_> = found.projects.iter().map(|project| &project.input).collect();
    entries.extend(found.sessions.iter().map(|file| &file.input));
    if let Config::Unreadable { input, .. } = &found.config {
        entries.push(input);
    }
    let mut inputs: Vec<_> = survey.inputs.iter().collect();
    entries.sort();
    inputs.sort();
    assert_eq!(entries, inputs);
    inputs.dedup();
    assert_eq!(inputs.len(), entries.len(), "an input is named twice");
}

#[test]
fn reading_twice_finds_the_same() {
    let place = tempfile::tempdir().unwrap();
    let home = fixture::lay_out("ao-migrate/everything", place.path());
    assert_eq!(read(&home), read(&home));
}

fn rendered(survey: &Survey<Legacy>) -> String {
    let found = &survey.found;
    let mut lines = vec![match &found.config {
        Config::Missing => "registry: none".to_owned(),
        Config::Read { path, mtime } => format!("registry: {} of {mtime}", path.display()),
        Config::Unreadable { why, .. } => format!("registry: {why} [{}]", why.code),
    }];
    if found.defaults != Defaults::default() {
        lines.push(format!("defaults: {}", brief(&format!("{:#?}", found.defaults))));
    }
    for project in &found.projects {
        let place = project.place.to_string();
        let place = place.rsplit("config.yaml:").next().unwrap();
        lines.push(match &project.entry {
            Entry::Read(entry) => {
                format!("project {} ({place}): {}", project.id, brief(&format!("{entry:#?}")))
            }
            Entry::Quarantined(why) => {
                format!("project {} ({place}): quarantined: {why} [{}]", project.id, why.code)
            }
        });
    }
    lines.extend(found.sessions.iter().map(session));
    lines.extend(found.not_entered.iter().map(|path| format!("not entered: {}", path.display())));
    lines.extend(survey.anomalies.iter().map(|why| format!("anomaly: {why} [{}]", why.code)));
    lines.join("\n")
}

fn session(file: &SessionFile) -> String {
    let content = match &file.content {
        Content::Record(record) => brief(&format!("{record:#?}")),
        Content::Skipped(why) => format!("skipped({})", why.as_str()),
        Content::Quarantined(why) | Content::Unlisted(why) => format!("quarantined: {why} [{}]", why.code),
    };
    let name = Path::new(&file.input.id).file_name().unwrap().to_string_lossy();
    let time = if file.content == Content::Skipped(legacy_readers::ao::Skip::NotARegularFile)
        || file.mtime.to_string() == fixture::FIXED_TIME
    {
        String::new()
    } else {
        format!(" of {}", file.mtime)
    };
    format!("session {} in {:?} {:?} ({name}{time}): {content}", file.id, file.layout, file.owner)
}

/// A pretty debug text with what holds one value on one line, and without the lines that say that nothing is there.
fn brief(debug: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in debug.lines() {
        let value = match lines.as_slice() {
            [.., open, value] if line.trim() == ")," && open.ends_with('(') => {
                value.trim().trim_end_matches(',')
            }
            _ => {
                lines.push(line.to_owned());
                continue;
            }
        };
        let value = format!("{value}),");
        lines.pop();
        lines.last_mut().unwrap().push_str(&value);
    }
    let empty = [": None,", ": Absent,", ": [],", ": false,"];
    lines.retain(|line| !empty.iter().any(|end| line.ends_with(end)));
    lines
        .join("\n")
        .replace(" {\n    }", " {}")
        .replace(" {\n            }", " {}")
        .replace(" {\n                }", " {}")
}
