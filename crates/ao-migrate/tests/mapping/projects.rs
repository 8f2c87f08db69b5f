//! Entries of the registry become rows of `projects`.

use legacy_readers::ao::{
    AgentConfig, Behaviour, Config, Defaults, Entry, Local, Preference, Repo, Role, Stamp,
};
use serde_json::{Value, json};
use session_model::{Anomaly, InputId, Level};

use crate::home::{Home, anomaly, bucket, codes, config, message};

fn config_of(home: &Home) -> Value {
    config(&home.first_project().row.expect("a row"))
}

fn with_permissions(permissions: &str) -> AgentConfig {
    AgentConfig { permissions: Some(permissions.into()), ..AgentConfig::default() }
}

#[test]
fn only_ids_that_the_daemon_takes_go_in() {
    for id in ["ledger", "a", "7", "web_shop.v2", "A-1", "x."] {
        assert_eq!(bucket(&Home::new().project(id, |_| {}).first_project().outcome), "migrated", "{id}");
    }
    for id in ["", ".", "..", "-x", "_x", ".x", "a..b", "a/b", "a\\b", "a b", "zoë", "a\n"] {
        let home = Home::new().project(id, |_| {}).session(id, "led-1", |_| {});
        assert_eq!(bucket(&home.first_project().outcome), "quarantined(invalid-project-id)", "{id:?}");
        assert_eq!(bucket(&home.first_session().outcome), "quarantined(invalid-project-id)", "{id:?}");
    }
}

#[test]
fn an_agent_is_never_given_more_permissions_than_it_had() {
    for (old, new) in [
        ("permissionless", "bypass-permissions"),
        ("skip", "bypass-permissions"),
        ("auto-edit", "accept-edits"),
        ("default", "default"),
        ("suggest", "default"),
        ("Permissionless", "default"),
        ("", "default"),
    ] {
        let home = Home::new()
            .behaviour("x", Behaviour { agent_config: with_permissions(old), ..Behaviour::default() });
        assert_eq!(config_of(&home)["agentConfig"], json!({ "permissions": new }), "{old:?}");
        let is_lossy = codes(&home.first_project().findings).contains(&"permission-lossy");
        assert_eq!(is_lossy, ["suggest", "Permissionless", ""].contains(&old), "{old:?}");
    }
    assert_eq!(
        config_of(&Home::new().project("x", |_| {}))["agentConfig"]["permissions"],
        "bypass-permissions"
    );
}

#[test]
fn a_role_keeps_its_agent_and_has_no_default_permissions() {
    let role = |agent: &str, permissions: Option<&str>| Role {
        agent: Some(agent.into()),
        agent_config: AgentConfig {
            permissions: permissions.map(str::to_owned),
            model: Some("large".into()),
            ..AgentConfig::default()
        },
    };
    let home = Home::new().behaviour(
        "x",
        Behaviour {
            worker: role("kimi", Some("suggest")),
            orchestrator: role("hal", None),
            ..Behaviour::default()
        },
    );
    let config = config_of(&home);
    assert_eq!(
        config["worker"],
        json!({ "agent": "kimi", "agentConfig": { "model": "large", "permissions": "default" } })
    );
    assert_eq!(config["orchestrator"], json!({ "agentConfig": { "model": "large" } }));
    let findings = home.first_project().findings;
    assert!(message(&findings, "permission-lossy").contains("\"suggest\" (worker)"));
    assert!(message(&findings, "role-agent-dropped").contains("\"hal\" (orchestrator)"));
}

#[test]
fn the_daemon_of_schema_19_is_told_the_agent_that_it_insists_on() {
    let agent = |agent: &str| Behaviour { agent: Some(agent.into()), ..Behaviour::default() };
    let roles = |schema, behaviour| {
        let config = config_of(&Home { schema, ..Home::new().behaviour("x", behaviour) });
        (config["worker"]["agent"].clone(), config["orchestrator"]["agent"].clone())
    };
    assert_eq!(roles(18, Behaviour::default()), (Value::Null, Value::Null));
    assert_eq!(roles(19, Behaviour::default()), (json!("claude-code"), json!("claude-code")));
    assert_eq!(roles(19, agent("codex")), (json!("codex"), json!("codex")));
    assert_eq!(roles(19, agent("hal")), (Value::Null, Value::Null));
    let worker = Role { agent: Some("aider".into()), ..Role::default() };
    assert_eq!(
        roles(19, Behaviour { worker, ..Behaviour::default() }),
        (json!("aider"), json!("claude-code"))
    );
}

#[test]
fn only_a_branch_other_than_main_is_named() {
    let branch = |branch: Option<&str>| {
        config_of(&Home::new().project("x", |entry| entry.default_branch = branch.map(str::to_owned)))
            ["defaultBranch"]
            .clone()
    };
    assert_eq!(branch(None), Value::Null);
    assert_eq!(branch(Some("main")), Value::Null);
    assert_eq!(branch(Some("trunk")), "trunk");
}

#[test]
fn sessions_keep_their_prefix_if_the_daemon_takes_it() {
    let prefix = |prefix: Option<&str>| {
        let home =
            Home::new().project("billing-api", |entry| entry.session_prefix = prefix.map(str::to_owned));
        (config_of(&home)["sessionPrefix"].clone(), home.first_project().findings)
    };
    assert_eq!(prefix(None).0, "ba");
    assert_eq!(prefix(Some(" ")).0, "ba");
    assert_eq!(prefix(Some("bill")).0, "bill");
    assert_eq!(prefix(Some("b.i")).0, "b.i");
    for refused in ["a/b", "a\\b", ".", "..", "a..b"] {
        let (prefix, findings) = prefix(Some(refused));
        assert_eq!(prefix, Value::Null, "{refused}");
        assert!(codes(&findings).contains(&"prefix-dropped"), "{refused}");
    }
}

#[test]
fn env_and_commands_go_verbatim_and_symlinks_stay_inside() {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let outside = ["/etc/passwd", "a/../../b", "..", "\\\\host\\x", "C:\\x", "a\\..\\b", ""];
    let home = Home::new().behaviour(
        "x",
        Behaviour {
            env: vec![("B".into(), "2".into()), ("A".into(), " ü\n".into()), ("E".into(), String::new())],
            symlinks: texts(&[&["node_modules", "a/..b"][..], &outside].concat()),
            post_create: texts(&["pnpm install && true", ""]),
            ..Behaviour::default()
        },
    );
    let config = config_of(&home);
    assert_eq!(config["env"].to_string(), r#"{"B":"2","A":" ü\n","E":""}"#);
    assert_eq!(config["symlinks"], json!(["node_modules", "a/..b"]));
    assert_eq!(config["postCreate"], json!(["pnpm install && true", ""]));
    let dropped = home.first_project().findings;
    assert_eq!(dropped.iter().filter(|finding| finding.code == "symlink-dropped").count(), outside.len());
}

#[test]
fn empty_parts_are_left_out() {
    let row = Home::with_ledger().first_project().row.unwrap();
    assert_eq!(
        row.config.as_deref(),
        Some(r#"{"sessionPrefix":"led","agentConfig":{"permissions":"bypass-permissions"}}"#)
    );
}

#[test]
fn what_is_dropped_is_named_in_one_order() {
    let set = |keys: &[&str]| Behaviour {
        also_set: keys.iter().map(|key| (*key).to_owned()).collect(),
        ..Behaviour::default()
    };
    let dropped = |behaviour| Home::new().behaviour("x", behaviour).first_project().findings;
    let fields = |behaviour| message(&dropped(behaviour), "fields-dropped").to_owned();
    assert!(fields(set(&[])).ends_with(": runtime, workspace"));
    let all = ["reactions", "orchestratorRules", "agentRules", "scm", "tracker"];
    assert!(fields(set(&all)).ends_with(": tracker, scm, rules, runtime, workspace, reactions"));
    let repo = Repo { owner: Some("kim".into()), name: Some("x".into()), ..Repo::default() };
    let home = Home::new().project("x", |entry| entry.repo = Some(repo));
    assert!(message(&home.first_project().findings, "fields-dropped").contains("tracker, scm, runtime"));
}

#[test]
fn no_setting_is_dropped_in_silence() {
    let behaviour = Behaviour {
        agent: Some("codex".into()),
        agent_config: AgentConfig {
            orchestrator_model: Some("large".into()),
            other_keys: vec!["temperature".into()],
            ..AgentConfig::default()
        },
        also_set: vec!["orchestratorSessionStrategy".into(), "decomposer".into()],
        unknown_keys: vec!["color".into()],
        ..Behaviour::default()
    };
    let home = Home::new().behaviour("x", behaviour);
    let findings = home.first_project().findings;
    for code in ["project-agent-dropped", "orchestrator-model-dropped", "session-strategy-dropped"] {
        let level = findings.iter().find(|finding| finding.code == code).map(|finding| finding.level);
        assert_eq!(level, Some(Level::Warning), "{code}");
    }
    assert!(
        message(&findings, "other-dropped").ends_with(": agentConfig.temperature, decomposer, color"),
        "{findings:?}"
    );
    let mut home = home.project("y", |entry| {
        entry.preference = Preference { enabled: Some(true), display_name: None };
    });
    home.legacy.defaults = Defaults { also_set: vec!["port".into()], ..Defaults::default() };
    let mapped = home.map();
    assert!(message(&mapped.projects[1].findings, "other-dropped").contains("enabled"));
    assert!(message(&mapped.findings, "other-dropped").ends_with(": port"));
}

#[test]
fn the_agent_of_a_project_is_no_loss_where_its_roles_are_given_it() {
    let behaviour = Behaviour { agent: Some("codex".into()), ..Behaviour::default() };
    let home = Home { schema: 19, ..Home::new().behaviour("x", behaviour) };
    assert!(!codes(&home.first_project().findings).contains(&"project-agent-dropped"));
}

#[test]
fn a_display_name_is_the_users_own_and_never_just_the_id() {
    let name = |preference: Option<&str>, registry: Option<&str>| {
        let home = Home::new().project("x", |entry| {
            entry.preference.display_name = preference.map(str::to_owned);
            entry.display_name = registry.map(str::to_owned);
        });
        home.first_project().row.unwrap().display_name
    };
    assert_eq!(name(Some("Ledger ✦"), Some("Books")), "Ledger ✦");
    assert_eq!(name(None, Some("Books")), "Books");
    assert_eq!(name(Some(""), Some("Books")), "Books");
    assert_eq!(name(Some("x"), Some("Books")), "");
    assert_eq!(name(None, None), "");
}

#[test]
fn the_time_of_registration_has_three_sources_and_is_never_now() {
    let at = |added_at: Option<&str>, registered_at: Stamp| {
        let home = Home::new().project("x", |entry| {
            entry.added_at = added_at.map(str::to_owned);
            entry.registered_at = registered_at;
        });
        let project = home.first_project();
        (project.row.unwrap().registered_at, codes(&project.findings).contains(&"time-invalid"))
    };
    let seconds = Stamp::At("2026-02-02T02:40:00Z".parse().unwrap());
    assert_eq!(
        at(Some("2026-01-11T08:45:00.2509+01:00"), seconds),
        ("2026-01-11T07:45:00.250Z".into(), false)
    );
    assert_eq!(at(Some("1770000000"), seconds), ("2026-02-02T02:40:00.000Z".into(), true));
    assert_eq!(at(None, seconds), ("2026-02-02T02:40:00.000Z".into(), false));
    assert_eq!(at(None, Stamp::Invalid), (crate::home::MTIME.into(), true));
    assert_eq!(at(None, Stamp::Absent), (crate::home::MTIME.into(), false));
}

#[test]
fn the_origin_is_what_git_says_else_what_the_registry_says() {
    let origin = |git: Option<&str>, registry: Option<&str>| {
        let home = Home::new().project("x", |entry| {
            entry.git_origin = git.map(str::to_owned);
            entry.repo = Some(Repo { origin_url: registry.map(str::to_owned), ..Repo::default() });
        });
        home.first_project().row.unwrap().repo_origin_url
    };
    assert_eq!(origin(Some("git@host:x"), Some("https://host/x")), "git@host:x");
    assert_eq!(origin(None, Some("https://host/x")), "https://host/x");
    assert_eq!(origin(None, None), "");
}

#[test]
fn a_degraded_project_stays_out_with_its_sessions_and_harms_no_other() {
    let home = Home::new()
        .project("x", |entry| entry.local = Local::Degraded(anomaly("project-degraded", 3)))
        .entry("y", Entry::Quarantined(anomaly("parse-error", 9)))
        .project("z", |_| {})
        .session("x", "x-1", |_| {})
        .session("y", "y-1", |_| {})
        .session("z", "z-1", |_| {});
    let mapped = home.map();
    let projects: Vec<String> = mapped.projects.iter().map(|project| bucket(&project.outcome)).collect();
    assert_eq!(projects, ["quarantined(project-degraded)", "quarantined(parse-error)", "migrated"]);
    assert_eq!(codes(&mapped.projects[0].findings), ["degraded"]);
    let sessions = crate::home::buckets(&mapped);
    assert_eq!(sessions, ["quarantined(project-degraded)", "quarantined(project-degraded)", "migrated"]);
    assert!(mapped.sessions[0].outcome.detail.as_ref().unwrap().contains("agent-orchestrator.yaml:3"));
}

#[test]
fn an_unreadable_registry_is_one_quarantined_input() {
    let mut home = Home::new();
    let input = InputId::new("project", "/c.yaml");
    let why = Anomaly::new("parse-error", "expected a map");
    home.legacy.config = Config::Unreadable { input: input.clone(), why };
    let project =
        home.file(crate::home::unknown("x"), "x-1", legacy_readers::ao::Content::Record(Box::default()));
    let mapped = project.map();
    assert_eq!(mapped.projects[0].input, input);
    assert_eq!(bucket(&mapped.projects[0].outcome), "quarantined(parse-error)");
    assert_eq!(crate::home::buckets(&mapped), ["quarantined(unknown-project)"]);
}

#[test]
fn two_projects_of_one_path_are_pointed_out() {
    let shared = |entry: &mut legacy_readers::ao::Registration| entry.path = "/src/shared".into();
    let home = Home::new().project("x", shared).project("y", shared).project("z", |_| {});
    let mapped = home.map();
    assert!(message(&mapped.projects[0].findings, "same-path").ends_with(": y"));
    assert!(message(&mapped.projects[1].findings, "same-path").ends_with(": x"));
    assert!(!codes(&mapped.projects[2].findings).contains(&"same-path"));
    let alone = Home {
        existing: crate::home::after(&mapped, ao_migrate::mapping::Existing::default()),
        ..Home::new()
    };
    let alone = alone.project("w", shared);
    assert!(message(&alone.first_project().findings, "same-path").ends_with(": x, y"));
}
