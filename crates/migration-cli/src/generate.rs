//! Completions and the manual page, made from the command line itself.

use clap_mangen::roff::{Roff, bold, line_break, roman};

use crate::arguments::command;
use crate::{Exit, Tool};

/// The completions for a shell.
pub(crate) fn completions<T: Tool>(shell: clap_complete::Shell) -> String {
    let mut out = Vec::new();
    clap_complete::generate(shell, &mut command::<T>(), T::NAME, &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

/// The manual page: the tool, each of its verbs, and how it ends.
pub(crate) fn man<T: Tool>() -> String {
    let mut out = Vec::new();
    let mut command = command::<T>();
    command.build();
    let man = clap_mangen::Man::new(command.clone());
    // Writing to memory does not fail.
    let _ = man.render_title(&mut out);
    let _ = man.render_name_section(&mut out);
    let _ = man.render_synopsis_section(&mut out);
    let _ = man.render_description_section(&mut out);
    let _ = man.render_options_section(&mut out);
    let _ = verbs(&command).to_writer(&mut out);
    let _ = endings().to_writer(&mut out);
    String::from_utf8_lossy(&out).into_owned()
}

fn verbs(command: &clap::Command) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["VERBS"]);
    for verb in leaves(command) {
        let usage = verb.clone().render_usage().to_string();
        roff.control("TP", []);
        roff.text([bold(usage.trim_start_matches("Usage: ").to_owned())]);
        let about = verb.get_about().map(ToString::to_string).unwrap_or_default();
        roff.text([roman(about)]);
        for arg in verb.get_arguments().filter(|arg| !arg.is_hide_set() && !arg.is_global_set()) {
            if let (Some(long), Some(help)) = (arg.get_long().filter(|long| *long != "help"), arg.get_help())
            {
                roff.text([line_break(), bold(format!("--{long}")), roman(format!(" {help}"))]);
            }
        }
    }
    roff
}

/// The verbs, and where a verb has verbs of its own, those.
fn leaves(command: &clap::Command) -> Vec<&clap::Command> {
    let verbs = command.get_subcommands();
    verbs.flat_map(|verb| if verb.has_subcommands() { leaves(verb) } else { vec![verb] }).collect()
}

fn endings() -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["EXIT STATUS"]);
    for exit in Exit::ALL {
        roff.control("TP", []);
        roff.text([bold(exit.code().to_string())]);
        roff.text([roman(exit.meaning())]);
    }
    roff
}
