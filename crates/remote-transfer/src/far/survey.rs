//! A tree at the far end as it is found there, whoever has made it: what of it can be sent, and what cannot.

use std::collections::HashMap;

use durable_files::{Digest, Hasher, Meter};

use super::listing::nanoseconds;
use super::{Far, FarError, MalformedListing, TreeThere, refused};
use crate::manifest::{Entry, Kind, Manifest};
use crate::transport::{Ended, RemoteCommand};
use crate::walk::{About, DEPTH, Remark, taken};

/// A tree of another host, as it was when somebody looked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Surveyed {
    pub(crate) tree: TreeThere,
    /// What can be sent. Files have no digests: nobody has read them.
    pub manifest: Manifest,
    /// What cannot, or not as it is. Extended attributes are not looked for.
    pub remarks: Vec<Remark>,
    /// What its files take, in bytes: a hole takes nothing.
    pub takes: u64,
    /// When each entry was last changed in any way: what is the same then and now was let alone.
    changed: Digest,
}

impl Surveyed {
    /// Device and inode of its root, as `stat` spells them: `%d:%i`. A rename keeps them.
    pub fn identity(&self) -> &str {
        &self.tree.identity
    }

    /// Whether nobody has touched it between two looks. What it takes is the file system's affair.
    pub(crate) fn is_still(&self, earlier: &Self) -> bool {
        let alike =
            self.tree == earlier.tree && self.remarks == earlier.remarks && self.changed == earlier.changed;
        alike && self.manifest == earlier.manifest
    }
}

impl Far {
    /// Looks at a folder that is there, which must not be a link, and at all that is in it.
    pub fn survey(&mut self, folder: &[u8], meter: &mut dyn Meter) -> Result<Surveyed, FarError> {
        let script = include_str!("survey.sh");
        let ended = self.run("look at what is there", script, &[folder], b"", meter)?;
        read(folder, &ended.stdout).map_err(|source| self.malformed(source))
    }

    /// What a file of such a tree holds, of which no more than this is wanted; one that is longer is cut there.
    pub fn read(
        &mut self,
        of: &Surveyed,
        path: &[u8],
        limit: usize,
        meter: &mut dyn Meter,
    ) -> Result<Vec<u8>, FarError> {
        let script = concat!(include_str!("enter.sh"), include_str!("read.sh"));
        let (name, limit) = ([b"./", path].concat(), limit.to_string());
        let [folder, identity] = of.tree.words();
        let words = [folder, identity, &name, limit.as_bytes()];
        Ok(self.run("read a file", script, &words, b"", meter)?.stdout)
    }

    /// What sends a tree, and then how that ended.
    pub(crate) fn packing(&self, tree: &TreeThere) -> RemoteCommand {
        let script = concat!(include_str!("enter.sh"), include_str!("pack.sh"));
        self.command(script, &tree.words())
    }

    /// Whether it ended well, as what came after the stream says.
    pub(crate) fn has_packed(&self, tree: &TreeThere, said: &[u8]) -> Result<(), FarError> {
        let text = said.iter().position(|&byte| byte != 0).map_or(&b""[..], |begin| &said[begin..]);
        let text = String::from_utf8_lossy(text);
        let (status, complaint) = text.split_once('\n').unwrap_or((&text, ""));
        let ended = Ended { status: status.parse().ok(), stdout: Vec::new(), stderr: complaint.into() };
        if ended.is_success() {
            return Ok(());
        }
        Err(refused("pack the tree", self.peer().to_owned(), &ended, &tree.path))
    }
}

/// One entry as it is told.
struct Told<'a> {
    readable: bool,
    what: u8,
    mode: u32,
    size: u64,
    blocks: u64,
    mtime: i64,
    changed: &'a [u8],
    links: u64,
    device: &'a [u8],
    inode: &'a [u8],
    path: &'a [u8],
    text: &'a [u8],
}

fn read(folder: &[u8], printed: &[u8]) -> Result<Surveyed, MalformedListing> {
    let malformed = MalformedListing::Entry;
    let end = printed.iter().position(|&byte| byte == 0).ok_or(malformed(0))?;
    let identity = std::str::from_utf8(&printed[..end]).map_err(|_| malformed(0))?.to_owned();
    let mut texts: Vec<&[u8]> = printed[end + 1..].split(|&byte| byte == 0).collect();
    texts.pop(); // what comes after the last NUL is nothing
    let (listed, rest) = texts.as_chunks::<3>();
    if !rest.is_empty() || listed.is_empty() {
        return Err(malformed(listed.len()));
    }
    let told = listed.iter().enumerate().map(|(at, texts)| Told::read(texts).ok_or(malformed(at)));
    let mut told = told.collect::<Result<Vec<Told<'_>>, _>>()?;
    told.sort_unstable_by_key(|told| told.path);
    let tree = TreeThere { path: folder.to_owned(), identity };
    Ok(survey(tree, &told))
}

fn survey(tree: TreeThere, told: &[Told<'_>]) -> Surveyed {
    let (mut entries, mut remarks, mut names) = (Vec::new(), Vec::new(), HashMap::new());
    let (mut hasher, mut takes) = (Hasher::default(), 0);
    let mut elsewhere: Option<&[u8]> = None;
    for told in told {
        for text in [told.path, b"\0", told.changed, b"\0"] {
            hasher.update(text);
        }
        // All that is in a folder comes after it, though not always at once.
        if elsewhere.is_some_and(|above| told.is_below(above)) {
            continue;
        }
        let mut remark = |about| remarks.push(Remark { path: told.path.to_owned(), about });
        if told.device != tree.identity.split(':').next().unwrap_or_default().as_bytes() {
            elsewhere = Some(told.path);
            remark(About::MountPoint);
            continue;
        }
        if let Some(about) = told.forbidden() {
            remark(about);
            continue;
        }
        let Some(kind) = told.kind() else {
            remark(About::Special(if told.what == b's' { "socket" } else { "FIFO" }));
            continue;
        };
        match &kind {
            Kind::Symlink { text } if text.first() == Some(&b'/') => remark(About::AbsoluteLink),
            Kind::File { .. } | Kind::Folder if told.mode & 0o6000 != 0 => remark(About::SetsIds),
            _ => {}
        }
        let mut is_first = true;
        if told.links > 1 && told.what == b'f' {
            let names = &mut names.entry(told.inode).or_insert_with(|| (told.links, Vec::new())).1;
            is_first = names.is_empty();
            names.push(entries.len());
        }
        if let (Kind::File { size, .. }, true) = (&kind, is_first) {
            takes += taken(*size, told.blocks);
        }
        let (path, mode) = (told.path.to_owned(), told.mode & 0o1777);
        entries.push(Entry { path, mode, mtime: told.mtime, kind });
    }
    for (links, names) in names.into_values() {
        let first = entries[names[0]].path.clone(); // they are in the order of their paths
        if links > names.len() as u64 {
            remarks.push(Remark { path: first.clone(), about: About::LinkedFromOutside });
        }
        for &further in &names[1..] {
            entries[further].kind = Kind::HardLink { to: first.clone() };
        }
    }
    remarks.sort_by(|a, b| a.path.cmp(&b.path));
    Surveyed { tree, manifest: Manifest::new(entries), remarks, takes, changed: hasher.finish().digest }
}

impl<'a> Told<'a> {
    fn read(&[attributes, path, text]: &[&'a [u8]; 3]) -> Option<Self> {
        let parts: Vec<&[u8]> = attributes.split(|&byte| byte == b' ').collect();
        let &[readable, what, mode, size, blocks, mtime, changed, links, identity] = parts.as_slice() else {
            return None;
        };
        let number = |bytes| std::str::from_utf8(bytes).ok();
        let colon = identity.iter().position(|&byte| byte == b':')?;
        Some(Self {
            readable: readable == b"r",
            what: *what.first()?,
            mode: u32::from_str_radix(number(mode)?, 8).ok()?,
            size: number(size)?.parse().ok()?,
            blocks: number(blocks)?.parse().ok()?,
            mtime: nanoseconds(number(mtime)?)?,
            changed,
            links: number(links)?.parse().ok()?,
            device: &identity[..colon],
            inode: &identity[colon + 1..],
            path,
            text,
        })
    }

    fn is_below(&self, folder: &[u8]) -> bool {
        self.path.strip_prefix(folder).is_some_and(|rest| rest.starts_with(b"/"))
    }

    /// Why a tree with it must not be sent.
    fn forbidden(&self) -> Option<About> {
        match self.what {
            _ if self.path.split(|&byte| byte == b'/').count() > DEPTH => Some(About::TooDeep),
            b'd' | b'f' if !self.readable => Some(About::Unreadable("permission denied".to_owned())),
            b'd' | b'f' | b'l' | b's' | b'p' => None,
            b'M' => Some(About::MountPoint),
            _ => Some(About::Device),
        }
    }

    /// What it is, if it can be sent.
    fn kind(&self) -> Option<Kind> {
        match self.what {
            b'd' => Some(Kind::Folder),
            b'f' => Some(Kind::File { size: self.size, digest: None }),
            b'l' => Some(Kind::Symlink { text: self.text.to_owned() }),
            _ => None,
        }
    }
}
