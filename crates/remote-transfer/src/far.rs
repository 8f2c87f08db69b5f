//! The other end of the link: a stock Linux host, worked on with what it has.
//!
//! Every script stands in `far/`, takes names and content as arguments or on its standard input, and is never put
//! together from them.

mod arrive;
mod compress;
mod leftovers;
mod listing;
mod stream;
mod survey;

use std::collections::HashSet;
use std::io::Write;

use durable_files::{Digest, Meter, Quiet};

use crate::manifest::{Difference, Entry, Kind, Manifest, What};
use crate::pack::PackError;
use crate::transport::{Ended, RemoteCommand, Transport, TransportError};

pub(crate) use arrive::{Arrived, Arriving};
pub use compress::Compression;
use compress::zipped;
pub use leftovers::Leftover;
pub use listing::MalformedListing;
use stream::Stream;
pub use survey::Surveyed;

/// A host one is let into, and what it has.
pub struct Far {
    link: Box<dyn Transport>,
    hello: Hello,
    as_root: bool,
    compression: Compression,
    /// Whether the link is slow, once that was measured.
    slow: Option<bool>,
}

/// What a host says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hello {
    /// The numeric id of the user one is there.
    pub uid: Option<u32>,
    /// The name of that user.
    pub user: String,
    /// What `/etc/machine-id` says.
    pub machine: Option<String>,
    /// Which start of the machine this is.
    pub boot: Option<String>,
    /// Whether commands may be run as root without a password.
    pub sudo: bool,
    /// The programs that were looked for and are there.
    pub has: Vec<String>,
}

/// A folder's name, and what the file in it holds.
pub type Collected = (Vec<u8>, Vec<u8>);

/// What stands in a base on the other host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// Device and inode of the base, as `stat` spells them: `%d:%i`.
    pub base: String,
    /// Whether nothing can be written to it, whoever one is there.
    pub closed: bool,
    /// Free bytes for whoever one is there.
    pub bytes: u64,
    /// Free inodes; none if the file system does not count them.
    pub inodes: Option<u64>,
    /// Device and inode of what already has the name, if anything does.
    pub live: Option<String>,
    /// The run whose staging is there; empty if it does not say.
    pub staging: Option<String>,
    /// Whether the receipt is there.
    pub receipt: bool,
}

/// A tree on the other host: its path, and what it is under whatever path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TreeThere {
    pub(crate) path: Vec<u8>,
    /// Device and inode: in a base that somebody else may write to, a path alone may lead elsewhere by now.
    pub(crate) identity: String,
}

/// Why something did not work at the far end.
#[derive(Debug, thiserror::Error)]
pub enum FarError {
    /// The link failed.
    #[error(transparent)]
    Link(#[from] TransportError),
    /// What was said before our own words: a login shell that prints would corrupt every stream.
    #[error("the login shell of {peer} prints to its standard output before it runs a command: {said:?}")]
    Chatty {
        /// Whom one talked to.
        peer: String,
        /// The beginning of it.
        said: String,
    },
    /// A folder that must be there is not.
    #[error("there is no folder {path} on {peer}, or it may not be entered")]
    NoBase {
        /// Whom one talked to.
        peer: String,
        /// The folder.
        path: String,
    },
    /// Somebody has put another folder in the place of the one that is worked in.
    #[error("{path} on {peer} is not the folder that it was: somebody has moved it")]
    Elsewhere {
        /// Whom one talked to.
        peer: String,
        /// The folder.
        path: String,
    },
    /// A command failed.
    #[error("cannot {doing} on {peer}: {complaint}")]
    Failed {
        /// What was being done.
        doing: &'static str,
        /// Whom one talked to.
        peer: String,
        /// The exit status.
        status: Option<i32>,
        /// What was said.
        complaint: String,
    },
    /// What the far side lists makes no sense.
    #[error("the listing of {peer} cannot be read: {source}")]
    Listing {
        /// Whom one talked to.
        peer: String,
        /// What is wrong with it.
        source: MalformedListing,
    },
}

/// Why a tree did not arrive.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SendError {
    /// It could not be read here.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// The far end did not take it.
    #[error(transparent)]
    Far(#[from] FarError),
}

impl TreeThere {
    fn words(&self) -> [&[u8]; 2] {
        [&self.path, self.identity.as_bytes()]
    }
}

impl FarError {
    /// Whether the next tree would meet the same: no link, no room, a failing disk, processes that are ended.
    pub fn is_world_failure(&self) -> bool {
        const MACHINE: [&str; 4] =
            ["No space left on device", "Disk quota exceeded", "Input/output error", "Read-only file system"];
        match self {
            Self::Link(_) | Self::Chatty { .. } | Self::NoBase { .. } => true,
            Self::Failed { status, complaint, .. } => {
                // A signal, to a shell or to what it ran: somebody ends processes there, or there is no memory.
                matches!(status, None | Some(125 | 129..))
                    || MACHINE.iter().any(|machine| complaint.contains(machine))
            }
            Self::Listing { .. } | Self::Elsewhere { .. } => false,
        }
    }

    /// The exit status of a command that failed.
    pub(crate) fn status(&self) -> Option<i32> {
        if let Self::Failed { status, .. } = self { *status } else { None }
    }
}

/// What is being done while a stream is read there.
const UNPACKING: &str = "unpack the stream";
/// What a listing of a large tree may come to, in bytes.
const LISTING: usize = 1 << 30;
/// The exit status of a script that could not enter the folder it works in.
const NO_BASE: i32 = 10;
/// The exit status of a script that found itself in another folder than the one that is meant.
const ELSEWHERE: i32 = 13;

impl Far {
    /// Says hello. `word` must be new each time: it tells our own words from what a login shell prints.
    pub fn greet(mut link: Box<dyn Transport>, word: &str) -> Result<Self, FarError> {
        let ended =
            link.run(&RemoteCommand::sh(include_str!("far/hello.sh"), &[word.as_bytes()]), b"", &mut Quiet)?;
        let peer = link.peer().to_owned();
        let text = String::from_utf8_lossy(&ended.stdout).into_owned();
        let Some((before, hello)) = text.split_once(&format!("{word}\n")) else {
            return Err(failed("run a command", peer, &ended));
        };
        if !before.is_empty() {
            return Err(FarError::Chatty { peer, said: before.chars().take(80).collect() });
        }
        if !ended.is_success() {
            return Err(failed("find out what there is", peer, &ended)); // half of it would be taken for all
        }
        Ok(Self {
            link,
            hello: Hello::read(hello),
            as_root: false,
            compression: Compression::default(),
            slow: None,
        })
    }

    /// The same host once more, for whoever works there at the same time.
    #[must_use]
    pub fn another(&self) -> Self {
        Self { link: self.link.another(), hello: self.hello.clone(), ..*self }
    }

    /// What the host says of itself.
    pub fn hello(&self) -> &Hello {
        &self.hello
    }

    /// Whom one talks to, for people.
    pub fn peer(&self) -> &str {
        self.link.peer()
    }

    /// The link itself.
    pub fn link(&mut self) -> &mut dyn Transport {
        &mut *self.link
    }

    /// Runs everything that follows as root, through `sudo -n` where one is not root already.
    pub fn act_as_root(&mut self) {
        self.as_root = self.hello.uid != Some(0);
    }

    /// Whether files can be given to another user.
    pub fn is_root(&self) -> bool {
        self.as_root || self.hello.uid == Some(0)
    }

    /// What stands in a base: of a name, of what is staged for it, and of a receipt below the base.
    pub fn look(
        &mut self,
        base: &[u8],
        name: &str,
        staging: &str,
        receipt: &str,
    ) -> Result<Standing, FarError> {
        self.stands(base, name, staging, receipt, true)
    }

    /// The same without a word of the base and the room in it, unless that is of interest.
    pub(crate) fn stands(
        &mut self,
        base: &[u8],
        name: &str,
        staging: &str,
        receipt: &str,
        with_base: bool,
    ) -> Result<Standing, FarError> {
        let with_base: &[u8] = if with_base { b"base" } else { b"" };
        let arguments = [base, name.as_bytes(), staging.as_bytes(), receipt.as_bytes(), with_base];
        let ended = self.run("look around", include_str!("far/look.sh"), &arguments, b"", &mut Quiet)?;
        Ok(Standing::read(&String::from_utf8_lossy(&ended.stdout)))
    }

    /// The user that a folder belongs to.
    pub fn owner(&mut self, folder: &[u8]) -> Result<String, FarError> {
        self.script("find out whose it is", include_str!("far/owner.sh"), &[folder], b"")
    }

    /// The names of all that stands in a base.
    pub fn names(&mut self, base: &[u8]) -> Result<HashSet<Vec<u8>>, FarError> {
        let ended = self.run("list what is there", include_str!("far/names.sh"), &[base], b"", &mut Quiet)?;
        Ok(ended.stdout.split(|&byte| byte == 0).map(<[u8]>::to_vec).collect())
    }

    /// The file of this name in every folder of a base that has one: the folder's name, and what the file holds, cut at
    /// 64 KiB and read as text without NUL.
    pub fn collect(&mut self, base: &[u8], name: &str) -> Result<Vec<Collected>, FarError> {
        let arguments = [base, name.as_bytes()];
        let ended =
            self.run("read what is there", include_str!("far/collect.sh"), &arguments, b"", &mut Quiet)?;
        let texts: Vec<&[u8]> = ended.stdout.split(|&byte| byte == 0).collect();
        Ok(texts
            .as_chunks::<2>()
            .0
            .iter()
            .map(|&[folder, text]| (folder.to_owned(), text.to_owned()))
            .collect())
    }

    /// Every entry of a tree that may be seen, without digests.
    pub(crate) fn list(&mut self, tree: &TreeThere, meter: &mut dyn Meter) -> Result<Manifest, FarError> {
        let ended = self.run("list the tree", include_str!("far/list.sh"), &tree.words(), b"", meter)?;
        self.listed(&ended)
    }

    fn listed(&self, ended: &Ended) -> Result<Manifest, FarError> {
        let peer = self.peer().to_owned();
        listing::read(&ended.stdout).map_err(|source| FarError::Listing { peer, source })
    }

    /// How what is there differs from what shall be, apart from what nobody but root may see there.
    pub(crate) fn differences(&self, expected: &Manifest, found: &Manifest) -> Vec<Difference> {
        let mut differences = expected.differences(found);
        if !self.is_root() {
            differences.retain(|it| it.what != What::Missing || !found.is_closed_above(&it.path));
        }
        differences
    }

    /// Fills in the digests of these files of a listed tree, as the far side computes them.
    pub(crate) fn hash(
        &mut self,
        tree: &TreeThere,
        manifest: &mut Manifest,
        choose: &dyn Fn(&Entry) -> bool,
        meter: &mut dyn Meter,
    ) -> Result<(), FarError> {
        let mut files: Vec<&mut Entry> = manifest
            .entries_mut()
            .iter_mut()
            .filter(|entry| matches!(entry.kind, Kind::File { .. }) && choose(entry))
            .collect();
        if files.is_empty() {
            return Ok(());
        }
        let names = ended_by_nul(files.iter().map(|entry| entry.path.as_slice()));
        let ended =
            self.run("hash what is there", include_str!("far/hash.sh"), &tree.words(), &names, meter)?;
        let peer = self.peer().to_owned();
        let digests = listing::digests(&ended.stdout, files.len());
        let digests = digests.map_err(|source| FarError::Listing { peer, source })?;
        for (entry, found) in files.iter_mut().zip(digests) {
            if let Kind::File { digest, .. } = &mut entry.kind {
                *digest = Some(found);
            }
        }
        Ok(())
    }

    /// Removes entries from a tree.
    pub(crate) fn remove(
        &mut self,
        tree: &TreeThere,
        paths: &[&[u8]],
        meter: &mut dyn Meter,
    ) -> Result<(), FarError> {
        if paths.is_empty() {
            return Ok(());
        }
        let names = ended_by_nul(paths.iter().copied());
        let script = include_str!("far/remove.sh");
        self.run("remove what does not belong there", script, &tree.words(), &names, meter).map(drop)
    }

    /// Gives entries of a tree a mode.
    pub(crate) fn mode(
        &mut self,
        tree: &TreeThere,
        mode: u32,
        paths: &[&[u8]],
        meter: &mut dyn Meter,
    ) -> Result<(), FarError> {
        let names = ended_by_nul(paths.iter().copied());
        let mode = format!("{mode:04o}");
        let words = [&tree.path[..], tree.identity.as_bytes(), mode.as_bytes()];
        self.run("set modes", include_str!("far/mode.sh"), &words, &names, meter).map(drop)
    }

    /// Gives everything in a tree to a user, if one is named, makes it durable, and lists it.
    pub(crate) fn settle(
        &mut self,
        tree: &TreeThere,
        user: Option<&str>,
        meter: &mut dyn Meter,
    ) -> Result<Manifest, FarError> {
        let words = [&tree.path[..], tree.identity.as_bytes(), user.unwrap_or_default().as_bytes()];
        let script = include_str!("far/settle.sh");
        let ended = self.run("give it to its user and make it durable", script, &words, b"", meter)?;
        self.listed(&ended)
    }

    /// Whether beside a tree, names that differ in case or composition are one name.
    pub(crate) fn folds(&mut self, tree: &TreeThere) -> Result<bool, FarError> {
        let script = concat!(
            include_str!("far/enter.sh"),
            include_str!("far/folds.sh"),
            "folds; case $? in 0) echo folds ;; 1) ;; *) exit 1 ;; esac",
        );
        let ended = self.run("try how names are told apart", script, &tree.words(), b"", &mut Quiet)?;
        Ok(!ended.stdout.is_empty())
    }

    /// Runs one of the short scripts that need nothing but arguments, to its end.
    pub(crate) fn script(
        &mut self,
        doing: &'static str,
        script: &str,
        arguments: &[&[u8]],
        input: &[u8],
    ) -> Result<String, FarError> {
        let ended = self.run(doing, script, arguments, input, &mut Quiet)?;
        Ok(String::from_utf8_lossy(&ended.stdout).trim().to_owned())
    }

    /// Has a stream unpacked that `send` writes, of about so many bytes. Gives with its outcome how many went over the link.
    pub(crate) fn unpack<T>(
        &mut self,
        tree: &TreeThere,
        bytes: u64,
        meter: &mut dyn Meter,
        send: impl FnOnce(&mut dyn Write) -> Result<T, PackError>,
    ) -> Result<(T, u64), SendError> {
        let compresses = self.compresses(bytes, meter)?;
        let [path, identity] = tree.words();
        let how: &[u8] = if compresses { b"gzip" } else { b"" };
        let command = self.command(include_str!("far/unpack.sh"), &[path, identity, how]);
        let (outcome, ended, passed) = self.stream(command, compresses, &tree.path, meter, send)?;
        let Ok(packed) = outcome else {
            return Err(refused(UNPACKING, self.peer().to_owned(), &ended, &tree.path).into());
        };
        Ok((packed, passed))
    }

    /// Has a command that ends well read what `send` writes. Gives what became of that, unless it failed for a reason of
    /// its own, how the command ended, and how many bytes went over the link.
    fn stream<T>(
        &mut self,
        command: RemoteCommand,
        compresses: bool,
        folder: &[u8],
        meter: &mut dyn Meter,
        send: impl FnOnce(&mut dyn Write) -> Result<T, PackError>,
    ) -> Result<(Result<T, PackError>, Ended, u64), SendError> {
        let peer = self.peer().to_owned();
        let mut stream = Stream::to(command, &mut *self.link, meter);
        let outcome = if compresses { zipped(&mut stream, send) } else { send(&mut stream) };
        let passed = stream.sent();
        let ended = stream.finish(outcome.is_ok());
        match (outcome, ended) {
            // Where the stream broke, the far end knows better why: here only the pipe was seen to break.
            (outcome @ (Ok(_) | Err(PackError::Stream(_))), Ok(ended)) if ended.is_success() => {
                Ok((outcome, ended, passed))
            }
            (Ok(_) | Err(PackError::Stream(_)), Ok(ended)) => {
                Err(refused(UNPACKING, peer, &ended, folder).into())
            }
            (Ok(_) | Err(PackError::Stream(_)), Err(error)) => Err(FarError::from(error).into()),
            (Err(error), _) => Err(error.into()),
        }
    }

    fn run(
        &mut self,
        doing: &'static str,
        script: &str,
        arguments: &[&[u8]],
        input: &[u8],
        meter: &mut dyn Meter,
    ) -> Result<Ended, FarError> {
        let command = self.command(script, arguments).printing_up_to(LISTING);
        let ended = self.link.run(&command, input, meter)?;
        if ended.is_success() {
            return Ok(ended);
        }
        Err(refused(doing, self.peer().to_owned(), &ended, arguments.first().copied().unwrap_or_default()))
    }

    fn command(&self, script: &str, arguments: &[&[u8]]) -> RemoteCommand {
        if self.as_root {
            RemoteCommand::sudo(script, arguments)
        } else {
            RemoteCommand::sh(script, arguments)
        }
    }
}

fn refused(doing: &'static str, peer: String, ended: &Ended, folder: &[u8]) -> FarError {
    match ended.status {
        Some(NO_BASE) => FarError::NoBase { peer, path: crate::display(folder) },
        Some(ELSEWHERE) => FarError::Elsewhere { peer, path: crate::display(folder) },
        _ => failed(doing, peer, ended),
    }
}

fn failed(doing: &'static str, peer: String, ended: &Ended) -> FarError {
    let complaint = match (ended.complaint(), ended.status) {
        (said, _) if !said.is_empty() => said,
        (_, Some(status)) => format!("it ended with {status}"),
        (_, None) => "it was ended by a signal, or the link was cut".to_owned(),
    };
    FarError::Failed { doing, peer, status: ended.status, complaint }
}

fn ended_by_nul<'a>(names: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    // `./` keeps a name from being taken for an option, even by a program that does not know `--`.
    names.fold(Vec::new(), |mut all, name| {
        all.extend_from_slice(b"./");
        all.extend_from_slice(name);
        all.push(0);
        all
    })
}

impl Hello {
    fn read(text: &str) -> Self {
        let mut hello = Self::default();
        for line in text.lines() {
            let (key, value) = line.split_once(' ').unwrap_or((line, ""));
            let value = Some(value.to_owned()).filter(|value| !value.is_empty());
            match (key, value) {
                ("uid", Some(value)) => hello.uid = value.parse().ok(),
                ("user", Some(value)) => hello.user = value,
                ("machine-id", value) => hello.machine = value,
                ("boot-id", value) => hello.boot = value,
                ("has", Some(value)) => hello.has.push(value),
                ("can", Some(value)) => hello.sudo |= value == "sudo",
                _ => {}
            }
        }
        hello
    }
}

impl Standing {
    fn read(text: &str) -> Self {
        let mut standing = Self::default();
        for line in text.lines() {
            let (key, value) = line.split_once(' ').unwrap_or((line, ""));
            let numbers: Vec<u64> = value.split(' ').map_while(|number| number.parse().ok()).collect();
            match (key, numbers.as_slice()) {
                ("base", _) => value.clone_into(&mut standing.base),
                ("room", &[blocks, size, inodes]) => {
                    standing.bytes = blocks.saturating_mul(size);
                    standing.inodes = Some(inodes).filter(|&inodes| inodes > 0);
                }
                ("live", _) => standing.live = Some(value.to_owned()),
                ("closed", _) => standing.closed = true,
                ("receipt", _) => standing.receipt = true,
                ("staging", _) => standing.staging = Some(value.to_owned()),
                _ => {}
            }
        }
        standing
    }
}

/// A digest in the far side's spelling.
pub(crate) fn digest_of(hex: &[u8]) -> Option<Digest> {
    std::str::from_utf8(hex).ok()?.parse().ok()
}
