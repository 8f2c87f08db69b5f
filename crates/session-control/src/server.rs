//! An agent of ours: one question, one answer (formats/convocate.md §10). A stock sshd starts it for each call.

use std::io::{self, BufRead, Read, Write};
use std::ops::ControlFlow;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use crate::protocol::{LONGEST_REQUEST, Request, refused, told};
use crate::spelling::json;
use crate::{AgentError, HostError, Pong, SessionHost, Watch};

/// How much of a caller's patience it takes to reach us.
const MARGIN: Duration = Duration::from_secs(3);
/// How often whoever waits for something long is shown that it is being done.
const SIGN: Duration = Duration::from_secs(2);

/// Reads one line, does what it asks of this host, and answers with one line.
///
/// Nothing is done for a line that is not understood whole, and what follows the first line is not looked at. The answer
/// comes before whoever asks gives up; what takes long (a copy) is preceded by a blank every other second, which is
/// nothing in JSON, and by which a client of ours knows that it need not give up, and we whether he is there still: what
/// is copied for one who has gone is taken back, all else is done to its end. An error is only of the streams: what the
/// host refuses is an answer.
pub fn serve_rpc(
    host: &mut dyn SessionHost,
    pong: &Pong,
    input: &mut dyn BufRead,
    output: &mut dyn Write,
) -> io::Result<()> {
    let mut line = Vec::new();
    input.take(LONGEST_REQUEST as u64 + 1).read_until(b'\n', &mut line)?;
    let begun = Instant::now(); // whoever opens a channel may think before he asks
    let answer = if line.len() > LONGEST_REQUEST {
        refused("malformed request: the line is longer than 1 MiB", None)
    } else {
        match Request::parse(&line) {
            Ok(request) => {
                host.end_by(begun + request.within().saturating_sub(MARGIN));
                let has_gone = Arc::new(AtomicBool::new(false));
                // What an engine is told, it does, whoever has gone; and the session is kept until then.
                if matches!(request, Request::Clone { .. }) {
                    host.heed(unless(&has_gone));
                }
                let mut answer = || answered(host, pong, &request).unwrap_or_else(|error| refusal(&error));
                if request.is_long() { at_work(output, &has_gone, answer) } else { answer() }
            }
            Err(error) => error.answer(),
        }
    };
    output.write_all(answer.as_bytes())?;
    output.flush()
}

/// Answers with a refusal, whatever was asked: there is no host that could be asked it.
pub fn decline_rpc(why: &str, code: &str, output: &mut dyn Write) -> io::Result<()> {
    output.write_all(refused(why, Some(code)).as_bytes())?;
    output.flush()
}

/// Says stop once this is so.
fn unless(it_is_so: &Arc<AtomicBool>) -> Watch {
    let it_is_so = it_is_so.clone();
    Watch::new(move |_| {
        if it_is_so.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })
}

/// Does it, and shows meanwhile that it is being done: who is not there any more to see that has gone.
fn at_work(output: &mut dyn Write, has_gone: &AtomicBool, work: impl FnOnce() -> String + Send) -> String {
    thread::scope(|scope| {
        let (done, waits) = mpsc::channel::<()>();
        let worker = scope.spawn(move || {
            let _done = done; // which is seen when it is dropped
            work()
        });
        while waits.recv_timeout(SIGN) == Err(RecvTimeoutError::Timeout) {
            let shown = output.write_all(b" ").and_then(|()| output.flush());
            has_gone.store(shown.is_err(), Ordering::Relaxed);
        }
        worker.join().unwrap_or_else(|why| resume_unwind(why))
    })
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
fn refusal(error: &HostError) -> String {
    let words = match error {
        HostError::Agent(AgentError::Refused { message, .. }) => message.clone(),
        error => error.to_string(),
    };
    refused(&words, Some(error.code()))
}
