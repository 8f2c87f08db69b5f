//! `ao-migrate`: see the library of the same name.

use std::process::ExitCode;

fn main() -> ExitCode {
    migration_cli::main(&ao_migrate::AoMigrate)
}
