//! Files read through the SFTP server that every OpenSSH has, and through ones that lie.

use std::cell::Cell;
use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::time::Instant;

use durable_files::Quiet;
use remote_transfer::{Duplex, PullError, Sftp, SftpError, pull_file, pull_tree};
use testkit::sftp::Claims;

/// The server as a child process, without a network.
struct Server(Child);

impl Server {
    fn start() -> Self {
        let mut server = Command::new("/usr/lib/openssh/sftp-server");
        Self(
            server
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .expect("openssh-sftp-server is installed"),
        )
    }
}

impl Read for Server {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.stdout.as_mut().unwrap().read(buffer)
    }
}

impl Write for Server {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.stdin.as_mut().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn connect() -> Sftp<'static> {
    Sftp::on(Box::new(Server::start()), "here".to_owned()).unwrap()
}

fn bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_bytes()
}

/// Bytes of which each block differs from the others.
fn patterned(len: u32) -> Vec<u8> {
    (0..len).map(|n| (n / 7).to_le_bytes()[0]).collect()
}

#[test]
fn a_file_comes_whole_and_from_where_it_was_left() {
    let folder = tempfile::tempdir().unwrap();
    let content = patterned(5_000_001);
    for (name, len) in [("empty", 0), ("one", 1), ("block", 32 << 10), ("big", content.len())] {
        let path = folder.path().join(name);
        fs::write(&path, &content[..len]).unwrap();
        let mut sftp = connect();
        assert_eq!(sftp.stat(bytes(&path)).unwrap().size, Some(len as u64));
        for offset in [0, len / 2, len] {
            let mut read = Vec::new();
            let mut take = |data: &[u8]| {
                read.extend_from_slice(data);
                true
            };
            sftp.read(bytes(&path), offset as u64, &mut take).unwrap();
            assert!(read == content[offset..len], "{name} from {offset}: {} bytes", read.len());
        }
    }
}

#[test]
fn a_folder_is_listed_whole_and_links_are_told_from_what_they_lead_to() {
    let folder = tempfile::tempdir().unwrap();
    let names: Vec<String> = (0..500).map(|n| format!("file {n:03}")).collect();
    for name in &names {
        fs::write(folder.path().join(name), "x").unwrap();
    }
    symlink("nowhere", folder.path().join("link")).unwrap();
    fs::create_dir(folder.path().join("sub")).unwrap();
    let mut sftp = connect();
    let listed = sftp.list(bytes(folder.path())).unwrap();
    assert_eq!(listed.len(), 502);
    let kind = |name: &str| listed.iter().find(|(found, _)| found == name.as_bytes()).unwrap().1;
    assert!(kind("link").is_symlink() && kind("sub").is_dir() && kind("file 007").is_file());
    assert!(sftp.list(bytes(&folder.path().join("none"))).unwrap_err().is_not_found());
    assert!(sftp.stat(bytes(&folder.path().join("link"))).unwrap_err().is_not_found());
    assert!(sftp.lstat(bytes(&folder.path().join("link"))).unwrap().is_symlink());
}

#[test]
fn reading_can_be_ended_in_the_middle_and_goes_on_with_something_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("big");
    fs::write(&path, vec![1; 4 << 20]).unwrap();
    let mut sftp = connect();
    let mut taken = 0;
    let mut take = |data: &[u8]| {
        taken += data.len();
        taken < 100_000
    };
    sftp.read(bytes(&path), 0, &mut take).unwrap();
    assert!(taken < 200_000, "{taken}");
    assert_eq!(sftp.stat(bytes(&path)).unwrap().size, Some(4 << 20));
}

/// How often somebody has waited for the server: each time it is read from after it was written to.
#[derive(Clone, Default)]
struct Turns(Rc<Cell<(usize, bool)>>);

struct Counted(Server, Turns);

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let (turns, asked) = self.1.0.get();
        self.1.0.set((turns + usize::from(asked), false));
        self.0.read(buffer)
    }
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.1.0.set((self.1.0.get().0, true));
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Duplex for Counted {
    fn set_deadline(&mut self, _deadline: Instant) {}
}

#[test]
fn small_files_are_not_waited_for_one_by_one_and_odd_ones_among_them_come_too() {
    let folder = tempfile::tempdir().unwrap();
    let (source, target) = (folder.path().join("source"), folder.path().join("target"));
    fs::create_dir(&source).unwrap();
    for n in 0..200 {
        fs::write(source.join(format!("file {n:03}")), patterned(n * 163)).unwrap();
    }
    fs::write(source.join("file 100a"), patterned(100_000)).unwrap();
    fs::write(source.join("file 100b"), patterned(32 << 10)).unwrap();
    let turns = Turns::default();
    let mut sftp = Sftp::on(Box::new(Counted(Server::start(), turns.clone())), "here".to_owned()).unwrap();
    let pulled = pull_tree(&mut sftp, bytes(&source), &target, &|_, _| true, &mut Quiet).unwrap();
    assert_eq!(pulled.files.len(), 202);
    for file in &pulled.files {
        let name = file.path.file_name().unwrap();
        let content = fs::read(source.join(name)).unwrap();
        assert!(fs::read(&file.path).unwrap() == content && file.came == content.len() as u64, "{name:?}");
        assert_eq!(file.content.digest, durable_files::Digest::of(&content));
        let times =
            [source.join(name), file.path.clone()].map(|path| path.metadata().unwrap().modified().unwrap());
        assert!(times[0].duration_since(times[1]).unwrap().as_secs() == 0, "{name:?}");
    }
    assert!(turns.0.get().0 < 60, "{}", turns.0.get().0);
    let again = pull_tree(&mut connect(), bytes(&source), &target, &|_, _| true, &mut Quiet).unwrap();
    assert!(again.files.iter().all(|file| file.came == 0));
    assert_eq!(fs::read_dir(&target).unwrap().count(), 202, "nothing else is left there");
}

/// A server that says just this, whatever it is asked.
struct Liar(io::Cursor<Vec<u8>>);

impl Read for Liar {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Liar {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Duplex for Liar {
    fn set_deadline(&mut self, _deadline: Instant) {}
}

impl Duplex for Cut {
    fn set_deadline(&mut self, _deadline: Instant) {}
}

impl Duplex for Server {
    fn set_deadline(&mut self, _deadline: Instant) {}
}

fn packet(kind: u8, rest: &[u8]) -> Vec<u8> {
    let len = u32::try_from(rest.len() + 1).unwrap();
    [&len.to_be_bytes(), &[kind][..], rest].concat()
}

#[test]
fn a_server_that_lies_is_not_believed() {
    let version = packet(2, &3u32.to_be_bytes());
    let text = |text: &[u8]| [&u32::try_from(text.len()).unwrap().to_be_bytes(), text].concat();
    let handle = packet(102, &[&1u32.to_be_bytes(), text(b"h").as_slice()].concat());
    let name = |name: &[u8]| {
        let numbers = [2u32.to_be_bytes(), 1u32.to_be_bytes()].concat();
        let rest = [numbers, text(name), text(b""), 0u32.to_be_bytes().to_vec()];
        packet(104, &rest.concat())
    };
    let closed = packet(101, &[3u32.to_be_bytes(), 0u32.to_be_bytes()].concat());
    let lies: [Vec<u8>; 6] = [
        packet(200, b"what is this"),
        vec![0xff; 64],
        packet(102, &[0, 0, 0, 9, 0, 0, 0, 1, b'h']),
        packet(102, &[0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff]),
        [handle.clone(), name(b"../../etc"), closed.clone()].concat(),
        [handle, packet(104, &[0, 0, 0, 2, 0xff, 0xff, 0xff, 0xff]), closed].concat(),
    ];
    for lie in lies {
        let said = [version.clone(), lie.clone()].concat();
        let mut sftp = Sftp::on(Box::new(Liar(io::Cursor::new(said))), "liar".to_owned()).unwrap();
        let error = sftp.list(b"/").unwrap_err();
        assert!(matches!(error, SftpError::Malformed { .. }), "{lie:?}: {error}");
    }
    let cut = Sftp::on(Box::new(Liar(io::Cursor::new(version[..5].to_vec()))), "cut".to_owned());
    assert!(matches!(cut.err(), Some(SftpError::Lost { .. })));
}

/// A server whose link is cut after so many bytes from it.
struct Cut(Server, usize);

impl Read for Cut {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let room = buffer.len().min(self.1);
        if room == 0 {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        let read = self.0.read(&mut buffer[..room])?;
        self.1 -= read;
        Ok(read)
    }
}

impl Write for Cut {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn what_came_before_a_cut_does_not_come_again() {
    let folder = tempfile::tempdir().unwrap();
    let (source, target) = (folder.path().join("there"), folder.path().join("here"));
    fs::create_dir_all(source.join("sub/empty")).unwrap();
    let content = patterned(3_000_000);
    fs::write(source.join("a"), "small").unwrap();
    fs::write(source.join("sub/big"), &content).unwrap();
    symlink("a", source.join("link")).unwrap();
    let everything = |_: &[u8], _: &remote_transfer::FileAttributes| true;

    let mut cut = Sftp::on(Box::new(Cut(Server::start(), 2_000_000)), "here".to_owned()).unwrap();
    let error = pull_tree(&mut cut, bytes(&source), &target, &everything, &mut Quiet).unwrap_err();
    assert!(matches!(error, PullError::Sftp(SftpError::Lost { .. })), "{error}");
    assert!(!target.join("sub/big").exists(), "half a file has no name");

    let pulled = pull_tree(&mut connect(), bytes(&source), &target, &everything, &mut Quiet).unwrap();
    let came: u64 = pulled.files.iter().map(|file| file.came).sum();
    assert!((900_000..1_200_000).contains(&came), "{came} bytes came after the cut");
    assert!(fs::read(target.join("sub/big")).unwrap() == content);
    assert!(target.join("sub/empty").is_dir());
    assert_eq!(pulled.left, [(b"link".to_vec(), "it is a link")]);

    let again = pull_tree(&mut connect(), bytes(&source), &target, &everything, &mut Quiet).unwrap();
    assert!(again.files.iter().all(|file| file.came == 0));
    assert_eq!(fs::read_dir(target.join("sub")).unwrap().count(), 2, "nothing is left beside what came");
}

/// A server whose files and folders have no end.
struct Endless(testkit::sftp::Liar);

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Endless {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Duplex for Endless {
    fn set_deadline(&mut self, _deadline: Instant) {}
}

fn endless(claims: Claims) -> Sftp<'static> {
    Sftp::on(Box::new(Endless(testkit::sftp::Liar::new(claims))), "liar".to_owned()).unwrap()
}

#[test]
fn a_file_without_an_end_does_not_fill_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let mut sftp = endless(Claims { size: 100_000, names: Vec::new(), folders: false, ends: true });
    let error = pull_file(&mut sftp, b"/endless", &folder.path().join("here"), &mut Quiet).unwrap_err();
    assert!(matches!(error, PullError::Changed { .. }), "{error}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing of it is kept");
}

#[test]
fn a_folder_without_an_end_is_no_folder() {
    let names = vec![&b"again"[..]; 10_000];
    let mut sftp = endless(Claims { size: 0, names, folders: false, ends: false });
    let error = sftp.list(b"/").unwrap_err();
    assert!(matches!(error, SftpError::Endless { .. }), "{error}");
}

#[test]
fn folders_in_folders_without_an_end_come_to_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut sftp = endless(Claims { size: 0, names: vec![b"d"], folders: true, ends: true });
    let pulled = pull_tree(&mut sftp, b"/", folder.path(), &|_, _| true, &mut Quiet).unwrap();
    assert_eq!(pulled.left.len(), 1);
}
