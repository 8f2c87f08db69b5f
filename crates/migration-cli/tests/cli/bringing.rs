//! What was brought from elsewhere, and the runs that need it.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::time::{Duration, SystemTime};

use migration_cli::{Exit, Streams, Terminals, Tool, run};

use crate::place::Place;
use crate::toy::Toy;

/// Somebody who does something else first, and then says yes.
struct Slow<F>(Option<F>, BufReader<&'static [u8]>);

impl<F: FnOnce()> Read for Slow<F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.1.read(buffer)
    }
}

impl<F: FnOnce()> BufRead for Slow<F> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if let Some(first) = self.0.take() {
            first();
        }
        self.1.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.1.consume(amount);
    }
}

/// Two files, brought for runs.
fn brought() -> Place {
    let mut place = Place::new(&[]);
    std::fs::create_dir_all(place.path("state/brought/it")).unwrap();
    for name in ["a", "b"] {
        place.write(&format!("state/brought/it/{name}"), name);
    }
    grow_old(&place);
    place.here.terminals = Terminals { stdin: true, stdout: true, stderr: true };
    place
}

fn grow_old(place: &Place) {
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    File::open(place.path("state/brought/it")).unwrap().set_modified(long_ago).unwrap();
}

/// Types a command that is answered with yes after something else was typed elsewhere.
fn say_while(place: &Place, line: &str, meanwhile: &str) -> String {
    let mut stdin =
        Slow(Some(|| assert_eq!(place.say(meanwhile).exit, Exit::Done)), BufReader::new(b"y\n".as_slice()));
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut streams = Streams { stdin: &mut stdin, stdout: &mut out, stderr: &mut err };
    let args = std::iter::once(Toy::NAME).chain(line.split(' ')).map(Into::into);
    assert_eq!(run(&Toy::default(), args, &place.here, &mut streams), Exit::Done);
    String::from_utf8(out).unwrap()
}

const FIRST: &str = "--from state/brought/it --to new --only a";
const SECOND: &str = "--from state/brought/it --to new --only b";

#[test]
fn what_a_run_began_to_need_while_somebody_was_asked_stays() {
    let place = brought();
    let out = say_while(&place, "runs gc --older-than 1", FIRST);
    assert!(place.path("state/brought/it").exists() && out.contains("a run needs it by now"), "{out}");
    let out = say_while(&place, &format!("runs forget {}", place.run_id()), SECOND);
    assert!(place.path("state/brought/it").exists() && out.contains("a run needs it by now"), "{out}");
    place.say(&format!("runs forget {} --yes", place.run_id()));
    assert!(!place.path("state/brought/it").exists(), "nothing needs it any more");
}

#[test]
fn what_may_be_needed_by_a_run_that_does_not_say_stays() {
    let place = brought();
    place.write("state/brought/it/unsaid", "");
    assert_eq!(place.say(FIRST).exit, Exit::Done);
    grow_old(&place);
    let said = place.say("runs gc --older-than 1 --yes");
    assert!(place.path("state/brought/it").exists(), "{}", said.all());
}
