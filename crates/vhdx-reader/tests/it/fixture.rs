//! Trees of files, made into images by `mkfs.ext4` and `qemu-img`.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sha2::{Digest, Sha256};
use tempfile::TempDir;
use vhdx_reader::{Found, Kind, Piece, Skip, Tree};

/// What every file of a tree holds, by its path from the tree's root.
pub(crate) type Hashes = BTreeMap<Vec<u8>, String>;

pub(crate) const MIB: u64 = 1 << 20;

/// A folder with a tree to be put into images, and the images.
pub(crate) struct Fixture {
    folder: TempDir,
}

impl Fixture {
    /// With an empty tree.
    pub(crate) fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("tree")).unwrap();
        Self { folder }
    }

    /// With a home that has a bit of everything.
    pub(crate) fn home() -> Self {
        let fixture = Self::empty();
        for (seed, size) in [0, 1, 511, 1024, 4095, 4096, 4097, 70_000, 3 << 20].into_iter().enumerate() {
            let name = format!("calm-amber-noether/work/{size}.bin");
            fixture.file(name.as_bytes(), &noise(seed as u64, size));
        }
        for nth in 0..300 {
            let name = format!("calm-amber-noether/many/a_name_that_takes_some_room_{nth}");
            fixture.file(name.as_bytes(), name.as_bytes());
        }
        fixture.file(b"calm-amber-noether/caf\xE9 \xFF.txt", b"not UTF-8");
        fixture.file("calm-amber-noether/日本/ß.txt".as_bytes(), b"UTF-8");
        fixture
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn tree(&self) -> PathBuf {
        self.path("tree")
    }

    /// A file of the tree, with the directories above it.
    pub(crate) fn file(&self, path: &[u8], content: &[u8]) {
        let path = self.place(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub(crate) fn directory(&self, path: &str) {
        fs::create_dir_all(self.place(path.as_bytes())).unwrap();
    }

    pub(crate) fn symlink(&self, target: &str, path: &str) {
        std::os::unix::fs::symlink(target, self.place(path.as_bytes())).unwrap();
    }

    pub(crate) fn place(&self, path: &[u8]) -> PathBuf {
        self.tree().join(std::ffi::OsStr::from_bytes(path))
    }

    /// The tree in a raw image of `size` bytes; `options` are for `mkfs.ext4`.
    pub(crate) fn raw(&self, size: u64, options: &[&str]) -> PathBuf {
        let image = self.path("disk.img");
        fs::write(&image, b"").unwrap();
        fs::File::options().write(true).open(&image).unwrap().set_len(size).unwrap();
        self.format(&image, options);
        image
    }

    /// Makes the filesystem in an image that is already there.
    pub(crate) fn format(&self, image: &Path, options: &[&str]) {
        let mut mkfs = tool("mkfs.ext4", "e2fsprogs");
        mkfs.args(["-q", "-F", "-L", "sessions", "-d"]).arg(self.tree()).args(options).arg(image);
        run(&mut mkfs);
    }

    /// A raw image as a VHDX; `options` are for `qemu-img convert -o`.
    pub(crate) fn vhdx(&self, raw: &Path, options: &str) -> PathBuf {
        let image = self.path("disk.vhdx");
        let mut convert = tool("qemu-img", "qemu-utils");
        convert.args(["convert", "-f", "raw", "-O", "vhdx", "-o", options]).arg(raw).arg(&image);
        run(&mut convert);
        image
    }

    /// What the tree's files hold.
    pub(crate) fn hashes(&self) -> Hashes {
        let mut found = Hashes::new();
        let mut ahead = vec![self.tree()];
        while let Some(folder) = ahead.pop() {
            for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
                if entry.file_type().unwrap().is_dir() {
                    ahead.push(entry.path());
                } else if entry.file_type().unwrap().is_file() {
                    let tree = self.tree();
                    let path = entry.path();
                    let name = path.strip_prefix(tree).unwrap().as_os_str().as_bytes().to_owned();
                    found.insert(name, sha256(&fs::read(&path).unwrap()));
                }
            }
        }
        found
    }
}

/// What the files of an image hold; what cannot be read is a failure.
pub(crate) fn hashes_of(tree: &Tree) -> Hashes {
    let mut found = Hashes::new();
    for visit in tree.walk(&tree.root().unwrap(), Skip::nothing()).unwrap() {
        match visit.found {
            Found::File(file) => {
                let mut content = Vec::new();
                tree.read(&file).unwrap().read_to_end(&mut content).unwrap();
                assert_eq!(content.len() as u64, file.size());
                found.insert(visit.path, sha256(&content));
            }
            Found::Unreadable(error) => panic!("{}: {error}", visit.path.escape_ascii()),
            _ => {}
        }
    }
    found
}

/// A file's content, and how many bytes of it are holes.
pub(crate) fn content(tree: &Tree, path: &[u8]) -> (Vec<u8>, u64) {
    let file = tree.find(path).unwrap().unwrap();
    assert_eq!(file.kind(), Kind::File);
    let (mut bytes, mut holes) = (Vec::new(), 0);
    let mut content = tree.read(&file).unwrap();
    while let Some(piece) = content.next_piece().unwrap() {
        match piece {
            Piece::Data(data) => bytes.extend_from_slice(data),
            Piece::Hole(length) => {
                holes += length;
                bytes.resize(bytes.len() + usize::try_from(length).unwrap(), 0);
            }
        }
    }
    (bytes, holes)
}

pub(crate) fn open(image: &Path) -> Tree {
    Tree::open_image(image).unwrap_or_else(|error| panic!("{error}"))
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    format!("{:x?}", Sha256::digest(bytes).as_slice())
}

/// Bytes without a pattern, the same for the same seed.
pub(crate) fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut random = Random::new(seed);
    (0..length).map(|_| random.next().to_le_bytes()[3]).collect()
}

/// A small generator of random numbers (xorshift*), so that a failure can be had again.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        (self.next() >> 8) % end
    }
}

/// Runs commands of `debugfs` on a raw image, for what `mkfs.ext4` cannot make.
pub(crate) fn debugfs(image: &Path, commands: &[&str]) -> String {
    let mut output = String::new();
    let script = image.with_extension("debugfs");
    fs::write(&script, commands.join("\n") + "\n").unwrap();
    let mut debugfs = tool("debugfs", "e2fsprogs");
    debugfs.arg("-w").arg("-f").arg(&script).arg(image);
    output.push_str(&run(&mut debugfs));
    output
}

/// A tool that these tests cannot do without.
pub(crate) fn tool(name: &str, package: &str) -> Command {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    let found = folders.map(|folder| folder.join(name)).find(|tool| tool.is_file());
    Command::new(found.unwrap_or_else(|| panic!("{name} is needed for this test: apt-get install {package}")))
}

/// Runs it to success and gives its output.
pub(crate) fn run(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}: {said}", output.status);
    String::from_utf8_lossy(&output.stdout).into_owned()
}
