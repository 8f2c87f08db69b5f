//! Clients as npm gives them today.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::client::{Client, Installed};
use crate::shell::{self, Outcome};

/// Installs a client, without its scripts, into a cache under the target directory.
///
/// The inner error says why there is none to try, which is no failure of ours.
pub(super) fn install(client: &'static dyn Client) -> Outcome<Result<Installed, String>> {
    Ok(fetched(client.package())?.and_then(|cache| try_out(client, &cache)))
}

/// Installs the newest of a package likewise, and gives the cache.
pub(super) fn fetched(package: &str) -> Outcome<Result<PathBuf, String>> {
    let cache = cache(package)?;
    Ok(fetch(&format!("{package}@latest"), &cache).map(|()| cache))
}

/// Installs a Node such as a package asks for, and gives the folder of its program.
pub(super) fn node_for(package: &str, installed: &Path) -> Outcome<Result<PathBuf, String>> {
    let manifest = installed.join("node_modules").join(package).join("package.json");
    let manifest: Value = serde_json::from_slice(&std::fs::read(manifest)?)?;
    let Some(asked) = manifest["engines"]["node"].as_str() else {
        return Ok(Err("it does not say which Node it needs".into()));
    };
    let (node, cache) = (format!("node-{}", platform()), cache("node")?);
    let fetched = fetch(&format!("{node}@{asked}"), &cache);
    Ok(fetched.map(|()| cache.join("node_modules").join(node).join("bin")))
}

fn cache(package: &str) -> Outcome<PathBuf> {
    let cache = shell::target()?.join("canary").join(package.replace(['@', '/'], "_"));
    std::fs::create_dir_all(&cache)?;
    Ok(cache)
}

fn fetch(package: &str, cache: &Path) -> Result<(), String> {
    let mut npm = Command::new("npm");
    npm.args(["install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", "--prefix"]);
    said(npm.arg(cache).arg(package)).map(drop)
}

fn try_out(client: &'static dyn Client, cache: &Path) -> Result<Installed, String> {
    let program = cache.join("node_modules").join(client.program(&platform()));
    let version = said(Command::new(&program).arg("--version"))?;
    Ok(Installed { client, program, version })
}

/// What a command said, or why it could not.
fn said(command: &mut Command) -> Result<String, String> {
    let output = shell::capture(command).map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
    }
    // npm says what is wrong first, and then where in its own code.
    let complaint: Vec<_> = std::str::from_utf8(&output.stderr).unwrap_or_default().lines().take(4).collect();
    Err(complaint.join("; "))
}

/// This platform as npm's packages spell it.
fn platform() -> String {
    let system = match std::env::consts::OS {
        "macos" => "darwin",
        other => other,
    };
    let machine = match std::env::consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => other,
    };
    format!("{system}-{machine}")
}
