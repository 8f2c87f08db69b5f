//! Two ends on this machine: a tree, and a base that it is delivered to.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use durable_files::{Digest, Quiet};
use migration_engine::{
    Block, Bucket, Cx, Header, Item, ItemId, NoProgress, Outcome, Plan, Receipt, Run, RunId, StateRoot,
    StepError, TargetLocks, Task, Wave, Worlds,
};
use remote_transfer::{Change, Compression, DeliverTree, Far, Parcel, Place, Remote, Tree};
use session_model::{Finding, InputId, Timestamp};
use testkit::odd_tree::lay_out;

use crate::here::{Here, Meanwhile, Shells};

pub(crate) struct Ends {
    pub(crate) folder: tempfile::TempDir,
    /// What the base and the tree in it are called.
    pub(crate) names: [String; 2],
    pub(crate) owner: Option<String>,
}

/// How the link behaves in one attempt.
#[derive(Clone, Default)]
pub(crate) struct Link {
    pub(crate) commands: Option<usize>,
    pub(crate) bytes: Option<usize>,
    pub(crate) meanwhile: Option<Meanwhile>,
    pub(crate) base: PathBuf,
    pub(crate) shells: Shells,
    pub(crate) unprivileged: bool,
}

impl Worlds<DeliverTree> for Link {
    fn world(&self, _lane: usize) -> Result<Remote, StepError> {
        let commands = self.commands.map(|commands| commands + 1);
        let (meanwhile, base) = (self.meanwhile.map(|(after, act)| (after + 1, act)), self.base.clone());
        let shells = self.shells.clone();
        let unprivileged = self.unprivileged;
        let link = Here {
            commands,
            bytes: self.bytes,
            meanwhile,
            base,
            shells,
            unprivileged,
            begun: 0,
            watch: None,
        };
        let mut far = Far::greet(Box::new(link), "a-word")?;
        far.compress(Compression::Never); // the tests count bytes
        Ok(Remote::new(far))
    }

    fn judge(&self, _world: &mut Remote, _item: &Item) -> Vec<Finding> {
        Vec::new()
    }
}

impl Ends {
    pub(crate) fn new() -> Self {
        let ends = Self::empty(["there", "a tree"]);
        fs::create_dir(ends.source()).unwrap();
        fs::create_dir(ends.base()).unwrap();
        lay_out(&ends.source());
        ends
    }

    /// With little in it, for whoever delivers it dozens of times.
    pub(crate) fn small() -> Self {
        Self::called(["there", "a tree"])
    }

    /// The same with these names.
    pub(crate) fn called(names: [&str; 2]) -> Self {
        let ends = Self::empty(names);
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

    fn empty(names: [&str; 2]) -> Self {
        Self { folder: testkit::crash::place(), names: names.map(str::to_owned), owner: None }
    }

    pub(crate) fn source(&self) -> PathBuf {
        self.folder.path().join("here")
    }

    pub(crate) fn base(&self) -> PathBuf {
        self.folder.path().join(&self.names[0])
    }

    pub(crate) fn target(&self) -> PathBuf {
        self.base().join(&self.names[1])
    }

    pub(crate) fn step(&self) -> DeliverTree {
        let tree = Tree::open(&self.source()).unwrap();
        let manifest = tree.walk(&mut Quiet).unwrap().manifest;
        DeliverTree {
            source: self.source().into(),
            expect: manifest.digest(),
            content: None,
            bytes: manifest.bytes(),
            host: "here".into(),
            place: Place {
                base: self.base().into_os_string().into_encoded_bytes(),
                name: self.names[1].clone(),
                staging: format!("{}.incoming", self.names[1]),
                receipts: ".receipts".into(),
                aside: Some(".kept".into()),
                lock: None,
            },
            receipts: Some(self.folder.path().join("receipts").into()),
            owner: self.owner.clone(),
            changes: vec![Change {
                path: b"*".to_vec(),
                expect: Digest::of(b"*"),
                content: b"stamped".to_vec(),
            }],
            note: serde_json::Value::Null,
        }
    }

    pub(crate) fn run(&self) -> Run<DeliverTree> {
        let input = InputId::new("tree", "a tree");
        let item = Item::new(input.clone(), "a tree", Outcome::plain(Bucket::Migrated));
        let header = Header {
            tool: "test".into(),
            version: "0".into(),
            blocks: vec![Block { kind: "tree".into(), title: "trees".into(), inputs: 0 }],
            locks: vec![self.source().into()],
            concerns: Vec::new(),
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
    pub(crate) fn base_is_empty(&self) -> bool {
        fs::read_dir(self.base()).unwrap().next().is_none()
    }

    pub(crate) fn assert_arrived(&self) {
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
        let mut expected = [".receipts", &self.names[1]];
        expected.sort_unstable();
        assert_eq!(names, expected, "nothing else is left");
        let receipts = [self.base().join(".receipts"), self.folder.path().join("receipts")];
        let [there, here] = receipts.map(|folder| {
            let entry = fs::read_dir(folder).unwrap().next().unwrap().unwrap();
            (entry.file_name(), fs::read(entry.path()).unwrap())
        });
        assert_eq!(there, here, "both ends keep the same receipt");
    }
}

pub(crate) fn apply(run: &Run<DeliverTree>, link: &Link) -> Result<Receipt, migration_engine::ApplyError> {
    run.apply(link, 1, &cx())
}

pub(crate) fn cx() -> Cx<'static> {
    static GO_ON: AtomicBool = AtomicBool::new(false);
    Cx { stop: &GO_ON, progress: &NoProgress, now: Timestamp::now }
}

/// How many bytes the attempt that came to an end has sent.
pub(crate) fn sent(ends: &Ends) -> u64 {
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
