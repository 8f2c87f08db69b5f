//! The process around a tool.

use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};
use std::process::ExitCode;

use crate::{Exit, Streams, Surroundings, Tool, run};

/// The whole `main` of a tool.
pub fn main<T: Tool>(tool: &T) -> ExitCode {
    guard(T::NAME, || run_here(tool)).into()
}

/// A panic is a defect of ours. Its message may hold anything, so only its place is told.
fn guard(tool: &'static str, work: impl FnOnce() -> Exit) -> Exit {
    set_hook(Box::new(move |panic| {
        let place = panic
            .location()
            .map_or_else(String::new, |place| format!(" at {}:{}", place.file(), place.line()));
        let hint = format!("please report it; `{tool} runs` shows how the run stands");
        complain(&format!("this is a defect of {tool}{place}"), &hint);
    }));
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(Exit::Failed)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_defect_is_told_in_two_lines_and_without_content() {
        let Some(output) =
            crate::child::again("process::tests::a_defect_is_told_in_two_lines_and_without_content")
        else {
            let exit = guard("toy", || panic!("months of {}", "conversation"));
            assert_eq!(exit, Exit::Failed);
            return;
        };
        assert!(output.status.success());
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.starts_with("error: this is a defect of toy at "), "{said}");
        assert!(said.contains("\nhint: ") && !said.contains("conversation"), "{said}");
    }
}
