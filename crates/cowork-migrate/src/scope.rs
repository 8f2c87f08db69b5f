//! What this tool does not move, each with its own sentence (formats/cowork.md F).

use std::path::Path;

use legacy_readers::cowork::{Selection, Session, View, select};
use migration_cli::{Refusal, shell_word};
use session_model::{Finding, ForeignPath, PathStyle};

use crate::places::{Destination, Source, System};

/// The session that `--session` means.
pub(crate) fn selected<'s>(source: &'s Source, wanted: Option<&str>) -> Result<&'s Session, Refusal> {
    let Some(wanted) = wanted else {
        return match source.sessions.as_slice() {
            [only] => Ok(only),
            all => Err(Refusal::usage(
                "which-session",
                format!("expected --session, since {} sessions are there", all.len()),
                "--session ID-PREFIX or TITLE",
            )
            .findings(all.iter().map(listed).collect())),
        };
    };
    match select(&source.sessions, wanted) {
        Selection::One(session) if is_space(source, wanted) && !is_named(session, wanted) => Err(a_space()),
        Selection::One(session) => Ok(session),
        Selection::Several(several) => Err(Refusal::new(
            "ambiguous-session",
            format!("expected --session to mean one session, found {} that it may mean", several.len()),
            "give more of the id",
        )
        .findings(several.into_iter().map(listed).collect())),
        Selection::Nothing => Err(nothing(source, wanted)),
    }
}

/// Whether a space is called so.
fn is_space(source: &Source, wanted: &str) -> bool {
    let is_it = |name: &str| !name.is_empty() && name.eq_ignore_ascii_case(wanted.trim());
    source.spaces.iter().any(|space| is_it(&space.id) || is_it(&space.name))
}

/// Whether more than a part of the title is called so.
fn is_named(session: &Session, wanted: &str) -> bool {
    let title = session.view().and_then(|view| view.title.as_deref()).unwrap_or_default();
    !title.to_lowercase().contains(&wanted.trim().to_lowercase())
        || title.trim().eq_ignore_ascii_case(wanted.trim())
}

fn a_space() -> Refusal {
    Refusal::new(
        "a-space",
        "spaces and their projects are not moved, only sessions",
        "make the space anew in the new profile, and move its sessions one by one",
    )
}

fn nothing(source: &Source, wanted: &str) -> Refusal {
    if is_space(source, wanted) {
        return a_space();
    }
    let message =
        format!("expected a session that --session may mean in {}, found none", source.place().display());
    Refusal::new("no-session", message, format!("`{}` lists the sessions", looking_at(&source.place())))
}

/// The command that lists what is at a place.
fn looking_at(place: &Path) -> String {
    format!("cowork-migrate inventory --from {}", shell_word(place))
}

fn listed(session: &Session) -> Finding {
    let title = session.view().and_then(|view| view.title.as_deref()).unwrap_or("(no title)");
    Finding::note("session", format!("{}  {title}", session.id()))
}

/// What its sidecar says; one that cannot be read is not moved.
pub(crate) fn readable(session: &Session) -> Result<&View, Refusal> {
    session.view().ok_or_else(|| {
        let anomaly = match &session.content {
            legacy_readers::cowork::Content::Quarantined(anomaly) => anomaly.to_string(),
            legacy_readers::cowork::Content::Read(_) => String::new(),
        };
        let message = format!("cannot move a session whose sidecar cannot be read: {anomaly}");
        Refusal::new(
            "unreadable-sidecar",
            message,
            "the application skips such a session too; repair the file first",
        )
    })
}

/// Only sessions of Windows are moved, and only between profiles of one login.
pub(crate) fn check(
    source: &Source,
    view: &View,
    destination: &Destination,
) -> Result<Vec<Finding>, Refusal> {
    let from = if source.system == System::Windows { system_of(view) } else { source.system };
    let from_place = source.place();
    let places = [("from", from, &from_place), ("to", destination.system, &destination.profile.path)];
    for (what, system, place) in places {
        if system != System::Windows {
            let message =
                format!("moving {what} {} is not supported: only Windows profiles are", system.name());
            return Err(Refusal::new(
                "not-windows",
                message,
                format!("`{}` can look at it", looking_at(place)),
            ));
        }
    }
    let id = &destination.profile.id;
    let mut findings = Vec::new();
    match &source.id {
        None => findings.push(Finding::warning(
            "account-unchecked",
            "the bundle does not say which account it is from; another account's session would not load",
        )),
        Some(from) if !from.account.may_be(&id.account) => {
            return Err(other("other-account", "account", from.account.as_str(), id.account.as_str()));
        }
        Some(from) if !from.profile.may_be(&id.profile) => {
            return Err(other("other-profile", "organisation", from.profile.as_str(), id.profile.as_str()));
        }
        Some(_) => {}
    }
    if view.space_id.is_some() {
        findings.push(Finding::warning(
            "in-a-space",
            "the session belongs to a space, which does not come with it; it should load all the same",
        ));
    }
    Ok(findings)
}

fn other(code: &str, what: &str, from: &str, to: &str) -> Refusal {
    let message =
        format!("moving to another {what} is not supported: the session is of {from}, the profile of {to}");
    Refusal::new(code, message, "sign in there with the same login once, then name that profile with --to")
}

/// Paths of the host tell where a session ran; those of the virtual machine do not.
fn system_of(view: &View) -> System {
    let paths = view.folders.iter().chain([&view.cwd]).filter_map(|path| path.parse::<ForeignPath>().ok());
    let mut posix = paths.filter(|path| path.style() == PathStyle::Posix);
    let first =
        |path: &ForeignPath| path.components().first().map(String::as_str).unwrap_or_default().to_owned();
    match posix.find(|path| first(path) != "sessions") {
        None => System::Windows,
        Some(path) if first(&path) == "Users" => System::MacOs,
        Some(_) => System::Linux,
    }
}
