//! The program on a real terminal.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use testkit::cluster::{AGENTS, Cluster};
use testkit::docker::Docker;

const TOOL: &str = env!("CARGO_BIN_EXE_convocate-session");

/// A terminal of 80x24 in a tmux of its own, in which the program runs.
struct Tmux {
    folder: tempfile::TempDir,
}

impl Tmux {
    /// Runs the program with these options. Before and after it the terminal's settings are written down.
    fn with(options: &[(&str, &Path)], env: &[(&str, &str)]) -> Self {
        let folder = testkit::crash::place();
        let at = |name: &str| folder.path().join(name).display().to_string();
        let words: Vec<String> =
            options.iter().map(|(option, value)| format!("{option} {}", value.display())).collect();
        let env: Vec<String> = env.iter().map(|(name, value)| format!("export {name}={value}\n")).collect();
        let script = format!(
            "{}stty -a > {before}\nsh -c 'echo $$ > {pid}; exec {TOOL} --state-dir {state} {}'\necho $? > {code}.new\n\
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

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, words: &[&str]) -> String {
        let mut tmux = Command::new("tmux");
        tmux.arg("-S").arg(self.at("socket")).args(["-f", "/dev/null", "-u"]).args(words);
        tmux.env("TERM", "screen-256color").env_remove("TMUX").env("TZ", "UTC");
        let output = tmux.output().expect("there is a tmux: install tmux");
        assert!(output.status.success(), "tmux {words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// What stands on the screen, without what is another every time: times, the load, and ids.
    fn screen(&self) -> String {
        let text = self.run(&["capture-pane", "-p"]);
        let lines: Vec<String> = text.lines().map(without_chance).collect();
        lines.join("\n").trim_end().to_owned()
    }

    /// The same without the line above the keys, where words stand for a while only.
    #[track_caller]
    fn golden(&self, words: &str) -> String {
        let screen = self.shows(words);
        let lines = screen.lines().enumerate().filter(|(at, _)| *at != 22);
        lines.map(|(_, line)| line).collect::<Vec<_>>().join("\n")
    }

    /// Waits until this stands there.
    #[track_caller]
    fn shows(&self, words: &str) -> String {
        wait(
            || Some(self.screen()).filter(|screen| screen.contains(words)),
            || format!("{words:?} is not to be seen in\n{}", self.screen()),
        )
    }

    /// Types these keys, in the words of tmux.
    fn types(&self, keys: &[&str]) -> &Self {
        self.run(&[&["send-keys"], keys].concat());
        self
    }

    /// Waits until the program has ended, and tells how; the terminal is as it was.
    #[track_caller]
    fn ends(&self) -> String {
        let code =
            wait(|| fs::read_to_string(self.at("code")).ok(), || format!("it runs:\n{}", self.screen()));
        let settings = |name: &str| fs::read_to_string(self.at(name)).unwrap();
        assert_eq!(settings("before"), settings("after"));
        let state = self.run(&["display-message", "-p", "#{alternate_on} #{cursor_flag}"]);
        assert_eq!(state.trim(), "0 1", "the other screen is left, and the cursor is to be seen");
        code.trim().to_owned()
    }

    fn signals(&self, signal: &str) {
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
fn wait<T>(mut what: impl FnMut() -> Option<T>, otherwise: impl Fn() -> String) -> T {
    let begun = Instant::now();
    loop {
        match what() {
            Some(found) => return found,
            None => assert!(begun.elapsed() < Duration::from_mins(3), "{}", otherwise()),
        }
        sleep(Duration::from_millis(20));
    }
}

/// Digits of times and of the load, and the digits of ids, as `0`.
fn without_chance(line: &str) -> String {
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

fn local(folder: &Path, docker: Option<&Docker>) -> Tmux {
    let base = folder.join("base");
    fs::create_dir(&base).unwrap();
    let claude = docker.map_or_else(|| folder.join("claude"), Docker::claude);
    let options = [
        ("--base", &*base),
        ("--agent-keys-dir", &*folder.join("keys")),
        ("--agent-dir", &*folder.join("agent")),
        ("--claude", &*claude),
    ];
    let host = docker.map_or_else(|| format!("unix://{}", folder.join("none").display()), Docker::host);
    Tmux::with(&options, &[("DOCKER_HOST", &host)])
}

#[test]
fn a_session_is_made_started_stopped_and_removed_on_the_screen() {
    let (docker, folder) = (Docker::with_sessions(), testkit::crash::place());
    let tmux = local(folder.path(), Some(&docker));
    insta::assert_snapshot!("terminal-empty", tmux.golden("No sessions"));
    tmux.types(&["n"]).shows("Create New Session");
    tmux.types(&["notes", "Tab", "u", "Tab", "auto"]);
    insta::assert_snapshot!("terminal-form", tmux.golden("auto"));
    tmux.types(&["Enter"]).shows("Created session \"notes\"");
    insta::assert_snapshot!("terminal-made", tmux.golden(" - | 1"));
    tmux.types(&["r"]).shows("in background?");
    tmux.types(&["y", "Enter"]).shows("Started session");
    insta::assert_snapshot!("terminal-started", tmux.golden(" R | 1"));
    assert_eq!(docker.run(&["ps", "--format", "{{.State}}"]), "running");
    tmux.types(&["Enter"]).shows("Claude listens.");
    tmux.types(&["hello", "Enter"]).shows("heard: hello");
    tmux.types(&["C-b", "d"]).shows("The session goes on running");
    tmux.types(&["k"]).shows("Kill session \"notes\"?");
    tmux.types(&["y", "Enter"]).shows("Stopped session");
    tmux.shows(" - | 1");
    assert_eq!(docker.run(&["ps", "--all", "--quiet"]), "");
    tmux.types(&["d"]).shows("Delete session \"notes\"?");
    tmux.types(&["y"]).shows("Deleted session");
    tmux.shows("No sessions");
    let left = fs::read_dir(folder.path().join("base")).unwrap().map(|entry| entry.unwrap().file_name());
    // The engine makes what it is to show to a container.
    assert_eq!(left.filter(|name| name != ".claude").count(), 0);
    tmux.types(&["q"]);
    assert_eq!(tmux.ends(), "0");
    let screen = tmux.screen();
    assert!(screen.contains("Created session \"notes\"") && screen.ends_with("Goodbye!"), "{screen}");
}

#[test]
fn however_it_ends_the_terminal_is_as_it_was() {
    for (signal, code) in [("-TERM", "143"), ("-INT", "130"), ("-HUP", "129")] {
        let folder = testkit::crash::place();
        let tmux = local(folder.path(), None);
        tmux.shows("N)ew");
        tmux.signals(signal);
        assert_eq!(tmux.ends(), code, "{signal}");
    }
    let folder = testkit::crash::place();
    let tmux = local(folder.path(), None);
    tmux.shows("N)ew");
    assert_eq!(tmux.types(&["C-c"]).ends(), "130");
}

#[test]
fn an_agent_that_says_nothing_holds_up_nobody_at_the_screen() {
    let docker = Docker::start();
    let cluster = Cluster::of(&docker, &|verb, place| {
        let (base, folder) = (place.base.display(), place.folder.display());
        format!("{TOOL} agent {verb} --base {base} --agent-dir {folder}")
    });
    let options = [
        ("--base", &*cluster.shell()),
        ("--agent-keys-dir", &*cluster.registry()),
        ("--known-hosts", &*cluster.known_hosts()),
    ];
    let tmux = Tmux::with(&options, &[("DOCKER_HOST", &docker.host())]);
    tmux.types(&["s"]).shows(&format!("{}  root@", AGENTS[0]));
    wait(
        || Some(tmux.screen()).filter(|screen| screen.matches("ok, version").count() == 3),
        || format!("not everybody has answered:\n{}", tmux.screen()),
    );
    cluster.agent(0).sshd().is_silent(true);
    tmux.types(&["Escape"]).shows("No sessions");
    insta::assert_snapshot!("terminal-silent-help", tmux.types(&["?"]).golden("Up Down PgUp PgDn"));
    tmux.types(&["x"]).shows("No sessions");
    tmux.types(&["q"]);
    assert_eq!(tmux.ends(), "0");
    cluster.agent(0).sshd().is_silent(false);
}
