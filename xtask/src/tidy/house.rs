//! The workspace, read once for all rules.

use std::fs;
use std::path::Path;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package, TargetKind};

use crate::shell::{self, Outcome};

/// All that the rules look at. Paths are relative to the root, with slashes.
#[derive(Debug, Default)]
pub(super) struct House {
    pub(super) crates: Vec<Crate>,
    pub(super) sources: Vec<Source>,
    pub(super) root_manifest: String,
    /// `docs/ARCHITECTURE.md`, if it is there.
    pub(super) architecture: Option<String>,
    /// Every file that git would keep, for what the documents refer to.
    pub(super) files: Vec<String>,
}

/// One member of the workspace.
#[derive(Debug, Default)]
pub(super) struct Crate {
    pub(super) name: String,
    /// Its folder.
    pub(super) folder: String,
    /// The members it needs to be built; what only its tests need does not count.
    pub(super) needs: Vec<String>,
    /// The root file of each target.
    pub(super) roots: Vec<String>,
    /// The root file of its library, if it has one.
    pub(super) library: Option<String>,
    pub(super) manifest: String,
    /// Its own `clippy.toml`, if it has one.
    pub(super) clippy: Option<String>,
}

/// One Rust file.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) path: String,
    pub(super) text: String,
}

impl House {
    pub(super) fn read() -> Outcome<Self> {
        let root = shell::root();
        let metadata = MetadataCommand::new().current_dir(root).no_deps().exec()?;
        let files = shell::tracked_files()?;
        let rust = files.iter().filter(|path| is_ours(path));
        Ok(Self {
            crates: metadata
                .workspace_packages()
                .into_iter()
                .map(|it| Crate::read(it, &metadata))
                .collect::<Outcome<_>>()?,
            sources: rust.map(|path| Source::read(path)).collect::<Outcome<_>>()?,
            root_manifest: fs::read_to_string(root.join("Cargo.toml"))?,
            architecture: fs::read_to_string(root.join("docs/ARCHITECTURE.md")).ok(),
            files,
        })
    }
}

impl Crate {
    fn read(package: &Package, metadata: &Metadata) -> Outcome<Self> {
        let manifest = package.manifest_path.as_std_path();
        let folder = manifest.parent().expect("a manifest stands in a folder");
        let members: Vec<_> =
            metadata.workspace_packages().into_iter().map(|member| member.name.to_string()).collect();
        let built = package.dependencies.iter().filter(|needed| needed.kind != DependencyKind::Development);
        let library = package.targets.iter().find(|target| target.kind.contains(&TargetKind::Lib));
        Ok(Self {
            name: package.name.to_string(),
            folder: relative(folder),
            needs: built.map(|needed| needed.name.clone()).filter(|name| members.contains(name)).collect(),
            roots: package.targets.iter().map(|target| relative(target.src_path.as_std_path())).collect(),
            library: library.map(|target| relative(target.src_path.as_std_path())),
            manifest: fs::read_to_string(manifest)?,
            clippy: fs::read_to_string(folder.join("clippy.toml")).ok(),
        })
    }
}

impl Source {
    fn read(path: &str) -> Outcome<Self> {
        Ok(Self { path: path.to_owned(), text: fs::read_to_string(shell::root().join(path))? })
    }
}

/// Whether a rule may concern it: Rust, but not somebody else's program for a test, and not the fuzzer's workspace.
fn is_ours(path: &str) -> bool {
    !path.starts_with("fixtures/") && !path.starts_with("fuzz/") && shell::has_extension(path, "rs")
}

fn relative(path: &Path) -> String {
    path.strip_prefix(shell::root()).unwrap_or(path).to_string_lossy().replace('\\', "/")
}

/// Small houses for the tests of the rules.
#[cfg(test)]
impl House {
    pub(super) fn of_source(path: &str, text: &str) -> Self {
        Self { sources: vec![Source { path: path.to_owned(), text: text.to_owned() }], ..Self::default() }
    }
}
