//! From a command line to an exit code: the one order in which every tool does things.

mod brought;
mod carry_out;
mod choose;
mod forget;
mod leftovers;
mod migrate;
mod own;
mod resume;
mod runs;
mod session;
mod sizes;
mod undo;
mod verify;
mod within;

use std::ffi::OsString;

use session::Session;
pub use sizes::size_of;
pub use within::{Migrated, migrate_within};

use crate::arguments::{self, LineOf, Verb};
use crate::report::{Asked, Report};
use crate::speak::Speaker;
use crate::{Exit, Refusal, Streams, Surroundings, Tool, Verbs, generate, misunderstood};

/// Runs a tool with these arguments (the first is the name of the program), and answers how it ended.
///
/// Nothing of the process is touched but what `here` and `streams` hold, and the files the tool is about.
pub fn run<T: Tool>(
    tool: &T,
    args: impl IntoIterator<Item = OsString>,
    here: &Surroundings,
    streams: &mut Streams<'_>,
) -> Exit {
    let args: Vec<OsString> = args.into_iter().collect();
    let mut command = arguments::command::<T>();
    if !here.terminals.stdout {
        command = command.term_width(100); // for files and pipes always the same, whoever made them
    }
    let line = match arguments::parse::<T>(command, &args) {
        Ok(line) => line,
        Err(error) => return misunderstood::answer::<T>(&error, &args, here, streams),
    };
    let mut speaker = Speaker::new(&line.common, here, streams);
    match &line.verb {
        Some(Verb::Completions { shell }) => speaker.print(&generate::completions::<T>(*shell)),
        Some(Verb::Man) => speaker.print(&generate::man::<T>()),
        _ => match answer(tool, &line, &args, here, &mut speaker) {
            Ok(Answer::Report(report)) => speaker.report(&report),
            Ok(Answer::Ended(exit)) => exit,
            Err(refusal) => speaker.report(&Report::of_refusal::<T>(asked::<T>(&line), refusal)),
        },
    }
}

/// What there is to say at the end.
enum Answer {
    /// This.
    Report(Box<Report>),
    /// Nothing more: what has had the streams to itself has said it all.
    Ended(Exit),
}

fn answer<T: Tool>(
    tool: &T,
    line: &LineOf<T>,
    args: &[OsString],
    here: &Surroundings,
    speaker: &mut Speaker<'_, '_>,
) -> Result<Answer, Refusal> {
    let session = Session::open(tool, line, args, here)?;
    if let Some(exit) = own::take_over(&session, line.verb.as_ref(), speaker) {
        return exit.map(Answer::Ended);
    }
    let report = match &line.verb {
        None => migrate::migrate(&session, session.ask(None)),
        Some(Verb::Own(verb)) => own::own(&session, session.ask(Some(verb)), speaker),
        Some(Verb::Verify { run }) => verify::verify(&session, run.as_ref()),
        Some(Verb::Undo(undo)) => undo::undo(&session, undo),
        Some(Verb::Resume { run }) => resume::resume(&session, run.as_ref()),
        Some(Verb::Runs { verb }) => runs::runs(&session, verb.as_ref(), speaker),
        Some(Verb::Completions { .. } | Verb::Man) => Ok(Report::new::<T>(asked::<T>(line))),
    };
    report.map(|report| Answer::Report(Box::new(report)))
}

fn asked<T: Tool>(line: &LineOf<T>) -> Asked {
    match &line.verb {
        None if line.common.dry_run => Asked::Plan,
        None => Asked::Apply,
        Some(Verb::Own(verb)) => Asked::Own(verb.name()),
        Some(Verb::Verify { .. }) => Asked::Verify,
        Some(Verb::Undo(_)) => Asked::Undo,
        Some(Verb::Resume { .. }) => Asked::Resume,
        Some(Verb::Runs { .. }) => Asked::Runs,
        Some(Verb::Completions { .. }) => Asked::Completions,
        Some(Verb::Man) => Asked::Man,
    }
}
