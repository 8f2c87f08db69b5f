//! An agent of ours: one question, one answer (formats/convocate.md §10). A stock sshd starts it for each call.

use std::io::{self, BufRead, Read, Write};

use crate::protocol::{LONGEST_REQUEST, Request, refused, told};
use crate::spelling::json;
use crate::{HostError, Pong, SessionHost};

/// Reads one line, does what it asks of this host, and answers with one line.
///
/// Nothing is done for a line that is not understood whole, and what follows the first line is not looked at. An
/// error is only of the streams: what the host refuses is an answer.
pub fn serve_rpc(
    host: &mut dyn SessionHost,
    pong: &Pong,
    input: &mut dyn BufRead,
    output: &mut dyn Write,
) -> io::Result<()> {
    let mut line = Vec::new();
    input.take(LONGEST_REQUEST as u64 + 1).read_until(b'\n', &mut line)?;
    let answer = if line.len() > LONGEST_REQUEST {
        refused("malformed request: the line is longer than 1 MiB")
    } else {
        match Request::parse(&line) {
            Ok(request) => answered(host, pong, &request).unwrap_or_else(|error| refused(&said(&error))),
            Err(error) => refused(&error.to_string()),
        }
    };
    output.write_all(answer.as_bytes())?;
    output.flush()
}

fn answered(host: &mut dyn SessionHost, pong: &Pong, request: &Request) -> Result<String, HostError> {
    let done = |()| "{}".to_owned();
    let result = match request {
        Request::Ping => json(pong),
        // `null` where there are none, as the original says: who was written against it has seen nothing else.
        Request::List => json(&Some(host.list()?).filter(|sessions| !sessions.is_empty())),
        Request::Get(id) => json(&host.get(id)?),
        Request::Create(wishes) => json(&host.create(wishes)?),
        Request::Edit(id, wishes) => json(&host.edit(id, wishes)?),
        Request::Clone { source, name } => json(&host.duplicate(source, name)?),
        Request::Delete(id) => done(host.delete(id)?),
        Request::Kill(id) => done(host.kill(id)?),
        Request::Background(id) => done(host.background(id)?),
        Request::Override { id, holder } => done(host.unlock(id, *holder)?),
        Request::Restart(id) => done(host.restart(id)?),
        Request::SettingsGet | Request::SettingsSet => done(()),
    };
    Ok(told(&result, &host.findings()))
}

/// What another agent said is passed on as it said it.
fn said(error: &HostError) -> String {
    match error {
        HostError::Agent(crate::AgentError::Refused { message, .. }) => message.clone(),
        error => error.to_string(),
    }
}
