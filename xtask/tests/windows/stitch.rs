//! `cowork-stitch.exe` on transcripts of a Windows disk.

use std::path::PathBuf;
use std::time::{Duration, UNIX_EPOCH};

use testkit::long_session::{self, Shape};
use testkit::tree::Tree;

use crate::machine::{Holder, Machine};

pub(crate) const TOOL: &str = "cowork-stitch";
const SHORT: Shape = Shape { compactions: 3, turns: 2, text: 100, branches: false, last_turns: 2 };

/// A transcript on a machine's second disk.
pub(crate) struct Transcript {
    pub(crate) machine: Machine,
    /// What the machine calls it.
    pub(crate) name: String,
    file: PathBuf,
}

impl Transcript {
    pub(crate) fn at(name: &str) -> Self {
        let machine = Machine::new();
        let file = machine.disk(name);
        let transcript = Self { machine, name: name.to_owned(), file };
        transcript.write(SHORT);
        transcript
    }

    /// Writes it anew, alone in its folder.
    fn write(&self, shape: Shape) {
        let folder = self.file.parent().unwrap();
        let _ = std::fs::remove_dir_all(folder);
        std::fs::create_dir_all(folder).unwrap();
        let new = std::fs::File::create(&self.file).unwrap();
        long_session::write(shape, std::io::BufWriter::new(&new)).unwrap();
        // Windows counts time in tenths of a microsecond.
        new.set_modified(UNIX_EPOCH + Duration::from_nanos(1_768_896_000_123_456_700)).unwrap();
    }

    /// The same without any run that has been there.
    pub(crate) fn begin_again(&self) {
        self.machine.forget_runs();
        self.write(SHORT);
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        std::fs::read(&self.file).unwrap()
    }

    fn tree(&self) -> Tree {
        Tree::of(&self.machine.disk("D:\\"))
    }

    /// What it is and what stands beside it, which is nothing.
    pub(crate) fn alone(&self, when: &str) -> Vec<u8> {
        let names: Vec<_> = std::fs::read_dir(self.file.parent().unwrap()).unwrap().flatten().collect();
        assert_eq!(names.len(), 1, "{when}: {names:?}");
        self.bytes()
    }

    #[track_caller]
    fn say(&self, code: i32, words: &[&str]) -> String {
        let words: Vec<&str> = words.iter().copied().chain([self.name.as_str()]).collect();
        let ended = self.machine.expect(code, TOOL, &words);
        ended.stdout + &ended.stderr
    }
}

#[test]
fn a_transcript_is_checked_stitched_unstitched_and_brought_back_by_undo() {
    let long = r"D:\größe 日本\".to_owned() + &[r"a folder whose name is forty letters long\"; 6].concat();
    for name in [r"D:\Sessions\3f6c2f5e.jsonl", &(long + "3f6c2f5e.jsonl")] {
        let transcript = Transcript::at(name);
        let before = transcript.tree();
        let told = transcript.say(5, &["check"]);
        assert!(told.contains(name), "{told}");
        transcript.say(0, &["--backup", r"D:\backup"]);
        transcript.say(0, &["check"]);
        let stitched = transcript.alone("stitched");
        assert!(transcript.say(0, &[]).contains("nothing left to do"));

        transcript.say(0, &["unstitch"]);
        transcript.machine.expect(0, TOOL, &["undo"]);
        assert!(transcript.alone("the unstitch undone") == stitched);
        transcript.machine.expect(0, TOOL, &["verify"]);
        transcript.machine.expect(0, TOOL, &["undo"]);
        before.assert_same(&transcript.tree(), "undone");
        assert_eq!(transcript.machine.kept("locks"), 0, "locks are not left lying about");
    }
}

#[test]
fn a_transcript_is_found_in_whatever_way_windows_lets_it_be_named() {
    let mut transcript = Transcript::at(r"D:\Sessions\3f6c2f5e.jsonl");
    let before = transcript.bytes();
    for name in [
        "d:/sessions/3F6C2F5E.JSONL",
        r"\\?\D:\Sessions\3f6c2f5e.jsonl",
        r"D:\x\..\Sessions\.\3f6c2f5e.jsonl",
    ] {
        transcript.name = name.to_owned();
        transcript.say(0, &[]);
        assert!(transcript.alone(name) != before, "{name}");
        transcript.say(0, &["unstitch"]);
        assert!(transcript.alone(name) == before, "{name}");
    }
}

#[test]
fn what_another_program_keeps_to_itself_is_neither_read_nor_written() {
    let transcript = Transcript::at(r"D:\Sessions\3f6c2f5e.jsonl");
    let before = transcript.tree();
    let holder = Holder::of(&transcript.machine, &transcript.name);
    for words in [&["check"][..], &[], &["unstitch"]] {
        let told = transcript.say(4, words);
        assert!(told.contains("another program") && told.contains("hint: quit"), "{words:?}: {told}");
    }
    drop(holder);
    before.assert_same(&transcript.tree(), "refused");
    transcript.say(0, &[]);
}

#[test]
fn a_second_run_on_the_same_folder_is_refused_while_the_first_is_at_work() {
    let transcript = Transcript::at(r"D:\Sessions\3f6c2f5e.jsonl");
    transcript.write(Shape { text: 2_000_000, ..SHORT });
    let words = [transcript.name.as_str()];
    let first = transcript.machine.start(TOOL, &words);
    let first = first.stopped_when(|| transcript.machine.kept("runs") > 0);
    let told = transcript.say(4, &["--state-dir", r"D:\other"]);
    assert!(told.contains("locked by another process"), "{told}");
    assert_eq!(first.go_on().code, Some(0));
    transcript.say(0, &["check"]);
}

#[test]
fn a_transcript_may_not_be_given_by_the_name_of_a_device() {
    let transcript = Transcript::at(r"D:\Sessions\3f6c2f5e.jsonl");
    for name in ["NUL", r"D:\Sessions\CON", r"\\.\COM1", r"D:\Sessions\what?.jsonl"] {
        let ended = transcript.machine.run(TOOL, &["check", name]);
        assert_eq!(ended.code, Some(4), "{name}: {ended:?}");
    }
}
