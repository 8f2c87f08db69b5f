//! Something on another host is moved aside there, once what came of it has been verified.

use std::sync::PoisonError;

use migration_engine::{Cause, Cx, Look, Slot, State, Step, StepError};
use serde::{Deserialize, Serialize};

use crate::deliver::Remote;
use crate::far::{Far, FarError};

const BASE: &str = include_str!("far/base.sh");

/// Moves a file or folder of a base on another host aside; nothing is deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetireFar {
    /// Which host, for people.
    pub host: String,
    /// The folder that it is in.
    #[serde(with = "session_model::text_or_hex")]
    pub base: Vec<u8>,
    /// Its name there.
    pub name: String,
    /// Its device and inode when the plan was made, as `stat` spells them: `%d:%i`.
    pub expect: String,
    /// The folder beside it that takes it, under its own name and the run's; made if need be, and gone again with an undo if
    /// nothing else is in it.
    pub into: String,
    /// What is left there to tell where it went.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<LeftBehind>,
}

/// A receipt of what was moved aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftBehind {
    /// The folder of receipts beside it. A receipt is called `NAME-RUN.json`.
    pub folder: String,
    /// What it says beside what was moved aside and by which run: the tool's own.
    pub note: serde_json::Value,
}

/// Where it was moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetiredFar {
    /// The name it has now, in the folder that took it.
    pub aside: String,
    /// Its permission bits, in octal: to be moved it may have to be written to.
    pub mode: String,
}

#[derive(Serialize)]
struct Receipt<'a> {
    run: String,
    name: &'a str,
    moved_aside_to: String,
    note: &'a serde_json::Value,
}

impl RetireFar {
    fn nothing_there(&self) -> StepError {
        Cause::source_gone(format!("cannot {}: it is gone", self.describe())).item()
    }

    fn changed(&self) -> StepError {
        let base = crate::display(&self.base);
        let message = format!("{}:{base}/{} is not what it was when the plan was made", self.host, self.name);
        Cause::source_changed(message).item()
    }

    fn identity(&self, far: &mut Far, name: &str) -> Result<Option<String>, FarError> {
        Ok(far.stands(&self.base, name, ".none", "", false)?.live)
    }

    /// The words that both scripts begin with.
    fn words<'a>(&'a self, aside: &'a str, receipt: &'a str) -> Vec<&'a [u8]> {
        let folder = self.receipt.as_ref().map_or("", |receipt| &receipt.folder);
        let words = [&self.name, &self.into, aside, &self.expect, folder, receipt].map(str::as_bytes);
        std::iter::once(self.base.as_slice()).chain(words).collect()
    }

    fn text(&self, slot: &Slot, evidence: &RetiredFar) -> Vec<u8> {
        let Some(LeftBehind { note, .. }) = &self.receipt else { return Vec::new() };
        let moved_aside_to = format!("{}/{}", self.into, evidence.aside);
        let receipt = Receipt { run: slot.run().to_string(), name: &self.name, moved_aside_to, note };
        let mut text =
            serde_json::to_vec_pretty(&receipt).expect("because receipts are plain data with text keys");
        text.push(b'\n');
        text
    }
}

fn named(name: &str, slot: &Slot) -> String {
    format!("{name}-{}", slot.run())
}

impl Step for RetireFar {
    type World = Remote;
    type Evidence = RetiredFar;

    fn describe(&self) -> String {
        format!("move aside {}:{}/{}", self.host, crate::display(&self.base), self.name)
    }

    fn inspect(
        &self,
        world: &mut Remote,
        evidence: Option<&RetiredFar>,
        look: Look,
        _cx: &Cx<'_>,
    ) -> Result<State, StepError> {
        let mut far = world.far();
        let there = self.identity(&mut far, &self.name)?;
        let aside = match evidence {
            Some(ours) => self.identity(&mut far, &format!("{}/{}", self.into, ours.aside))?,
            None => None,
        };
        Ok(match (there, aside) {
            (Some(found), _) if found == self.expect => State::Pending,
            (Some(_), _) => State::Conflict("something else stands in its place".into()),
            (None, Some(found)) if found == self.expect => State::Done,
            // An undo looks fully, and may go on with it.
            (None, _) if look == Look::Quick => return Err(self.nothing_there()),
            (None, Some(_)) => State::Conflict("what was moved aside is something else now".into()),
            (None, None) => State::Conflict("it is gone".into()),
        })
    }

    fn stage(&self, world: &mut Remote, slot: &Slot, _cx: &Cx<'_>) -> Result<RetiredFar, StepError> {
        let mut far = world.far();
        match self.identity(&mut far, &self.name)? {
            Some(found) if found == self.expect => {}
            Some(_) => return Err(self.changed()),
            None => return Err(self.nothing_there()),
        }
        let script = "cd -P -- \"$1\" || exit 10; exec stat -c %a -- \"$2\"";
        let mode = far.script("look at its mode", script, &[&self.base, self.name.as_bytes()], b"")?;
        Ok(RetiredFar { aside: named(&self.name, slot), mode })
    }

    fn publish(&self, world: &mut Remote, slot: &Slot, evidence: &RetiredFar) -> Result<(), StepError> {
        let (text, receipt) = (self.text(slot, evidence), format!("{}.json", named(&self.name, slot)));
        let len = text.len().to_string();
        let mut words = self.words(&evidence.aside, &receipt);
        words.push(len.as_bytes());
        let in_common = world.in_common();
        let _alone = in_common.lock().unwrap_or_else(PoisonError::into_inner);
        let script = [BASE, include_str!("far/retire.sh")].concat();
        match world.far().script("move it aside", &script, &words, &text) {
            Err(error) if error.status() == Some(12) => Err(self.changed()),
            Err(error) if error.status() == Some(11) => {
                let message = format!("cannot move {} aside on {}: its place is taken", self.name, self.host);
                Err(Cause::new("occupied", message).item())
            }
            moved => Ok(moved.map(drop)?),
        }
    }

    fn revert(
        &self,
        world: &mut Remote,
        slot: &Slot,
        evidence: Option<&RetiredFar>,
        _cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        let Some(evidence) = evidence else { return Ok(()) }; // nothing was moved
        let receipt = format!("{}.json", named(&self.name, slot));
        let mut words = self.words(&evidence.aside, &receipt);
        words.push(evidence.mode.as_bytes());
        let in_common = world.in_common();
        let _alone = in_common.lock().unwrap_or_else(PoisonError::into_inner);
        let script = [BASE, include_str!("far/restore.sh")].concat();
        match world.far().script("move it back", &script, &words, b"") {
            Err(error) if error.status() == Some(11) => {
                let message = format!("cannot move {} back on {}: its place is taken", self.name, self.host);
                Err(Cause::new("occupied", message).item())
            }
            moved => Ok(moved.map(drop)?),
        }
    }
}
