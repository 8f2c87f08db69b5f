//! The process around a tool.

use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};
use std::process::ExitCode;

use crate::{Exit, Streams, Surroundings, Tool, run};

/// The whole `main` of a tool.
pub fn main<T: Tool>(tool: &T) -> ExitCode {
    // A panic is a defect of ours. Its message may hold anything, so only its place is told.
    set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map_or_else(String::new, |place| format!(" at {}:{}", place.file(), place.line()));
        complain(
            &format!("a defect of {}{place}", T::NAME),
            "please report it; `runs` shows how the run stands",
        );
    }));
    catch_unwind(AssertUnwindSafe(|| run_here(tool))).unwrap_or(Exit::Failed).into()
}

fn run_here<T: Tool>(tool: &T) -> Exit {
    let here = match Surroundings::of_process() {
        Ok(here) => here,
        Err(error) => {
            complain(&format!("cannot look around: {error}"), "start it in a folder that exists");
            return Exit::Failed;
        }
    };
    let (mut stdin, mut stdout, mut stderr) = (std::io::stdin().lock(), std::io::stdout(), std::io::stderr());
    let mut streams = Streams { stdin: &mut stdin, stdout: &mut stdout, stderr: &mut stderr };
    run(tool, std::env::args_os(), &here, &mut streams)
}

fn complain(error: &str, hint: &str) {
    // If standard error is gone there is nobody to tell.
    let _ = std::io::stderr().write_all(format!("error: {error}\nhint: {hint}\n").as_bytes());
}
