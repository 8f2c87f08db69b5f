//! `cowork-migrate extract`, beside a conversion of the image and a dump of what is in it.

use std::fs;
use std::path::{Path, PathBuf};

use super::files::{clear, shell_line};
use super::measure;
use super::race::Race;
use super::tool::Tool;
use super::{Given, ROUNDS};
use crate::shell::{self, Outcome};

pub(super) const NEEDS: [(&str, &str); 4] = [
    ("debugfs", "e2fsprogs"),
    ("mkfs.ext4", "e2fsprogs"),
    ("python3", "python3"),
    ("qemu-img", "qemu-utils"),
];

const VM: &str = "calm-amber-noether";

pub(super) fn run(given: &Given) -> Outcome {
    let tool = Tool::built("cowork-migrate", given.folder())?;
    let image = image(given.folder())?;
    let (archive, disk) = (given.folder().join("archive"), given.folder().join("disk.raw"));
    let dumped = given.folder().join("dumped");

    let mut race = Race::new();
    let ours = race.enter("cowork-migrate extract", || {
        clear(&archive)?;
        tool.run([
            "extract".as_ref(),
            "--session".as_ref(),
            VM.as_ref(),
            "--vhdx".as_ref(),
            image.as_os_str(),
            "--archive".as_ref(),
            archive.as_os_str(),
        ])
    });
    let peer = race.enter("qemu-img convert, debugfs rdump", || {
        clear(&disk)?;
        clear(&dumped)?;
        fs::create_dir(&dumped)?;
        let line = format!(r#"qemu-img convert -O raw "$1" "$2"; debugfs -R "rdump /{VM} $3" "$2""#);
        measure::program(&shell_line(&line, &[&image, &disk, &dumped]))
    });
    let results = race.run("extract: 300 MB in 2,048 files of a virtual machine, from a VHDX", ROUNDS)?;
    results.at_least(peer, ours, 2.0);
    Ok(())
}

/// A disk as the application makes it: large, and mostly empty.
fn image(folder: &Path) -> Outcome<PathBuf> {
    let (root, raw, image) = (folder.join("root"), folder.join("made.raw"), folder.join("sessiondata.vhdx"));
    lay_out(&root.join(VM))?;
    let line =
        r#"truncate -s 10G "$2"; mkfs.ext4 -q -d "$1" "$2"; qemu-img convert -O vhdx "$2" "$3"; sync "$3""#;
    shell::run(&mut shell_line(line, &[&root, &raw, &image]))?;
    clear(&raw)?;
    clear(&root)?;
    Ok(image)
}

/// Some large files and many small ones, none of them to be packed by holes.
fn lay_out(home: &Path) -> Outcome {
    let mut noise = Noise(1);
    let sizes = [(48, 6_000_000), (2000, 6_000)];
    for (number, size) in sizes.into_iter().flat_map(|(many, size)| (0..many).map(move |at| (at, size))) {
        let folder = home.join(format!("work/{size}/{}", number / 100));
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(format!("result-{number}.bin")), noise.bytes(size))?;
    }
    Ok(())
}

/// Bytes without a pattern, the same each time.
struct Noise(u64);

impl Noise {
    fn bytes(&mut self, many: usize) -> Vec<u8> {
        std::iter::repeat_with(|| self.next().to_le_bytes())
            .take(many.div_ceil(8))
            .flatten()
            .take(many)
            .collect()
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}
