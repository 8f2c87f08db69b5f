//! What one statement changed, triggers included, as SQLite's update hook tells it.

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use rusqlite::hooks::Action;

/// One changed row: the table is an index into [`Changes::tables`], so that the hook allocates once a table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Change {
    pub(crate) action: Action,
    pub(crate) table: usize,
    pub(crate) rowid: i64,
}

#[derive(Debug, Default)]
pub(crate) struct Changes {
    pub(crate) tables: Vec<String>,
    pub(crate) rows: Vec<Change>,
}

/// Listens to a connection for as long as that lives.
#[derive(Debug, Default)]
pub(crate) struct Recorder(Arc<Mutex<Changes>>);

impl Recorder {
    pub(crate) fn listening_to(connection: &mut Connection) -> Self {
        let recorder = Self::default();
        let changes = Arc::clone(&recorder.0);
        let heard = connection.update_hook(Some(move |action, _: &str, table: &str, rowid| {
            changes.lock().unwrap_or_else(PoisonError::into_inner).add(action, table, rowid);
        }));
        heard.expect("because only a borrowed connection refuses a hook");
        recorder
    }

    /// Forgets what was heard so far, then hears what `statement` does.
    pub(crate) fn during<T>(&self, statement: impl FnOnce() -> T) -> T {
        self.with(|changes| changes.rows.clear());
        statement()
    }

    pub(crate) fn with<T>(&self, look: impl FnOnce(&mut Changes) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Changes {
    fn add(&mut self, action: Action, table: &str, rowid: i64) {
        let table = self.tables.iter().position(|known| known == table).unwrap_or_else(|| {
            self.tables.push(table.to_owned());
            self.tables.len() - 1
        });
        self.rows.push(Change { action, table, rowid });
    }
}
