//! The program on a real terminal, on a machine that is nobody's shell.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use testkit::docker::Docker;

use super::scene::A;
use super::tmux::Tmux;

fn local(folder: &Path, docker: Option<&Docker>) -> Tmux {
    with(folder, docker, &[])
}

fn with(folder: &Path, docker: Option<&Docker>, env: &[(&str, &str)]) -> Tmux {
    let base = folder.join("base");
    fs::create_dir_all(&base).unwrap();
    let claude = docker.map_or_else(|| folder.join("claude"), Docker::claude);
    let options = [
        ("--base", &*base),
        ("--agent-keys-dir", &*folder.join("keys")),
        ("--agent-dir", &*folder.join("agent")),
        ("--claude", &*claude),
    ];
    let host = docker.map_or_else(|| format!("unix://{}", folder.join("none").display()), Docker::host);
    Tmux::with(&options, &[&[("DOCKER_HOST", &*host)], env].concat())
}

#[test]
fn a_session_is_made_started_stopped_and_removed_on_the_screen() {
    let (docker, folder) = (Docker::with_sessions(), testkit::crash::place());
    let tmux = local(folder.path(), Some(&docker));
    insta::assert_snapshot!("terminal-empty", tmux.golden("No sessions"));
    tmux.types(&["n"]).shows("Create New Session");
    tmux.types(&["notes", "Tab", "u", "Tab", "auto"]);
    insta::assert_snapshot!("terminal-form", tmux.golden("auto"));
    // What is typed stays, whatever becomes of the window.
    tmux.resizes(24, 6).hides("\u{2514}");
    tmux.resizes(80, 24);
    insta::assert_snapshot!("terminal-form", tmux.golden("\u{2514}"));
    tmux.types(&["Enter"]).shows("Created session \"notes\"");
    insta::assert_snapshot!("terminal-made", tmux.golden(" - | 1"));
    tmux.types(&["r"]).shows("in background?");
    tmux.types(&["y", "Enter"]).shows("Started session");
    insta::assert_snapshot!("terminal-started", tmux.golden(" R | 1"));
    assert_eq!(docker.run(&["ps", "--format", "{{.State}}"]), "running");
    // What is typed behind it in one go is no command to the list.
    tmux.types(&["Enter", "d", "y"]).shows("Claude listens.");
    tmux.types(&["C-u", "hello", "Enter"]).shows("heard: hello");
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
fn whoever_starts_a_session_is_told_that_a_power_cut_may_take_that_back() {
    let folder = testkit::crash::place();
    let (engine, session) = (folder.path().join("docker"), folder.path().join("base").join(A));
    fs::write(folder.path().join("claude"), "").unwrap();
    // An engine that runs nothing, and takes every order.
    fs::write(&engine, "#!/bin/sh\n").unwrap();
    fs::set_permissions(&engine, PermissionsExt::from_mode(0o755)).unwrap();
    fs::create_dir_all(&session).unwrap();
    fs::write(session.join("session.json"), format!("{{\"uuid\":\"{A}\",\"name\":\"notes\"}}")).unwrap();
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    let strace = format!("strace -f -o /dev/null -P {} -e inject=fsync:error=EIO", session.display());
    let tmux = with(folder.path(), None, &[("UNDER", &strace), ("PATH", &path)]);
    tmux.shows("notes");
    tmux.types(&["r"]).shows("in background?");
    tmux.types(&["y", "Enter"]).shows("a power cut may take it back");
    tmux.types(&["C-c"]).ends();
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
fn who_wants_no_colours_gets_none() {
    for (env, is_colourful) in [(&[][..], true), (&[("NO_COLOR", "1")], false)] {
        let folder = testkit::crash::place();
        let tmux = with(folder.path(), None, env);
        tmux.types(&["n"]).shows("Create New Session");
        tmux.types(&["Enter"]).shows("error: ");
        let screen = tmux.run(&["capture-pane", "-p", "-e"]);
        let looks = screen.split("\u{1b}[").skip(1).filter_map(|look| look.split_once('m'));
        let looks: BTreeSet<&str> = looks.flat_map(|(codes, _)| codes.split(';')).collect();
        // Bold, faint and reversed can be told apart by everybody, and 39 and 49 are the colours that the terminal has.
        let others = looks.iter().filter(|look| !["", "0", "1", "2", "7", "39", "49"].contains(look)).count();
        assert_eq!(others > 0, is_colourful, "{looks:?}");
        // What stands out does so all the same: reversed.
        assert_eq!(looks.contains("7"), !is_colourful, "{looks:?}");
        tmux.types(&["C-c"]).ends();
    }
}
