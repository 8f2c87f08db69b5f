//! Every key, and every letter of the list.

use super::{Face, Line};

const KEYS: [&str; 15] = [
    "Up Down PgUp PgDn   move            1-9   choose and attach",
    "Enter  attach; a stopped session is started first",
    "N  new session            C  clone it",
    "E  edit it                R  restart it in the background",
    "B  detach everybody       K  stop its container",
    "D  delete it              O  override its lock",
    "S  settings               Q, Esc  quit",
    "/  search; then n, N  next, previous; Esc clears",
    "In a session, Ctrl-b d leaves it running.",
    "",
    "C connected   R running   - stopped",
    "L locked: another program works with it, or did",
    "O orphan: left behind on this machine, to be migrated",
    "? nobody tells how it stands: S says why",
    "! another host has a session of its id too",
];

pub(super) fn face() -> Face {
    Face {
        title: "Help".into(),
        lines: KEYS.map(Line::plain).into(),
        keys: "Press any key to continue".into(),
        alarm: false,
    }
}
