//! Which session, and which profile, somebody means.

use std::ffi::OsStr;
use std::fs;

use legacy_readers::cowork::{self, OwnerId, ProfileId, Selection, Store};
use serde_json::json;
use testkit::cowork::{ACCOUNT, PROFILE, Session};

use crate::{base, profile};

/// Three sessions, and a sidecar that cannot be read.
fn store() -> Store {
    let home = tempfile::tempdir().unwrap();
    let profile = profile(home.path());
    for (number, title) in [(0xadd0_0001, "Plan"), (0xadd0_0002, "Plan the move"), (0x1234_0003, "Add")] {
        Session::numbered(number).with(&json!({ "title": title })).lay_out(&profile);
    }
    fs::write(profile.join("local_bad00004.json"), "{").unwrap();
    cowork::read(&base(home.path())).unwrap().found
}

fn selected(wanted: &str) -> String {
    let store = store();
    let name = |session: &cowork::Session| session.id()[6..14].to_owned();
    match cowork::select(store.sessions(), wanted) {
        Selection::One(session) => name(session),
        Selection::Several(sessions) => sessions.into_iter().map(name).collect::<Vec<_>>().join("|"),
        Selection::Nothing => "nothing".to_owned(),
    }
}

#[test]
fn a_session_is_found_by_the_beginning_of_its_id_or_by_its_title() {
    for (wanted, expected) in [
        ("add00001-5e11-4c0f-9d3a-1b2c3d4e5f60", "add00001"),
        ("local_ADD00002", "add00002"),
        ("12340003", "12340003"),
        ("12340003-c11c-4a77-8b1e-0f9e8d7c6b5a", "12340003"),
        ("plan", "add00001"),
        (" plan the MOVE ", "add00002"),
        ("the move", "add00002"),
        ("bad00004", "bad00004"),
        ("00001", "nothing"),
        ("", "nothing"),
        ("  ", "nothing"),
    ] {
        assert_eq!(selected(wanted), expected, "{wanted:?}");
    }
}

#[test]
fn what_may_mean_several_sessions_is_never_decided_for_the_user() {
    assert_eq!(selected("local_"), "12340003|add00001|add00002|bad00004");
    assert_eq!(selected("add"), "12340003|add00001|add00002");
    assert_eq!(selected("pla"), "add00001|add00002");
}

#[test]
fn the_profile_of_a_login_is_found_by_either_form_of_its_ids_and_never_guessed() {
    let id = |account: &str, profile: &str| ProfileId {
        account: OwnerId::from_name(OsStr::new(account)).unwrap(),
        profile: OwnerId::from_name(OsStr::new(profile)).unwrap(),
    };
    let home = tempfile::tempdir().unwrap();
    let account = profile(home.path()).parent().unwrap().to_path_buf();
    let matching = |id: &ProfileId| {
        let store = cowork::read(&base(home.path())).unwrap().found;
        store.matching(id).iter().map(|profile| profile.id.profile.as_str().to_owned()).collect::<Vec<_>>()
    };
    for same in [id(ACCOUNT, PROFILE), id(&ACCOUNT[..8], PROFILE), id(&ACCOUNT.to_uppercase(), &PROFILE[..8])]
    {
        assert_eq!(matching(&same), [PROFILE]);
    }
    assert!(matching(&id(PROFILE, PROFILE)).is_empty());
    assert!(matching(&id(ACCOUNT, ACCOUNT)).is_empty());
    fs::create_dir(account.join(&PROFILE[..8])).unwrap();
    assert_eq!(matching(&id(ACCOUNT, PROFILE)).len(), 2);
}
