//! Each library can be taken out of the house: packaged, unpacked, and built into a program that knows nothing else.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Every program of `fixtures/embedding/`, each named for the library it embeds.
#[test]
fn somebody_elses_program_can_embed_one_library_and_gets_no_command_line_with_it() {
    let place = empty_place();
    let packages = unpacked_packages(&place);
    for program in folders(&root().join("fixtures/embedding")) {
        let library = name(&program);
        let own = settle(&program, &packages, &place.join("programs").join(&library));
        let tree = cargo(&own, &["tree", "--offline", "--edges", "normal", "--prefix", "none"]);
        assert!(tree.lines().any(|line| line.starts_with(&format!("{library} v"))), "{library}: {tree}");
        assert!(!tree.contains("migration-cli"), "{library} brings a command line with it: {tree}");

        let work = place.join("work").join(&library);
        fs::create_dir_all(&work).expect("a folder to work in");
        cargo(&own, &["run", "--quiet", "--offline", "--", work.to_str().expect("a UTF-8 path")]);
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask stands in the workspace")
}

/// A folder that is always the same, so that cargo need not build the world again each time.
fn empty_place() -> PathBuf {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("embedding");
    if place.exists() {
        fs::remove_dir_all(&place).expect("what the last test left can be removed");
    }
    fs::create_dir_all(&place).expect("a place for packages and programs");
    place
}

/// Packages the whole workspace as it would be published, and unpacks every package.
fn unpacked_packages(place: &Path) -> Vec<PathBuf> {
    let target = place.join("packaging");
    let package = ["package", "--workspace", "--exclude", "xtask", "--exclude", "testkit"];
    let how =
        ["--quiet", "--allow-dirty", "--no-verify", "--target-dir", target.to_str().expect("a UTF-8 path")];
    cargo(root(), &[package.as_slice(), how.as_slice()].concat());

    let unpacked = place.join("packages");
    fs::create_dir(&unpacked).expect("a folder for packages");
    for entry in fs::read_dir(target.join("package")).expect("cargo packaged into its target directory") {
        let path = entry.expect("a package").path();
        if path.extension().is_some_and(|kind| kind == "crate") {
            // `-m`: the times of now, or cargo would take what it built from the last package to be fresh.
            run(Command::new("tar").arg("-xzmf").arg(path).arg("-C").arg(&unpacked));
        }
    }
    folders(&unpacked)
}

/// Copies a program out of the workspace, and lets it find the packages as if they had been published.
fn settle(program: &Path, packages: &[PathBuf], own: &Path) -> PathBuf {
    fs::create_dir_all(own.join("src")).expect("a folder for the program");
    fs::copy(program.join("src/main.rs"), own.join("src/main.rs")).expect("the program is there");
    fs::copy(root().join("Cargo.lock"), own.join("Cargo.lock")).expect("versions are locked");
    let manifest = fs::read_to_string(program.join("Cargo.toml")).expect("the program has a manifest");
    let published = packages.iter().map(|package| {
        let name = name(package).rsplit_once('-').expect("a package is named with its version").0.to_owned();
        format!("{name} = {{ path = \"{}\" }}\n", package.display())
    });
    let outside = format!("\n[workspace]\n\n[patch.crates-io]\n{}", published.collect::<String>());
    fs::write(own.join("Cargo.toml"), manifest + &outside).expect("a manifest for the program");
    own.to_owned()
}

fn folders(parent: &Path) -> Vec<PathBuf> {
    let listed = fs::read_dir(parent).unwrap_or_else(|error| panic!("{}: {error}", parent.display()));
    let mut folders: Vec<_> =
        listed.map(|entry| entry.expect("an entry").path()).filter(|it| it.is_dir()).collect();
    folders.sort();
    folders
}

fn name(path: &Path) -> String {
    path.file_name().expect("it was listed").to_string_lossy().into_owned()
}

/// Runs cargo in a folder, with one target directory for all programs, and gives what it said.
fn cargo(folder: &Path, arguments: &[&str]) -> String {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(arguments).current_dir(folder);
    cargo.env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("embedding-target"));
    // Programs that run once: what debuggers and the next build would want is most of what they take on the disk.
    run(cargo.env("CARGO_INCREMENTAL", "0").env("CARGO_PROFILE_DEV_DEBUG", "false"))
}

fn run(command: &mut Command) -> String {
    let output = command.output().expect("the program can be run");
    let said = [&output.stdout, &output.stderr].map(|said| String::from_utf8_lossy(said).into_owned());
    assert!(output.status.success(), "{command:?}: {}", said.concat());
    said[0].clone()
}
