//! What a fuzzer tries, and a test on arbitrary bytes.

use std::io::{BufRead, Cursor};
use std::time::Instant;

use serde_json::Value;
use session_control::{
    Holder, HostError, Pong, Request, Session, SessionError, SessionHost, SessionId, Wishes, serve_rpc,
};

/// A host with nothing on it: what is asked of it is not the question here.
#[derive(Default)]
struct Nothing {
    /// When its caller will have given up.
    until: Option<Instant>,
}

impl Nothing {
    fn missing<T>(id: &SessionId) -> Result<T, HostError> {
        Err(SessionError::Missing { id: id.to_string() }.into())
    }
}

impl SessionHost for Nothing {
    fn id(&self) -> &'static str {
        "local"
    }

    fn ping(&mut self) -> Result<Pong, HostError> {
        Ok(Pong::default())
    }

    fn end_by(&mut self, deadline: Instant) {
        self.until = Some(deadline);
    }

    fn list(&mut self) -> Result<Vec<Session>, HostError> {
        Ok(Vec::new())
    }

    fn get(&mut self, id: &SessionId) -> Result<Session, HostError> {
        Self::missing(id)
    }

    fn create(&mut self, wishes: &Wishes) -> Result<Session, HostError> {
        let Wishes { name, port, protocol, dns_name } = wishes.clone();
        Ok(Session { name, port, protocol, dns_name, ..Session::default() })
    }

    fn edit(&mut self, id: &SessionId, _: &Wishes) -> Result<Session, HostError> {
        Self::missing(id)
    }

    fn duplicate(&mut self, id: &SessionId, _: &str) -> Result<Session, HostError> {
        Self::missing(id)
    }

    fn delete(&mut self, id: &SessionId) -> Result<(), HostError> {
        Self::missing(id)
    }

    fn kill(&mut self, id: &SessionId) -> Result<(), HostError> {
        Self::missing(id)
    }

    fn background(&mut self, id: &SessionId) -> Result<(), HostError> {
        Self::missing(id)
    }

    fn restart(&mut self, id: &SessionId) -> Result<(), HostError> {
        Self::missing(id)
    }

    fn unlock(&mut self, id: &SessionId, _: Holder) -> Result<(), HostError> {
        Self::missing(id)
    }
}

/// What is answered, and by when it had to be.
pub(crate) fn answered(input: &mut dyn BufRead) -> (Vec<u8>, Option<Instant>) {
    let (mut host, mut answer) = (Nothing::default(), Vec::new());
    serve_rpc(&mut host, &Pong::default(), input, &mut answer).expect("nothing breaks");
    (answer, host.until)
}

/// Whatever is sent: one line of JSON comes back, and what is understood of it is said again as it was understood.
pub(crate) fn ask(bytes: &[u8]) {
    let (answer, _) = answered(&mut Cursor::new(bytes));
    assert_eq!(answer.iter().position(|&byte| byte == b'\n'), Some(answer.len() - 1));
    let said: Value = serde_json::from_slice(&answer).expect("an answer is JSON");
    let line = bytes.split(|&byte| byte == b'\n').next().unwrap_or_default();
    match Request::parse(line) {
        Ok(request) => assert_eq!(Request::parse(request.to_line().as_bytes()).as_ref(), Ok(&request)),
        Err(error) if bytes.len() <= 1 << 20 => assert_eq!(said["error"], error.to_string()),
        Err(_) => assert_eq!(said["ok"], false),
    }
}
