//! The plan of moving a session: what goes where, in which order (formats/cowork.md F).

mod folders;
pub(crate) mod machine;
pub(crate) mod session_files;

use std::fmt::Display;
use std::path::PathBuf;

use durable_files::{PathText, must_be_writable};
use legacy_readers::cowork::Sidecar;
use migration_cli::Refusal;
use migration_engine::steps::{BadEntry, Bytes, Entry, InstallFile, InstallTree, Verbatim};
use migration_engine::{Block, Bucket, Cx, Header, Item, ItemId, Outcome, Plan, Step, Task, Wave};
use serde_json::{Value, json};
use session_model::{Finding, InputId};

use folders::Folders;
use session_files::SessionFiles;

use crate::content::{Made, Means};
use crate::effect::Effect;
use crate::extraction::Extraction;
use crate::far::Outline;
use crate::moving::Moving;
use crate::places::Left;
use crate::rewriting::Tally;
use crate::settings::{Promise, Settings};
use crate::sidecar::{self, Edited};
use crate::step::{MakeFolder, SidecarStep};

/// The item of the session itself, which has all the steps.
pub(crate) const SESSION: ItemId = ItemId(0);

/// What a session's move comes to.
#[derive(Debug)]
pub(crate) struct Draft {
    /// In the order in which they are carried out.
    pub(crate) waves: Vec<Vec<Effect>>,
    pub(crate) items: Vec<Item>,
    pub(crate) inputs: Vec<InputId>,
    pub(crate) settings: Settings,
    pub(crate) findings: Vec<Finding>,
}

impl Draft {
    pub(crate) fn finish(self) -> Result<Plan<Effect>, Refusal> {
        let Self { waves, items, inputs, settings, findings } = self;
        let mut places = waves.iter().flatten().filter_map(|step| step.cost().at);
        places.try_for_each(|place| must_be_writable(&place))?;
        let block = |kind: &str, title: &str| Block { kind: kind.into(), title: title.into(), inputs: 0 };
        let mut blocks = vec![
            block("session", "sessions"),
            block("session file", "session files"),
            block("machine file", "machine files"),
            block("disk image", "disk images"),
        ];
        blocks.retain(|block| inputs.iter().any(|input| input.kind == block.kind));
        let header = Header {
            tool: String::new(),
            version: String::new(),
            blocks,
            locks: Vec::new(),
            concerns: waves
                .iter()
                .flatten()
                .flat_map(Effect::concerns)
                .chain(settings.folders.clone())
                .collect(),
            settings: serde_json::to_value(settings).expect("because settings are plain data"),
            partial: false,
            findings,
        };
        let tasks = |steps: Vec<Effect>| {
            let tasks = steps.into_iter().map(|step| Task { item: Some(SESSION), step });
            Wave::publish(tasks.collect())
        };
        let lane = waves.into_iter().filter(|steps| !steps.is_empty()).map(tasks).collect();
        Plan::new(header, &inputs, items, vec![lane])
            .map_err(|error| Refusal::failure("unbalanced", error.to_string(), "please report this"))
    }
}

/// Plans the move of a session.
pub(crate) fn plan(moving: &Moving, options: &crate::Options, cx: &Cx<'_>) -> Result<Draft, Refusal> {
    let mut tally = Tally::default();
    let edited = edit(moving, options, &mut tally)?;
    let files = SessionFiles::of(moving, &mut tally, cx)?;
    if options.strict {
        tally.must_be_complete()?;
    }
    let extraction = machine::survey(moving, cx)?;
    let folders = Folders::of(&edited, moving)?;
    let mut session = session_item(moving, &edited, &files, &tally);
    session.findings.extend(folders.findings);
    let settings = Settings {
        folders: folders.all.into_iter().map(PathText::from).collect(),
        ..settings(moving, extraction.as_ref(), &files.promises, &edited)
    };
    let waves = vec![
        making(moving, &folders.make, extraction.as_ref()),
        archive(moving, &edited, extraction.as_ref())?,
        session_dir(moving, files.entries)?,
        vec![put_sidecar(moving, &edited)],
    ];
    let mut items = vec![session];
    items.extend(files.items);
    items.extend(moving.left.iter().map(Left::item));
    let staging = moving.staging().map(|place| place.local);
    items.extend(extraction.iter().flat_map(|found| machine::items(found, staging.as_deref())));
    let mut findings = moving.findings.clone();
    findings.push(tally.summary());
    findings.extend(files.promises.iter().filter_map(Promise::stitched));
    findings.extend(machine::findings(moving, extraction.as_ref()));
    findings.push(Finding::note(
        "by-hand",
        "then start Claude in the new profile, open the session and quit Claude: `reapply` puts back what that dropped",
    ));
    let inputs = items.iter().map(|item| item.input.clone()).collect();
    Ok(Draft { waves, items, inputs, settings, findings })
}

/// What would have to come from another host before its move can be planned.
pub(crate) fn outlined(outline: Outline) -> Draft {
    let Outline { session, files, left, findings } = outline;
    let item = |kind: &str, name: String| {
        Item::new(InputId::new(kind, name.clone()), name, Outcome::plain(Bucket::Migrated))
    };
    let mut items = vec![item("session", session)];
    items.extend(files.into_iter().map(|file| Item { needs: vec![SESSION], ..item("session file", file) }));
    items.extend(left.iter().map(Left::item));
    let inputs = items.iter().map(|item| item.input.clone()).collect();
    Draft { waves: Vec::new(), items, inputs, settings: Settings::default(), findings }
}

/// The user's folders, and the one in the archive that the sidecar names even if nothing comes into it.
fn making(moving: &Moving, folders: &[PathBuf], extraction: Option<&Extraction>) -> Vec<Effect> {
    let is_filled = extraction.is_some_and(|found| !found.nodes.is_empty());
    let staging = moving.staging().map(|place| place.local).filter(|place| !is_filled && !place.is_dir());
    folders.iter().chain(&staging).map(|folder| MakeFolder::plan(folder).into()).collect()
}

/// A session that never had a folder gets none.
fn session_dir(moving: &Moving, entries: Vec<Entry<Made>>) -> Result<Vec<Effect>, Refusal> {
    if moving.session.directory.is_none() {
        return Ok(Vec::new());
    }
    let tree = InstallTree::of(&moving.session_dir.local, entries);
    let bad = |bad: BadEntry| {
        Refusal::new("bad-entry", bad.to_string(), "look at that file in the session's folder")
    };
    Ok(vec![Effect::Tree(tree.map_err(bad)?)])
}

/// The sidecar for the new world, which must still be one.
fn edit(moving: &Moving, options: &crate::Options, tally: &mut Tally) -> Result<Edited, Refusal> {
    let staging = moving.staging().map(|place| place.foreign);
    let refuse = |what: String| {
        let message = format!("cannot rewrite {}: {what}", moving.session.path.display());
        Refusal::new("sidecar", message, "please report this; the sidecar is not touched")
    };
    let edited =
        sidecar::edit(&moving.sidecar.bytes, &moving.rules, staging.as_ref(), options.keep_machine_local)
            .map_err(|error| refuse(error.to_string()))?;
    tally.add(&moving.session.path, &edited.report);
    Sidecar::parse(edited.text.clone(), &moving.session.path)
        .map_err(|anomaly| refuse(anomaly.to_string()))?;
    Ok(edited)
}

/// The session's item, which says what becomes of it in words.
fn session_item(moving: &Moving, edited: &Edited, files: &SessionFiles, tally: &Tally) -> Item {
    let source = moving.session.path.display().to_string();
    let input = InputId::new("session", source.clone());
    let title = moving.view().title.clone().unwrap_or_else(|| moving.session.id().to_owned());
    let mut item = Item::new(input, title, Outcome::plain(Bucket::Migrated));
    item.source = Some(source);
    item.targets =
        vec![moving.new_sidecar().display().to_string(), moving.session_dir.local.display().to_string()];
    item.findings.extend(tally.findings());
    item.findings.extend(files.findings.iter().cloned());
    let anomalies = moving.sidecar.anomalies.iter().chain(&moving.contents.anomalies);
    item.findings
        .extend(anomalies.map(|anomaly| Finding::warning(anomaly.code.clone(), anomaly.to_string())));
    item.findings.extend(moving.session.further.iter().map(|further| further_folder(&further.display())));
    let promises = files.promises.iter().map(|promise| {
        json!({ "transcript": promise.transcript, "before": promise.before, "after": promise.loads, "edits": promise.edits })
    });
    item.own.insert("session".into(), json!(moving.session.id()));
    item.own.insert("rewriting".into(), tally.to_json());
    item.own.insert("transcripts".into(), promises.collect::<Value>());
    item.own.insert("dropped".into(), json!(edited.dropped));
    item
}

pub(crate) fn further_folder(folder: &dyn Display) -> Finding {
    let message = format!("{folder} is not moved: it is another folder of the session");
    Finding::warning("further-folder", message)
}

/// Everything that goes to the archive.
fn archive(
    moving: &Moving,
    edited: &Edited,
    extraction: Option<&Extraction>,
) -> Result<Vec<Effect>, Refusal> {
    let folder = &moving.archive.local;
    let place = |what: &str| folder.join(format!("{}-{what}.json", moving.short()));
    let original = &moving.original;
    let mtime = original.expect.mtime;
    let pristine = Made::Copied(Verbatim::of(&original.source, original.expect));
    let mut steps = vec![
        Effect::File(InstallFile::of(pristine, &place("pristine-sidecar"), mtime)),
        Effect::File(InstallFile::of(given(&edited.text), &place("rewritten-sidecar"), mtime)),
    ];
    if let (Some(found), Some(staging)) =
        (extraction.filter(|found| !found.nodes.is_empty()), moving.staging())
    {
        let manifest = serde_json::to_vec_pretty(&found.manifest).expect("because it is plain data");
        let mtime = found.image.expect.mtime;
        steps.push(Effect::File(InstallFile::of(given(&manifest), &place("extraction"), mtime)));
        steps.push(Effect::Tree(machine::tree(found, &staging.local)?));
    }
    Ok(steps)
}

pub(crate) fn given(bytes: &[u8]) -> Made {
    Made::Given { bytes: Bytes(bytes.to_vec()) }
}

/// The sidecar comes last: it is what makes the session exist.
fn put_sidecar(moving: &Moving, edited: &Edited) -> Effect {
    let target = moving.new_sidecar();
    let mtime = i64::try_from(moving.session.mtime.as_nanosecond()).unwrap_or_default();
    Effect::Sidecar(SidecarStep {
        inner: InstallFile::of(given(&edited.text), &target, mtime),
        target: target.into(),
        session: moving.view().session_id.clone(),
        cli: moving.view().cli_session_id.clone(),
        archive: moving.archive.local.clone().into(),
    })
}

fn settings(
    moving: &Moving,
    extraction: Option<&Extraction>,
    promises: &[Promise],
    edited: &Edited,
) -> Settings {
    let image = extraction.filter(|found| !found.nodes.is_empty()).map(|found| found.image.clone());
    Settings {
        moved: true,
        means: Means { mapping: Some(moving.mapping.clone()), image },
        mapping_hash: Some(moving.rules.mapping_hash().to_owned()),
        session: moving.view().session_id.clone(),
        cli: moving.view().cli_session_id.clone(),
        vm: moving.view().vm_name().map(str::to_owned),
        sidecar: Some(moving.new_sidecar().into()),
        promised: String::from_utf8_lossy(&edited.text).into_owned(),
        last_activity: moving.view().last_activity_at.0,
        session_dir: Some(moving.session_dir.local.clone().into()),
        archive: Some(moving.archive.local.clone().into()),
        short: moving.short().to_owned(),
        drives: moving.drives.clone(),
        promises: promises.to_vec(),
        places: vec![moving.session_dir.clone(), moving.archive.clone()],
        folders: Vec::new(),
        brought: moving.brought.clone().map(PathText::from),
        held: crate::guard::held_places(
            Some(&moving.destination.base),
            &moving.destination.profile.path,
            None,
        )
        .into_iter()
        .map(PathText::from)
        .collect(),
    }
}
