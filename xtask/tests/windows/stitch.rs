//! `cowork-stitch.exe` on transcripts of a Windows disk.

use std::path::{Path, PathBuf};

use testkit::long_session::{self, Shape};
use testkit::tree::Tree;

use crate::machine::Machine;

const TOOL: &str = "cowork-stitch";
const SHORT: Shape = Shape { compactions: 3, turns: 2, text: 100, branches: false };

/// Writes a session to a place of the machine, making the folders on the way.
fn session(machine: &Machine, path: &str) -> PathBuf {
    let file = machine.disk(path);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    let new = std::fs::File::create(&file).unwrap();
    long_session::write(SHORT, std::io::BufWriter::new(&new)).unwrap();
    // Windows counts time in tenths of a microsecond.
    new.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_nanos(1_768_896_000_123_456_700))
        .unwrap();
    file
}

fn names_beside(file: &Path) -> usize {
    std::fs::read_dir(file.parent().unwrap()).unwrap().count()
}

#[test]
fn a_transcript_is_checked_stitched_unstitched_and_brought_back_by_undo() {
    let machine = Machine::new();
    let path = r"D:\Sessions\größe 日本\3f6c2f5e.jsonl";
    let file = session(&machine, path);
    let before = Tree::of(&machine.disk(r"D:\"));

    let cut = machine.expect(5, TOOL, &["check", path]);
    assert!(cut.stdout.contains(path), "{}", cut.stdout);
    machine.expect(0, TOOL, &[path]);
    machine.expect(0, TOOL, &["check", path]);
    assert_eq!(names_beside(&file), 1);
    let stitched = std::fs::read(&file).unwrap();
    assert!(machine.expect(0, TOOL, &[path]).stdout.contains("nothing left to do"));

    machine.expect(0, TOOL, &["unstitch", path]);
    before.assert_same(&Tree::of(&machine.disk(r"D:\")), "unstitched");
    machine.expect(0, TOOL, &["undo"]);
    assert!(std::fs::read(&file).unwrap() == stitched, "an unstitch is undone");
    machine.expect(0, TOOL, &["verify"]);
    machine.expect(0, TOOL, &["undo"]);
    before.assert_same(&Tree::of(&machine.disk(r"D:\")), "undone");
}
