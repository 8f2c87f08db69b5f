//! What the keys of the list do: each asks first, or says why not.

use session_control::{Place, Session, SessionState};

use super::super::dialog::{Confirm, Deed, Dialog, Draft, Form, Notice, Select, Unlock, Wanted};
use super::super::order::{Ask, Order, Target};
use super::Model;
use super::choosing::Chosen;
use crate::{Changes, words};

impl Model {
    pub(super) fn enter(&mut self) {
        let Some(chosen) = self.chosen_session() else { return };
        let name = chosen.name().to_owned();
        match chosen.state {
            SessionState::Orphan => {
                self.offer(&chosen, words::orphan(&name));
            }
            SessionState::Locked => self.locked(&chosen),
            SessionState::Connected | SessionState::Running => {
                self.out.push(Order::Attach { target: chosen.target, name, fresh: false });
            }
            SessionState::Stopped | SessionState::Unknown => {
                self.ask(&chosen.target.host, Ask::Enter(chosen.target.id), &name);
            }
        }
    }

    pub(super) fn create(&mut self) {
        let choices = self.choices();
        match &choices[..] {
            [] => self.no_agents(),
            [only] => {
                let host = only.host.clone();
                self.create_on(&host);
            }
            _ => self.dialog = Some(Select::new(choices, Wanted::Create).into()),
        }
    }

    pub(super) fn create_on(&mut self, host: &str) {
        let place = self.hosts.iter().find(|known| known.host.id == host).map(|known| known.host.place);
        let title = match place {
            Some(Place::Agent) => format!("Create on agent {host}"),
            _ => "Create New Session".to_owned(),
        };
        self.dialog = Some(Form::create(title, host).into());
    }

    pub(super) fn duplicate(&mut self) {
        if let Some(chosen) = self.free() {
            self.dialog = Some(Form::duplicate(chosen.target.clone(), chosen.name()).into());
        }
    }

    pub(super) fn edit(&mut self) {
        let Some(chosen) = self.free() else { return };
        let protocol = chosen.session.effective_protocol().to_owned();
        let now = Session { protocol, ..chosen.session.clone() };
        self.dialog =
            Some(Form::edit(chosen.target.clone(), &Changes::default().over(&now), chosen.which()).into());
    }

    pub(super) fn background(&mut self) {
        let Some(chosen) = self.workable() else { return };
        let name = chosen.name();
        if chosen.state == SessionState::Connected {
            let question = format!("Background session {name:?}?");
            let confirm = chosen.asked("Background Session", question, Deed::Background);
            self.dialog = Some(confirm.and("Everybody who is attached to it is detached.").into());
        } else {
            self.dialog = Some(Notice::not_connected(name).into());
        }
    }

    pub(super) fn kill(&mut self) {
        let Some(chosen) = self.workable() else { return };
        let name = chosen.name();
        if chosen.session.runs() == Some(false) {
            self.dialog = Some(Notice::not_running(name).into());
        } else {
            let question = format!("Kill session {name:?}?");
            self.dialog = Some(chosen.asked("Kill Session", question, Deed::Kill).into());
        }
    }

    pub(super) fn restart(&mut self) {
        let Some(chosen) = self.free() else { return };
        let name = chosen.name();
        if chosen.session.running {
            self.dialog = Some(Notice::already_running(name).into());
        } else {
            let question = format!("Restart session {name:?} in background?");
            self.dialog = Some(chosen.asked("Restart Session", question, Deed::Restart).into());
        }
    }

    pub(super) fn delete(&mut self) {
        let Some(chosen) = self.chosen_session() else { return };
        if chosen.is_held() {
            return self.locked(&chosen);
        }
        let deed = |target| Deed::Delete { target, sure: false };
        let mut confirm =
            chosen.asked("Confirm Delete", format!("Delete session {:?}?", chosen.name()), deed);
        if chosen.state == SessionState::Orphan {
            confirm = confirm.and("It was left behind on this machine, and is removed here.");
        }
        if chosen.session.running {
            confirm = confirm.and("It is running: it is stopped first.");
        }
        self.dialog = Some(confirm.and("Its files go for good.").into());
    }

    pub(super) fn unlock(&mut self) {
        let Some(chosen) = self.chosen_session() else { return };
        let Chosen { target, session, .. } = &chosen;
        let name = &session.name;
        self.dialog = Some(match (session.locked, session.lock_pid) {
            (Some(false), _) => Notice::not_locked(name).into(),
            (Some(true), Some(pid)) if chosen.is_held() => {
                self.ask(&target.host, Ask::Owner(pid), name);
                Unlock::new(target.clone(), name, pid, chosen.which()).into()
            }
            // An original agent does not tell: it is asked, and never removes the lock of a live owner.
            _ => {
                let question = format!("Override lock for session {name:?}?");
                let deed = |target| Deed::Unlock { target, owner: None };
                chosen.asked("Override Lock", question, deed).into()
            }
        });
    }

    pub(super) fn migrate(&mut self, target: Target, name: String) {
        let choices = self.choices();
        match &choices[..] {
            [] => self.no_agents(),
            [only] => {
                let agent = only.host.clone();
                self.migrate_to(target, &name, agent);
            }
            _ => self.dialog = Some(Select::new(choices, Wanted::Migrate(target, name)).into()),
        }
    }

    pub(super) fn migrate_to(&mut self, target: Target, name: &str, agent: String) {
        let question = format!("Migrate session {name:?} to agent {agent}?");
        let confirm = Confirm::new("Migrate Session", question, Deed::Migrate { target, agent });
        self.dialog =
            Some(confirm.and("It is moved aside here once its copy there has been verified.").into());
    }

    /// A form is filled in: it stays until its order has come out.
    pub(super) fn filled(&mut self, draft: Draft) {
        let number = match draft {
            Draft::Create { host, wishes } => {
                let name = wishes.name.clone();
                self.ask(&host, Ask::Create(wishes), &name)
            }
            Draft::Edit { target, name, changes } => {
                self.ask(&target.host, Ask::Edit(target.id, changes), &name)
            }
            Draft::Clone { target, name } => {
                self.ask(&target.host, Ask::Clone(target.id, name.clone()), &name)
            }
        };
        if let Some(Dialog::Form(form)) = &mut self.dialog {
            form.waits_for(number);
        }
    }
}
