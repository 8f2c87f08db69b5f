//! Verbs that do what no undo takes back, and those that have the streams to themselves.

use std::io::ErrorKind;
use std::path::Path;

use durable_files::PathText;
use migration_cli::{
    Ask, Deed, Exit, Listed, Listing, Mode, Prepared, Purpose, Question, Refusal, Signal, Streams,
    Surroundings, TakeOver, Terminals, Tool, Verbs, Words,
};
use migration_engine::{Cx, Header};

use crate::outputs::Broken;
use crate::place::{MIGRATE, Place, Said};
use crate::toy::{Options, Toy};

/// A bell that can be thrown away, and that says what it hears.
struct Bell(Toy);

#[derive(clap::Subcommand)]
enum Verb {
    /// Throw it away
    Delete {
        /// Even if somebody listens
        #[arg(long)]
        connected: bool,
    },
    /// Say what is heard
    Events,
}

impl Verbs for Verb {
    const NAMES: &'static [&'static str] = &["delete", "events"];

    fn name(&self) -> &'static str {
        match self {
            Self::Delete { .. } => "delete",
            Self::Events => "events",
        }
    }
}

impl Tool for Bell {
    type Options = Options;
    type Verb = Verb;
    type Step = <Toy as Tool>::Step;
    type Worlds = <Toy as Tool>::Worlds;

    const NAME: &'static str = "bell";
    const VERSION: &'static str = "0.1.0";
    const ABOUT: &'static str = "A bell.";

    fn targets(&self, _: Ask<'_, Self>, _: &Surroundings) -> Result<Vec<PathText>, Refusal> {
        Err(Refusal::new("never", "it is no migration", "say something else"))
    }

    fn prepare(
        &self,
        _: Ask<'_, Self>,
        _: Mode,
        _: &Surroundings,
        _: &Cx<'_>,
    ) -> Result<Prepared<Self>, Refusal> {
        Err(Refusal::new("never", "it is no migration", "say something else"))
    }

    fn worlds(
        &self,
        header: &Header,
        run_dir: &Path,
        options: &Options,
        purpose: Purpose,
        here: &Surroundings,
    ) -> Result<Self::Worlds, Refusal> {
        self.0.worlds(header, run_dir, options, purpose, here)
    }

    fn act(&self, ask: Ask<'_, Self>, here: &Surroundings, _: &Cx<'_>) -> Option<Result<Deed, Refusal>> {
        let Some(Verb::Delete { connected }) = ask.verb else { return None };
        let mut questions = vec![Question::from("delete the bell?".to_owned())];
        if !connected {
            questions.push(Question {
                text: "somebody listens: delete it all the same?".into(),
                needs: Some("--connected"),
            });
        }
        let bell = here.cwd.join("bell");
        let listing = |line: &str| Listing {
            rows: vec![Listed { kind: "session", id: "bell".into(), ..Listed::default() }],
            words: Words { block: vec![line.to_owned()], ..Words::default() },
            ..Listing::default()
        };
        let act = move |_: &_| {
            let failed = |error: std::io::Error| Refusal::failure("io", error.to_string(), "look at it");
            std::fs::remove_file(&bell).map_err(failed)?;
            Ok(listing("deleted the bell"))
        };
        Some(Ok(Deed { listing: listing("would delete the bell"), questions, act: Box::new(act) }))
    }

    fn take_over<'a>(&'a self, ask: Ask<'a, Self>, _: &'a Surroundings) -> Option<TakeOver<'a>> {
        let alone = match ask.verb {
            None => true,
            Some(Verb::Events) => false,
            Some(Verb::Delete { .. }) => return None,
        };
        Some(Box::new(move |streams| {
            if alone {
                return Err(Refusal::usage("no-terminal", "there is no terminal", "bell events"));
            }
            let mut heard = String::new();
            let _ = streams.stdin.read_line(&mut heard);
            let _ = write!(streams.stdout, "{}: {heard}", if ask.json { "json" } else { "text" });
            Ok(Exit::Partial)
        }))
    }
}

fn place() -> Place {
    let place = Place::new(&[]);
    place.write("bell", "ding\n");
    place
}

fn say(place: &Place, line: &str) -> Said {
    place.say_to(&Bell(Toy::default()), line)
}

#[test]
fn a_dry_run_of_what_has_no_undo_shows_it_and_does_nothing() {
    let place = place();
    let said = say(&place, "delete --dry-run");
    assert_eq!(
        (said.exit, &*said.out),
        (Exit::Done, "would delete the bell\nnote: nothing was done [dry-run]\n")
    );
    assert!(place.path("bell").exists() && place.runs().is_empty());
}

#[test]
fn what_has_no_undo_is_done_only_after_every_question_was_answered_with_yes() {
    let mut place = place();
    for (line, flags) in
        [("delete", "--yes"), ("delete --yes", "--yes --connected"), ("delete --connected", "--yes")]
    {
        let said = say(&place, line);
        assert_eq!(said.exit, Exit::Usage, "{line}: {}", said.all());
        let hint = format!("\nhint: say the same command with {flags}\n");
        assert!(
            said.err.starts_with("error: nobody is there to be asked: ") && said.err.ends_with(&hint),
            "{}",
            said.err
        );
    }
    place.here.terminals = Terminals { stdin: true, stderr: true, ..Terminals::default() };
    for (line, answer) in [("delete", ""), ("delete", "n\n"), ("delete", "y\nn\n"), ("delete --yes", "n\n")] {
        place.answer = answer;
        let said = say(&place, line);
        assert_eq!(said.exit, Exit::Refused, "{line} {answer:?}: {}", said.all());
        assert!(said.err.contains("the answer was not yes; nothing was done"), "{}", said.err);
    }
    assert!(place.path("bell").exists());
    place.answer = "y\ny\n";
    let said = say(&place, "delete");
    assert_eq!((said.exit, &*said.out), (Exit::Done, "deleted the bell\n"));
    assert!(!place.path("bell").exists() && place.runs().is_empty());
}

/// What somebody is told whose disk is full.
fn told_on_a_full_disk<T: Tool>(place: &Place, tool: &T, line: &str) -> String {
    let mut err = Vec::new();
    let exit = place.say_into(tool, line, &mut Broken(ErrorKind::StorageFull), &mut err);
    let said = String::from_utf8(err).unwrap();
    assert_eq!(exit, Exit::Failed, "{line}: {said}");
    assert!(said.contains("cannot write to standard output"), "{line}: {said}");
    said
}

#[test]
fn nobody_is_told_to_say_again_what_was_done() {
    let place = place();
    let bell = Bell(Toy::default());
    let said = told_on_a_full_disk(&place, &bell, "delete --yes --connected --dry-run");
    assert!(said.contains("say the same command again with another output"), "{said}");
    let said = told_on_a_full_disk(&place, &bell, "delete --yes --connected");
    assert!(said.ends_with("\nhint: it was done, do not say it again: look how it stands\n"), "{said}");
    assert!(!place.path("bell").exists());
    let said = told_on_a_full_disk(&place, &bell, "delete --yes --connected --json");
    assert!(!said.contains("again with another output"), "{said}");

    // Said again it would take back another one.
    let place = Place::migrated();
    place.write("old/c", "third\n");
    place.say(MIGRATE);
    let newest = place.runs()[1].id.to_string();
    let told = format!("it was done, do not say it again: copy-folder runs show {newest} shows");
    for line in ["undo", "runs forget NEWEST --yes"] {
        let said = told_on_a_full_disk(&place, &Toy::default(), &line.replace("NEWEST", &newest));
        let is_told = said.contains(if line == "undo" { &told } else { "do not say it again: look" });
        assert!(is_told, "{line}: {said}");
    }
    assert!(place.path("new/a").exists() && !place.path("new/c").exists());

    let elsewhere = format!("{MIGRATE} --state-dir elsewhere");
    let said = told_on_a_full_disk(&place, &Toy::default(), &elsewhere);
    let root = place.path("elsewhere");
    assert!(said.contains(&format!(" --state-dir {} shows how", root.display())), "{said}");
}

/// Presses Ctrl-C, and says yes all the same.
struct Wavering(migration_cli::Stop);

impl std::io::Read for Wavering {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.0.ask(Signal::Interrupt);
        (&b"y\n"[..]).read(buffer)
    }
}

#[test]
fn who_presses_ctrl_c_at_a_question_has_not_said_yes_whatever_he_types_then() {
    let mut place = place();
    place.here.terminals = Terminals { stdin: true, stderr: true, ..Terminals::default() };
    let mut stdin = std::io::BufReader::new(Wavering(place.here.stop.clone()));
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut streams = Streams { stdin: &mut stdin, stdout: &mut out, stderr: &mut err };
    let words = ["bell", "delete", "--connected"].map(Into::into);
    let exit = migration_cli::run(&Bell(Toy::default()), words, &place.here, &mut streams);
    assert_eq!(exit, Exit::Interrupted, "{}", String::from_utf8_lossy(&err));
    assert!(place.path("bell").exists());
}

#[test]
fn with_every_flag_nobody_is_asked_and_a_program_reads_the_document_of_all_verbs() {
    let place = place();
    let document = say(&place, "delete --yes --connected --json").json();
    assert_eq!((&document["mode"], &document["items"][0]["id"]), (&"delete".into(), &"bell".into()));
    let said = say(&place, "delete --yes --connected --json");
    assert_eq!((said.exit, &said.json()["error"]["code"]), (Exit::Failed, &"io".into()));
}

#[test]
fn what_takes_the_streams_over_has_them_to_itself() {
    let mut place = place();
    place.answer = "ding\nrest\n";
    let said = say(&place, "events");
    assert_eq!((said.exit, &*said.all()), (Exit::Partial, "exit 3\n--- stdout\ntext: ding\n--- stderr\n"));
    let said = say(&place, "events --dry-run");
    assert_eq!(said.exit, Exit::Usage);
    assert!(said.err.starts_with("error: `events` has no dry run"), "{}", said.err);
    let said = say(&place, "");
    assert_eq!(&*said.err, "error: there is no terminal\nhint: bell events\n");
    assert_eq!(say(&place, "runs").exit, Exit::Done, "what all tools have is not taken over");
}

#[test]
fn a_program_is_answered_by_what_takes_the_streams_over_itself() {
    let place = Place::new(&[]);
    let mut out = Vec::new();
    let exit = place.say_into(&Bell(Toy::default()), "events --json", &mut out, &mut Vec::new());
    assert_eq!((exit, &*out), (Exit::Partial, &b"json: "[..]));
}
