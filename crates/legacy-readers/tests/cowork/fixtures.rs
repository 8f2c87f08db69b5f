//! Every fixture home, as the reader sees it.

use std::collections::BTreeSet;
use std::path::Path;

use legacy_readers::cowork::{self, Environment, Platform, Session};
use session_model::InputId;
use testkit::fixture;
use testkit::tree::Tree;

use crate::rendered;

/// What the environment of a case says.
fn environment(case: &str, home: &Path) -> Environment {
    let platform = match case {
        "linux" => Platform::Linux,
        "macos" => Platform::MacOs,
        _ => Platform::Windows,
    };
    let mut environment = Environment::of_home(platform, home);
    environment.user_data_dir = (case == "moved-and-enterprise").then(|| home.join("moved"));
    environment
}

#[test]
fn every_fixture_is_read_as_its_golden_survey_says_and_left_untouched() {
    for case in fixture::cases("cowork-migrate") {
        let place = tempfile::tempdir().unwrap();
        let home = fixture::lay_out(&format!("cowork-migrate/{case}"), place.path());
        let before = Tree::of(&home);
        let text = if case == "bundle" {
            rendered::bundle(&home.join("bundle"))
        } else {
            rendered::home(&environment(&case, &home))
        };
        before.assert_same(&Tree::of(&home), &format!("after reading {case}"));
        insta::with_settings!({ snapshot_path => "snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(case.as_str(), fixture::redacted(&text, &home));
        });
    }
}

#[test]
fn every_sidecar_and_every_lost_folder_is_an_input_once() {
    for case in fixture::cases("cowork-migrate") {
        let place = tempfile::tempdir().unwrap();
        let home = fixture::lay_out(&format!("cowork-migrate/{case}"), place.path());
        for base in cowork::bases(&environment(&case, &home), None).unwrap().found {
            let survey = cowork::read(&base.path).unwrap();
            let inputs: BTreeSet<&InputId> = survey.inputs.iter().collect();
            let sessions: BTreeSet<&InputId> =
                survey.found.sessions().map(|session| &session.input).collect();
            let orphans: usize = survey.found.profiles.iter().map(|profile| profile.orphans.len()).sum();
            assert_eq!(inputs.len(), survey.inputs.len(), "{case}: an input is named twice");
            assert!(sessions.is_subset(&inputs), "{case}: a session is no input");
            let further: usize = survey.found.sessions().map(|session| session.further.len()).sum();
            assert_eq!(sessions.len() + further + orphans, inputs.len(), "{case}");
            assert_eq!(sidecars_on_disk(&base.path), sessions.len(), "{case}: a sidecar was passed over");
        }
    }
}

/// A second, simpler statement of what is a sidecar.
fn sidecars_on_disk(base: &Path) -> usize {
    let names = Tree::of(base).names();
    let is_sidecar = |path: &&String| {
        let place: Vec<&str> = path.split('/').collect();
        let depth = if place.get(3) == Some(&"agent") { 5 } else { 4 };
        let name = place.last().unwrap();
        place.len() == depth && name.strip_suffix(".json").is_some_and(|stem| stem.starts_with("local_"))
    };
    names.iter().filter(is_sidecar).count()
}

#[test]
fn reading_twice_finds_the_same() {
    let place = tempfile::tempdir().unwrap();
    let home = fixture::lay_out("cowork-migrate/kinds-of-sessions", place.path());
    let base = crate::base(&home);
    let (one, two) = (cowork::read(&base).unwrap(), cowork::read(&base).unwrap());
    assert_eq!(one, two);
    let contents = |session: &Session| cowork::contents(session);
    assert!(one.found.sessions().map(contents).eq(two.found.sessions().map(contents)));
}
