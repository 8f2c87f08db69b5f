//! The names of sessions, for the dnsmasq of a shell host (formats/convocate.md §13).

mod dnsmasq;

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use durable_files::{
    CopyError, DirLock, FileError, LockError, Traits, beside, publish_over, sync_dir, write_file,
};

use crate::cluster::addresses;
use crate::{Cluster, Place, Survey, valid_dns_name};
pub use dnsmasq::{Dnsmasq, Told};

/// The file with a line for each name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DnsHosts {
    path: PathBuf,
}

/// A line of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DnsRecord {
    /// The name, as its session says it.
    pub name: String,
    /// The host of that session.
    pub address: IpAddr,
}

/// What has been written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Synced {
    /// All that stands there now.
    pub records: Vec<DnsRecord>,
    /// Those of them that stand there because a host was not reached that may have them.
    pub kept: Vec<DnsRecord>,
    /// Names that do not stand there.
    pub left_out: Vec<LeftOut>,
}

/// A name that is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// The name.
    pub name: String,
    /// The id of its session.
    pub session: String,
    /// Why.
    pub reason: String,
}

/// Why the names have not been written.
#[derive(Debug, thiserror::Error)]
pub enum DnsError {
    /// There is no place for them: this host gives no names.
    #[error("{} is not there, so no names are written", .0.display())]
    NoFolder(PathBuf),
    /// What stands there cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Others are writing there all the time.
    #[error(transparent)]
    Busy(#[from] LockError),
    /// It cannot be written.
    #[error(transparent)]
    Write(#[from] CopyError),
    /// It cannot take its place.
    #[error(transparent)]
    Publish(#[from] FileError),
}

impl DnsError {
    /// A short name of it that does not change, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoFolder(_) => "no-dns-folder",
            _ => "dns-file",
        }
    }
}

/// How long a resolver may take to tell where the hosts are.
const RESOLVING: Duration = Duration::from_secs(5);
/// How long other writers are waited for.
const PATIENCE: Duration = Duration::from_secs(5);
const FIRST_LINE: &str = "# Managed by convocate. Do not edit by hand.";

impl DnsHosts {
    /// Where it is: of today's releases, and of the older ones.
    pub const PLACES: [&str; 2] = ["/var/lib/convocate/dnsmasq-hosts", "/var/lib/claude-shell/dnsmasq-hosts"];

    /// The file at this path.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// The first of these places whose folder is there; the first of all where none is.
    pub fn find(places: &[&str]) -> Self {
        let is_there = |place: &&&str| Path::new(place).parent().is_some_and(Path::is_dir);
        Self::at(places.iter().find(is_there).or(places.first()).map_or("", |place| place))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What stands there.
    pub fn records(&self) -> Result<Vec<DnsRecord>, DnsError> {
        match fs::read_to_string(&self.path) {
            Ok(text) => Ok(text.lines().filter_map(DnsRecord::parse).collect()),
            Err(source) if source.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(source) => Err(DnsError::Unreadable { path: self.path.clone(), source }),
        }
    }

    /// Writes the names that all hosts' sessions have, whole, in one step. What a host has that was not reached is
    /// kept, unless it is one of those that somebody at its address has `given_up`; what was left behind on the shell
    /// host has no name.
    pub fn sync(&self, cluster: &Cluster, survey: &Survey, given_up: &[&str]) -> Result<Synced, DnsError> {
        let folder = self.path.parent().unwrap_or(Path::new("/"));
        if !folder.is_dir() {
            return Err(DnsError::NoFolder(folder.to_owned()));
        }
        // Two who write at once would take each other's file for a leftover.
        let _one_at_a_time = DirLock::take_within(folder, PATIENCE)?;
        let synced = names(cluster, survey, (&self.records()?, given_up));
        let mut text = format!("{FIRST_LINE}\n");
        text.extend(synced.records.iter().map(DnsRecord::line));
        let staged = beside(&self.path, "names", "tmp");
        let traits = Traits { mode: 0o644, ..Traits::PRIVATE };
        write_file(text.as_bytes(), &staged, traits)?;
        publish_over(&staged, &self.path)?;
        sync_dir(folder)?;
        Ok(synced)
    }
}

impl DnsRecord {
    fn parse(line: &str) -> Option<Self> {
        let (address, name) = line.split_once(char::is_whitespace)?;
        Some(Self { name: name.trim().to_owned(), address: address.parse().ok()? })
    }

    fn line(&self) -> String {
        format!("{}\t{}\n", self.address, self.name)
    }
}

/// What there is to write.
fn names(cluster: &Cluster, survey: &Survey, before: (&[DnsRecord], &[&str])) -> Synced {
    let known = addresses_of(cluster);
    let address = |member: &str| known.get(member).copied();
    let mut synced = Synced::default();
    let mut records = BTreeSet::new();
    let named = survey.rows.iter().filter(|row| row.place != Place::Orphans);
    for row in named.filter(|row| !row.session.dns_name.is_empty()) {
        let session = &row.session;
        let name = session.dns_name.trim();
        let mut leave_out = |reason: String| {
            let (name, session) = (name.to_owned(), session.uuid.clone());
            synced.left_out.push(LeftOut { name, session, reason });
        };
        match (valid_dns_name(name), address(&row.member)) {
            (Err(error), _) => leave_out(error.to_string()),
            (_, None) => leave_out(format!("the address of {} is not known", row.address)),
            (_, Some(address)) => {
                records.insert(DnsRecord { name: name.to_owned(), address });
            }
        }
    }
    synced.kept = kept(cluster, survey, before, (&known, &records));
    records.extend(synced.kept.iter().cloned());
    synced.records = records.into_iter().collect();
    synced
}

/// The lines that hosts have left which were not reached. Whose line it is is told by its address; where that is not known,
/// by not being the address of anybody who was reached. Of several at one address it may be anybody's, but for a name that
/// one of them has given up: nobody else had it.
fn kept(
    cluster: &Cluster,
    survey: &Survey,
    (before, given_up): (&[DnsRecord], &[&str]),
    (known, new): (&HashMap<String, IpAddr>, &BTreeSet<DnsRecord>),
) -> Vec<DnsRecord> {
    let is_reached = |id: &str| survey.unreachable.iter().all(|host| host.member != id);
    let (reached, unreached): (Vec<_>, Vec<_>) =
        cluster.members().iter().partition(|member| is_reached(&member.id));
    let all = |members: &[&crate::Member]| -> Vec<Option<IpAddr>> {
        members.iter().map(|member| known.get(&member.id).copied()).collect()
    };
    let (reached, unreached) = (all(&reached), all(&unreached));
    let unknown = unreached.contains(&None) || survey.unreachable.len() > unreached.len();
    let stays = |record: &&DnsRecord| {
        let address = Some(record.address);
        let is_reached = reached.contains(&address);
        let theirs = unreached.contains(&address) || (unknown && !is_reached);
        let is_gone = is_reached && given_up.iter().any(|name| name.eq_ignore_ascii_case(&record.name));
        theirs && !is_gone && new.iter().all(|other| !other.name.eq_ignore_ascii_case(&record.name))
    };
    before.iter().filter(stays).cloned().collect()
}

/// Where the hosts are: each looked up once, all at the same time. One that is not told in time is not known.
fn addresses_of(cluster: &Cluster) -> HashMap<String, IpAddr> {
    let (sender, told) = mpsc::channel();
    for member in cluster.members() {
        let (sender, id, host) = (sender.clone(), member.id.clone(), member.host.clone());
        // Nobody can call a resolver off: it is left to itself.
        thread::spawn(move || address_of(host.as_deref()).map(|address| sender.send((id, address))));
    }
    drop(sender);
    let until = Instant::now() + RESOLVING;
    let next = || told.recv_timeout(until.saturating_duration_since(Instant::now())).ok();
    std::iter::from_fn(next).collect()
}

/// What a host's name stands for: its first IPv4 address, or else its first.
fn address_of(host: Option<&str>) -> Option<IpAddr> {
    let Some(host) = host else { return own_address().map(IpAddr::V4) };
    let all = addresses(host).ok()?;
    all.iter().find(|address| address.is_ipv4()).or(all.first()).copied()
}

/// This machine's address, as others see it: the one that it would use to reach them.
fn own_address() -> Option<Ipv4Addr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?; // nothing is sent
    match socket.local_addr().ok()?.ip() {
        IpAddr::V4(address) if !address.is_loopback() => Some(address),
        _ => None,
    }
}
