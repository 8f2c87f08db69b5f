//! Operations on the sessions of this machine, struck at every single effect: what others see is the old or the new.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::cell::Cell;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use session_control::{Containers, Local, LocalHost, Profile, Session, SessionHost, Wishes};
use testkit::crash::{Blow, Program, example, place};
use testkit::tree::Tree;

const UUID: &str = "3f0c1d2e-5b6a-4c7d-8e9f-0a1b2c3d4e5f";
const OTHER: &str = "9a8b7c6d-1e2f-4a3b-8c4d-5e6f7a8b9c0d";

/// A base with a template, a session and one that is nobody's concern.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = place();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at(".skel")).unwrap();
        fs::write(at(".skel/CLAUDE.md"), "be kind").unwrap();
        for (uuid, name) in [(UUID, "one"), (OTHER, "other")] {
            fs::create_dir_all(at(uuid).join("notes")).unwrap();
            fs::write(at(uuid).join("notes/first"), "months of conversation").unwrap();
            symlink("notes", at(uuid).join("link")).unwrap();
            let document =
                format!("{{\"uuid\": \"{uuid}\", \"name\": \"{name}\", \"port\": 1001, \"later\": 1}}");
            fs::write(at(uuid).join("session.json"), document).unwrap();
        }
        Self { folder }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn program(&self, words: &[&str]) -> Program {
        words.iter().fold(Program::new(example("local_sessions")).arg(self.folder.path()), Program::arg)
    }

    fn host(&self) -> LocalHost {
        let none = PathBuf::from("/no/engine");
        let containers = Containers { program: none.clone(), socket: none, ..Containers::default() };
        LocalHost::new(Local { containers, ..Local::new(self.folder.path(), Profile::CONVOCATE) })
    }

    fn tree(&self, uuid: &str) -> Tree {
        Tree::of(&self.at(uuid))
    }

    /// The sessions that there are but for the one that is nobody's concern, which is as it was.
    fn sessions(&self, when: &str) -> Vec<Session> {
        let mut sessions = self.host().list().unwrap();
        let other = sessions.iter().position(|session| session.uuid == OTHER);
        sessions.remove(other.unwrap_or_else(|| panic!("{when}")));
        Self::new().tree(OTHER).without_times().assert_same(&self.tree(OTHER).without_times(), when);
        sessions
    }

    /// Whatever was left lying about goes with what is done next, and nothing stands in its way.
    fn goes_on(&self, when: &str) {
        let mut host = self.host();
        for session in self.sessions(when) {
            let id = session.id().unwrap();
            assert!(session.lock_stale.unwrap_or(true), "{when}");
            let wishes = Wishes { name: "next".into(), ..Wishes::default() };
            host.edit(&id, &wishes).unwrap_or_else(|error| panic!("{when}: {error}"));
            let copy = host.duplicate(&id, "copy").unwrap_or_else(|error| panic!("{when}: {error}"));
            let but = ["session.json"];
            self.tree(&id.to_string()).without(&but).assert_same(&self.tree(&copy.uuid).without(&but), when);
            for id in [id, copy.id().unwrap()] {
                host.delete(&id).unwrap_or_else(|error| panic!("{when}: {error}"));
            }
        }
        let made = host.create(&Wishes { name: "new".into(), port: -1, ..Wishes::default() });
        let made = made.unwrap_or_else(|error| panic!("{when}: {error}"));
        assert_eq!(made.port, 1002, "{when}");
        let mut expected = [".skel".to_owned(), OTHER.to_owned(), made.uuid];
        expected.sort();
        let mut names: Vec<_> = fs::read_dir(self.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, expected, "{when}");
    }
}

/// Strikes at every effect of an operation. `holds` looks at what is to be seen then.
fn strike(blow: Blow, words: &[&str], holds: impl Fn(&Place, &[Session], &str)) {
    let effects = Place::new().program(words).effects();
    assert!(effects.len() > 5, "only {} effects: the loop would prove little", effects.len());
    for effect in effects {
        let when = format!("{words:?} after {blow:?} at {effect}");
        let place = Place::new();
        let output = place.program(words).run_struck(&effect, blow);
        let sessions = place.sessions(&when);
        holds(&place, &sessions, &when);
        if blow != Blow::Kill && !effect.is("write", "1<") {
            let is_done = !matches!(&sessions[..], [session] if session.name == "one");
            assert_eq!(output.status.success(), is_done, "{when}");
        }
        place.goes_on(&when);
    }
}

/// The session is as it was, whatever became of others.
fn is_as_before(place: &Place, when: &str) {
    let left_by_an_edit = [".session.json.rehome-control.tmp"];
    let found = place.tree(UUID).without(&left_by_an_edit).without_times();
    Place::new().tree(UUID).without_times().assert_same(&found, when);
}

#[test]
fn struck_at_any_effect_a_session_is_made_whole_or_not_at_all() {
    for blow in [Blow::Kill, Blow::Error("ENOSPC")] {
        strike(blow, &["new", "made"], |place, sessions, when| {
            is_as_before(place, when);
            for session in sessions.iter().filter(|session| session.uuid != UUID) {
                assert_eq!((session.name.as_str(), session.port), ("made", 1002), "{when}");
                let names = place.tree(&session.uuid).names();
                let settings = [".credentials.json", "plugins", "settings.json", "settings.local.json"];
                let settings = settings.map(|name| format!(".claude/{name}"));
                let expected = [".claude"].into_iter().chain(settings.iter().map(String::as_str));
                let expected: Vec<_> = expected.chain(["CLAUDE.md", "session.json"]).collect();
                assert_eq!(names, expected, "{when}");
            }
        });
    }
}

#[test]
fn struck_at_any_effect_an_edit_is_done_or_not() {
    let seen = [Cell::new(false), Cell::new(false)];
    let holds = |place: &Place, sessions: &[Session], when: &str| {
        let [session] = sessions else { panic!("{when}: {sessions:?}") };
        let edited = session.name == "edited";
        assert!(edited || session.name == "one", "{when}");
        if edited {
            let text = fs::read_to_string(place.at(UUID).join("session.json")).unwrap();
            let expected =
                "\"name\": \"edited\",\n  \"port\": 1002,\n  \"protocol\": \"tcp\",\n  \"later\": 1\n}";
            assert!(text.ends_with(expected), "{when}: {text}");
        } else {
            is_as_before(place, when);
        }
        seen[usize::from(edited)].set(true);
    };
    for blow in [Blow::Kill, Blow::Error("EIO")] {
        strike(blow, &["edit", UUID, "edited"], holds);
    }
    assert_eq!(seen, [Cell::new(true), Cell::new(true)]);
}

#[test]
fn struck_at_any_effect_a_copy_is_whole_or_not_there() {
    for blow in [Blow::Kill, Blow::Error("ENOSPC")] {
        strike(blow, &["clone", UUID, "copy"], |place, sessions, when| {
            is_as_before(place, when);
            for session in sessions.iter().filter(|session| session.uuid != UUID) {
                assert_eq!((session.name.as_str(), session.port), ("copy", 0), "{when}");
                let but = ["session.json"];
                place.tree(UUID).without(&but).assert_same(&place.tree(&session.uuid).without(&but), when);
            }
        });
    }
}

#[test]
fn struck_at_any_effect_a_session_is_there_whole_or_no_more() {
    for blow in [Blow::Kill, Blow::Error("EIO")] {
        strike(blow, &["delete", UUID], |place, sessions, when| match sessions {
            [] => assert!(!place.at(UUID).exists(), "{when}"),
            _ => is_as_before(place, when),
        });
    }
}
