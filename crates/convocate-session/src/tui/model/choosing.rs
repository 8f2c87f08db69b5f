//! Which session is meant, and whether it can be worked with.

use session_control::{Place, Session, SessionError, SessionState};

use super::super::dialog::{Choice, Confirm, Deed, Notice, Offer};
use super::super::order::Target;
use super::super::row::{Health, HostState, Row};
use super::Model;
use crate::words;

/// The session that is chosen, if it can be worked with.
pub(super) struct Chosen {
    pub(super) target: Target,
    pub(super) session: Session,
    pub(super) state: SessionState,
    pub(super) duplicate: bool,
}

impl Chosen {
    pub(super) fn name(&self) -> &str {
        &self.session.name
    }

    /// Which of several it is, where another host has one of its id.
    pub(super) fn which(&self) -> Option<String> {
        let host = &self.target.host;
        self.duplicate
            .then(|| format!("Only the one on {host} is meant: another host has one of its id too."))
    }

    /// A question before something is done to it.
    pub(super) fn asked(
        &self,
        title: &'static str,
        question: String,
        deed: impl FnOnce(Target) -> Deed,
    ) -> Confirm {
        let confirm = Confirm::new(title, question, deed(self.target.clone()));
        self.which().into_iter().fold(confirm, Confirm::and)
    }

    /// Whether somebody works with it by its lock, as far as that is known.
    pub(super) fn is_held(&self) -> bool {
        self.session.locked == Some(true) && self.session.lock_stale != Some(true)
    }
}

impl Model {
    pub(super) fn alarm(&mut self, title: &str, text: impl Into<String>) {
        self.dialog = Some(Notice::alarm(title, text).into());
    }

    /// The chosen session, if it can be worked with now; else it is told why not.
    pub(super) fn chosen_session(&mut self) -> Option<Chosen> {
        let Some(row) = self.chosen_at().map(|at| self.rows[at].clone()) else {
            if !self.rows.is_empty() {
                self.mention("Nothing is chosen: Up and Down choose a session.".to_owned());
            }
            return None;
        };
        let session = match (&row.session, &row.lost) {
            (Ok(session), None) => session.clone(),
            (Err(why), _) | (_, Some(why)) => {
                self.dialog = Some(unreached(&row, why).into());
                return None;
            }
        };
        let (Some(target), Some(state)) = (row.target(), row.state()) else {
            let text = format!("{:?} is not the id of a session: nothing can be asked for it.", session.uuid);
            self.alarm("Not a Session", text);
            return None;
        };
        if let Some(doing) = self.doing_to(&target) {
            self.alarm("Busy", format!("{doing} {:?} is still under way.", session.name));
            return None;
        }
        Some(Chosen { target, session, state, duplicate: row.duplicate })
    }

    /// The same, and it is not left behind here.
    pub(super) fn workable(&mut self) -> Option<Chosen> {
        let chosen = self.chosen_session()?;
        if chosen.state != SessionState::Orphan {
            return Some(chosen);
        }
        self.offer(&chosen, SessionError::Orphan.to_string());
        None
    }

    /// The same, and no other program works with it.
    pub(super) fn free(&mut self) -> Option<Chosen> {
        let chosen = self.workable()?;
        if chosen.state == SessionState::Locked && chosen.is_held() {
            self.locked(&chosen);
            return None;
        }
        Some(chosen)
    }

    pub(super) fn locked(&mut self, chosen: &Chosen) {
        let Chosen { session, .. } = chosen;
        let title = "Session Locked";
        let owner =
            session.lock_pid.map_or_else(|| "another program".to_owned(), |pid| format!("process {pid}"));
        let notice = if chosen.is_held() {
            Notice::alarm(title, format!("Session {:?} is in use by {owner}.", session.name))
        } else {
            let text = format!("Session {:?} is locked by {owner}, which has ended.", session.name);
            Notice::alarm(title, text)
        };
        self.dialog = Some(notice.and("Press O on it to override the lock.").into());
    }

    pub(super) fn offer(&mut self, chosen: &Chosen, why: String) {
        let agent = self.agents().next().map_or("AGENT", |agent| agent.host.id.as_str());
        let command = format!("sudo convocate-migrate --agent {agent} --session {}", chosen.target.id);
        self.dialog = Some(Offer::new(chosen.target.clone(), chosen.name(), why, command).into());
    }

    fn agents(&self) -> impl Iterator<Item = &HostState> {
        self.hosts.iter().filter(|known| known.host.place != Place::Orphans)
    }

    pub(super) fn choices(&self) -> Vec<Choice> {
        let choice = |known: &HostState| Choice {
            host: known.host.id.clone(),
            address: known.host.address.clone(),
            not: match &known.health {
                Health::Down(_) => Some("unreachable".to_owned()),
                _ => None,
            },
        };
        self.agents().map(choice).collect()
    }

    pub(super) fn no_agents(&mut self) {
        let notice = Notice::new("No Agents", words::NO_AGENTS);
        self.dialog = Some(notice.and(words::ADD_AN_AGENT).into());
    }
}

/// That a row's host is not reached.
pub(super) fn unreached(row: &Row, why: &str) -> Notice {
    let (title, who) = match row.place {
        Place::Agent => ("Agent Unreachable", format!("agent {} is not reached", row.host)),
        _ => ("Not Readable", format!("the sessions of {} cannot be listed", row.host)),
    };
    Notice::alarm(title, format!("{who}: {why}"))
}
