//! A tree that arrives where nothing of it has been: one command there for a small one, two for a large one.

use std::io::Write;

use durable_files::Meter;

use super::listing::{self, MalformedListing};
use super::stream::SHORT;
use super::{Far, FarError, LISTING, SendError, TreeThere, UNPACKING, refused};
use crate::deliver::Place;
use crate::manifest::Manifest;
use crate::pack::PackError;

/// What shall arrive, and how.
pub(crate) struct Arriving<'a> {
    pub(crate) place: &'a Place,
    pub(crate) run: &'a str,
    /// About how long its stream is.
    pub(crate) bytes: u64,
    /// Whether there are names that a file system may take for one.
    pub(crate) tries_names: bool,
    /// Whether it is given to its user and made durable in the same breath, before anybody has looked at it.
    pub(crate) settles: bool,
    pub(crate) owner: Option<&'a str>,
}

/// What became of it.
pub(crate) enum Arrived<T> {
    /// An earlier attempt has left something there. Nothing was unpacked.
    Before(TreeThere),
    /// It came.
    Now {
        tree: TreeThere,
        /// All that is there, with digests.
        found: Manifest,
        packed: T,
        /// How many bytes went over the link.
        sent: u64,
    },
}

/// From how many bytes on the faster program for digests makes up for its slower start.
const MUCH: u64 = 8 << 20;

const OPENSSL: &str = "openssl";
const SHA256SUM: &str = "sha256sum";

const BEGIN: &str = concat!(include_str!("base.sh"), include_str!("begin.sh"));
const ENTER: &str = include_str!("enter.sh");
const TELL: &str = include_str!("tell.sh");
const ARRIVE: &str = concat!(include_str!("folds.sh"), include_str!("arrive.sh"), include_str!("tell.sh"));

impl Arriving<'_> {
    /// The words of `begin.sh`.
    fn begin(&self) -> [&[u8]; 4] {
        let Place { base, name, staging, .. } = self.place;
        [base, staging.as_bytes(), name.as_bytes(), self.run.as_bytes()]
    }

    /// The words of `arrive.sh`.
    fn words<'a>(&'a self, digests: &'a str, compresses: bool) -> [&'a [u8]; 5] {
        let word = |said: bool, word: &'static str| if said { word } else { "" };
        let [gzip, tries, settles] =
            [word(compresses, "gzip"), word(self.tries_names, "names"), word(self.settles, "settles")];
        [digests, gzip, tries, settles, self.owner.unwrap_or_default()].map(str::as_bytes)
    }
}

impl Far {
    /// Takes the staging folder, and if nothing has been in it, has the stream unpacked there that `send` writes.
    pub(crate) fn arrive<T>(
        &mut self,
        arriving: &Arriving<'_>,
        meter: &mut dyn Meter,
        send: impl FnOnce(&mut dyn Write) -> Result<T, PackError>,
    ) -> Result<Arrived<T>, SendError> {
        let compresses = self.compresses(arriving.bytes, meter)?;
        let digests = self.digests(arriving.bytes);
        let how = arriving.words(digests, compresses);
        // What is short is sent though it may be in vain: that takes less than another command.
        let (tree, command) = if arriving.bytes <= SHORT as u64 {
            let script = format!("{BEGIN}[ \"$age\" = new ] || exit 0\nshift 4\n{ARRIVE}");
            (None, self.command(&script, &[&arriving.begin()[..], &how].concat()))
        } else {
            let begun = self.run("make the staging folder", BEGIN, &arriving.begin(), b"", meter)?;
            let (tree, is_new, _) = self.begun(arriving, &begun.stdout)?;
            if !is_new {
                return Ok(Arrived::Before(tree));
            }
            let command = self.command(&format!("{ENTER}{ARRIVE}"), &[&tree.words()[..], &how].concat());
            (Some(tree), command)
        };
        let folder = &arriving.place.base;
        let (outcome, ended, passed) =
            self.stream(command.printing_up_to(LISTING), compresses, folder, meter, send)?;
        let (tree, told) = match tree {
            Some(tree) => (tree, ended.stdout.as_slice()),
            None => match self.begun(arriving, &ended.stdout)? {
                (tree, false, _) => return Ok(Arrived::Before(tree)),
                (tree, true, told) => (tree, told),
            },
        };
        let Ok(packed) = outcome else {
            return Err(refused(UNPACKING, self.peer().to_owned(), &ended, folder).into());
        };
        let found = match listing::told(told, digests) {
            Ok(found) => found,
            Err(_) => self.tell(&tree, arriving.bytes, meter)?,
        };
        Ok(Arrived::Now { tree, found, packed, sent: passed })
    }

    /// Everything in a tree of which nothing is hidden from us, with digests.
    pub(crate) fn tell(
        &mut self,
        tree: &TreeThere,
        bytes: u64,
        meter: &mut dyn Meter,
    ) -> Result<Manifest, FarError> {
        let script = format!("{ENTER}{TELL}");
        let digests = self.digests(bytes);
        let mut told = |digests: &'static str, meter: &mut dyn Meter| {
            let [path, identity] = tree.words();
            let words = [path, identity, digests.as_bytes()];
            let ended = self.run("read what is there", &script, &words, b"", meter)?;
            listing::told(&ended.stdout, digests).map_err(|source| self.malformed(source))
        };
        match told(digests, meter) {
            // Names with line ends are told only by those whose lines end with NUL.
            Err(FarError::Listing { .. }) => told(SHA256SUM, meter),
            told => told,
        }
    }

    /// What `begin.sh` printed: the tree, whether it is new, and what comes after that.
    fn begun<'a>(
        &self,
        arriving: &Arriving<'_>,
        printed: &'a [u8],
    ) -> Result<(TreeThere, bool, &'a [u8]), FarError> {
        let end = printed.iter().position(|&byte| byte == b'\n').unwrap_or(printed.len());
        let line = String::from_utf8_lossy(&printed[..end]);
        let Some((identity, age)) = line.split_once(' ') else {
            return Err(self.malformed(MalformedListing::Entry(0)));
        };
        let tree = TreeThere { path: arriving.place.staged(), identity: identity.to_owned() };
        Ok((tree, age == "new", printed.get(end + 1..).unwrap_or_default()))
    }

    /// The program for the digests of so many bytes.
    fn digests(&self, bytes: u64) -> &'static str {
        let has_openssl = self.hello.has.iter().any(|program| program == OPENSSL);
        if bytes >= MUCH && has_openssl { OPENSSL } else { SHA256SUM }
    }

    pub(super) fn malformed(&self, source: MalformedListing) -> FarError {
        FarError::Listing { peer: self.peer().to_owned(), source }
    }
}
