//! How an order came out.

use session_control::{Session, SessionId};

use super::super::dialog::{Confirm, Deed, Dialog, Notice};
use super::super::event::{Failure, Outcome};
use super::super::order::{Ask, Order, Target};
use super::super::row::Health;
use super::{Busy, Model};
use crate::words;

impl Model {
    pub(super) fn done(&mut self, number: u64, outcome: Outcome) {
        let asked = |known: &&mut super::HostState| known.asked.is_some_and(|(asked, _)| asked == number);
        if let Some(known) = self.hosts.iter_mut().find(asked) {
            known.asked = None;
            match outcome {
                Outcome::Listed { sessions, version, remarks } => {
                    known.remarks = remarks;
                    known.sessions = sessions;
                    known.health = Health::Up(version);
                }
                Outcome::Failed(failure) => known.health = Health::Down(failure.words),
                Outcome::Session { .. } | Outcome::Done(_) => {}
            }
        } else if let Some(busy) = self.busy.remove(&number) {
            self.ended(number, &busy, outcome);
            if !matches!(busy.ask, Ask::Owner(_)) {
                self.look_again(&busy);
            }
        }
    }

    /// Who had to do with it is asked what stands there now, as soon as nothing else is out there.
    fn look_again(&mut self, busy: &Busy) {
        let agent = if let Ask::Migrate { agent, .. } = &busy.ask { agent } else { &busy.host };
        for known in self.hosts.iter_mut().filter(|it| it.host.id == busy.host || it.host.id == *agent) {
            known.last = None;
        }
    }

    fn ended(&mut self, number: u64, busy: &Busy, outcome: Outcome) {
        let waits = matches!(&self.dialog, Some(Dialog::Form(form)) if form.is_waiting_for(number));
        let name = &busy.name;
        match (outcome, &busy.ask) {
            (Outcome::Failed(failure), _) => self.failed(waits, busy, &failure),
            (Outcome::Session { session, warning }, ask) => {
                if waits {
                    self.dialog = None;
                }
                self.made(ask, &busy.host, &session);
                if let (Ask::Edit(id, _), true) = (ask, waits) {
                    self.offer_restart(busy, id, &session.name);
                }
                self.warn(warning);
            }
            (Outcome::Done(words), Ask::Owner(pid)) => {
                if let (Some(Dialog::Unlock(unlock)), Some(words)) = (&mut self.dialog, words) {
                    unlock.owner_is(*pid, &words);
                }
            }
            (Outcome::Done(words), Ask::Enter(id)) => {
                self.started(busy, id.clone());
                self.warn(words);
            }
            (Outcome::Done(words), ask) => {
                self.was_done(ask, name, words);
            }
            (Outcome::Listed { .. }, _) => {}
        }
    }

    fn warn(&mut self, words: Option<String>) {
        if let Some(words) = words {
            self.tell(Notice::alarm("Warning", words).into());
        }
    }

    fn was_done(&mut self, ask: &Ask, name: &str, words: Option<String>) {
        let told = match ask {
            Ask::Delete { id, .. } => {
                let line = format!("Deleted session {name:?} ({id})");
                self.said.push(line.clone());
                line
            }
            Ask::Background(_) => {
                let notice = Notice::new("Backgrounded", format!("Session {name:?} backgrounded."));
                return self.tell(words.into_iter().fold(notice, Notice::and).into());
            }
            Ask::Kill(_) => format!("Stopped session {name:?}"),
            Ask::Start(_) | Ask::StopAndStart(_) => format!("Started session {name:?}"),
            Ask::Unlock { .. } => format!("Removed the lock of session {name:?}"),
            Ask::Migrate { agent, .. } => {
                let line = format!("Migrated session {name:?} to agent {agent}");
                self.said.push(line.clone());
                line
            }
            _ => return,
        };
        self.mention(told.clone());
        if let Some(words) = words {
            self.tell(Notice::new("Done", told).and(words).into());
        }
    }

    /// A session was made or saved.
    fn made(&mut self, ask: &Ask, host: &str, session: &Session) {
        let on = format!(" on {}", self.on(host));
        let line = match ask {
            Ask::Create(_) => words::created(session, &on),
            Ask::Clone(from, _) => words::cloned(session, from.as_str(), &on),
            _ => return self.mention(format!("Saved session {:?}", session.name)),
        };
        self.said.push(line.clone());
        self.said.extend(words::reached(session));
        self.mention(line);
        // It is on the list at once, and chosen.
        self.chosen = Some((host.to_owned(), session.uuid.clone()));
        if let Some(known) = self.hosts.iter_mut().find(|known| known.host.id == host) {
            known.sessions.push(session.clone());
        }
    }

    fn offer_restart(&mut self, busy: &Busy, id: &SessionId, name: &str) {
        let target = Target { host: busy.host.clone(), id: id.clone() };
        let runs = self.row_of(&target).is_some_and(|row| row.session.as_ref().is_ok_and(|it| it.running));
        let question = format!("Saved. Restart session {name:?} now?");
        let mut confirm = Confirm::new("Restart Session", question, Deed::Apply(target));
        if runs {
            confirm =
                confirm.and("It is running: it is stopped and started again, and what runs in it ends.");
        }
        self.tell(confirm.keys("Y = restart now   N = keep config, don't restart").into());
    }

    /// A session was started to be attached to. Whoever has begun with something else meanwhile is not torn from it.
    fn started(&mut self, busy: &Busy, id: SessionId) {
        if self.dialog.is_some() || self.typed != busy.typed {
            return self.mention(format!("Session {:?} is running now: Enter attaches to it.", busy.name));
        }
        let target = Target { host: busy.host.clone(), id };
        self.out.push(Order::Attach { target, name: busy.name.clone(), fresh: true });
    }

    fn failed(&mut self, waits: bool, busy: &Busy, failure: &Failure) {
        let name = &busy.name;
        if waits {
            return self.form_refused(&failure.code, failure.words.clone());
        }
        if matches!(busy.ask, Ask::Owner(_)) {
            return; // the number alone is shown
        }
        let notice = match &*failure.code {
            "not-running" => Notice::not_running(name),
            "not-connected" => Notice::not_connected(name),
            "already-running" => Notice::already_running(name),
            "not-locked" => Notice::not_locked(name),
            "locked" => Notice::alarm("Session Locked", &failure.words),
            _ => Notice::alarm("Failed", format!("{} {name:?}:", busy.ask.doing())).and(&failure.words),
        };
        self.tell(notice.into());
    }

    pub(super) fn form_refused(&mut self, code: &str, words: String) {
        if let Some(Dialog::Form(form)) = &mut self.dialog {
            form.refused(&Failure { code: code.to_owned(), words });
        }
    }

    /// The terminal is back from a session.
    pub(super) fn back(&mut self, ended: Result<String, String>) {
        match ended {
            Ok(words) => self.mention(words),
            Err(words) => self.tell(Notice::alarm("Attach Failed", words).into()),
        }
        for known in &mut self.hosts {
            known.last = None;
        }
    }
}
