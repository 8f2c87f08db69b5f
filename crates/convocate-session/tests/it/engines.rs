//! What runs is asked of whoever knows: the engine that was named, then and later, and that of an original agent's host.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use testkit::cluster::AGENTS;

use crate::place::uuid;
use crate::two::Two;

const A: &str = AGENTS[0];
const B: &str = AGENTS[1];

/// An engine that nobody finds who was not told of it, and what it says runs.
pub(crate) struct Engine(PathBuf);

impl Engine {
    pub(crate) const SAYS: &str = "--remote";

    /// It runs what it is said to run, but only once this folder is there.
    pub(crate) fn from(folder: &Path, appears: &Path) -> Self {
        let engine = Self(folder.to_owned());
        let (running, fails) = (engine.at("running"), engine.at("fails"));
        let text = format!(
            "#!/bin/sh\n[ \"$1\" = {} ] || exit 64\nshift\n[ ! -e {} ] || {{ echo 'no engine answers' >&2; exit 1; }}\n\
             case $1 in\nps) [ ! -d {} ] || cat {} ;;\ninspect) for last; do :; done; printf '{{\"Name\":\"/%s\"}}' \"$last\" ;;\nesac\n",
            Self::SAYS,
            fails.display(),
            appears.display(),
            running.display()
        );
        fs::write(&running, "").unwrap();
        fs::write(engine.program(), text).unwrap();
        fs::set_permissions(engine.program(), fs::Permissions::from_mode(0o755)).unwrap();
        engine
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.join(format!("engine-{name}"))
    }

    pub(crate) fn program(&self) -> PathBuf {
        self.at("program")
    }

    pub(crate) fn runs(&self, n: Option<usize>) {
        let name = n.map(|n| format!("convocate-session-{}\n", uuid(n))).unwrap_or_default();
        fs::write(self.at("running"), name).unwrap();
    }

    fn fails(&self, fails: bool) {
        let file = self.at("fails");
        if fails { fs::write(file, "") } else { fs::remove_file(file) }.unwrap();
    }
}

#[test]
fn the_engine_that_was_named_is_asked_whenever_the_run_is_gone_on_with_or_taken_back() {
    let two = Two::new();
    two.lay(2, 1, "left behind");
    two.lay(1, 2, "another");
    let before = two.all();
    // Whoever looks after it was delivered finds that it has been started here.
    let engine = Engine::from(two.cluster.folder(), &two.session(0, 1));
    engine.runs(Some(1));
    let program = engine.program().to_str().unwrap().to_owned();
    let named = ["--docker", &program, "--docker-argument", Engine::SAYS];
    two.says(5, &[&["move", "left behind", "--to", A], &named[..]].concat());
    let stays = two.tool(&["resume", "--json"]).run();
    assert!(two.session(2, 1).exists(), "{}", String::from_utf8_lossy(&stays.stdout));
    assert!(String::from_utf8_lossy(&stays.stdout).contains("source-runs"));
    engine.runs(None);
    two.says(0, &["resume"]);
    assert!(!two.session(2, 1).exists());
    two.says(0, &["undo"]);
    two.assert_same(&before, "undone");

    // Now the agent is this machine, and its engine is what tells whether a copy may be taken back.
    two.is_here(&two.cluster.registry().join(A), 0);
    let engine = Engine::from(two.cluster.folder(), &two.session(0, 2));
    two.says(0, &[&["move", "another", "--to", A], &named[..]].concat());
    engine.runs(Some(2));
    two.refuses("agent-runs-it", &["undo"]);
    engine.fails(true);
    two.refuses("containers", &["undo"]);
    engine.fails(false);
    engine.runs(None);
    two.says(0, &["undo"]);
    two.assert_same(&before, "undone");
}

#[test]
fn of_an_original_agent_the_engine_itself_is_asked_and_where_nobody_can_be_asked_that_is_said() {
    let two = Two::new();
    two.lay(0, 1, "one");
    two.is_original(0);
    let name = format!("convocate-session-{}", uuid(1));
    two.docker.container(&name, &[]);
    two.refuses("source-runs", &["move", &uuid(1), "--to", B]);
    two.docker.run(&["kill", &name]);
    let silent = two.says(0, &["move", &uuid(1), "--to", B]);
    assert!(!silent.out.contains("engine-not-asked"), "{}", silent.out);
    two.says(0, &["undo"]);

    fs::remove_file(two.cluster.agent(0).engine()).unwrap();
    let report = two.says(0, &["move", &uuid(1), "--to", B, "--json"]).document();
    let findings = report["items"][0]["findings"].as_array().unwrap();
    let told = findings.iter().filter(|finding| finding["code"] == "engine-not-asked").count();
    assert_eq!(told, 1, "{report}");
}
