//! Which session somebody means (formats/cowork.md F): by the beginning of an id, or by its title.

use super::session::Session;

/// The sessions that somebody may mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection<'a> {
    /// This one.
    One(&'a Session),
    /// One of these: the user must say which.
    Several(Vec<&'a Session>),
    /// None.
    Nothing,
}

/// Finds the session that `wanted` names: its whole id; else the beginning of an id (with or without `local_`, of the
/// session or of its transcript) or its title; else a part of its title. Letter case does not matter.
///
/// A sidecar that cannot be read is found too, by its name: "that one is damaged" is a better answer than "none".
pub fn select<'a>(sessions: impl IntoIterator<Item = &'a Session>, wanted: &str) -> Selection<'a> {
    let wanted = wanted.trim().to_lowercase();
    if wanted.is_empty() {
        return Selection::Nothing;
    }
    let ranked = sessions.into_iter().filter_map(|session| Some((rank(session, &wanted)?, session)));
    let ranked: Vec<(Rank, &Session)> = ranked.collect();
    let best = ranked.iter().map(|(rank, _)| *rank).min();
    let meant: Vec<&Session> =
        ranked.iter().filter(|(rank, _)| Some(*rank) == best).map(|(_, session)| *session).collect();
    match meant.as_slice() {
        [] => Selection::Nothing,
        [one] => Selection::One(one),
        _ => Selection::Several(meant),
    }
}

/// How well a session fits, the best first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    WholeId,
    BeginningOrTitle,
    PartOfTitle,
}

fn rank(session: &Session, wanted: &str) -> Option<Rank> {
    let id = session.id().to_lowercase();
    let cli = session.view().and_then(|view| view.cli_session_id.as_deref()).map(str::to_lowercase);
    let title = session.view().and_then(|view| view.title.as_deref()).map(str::to_lowercase);
    let names = [Some(id.as_str()), id.strip_prefix("local_"), cli.as_deref()];
    let mut names = names.into_iter().flatten();
    match title.as_deref() {
        _ if names.clone().any(|name| name == wanted) => Some(Rank::WholeId),
        Some(title) if title.trim() == wanted => Some(Rank::BeginningOrTitle),
        _ if names.any(|name| name.starts_with(wanted)) => Some(Rank::BeginningOrTitle),
        Some(title) if title.contains(wanted) => Some(Rank::PartOfTitle),
        _ => None,
    }
}
