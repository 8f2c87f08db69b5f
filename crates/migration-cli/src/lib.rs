//! What every tool of the house shares at the terminal.

mod exit;
mod refusal;
mod stop;
mod surroundings;
mod tool;

pub use exit::Exit;
pub use refusal::Refusal;
pub use stop::{Signal, Stop};
pub use surroundings::{Streams, Surroundings, Terminals};
pub use tool::{Mode, Prepared, Purpose, Tool};

use std::ffi::OsString;

/// Runs a tool with these arguments (the first is the name of the program), and answers how it ended.
pub fn run<T: Tool>(
    _tool: &T,
    _args: impl IntoIterator<Item = OsString>,
    _here: &Surroundings,
    _streams: &mut Streams<'_>,
) -> Exit {
    Exit::Usage
}

/// The whole `main` of a tool.
pub fn main<T: Tool>(tool: &T) -> std::process::ExitCode {
    let (mut stdin, mut stdout, mut stderr) = (std::io::stdin().lock(), std::io::stdout(), std::io::stderr());
    let mut streams = Streams { stdin: &mut stdin, stdout: &mut stdout, stderr: &mut stderr };
    match Surroundings::of_process() {
        Ok(here) => run(tool, std::env::args_os(), &here, &mut streams).into(),
        Err(error) => {
            let _ = std::io::Write::write_all(
                streams.stderr,
                format!("error: cannot look around: {error}\nhint: start it in a folder that exists\n").as_bytes(),
            );
            Exit::Failed.into()
        }
    }
}
