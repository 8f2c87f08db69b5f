//! What to answer to a command line that is not one, and to those that only ask for help.

use std::ffi::OsString;

use clap::error::ErrorKind;

use crate::arguments::{Color, Common, command};
use crate::report::{Asked, Report};
use crate::speak::Speaker;
use crate::{Exit, Refusal, Streams, Surroundings, Tool, Verbs};

/// Prints help or version, or says what is wrong.
pub(crate) fn answer<T: Tool>(
    error: &clap::Error,
    args: &[OsString],
    here: &Surroundings,
    streams: &mut Streams<'_>,
) -> Exit {
    let said = |flag: &str| args.iter().any(|arg| arg == flag);
    let common = Common {
        dry_run: said("--dry-run"),
        json: said("--json"),
        state_dir: None,
        quiet: false,
        verbose: false,
        color: color(args),
        yes: false,
    };
    let mut speaker = Speaker::new(&common, here, streams);
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        let text = error.render();
        return speaker.print(&if speaker.colors() { text.ansi().to_string() } else { text.to_string() });
    }
    let verb = verb::<T>(args);
    let refusal = refusal::<T>(verb.as_deref(), &error.render().to_string());
    speaker.report(&Report::of_refusal::<T>(asked::<T>(verb.as_deref(), common.dry_run), refusal))
}

/// The verb of a command line that is not understood as a whole.
fn verb<T: Tool>(args: &[OsString]) -> Option<String> {
    let understood = command::<T>().ignore_errors(true).try_get_matches_from(args);
    understood.ok()?.subcommand_name().map(str::to_owned)
}

fn asked<T: Tool>(verb: Option<&str>, dry_run: bool) -> Asked {
    let own = |name: &str| T::Verb::NAMES.iter().find(|own| **own == name).copied().map(Asked::Own);
    match verb.and_then(|name| Asked::of_verb(name).or_else(|| own(name))) {
        Some(asked) => asked,
        None if dry_run => Asked::Plan,
        None => Asked::Apply,
    }
}

/// What the command line says of colour, though it is not understood as a whole.
fn color(args: &[OsString]) -> Color {
    let mut words = args.iter().filter_map(|arg| arg.to_str()).flat_map(|arg| arg.split('='));
    words.find(|word| *word == "--color");
    match words.next() {
        Some("always") => Color::Always,
        Some("never") => Color::Never,
        _ => Color::Auto,
    }
}

/// One line of what is wrong, and every tip there is as the hint.
fn refusal<T: Tool>(verb: Option<&str>, rendered: &str) -> Refusal {
    let said = rendered.split("\nUsage:").next().unwrap_or(rendered);
    let said = said.split("\nFor more information").next().unwrap_or(said);
    let mut lines = said.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut message = lines.next().unwrap_or(rendered).trim_start_matches("error: ").to_owned();
    let mut tips: Vec<&str> = lines.collect();
    if message.ends_with(':') && !tips.is_empty() {
        message = format!("{message} {}", tips.remove(0));
    }
    let verb = verb.map_or_else(String::new, |verb| format!(" {verb}"));
    let help = format!("`{}{verb} --help` shows what can be said", T::NAME);
    let tips: Vec<&str> = tips.into_iter().map(|tip| tip.trim_start_matches("tip: ")).collect();
    let hint = if tips.is_empty() { help } else { format!("{}; {help}", tips.join("; ")) };
    Refusal::usage("usage", message, hint)
}
