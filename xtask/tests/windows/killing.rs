//! The tools killed before requests to Windows that name a file, and before writes: whatever is left is
//! finished by `resume` and taken back by `undo`.

use testkit::cowork::Session;
use testkit::crash::{Blow, Effect};

use crate::machine::Machine;
use crate::moving::{self, MIRA, Move};
use crate::stitch::{self, Transcript};

/// At how many effects a run is killed, at most. On Linux it is at each.
const STRIKES: usize = 50;

/// Some of the requests of a run that name something on the machine's disks, and of the writes: all over the run.
fn effects(machine: &Machine, tool: &str, words: &[&str]) -> Vec<Effect> {
    let effects = machine.program(tool, words).effects();
    let place = machine.place();
    let is_meant =
        |effect: &Effect| effect.is("writev", place) || effect.is("pwrite64", "") || effect.is("fsync", "");
    // Before the tool asks for something of its own, Windows starts it, which is not ours to try.
    let own = effects.into_iter().skip_while(|effect| !effect.is("writev", "rehome"));
    let meant: Vec<Effect> = own.filter(is_meant).collect();
    assert!(meant.len() > STRIKES, "only {} effects: the loop would prove little", meant.len());
    let apart = meant.len().div_ceil(STRIKES);
    meant.into_iter().step_by(apart).collect()
}

/// What was told to do something, killed, is told to again, and then what a person would type next.
fn finish(machine: &Machine, tool: &str, words: &[&str], when: &str) {
    match machine.run(tool, words) {
        ended if ended.code == Some(0) => {}
        ended if ended.code == Some(7) => drop(machine.expect(0, tool, &["resume"])),
        ended => panic!("{when}: {ended:?}"),
    }
}

#[test]
fn killed_at_any_request_of_a_stitch_the_transcript_is_whole() {
    let transcript = Transcript::at(r"D:\Sessions\3f6c2f5e.jsonl");
    let (machine, before) = (&transcript.machine, transcript.bytes());
    let words = [transcript.name.as_str()];
    let effects = effects(machine, stitch::TOOL, &words);
    let after = transcript.alone("stitched");
    for effect in effects {
        eprintln!(
            "{:?} {effect}",
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis()
                % 1_000_000
        );
        transcript.begin_again();
        machine.program(stitch::TOOL, &words).run_struck(&effect, Blow::Kill);
        let found = transcript.bytes();
        assert!(found == before || found == after, "killed at {effect}: neither the old thing nor the new");
        finish(machine, stitch::TOOL, &words, &format!("killed at {effect}"));
        assert!(transcript.alone(&format!("resumed after {effect}")) == after, "{effect}");
        machine.expect(0, stitch::TOOL, &["undo"]);
        assert!(transcript.alone(&format!("undone after {effect}")) == before, "{effect}");
    }
}

#[test]
fn killed_at_any_request_of_a_move_it_is_finished_or_taken_back() {
    let moving = Move::of(&Session::numbered(7));
    let (machine, before) = (&moving.machine, moving.tree());
    let words = ["--from", MIRA];
    let effects = effects(machine, moving::TOOL, &words);
    let after = moving.tree().without_times();
    machine.expect(0, moving::TOOL, &["undo"]);
    before.assert_same(&moving.tree(), "undone");
    for (number, effect) in effects.into_iter().enumerate() {
        machine.program(moving::TOOL, &words).run_struck(&effect, Blow::Kill);
        let when = format!("killed at {effect}");
        if number % 2 == 0 {
            finish(machine, moving::TOOL, &words, &when);
            after.assert_same(&moving.tree().without_times(), &when);
        }
        let undone = machine.run(moving::TOOL, &["undo"]);
        assert!(matches!(undone.code, Some(0 | 4)), "{when}: {undone:?}");
        before.assert_same(&moving.tree(), &when); // whether there was a run to take back or not
        machine.forget_runs();
    }
}
