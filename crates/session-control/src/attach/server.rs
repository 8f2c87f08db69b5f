//! An agent's side: one person, for whom sshd has run us (formats/convocate.md §11).

use std::fs;
use std::io;
use std::process::ExitStatus;

use durable_files::Meter;
use serde::Serialize;

use super::child::{Child, Complaints};
use super::door::Door;
use super::header::Header;
use super::pump::{Closed, Pump};
use super::screen::Screen;
use super::terminal::{Size, Terminal};
use super::wake::Wake;
use crate::containers::ended;
use crate::spelling::{json, quoted};
use crate::{LocalHost, SessionId};

#[derive(Serialize)]
struct Failure<'a> {
    ok: bool,
    error: &'a str,
}

/// Serves one attach: a line that says to which session, then its screen and keys. The streams may be a terminal that
/// sshd has made, whose size is followed, or plain, as an original client has them: then the size is the line's.
///
/// Tells whether it went well. If it did not, the other end has been told why. From its beginning on, SIGHUP is what the
/// end of that terminal is, and kills nobody.
pub fn serve_attach(host: &LocalHost, terminal: &Terminal, meter: &mut dyn Meter) -> bool {
    let served = serve(host, terminal, meter);
    if let Err(error) = &served {
        terminal.show(format!("{}\n", json(&Failure { ok: false, error })).as_bytes());
    }
    served.is_ok()
}

fn serve(host: &LocalHost, terminal: &Terminal, meter: &mut dyn Meter) -> Result<(), String> {
    let failed = |error: io::Error| format!("attach: {error}");
    let _listening = Wake::listen().map_err(failed)?;
    // Whoever has a terminal here must not see his own first line, and must be told of a key at once.
    let _raw = terminal.raw().map_err(failed)?;
    let header =
        Header::read(terminal.input(), meter).map_err(|reason| format!("bad attach header: {reason}"))?;
    let not_found = || format!("attach: session {} not found", quoted(&header.id));
    let id: SessionId = header.id.parse().map_err(|_| not_found())?;
    let folder = fs::symlink_metadata(host.local().base.join(id.as_str()));
    if !folder.is_ok_and(|folder| folder.is_dir()) {
        return Err(not_found());
    }
    let door = Door::to(host, &id).map_err(|error| format!("attach: {error}"))?;
    let own = terminal.size();
    let size = own.or(header.size()).unwrap_or(Size::USUAL);
    let guest = door.enter();
    let mut child = Child::on_terminal(door.command(), size, Complaints::Shown).map_err(failed)?;
    let mut screen = Screen::passing();
    let (mut raw, first) = (None, Vec::new());
    let pump = Pump { terminal, child: &mut child, screen: &mut screen, first, mirrors: own.is_some() };
    match pump.run(&mut raw, meter) {
        Ok(Closed::ByProgram) => {
            let (status, _) = child.finish().map_err(failed)?;
            guest.left(status);
            said_of(status)
        }
        gone => gone.map(drop).map_err(failed),
    }
}

/// In the words of the original.
fn said_of(status: ExitStatus) -> Result<(), String> {
    if status.success() { Ok(()) } else { Err(format!("exec exited: {}", ended(status))) }
}
