//! A tree that comes from another host is what it is there, or does not come.

use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use durable_files::{Meter, Quiet};
use migration_engine::{Cx, NoProgress};
use remote_transfer::{
    About, Duplex, Far, FarError, FetchError, Here, RemoteCommand, Running, Surveyed, Target, Transport,
    TransportError, TransportKind, Tree, fetch_tree,
};
use session_model::Timestamp;
use testkit::odd_tree::lay_out;
use testkit::sshd::Sshd;

use crate::ends::cx;

/// A tree, and a folder that it comes into.
struct Both {
    folder: tempfile::TempDir,
}

impl Both {
    fn new() -> Self {
        let both = Self { folder: testkit::crash::place() };
        fs::create_dir(both.there()).unwrap();
        fs::create_dir(both.here()).unwrap();
        both
    }

    fn odd() -> Self {
        let both = Self::new();
        lay_out(&both.there());
        both
    }

    fn there(&self) -> PathBuf {
        self.folder.path().join("there")
    }

    fn here(&self) -> PathBuf {
        self.folder.path().join("into")
    }

    fn survey(&self, far: &mut Far) -> Surveyed {
        far.survey(self.there().as_os_str().as_bytes(), &mut Quiet).unwrap()
    }

    fn fetch(&self, far: &mut Far) -> Result<Surveyed, FetchError> {
        let seen = self.survey(far);
        fetch_tree(far, &seen, &self.here(), &cx()).map(|_| seen)
    }
}

fn here() -> Far {
    Far::greet(Box::new(Here), "a-word").unwrap()
}

fn blocks(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let below = entries.map(|path| {
        let found = path.symlink_metadata().unwrap();
        if found.is_dir() { blocks(&path) } else { found.blocks() }
    });
    below.sum()
}

#[track_caller]
fn assert_came(both: &Both, seen: &Surveyed) {
    let walk = |path: &Path| Tree::open(path).unwrap().walk(&mut Quiet).unwrap();
    let (there, came) = (walk(&both.there()), walk(&both.here()));
    assert_eq!(seen.manifest.differences(&there.manifest), [], "what was seen there is what is there");
    assert_eq!(seen.manifest.digest(), there.manifest.digest(), "in every word");
    assert_eq!(
        there.manifest.digest(),
        came.manifest.digest(),
        "{:?}",
        there.manifest.differences(&came.manifest)
    );
    let xattrs = |about: &About| *about == About::ExtendedAttributes;
    let told: Vec<_> = there.remarks.into_iter().filter(|remark| !xattrs(&remark.about)).collect();
    assert_eq!(told, seen.remarks);
    assert!(blocks(&both.here()) <= blocks(&both.there()) + 64, "holes are holes here too");
}

#[test]
fn a_tree_with_all_oddities_comes_as_it_is_there() {
    let both = Both::odd();
    let sparse = fs::File::create(both.there().join("holes")).unwrap();
    sparse.set_len(64 << 20).unwrap();
    (&sparse).write_all(b"beginning").unwrap();
    drop(sparse);
    let seen = both.fetch(&mut here()).unwrap();
    assert_came(&both, &seen);
}

#[test]
fn over_either_transport_it_is_the_same() {
    let sshd = Sshd::start(&[]);
    for kind in [
        TransportKind::OpenSsh,
        #[cfg(feature = "libssh2")]
        TransportKind::LibSsh2,
    ] {
        let target = Target {
            user: Some("root".into()),
            port: Some(sshd.port()),
            identity: Some(sshd.identity()),
            known_hosts: Some(sshd.known_hosts()),
            ..Target::new("127.0.0.1")
        };
        let both = Both::odd();
        fs::write(both.there().join("big"), vec![7; 9 << 20]).unwrap();
        let mut far = Far::greet(kind.open(target), "a-word").unwrap();
        let seen = both.fetch(&mut far).unwrap();
        assert_came(&both, &seen);
    }
}

/// What becomes of a stream.
type Alteration = fn(Vec<u8>) -> Vec<u8>;

/// What somebody does to a tree.
type Change = fn(&Path);

/// A link to this machine on which something happens.
#[derive(Clone, Copy)]
enum What {
    /// After the stream somebody writes to the tree.
    Written,
    /// It is cut after so many bytes.
    Cut(usize),
    /// The other end sends something else.
    Hostile,
    /// What it sends becomes this.
    Altered(Alteration),
}

struct Meddled {
    here: Here,
    there: PathBuf,
    what: What,
}

struct Meddling<'a> {
    stream: Box<dyn Duplex + 'a>,
    there: PathBuf,
    what: What,
    came: usize,
    altered: Vec<u8>,
}

fn hostile() -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.as_gnu_mut().unwrap().name[..6].copy_from_slice(b"../out");
    header.set_size(3);
    header.set_mode(0o644);
    header.set_cksum();
    archive.append(&header, &b"out"[..]).unwrap();
    archive.into_inner().unwrap()
}

impl Read for Meddling<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let (What::Altered(alter), true) = (self.what, self.altered.is_empty()) {
            let mut all = Vec::new();
            self.stream.read_to_end(&mut all)?;
            self.altered = alter(all);
        }
        let read = match self.what {
            What::Altered(_) => (&self.altered[self.came..]).read(buffer)?,
            What::Cut(limit) if self.came >= limit => {
                let (peer, message) = ("there".to_owned(), "the test cut it".to_owned());
                return Err(TransportError::Lost { peer, message }.into());
            }
            What::Hostile => (&hostile()[self.came..]).read(buffer)?,
            _ => self.stream.read(buffer)?,
        };
        if read == 0 && matches!(self.what, What::Written) {
            fs::write(self.there.join("meanwhile"), "written").unwrap();
        }
        self.came += read;
        Ok(read)
    }
}

impl Write for Meddling<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Duplex for Meddling<'_> {
    fn set_deadline(&mut self, _deadline: std::time::Instant) {}
}

impl Transport for Meddled {
    fn peer(&self) -> &'static str {
        "there"
    }

    fn another(&self) -> Box<dyn Transport> {
        self.here.another()
    }

    fn start<'a>(
        &'a mut self,
        command: &RemoteCommand,
        meter: &'a mut dyn Meter,
    ) -> Result<Box<dyn Running + 'a>, TransportError> {
        self.here.start(command, meter)
    }

    fn subsystem<'a>(
        &'a mut self,
        name: &str,
        meter: &'a mut dyn Meter,
    ) -> Result<Box<dyn Duplex + 'a>, TransportError> {
        self.here.subsystem(name, meter)
    }

    fn converse<'a>(
        &'a mut self,
        command: &RemoteCommand,
        meter: &'a mut dyn Meter,
    ) -> Result<Box<dyn Duplex + 'a>, TransportError> {
        let (there, what) = (self.there.clone(), self.what);
        let stream = self.here.converse(command, meter)?;
        Ok(Box::new(Meddling { stream, there, what, came: 0, altered: Vec::new() }))
    }
}

fn meddled(both: &Both, what: What) -> FetchError {
    let mut far = Far::greet(Box::new(Meddled { here: Here, there: both.there(), what }), "a-word").unwrap();
    both.fetch(&mut far).map(drop).unwrap_err()
}

#[test]
fn what_changes_while_it_comes_is_not_taken_for_the_tree() {
    let both = Both::odd();
    assert!(matches!(meddled(&both, What::Written), FetchError::Changed { .. }));
}

/// A tree of files that every byte of its stream is known of.
fn plain() -> Both {
    let both = Both::new();
    for name in ["byte", "left", "mode"] {
        fs::write(both.there().join(name), "precious").unwrap();
    }
    fs::write(both.there().join("big"), vec![7; 100_000]).unwrap();
    both
}

#[test]
fn what_changes_between_the_look_and_the_stream_is_said_to_have_changed_whatever_it_looks_like() {
    let changes: [(&str, Change); 6] = [
        ("one more", |there| fs::write(there.join("zz-new"), "").unwrap()),
        ("longer", |there| fs::write(there.join("big"), vec![7; 300_000]).unwrap()),
        ("shorter", |there| fs::write(there.join("big"), "7").unwrap()),
        ("one less", |there| fs::remove_file(there.join("left")).unwrap()),
        ("a folder now", |there| {
            fs::remove_file(there.join("left")).unwrap();
            fs::create_dir(there.join("left")).unwrap();
        }),
        ("gone", |there| fs::remove_dir_all(there).unwrap()),
    ];
    for (what, change) in changes {
        let (both, mut far) = (plain(), here());
        let seen = both.survey(&mut far);
        change(&both.there());
        let came = fetch_tree(&mut far, &seen, &both.here(), &cx()).map(drop);
        assert!(matches!(came, Err(FetchError::Changed { .. })), "{what}: {came:?}");
    }
}

/// Where the header of this file begins in a stream of [`plain`].
fn header_of(stream: &[u8], name: &[u8]) -> usize {
    let blocks = stream.chunks(512).map(|block| block.strip_prefix(b"./").unwrap_or_default());
    let is_it = |block: &[u8]| block.strip_prefix(name).is_some_and(|rest| rest.first() == Some(&0));
    512 * blocks.enumerate().find(|(_, block)| is_it(block)).unwrap().0
}

#[test]
fn a_stream_with_another_byte_another_mode_or_a_name_less_is_not_taken_for_the_tree() {
    let alterations: [(&str, Alteration); 3] = [
        ("byte", |mut stream| {
            let content = header_of(&stream, b"byte") + 512;
            assert_eq!(&stream[content..][..8], b"precious");
            stream[content] = b'P';
            stream
        }),
        ("mode", |mut stream| {
            let header = header_of(&stream, b"mode");
            stream[header + 100..][..7].copy_from_slice(b"0000604");
            stream[header + 148..][..8].fill(b' ');
            let sum: u32 = stream[header..][..512].iter().map(|&byte| u32::from(byte)).sum();
            stream[header + 148..][..7].copy_from_slice(format!("{sum:06o}\0").as_bytes());
            stream
        }),
        ("left", |mut stream| {
            let header = header_of(&stream, b"left");
            stream.drain(header..header + 1024);
            stream
        }),
    ];
    for (name, alter) in alterations {
        let damaged = meddled(&plain(), What::Altered(alter));
        assert!(matches!(&damaged, FetchError::Damaged { path, .. } if path == name), "{name}: {damaged}");
    }
}

#[test]
fn a_link_that_is_cut_in_mid_stream_is_said_to_be_lost() {
    for bytes in [0, 700, 100_000, 3_000_000] {
        let lost = meddled(&Both::odd(), What::Cut(bytes));
        let is_lost = matches!(lost, FetchError::Far(FarError::Link(TransportError::Lost { .. })));
        assert!(is_lost, "{bytes}: {lost}");
    }
}

#[test]
fn a_host_that_sends_something_else_gets_nothing_out_of_the_folder() {
    let both = Both::odd();
    let refused = meddled(&both, What::Hostile);
    assert!(matches!(refused, FetchError::Unpack(_)), "{refused}");
    assert!(!both.folder.path().join("out").exists());
}

#[test]
fn what_cannot_be_sent_is_told_before_anything_comes() {
    let both = Both::new();
    fs::write(both.there().join("closed"), "private").unwrap();
    fs::set_permissions(both.there().join("closed"), fs::Permissions::from_mode(0o600)).unwrap();
    let made = std::process::Command::new("mkfifo").arg(both.there().join("pipe")).status().unwrap();
    assert!(made.success());
    let seen = both.fetch(&mut here()).unwrap();
    assert_eq!(seen.remarks.len(), 1, "a pipe is left out, and no reason to stay");

    let link = crate::here::Here { unprivileged: true, ..crate::here::Here::default() };
    fs::set_permissions(both.folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let forbidden = both.fetch(&mut Far::greet(Box::new(link), "a-word").unwrap()).map(drop).unwrap_err();
    assert!(matches!(&forbidden, FetchError::Forbidden { path, .. } if path == "closed"), "{forbidden}");

    let both = Both::new();
    let made =
        std::process::Command::new("mknod").arg(both.there().join("zero")).args(["c", "1", "5"]).status();
    assert!(made.unwrap().success());
    let forbidden = both.fetch(&mut here()).map(drop).unwrap_err();
    assert!(matches!(&forbidden, FetchError::Forbidden { path, .. } if path == "zero"), "{forbidden}");
    std::os::unix::fs::symlink(both.there(), both.folder.path().join("link")).unwrap();
    here().survey(both.folder.path().join("link").as_os_str().as_bytes(), &mut Quiet).unwrap_err();
}

#[test]
fn a_wish_to_stop_is_heeded() {
    let (both, mut far) = (Both::odd(), here());
    let seen = both.survey(&mut far);
    let stop = AtomicBool::new(true);
    let stopping = Cx { stop: &stop, progress: &NoProgress, now: Timestamp::now };
    assert!(matches!(fetch_tree(&mut far, &seen, &both.here(), &stopping), Err(FetchError::Stopped)));
}
