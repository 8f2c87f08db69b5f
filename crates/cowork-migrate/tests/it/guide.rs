//! The guide is held true: what it shows is what happens, and every message has its line in it.

use std::path::PathBuf;

use serde_json::json;
use testkit::cowork::Session;

use crate::world::World;

/// What a run is called in the guide.
const RUN: &str = "20260131-174501-3f9a";

fn guide() -> PathBuf {
    testkit::guide::path(env!("CARGO_MANIFEST_DIR"), "cowork.md")
}

/// Both machines of the guide. They share the drive C here, and what is carried between them lies on E.
struct Machines(World);

impl Machines {
    fn new() -> Self {
        let members = json!({"title": "Sort the drafts", "vmProcessName": "calm-amber-noether",
            "processName": "calm-amber-noether", "cwd": "/sessions/calm-amber-noether"});
        let mut session = Session::numbered(0xa11c_e001).with(&members);
        session.vm = "calm-amber-noether".into();
        session.transcript = compacted();
        let world = World::new(session);
        world.lay_out_image(&[
            ("calm-amber-noether/notes/plan.md", "what only the machine had\n"),
            ("calm-amber-noether/.cache/x", "fetched again\n"),
        ]);
        Self(world)
    }

    /// What a machine answers to a command, as it would stand there.
    fn answer(&self, machine: &str, command: &str) -> String {
        let [cowork_migrate, words @ ..] = &*command.split(' ').collect::<Vec<_>>() else {
            panic!("{command}")
        };
        assert_eq!(*cowork_migrate, "cowork-migrate");
        if words.first() == Some(&"reapply") {
            self.0.first_load();
        }
        let user = if machine == "old" { "mira" } else { "otto" };
        let here = [
            "--base".to_owned(),
            self.0.base_of(user).display().to_string(),
            "--drive".to_owned(),
            format!("C:={}", self.0.disk().display()),
        ];
        let carry = self.0.path().join("carry").display().to_string();
        let words = words.iter().map(|word| word.replace(r"E:\carry", &carry).replace(RUN, ""));
        let words: Vec<String> = words.filter(|word| !word.is_empty()).chain(here.iter().cloned()).collect();
        let ended = self.0.run(&words);
        let text = format!("{}{}", ended.stdout, ended.stderr);
        let text = text.replace(&self.0.redacted(&format!(" {}", here.join(" "))), "");
        let told =
            text.replace("@RUN@", RUN).replace("@HERE@/carry", r"E:\carry").replace("@HERE@/c/", r"C:\");
        told.lines().flat_map(|line| [as_windows_spells(line), "\n".into()]).collect()
    }
}

/// A path of Windows has its separators, to the end.
fn as_windows_spells(line: &str) -> String {
    let mut is_path = false;
    let mut spelled = String::new();
    for next in line.chars() {
        is_path = spelled.ends_with(r":\") || is_path && !next.is_whitespace() && next != '`';
        spelled.push(if is_path && next == '/' { '\\' } else { next });
    }
    spelled
}

/// Two compactions, so that the oldest builds show only the end.
fn compacted() -> Vec<u8> {
    let uuid = |number: u32| format!("{number:08x}-0000-4000-8000-000000000000");
    let row = |number: u32| {
        let parent = (number > 1).then(|| uuid(number - 1));
        let kind = if number % 2 == 1 { "user" } else { "assistant" };
        match number {
            5 | 10 => json!({"type": "system", "subtype": "compact_boundary", "uuid": uuid(number),
                "parentUuid": null, "logicalParentUuid": parent, "compactMetadata": {"trigger": "auto"}}),
            _ => json!({"type": kind, "uuid": uuid(number), "parentUuid": parent, "isSidechain": false,
                "message": {"role": kind, "content": "[the plan](computer:///sessions/calm-amber-noether/notes/plan.md)"}}),
        }
    };
    (1..=12).flat_map(|number| format!("{}\n", row(number)).into_bytes()).collect()
}

#[test]
fn what_the_guide_shows_is_what_happens() {
    let machines = Machines::new();
    testkit::guide::assert_happens(&guide(), |line| {
        let (machine, command) =
            line.split_once("> ").filter(|(machine, _)| ["old", "new"].contains(machine))?;
        Some(machines.answer(machine, command))
    });
}

#[test]
fn every_message_has_its_line_in_the_guide() {
    testkit::guide::assert_complete(&guide(), env!("CARGO_MANIFEST_DIR"), &[], 60);
}
