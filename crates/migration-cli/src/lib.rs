//! What every tool of the house shares at the terminal.

mod arguments;
mod driver;
mod escape;
mod exit;
mod generate;
mod misunderstood;
mod place;
mod progress;
mod refusal;
mod report;
mod speak;
mod stop;
mod surroundings;
mod tool;

pub use driver::run;
pub use escape::shell_word;

pub use exit::Exit;
pub use refusal::Refusal;
pub use stop::{Signal, Stop};
pub use surroundings::{Streams, Surroundings, Terminals};
pub use tool::{Mode, Prepared, Purpose, Tool};

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
