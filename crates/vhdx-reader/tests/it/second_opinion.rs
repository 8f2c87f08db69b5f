//! `ext4-view` reads the same disks and must see the same files.

use std::error::Error;

use ext4_view::{Ext4, Ext4Read, PathBuf};
use vhdx_reader::{Disk, Tree};

use crate::fixture::{Fixture, Hashes, MIB, hashes_of, sha256};

struct Whole(Disk);

impl Ext4Read for Whole {
    fn read(&mut self, start: u64, into: &mut [u8]) -> Result<(), Box<dyn Error + Send + Sync>> {
        Ok(self.0.read(start, into)?)
    }
}

fn hashes_by_the_other(disk: Disk) -> Hashes {
    let filesystem = Ext4::load(Box::new(Whole(disk))).unwrap();
    let (mut found, mut ahead) = (Hashes::new(), vec![PathBuf::new("/")]);
    while let Some(folder) = ahead.pop() {
        for entry in filesystem.read_dir(&folder).unwrap().map(Result::unwrap) {
            let name = entry.file_name();
            let kind = entry.file_type().unwrap();
            if kind.is_dir() && name != "." && name != ".." {
                ahead.push(entry.path());
            } else if kind.is_regular_file() {
                let path = entry.path();
                let bytes = filesystem.read(&path).unwrap();
                found.insert(path.as_ref()[1..].to_owned(), sha256(&bytes));
            }
        }
    }
    found
}

#[test]
fn two_readers_that_share_no_code_see_the_same_files() {
    let fixture = Fixture::home();
    for options in [&["-b", "1024"][..], &["-b", "4096"], &["-t", "ext2"]] {
        let raw = fixture.raw(40 * MIB, options);
        let image = fixture.vhdx(&raw, "subformat=dynamic,block_size=1M");
        let ours = hashes_of(&Tree::open(Disk::open(&image).unwrap()).unwrap());
        assert_eq!(ours, hashes_by_the_other(Disk::open(&image).unwrap()));
        assert_eq!(ours, fixture.hashes());
    }
}
