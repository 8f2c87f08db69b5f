//! A whole run of the tool, struck at every single effect it has on the disk, git's among them.

use testkit::crash::{Blow, Effect};
use testkit::tree::Tree;

use crate::home::Home;

/// A home that is laid out again and again at one path, and what an undisturbed run makes of it.
struct Struck {
    home: Home,
    case: &'static str,
    arguments: &'static [&'static str],
    effects: Vec<Effect>,
    migrated: (Tree, String),
}

impl Struck {
    fn new(case: &'static str, arguments: &'static [&'static str]) -> Self {
        let home = Home::in_memory(case);
        let effects = home.tool(arguments).effects();
        assert!(effects.len() > 50, "only {} effects: the loop would prove little", effects.len());
        let migrated = migrated(&home);
        Self { home, case, arguments, effects, migrated }
    }

    /// After every blow: what a person would type next brings the home to where it should be, and back.
    fn strike(&self, blow: Blow) {
        for effect in &self.effects {
            let when = format!("after {blow:?} at {effect}");
            let before = self.strike_once(effect, blow);
            self.go_on(&when);
            assert_eq!(self.migrated.1, migrated(&self.home).1, "resumed {when}");
            self.migrated.0.assert_same(&migrated(&self.home).0, &format!("resumed {when}"));
            self.home.expect_said(0, &["undo"], &when);
            self.assert_restored(&before, &format!("undone, resumed {when}"));

            let before = self.strike_once(effect, blow);
            if self.home.has_run() {
                self.home.expect_said(0, &["undo"], &when);
            } else {
                self.home.close_database(); // nothing was done but to open it, and whoever opens it next cleans up
            }
            self.assert_restored(&before, &format!("undone {when}"));
        }
    }

    /// The home before the blow.
    fn strike_once(&self, effect: &Effect, blow: Blow) -> (Tree, String) {
        self.home.begin_again(self.case);
        let before = (self.home.files(), self.home.dump());
        self.home.tool(self.arguments).run_struck(effect, blow);
        before
    }

    /// The same command again; if it says that a run must be resumed first, that.
    fn go_on(&self, when: &str) {
        let again = self.home.run(self.arguments);
        match again.code {
            Some(0) => self.home.close_database(), // all was done but that, and a run with nothing to do leaves it
            Some(7) => self.home.expect_said(0, &["resume"], when),
            code => panic!("{when}: exit {code:?}\n{}{}", again.stdout, again.stderr),
        }
    }

    #[track_caller]
    fn assert_restored(&self, before: &(Tree, String), when: &str) {
        before.0.assert_same(&self.home.files(), when);
        assert_eq!(before.1, self.home.dump(), "{when}");
    }
}

/// What a run leaves, without what git and the clock make different every time.
fn migrated(home: &Home) -> (Tree, String) {
    (home.files().without(&["src"]).without_times(), home.dump())
}

#[test]
fn killed_at_any_effect_nothing_is_lost_and_nothing_half_done() {
    Struck::new("small", &[]).strike(Blow::Kill);
}

#[test]
fn a_full_disk_at_any_effect_leaves_nothing_half_done() {
    Struck::new("small", &[]).strike(Blow::Error("ENOSPC"));
}

#[test]
fn a_failing_disk_at_any_effect_leaves_nothing_half_done() {
    Struck::new("small", &[]).strike(Blow::Error("EIO"));
}

#[test]
fn killed_at_any_effect_of_ours_or_of_git_uncommitted_work_is_safe() {
    Struck::new("worktree", &["--move-worktrees"]).strike(Blow::Kill);
}
