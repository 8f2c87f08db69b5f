//! What a key means.

use session_control::{Session, SessionState, Wishes};

use super::super::dialog::{
    Choice, Confirm, Deed, Dialog, Draft, Form, Notice, Offer, Reply, Select, Unlock, Wanted,
};
use super::super::event::Key;
use super::super::field::Field;
use super::super::order::{Ask, Order, Target};
use super::super::row::{Health, Role};
use super::{Model, Search};

/// Why nothing can be done to an orphan, in the words that are known.
const ORPHAN: &str = "session is a local orphan; migrate it to a convocate-agent before operating on it";

/// The session that is chosen, if it can be worked with.
struct Chosen {
    target: Target,
    session: Session,
    state: SessionState,
    duplicate: bool,
}

impl Chosen {
    fn name(&self) -> &str {
        &self.session.name
    }

    /// Whether somebody works with it by its lock, as far as that is known.
    fn is_held(&self) -> bool {
        self.session.locked == Some(true) && self.session.lock_stale != Some(true)
    }
}

impl Model {
    pub(super) fn key(&mut self, key: Key) {
        if let Some(dialog) = &mut self.dialog {
            match dialog.key(key) {
                Reply::Stay => {}
                Reply::Filled(draft) => self.filled(draft),
                reply => {
                    self.dialog = None;
                    self.replied(reply);
                }
            }
        } else if let Search::Typing(field) = &mut self.search {
            match key {
                Key::Esc => self.search = Search::None,
                Key::Enter => {
                    let text = field.text().to_owned();
                    self.search = if text.is_empty() { Search::None } else { Search::For(text) };
                    self.hit(0);
                }
                _ => _ = field.key(key),
            }
        } else {
            self.list_key(key);
        }
    }

    /// What is pasted is typed where something is typed, and is nothing elsewhere.
    pub(super) fn paste(&mut self, text: &str) {
        for c in text.chars().filter(|c| !c.is_control()) {
            if matches!(self.dialog, Some(Dialog::Form(_))) || self.is_searching() {
                self.key(Key::Char(c));
            }
        }
    }

    fn is_searching(&self) -> bool {
        self.dialog.is_none() && matches!(self.search, Search::Typing(_))
    }

    fn replied(&mut self, reply: Reply) {
        match reply {
            Reply::Agreed(deed) => self.agreed(deed),
            Reply::Chosen(host, Wanted::Create) => self.create_on(&host),
            Reply::Chosen(agent, Wanted::Migrate(target, name)) => self.migrate_to(target, &name, agent),
            Reply::Migrate(target, name) => self.migrate(target, name),
            Reply::Stay | Reply::Close | Reply::Filled(_) => {}
        }
    }

    fn list_key(&mut self, key: Key) {
        let page = self.room().saturating_sub(1).max(1);
        match key {
            Key::Up => self.choose(self.at.saturating_sub(1)),
            Key::Down => self.choose(self.at + 1),
            Key::PageUp => self.choose(self.at.saturating_sub(page)),
            Key::PageDown => self.choose(self.at + page),
            Key::Home => self.choose(0),
            Key::End => self.choose(self.rows.len()),
            Key::Enter => self.enter(),
            Key::Esc if matches!(self.search, Search::For(_)) => self.search = Search::None,
            Key::Esc => self.quit(),
            Key::Char(digit @ '1'..='9') => {
                let at = digit as usize - '1' as usize;
                if at < self.rows.len() {
                    self.choose(at);
                    self.enter();
                }
            }
            Key::Char('n') if matches!(self.search, Search::For(_)) => self.hit(1),
            Key::Char('N') if matches!(self.search, Search::For(_)) => self.hit(-1),
            Key::Char('/') => self.search = Search::Typing(Field::new("", 64)),
            Key::Char('?') => self.dialog = Some(Dialog::Help),
            Key::Char(letter) => self.letter(letter.to_ascii_lowercase()),
            _ => {}
        }
    }

    fn letter(&mut self, letter: char) {
        match letter {
            'q' => self.quit(),
            's' => self.dialog = Some(Dialog::Settings),
            'n' => self.create(),
            'c' => self.duplicate(),
            'e' => self.edit(),
            'b' => self.background(),
            'd' => self.delete(),
            'k' => self.kill(),
            'o' => self.unlock(),
            'r' => self.restart(),
            _ => {}
        }
    }

    pub(super) fn is_hit(&self, at: usize, text: &str) -> bool {
        let Some(row) = self.rows.get(at) else { return false };
        let (uuid, dns_name) =
            row.session.as_ref().map_or(("", ""), |session| (&session.uuid, &session.dns_name));
        let whole = [&row.name(), &row.host, uuid, dns_name].join("\n");
        whole.to_lowercase().contains(&text.to_lowercase())
    }

    /// The next row that fits: from the chosen one on, from the one behind it, or backwards from the one before it.
    fn hit(&mut self, step: isize) {
        let (Search::For(text), all) = (&self.search, self.rows.len()) else { return };
        let backwards = |at: usize| (self.at + 2 * all - 1 - at) % all;
        let forwards = |at: usize| (self.at + step.unsigned_abs() + at) % all;
        let found = (0..all).map(|at| if step < 0 { backwards(at) } else { forwards(at) });
        if let Some(at) = { found }.find(|&at| self.is_hit(at, text)) {
            self.choose(at);
        }
    }

    fn alarm(&mut self, title: &str, text: impl Into<String>) {
        self.dialog = Some(Notice::alarm(title, text).into());
    }

    /// The chosen session, if it can be worked with now; else it is told why not.
    fn chosen_session(&mut self) -> Option<Chosen> {
        let row = self.rows.get(self.at)?.clone();
        let session = match row.session.clone() {
            Ok(session) => session,
            Err(why) => {
                let (title, who) = match row.role {
                    Role::Agent => ("Agent Unreachable", format!("agent {} is not reached", row.host)),
                    _ => ("Not Readable", format!("the sessions of {} cannot be listed", row.host)),
                };
                self.alarm(title, format!("{who}: {why}"));
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
    fn workable(&mut self) -> Option<Chosen> {
        let chosen = self.chosen_session()?;
        if chosen.state != SessionState::Orphan {
            return Some(chosen);
        }
        self.offer(&chosen, ORPHAN.to_owned());
        None
    }

    /// The same, and no other program works with it.
    fn free(&mut self) -> Option<Chosen> {
        let chosen = self.workable()?;
        if chosen.state == SessionState::Locked && chosen.is_held() {
            self.locked(&chosen);
            return None;
        }
        Some(chosen)
    }

    fn locked(&mut self, chosen: &Chosen) {
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

    fn offer(&mut self, chosen: &Chosen, why: String) {
        let agent = self.agents().next().map_or("AGENT", |agent| agent.host.id.as_str());
        let command = format!("sudo convocate-migrate --agent {agent} --session {}", chosen.target.id);
        self.dialog = Some(Offer::new(chosen.target.clone(), chosen.name(), why, command).into());
    }

    fn agents(&self) -> impl Iterator<Item = &super::Known> {
        self.hosts.iter().filter(|known| known.host.role != Role::Orphans)
    }

    fn choices(&self) -> Vec<Choice> {
        let choice = |known: &super::Known| Choice {
            host: known.host.id.clone(),
            place: known.host.place.clone(),
            not: match &known.health {
                Health::Down(_) => Some("unreachable".to_owned()),
                _ => None,
            },
        };
        self.agents().map(choice).collect()
    }

    fn no_agents(&mut self) {
        let notice = Notice::new("No Agents", "No convocate-agent hosts are registered.");
        self.dialog = Some(notice.and("Run 'convocate-host init-agent' to add one.").into());
    }
}

/// What the keys of the list do.
impl Model {
    fn enter(&mut self) {
        let Some(chosen) = self.chosen_session() else { return };
        let name = chosen.name().to_owned();
        match chosen.state {
            SessionState::Orphan => {
                let why = format!(
                    "session {name:?} is a local orphan (shell host no longer runs containers); migrate it to a \
                     convocate-agent to resume"
                );
                self.offer(&chosen, why);
            }
            SessionState::Locked => self.locked(&chosen),
            SessionState::Connected | SessionState::Running => {
                self.out.push(Order::Attach { target: chosen.target, name, fresh: false });
            }
            SessionState::Stopped => {
                self.ask(&chosen.target.host, Ask::Start(chosen.target.id), &name, true);
            }
        }
    }

    fn create(&mut self) {
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

    fn create_on(&mut self, host: &str) {
        let role = self.hosts.iter().find(|known| known.host.id == host).map(|known| known.host.role);
        let title = match role {
            Some(Role::Agent) => format!("Create on agent {host}"),
            _ => "Create New Session".to_owned(),
        };
        self.dialog = Some(Form::create(title, host).into());
    }

    fn duplicate(&mut self) {
        if let Some(chosen) = self.free() {
            self.dialog = Some(Form::duplicate(chosen.target.clone(), chosen.name()).into());
        }
    }

    fn edit(&mut self) {
        let Some(Chosen { target, session, .. }) = self.free() else { return };
        let protocol = session.effective_protocol().to_owned();
        let Session { name, port, dns_name, .. } = session;
        self.dialog = Some(Form::edit(target, &Wishes { name, port, protocol, dns_name }).into());
    }

    fn background(&mut self) {
        let Some(chosen) = self.workable() else { return };
        let name = chosen.name();
        if chosen.state == SessionState::Connected {
            let question = format!("Background session {name:?}?");
            let confirm = Confirm::new("Background Session", question, Deed::Background(chosen.target));
            self.dialog = Some(confirm.and("Everybody who is attached to it is detached.").into());
        } else {
            self.alarm("Not Connected", format!("Session {name:?} is not connected."));
        }
    }

    fn kill(&mut self) {
        let Some(chosen) = self.workable() else { return };
        let name = chosen.name();
        if chosen.session.running {
            let question = format!("Kill session {name:?}?");
            self.dialog = Some(Confirm::new("Kill Session", question, Deed::Kill(chosen.target)).into());
        } else {
            self.alarm("Not Running", format!("Session {name:?} is not running."));
        }
    }

    fn restart(&mut self) {
        let Some(chosen) = self.free() else { return };
        let name = chosen.name();
        if chosen.session.running {
            let notice = Notice::alarm("Already Running", format!("Session {name:?} is already running."));
            self.dialog = Some(notice.and("Press Enter on it to connect.").into());
        } else {
            let question = format!("Restart session {name:?} in background?");
            self.dialog =
                Some(Confirm::new("Restart Session", question, Deed::Restart(chosen.target)).into());
        }
    }

    fn delete(&mut self) {
        let Some(chosen) = self.chosen_session() else { return };
        if chosen.is_held() {
            return self.locked(&chosen);
        }
        let deed = Deed::Delete { target: chosen.target.clone(), sure: false };
        let mut confirm =
            Confirm::new("Confirm Delete", format!("Delete session {:?}?", chosen.name()), deed);
        if chosen.state == SessionState::Orphan {
            confirm = confirm.and("It was left behind on this machine, and is removed here.");
        }
        if chosen.duplicate {
            let host = &chosen.target.host;
            confirm = confirm.and(format!("Only its copy on {host} goes: another host has one too."));
        }
        if chosen.session.running {
            confirm = confirm.and("It is running: it is stopped first.");
        }
        self.dialog = Some(confirm.and("Its files go for good.").into());
    }

    fn unlock(&mut self) {
        let Some(chosen) = self.chosen_session() else { return };
        let Chosen { target, session, .. } = &chosen;
        let name = &session.name;
        self.dialog = Some(match (session.locked, session.lock_pid) {
            (Some(false), _) => {
                Notice::alarm("Not Locked", format!("Session {name:?} is not locked.")).into()
            }
            (Some(true), Some(pid)) if chosen.is_held() => {
                self.ask(&target.host, Ask::Owner(pid), name, false);
                Unlock::new(target.clone(), name, pid).into()
            }
            // An original agent does not tell: it is asked, and never removes the lock of a live owner.
            _ => Unlock::stale(target.clone(), name).into(),
        });
    }

    fn migrate(&mut self, target: Target, name: String) {
        let choices = self.choices();
        if !self.setup.migrates {
            return self.alarm("Migrate Session", "It cannot be migrated from here: use the command.");
        }
        match &choices[..] {
            [] => self.no_agents(),
            [only] => {
                let agent = only.host.clone();
                self.migrate_to(target, &name, agent);
            }
            _ => self.dialog = Some(Select::new(choices, Wanted::Migrate(target, name)).into()),
        }
    }

    fn migrate_to(&mut self, target: Target, name: &str, agent: String) {
        let question = format!("Migrate session {name:?} to agent {agent}?");
        let confirm = Confirm::new("Migrate Session", question, Deed::Migrate { target, agent });
        self.dialog =
            Some(confirm.and("It is moved aside here once its copy there has been verified.").into());
    }

    fn quit(&mut self) {
        let under_way: Vec<String> = self.busy.values().map(super::Busy::words).collect();
        if under_way.is_empty() {
            return self.out.push(Order::Quit);
        }
        let confirm = Confirm::new("Quit", "Quit, though this is under way?", Deed::Quit);
        self.dialog = Some(under_way.into_iter().fold(confirm, Confirm::and).into());
    }

    /// A form is filled in: it stays until its order has come out.
    fn filled(&mut self, draft: Draft) {
        let number = match draft {
            Draft::Create { host, wishes } => {
                let name = wishes.name.clone();
                self.ask(&host, Ask::Create(wishes), &name, false)
            }
            Draft::Edit { target, wishes } => {
                let name = wishes.name.clone();
                self.ask(&target.host, Ask::Edit(target.id, wishes), &name, false)
            }
            Draft::Clone { target, name } => {
                self.ask(&target.host, Ask::Clone(target.id, name.clone()), &name, false)
            }
        };
        if let Some(Dialog::Form(form)) = &mut self.dialog {
            form.waits_for(number);
        }
    }
}
