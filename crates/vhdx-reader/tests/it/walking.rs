//! Going through a tree: what is found, what is left out, and how it is called.

use std::collections::BTreeMap;
use std::os::unix::net::UnixListener;

use vhdx_reader::{Found, Kind, Skip, Tree, TreeError};

use crate::fixture::{Fixture, MIB, debugfs, open};

/// What a walk says of each path, in words.
fn walked(tree: &Tree, from: &[u8], skip: Skip) -> Vec<(String, String)> {
    let entry = tree.find(from).unwrap().unwrap();
    let visits = tree.walk(&entry, skip).unwrap();
    let said = |found: Found| match found {
        Found::Directory(_) => "directory".to_owned(),
        Found::File(file) => format!("file of {}", file.size()),
        Found::Symlink(_, target) => format!("-> {}", target.escape_ascii()),
        Found::Special(entry) => entry.kind().describe().to_owned(),
        Found::Skipped(_, reason) => format!("skipped: {reason:?}"),
        Found::Unreadable(error) => format!("unreadable: {error}"),
        other => format!("{other:?}"),
    };
    visits.map(|visit| (visit.path.escape_ascii().to_string(), said(visit.found))).collect()
}

fn pairs(found: &[(String, String)]) -> Vec<(&str, &str)> {
    found.iter().map(|(path, said)| (path.as_str(), said.as_str())).collect()
}

#[test]
fn caches_lost_and_found_and_empty_mount_points_are_left_out_and_told() {
    let fixture = Fixture::empty();
    for path in
        ["a/node_modules/x", "a/b/.cache/x", ".local/x", ".npm/x", ".npmrc", "mnt/drafts/kept", "a/.npx"]
    {
        fixture.file(format!("vm/{path}").as_bytes(), b"x");
    }
    for path in ["mnt/outputs", "mnt/.knowledge/base", "empty"] {
        fixture.directory(&format!("vm/{path}"));
    }
    let tree = open(&fixture.raw(8 * MIB, &[]));
    assert_eq!(
        pairs(&walked(&tree, b"vm", Skip::of_session())),
        [
            (".local", "skipped: Cache"),
            (".npm", "skipped: Cache"),
            (".npmrc", "skipped: Cache"),
            ("a", "directory"),
            ("a/.npx", "file of 1"),
            ("a/b", "directory"),
            ("a/b/.cache", "skipped: Cache"),
            ("a/node_modules", "skipped: Cache"),
            ("empty", "directory"),
            ("mnt", "directory"),
            ("mnt/.knowledge", "directory"),
            ("mnt/.knowledge/base", "skipped: MountPoint"),
            ("mnt/drafts", "directory"),
            ("mnt/drafts/kept", "file of 1"),
            ("mnt/outputs", "skipped: MountPoint"),
        ]
    );
    let all = walked(&tree, b"", Skip::nothing());
    assert_eq!(pairs(&all)[0], ("lost+found", "skipped: LostAndFound"));
    assert_eq!(all.iter().filter(|(_, said)| said.starts_with("skipped")).count(), 1);
    assert_eq!(all.iter().filter(|(_, said)| said == "file of 1").count(), 7);
}

#[test]
fn symlinks_are_told_and_never_followed() {
    let fixture = Fixture::empty();
    fixture.file(b"vm/secret", b"x");
    let long = "x/".repeat(120);
    for (target, path) in [
        ("secret", "vm/relative"),
        ("/sessions/vm/secret", "vm/absolute"),
        ("nowhere", "vm/dangling"),
        ("..", "vm/up"),
        (long.as_str(), "vm/long"),
    ] {
        fixture.symlink(target, path);
    }
    let tree = open(&fixture.raw(8 * MIB, &[]));
    let long = format!("-> {long}");
    assert_eq!(
        pairs(&walked(&tree, b"vm", Skip::nothing())),
        [
            ("absolute", "-> /sessions/vm/secret"),
            ("dangling", "-> nowhere"),
            ("long", long.as_str()),
            ("relative", "-> secret"),
            ("secret", "file of 1"),
            ("up", "-> .."),
        ]
    );
    assert!(tree.find(b"vm/up/vm").unwrap().is_none());
    let link = tree.find(b"vm/up").unwrap().unwrap();
    let error = tree.read(&link).unwrap_err();
    assert_eq!(error.to_string(), "/vm/up is a symlink, not a file");
    assert!(matches!(tree.list(&link), Err(TreeError::WrongKind { .. })));
}

#[test]
fn special_files_are_told_and_not_opened() {
    let fixture = Fixture::empty();
    let _socket = UnixListener::bind(fixture.place(b"socket")).unwrap();
    let image = fixture.raw(8 * MIB, &[]);
    debugfs(&image, &["mknod pipe p", "mknod null c 1 3", "mknod disk b 8 0"]);
    let found = walked(&open(&image), b"", Skip::nothing());
    assert_eq!(
        pairs(&found),
        [
            ("disk", "a block device"),
            ("lost+found", "skipped: LostAndFound"),
            ("null", "a character device"),
            ("pipe", "a pipe"),
            ("socket", "a socket"),
        ]
    );
}

#[test]
fn a_session_that_left_nothing_is_an_answer() {
    let fixture = Fixture::empty();
    fixture.directory("quiet-blue-curie");
    let tree = open(&fixture.raw(8 * MIB, &[]));
    assert!(tree.find(b"calm-amber-noether").unwrap().is_none());
    assert_eq!(walked(&tree, b"quiet-blue-curie", Skip::of_session()), []);
    let listed: Vec<_> = tree.list(&tree.root().unwrap()).unwrap();
    let paths: Vec<&[u8]> = listed.iter().map(|line| line.path.as_slice()).collect();
    assert_eq!(paths, [b"lost+found".as_slice(), b"quiet-blue-curie"]);
    assert!(listed.iter().all(|line| line.entry.as_ref().unwrap().kind() == Kind::Directory));
}

#[test]
fn names_that_windows_cannot_have_are_given_others_all_the_way_down() {
    let fixture = Fixture::empty();
    let names: [&[u8]; 7] =
        [b"a:b/c?d", b"A:B/x", b"con/nul.txt", b"caf\xE9", b"dot./s ", b"Readme", b"README"];
    for name in names {
        fixture.file(name, name);
    }
    let tree = open(&fixture.raw(8 * MIB, &[]));
    let root = tree.root().unwrap();
    let files = tree.walk(&root, Skip::nothing()).unwrap().filter(|it| matches!(it.found, Found::File(_)));
    let safe: BTreeMap<Vec<u8>, String> = files.map(|it| (it.path, it.safe_path)).collect();
    let expected =
        ["a%3Ab~2/c%3Fd", "A%3AB/x", "_con/_nul.txt", "caf%E9", "dot%2E/s%20", "Readme~2", "README"];
    for (name, expected) in names.into_iter().zip(expected) {
        assert_eq!(safe[name], expected);
    }
}

#[test]
fn a_directory_that_contains_itself_is_an_error_in_its_place() {
    let fixture = Fixture::empty();
    fixture.file(b"a/b/c/file", b"x");
    fixture.file(b"z", b"x");
    let image = fixture.raw(8 * MIB, &[]);
    debugfs(&image, &["link /a /a/b/c/again"]);
    let tree = open(&image);
    let found = walked(&tree, b"", Skip::nothing());
    let again = found.iter().find(|(path, _)| path == "a/b/c/again").unwrap();
    let inode = tree.find(b"a").unwrap().unwrap().inode();
    assert_eq!(
        again.1,
        format!(
            "unreadable: directory inode {inode} at /a/b/c/again: expected one name, found another one before"
        )
    );
    assert!(found.iter().any(|(path, _)| path == "z"));
}

#[test]
fn an_entry_that_is_damaged_is_an_error_in_its_place_and_the_rest_is_there() {
    let fixture = Fixture::empty();
    for name in ["a", "b", "c"] {
        fixture.file(name.as_bytes(), name.as_bytes());
    }
    let image = fixture.raw(8 * MIB, &[]);
    let inode = open(&image).find(b"b").unwrap().unwrap().inode();
    let told = debugfs(&image, &["imap /b"]);
    let number = |after: &str| {
        let digits = told.split(after).nth(1).unwrap().trim_start_matches("0x").to_owned();
        let end = digits.find(|it: char| !it.is_ascii_hexdigit()).unwrap_or(digits.len());
        digits[..end].to_owned()
    };
    let block: u64 = number("located at block ").parse().unwrap();
    let offset = u64::from_str_radix(&number("offset "), 16).unwrap();
    let size = if told.contains("(4096)") { 4096 } else { 1024 };
    let mut bytes = std::fs::read(&image).unwrap();
    bytes[usize::try_from(block * size + offset).unwrap() + 5] ^= 1;
    std::fs::write(&image, bytes).unwrap();
    let tree = open(&image);
    let found = walked(&tree, b"", Skip::nothing());
    let said: Vec<&str> = found.iter().map(|(_, said)| said.as_str()).collect();
    assert_eq!((said[0], said[2]), ("file of 1", "file of 1"));
    assert!(
        said[1].starts_with(&format!("unreadable: the checksum of inode {inode}: expected 0x")),
        "{said:?}"
    );
    let listed = tree.list(&tree.root().unwrap()).unwrap();
    assert!(listed[1].entry.is_err() && listed[2].entry.is_ok());
}
