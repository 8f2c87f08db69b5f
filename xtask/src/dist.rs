//! What users unpack: every tool with its manual page, its completions and the guides, in one archive.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::shell::{self, Outcome};

/// Where shells look for a tool's completions, below the folder it is unpacked to.
const COMPLETIONS: [(&str, &str, &str, &str); 3] = [
    ("bash", "share/bash-completion/completions", "", ""),
    ("zsh", "share/zsh/site-functions", "_", ""),
    ("fish", "share/fish/vendor_completions.d", "", ".fish"),
];

const DOCS: &str = "share/doc/rehome";

/// Builds them as they are shipped and packs them, so that the same commit makes the same archive.
pub(crate) fn run() -> Outcome {
    let tools = tools()?;
    let mut build = Command::new("cargo");
    build.args(["build", "--release", "--locked"]);
    shell::run(build.args(tools.iter().flat_map(|tool| ["--package", tool])))?;

    let target = shell::target()?;
    let name = format!("rehome-{}-{}", env!("CARGO_PKG_VERSION"), machine()?);
    let folder = target.join("dist").join(&name);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    for tool in &tools {
        lay_out(tool, &target.join("release").join(tool), &folder)?;
    }
    for text in shell::tracked_files()?.iter().filter(|file| is_for_users(file)) {
        put(&fs::read(shell::root().join(text))?, &folder.join(DOCS).join(text))?;
    }
    let archive = pack(&folder, &name)?;
    println!("\n{}\n", archive.display());
    println!("to install: tar --extract --file {name}.tar.gz --strip-components 1 --directory /usr/local");
    Ok(())
}

/// The packages that are programs.
fn tools() -> Outcome<Vec<String>> {
    let metadata = cargo_metadata::MetadataCommand::new().current_dir(shell::root()).no_deps().exec()?;
    let crates =
        metadata.packages.iter().filter(|package| package.manifest_path.as_str().contains("/crates/"));
    let tools = crates.filter(|package| package.targets.iter().any(cargo_metadata::Target::is_bin));
    let mut tools: Vec<String> = tools.map(|package| package.name.to_string()).collect();
    tools.sort();
    Ok(tools)
}

/// What the compiler builds for here, in its own words.
fn machine() -> Outcome<String> {
    let said = String::from_utf8(shell::capture(Command::new("rustc").arg("-vV"))?.stdout)?;
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.ok_or("rustc does not say what it builds for")?.to_owned())
}

fn is_for_users(file: &str) -> bool {
    let of_docs = ["docs/guide/", "docs/exit-codes.md", "docs/report.schema.json"];
    file == "README.md" || file.starts_with("LICENSE") || of_docs.iter().any(|it| file.starts_with(it))
}

/// A tool, and what it prints of itself.
fn lay_out(tool: &str, built: &Path, folder: &Path) -> Outcome {
    let bin = folder.join("bin");
    fs::create_dir_all(&bin)?;
    fs::copy(built, bin.join(tool))?;
    put(&said(built, &["man"])?, &folder.join("share/man/man1").join(format!("{tool}.1")))?;
    for (language, place, before, after) in COMPLETIONS {
        let file = folder.join(place).join(format!("{before}{tool}{after}"));
        put(&said(built, &["completions", language])?, &file)?;
    }
    Ok(())
}

fn said(program: &Path, words: &[&str]) -> Outcome<Vec<u8>> {
    let mut command = Command::new(program);
    let output = shell::capture(command.args(words))?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(format!("`{}` failed: {}", shell::spell(&command), output.status).into())
    }
}

fn put(bytes: &[u8], file: &Path) -> Outcome {
    fs::create_dir_all(file.parent().ok_or("a file lies in a folder")?)?;
    Ok(fs::write(file, bytes)?)
}

/// Names in order, nobody's files, and the time of the commit: what differs in the archive differs in the tools.
fn pack(folder: &Path, name: &str) -> Outcome<PathBuf> {
    let mut log = Command::new("git");
    let committed = shell::capture(log.args(["log", "-1", "--format=%ct"]).current_dir(shell::root()))?;
    let committed = String::from_utf8(committed.stdout)?;
    let archive = folder.with_file_name(format!("{name}.tar.gz"));
    let mut tar = Command::new("tar");
    tar.args([
        "--create",
        "--sort=name",
        "--owner=0",
        "--group=0",
        "--numeric-owner",
        "--mode=a+rX,u+w,go-w",
    ]);
    tar.arg(format!("--mtime=@{}", committed.trim())).arg("--use-compress-program=gzip --no-name");
    tar.arg("--file").arg(&archive).arg("--directory").arg(folder.with_file_name("")).arg(name);
    shell::run(&mut tar)?;
    let mut digest = Command::new("sha256sum");
    let digest = shell::capture(digest.arg(format!("{name}.tar.gz")).current_dir(folder.with_file_name("")))?;
    fs::write(folder.with_file_name(format!("{name}.tar.gz.sha256")), digest.stdout)?;
    Ok(archive)
}
