//! `convocate-session`: see the library of the same name.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    migration_cli::main(&convocate_session::ConvocateSession)
}
