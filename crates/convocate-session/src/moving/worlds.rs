//! The handles of a run, opened for whatever it is gone on with.

use std::sync::OnceLock;

use durable_files::DirLock;
use migration_cli::{Purpose, Refusal, Stop, Surroundings, settings_of};
use migration_engine::{Header, Item, StepError, Worlds};
use remote_transfer::Remote;
use session_control::Containers;
use session_model::Finding;

use super::hold::{Lock, Wanted};
use super::known::Known;
use super::settings::{End, Settings};
use super::source::Source;
use super::step::{Effect, Handles};
use super::{Network, judge};

/// Both hosts of a move.
#[derive(Default)]
pub struct Open(Option<Both>);

/// What a run works with.
pub(super) struct Both {
    pub(super) settings: Settings,
    pub(super) from: Remote,
    pub(super) to: Remote,
    pub(super) containers: Containers,
    purpose: Purpose,
    /// The wish to stop: whoever judges is told of none.
    pub(super) stop: Stop,
    /// A stale lock of what was delivered, by device and inode.
    left: Option<String>,
    /// Why the API of the agent that gets it was not reached.
    pub(super) unreached: OnceLock<String>,
    /// Keeps what was brought from being removed before there is a run that needs it.
    _brought: Option<DirLock>,
}

impl Open {
    /// For what moves nothing.
    pub(super) fn idle() -> Self {
        Self::default()
    }

    pub(super) fn of(
        header: &Header,
        known: Known,
        network: &Network,
        (brought, here): (Option<DirLock>, &Surroundings),
    ) -> Result<Self, Refusal> {
        let settings: Settings = settings_of(header)?;
        let (from, to) = (known.from.remote, known.to.remote);
        Ok(Self(Some(Both {
            settings,
            from,
            to,
            containers: network.containers.clone(),
            purpose: Purpose::Apply,
            stop: here.stop.clone(),
            left: None,
            unreached: OnceLock::new(),
            _brought: brought,
        })))
    }

    /// Those of an earlier run.
    pub fn again(
        header: &Header,
        purpose: Purpose,
        containers: &Containers,
        here: &Surroundings,
    ) -> Result<Self, Refusal> {
        let settings: Settings = settings_of(header)?;
        let (from, to) = (settings.from.reach(here)?, settings.to.reach(here)?);
        let (containers, stop) = (containers.clone(), here.stop.clone());
        let mut both = Both {
            settings,
            from,
            to,
            containers,
            purpose,
            stop,
            left: None,
            unreached: OnceLock::new(),
            _brought: None,
        };
        if purpose == Purpose::Undo {
            both.left = judge::copy_stands_still(&both)?;
        }
        Ok(Self(Some(both)))
    }
}

impl Both {
    /// Whether the source is where it was.
    pub(super) fn is_there(&self) -> Result<bool, StepError> {
        let Settings { from, uuid, identity, .. } = &self.settings;
        let standing = self.from.far().look(&from.base, uuid, ".none", ".none")?;
        Ok(standing.live.as_ref() == Some(identity))
    }

    /// The lock of the session where it was.
    fn lock(&self, locks: bool) -> Lock {
        let Settings { from, uuid, stale, .. } = &self.settings;
        let wanted = self.wanted(from, uuid, stale.clone());
        Lock { remote: self.from.clone(), wanted, locks, held: None }
    }

    /// That of what was delivered: nobody else begins to work with it while it is looked at and taken back. What was
    /// never shown needs none; and where the disk was full in the middle of it, there is no room for one.
    fn lock_of_copy(&self) -> Result<Lock, StepError> {
        let Settings { to, becomes, .. } = &self.settings;
        let locks = self.purpose == Purpose::Undo
            && self.to.far().look(&to.base, becomes, ".none", ".none")?.live.is_some();
        let wanted = self.wanted(to, becomes, self.left.clone());
        Ok(Lock { remote: self.to.clone(), wanted, locks, held: None })
    }

    fn wanted(&self, end: &End, uuid: &str, stale: Option<String>) -> Wanted {
        let End { base, as_root, .. } = end.clone();
        Wanted { base, uuid: uuid.to_owned(), run: self.settings.holder.clone(), stale, as_root }
    }
}

impl Worlds<Effect> for Open {
    fn world(&self, _lane: usize) -> Result<Handles, StepError> {
        let both = self.0.as_ref().expect("because a plan without steps has no lanes");
        let locks = match both.purpose {
            Purpose::Verify => false,
            Purpose::Apply => both.is_there()?,
            Purpose::Undo => true,
        };
        let stands = both.settings.moves.then(|| both.settings.identity.clone());
        let (mut copy, mut source) = (both.lock_of_copy()?, Source { lock: both.lock(locks), stands });
        copy.take()?;
        source.lock.take()?;
        Ok(Handles { source, to: both.to.clone(), copy })
    }

    fn judge(&self, _world: &mut Handles, _item: &Item) -> Vec<Finding> {
        self.0.as_ref().map(judge::judge).unwrap_or_default()
    }
}
