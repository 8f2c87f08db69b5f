//! Sessions of another host, of which there is nothing but an SFTP server, over both transports.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;

use serde_json::Value;
use testkit::cowork::Session;
use testkit::sshd::{Sshd, make_key};
use testkit::tree::Tree;
use testkit::wire::{Then, Wire};

use crate::world::{Ended, World, machine_in, with_machine};

/// No shell, no command: as on a Windows.
const SFTP_ALONE: [&str; 2] = ["Subsystem sftp internal-sftp", "ForceCommand internal-sftp"];

/// A disk with both users on it, of which the old one's is only seen through an sshd.
struct Far {
    world: World,
    sshd: Sshd,
    transport: &'static str,
}

/// Every test of this file for each transport.
macro_rules! over_both {
    ($($name:ident),* $(,)?) => {
        mod openssh {
            $(#[test] fn $name() { super::$name("openssh"); })*
        }
        mod libssh2 {
            $(#[test] fn $name() { super::$name("libssh2"); })*
        }
    };
}

over_both!(
    sessions_of_another_host_are_listed_as_if_they_were_here,
    a_session_moves_from_another_host_as_it_does_from_a_folder,
    what_came_before_a_cut_does_not_come_again,
    a_session_that_grows_while_it_is_read_is_not_moved,
    a_wish_to_stop_does_not_wait_for_a_host_that_has_fallen_silent,
    a_sealed_key_is_named_and_an_agent_that_holds_it_opens_the_door,
);

impl Far {
    fn new(world: World, transport: &'static str) -> Self {
        Self { world, sshd: Sshd::start(&SFTP_ALONE), transport }
    }

    fn place_at(&self, port: u16) -> String {
        format!("ssh://root@127.0.0.1:{port}{}", self.world.base_of("mira").display())
    }

    fn place(&self) -> String {
        self.place_at(self.sshd.port())
    }

    /// How that host is reached.
    fn reaching(&self, port: u16) -> Vec<String> {
        let known = self.sshd.known_hosts_at(port).display().to_string();
        let identity = self.sshd.identity().display().to_string();
        ["--known-hosts", &known, "--identity", &identity, "--transport", self.transport]
            .map(str::to_owned)
            .into()
    }

    /// A command that reaches it.
    fn words(&self, words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).chain(self.reaching(self.sshd.port())).collect()
    }

    /// The arguments of a whole move over a wire.
    fn whole_at(&self, port: u16) -> Vec<String> {
        let mut words = self.world.whole();
        words[1] = self.place_at(port);
        words.into_iter().chain(self.reaching(port)).collect()
    }

    fn whole(&self) -> Vec<String> {
        self.whole_at(self.sshd.port())
    }

    fn whole_and(&self, more: &[&str]) -> Vec<String> {
        let more = more.iter().map(|word| (*word).to_owned());
        self.whole().into_iter().chain(more).collect()
    }

    fn everything(&self) -> Tree {
        Tree::of(&self.world.path())
    }
}

/// The content of every file below a folder.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let (mut files, mut folders) = (BTreeMap::new(), vec![folder.to_path_buf()]);
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if entry.file_type().unwrap().is_dir() {
                folders.push(path);
            } else {
                files.insert(path.strip_prefix(folder).unwrap().to_owned(), fs::read(&path).unwrap());
            }
        }
    }
    files
}

/// How many bytes a report says have come.
fn came(ended: &Ended) -> u64 {
    let said = ended.stdout.split(" bytes; they stay").next().unwrap();
    said.rsplit(' ').next().unwrap().parse().unwrap_or_else(|_| panic!("{}", ended.stdout))
}

fn sessions_of_another_host_are_listed_as_if_they_were_here(transport: &'static str) {
    let far = Far::new(World::new(Session::numbered(7)), transport);
    let rows = |report: Value| report["items"].clone();
    let local =
        rows(far.world.report(0, &["inventory".to_owned(), far.world.base_of("mira").display().to_string()]));
    assert_eq!(local.as_array().unwrap().len(), 1);
    let profile = far.world.profile_of("mira").display().to_string();
    for place in
        [far.place(), far.place().replace(&far.world.base_of("mira").display().to_string(), &profile)]
    {
        assert_eq!(rows(far.world.report(0, &far.words(&["inventory", &place]))), local, "{place}");
        assert_eq!(rows(far.world.report(0, &far.words(&["inventory", "--from", &place]))), local);
    }
    assert!(!far.world.path().join("state").exists(), "whoever only looks leaves nothing");
}

fn a_session_moves_from_another_host_as_it_does_from_a_folder(transport: &'static str) {
    let far = Far::new(with_machine(), transport);
    let before = far.world.tree();
    far.world.move_it(0, &[]);
    let from_a_folder = contents(&far.world.disk().join("Users/otto"));
    far.world.say(0, &["undo"]);

    let everything = far.everything();
    let plan = far.world.expect(0, &far.whole_and(&["--dry-run"]));
    assert!(plan.stdout.contains("bytes, would come from root@127.0.0.1"), "{}", plan.stdout);
    everything.assert_same(&far.everything(), "a dry run");

    let moved = far.world.expect(0, &far.whole());
    assert!(came(&moved) > 0);
    let from_there = contents(&far.world.disk().join("Users/otto"));
    assert_eq!(from_there.keys().collect::<Vec<_>>(), from_a_folder.keys().collect::<Vec<_>>());
    for (path, content) in &from_there {
        assert!(content == &from_a_folder[path], "{}", path.display());
    }
    let pulled = Tree::of(&far.world.path().join("state/pulled")).names().join("\n");
    assert!(!pulled.contains("credentials") && pulled.contains("sessiondata.vhdx"), "{pulled}");

    far.world.say(0, &["verify"]);
    let again = far.world.expect(0, &far.whole());
    assert_eq!(came(&again), 0);
    assert!(again.stdout.contains("already-present"), "{}", again.stdout);
    far.world.say(0, &["undo"]);
    before.assert_same(&far.world.tree(), "undo");
    let plan = far.world.expect(0, &far.whole_and(&["--dry-run"]));
    assert!(!plan.stdout.contains("would come from"), "what is here already is planned: {}", plan.stdout);
}

/// A session with a file of many megabytes.
fn with_a_big_file() -> World {
    let world = World::new(Session::numbered(7));
    let blocks: Vec<u8> = (0..8u32 << 20).map(|n| (n / 7).to_le_bytes()[0]).collect();
    fs::write(world.placed.directory.join("uploads/film.mkv"), blocks).unwrap();
    world
}

fn what_came_before_a_cut_does_not_come_again(transport: &'static str) {
    let far = Far::new(with_a_big_file(), transport);
    let before = far.world.tree();
    let wire = Wire::to(far.sshd.port(), 5 << 20, || Then::Cut);
    // The glance at the profile beforehand comes over the same wire.
    let cut = far.world.expect(4, &far.whole_at(wire.port()));
    assert!(cut.stderr.contains("the link to") && cut.stderr.contains("was lost"), "{}", cut.stderr);
    before.assert_same(&far.world.tree(), "a cut");
    assert!(!far.world.has_run());

    let before_the_cut = wire.passed();
    let gone_on = far.world.expect(0, &far.whole_at(wire.port()));
    let (came, passed) = (came(&gone_on), wire.passed() - before_the_cut);
    assert!((3 << 20..4 << 20).contains(&came), "{came} bytes came after the cut");
    assert!(passed < 5 << 20, "{passed} bytes passed after the cut");
    let film = "uploads/film.mkv";
    let there = far.world.placed.directory.join(film);
    assert!(fs::read(&there).unwrap() == fs::read(far.world.moved(&there)).unwrap());
}

fn a_session_that_grows_while_it_is_read_is_not_moved(transport: &'static str) {
    let far = Far::new(with_a_big_file(), transport);
    let transcript = far.world.placed.transcript.clone();
    let wire = Wire::to(far.sshd.port(), 4 << 20, move || {
        fs::OpenOptions::new().append(true).open(transcript).unwrap().write_all(b"{}\n").unwrap();
        Then::GoOn
    });
    let refused = far.world.expect(4, &far.whole_at(wire.port()));
    assert!(refused.stderr.contains("changed while it was being read"), "{}", refused.stderr);
    assert!(!far.world.has_run() && !far.world.new_sidecar().exists());
    far.world.expect(0, &far.whole());
    assert_eq!(came(&far.world.expect(0, &far.whole())), 0);
}

fn a_wish_to_stop_does_not_wait_for_a_host_that_has_fallen_silent(transport: &'static str) {
    let far = Far::new(with_a_big_file(), transport);
    let (ended, silent) = mpsc::channel::<()>();
    let (fell, fallen) = mpsc::channel();
    let wire = Wire::to(far.sshd.port(), 5 << 20, move || {
        fell.send(()).unwrap();
        let _ = silent.recv(); // nothing more comes, and nothing ends
        Then::Cut
    });
    let mut tool = Command::new(env!("CARGO_BIN_EXE_cowork-migrate"));
    tool.args(far.whole_at(wire.port())).env_clear().env("PATH", "/usr/bin:/bin");
    tool.env("HOME", far.world.path().join("home")).env("REHOME_STATE_DIR", far.world.path().join("state"));
    let mut tool = tool.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    fallen.recv().unwrap();
    assert!(Command::new("kill").args(["-INT", &tool.id().to_string()]).status().unwrap().success());
    let status = tool.wait().unwrap();
    drop(ended);
    let said = std::io::read_to_string(tool.stderr.take().unwrap()).unwrap();
    assert_eq!(status.code(), Some(130), "{said}");
    assert!(!far.world.has_run() && !far.world.new_sidecar().exists());
    far.world.expect(0, &far.whole_at(wire.port()));
}

#[test]
fn what_is_gone_there_does_not_travel() {
    let far = Far::new(with_a_big_file(), "openssh");
    far.world.expect(0, &far.whole());
    far.world.say(0, &["undo"]);
    let film = far.world.placed.directory.join("uploads/film.mkv");
    fs::remove_file(&film).unwrap();
    far.world.expect(0, &far.whole());
    assert!(!far.world.moved(&film).exists());
}

#[test]
fn links_and_names_that_lead_elsewhere_stay_there_and_are_named() {
    let far = Far::new(World::new(Session::numbered(7)), "openssh");
    std::os::unix::fs::symlink("/etc/passwd", far.world.placed.directory.join("outputs/link")).unwrap();
    std::os::unix::fs::symlink("/etc", far.world.placed.directory.join("outputs/folder")).unwrap();
    let report = far.world.report(0, &far.whole());
    let skipped = report["items"].as_array().unwrap().iter().filter(|item| item["bucket"] == "skipped");
    let reasons: Vec<&str> = skipped.map(|item| item["reason"].as_str().unwrap()).collect();
    assert_eq!(reasons.iter().filter(|reason| **reason == "symlink").count(), 2, "{reasons:?}");
    assert_eq!(reasons.iter().filter(|reason| **reason == "credentials").count(), 2, "{reasons:?}");
}

#[test]
fn a_bundle_is_packed_of_a_session_of_another_host() {
    let far = Far::new(machine_in(tempfile::tempdir().unwrap()), "openssh");
    let packed = |name: &str, words: Vec<String>| {
        let out = far.world.path().join(name);
        let out_words = ["--out".to_owned(), out.display().to_string()];
        far.world.expect(0, &words.into_iter().chain(out_words).collect::<Vec<_>>());
        contents(&out)
    };
    let from = far.world.base_of("mira").display().to_string();
    let local = packed("local", ["pack", "--from", &from].map(str::to_owned).into());
    let there = packed("there", far.words(&["pack", "--from", &far.place()]));
    assert_eq!(there.keys().collect::<Vec<_>>(), local.keys().collect::<Vec<_>>());
    assert!(there == local, "{:?}", there.keys());
}

#[test]
fn a_host_that_is_not_surely_the_right_one_is_not_read() {
    let far = Far::new(World::new(Session::numbered(7)), "openssh");
    let before = far.everything();
    let refuses = |code: &str, exit: i32, change: &dyn Fn(&mut Vec<String>)| {
        let mut words = far.whole();
        change(&mut words);
        let report = far.world.report(exit, &words);
        assert_eq!(report["error"]["code"], code, "{report}");
    };
    let stranger = far.sshd.folder().join("stranger");
    make_key(&stranger);
    let after = |words: &mut Vec<String>, option: &str, value: String| {
        let at = words.iter().position(|word| word == option).unwrap();
        words[at + 1] = value;
    };
    let nobody = far.sshd.folder().join("nobody");
    fs::write(&nobody, "").unwrap();
    let another = far.sshd.folder().join("another");
    let key = fs::read_to_string(stranger.with_extension("pub")).unwrap();
    fs::write(&another, format!("[127.0.0.1]:{} {key}", far.sshd.port())).unwrap();
    refuses("unknown-host-key", 4, &|words| after(words, "--known-hosts", nobody.display().to_string()));
    refuses("changed-host-key", 4, &|words| after(words, "--known-hosts", another.display().to_string()));
    refuses("refused-key", 4, &|words| after(words, "--identity", stranger.display().to_string()));
    refuses("unreachable", 4, &|words| after(words, "--from", far.place_at(1)));
    refuses("missing", 4, &|words| after(words, "--from", format!("{}/none", far.place())));
    refuses("far-place", 2, &|words| after(words, "--from", "ssh://".to_owned()));
    refuses("remote", 2, &|words| after(words, "--to", far.place()));
    before.assert_same(&far.everything(), "refusals");
}

fn bundles(far: &Far) -> usize {
    fs::read_dir(far.world.path().join("state/pulled")).map_or(0, Iterator::count)
}

#[test]
fn what_was_brought_goes_with_the_last_run_that_needs_it() {
    let far = Far::new(World::new(Session::numbered(7)), "openssh");
    let run = || far.world.report(0, &far.whole())["run"].as_str().unwrap().to_owned();
    let first = run();
    far.world.say(0, &["undo"]);
    let second = run();
    assert_eq!(bundles(&far), 1, "both move from the same");
    far.world.say(0, &["runs", "forget", &first, "--yes"]);
    assert_eq!(bundles(&far), 1, "the other run needs it");
    far.world.say(0, &["undo"]);
    let listed = far.world.say(0, &["runs"]).stdout;
    assert!(!listed.contains("[brought]"), "{listed}");
    far.world.say(0, &["runs", "forget", &second, "--dry-run"]);
    assert_eq!(bundles(&far), 1);
    far.world.say(0, &["runs", "forget", &second, "--yes"]);
    assert_eq!(bundles(&far), 0, "an undone run has let it go too");
    run();
    far.world.say(0, &["runs", "gc", "--older-than", "0", "--yes"]);
    assert_eq!(bundles(&far), 0);
    assert!(far.world.new_sidecar().exists());
}

#[test]
fn what_was_brought_and_is_named_by_hand_goes_with_the_run_that_needs_it_too() {
    let far = Far::new(World::new(Session::numbered(7)), "openssh");
    let first = far.world.report(0, &far.whole())["run"].as_str().unwrap().to_owned();
    far.world.say(0, &["undo"]);
    let pulled = far.world.path().join("state/pulled");
    let bundle = fs::read_dir(&pulled).unwrap().next().unwrap().unwrap().path();
    let mut by_hand = far.world.whole();
    by_hand[1] = bundle.display().to_string();
    let second = far.world.report(0, &by_hand)["run"].as_str().unwrap().to_owned();
    far.world.say(0, &["runs", "forget", &first, "--yes"]);
    assert_eq!(bundles(&far), 1, "the other run moves from it");
    far.world.say(0, &["runs", "forget", &second, "--yes"]);
    assert_eq!(bundles(&far), 0);
}

#[test]
fn what_was_brought_for_no_run_is_named_and_goes_once_it_is_old() {
    let far = Far::new(World::new(Session::numbered(7)), "openssh");
    let occupied = far.world.path().join("occupied");
    fs::create_dir_all(occupied.join("by another")).unwrap();
    let words = far.words(&["pack", "--out", occupied.to_str().unwrap(), "--from", &far.place()]);
    let refused = far.world.expect(4, &words).stderr;
    assert!(refused.contains("what came is kept in @HERE@/state/pulled/"), "{refused}");
    let listed = far.world.say(0, &["runs"]).stdout;
    assert!(listed.contains("runs gc --older-than 0") && listed.contains("[brought]"), "{listed}");
    for kept in [&["--older-than", "1", "--yes"][..], &["--older-than", "0", "--dry-run"]] {
        far.world.say(0, &[&["runs", "gc"], kept].concat());
        assert_eq!(bundles(&far), 1, "{kept:?}");
    }
    far.world.say(2, &["runs", "gc", "--older-than", "0"]);
    assert_eq!(bundles(&far), 1, "nobody has said yes");
    far.world.say(0, &["runs", "gc", "--older-than", "0", "--yes"]);
    assert_eq!(bundles(&far), 0);
}

#[test]
fn an_agents_session_stays_one() {
    let far = Far::new(World::new(Session::numbered(7)), "openssh");
    let agents = far.world.profile_of("mira").join("agent");
    fs::create_dir(&agents).unwrap();
    for path in [&far.world.placed.sidecar, &far.world.placed.directory] {
        fs::rename(path, agents.join(path.file_name().unwrap())).unwrap();
    }
    far.world.expect(0, &far.whole());
    let name = far.world.placed.sidecar.file_name().unwrap();
    assert!(far.world.profile_of("otto").join("agent").join(name).exists());
    assert!(!far.world.new_sidecar().exists());
}

#[test]
fn a_place_may_begin_at_the_home_of_whoever_logs_in() {
    let world = World::new(Session::numbered(7));
    let home = format!("ForceCommand internal-sftp -d {}", world.disk().display());
    let sshd = Sshd::start(&["Subsystem sftp internal-sftp", &home]);
    let far = Far { world, sshd, transport: "openssh" };
    let place = format!("ssh://root@127.0.0.1:{}/~/Users/mira/AppData/Roaming/Claude", far.sshd.port());
    let listed = far.world.expect(0, &far.words(&["inventory", &place]));
    assert!(listed.stdout.contains("calm-amber-noether-7"), "{}", listed.stdout);
    let none = far.words(&["pack", "--out", "x", "--from", &place, "--session", "none"]);
    let refused = far.world.expect(4, &none);
    assert!(refused.stderr.contains(&format!("--from '{place}'")), "{}", refused.stderr);
}

/// As Microsoft's server has it: the drives are folders of the root.
#[test]
fn the_home_of_a_windows_machine_is_known_by_its_path() {
    let root = tempfile::tempdir_in("/run").expect("only root can give an sshd another root");
    fs::set_permissions(root.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let world = World::new(Session::numbered(7));
    let base = root.path().join("C:/Users/mira/AppData/Roaming/Claude");
    world.session.lay_out(&testkit::cowork::profile(&base));
    let chroot = format!("ChrootDirectory {}", root.path().display());
    let sshd = Sshd::start(&["Subsystem sftp internal-sftp", "ForceCommand internal-sftp", &chroot]);
    let far = Far { world, sshd, transport: "openssh" };
    let before = far.world.tree();
    far.world.move_it(0, &[]);
    let from_a_folder = contents(&far.world.disk().join("Users/otto"));
    far.world.say(0, &["undo"]);
    before.assert_same(&far.world.tree(), "undo");
    for path in ["/C:/Users/mira/AppData/Roaming/Claude", r"\C:\Users\mira\AppData\Roaming\Claude"] {
        let mut words = far.whole();
        words[1] = format!("ssh://root@127.0.0.1:{}{path}", far.sshd.port());
        far.world.expect(0, &words);
        assert!(contents(&far.world.disk().join("Users/otto")) == from_a_folder, "{path}");
        let kept = far.world.path().join("state/pulled");
        let bundle = fs::read_dir(kept).unwrap().next().unwrap().unwrap().path();
        let manifest = fs::read_to_string(bundle.join("cowork-bundle.json")).unwrap();
        assert!(manifest.contains(r#""C:\\Users\\mira""#), "{manifest}");
        far.world.say(0, &["undo"]);
    }
}

/// An ssh-agent that ends with its test.
struct Agent(Child, PathBuf);

impl Agent {
    fn start(folder: &Path) -> Self {
        let socket = folder.join("agent");
        let mut agent = Command::new("ssh-agent");
        let agent = agent.arg("-D").arg("-a").arg(&socket).stdout(Stdio::null()).spawn().unwrap();
        while !socket.exists() {
            std::thread::yield_now();
        }
        Self(agent, socket)
    }

    fn holds(&self, key: &Path) {
        let added = Command::new("ssh-add").arg("-q").arg(key).env("SSH_AUTH_SOCK", &self.1).status();
        assert!(added.unwrap().success());
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn a_sealed_key_is_named_and_an_agent_that_holds_it_opens_the_door(transport: &'static str) {
    let far = Far::new(World::new(Session::numbered(7)), transport);
    let sealed = far.sshd.folder().join("sealed");
    fs::copy(far.sshd.identity(), &sealed).unwrap();
    fs::copy(far.sshd.identity().with_extension("pub"), sealed.with_extension("pub")).unwrap();
    let mut keygen = Command::new("ssh-keygen");
    assert!(
        keygen.args(["-q", "-p", "-P", "", "-N", "secret", "-f"]).arg(&sealed).status().unwrap().success()
    );
    let asks = |identity: Option<&Path>, agent: Option<&Agent>| {
        let mut words = far.words(&["inventory", &far.place()]);
        let at = words.iter().position(|word| word == "--identity").unwrap();
        match identity {
            Some(file) => words[at + 1] = file.display().to_string(),
            None => drop(words.drain(at..at + 2)),
        }
        let tool = far.world.tool(&words);
        let tool = agent.into_iter().fold(tool, |tool, agent| tool.env("SSH_AUTH_SOCK", &agent.1));
        let output = tool.run();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, said) = asks(Some(&sealed), None);
    assert_eq!(code, Some(4), "{said}");
    assert!(said.contains("refuses the key") && said.contains("--identity"), "{said}");
    let names_it = said.contains(&format!("{} is sealed with a passphrase", sealed.display()));
    assert!(names_it || transport == "openssh", "{said}");

    let agent = Agent::start(far.sshd.folder());
    let (code, said) = asks(None, Some(&agent));
    assert_eq!(code, Some(4), "an empty agent: {said}");
    agent.holds(&far.sshd.identity());
    for identity in [None, Some(&*sealed)] {
        let (code, said) = asks(identity, Some(&agent));
        assert_eq!(code, Some(0), "{identity:?}: {said}");
    }
}

#[test]
fn without_a_path_the_application_is_found_in_the_home_of_whoever_logs_in() {
    let world = World::new(Session::numbered(7));
    let home = format!("ForceCommand internal-sftp -d {}", world.disk().join("Users/mira").display());
    let sshd = Sshd::start(&["Subsystem sftp internal-sftp", &home]);
    let far = Far { world, sshd, transport: "openssh" };
    let mut words = far.whole();
    words[1] = format!("ssh://root@127.0.0.1:{}", far.sshd.port());
    let listed = far.world.expect(0, &far.words(&["inventory", &words[1]]));
    assert!(listed.stdout.contains("calm-amber-noether-7"), "{}", listed.stdout);
    far.world.expect(0, &words);
    assert!(far.world.new_sidecar().exists());
}
