//! Readers of the stores that agent tools left behind, one module and cargo feature per old world.
//!
//! A reader turns a store into a [`session_model::Survey`]: what was found, every input that must be accounted for, and
//! what was wrong with it. It changes nothing on disk, and content that is damaged is part of what it finds, never an
//! error: only a path that the user named and that is not there is one.
//!
//! ```
//! use legacy_readers::ao::{self, Options, Source};
//!
//! let home = tempfile::tempdir()?;
//! let root = home.path().join(".agent-orchestrator");
//! std::fs::create_dir_all(root.join("projects/ledger/sessions"))?;
//! std::fs::write(root.join("config.yaml"), "projects:\n  ledger: {path: ~/src/ledger}\n")?;
//! std::fs::write(root.join("projects/ledger/sessions/led-1.json"), r#"{"branch": "feat/tax"}"#)?;
//! std::fs::write(root.join("projects/ledger/sessions/led-2.json"), r#"{"branch": "#)?;
//!
//! let home = camino::Utf8Path::from_path(home.path()).expect("a UTF-8 path");
//! let survey = ao::read(&Options {
//!     state_root: Source::by_default(home.join(".agent-orchestrator")),
//!     config: Source::by_default(home.join(".agent-orchestrator/config.yaml")),
//!     home: home.into(),
//! })?;
//! assert_eq!(survey.found.sessions[0].record().map(|record| record.branch.text()), Some("feat/tax"));
//! assert!(matches!(survey.found.sessions[1].content, ao::Content::Quarantined(_)));
//! assert_eq!(survey.inputs.len(), 3); // one project, two session files
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Limitations
//! - The worlds so far are `ao`, `convocate`, `cowork` and `openclaw`.
//! - `cowork` reads sessions of the app's local agent mode; spaces are named, projects and the Code tab's store are not read.
//!   Nothing of it was run on Windows.
//! - A survey is a moment's view: a store that is written to while it is read may be seen half old, half new.
//! - Files above 64 MiB are reported as unreadable; nothing that these tools wrote comes near that. Sessions of `openclaw`
//!   are read piece by piece and may have any size.

#[cfg(any(feature = "ao", feature = "convocate", feature = "cowork", feature = "openclaw"))]
mod files;
#[cfg(any(feature = "ao", feature = "cowork"))]
mod surrogates;
#[cfg(any(feature = "ao", feature = "cowork", feature = "openclaw"))]
mod text;

#[cfg(feature = "ao")]
pub mod ao;
#[cfg(feature = "convocate")]
pub mod convocate;
#[cfg(feature = "cowork")]
pub mod cowork;
#[cfg(feature = "openclaw")]
pub mod openclaw;
