//! Somebody at a terminal: a tmux of its own, in which a program runs, with its keys and its screen.

use std::path::Path;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// One person. The terminal is gone, and so is what runs there, when this is dropped.
#[derive(Debug)]
pub struct Person {
    socket: String,
}

static PEOPLE: AtomicU32 = AtomicU32::new(0);

impl Person {
    /// At a terminal of this size, in a shell that has begun nothing yet.
    ///
    /// # Panics
    /// If there is no tmux.
    pub fn sits_down(cols: u16, rows: u16) -> Self {
        let number = PEOPLE.fetch_add(1, Ordering::Relaxed);
        let person = Self { socket: format!("rehome-{}-{number}", std::process::id()) };
        let [cols, rows] = [cols, rows].map(|count| count.to_string());
        // The status line is no part of the screen; a shell that knows nobody says nothing of its own.
        let begin = ["-f", "/dev/null", "new-session", "-d", "-x", &cols, "-y", &rows];
        let shell = "PS1='$ ' LC_ALL=C.UTF-8 exec bash --norc --noprofile";
        person.tmux(&[&begin[..], &[shell, ";", "set", "-g", "status", "off"]].concat());
        person
    }

    fn try_tmux(&self, words: &[&str]) -> Output {
        let mut tmux = Command::new("tmux");
        tmux.env_remove("TMUX").args(["-L", &self.socket]).args(words);
        tmux.output().expect("there is no tmux here: install tmux")
    }

    #[track_caller]
    fn tmux(&self, words: &[&str]) -> String {
        let output = self.try_tmux(words);
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Types this line, and Enter.
    #[track_caller]
    pub fn types(&self, line: &str) {
        self.tmux(&["send-keys", "-l", "--", line]);
        self.presses(&["Enter"]);
    }

    /// Presses keys by their names: `C-b`, `d`, `Up`.
    #[track_caller]
    pub fn presses(&self, keys: &[&str]) {
        self.tmux(&[&["send-keys"], keys].concat());
    }

    /// What he sees, without the blanks at the ends.
    #[track_caller]
    pub fn sees(&self) -> String {
        self.tmux(&["capture-pane", "-p"]).trim_end().to_owned()
    }

    /// Something of his terminal, in tmux's words: `#{alternate_on}`.
    #[track_caller]
    pub fn about(&self, format: &str) -> String {
        self.tmux(&["display-message", "-p", format]).trim_end().to_owned()
    }

    /// Waits until his screen is so, and gives it.
    ///
    /// # Panics
    /// If it never is.
    #[track_caller]
    pub fn waits_for(&self, what: &str, is_so: impl Fn(&str) -> bool) -> String {
        let begun = Instant::now();
        loop {
            let seen = self.sees();
            if is_so(&seen) {
                return seen;
            }
            assert!(begun.elapsed() < Duration::from_mins(1), "never {what}, but:\n{seen}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Waits until this text is on his screen.
    #[track_caller]
    pub fn waits_to_see(&self, text: &str) -> String {
        self.waits_for(text, |seen| seen.contains(text))
    }

    /// His window has another size.
    #[track_caller]
    pub fn resizes(&self, cols: u16, rows: u16) {
        self.tmux(&["resize-window", "-x", &cols.to_string(), "-y", &rows.to_string()]);
    }

    /// Writes down how his terminal is set, as it is between two commands.
    #[track_caller]
    pub fn notes_settings(&self, to: &Path) -> String {
        self.types(&format!("stty -g > {0}.new; mv {0}.new {0}", to.display()));
        let begun = Instant::now();
        while !to.exists() {
            assert!(begun.elapsed() < Duration::from_mins(1), "no shell, but:\n{}", self.sees());
            std::thread::sleep(Duration::from_millis(50));
        }
        let noted = std::fs::read_to_string(to).expect("it was written");
        std::fs::remove_file(to).expect("it is ours");
        noted
    }

    /// His terminal is gone from one moment to the next.
    pub fn vanishes(self) {
        drop(self);
    }
}

impl Drop for Person {
    fn drop(&mut self) {
        self.try_tmux(&["kill-server"]);
    }
}
