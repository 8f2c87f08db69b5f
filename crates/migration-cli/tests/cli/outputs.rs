//! Streams that are not what one hopes for.

use std::io::{Error, ErrorKind, Write};

use migration_cli::{Exit, Terminals};

use crate::place::{MIGRATE, Place};
use crate::toy::Toy;

/// A stream on which every write fails.
pub(crate) struct Broken(pub(crate) ErrorKind);

impl Write for Broken {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        Err(Error::from(self.0))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_reader_who_has_gone_away_is_not_an_error() {
    let place = Place::new(&[("a", "first\n")]);
    let mut err = Vec::new();
    let exit = place.say_into(&Toy::default(), MIGRATE, &mut Broken(ErrorKind::BrokenPipe), &mut err);
    assert_eq!((exit, String::from_utf8(err).unwrap()), (Exit::Done, String::new()));
    assert_eq!(place.read("new/a"), "first\n");
}

#[test]
fn a_report_that_cannot_be_written_is_not_passed_over() {
    let place = Place::new(&[("a", "first\n")]);
    let mut err = Vec::new();
    let exit = place.say_into(&Toy::default(), MIGRATE, &mut Broken(ErrorKind::StorageFull), &mut err);
    assert_eq!(exit, Exit::Failed);
    assert!(String::from_utf8(err).unwrap().contains("cannot write to standard output"));
}

#[test]
fn errors_never_reach_standard_output_and_reports_never_standard_error() {
    let place = Place::new(&[("a", "first\n")]);
    let refused = place.say("--from nowhere --to new");
    assert!(refused.out.is_empty() && refused.err.starts_with("error: "), "{}", refused.all());
    let done = place.say(MIGRATE);
    assert!(done.err.is_empty() && done.out.starts_with("copy-folder 0.1.0"), "{}", done.all());
}

#[test]
fn colour_is_for_terminals_that_want_it() {
    let mut place = Place::new(&[("a.bad", "")]);
    let colored =
        |place: &Place, how: &str| place.say(&format!("{MIGRATE} --dry-run {how}")).out.contains('\x1b');
    assert!(!colored(&place, "") && colored(&place, "--color always"));
    place.here.terminals = Terminals { stdout: true, ..Terminals::default() };
    assert!(colored(&place, "") && !colored(&place, "--color never"));
    place.here.env.insert("NO_COLOR".into(), "1".into());
    assert!(!colored(&place, "") && colored(&place, "--color always"));
    let help = |how: &str| place.say(&format!("--help {how}")).out.contains('\x1b');
    assert!(!help("") && !help("--color never"));
}

#[test]
fn no_name_reaches_the_terminal_as_it_is() {
    let name = "evil\x1b]0;owned\x07\u{202e}\n.bad";
    let place = Place::new(&[(name, "x"), ("red\x1b[31m", ""), ("it's", "y")]);
    let before = place.world();
    for line in [MIGRATE, "--from old --to new --verbose", "verify --verbose", "runs", "undo --verbose"] {
        for how in ["", " --json"] {
            let said = place.say(&format!("{line}{how}"));
            let printed = format!("{}{}", said.out, said.err);
            let raw = printed.chars().find(|c| (c.is_control() && *c != '\n') || *c == '\u{202e}');
            assert_eq!(raw, None, "{line}{how}: {printed}");
            if how.is_empty() && line.contains("old --to new --verbose") {
                assert!(printed.contains(r"evil\u{1b}]0;owned\u{7}\u{202e}\u{a}.bad"), "{printed}");
                assert!(printed.contains(r"/new/red\033[31m'"), "{printed}");
            }
        }
    }
    before.assert_same(&place.world(), "undone");
}

#[test]
fn the_json_of_a_hostile_name_is_that_name() {
    let name = "evil\u{9b}\u{7f}\u{202e}";
    let place = Place::new(&[(name, "x")]);
    let document = place.say(&format!("{MIGRATE} --dry-run --json")).json();
    assert_eq!(document["items"][0]["id"], name);
}
