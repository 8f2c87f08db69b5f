//! Clients as npm gives them today.

use std::path::PathBuf;
use std::process::Command;

use crate::shell::{self, Outcome};

/// A client in the cache, or why there is none. Why there is none is never a reason to fail, always one to say so.
pub(crate) type Fetched = Result<PathBuf, String>;

/// Installs a package, without its scripts, into a cache under the target directory; gives its `node_modules`.
pub(crate) fn install(package: &str) -> Outcome<Fetched> {
    let cache = shell::target()?.join("canary").join(package.replace(['@', '/'], "_"));
    std::fs::create_dir_all(&cache)?;
    let mut npm = Command::new("npm");
    npm.args(["install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", "--prefix"]);
    npm.arg(&cache).arg(format!("{package}@latest"));
    let said = match npm.output() {
        Ok(said) if said.status.success() => return Ok(Ok(cache.join("node_modules"))),
        Ok(said) => String::from_utf8_lossy(&said.stderr).trim().to_owned(),
        Err(error) => format!("npm cannot be run: {error}"),
    };
    Ok(Err(said))
}
