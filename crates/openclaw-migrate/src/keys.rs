//! Which key leads to which session (formats/openclaw.md §11, "Key"): no key is lost, and no two sessions share one.

use std::collections::{BTreeMap, BTreeSet};

use session_model::Finding;
use session_store::{AgentId, default_key, full_key};

/// A session that needs a key.
#[derive(Debug, Clone)]
pub(crate) struct Claimant<'a> {
    pub(crate) id: &'a str,
    /// The key that its own metadata names.
    pub(crate) explicit: Option<String>,
}

/// The keys of a session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Keys {
    /// The one that names its entry; none is left where others have taken all it could have.
    pub(crate) primary: Option<String>,
    /// Whether the store has its entry already.
    pub(crate) is_there: bool,
    /// Others that must lead to it, and do not yet.
    pub(crate) aliases: Vec<String>,
    pub(crate) findings: Vec<Finding>,
}

/// A wish for a key. The order is that in which wishes are heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Claim {
    is_not_in_map: bool,
    rank: u8,
    session: usize,
    is_alias: bool,
}

/// Gives every session its keys. `taken` are those of the store, with the session that each leads to.
pub(crate) fn assign(
    agent: &AgentId,
    sessions: &[Claimant<'_>],
    map: &[(String, String)],
    taken: &BTreeMap<String, String>,
) -> Vec<Keys> {
    let mut assigned: Vec<Keys> = vec![Keys::default(); sessions.len()];
    let mut claims: BTreeMap<String, Vec<Claim>> = BTreeMap::new();
    let in_map = by_id(map.iter().map(|(key, id)| (key, id)));
    let in_store = by_id(taken);
    for (session, claimant) in sessions.iter().enumerate() {
        let keys = &mut assigned[session];
        let mapped = in_map.get(claimant.id).map_or(&[][..], Vec::as_slice);
        let (wanted, rank) = wanted(agent, claimant, mapped, keys);
        let is_not_in_map = !mapped.contains(&wanted.as_str());
        let there = in_store.get(claimant.id).map_or(&[][..], Vec::as_slice);
        let names_entry = match there {
            [] => wanted.clone(),
            _ if there.contains(&wanted.as_str()) => wanted.clone(),
            [first, ..] => {
                // A key of the map leads to it from now on, or is told to collide.
                if is_not_in_map {
                    keys.findings.push(differs(first, &wanted));
                }
                (*first).to_owned()
            }
        };
        for alias in mapped.iter().filter(|key| **key != names_entry && !there.contains(key)) {
            let claim = Claim { is_not_in_map: false, rank: 2, session, is_alias: true };
            claims.entry((*alias).to_owned()).or_default().push(claim);
        }
        if there.is_empty() {
            let claim = Claim { is_not_in_map, rank, session, is_alias: false };
            claims.entry(wanted).or_default().push(claim);
        } else {
            keys.is_there = true;
            keys.primary = Some(names_entry);
        }
    }
    let losers = settle(claims, sessions, taken, &mut assigned);
    give_full_keys(agent, sessions, taken, &losers, &mut assigned);
    assigned
}

/// The key that a session should have, and by which rule.
fn wanted(agent: &AgentId, claimant: &Claimant<'_>, mapped: &[&str], keys: &mut Keys) -> (String, u8) {
    match (&claimant.explicit, mapped) {
        (Some(key), []) => (key.clone(), 1),
        (Some(key), mapped) => {
            if !mapped.contains(&key.as_str()) {
                let message =
                    format!("its metadata and the session map name different keys; {key} names the entry");
                keys.findings.push(Finding::warning("key-disagreement", message));
            }
            (key.clone(), 1)
        }
        (None, [first, ..]) => ((*first).to_owned(), 2),
        (None, []) => (default_key(agent, claimant.id), 3),
    }
}

/// Hears every wish, and answers which sessions have no key after that.
fn settle(
    claims: BTreeMap<String, Vec<Claim>>,
    sessions: &[Claimant<'_>],
    taken: &BTreeMap<String, String>,
    assigned: &mut [Keys],
) -> Vec<usize> {
    let mut losers = Vec::new();
    for (key, mut claims) in claims {
        claims.sort();
        let holder = taken.get(&key).map(String::as_str);
        let winner = if holder.is_none() { claims.first().copied() } else { None };
        for claim in claims {
            let keys = &mut assigned[claim.session];
            if Some(claim) == winner {
                if claim.is_alias {
                    let message = format!("{key} leads to it as well");
                    keys.findings.push(Finding::note("alias-key", message));
                    keys.aliases.push(key.clone());
                } else {
                    keys.primary = Some(key.clone());
                }
                continue;
            }
            let other = holder.or(winner.map(|winner| sessions[winner.session].id)).unwrap_or_default();
            let message = format!("{key} leads to session {other}, so it does not lead to this one");
            keys.findings.push(Finding::warning("key-collision", message));
            if !claim.is_alias {
                losers.push(claim.session);
            }
        }
    }
    losers
}

/// Those who have lost are found under their whole id.
fn give_full_keys(
    agent: &AgentId,
    sessions: &[Claimant<'_>],
    taken: &BTreeMap<String, String>,
    losers: &[usize],
    assigned: &mut [Keys],
) {
    let given = assigned.iter().flat_map(|keys| keys.primary.iter().chain(&keys.aliases)).cloned();
    let mut used: BTreeSet<String> = given.chain(taken.keys().cloned()).collect();
    for &loser in losers {
        let key = full_key(agent, sessions[loser].id);
        assigned[loser].primary = used.insert(key.clone()).then_some(key);
    }
}

fn differs(there: &str, wanted: &str) -> Finding {
    let message = format!("the store has it under {there}, so {wanted} does not lead to it");
    Finding::warning("key-differs", message)
}

fn by_id<'a>(entries: impl IntoIterator<Item = (&'a String, &'a String)>) -> BTreeMap<&'a str, Vec<&'a str>> {
    let mut by_id: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (key, id) in entries {
        by_id.entry(id).or_default().push(key);
    }
    by_id
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(
        sessions: &[(&str, Option<&str>)],
        map: &[(&str, &str)],
        taken: &[(&str, &str)],
    ) -> Vec<(Option<String>, Vec<String>, Vec<String>)> {
        let agent = AgentId::parse("main").unwrap();
        let sessions: Vec<Claimant<'_>> =
            sessions.iter().map(|(id, key)| Claimant { id, explicit: key.map(str::to_owned) }).collect();
        let map: Vec<(String, String)> =
            map.iter().map(|(key, id)| ((*key).to_owned(), (*id).to_owned())).collect();
        let taken = taken.iter().map(|(key, id)| ((*key).to_owned(), (*id).to_owned())).collect();
        let codes = |keys: &Keys| keys.findings.iter().map(|finding| finding.code.clone()).collect();
        assign(&agent, &sessions, &map, &taken)
            .into_iter()
            .map(|keys| (keys.primary.clone(), keys.aliases.clone(), codes(&keys)))
            .collect()
    }

    fn of(primary: &str, aliases: &[&str], codes: &[&str]) -> (Option<String>, Vec<String>, Vec<String>) {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        (Some(primary.to_owned()), owned(aliases), owned(codes))
    }

    #[test]
    fn a_key_that_was_typed_comes_before_the_map_and_the_map_before_the_id() {
        let found = keys(
            &[("aaaaaaaa-1", Some("agent:main:x")), ("bbbbbbbb-1", None), ("cccccccc-1", None)],
            &[("agent:main:telegram:dm:u", "bbbbbbbb-1")],
            &[],
        );
        assert_eq!(
            found,
            [
                of("agent:main:x", &[], &[]),
                of("agent:main:telegram:dm:u", &[], &[]),
                of("agent:main:cccccccc", &[], &[]),
            ]
        );
    }

    #[test]
    fn no_two_sessions_share_a_key_and_none_is_without() {
        let found = keys(
            &[
                ("aaaaaaaa-1", None),
                ("aaaaaaaa-2", None),
                ("b", Some("agent:main:aaaaaaaa-2")),
                ("c", Some("k")),
                ("d", Some("k")),
            ],
            &[("k", "d")],
            &[],
        );
        assert_eq!(
            found,
            [
                of("agent:main:aaaaaaaa", &[], &[]),
                (None, vec![], vec!["key-collision".to_owned()]),
                of("agent:main:aaaaaaaa-2", &[], &[]),
                of("agent:main:c", &[], &["key-collision"]),
                of("k", &[], &[]),
            ],
            "the one that the map names comes first; whose whole id is taken as well has no key"
        );
    }

    #[test]
    fn every_key_of_the_map_leads_to_its_session() {
        let map = [("k1", "a"), ("k2", "a"), ("k3", "a"), ("k3b", "b")];
        assert_eq!(
            keys(&[("a", None), ("b", Some("k2"))], &map, &[]),
            [
                of("k1", &["k2", "k3"], &["alias-key", "alias-key"]),
                of("agent:main:b", &["k3b"], &["key-disagreement", "key-collision", "alias-key"]),
            ]
        );
        assert_eq!(
            keys(&[("a", Some("own"))], &map, &[]),
            [of("own", &["k1", "k2", "k3"], &["key-disagreement", "alias-key", "alias-key", "alias-key"])]
        );
    }

    #[test]
    fn what_the_store_says_already_stays() {
        let map = [("k", "a"), ("other", "a")];
        assert_eq!(
            keys(&[("a", None)], &map, &[("old", "a"), ("other", "x")]),
            [of("old", &["k"], &["alias-key", "key-collision"])]
        );
        assert_eq!(keys(&[("a", Some("own"))], &[], &[("old", "a")]), [of("old", &[], &["key-differs"])]);
        assert_eq!(
            keys(&[("a", None)], &[], &[("agent:main:a", "x")]),
            [(None, vec![], vec!["key-collision".to_owned()])]
        );
    }
}
