//! A real terminal with the program on it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

pub(crate) const TOOL: &str = env!("CARGO_BIN_EXE_convocate-session");

/// A terminal of 80x24 in a tmux of its own, in which the program runs.
pub(crate) struct Tmux {
    folder: tempfile::TempDir,
}

impl Tmux {
    /// Runs the program with these options, under `$UNDER` if that is set. Before and after it the terminal's settings are
    /// written down.
    pub(crate) fn with(options: &[(&str, &Path)], env: &[(&str, &str)]) -> Self {
        let folder = testkit::crash::place();
        let at = |name: &str| folder.path().join(name).display().to_string();
        let words: Vec<String> =
            options.iter().map(|(option, value)| format!("{option} {}", value.display())).collect();
        let env: Vec<String> = env.iter().map(|(name, value)| format!("export {name}='{value}'\n")).collect();
        let script = format!(
            "{}stty -a > {before}\nsh -c 'echo $$ > {pid}; exec $UNDER {TOOL} --state-dir {state} {}'\necho $? > {code}.new\n\
             stty -a > {after}\nmv {code}.new {code}\nexec sleep 1000\n",
            env.concat(),
            words.join(" "),
            before = at("before"),
            after = at("after"),
            pid = at("pid"),
            code = at("code"),
            state = at("state"),
        );
        fs::write(folder.path().join("script"), script).unwrap();
        let tmux = Self { folder };
        tmux.run(&[
            "new-session",
            "-d",
            "-x",
            "80",
            "-y",
            "24",
            &format!("sh {}", tmux.at("script").display()),
        ]);
        tmux
    }

    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn run(&self, words: &[&str]) -> String {
        let mut tmux = Command::new("tmux");
        tmux.arg("-S").arg(self.at("socket")).args(["-f", "/dev/null", "-u"]).args(words);
        tmux.env("TERM", "screen-256color").env_remove("TMUX").env("TZ", "UTC");
        let output = tmux.output().expect("there is a tmux: install tmux");
        assert!(output.status.success(), "tmux {words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// What stands on the screen, without what is another every time: times, the load, and ids.
    pub(crate) fn screen(&self) -> String {
        let text = self.run(&["capture-pane", "-p"]);
        let lines: Vec<String> = text.lines().map(without_chance).collect();
        lines.join("\n").trim_end().to_owned()
    }

    /// The same without the line above the keys, where words stand for a while only.
    #[track_caller]
    pub(crate) fn golden(&self, words: &str) -> String {
        let screen = self.shows(words);
        let lines = screen.lines().enumerate().filter(|(at, _)| *at != 22);
        lines.map(|(_, line)| line).collect::<Vec<_>>().join("\n")
    }

    /// Waits until this stands there.
    #[track_caller]
    pub(crate) fn shows(&self, words: &str) -> String {
        wait(
            || Some(self.screen()).filter(|screen| screen.contains(words)),
            || format!("{words:?} is not to be seen in\n{}", self.screen()),
        )
    }

    /// The same until this is to be seen no more.
    #[track_caller]
    pub(crate) fn hides(&self, words: &str) -> String {
        wait(
            || Some(self.screen()).filter(|screen| !screen.contains(words)),
            || format!("{words:?} is still to be seen in\n{}", self.screen()),
        )
    }

    /// Has another size.
    pub(crate) fn resizes(&self, columns: u16, rows: u16) -> &Self {
        self.run(&["resize-window", "-x", &columns.to_string(), "-y", &rows.to_string()]);
        self
    }

    /// Types these keys, in the words of tmux.
    pub(crate) fn types(&self, keys: &[&str]) -> &Self {
        self.run(&[&["send-keys"], keys].concat());
        self
    }

    /// Waits until the program has ended, and tells how; the terminal is as it was.
    #[track_caller]
    pub(crate) fn ends(&self) -> String {
        let code =
            wait(|| fs::read_to_string(self.at("code")).ok(), || format!("it runs:\n{}", self.screen()));
        let settings = |name: &str| fs::read_to_string(self.at(name)).unwrap();
        assert_eq!(settings("before"), settings("after"));
        let state = self.run(&["display-message", "-p", "#{alternate_on} #{cursor_flag}"]);
        assert_eq!(state.trim(), "0 1", "the other screen is left, and the cursor is to be seen");
        code.trim().to_owned()
    }

    pub(crate) fn signals(&self, signal: &str) {
        let pid = fs::read_to_string(self.at("pid")).unwrap();
        assert!(Command::new("kill").args([signal, pid.trim()]).status().unwrap().success());
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        let _ = Command::new("tmux").arg("-S").arg(self.at("socket")).arg("kill-server").output();
    }
}

#[track_caller]
pub(crate) fn wait<T>(mut what: impl FnMut() -> Option<T>, otherwise: impl Fn() -> String) -> T {
    let begun = Instant::now();
    loop {
        match what() {
            Some(found) => return found,
            None => assert!(begun.elapsed() < Duration::from_mins(2), "{}", otherwise()),
        }
        sleep(Duration::from_millis(20));
    }
}

/// Digits of times and of the load, and the digits of ids, as `0`. Why a host is not reached is told in more than one way.
fn without_chance(line: &str) -> String {
    let line = line.split_inclusive("unreachable: ").next().unwrap_or_default();
    let is_title = line.starts_with(" convocate");
    let plain = |word: &str| {
        let is_id = word.len() == 36 && word.matches('-').count() == 4;
        let letter = |c: char| if c.is_ascii_alphanumeric() { '0' } else { c };
        if is_id || is_title && word != "convocate" {
            word.chars().map(letter).collect()
        } else {
            word.to_owned()
        }
    };
    let words: Vec<String> = line.split(' ').map(plain).collect();
    let line = words.join(" ");
    if is_title {
        line.split_whitespace().next().map_or(line.clone(), |word| format!(" {word} ..."))
    } else {
        line
    }
}
