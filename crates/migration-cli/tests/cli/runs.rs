//! Looking after the runs.

use migration_cli::{Exit, Terminals, Tool};

use crate::place::{MIGRATE, Place};
use crate::toy::{Options, Toy, Trouble};

#[test]
fn all_runs_are_listed_with_where_they_stand() {
    let mut place = Place::migrated();
    place.say("undo");
    place.say(MIGRATE);
    place.write("old/c", "third\n");
    place.troubled(Trouble::Disk, MIGRATE);
    std::fs::create_dir_all(place.path("state/runs/20270101-000000-0000")).unwrap();
    let said = place.say("runs --json");
    let states: Vec<_> =
        said.json()["items"].as_array().unwrap().iter().map(|run| run["state"].clone()).collect();
    assert_eq!(states, [serde_json::Value::Null, "undone".into(), "applied".into(), "interrupted".into()]);
    assert!(said.json()["items"][2]["counts"]["migrated"].is_u64());
    assert!(said.json()["items"][3]["counts"].is_null(), "what has not happened is not counted");
    assert_eq!((said.exit, place.say("runs list").exit), (Exit::Done, Exit::Done));
}

#[test]
fn a_run_is_shown_as_it_ended() {
    let place = Place::migrated();
    let said = place.say(&format!("runs show {} --json", place.run_id()));
    assert_eq!((said.exit, &said.json()["summary"]["migrated"]), (Exit::Done, &2.into()));
    assert_eq!(place.say("runs show 20200101-000000-0000").exit, Exit::Refused);
    assert_eq!(place.say("runs show yesterday").exit, Exit::Usage);
}

#[test]
fn a_run_is_forgotten_only_when_somebody_said_yes() {
    let mut place = Place::migrated();
    let forget = format!("runs forget {}", place.run_id());
    let before = place.everything();
    let unasked = place.say(&forget);
    assert_eq!(unasked.exit, Exit::Usage, "nobody is there to be asked");
    assert!(unasked.err.contains("--yes"), "{}", unasked.err);
    assert_eq!(place.say(&format!("{forget} --dry-run")).exit, Exit::Done);
    place.here.terminals = Terminals { stdin: true, stdout: true, stderr: true };
    for no in ["", "n\n", "nonsense\n"] {
        place.answer = no;
        assert_eq!(place.say(&forget).exit, Exit::Refused);
    }
    before.assert_same(&place.everything(), "not forgotten");
    place.answer = "y\n";
    let said = place.say(&forget);
    assert_eq!(said.exit, Exit::Done);
    assert!(said.err.contains("KiB") && said.err.contains("[y/N]"), "{}", said.err);
    assert!(place.runs().is_empty());
    assert_eq!(place.read("new/a"), "first\n", "what was migrated stays");
    assert_eq!(place.say("undo").exit, Exit::Done, "but cannot be undone");
    assert_eq!(place.read("new/a"), "first\n");
}

#[test]
fn what_a_run_has_set_aside_is_named_and_goes_only_with_it() {
    let place = Place::new(&[("a", "first\n"), ("b", "second\n")]);
    let said = place.say(&format!("{MIGRATE} --move"));
    assert_eq!(said.exit, Exit::Done, "{}", said.all());
    assert!(said.out.contains("2 things (13 bytes) set aside"), "{}", said.out);
    assert!(!place.path("old/a").exists());
    assert_eq!(place.say("undo").exit, Exit::Done);
    assert_eq!((place.read("old/a"), place.path("new/a").exists()), ("first\n".into(), false));

    place.say(&format!("{MIGRATE} --move"));
    let run = place.runs()[1].id.clone();
    assert_eq!(place.say(&format!("runs forget {run} --yes")).exit, Exit::Done);
    assert_eq!(place.world().names().join(" "), "new new/a new/b old");
}

#[test]
fn an_interrupted_run_is_not_forgotten() {
    let place = Place::interrupted();
    assert_eq!(place.say(&format!("runs forget {} --yes", place.run_id())).exit, Exit::Unfinished);
    let said = place.say("runs gc --older-than 0 --yes --json");
    assert_eq!((said.exit, place.runs().len()), (Exit::Done, 1));
    assert_eq!(said.json()["findings"][1]["code"], "left");
}

#[test]
fn gc_forgets_what_ended_long_ago_and_nothing_else() {
    let place = Place::migrated();
    place.say("undo");
    place.say(MIGRATE);
    assert_eq!(place.say("runs gc --older-than 1 --yes").exit, Exit::Done);
    assert_eq!(place.runs().len(), 2, "they are of today");
    let said = place.say("runs gc --older-than 0 --yes --json");
    assert_eq!(said.exit, Exit::Done);
    assert_eq!(said.json()["items"][0]["forgotten"], true);
    assert_eq!(place.runs().len(), 0);
}

/// The same tool under another name.
struct Other(Toy);

impl Tool for Other {
    type Options = Options;
    type Verb = migration_cli::NoVerbs;
    type Step = <Toy as Tool>::Step;
    type Worlds = <Toy as Tool>::Worlds;

    const NAME: &'static str = "other-tool";
    const VERSION: &'static str = "9.9.9";
    const ABOUT: &'static str = "Another tool.";

    fn targets(
        &self,
        migration_cli::Ask { options, root, .. }: migration_cli::Ask<'_, Self>,
        here: &migration_cli::Surroundings,
    ) -> Result<Vec<durable_files::PathText>, migration_cli::Refusal> {
        self.0.targets(migration_cli::Ask { options, verb: None, root, json: false }, here)
    }

    fn prepare(
        &self,
        migration_cli::Ask { options, root, .. }: migration_cli::Ask<'_, Self>,
        mode: migration_cli::Mode,
        here: &migration_cli::Surroundings,
        cx: &migration_engine::Cx<'_>,
    ) -> Result<migration_cli::Prepared<Self>, migration_cli::Refusal> {
        let migration_cli::Prepared { plan, worlds } =
            self.0.prepare(migration_cli::Ask { options, verb: None, root, json: false }, mode, here, cx)?;
        Ok(migration_cli::Prepared { plan, worlds })
    }

    fn worlds(
        &self,
        header: &migration_engine::Header,
        run_dir: &std::path::Path,
        options: &Options,
        purpose: migration_cli::Purpose,
        here: &migration_cli::Surroundings,
    ) -> Result<Self::Worlds, migration_cli::Refusal> {
        self.0.worlds(header, run_dir, options, purpose, here)
    }
}

#[test]
fn the_runs_of_another_tool_are_listed_and_left_to_it() {
    let place = Place::migrated();
    let other = Other(Toy::default());
    let run = place.run_id();
    assert!(place.say_to(&other, "runs").out.contains("copy-folder"));
    for verb in ["undo", "resume", "verify", "runs forget"] {
        let said = place.say_to(&other, &format!("{verb} {run} --yes"));
        assert_eq!(said.exit, Exit::Refused, "{verb}: {}", said.out);
        assert!(said.err.contains("copy-folder"), "{}", said.err);
    }
    assert_eq!(place.say_to(&other, "undo").exit, Exit::Done, "none of its own");
    assert!(place.path("new/a").exists());
    // but nobody begins over an interrupted run, whoever made it
    let place = Place::interrupted();
    let said = place.say_to(&other, MIGRATE);
    assert_eq!(said.exit, Exit::Unfinished);
    assert!(said.err.contains("`copy-folder resume "), "{}", said.err);
}
