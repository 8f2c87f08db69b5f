//! The rows that are written, column by column in the order of the schema (formats/ao.md §7).

use serde::{Deserialize, Serialize};
use serde_json::Value;
use session_model::{ActivityState, Harness, SessionKind};

/// Declares a row: a struct whose fields are the columns of a table.
macro_rules! row {
    ($(#[$meta:meta])* $name:ident of $table:literal { $($(#[$doc:meta])* $column:ident: $type:ty),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        pub struct $name { $($(#[$doc])* pub $column: $type),+ }

        impl $name {
            /// The table.
            pub const TABLE: &'static str = $table;
            /// The columns, in the order of the schema.
            pub const COLUMNS: &'static [&'static str] = &[$(stringify!($column)),+];

            /// The values, in the order of [`Self::COLUMNS`].
            pub fn values(&self) -> Vec<Value> {
                vec![$(Column::value(&self.$column)),+]
            }

            /// The columns in which a row of the database, in the order of [`Self::COLUMNS`], is not exactly this one.
            pub fn differing(&self, theirs: &[Value]) -> Vec<&'static str> {
                let mut theirs = theirs.iter();
                let mut differing = Vec::new();
                $(if !theirs.next().is_some_and(|value| self.$column.is(value)) {
                    differing.push(stringify!($column));
                })+
                differing
            }
        }
    };
}

row! {
    /// A row of `projects` (formats/ao.md §7.1).
    ProjectRow of "projects" {
        /// The registry key.
        id: String,
        /// Where the repository lies.
        path: String,
        /// The URL of the remote `origin`, or "".
        repo_origin_url: String,
        /// What people call it, or "" when that is its id.
        display_name: String,
        /// RFC 3339, UTC, milliseconds.
        registered_at: String,
        /// Always NULL.
        archived_at: Option<String>,
        /// JSON text, or NULL when it would be empty (formats/ao.md §5.1).
        config: Option<String>,
        /// Always `single_repo`.
        kind: ProjectKind,
    }
}

row! {
    /// A row of `sessions` (formats/ao.md §7.2).
    SessionRow of "sessions" {
        /// The id, verbatim.
        id: String,
        /// The id of the project that owns it.
        project_id: String,
        /// The number, unique within the project (formats/ao.md §6.1).
        num: i64,
        /// The issue it works on, or "".
        issue_id: String,
        /// What it is for.
        kind: SessionKind,
        /// The agent, or none: written as "".
        harness: Option<Harness>,
        /// What it was doing.
        activity_state: ActivityState,
        /// RFC 3339, UTC, milliseconds, as all times.
        activity_last_at: String,
        /// Whether it has ended, as the daemon sees it.
        is_terminated: bool,
        /// Its branch, or "".
        branch: String,
        /// Where it ran, or where the daemon will run it.
        workspace_path: String,
        /// Always "".
        runtime_handle_id: String,
        /// The id by which its agent resumes it, or "".
        agent_session_id: String,
        /// The prompt, or "".
        prompt: String,
        /// When it was made.
        created_at: String,
        /// When it last changed.
        updated_at: String,
        /// What people call it, or "".
        display_name: String,
        /// When it was first heard of; never NULL here.
        first_signal_at: Option<String>,
    }
}

row! {
    /// A row of `session_worktrees` (formats/ao.md §7.5, §8.4).
    WorktreeRow of "session_worktrees" {
        /// The session.
        session_id: String,
        /// `__root__`: the project's own repository.
        repo_name: String,
        /// The session's branch.
        branch: String,
        /// Unknown: "".
        base_sha: String,
        /// The managed path.
        worktree_path: String,
        /// None: "".
        preserved_ref: String,
        /// `active`.
        state: String,
    }
}

/// What a project is, as the daemon spells it: the old orchestrator knew one kind only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProjectKind {
    /// One repository.
    SingleRepo,
}

/// How a field is bound.
trait Column {
    fn value(&self) -> Value;

    fn is(&self, theirs: &Value) -> bool {
        self.value() == *theirs
    }
}

impl Column for String {
    fn value(&self) -> Value {
        Value::from(self.as_str())
    }

    fn is(&self, theirs: &Value) -> bool {
        theirs.as_str() == Some(self)
    }
}

impl Column for Option<String> {
    fn value(&self) -> Value {
        self.as_deref().map_or(Value::Null, Value::from)
    }
}

impl Column for i64 {
    fn value(&self) -> Value {
        Value::from(*self)
    }
}

impl Column for bool {
    fn value(&self) -> Value {
        Value::from(i64::from(*self))
    }
}

impl Column for ProjectKind {
    fn value(&self) -> Value {
        Value::from("single_repo")
    }
}

impl Column for SessionKind {
    fn value(&self) -> Value {
        Value::from(self.as_str())
    }
}

impl Column for ActivityState {
    fn value(&self) -> Value {
        Value::from(self.as_str())
    }
}

impl Column for Option<Harness> {
    fn value(&self) -> Value {
        Value::from(self.map_or("", Harness::as_str))
    }
}
