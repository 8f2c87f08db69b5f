//! Agents, roles and states, each under one spelling.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Declares a closed set of names: an enum, its spelling, and the way back from it.
macro_rules! names {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name { $($(#[$doc])* #[serde(rename = $text)] $variant),+ }

        impl $name {
            /// Every value, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The one spelling.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(self.as_str()) }
        }

        impl FromStr for $name {
            type Err = ();
            fn from_str(text: &str) -> Result<Self, ()> {
                match text { $($text => Ok(Self::$variant),)+ _ => Err(()) }
            }
        }
    };
}

names! {
    /// An agent program that a session runs, under the name by which orchestrators know it.
    ///
    /// These are the 23 that the rewrite of agent-orchestrator accepts (formats/ao.md §7.2).
    Harness {
        /// Anthropic's Claude Code.
        ClaudeCode = "claude-code",
        /// `OpenAI`'s Codex.
        Codex = "codex",
        /// Aider.
        Aider = "aider",
        /// OpenCode.
        OpenCode = "opencode",
        /// Grok.
        Grok = "grok",
        /// Droid.
        Droid = "droid",
        /// Amp.
        Amp = "amp",
        /// Agy.
        Agy = "agy",
        /// Crush.
        Crush = "crush",
        /// Cursor.
        Cursor = "cursor",
        /// Qwen.
        Qwen = "qwen",
        /// Copilot.
        Copilot = "copilot",
        /// Goose.
        Goose = "goose",
        /// Auggie.
        Auggie = "auggie",
        /// Continue.
        Continue = "continue",
        /// Devin.
        Devin = "devin",
        /// Cline.
        Cline = "cline",
        /// Kimi.
        Kimi = "kimi",
        /// Kiro.
        Kiro = "kiro",
        /// Kilocode.
        Kilocode = "kilocode",
        /// Vibe.
        Vibe = "vibe",
        /// Pi.
        Pi = "pi",
        /// Autohand.
        Autohand = "autohand",
    }
}

names! {
    /// What a session is for.
    SessionKind {
        /// Works on one task.
        Worker = "worker",
        /// Directs the workers of a project.
        Orchestrator = "orchestrator",
    }
}

names! {
    /// Where a session stands in its life, as agent-orchestrator's second lifecycle spells it (formats/ao.md §3.1).
    LifecycleState {
        /// Spawn was asked for.
        NotStarted = "not_started",
        /// At work.
        Working = "working",
        /// Waiting for nothing in particular.
        Idle = "idle",
        /// Waiting for its user.
        NeedsInput = "needs_input",
        /// Not getting on.
        Stuck = "stuck",
        /// The orchestrator is finding out.
        Detecting = "detecting",
        /// Finished.
        Done = "done",
        /// Ended.
        Terminated = "terminated",
    }
}

names! {
    /// What a session is doing, as the rewrite's database spells it (formats/ao.md §7.2).
    ActivityState {
        /// At work.
        Active = "active",
        /// Doing nothing.
        Idle = "idle",
        /// Waiting for its user.
        WaitingInput = "waiting_input",
        /// Held up.
        Blocked = "blocked",
        /// Its process is gone.
        Exited = "exited",
    }
}
