//! Surveys as text that a person can hold against the fixture.

use std::fmt::Write;
use std::path::Path;

use legacy_readers::cowork::{
    self, Base, Choice, Content, Environment, Kind, Purpose, Selection, Session, View,
};
use session_model::Anomaly;
use testkit::fixture::FIXED_TIME;

/// Every base that the environment leads to, the choice between them, and what each holds.
pub(crate) fn home(environment: &Environment) -> String {
    let survey = cowork::bases(environment, None).unwrap();
    let bases = survey.found;
    let mut text = String::new();
    for found in &bases {
        base(&mut text, found, &bases);
    }
    for purpose in [Purpose::Read, Purpose::Write] {
        writeln!(
            text,
            "to {}: {}",
            format!("{purpose:?}").to_lowercase(),
            choice(&cowork::choose(&bases, purpose))
        )
        .unwrap();
    }
    anomalies(&mut text, &survey.anomalies);
    for found in &bases {
        writeln!(text, "\n# {found}").unwrap();
        store(&mut text, found);
        log(&mut text, found);
    }
    text
}

/// A bundle and what belongs to its sessions.
pub(crate) fn bundle(folder: &Path) -> String {
    let survey = cowork::read_bundle(folder).unwrap();
    let bundle = survey.found;
    let mut text = format!("bundle {}, {} inputs\n", bundle.path.display(), survey.inputs.len());
    sessions(&mut text, &bundle.sessions);
    for orphan in &bundle.orphans {
        writeln!(text, "orphan {}", orphan.display()).unwrap();
    }
    writeln!(text, "image: {}", image(bundle.image.as_ref())).unwrap();
    anomalies(&mut text, &survey.anomalies);
    text
}

fn base(text: &mut String, base: &Base, bases: &[Base]) {
    let names: Vec<String> = base
        .names
        .iter()
        .map(|name| format!("{:?}{}", name.origin, if name.enterprise { " (enterprise)" } else { "" }))
        .collect();
    let log = base.newest_log.map_or("none".to_owned(), |at| at.to_string());
    let activity = base.newest_activity.and_then(cowork::Millis::instant);
    let activity = activity.map_or("none".to_owned(), |at| at.to_string());
    writeln!(text, "base {base} as {}", names.join(", ")).unwrap();
    writeln!(
        text,
        "  sessions folder: {}, readable {}, unreadable {}",
        base.has_sessions_folder, base.readable, base.unreadable
    )
    .unwrap();
    writeln!(
        text,
        "  newest activity {activity}, newest log {log}, image {}",
        image(cowork::image_of(base, bases))
    )
    .unwrap();
}

fn choice(choice: &Choice<'_>) -> String {
    let list = |bases: &[&Base]| bases.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
    match choice {
        Choice::Named(base) => format!("{base}, as named"),
        Choice::Only(base) => format!("{base}, the only one"),
        Choice::Newest { chosen, others } => format!("{chosen}, with a newer log than {}", list(others)),
        Choice::Undecided(bases) => format!("ask: {}", list(bases)),
        Choice::Nothing => "nothing".to_owned(),
    }
}

fn store(text: &mut String, base: &Base) {
    let survey = cowork::read(&base.path).unwrap();
    for profile in &survey.found.profiles {
        writeln!(text, "profile {:?} / {:?}", profile.id.account, profile.id.profile).unwrap();
        sessions(text, &profile.sessions);
        for orphan in &profile.orphans {
            writeln!(text, "  orphan {}", orphan.display()).unwrap();
        }
        for space in &profile.spaces {
            let (folders, projects): (Vec<_>, Vec<_>) =
                (space.folders().collect(), space.projects().collect());
            writeln!(text, "  space {} {:?} {folders:?} {projects:?}", space.id, space.name).unwrap();
        }
    }
    for path in &survey.found.not_entered {
        writeln!(text, "not entered: {}", path.display()).unwrap();
    }
    anomalies(text, &survey.anomalies);
    writeln!(text, "{} inputs", survey.inputs.len()).unwrap();
}

fn sessions(text: &mut String, all: &[Session]) {
    for session in all {
        let agent = if session.agent { "agent/" } else { "" };
        let time = if session.mtime.to_string() == FIXED_TIME || session.view().is_none() {
            String::new()
        } else {
            format!(" of {}", session.mtime)
        };
        let name = session.path.file_name().unwrap();
        writeln!(
            text,
            "  session {agent}{}{time}, {} bytes",
            Path::new(name).display().to_string().replace('\n', "\\n"),
            session.bytes
        )
        .unwrap();
        match &session.content {
            Content::Read(view) => told(text, view),
            Content::Quarantined(why) => {
                writeln!(text, "    quarantined: {} [{}]", why.to_string().replace('\n', "\\n"), why.code)
                    .unwrap();
            }
        }
        for path in &session.further {
            writeln!(text, "    further folder {}", path.file_name().unwrap().display()).unwrap();
        }
        contents(text, session, all);
    }
}

/// A line for every member that says something.
fn told(text: &mut String, view: &View) {
    macro_rules! members {
        ($($member:ident)+) => { [$((stringify!($member), format!("{:?}", view.$member))),+] };
    }
    let members = members!(
        session_id created_at last_activity_at process_name cwd cli_session_id title vm_process_name host_loop_mode
        archived session_type space_id model folders folder_kinds mount_names detected_files approved_paths
    );
    for (name, value) in
        members.iter().filter(|(_, value)| !["None", "[]", "false"].contains(&value.as_str()))
    {
        writeln!(text, "    {name}: {value}").unwrap();
    }
    writeln!(text, "    ran in {:?} as {:?}", view.tier(), view.vm_name()).unwrap();
}

fn contents(text: &mut String, session: &Session, all: &[Session]) {
    let survey = cowork::contents(session);
    if session.directory.is_some() {
        let name = survey.found.directory.file_name().unwrap().to_string_lossy().into_owned();
        writeln!(
            text,
            "    folder {name}, {} files, {} bytes may be copied",
            survey.inputs.len(),
            survey.found.bytes()
        )
        .unwrap();
    }
    for item in survey.found.items.iter().filter(|item| item.kind != Kind::Folder) {
        let path = item.relative.to_string_lossy().escape_debug().to_string();
        writeln!(text, "      {path} ({:?} {:?}, {} bytes)", item.role, item.kind, item.bytes).unwrap();
    }
    for item in survey
        .found
        .items
        .iter()
        .filter(|item| item.kind == Kind::Folder && item.relative.components().count() == 1)
    {
        writeln!(text, "      {}/", item.relative.display()).unwrap();
    }
    anomalies(text, &survey.anomalies);
    if session.view().is_some() && cowork::select(all, session.id()) != Selection::One(session) {
        writeln!(text, "    its id does not name it alone").unwrap();
    }
}

fn log(text: &mut String, base: &Base) {
    let log = cowork::read_log(&base.path);
    for event in &log.found {
        let name = event.file.file_name().unwrap().to_string_lossy();
        writeln!(text, "log {} {name}:{} {:?}", event.at, event.line, event.said).unwrap();
    }
    anomalies(text, &log.anomalies);
    for session in cowork::read(&base.path).unwrap().found.sessions() {
        let ids: Vec<&str> =
            [Some(session.id()), session.view().and_then(|view| view.cli_session_id.as_deref())]
                .into_iter()
                .flatten()
                .collect();
        if let Some(last) = cowork::last_word(&log.found, &ids) {
            writeln!(text, "last word on {}: {:?}", session.id(), last.said).unwrap();
        }
    }
}

fn image(image: Option<&cowork::DiskImage>) -> String {
    image.map_or("none".to_owned(), |image| {
        format!("{} ({:?}, {} bytes)", image.path.display(), image.format, image.bytes)
    })
}

fn anomalies(text: &mut String, anomalies: &[Anomaly]) {
    for why in anomalies {
        writeln!(text, "    anomaly: {} [{}]", why.to_string().replace('\n', "\\n"), why.code).unwrap();
    }
}
