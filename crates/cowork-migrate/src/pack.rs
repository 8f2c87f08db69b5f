//! `pack`: a session as a folder that can be carried to another machine.

use std::path::{Path, PathBuf};

use durable_files::PathText;
use legacy_readers::cowork::{self, Kind};
use migration_cli::{Refusal, Surroundings, shell_word};
use migration_engine::steps::{Entry, InstallTree, Node, Verbatim};
use migration_engine::{Bucket, Cx, Item, Outcome, Plan, State, Step};
use session_model::{Finding, InputId};

use crate::bundle::{MANIFEST, Manifest};
use crate::content::{Made, Original};
use crate::drives::Drives;
use crate::effect::{Effect, Handles};
use crate::moving::OldWorld;
use crate::options::Options;
use crate::places::{Left, Source, named};
use crate::plan::session_files::{item, left_behind};
use crate::plan::{Draft, SESSION, given};
use crate::settings::Settings;
use crate::{guard, scope};

/// The name of the disk image in a bundle.
const IMAGE: &str = "sessiondata.vhdx";

pub(crate) fn plan(
    source: &Source,
    options: &Options,
    out: &Path,
    here: &Surroundings,
    cx: &Cx<'_>,
) -> Result<Plan<Effect>, Refusal> {
    let session = scope::selected(source, options.session.as_deref())?;
    let view = scope::readable(session)?;
    let image = match &options.vhdx {
        Some(image) => Some(named(image, here)?),
        None => source.image.as_ref().map(|image| image.path.clone()),
    };
    guard::must_not_run(&guard::held_places(source.base.as_deref(), &source.path, image.as_deref()))?;
    let drives = Drives::new(&options.drive, &here.cwd)?;
    let mut packing = Packing::new(&session.path);
    packing.copy(&session.path, session.path.file_name().unwrap_or_default().as_ref())?;
    let contents = cowork::contents(session);
    if let Some(name) = contents.found.directory.file_name() {
        packing.folder(name.as_ref());
        for found in &contents.found.items {
            cx.check()?;
            packing.add(found, &contents.found.directory, Path::new(name))?;
        }
    }
    if let Some(image) = image {
        packing.image(&image)?;
    }
    let old = OldWorld::of(source, view, &drives, &options.map)?;
    packing.manifest(source, old);
    packing.brought = source.brought.then(|| source.path.clone());
    packing.items.extend(source.left.iter().map(Left::item));
    packing.findings.extend(source.findings.iter().cloned());
    packing.items[0].findings.extend(
        contents.anomalies.iter().map(|anomaly| Finding::warning(anomaly.code.clone(), anomaly.to_string())),
    );
    packing.finish(out, cx)
}

struct Packing {
    entries: Vec<Entry<Made>>,
    items: Vec<Item>,
    /// The bundle that it was brought to, from another host.
    brought: Option<PathBuf>,
    findings: Vec<Finding>,
}

impl Packing {
    fn new(sidecar: &Path) -> Self {
        let name = sidecar.display().to_string();
        let item = Item::new(InputId::new("session", name.clone()), name, Outcome::plain(Bucket::Migrated));
        Self { entries: Vec::new(), items: vec![item], brought: None, findings: Vec::new() }
    }

    fn folder(&mut self, path: &Path) {
        self.entries.push(Entry { path: path.into(), node: Node::Folder { mode: 0o700, mtime: None } });
    }

    fn copy(&mut self, source: &Path, path: &Path) -> Result<(), Refusal> {
        let Original { source, expect } = Original::of(source)?;
        let sparse = path == Path::new(IMAGE);
        let content = Made::Copied(Verbatim { sparse, ..Verbatim::of(&source, expect) });
        let node = Node::File { content, mode: 0o600, mtime: Some(expect.mtime) };
        self.entries.push(Entry { path: path.into(), node });
        Ok(())
    }

    fn add(&mut self, found: &cowork::Item, directory: &Path, name: &Path) -> Result<(), Refusal> {
        let source = directory.join(&found.relative);
        let path = name.join(&found.relative);
        if found.kind == Kind::Folder {
            self.folder(&path);
            return Ok(());
        }
        let outcome = if let Some(reason) = left_behind(found) {
            Outcome::because(Bucket::Skipped, reason)
        } else {
            self.copy(&source, &path)?;
            Outcome::plain(Bucket::Migrated)
        };
        self.items.push(item(&source, None, outcome));
        Ok(())
    }

    /// The disk of all the sessions' machines goes along whole.
    fn image(&mut self, image: &Path) -> Result<(), Refusal> {
        self.copy(image, IMAGE.as_ref())?;
        let name = image.display().to_string();
        let input = InputId::new("disk image", name.clone());
        self.items
            .push(Item { needs: vec![SESSION], ..Item::new(input, name, Outcome::plain(Bucket::Migrated)) });
        let message = format!(
            "{} goes along whole, with what other sessions left on it; delete {IMAGE} from the bundle if that must not be",
            image.display()
        );
        self.findings.push(Finding::warning("image-whole", message));
        Ok(())
    }

    /// The destination checks with it that the account is the same.
    fn manifest(&mut self, source: &Source, old: OldWorld) {
        let Some(manifest) = Manifest::of(source, old) else { return };
        let node = Node::File { content: given(&manifest.text()), mode: 0o600, mtime: None };
        self.entries.push(Entry { path: PathBuf::from(MANIFEST).into(), node });
    }

    fn finish(mut self, out: &Path, cx: &Cx<'_>) -> Result<Plan<Effect>, Refusal> {
        let tree = InstallTree::of(out, self.entries).map_err(|bad| {
            Refusal::new("bad-entry", bad.to_string(), "look at that file in the session's folder")
        })?;
        let tree = Effect::Tree(tree);
        let mut waves = Vec::new();
        match tree.inspect(&mut Handles::default(), None, migration_engine::Look::Full, cx)? {
            State::Pending => waves.push(vec![tree]),
            State::Done => {
                self.items
                    .iter_mut()
                    .filter(|item| item.planned.bucket == Bucket::Migrated)
                    .for_each(|item| item.planned = Outcome::plain(Bucket::AlreadyPresent));
            }
            State::Conflict(_) | State::Superseded(_) => {
                let message = format!("{} is there already, and is not this bundle", out.display());
                return Err(Refusal::new("occupied", message, "name a folder that is not there: --out DIR"));
            }
        }
        self.items[0].targets = vec![out.display().to_string()];
        let inputs = self.items.iter().map(|item| item.input.clone()).collect();
        let command = format!("cowork-migrate --from {} --to PROFILE", shell_word(out));
        let message = format!("then carry the folder over; `{command}` there moves the session in");
        self.findings.push(Finding::note("by-hand", message));
        let Self { items, findings, brought, .. } = self;
        let settings = Settings { brought: brought.map(PathText::from), ..Settings::default() };
        Draft { waves, items, inputs, settings, findings }.finish()
    }
}
