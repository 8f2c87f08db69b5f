//! A tree that is delivered is there whole or not at all, and can be taken back.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::AtomicBool;

use durable_files::{Digest, Quiet};
use migration_engine::{
    Block, Bucket, Changed, Cx, Header, Item, ItemId, NoProgress, Outcome, Plan, Receipt, Run, RunId,
    StateRoot, StepError, TargetLocks, Task, Wave, Worlds,
};
use remote_transfer::{Change, DeliverTree, Far, Parcel, Place, Remote, Tree};
use session_model::{Finding, InputId, Timestamp};

use crate::here::{Here, Meanwhile};
use crate::packing::lay_out;

pub(crate) struct Ends {
    folder: tempfile::TempDir,
}

/// How the link behaves in one attempt.
#[derive(Clone, Default)]
struct Link {
    commands: Option<usize>,
    bytes: Option<usize>,
    meanwhile: Option<Meanwhile>,
    base: PathBuf,
}

impl Worlds<DeliverTree> for Link {
    fn world(&self, _lane: usize) -> Result<Remote, StepError> {
        let commands = self.commands.map(|commands| commands + 1);
        let (meanwhile, base) = (self.meanwhile.map(|(after, act)| (after + 1, act)), self.base.clone());
        let link = Here { commands, bytes: self.bytes, meanwhile, base };
        Ok(Remote::new(Far::greet(Box::new(link), "a-word")?))
    }

    fn judge(&self, _world: &mut Remote, _item: &Item) -> Vec<Finding> {
        Vec::new()
    }
}

impl Ends {
    fn new() -> Self {
        let ends = Self { folder: testkit::crash::place() };
        fs::create_dir(ends.source()).unwrap();
        fs::create_dir(ends.base()).unwrap();
        lay_out(&ends.source());
        ends
    }

    /// With little in it, for whoever delivers it dozens of times.
    fn small() -> Self {
        let ends = Self { folder: testkit::crash::place() };
        let sub = ends.source().join("sub");
        fs::create_dir_all(&sub).unwrap();
        fs::create_dir(ends.base()).unwrap();
        for (name, len) in [("*", 1), ("big", 100_000), ("empty", 0)] {
            fs::write(ends.source().join(name), vec![b'*'; len]).unwrap();
        }
        fs::hard_link(ends.source().join("big"), sub.join("again")).unwrap();
        std::os::unix::fs::symlink("nowhere", sub.join("link")).unwrap();
        fs::set_permissions(&sub, fs::Permissions::from_mode(0o511)).unwrap();
        ends
    }

    fn source(&self) -> PathBuf {
        self.folder.path().join("here")
    }

    fn base(&self) -> PathBuf {
        self.folder.path().join("there")
    }

    fn target(&self) -> PathBuf {
        self.base().join("a tree")
    }

    fn step(&self) -> DeliverTree {
        let tree = Tree::open(&self.source()).unwrap();
        let manifest = tree.walk(&mut Quiet).unwrap().manifest;
        DeliverTree {
            source: self.source().into(),
            expect: manifest.digest(),
            bytes: manifest.bytes(),
            host: "here".into(),
            place: Place {
                base: self.base().into_os_string().into_encoded_bytes(),
                name: "a tree".into(),
                staging: ".incoming-a tree".into(),
                receipts: ".receipts".into(),
            },
            receipts: self.folder.path().join("receipts").into(),
            owner: None,
            changes: vec![Change {
                path: b"*".to_vec(),
                expect: Digest::of(b"*"),
                content: b"stamped".to_vec(),
            }],
            note: serde_json::Value::Null,
        }
    }

    fn run(&self) -> Run<DeliverTree> {
        let input = InputId::new("tree", "a tree");
        let item = Item::new(input.clone(), "a tree", Outcome::plain(Bucket::Migrated));
        let header = Header {
            tool: "test".into(),
            version: "0".into(),
            blocks: vec![Block { kind: "tree".into(), title: "trees".into(), inputs: 0 }],
            locks: vec![self.source().into()],
            settings: serde_json::Value::Null,
            partial: false,
            findings: vec![],
        };
        let wave = Wave::publish(vec![Task { item: Some(ItemId(0)), step: self.step() }]);
        let plan = Plan::new(header, &[input], vec![item], vec![vec![wave]]).unwrap();
        let locks = TargetLocks::take(&plan.header.locks).unwrap();
        let now = Timestamp::now();
        Run::create(&StateRoot::at(self.folder.path().join("state")), RunId::new(now, 0), plan, locks, now)
            .unwrap()
    }

    /// What stands in the base: nothing of ours, or the whole tree and its receipt.
    fn base_is_empty(&self) -> bool {
        fs::read_dir(self.base()).unwrap().next().is_none()
    }

    fn assert_arrived(&self) {
        let read = |path: &Path| {
            let tree = Tree::open(path).unwrap();
            let mut parcel = Parcel::new(&tree, tree.walk(&mut Quiet).unwrap());
            parcel.send(&|_| true, &mut std::io::sink(), &mut Quiet).unwrap();
            parcel.manifest().clone()
        };
        let differences = read(&self.source()).differences(&read(&self.target()));
        let differing: Vec<_> = differences.iter().map(|difference| difference.path.as_slice()).collect();
        assert_eq!(differing, [b"*"], "only what was to be changed is different");
        assert_eq!(fs::read(self.target().join("*")).unwrap(), b"stamped");
        let mut names: Vec<_> =
            fs::read_dir(self.base()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, [".receipts", "a tree"], "nothing else is left");
        let receipts = [self.base().join(".receipts"), self.folder.path().join("receipts")];
        let [there, here] = receipts.map(|folder| {
            let entry = fs::read_dir(folder).unwrap().next().unwrap().unwrap();
            (entry.file_name(), fs::read(entry.path()).unwrap())
        });
        assert_eq!(there, here, "both ends keep the same receipt");
    }
}

fn apply(run: &Run<DeliverTree>, link: &Link) -> Result<Receipt, migration_engine::ApplyError> {
    run.apply(link, 1, &cx())
}

fn cx() -> Cx<'static> {
    static GO_ON: AtomicBool = AtomicBool::new(false);
    Cx { stop: &GO_ON, progress: &NoProgress, now: Timestamp::now }
}

#[test]
fn a_delivered_tree_is_the_tree_and_undo_leaves_nothing_behind() {
    let ends = Ends::new();
    let run = ends.run();
    let receipt = apply(&run, &Link::default()).unwrap();
    assert_eq!(receipt.summary().migrated, 1, "{:?}", receipt.items);
    ends.assert_arrived();
    assert!(apply(&run, &Link::default()).is_ok());
    ends.assert_arrived();
    run.undo(&Link::default(), Changed::Refuse, &cx()).unwrap();
    assert!(ends.base_is_empty());
}

#[test]
fn whenever_the_link_is_lost_the_rest_is_sent_later_or_all_is_taken_back() {
    for commands in 0.. {
        let ends = Ends::small();
        let run = ends.run();
        let link = Link { commands: Some(commands), ..Link::default() };
        let first = apply(&run, &link);
        assert!(!ends.target().exists() || ends.target().join("big").exists(), "never a visible half");
        if first.is_ok() {
            assert!(commands > 8, "the link was lost {commands} times");
            break;
        }
        if commands % 2 == 0 {
            apply(&run, &Link::default()).unwrap();
            ends.assert_arrived();
        }
        run.undo(&Link::default(), Changed::Refuse, &cx()).unwrap();
        assert!(ends.base_is_empty(), "after {commands} commands");
    }
}

#[test]
fn what_has_arrived_before_a_break_is_not_sent_again() {
    let ends = Ends::new();
    let run = ends.run();
    assert!(apply(&run, &Link { bytes: Some(3_300_000), ..Link::default() }).is_err());
    assert!(!ends.target().exists());
    apply(&run, &Link::default()).unwrap();
    ends.assert_arrived();
    let sent = sent(&ends);
    assert!(sent < 400_000, "{sent} bytes were sent, of which all but the end had arrived");
}

#[test]
fn whoever_is_still_at_work_for_an_earlier_attempt_spoils_nothing() {
    let ends = Ends::new();
    let run = ends.run();
    assert!(apply(&run, &Link { bytes: Some(3_300_000), ..Link::default() }).is_err());
    let mut late = Command::new("sh");
    late.args(["-c", "read go; echo late > Makefile; rm -rf deep; echo late > new"]);
    late.current_dir(ends.base().join(".incoming-a tree/a tree"));
    let mut late = late.stdin(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    apply(&run, &Link::default()).unwrap();
    late.stdin.take().unwrap().write_all(b"go\n").unwrap();
    late.wait().unwrap();
    ends.assert_arrived();
    run.undo(&Link::default(), Changed::Refuse, &cx()).unwrap();
    assert!(ends.base_is_empty());
}

#[test]
fn what_only_lacks_its_mode_is_not_sent_again() {
    let ends = Ends::small();
    fs::set_permissions(ends.source().join("big"), fs::Permissions::from_mode(0o444)).unwrap();
    let run = ends.run();
    // The eighth command is the one after the stream was unpacked and looked at.
    assert!(apply(&run, &Link { commands: Some(8), ..Link::default() }).is_err());
    assert!(ends.base().join(".incoming-a tree/a tree/big").exists());
    apply(&run, &Link::default()).unwrap();
    let sent = sent(&ends);
    assert!(sent < 10_000, "{sent} bytes were sent");
}

/// How many bytes the attempt that came to an end has sent.
fn sent(ends: &Ends) -> u64 {
    let mut folders = vec![ends.folder.path().join("state")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else if entry.file_name().to_string_lossy().ends_with("-delivered") {
                let text: serde_json::Value =
                    serde_json::from_slice(&fs::read(entry.path()).unwrap()).unwrap();
                return text["sent"].as_u64().unwrap();
            }
        }
    }
    panic!("nothing was delivered");
}

/// Whoever may write to the base puts a link to somebody's folder in the place of the one that is worked in.
fn put_a_link_in_its_place(base: &Path) {
    let staging = base.join(".incoming-a tree");
    if fs::rename(&staging, base.join("moved away")).is_ok() {
        std::os::unix::fs::symlink(base.join("victim"), &staging).unwrap();
    }
}

/// The same with the tree itself, while it is shown.
fn put_another_tree_in_its_place(base: &Path) {
    if fs::rename(base.join("a tree"), base.join("moved away")).is_ok() {
        fs::create_dir(base.join("a tree")).unwrap();
        fs::write(base.join("a tree/theirs"), "theirs").unwrap();
    }
}

#[test]
fn nothing_is_ever_done_through_a_link_that_somebody_puts_in_the_way() {
    let mut disturbed = 0;
    for after in 0..20 {
        let ends = Ends::small();
        let victim = ends.base().join("victim");
        fs::create_dir_all(victim.join("a tree")).unwrap();
        fs::write(victim.join("a tree/precious"), "precious").unwrap();
        fs::write(victim.join("run"), "not a run").unwrap();
        let before = testkit::tree::Tree::of(&victim);
        let run = ends.run();
        let meanwhile = Some((after, put_a_link_in_its_place as fn(&Path)));
        let _ = apply(&run, &Link { meanwhile, base: ends.base(), ..Link::default() });
        before.assert_same(&testkit::tree::Tree::of(&victim), &format!("before command {after}"));
        let _ = run.undo(&Link::default(), Changed::Refuse, &cx());
        before.assert_same(&testkit::tree::Tree::of(&victim), &format!("undone, before command {after}"));
        disturbed += usize::from(ends.base().join("moved away").exists());
    }
    assert!(disturbed > 8, "disturbed {disturbed} times only");
}

#[test]
fn what_somebody_else_put_in_its_place_is_never_taken_back() {
    let ends = Ends::small();
    let run = ends.run();
    apply(&run, &Link::default()).unwrap();
    put_another_tree_in_its_place(&ends.base());
    assert!(run.undo(&Link::default(), Changed::Refuse, &cx()).is_err());
    assert_eq!(fs::read(ends.target().join("theirs")).unwrap(), b"theirs");
}

#[test]
fn an_empty_staging_folder_that_a_kill_has_left_is_in_nobodys_way() {
    let ends = Ends::small();
    let run = ends.run();
    let staging = ends.base().join(".incoming-a tree");
    fs::create_dir(&staging).unwrap();
    apply(&run, &Link::default()).unwrap();
    assert!(ends.target().exists() && !staging.exists());
    fs::create_dir(&staging).unwrap();
    run.undo(&Link::default(), Changed::Refuse, &cx()).unwrap();
    assert!(ends.base_is_empty());
}
