//! A stitch, its undo and its unstitch, struck at every effect they have on the disk.

use testkit::crash::{Blow, Effect};

use crate::folder::{Folder, SHORT};

/// What the tool is told, and what it is told when it was told before.
const STITCH: &[&str] = &[];
const UNSTITCH: &[&str] = &["unstitch"];

/// A folder that is laid out again and again.
struct Struck {
    folder: Folder,
    before: Vec<u8>,
    after: Vec<u8>,
}

impl Struck {
    fn new() -> Self {
        let folder = Folder::in_memory(SHORT);
        let before = folder.bytes();
        folder.stitch(0, STITCH);
        let after = folder.bytes();
        assert_ne!(before, after);
        Self { folder, before, after }
    }

    fn words<'a>(transcript: &'a str, words: &[&'a str]) -> Vec<&'a str> {
        [words, &[transcript]].concat()
    }

    /// The effects of a command on a session that is stitched, or not yet.
    fn effects(&self, words: &[&str], stitched: bool) -> Vec<Effect> {
        self.begin_again(stitched);
        let transcript = self.folder.transcript();
        let effects = self.folder.tool(&Self::words(transcript.to_str().unwrap(), words)).effects();
        assert!(effects.len() > 15, "only {} effects: the loop would prove little", effects.len());
        effects
    }

    fn begin_again(&self, stitched: bool) {
        self.folder.begin_again(SHORT);
        if stitched {
            self.folder.stitch(0, STITCH);
        }
    }

    /// Strikes a command, then types what a person would type next, until the transcript is `there` and back.
    fn strike(&self, words: &[&str], stitched: bool, blow: Blow) {
        let (here, there) = if stitched { (&self.after, &self.before) } else { (&self.before, &self.after) };
        for effect in self.effects(words, stitched) {
            let when = format!("after {blow:?} at {effect}");
            self.begin_again(stitched);
            let transcript = self.folder.transcript();
            let command = Self::words(transcript.to_str().unwrap(), words);
            self.folder.tool(&command).run_struck(&effect, blow);
            let found = self.folder.bytes();
            assert!(found == *here || found == *there, "{when}: neither the old thing nor the new");

            let again = self.folder.tool(&command).run();
            match again.status.code() {
                Some(0) => {}
                Some(7) => drop(self.folder.expect(0, &["resume"])),
                Some(4) if stitched && found == *there => {} // it was taken back already
                code => panic!("{when}: exit {code:?}\n{}", String::from_utf8_lossy(&again.stderr)),
            }
            assert!(self.folder.bytes() == *there, "resumed {when}");
            self.only_the_transcript_is_left(&when);
            self.folder.expect(0, &["undo"]);
            assert!(self.folder.bytes() == *here, "undone {when}");
            self.only_the_transcript_is_left(&when);
        }
    }

    fn only_the_transcript_is_left(&self, when: &str) {
        let names: Vec<_> =
            std::fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names.len(), 1, "{when}: {names:?}");
    }
}

#[test]
fn killed_at_any_effect_of_a_stitch_the_transcript_is_whole() {
    Struck::new().strike(STITCH, false, Blow::Kill);
}

#[test]
fn a_full_disk_at_any_effect_of_a_stitch_leaves_the_transcript_whole() {
    Struck::new().strike(STITCH, false, Blow::Error("ENOSPC"));
}

#[test]
fn a_failing_disk_at_any_effect_of_a_stitch_leaves_the_transcript_whole() {
    Struck::new().strike(STITCH, false, Blow::Error("EIO"));
}

#[test]
fn killed_at_any_effect_of_an_unstitch_the_transcript_is_whole() {
    Struck::new().strike(UNSTITCH, true, Blow::Kill);
}
