//! What is done once somebody has agreed: what stands there now counts, not what stood there when it was asked.

use session_control::{Holder, SessionState};

use super::super::dialog::{Confirm, Deed, Notice};
use super::super::order::{Ask, Order, Target};
use super::Model;
use super::choosing::unreached;

impl Model {
    pub(super) fn agreed(&mut self, deed: Deed) {
        let target = match &deed {
            Deed::Quit => return self.out.push(Order::Quit),
            Deed::Delete { target, .. }
            | Deed::Unlock { target, .. }
            | Deed::Migrate { target, .. }
            | Deed::Kill(target)
            | Deed::Background(target)
            | Deed::Restart(target)
            | Deed::Apply(target) => target,
        };
        let target = target.clone();
        let Some(row) = self.row_of(&target) else {
            let text = "It is not on the list any more; nothing was done.";
            return self.tell(Notice::alarm("Gone", text).into());
        };
        let Some(state) = row.state() else {
            let notice = unreached(row, row.lost.as_deref().unwrap_or_default());
            return self.tell(notice.and("Nothing was done.").into());
        };
        let name = row.name();
        if let Some(doing) = self.doing_to(&target) {
            let text = format!("{doing} {name:?} is still under way.");
            return self.tell(Notice::alarm("Busy", text).into());
        }
        let holds = row.session.as_ref().ok().and_then(|session| session.lock_pid);
        if matches!(deed, Deed::Unlock { owner: Some(owner), .. } if holds != Some(owner)) {
            let text =
                format!("The lock of session {name:?} has gone over to somebody else; nothing was done.");
            return self.tell(Notice::alarm("Not Unlocked", text).into());
        }
        self.do_to(deed, &target, &name, state);
    }

    fn do_to(&mut self, deed: Deed, target: &Target, name: &str, state: SessionState) {
        let id = target.id.clone();
        let runs = matches!(state, SessionState::Running | SessionState::Connected);
        let (ask, told) = match deed {
            Deed::Delete { sure: false, .. } if state == SessionState::Connected => {
                let question = format!("Somebody is attached to session {name:?}.");
                let deed = Deed::Delete { target: target.clone(), sure: true };
                let confirm = Confirm::new("Confirm Delete", question, deed);
                return self.tell(confirm.and("Delete it all the same?").into());
            }
            Deed::Delete { sure, .. } => (Ask::Delete { id, sure }, None),
            Deed::Kill(_) if !runs && state != SessionState::Unknown => {
                return self.tell(Notice::not_running(name).into());
            }
            Deed::Kill(_) => {
                let text = format!("Session {name:?} is being stopped.");
                (Ask::Kill(id), Some(Notice::new("Kill Initiated", text)))
            }
            Deed::Background(_) => (Ask::Background(id), None),
            Deed::Restart(_) if runs => return self.tell(Notice::already_running(name).into()),
            Deed::Apply(_) if runs => (Ask::StopAndStart(id), Some(restarting(name))),
            Deed::Restart(_) | Deed::Apply(_) => (Ask::Start(id), Some(restarting(name))),
            Deed::Unlock { owner, .. } => {
                (Ask::Unlock { id, holder: owner.map_or(Holder::Nobody, Holder::Process) }, None)
            }
            Deed::Migrate { agent, .. } => (Ask::Migrate { id, agent }, None),
            Deed::Quit => return,
        };
        self.ask(&target.host, ask, name);
        if let Some(notice) = told {
            self.tell(notice.into());
        }
    }
}

fn restarting(name: &str) -> Notice {
    Notice::new("Restarting", format!("Session {name:?} is being started."))
}
