//! `extract`: the files of a session's virtual machine, out of the disk image.

use std::path::{Path, PathBuf};

use legacy_readers::cowork::Purpose;
use migration_cli::{Refusal, Surroundings};
use migration_engine::steps::InstallFile;
use migration_engine::{Bucket, Cx, Item, Look, Outcome, Plan, State, Step};
use session_model::{Finding, InputId};

use crate::content::Means;
use crate::drives::{Drives, Home};
use crate::effect::{Effect, Handles};
use crate::extraction::{self, Extraction};
use crate::options::Options;
use crate::places::{self, named};
use crate::plan::{Draft, given, machine};
use crate::settings::Settings;
use crate::{guard, moving, scope};

/// Whose files are taken from which image.
struct Asked {
    image: Option<PathBuf>,
    vm: String,
}

pub(crate) fn plan(
    options: &Options,
    all: bool,
    here: &Surroundings,
    cx: &Cx<'_>,
) -> Result<Plan<Effect>, Refusal> {
    let asked = asked(options, here)?;
    let target = archive(options, here)?.join(&asked.vm);
    let input = InputId::new("session", asked.vm.clone());
    let Some(image) = &asked.image else {
        let outcome = Outcome::because(Bucket::Skipped, "no-disk-image");
        return nothing(
            Item::new(input, asked.vm, outcome),
            "there is no disk image to take files from".into(),
        );
    };
    guard::must_not_run(std::slice::from_ref(image))?;
    let found = extraction::survey(image, &asked.vm, all, cx)?;
    if found.is_empty() {
        let outcome = Outcome::because(Bucket::Skipped, "nothing-to-extract");
        let others = extraction::homes(image)?;
        let message = format!(
            "{} holds nothing of /{}; that is usual; it has {}",
            image.display(),
            asked.vm,
            if others.is_empty() { "no homes".to_owned() } else { others.join(", ") }
        );
        return nothing(Item::new(input, asked.vm, outcome), message);
    }
    let mut item = Item::new(input, asked.vm.clone(), Outcome::plain(Bucket::Migrated));
    item.source = Some(image.display().to_string());
    item.targets = vec![target.display().to_string()];
    extracting(item, &found, &target, cx)
}

fn extracting(item: Item, found: &Extraction, target: &Path, cx: &Cx<'_>) -> Result<Plan<Effect>, Refusal> {
    let settings =
        Settings { means: Means { mapping: None, image: Some(found.image.clone()) }, ..Settings::default() };
    let tree = Effect::Tree(machine::tree(found, target)?);
    let list = serde_json::to_vec_pretty(&found.manifest).expect("because it is plain data");
    let beside = target.with_file_name(format!("{}-extraction.json", item.name));
    let list = Effect::File(InstallFile::of(given(&list), &beside, found.image.expect.mtime));
    let mut items = vec![item];
    items.extend(machine::items(found, Some(target)));
    let mut world = Handles::new(settings.means.clone());
    let mut steps = Vec::new();
    for step in [list, tree] {
        match step.inspect(&mut world, None, Look::Full, cx)? {
            State::Pending => steps.push(step),
            State::Done => {}
            State::Conflict(what) | State::Superseded(what) => {
                let message = format!("cannot {}: {what}", step.describe());
                return Err(Refusal::new(
                    "archive-occupied",
                    message,
                    "name another folder with --archive DIR",
                ));
            }
        }
    }
    if steps.is_empty() {
        let migrated = items.iter_mut().filter(|item| item.planned.bucket == Bucket::Migrated);
        migrated.for_each(|item| item.planned = Outcome::plain(Bucket::AlreadyPresent));
    }
    let inputs = items.iter().map(|item| item.input.clone()).collect();
    Draft { waves: vec![steps], inputs, items, settings, findings: found.findings.clone() }.finish()
}

/// Nothing to extract is normal.
fn nothing(item: Item, message: String) -> Result<Plan<Effect>, Refusal> {
    let findings = vec![Finding::note("nothing-to-extract", message)];
    let inputs = vec![item.input.clone()];
    Draft { waves: Vec::new(), inputs, items: vec![item], settings: Settings::default(), findings }.finish()
}

/// With an image alone, `--session` names the machine.
fn asked(options: &Options, here: &Surroundings) -> Result<Asked, Refusal> {
    let image = options.vhdx.as_ref().map(|image| named(image, here)).transpose()?;
    if let (Some(image), Some(vm), None) = (&image, &options.session, &options.from) {
        let is_name =
            !vm.is_empty() && vm.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        if !is_name {
            let message = format!(
                "expected --session to name a virtual machine when only an image is given, found {vm:?}"
            );
            return Err(Refusal::usage(
                "which-machine",
                message,
                "--session calm-amber-noether, or add --from PROFILE",
            ));
        }
        return Ok(Asked { image: Some(image.clone()), vm: vm.clone() });
    }
    let source = places::source(options, Purpose::Read, here)?;
    let session = scope::selected(&source, options.session.as_deref())?;
    let vm = scope::readable(session)?.vm_name().ok_or_else(|| {
        Refusal::new(
            "no-machine",
            "the session does not say which virtual machine it had",
            "it ran on the host itself",
        )
    })?;
    Ok(Asked {
        image: image.or_else(|| source.image.as_ref().map(|image| image.path.clone())),
        vm: vm.to_owned(),
    })
}

/// Any folder will do, whatever the other side calls it.
pub(crate) fn archive(options: &Options, here: &Surroundings) -> Result<PathBuf, Refusal> {
    let drives = Drives::new(&options.drive, &here.cwd)?;
    if options.to.is_some() {
        let base = places::destination(options, None, here)?.base;
        let home = Home::around(&base, &drives);
        return Ok(moving::archive(options, &drives, home.as_ref(), here)?.local);
    }
    match &options.archive {
        Some(archive) => named(archive, here),
        None => {
            Err(Refusal::usage("no-archive", "expected --archive or --to, found neither", "--archive DIR"))
        }
    }
}
