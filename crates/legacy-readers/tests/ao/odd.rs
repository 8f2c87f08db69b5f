//! Cases that no fixture home can hold.

use std::fs;
use std::process::Command;

use legacy_readers::ao::{self, Config, Layout, ReadError, Source, default_session_prefix};

use crate::{options, read, utf8};

#[test]
fn a_home_without_the_old_orchestrator_is_an_empty_survey_that_says_so() {
    let home = tempfile::tempdir().unwrap();
    let survey = read(home.path());
    assert_eq!(survey.found.config, Config::Missing);
    assert_eq!(survey.inputs, []);
    let codes: Vec<_> = survey.anomalies.iter().map(|anomaly| anomaly.code.as_str()).collect();
    assert_eq!(codes, ["no-legacy-store", "no-registry"]);
}

#[test]
fn a_path_that_was_named_and_is_not_there_is_an_error_that_names_it() {
    let home = tempfile::tempdir().unwrap();
    let named = Source::named(utf8(home.path()).join("nowhere"));
    let root = ao::read(&ao::Options { state_root: named.clone(), ..options(home.path()) }).unwrap_err();
    let config = ao::read(&ao::Options { config: named, ..options(home.path()) }).unwrap_err();
    assert!(matches!(root, ReadError::NamedMissing { .. }));
    assert!(root.to_string().starts_with("reading the legacy root ") && root.to_string().contains("nowhere"));
    assert!(config.to_string().starts_with("reading the legacy config "));
}

#[test]
fn a_path_that_was_named_and_is_of_the_wrong_kind_is_an_error() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("file"), "").unwrap();
    let file = Source::named(utf8(home.path()).join("file"));
    let folder = Source::named(utf8(home.path()));
    let root = ao::read(&ao::Options { state_root: file, ..options(home.path()) });
    let config = ao::read(&ao::Options { config: folder, ..options(home.path()) });
    assert!(matches!(root, Err(ReadError::NamedUnreadable { .. })));
    assert!(matches!(config, Err(ReadError::NamedUnreadable { .. })));
}

#[test]
fn a_folder_in_place_of_the_registry_is_one_input_that_cannot_be_read() {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir_all(home.path().join(".agent-orchestrator/config.yaml")).unwrap();
    let survey = read(home.path());
    assert!(matches!(&survey.found.config, Config::Unreadable { why, .. } if why.code == "unreadable"));
    assert_eq!(survey.inputs.len(), 1);
}

#[test]
fn git_is_asked_only_for_the_project_itself_not_for_a_repository_around_it() {
    let home = tempfile::tempdir().unwrap();
    let around = home.path().join("src");
    for folder in ["src/inside", "src/broken/.git", ".agent-orchestrator"] {
        fs::create_dir_all(home.path().join(folder)).unwrap();
    }
    let git = |arguments: &[&str]| {
        assert!(Command::new("git").arg("-C").arg(&around).args(arguments).status().unwrap().success());
    };
    git(&["init", "-q"]);
    git(&["remote", "add", "origin", "https://github.example/kim/around"]);
    let registry =
        "projects:\n  src: {path: ~/src}\n  inside: {path: ~/src/inside}\n  broken: {path: ~/src/broken}\n";
    fs::write(home.path().join(".agent-orchestrator/config.yaml"), registry).unwrap();
    let survey = read(home.path());
    let origin = |id: &str| survey.found.project(id).unwrap().registration().unwrap().git_origin.clone();
    assert_eq!(origin("src").as_deref(), Some("https://github.example/kim/around"));
    assert_eq!(origin("inside"), None);
    assert_eq!(origin("broken"), None);
}

#[test]
fn a_project_runs_with_its_own_settings_first_and_the_global_ones_where_it_has_none() {
    let home = tempfile::tempdir().unwrap();
    let put = |path: &str, text: &str| {
        let path = home.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    put(
        ".agent-orchestrator/config.yaml",
        "defaults: {runtime: tmux, agent: codex, worker: {agent: aider}}\nprojects:\n  own: {path: ~/own, repo: {owner: kim, \
         name: own}}\n  none: {path: ~/none}\n  bad: {path: ~/bad}\n",
    );
    put(
        "own/agent-orchestrator.yaml",
        "agent: opencode\nworker: {agentConfig: {model: opus}}\ntracker: {plugin: x}\n",
    );
    put("bad/agent-orchestrator.yaml", "agent: [");
    let found = read(home.path()).found;
    let effective = |id: &str| found.project(id).unwrap().registration().unwrap().effective(&found.defaults);
    let (own, none) = (effective("own").unwrap(), effective("none").unwrap());
    assert_eq!((own.agent.as_deref(), own.worker.agent.as_deref()), (Some("opencode"), Some("aider")));
    assert_eq!((own.runtime.as_deref(), own.workspace.as_deref()), (Some("tmux"), Some("worktree")));
    assert_eq!(own.worker.agent_config.model.as_deref(), Some("opus"));
    assert_eq!(own.also_set, ["tracker", "scm"]);
    assert_eq!((none.agent.as_deref(), none.also_set), (Some("codex"), Vec::new()));
    assert_eq!(effective("bad"), None);
    let nowhere = found.project("none").unwrap().registration().unwrap().effective(&ao::Defaults::default());
    assert_eq!(nowhere.unwrap().agent.as_deref(), Some("claude-code"));
}

#[test]
fn a_file_too_large_to_be_a_record_is_not_read_into_memory() {
    let home = tempfile::tempdir().unwrap();
    let sessions = home.path().join(".agent-orchestrator/projects/ledger/sessions");
    fs::create_dir_all(&sessions).unwrap();
    fs::File::create(sessions.join("led-1.json")).unwrap().set_len(1 << 40).unwrap();
    let survey = read(home.path());
    assert!(survey.found.sessions[0].record().is_none());
    assert_eq!(survey.found.sessions[0].layout, Layout::V2);
}

#[test]
fn sessions_keep_their_prefix_when_it_was_only_derived() {
    for (path, prefix) in [
        ("/src/billing-api", "ba"),
        ("/src/WebShop", "ws"),
        ("/src/ledger", "led"),
        ("/src/Abc", "abc"),
        ("/src/API", "api"),
        ("/src/my_big_app", "mba"),
        ("/src/one--two", "ot"),
        ("/src/one-two_three", "ot"),
        ("/src/étude", "étu"),
        ("/src/ABCdef-x", "abc"),
        ("/", ""),
    ] {
        assert_eq!(default_session_prefix(path.into()), prefix, "{path}");
    }
}

#[test]
fn a_session_prefix_of_blanks_is_none_and_the_orchestrator_keeps_its_id() {
    let home = tempfile::tempdir().unwrap();
    let root = home.path().join(".agent-orchestrator");
    fs::create_dir_all(root.join("projects/ledger")).unwrap();
    fs::write(root.join("config.yaml"), "projects:\n  ledger: {path: ~/src/ledger, sessionPrefix: ' '}\n")
        .unwrap();
    fs::write(root.join("projects/ledger/orchestrator.json"), r#"{"branch": "main"}"#).unwrap();
    let found = read(home.path()).found;
    assert_eq!(found.sessions[0].id, "led-orchestrator");
    assert_eq!(found.projects[0].registration().unwrap().session_prefix(), "led");
}
