//! A model server that is none: it answers every prompt with a numbered sentence, and remembers what it was sent.
//!
//! What an agent *sends* after a session has moved is the proof that it arrived: the request must carry every earlier
//! turn. The server listens on loopback only and speaks just enough HTTP/1.1 for the real clients, one request a
//! connection (formats/claude-code.md, "Trying it for real").
//!
//! ```
//! use std::io::{Read, Write};
//!
//! let server = testkit::model_server::ModelServer::start()?;
//! let mut client = std::net::TcpStream::connect(server.address())?;
//! let body = r#"{"messages":[{"role":"user","content":"hello"}]}"#;
//! write!(client, "POST /v1/messages HTTP/1.1\r\ncontent-length: {}\r\n\r\n{body}", body.len())?;
//! let mut answer = String::new();
//! client.read_to_string(&mut answer)?;
//!
//! assert!(answer.contains("stub answer 1"));
//! assert_eq!(server.requests()[0].texts(), ["hello"]);
//! # Ok::<(), std::io::Error>(())
//! ```

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use serde_json::{Value, json};

/// A running stub, which ends with this value.
#[derive(Debug)]
pub struct ModelServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    listener: Option<JoinHandle<()>>,
}

/// One request as it came in.
#[derive(Debug, Clone)]
pub struct Request {
    /// `GET`, `POST`, …
    pub method: String,
    /// The path with its query, as sent.
    pub path: String,
    /// The body, whole; empty if there was none.
    pub body: Vec<u8>,
}

#[derive(Debug, Default)]
struct Shared {
    requests: Mutex<Vec<Request>>,
    stop: AtomicBool,
}

impl ModelServer {
    /// Listens on a free port of the loopback interface.
    pub fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let accepting = Arc::clone(&shared);
        let listener = std::thread::spawn(move || accept(&listener, &accepting));
        Ok(Self { address, shared, listener: Some(listener) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What clients take as the base of a provider's URLs, without a slash at the end.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every request so far, in the order of arrival.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.lock().clone()
    }

    /// Forgets the requests so far. The numbers of the answers begin again at 1.
    pub fn forget(&self) {
        self.shared.lock().clear();
    }
}

impl Drop for ModelServer {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        // `accept` has no timeout: a connection of our own wakes it, so that it sees the flag.
        let _ = TcpStream::connect(self.address);
        if let Some(listener) = self.listener.take() {
            let _ = listener.join();
        }
    }
}

impl Request {
    /// Whether it asks the model for an answer (and is not, say, a count of tokens or a probe).
    pub fn asks_model(&self) -> bool {
        self.method == "POST" && matches!(self.route(), "/v1/messages" | "/v1/responses")
    }

    /// The body as JSON; `Null` if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Every text that was sent, in order, whoever said it: of the `messages`, or of what `/v1/responses` calls `input`.
    pub fn texts(&self) -> Vec<String> {
        let body = self.json();
        let turns = if body["messages"].is_array() { &body["messages"] } else { &body["input"] };
        turns.as_array().into_iter().flatten().flat_map(|turn| texts_of(&turn["content"])).collect()
    }

    fn route(&self) -> &str {
        self.path.split('?').next().unwrap_or_default()
    }
}

/// The texts of a message's `content`: a string, or the blocks of type `text`.
fn texts_of(content: &Value) -> Vec<String> {
    match content {
        Value::String(text) => vec![text.clone()],
        Value::Array(blocks) => blocks.iter().filter_map(|b| Some(b["text"].as_str()?.to_owned())).collect(),
        _ => Vec::new(),
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Vec<Request>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records a request and gives the number of its answer: how often the model was asked so far.
    fn record(&self, request: Request) -> usize {
        let mut requests = self.lock();
        requests.push(request);
        requests.iter().filter(|request| request.asks_model()).count()
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming().flatten() {
        if shared.stop.load(Ordering::SeqCst) {
            return;
        }
        let shared = Arc::clone(shared);
        // A client that hangs up in mid-sentence is its own affair.
        std::thread::spawn(move || serve(stream, &shared));
    }
}

fn serve(mut stream: TcpStream, shared: &Shared) -> io::Result<()> {
    let request = read_request(&mut stream)?;
    let number = shared.record(request.clone());
    let (kind, body) = answer(&request, number);
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
    )?;
    stream.write_all(body.as_bytes())?;
    stream.flush()
}

fn answer(request: &Request, number: usize) -> (&'static str, String) {
    let body = request.json();
    match request.route() {
        "/v1/messages" if body["stream"] == true => ("text/event-stream", streamed(&body, number)),
        "/v1/responses" => ("text/event-stream", responded(number)),
        "/v1/messages" => ("application/json", message(&body, number, true).to_string()),
        route if route.ends_with("/count_tokens") => {
            ("application/json", json!({"input_tokens": 1}).to_string())
        }
        _ => ("application/json", json!({}).to_string()),
    }
}

fn sentence(number: usize) -> String {
    format!("stub answer {number}")
}

fn message(request: &Value, number: usize, whole: bool) -> Value {
    let content = if whole { json!([{"type": "text", "text": sentence(number)}]) } else { json!([]) };
    json!({
        "id": format!("msg_stub_{number}"), "type": "message", "role": "assistant", "model": request["model"],
        "content": content,
        "stop_reason": if whole { json!("end_turn") } else { Value::Null }, "stop_sequence": null,
        "usage": {"input_tokens": 1, "output_tokens": 1},
    })
}

fn streamed(request: &Value, number: usize) -> String {
    let events = [
        json!({"type": "message_start", "message": message(request, number, false)}),
        json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": sentence(number)}}),
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": null},
               "usage": {"output_tokens": 1}}),
        json!({"type": "message_stop"}),
    ];
    events.iter().map(event).collect()
}

/// The same answer in the words of the other API, which is always streamed here.
fn responded(number: usize) -> String {
    let content = json!([{"type": "output_text", "text": sentence(number), "annotations": []}]);
    let id = format!("resp_stub_{number}");
    let events = [
        json!({"type": "response.created", "response": {"id": id}}),
        json!({"type": "response.output_item.done", "output_index": 0, "item": {
            "type": "message", "id": format!("msg_stub_{number}"), "role": "assistant", "status": "completed",
            "content": content,
        }}),
        json!({"type": "response.completed", "response": {
            "id": id, "usage": {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2},
        }}),
    ];
    events.iter().map(event).collect()
}

fn event(data: &Value) -> String {
    format!("event: {}\ndata: {data}\n\n", data["type"].as_str().unwrap_or_default())
}

fn read_request(stream: &mut TcpStream) -> io::Result<Request> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut words = read_line(&mut reader)?;
    let target = words.split_off(words.find(' ').unwrap_or(words.len()));
    let path = target.split_whitespace().next().unwrap_or_default().to_owned();
    let headers = read_headers(&mut reader)?;
    if headers.expects_continue {
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    let body = read_body(&mut reader, &headers)?;
    Ok(Request { method: words, path, body })
}

/// What the headers say about the body; nothing else in them matters here.
#[derive(Debug, Default)]
struct Headers {
    length: u64,
    chunked: bool,
    expects_continue: bool,
}

fn read_headers(reader: &mut impl BufRead) -> io::Result<Headers> {
    let mut headers = Headers::default();
    loop {
        let line = read_line(reader)?.to_ascii_lowercase();
        let Some((name, value)) = line.split_once(':') else { return Ok(headers) };
        match (name, value.trim()) {
            ("content-length", length) => headers.length = length.parse().unwrap_or(0),
            ("transfer-encoding", encoding) => headers.chunked = encoding.contains("chunked"),
            ("expect", what) => headers.expects_continue = what == "100-continue",
            _ => {}
        }
    }
}

fn read_body(reader: &mut impl BufRead, headers: &Headers) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    if headers.chunked {
        while read_chunk(reader, &mut body)? > 0 {}
    } else {
        reader.take(headers.length).read_to_end(&mut body)?;
    }
    Ok(body)
}

fn read_chunk(reader: &mut impl BufRead, body: &mut Vec<u8>) -> io::Result<u64> {
    let size = u64::from_str_radix(&read_line(reader)?, 16).map_err(io::Error::other)?;
    reader.take(size).read_to_end(body)?;
    read_line(reader)?;
    Ok(size)
}

fn read_line(reader: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    Ok(line.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn send(server: &ModelServer, request: &str) -> String {
        let mut client = TcpStream::connect(server.address()).expect("the stub listens");
        client.write_all(request.as_bytes()).expect("the stub reads");
        let mut answer = String::new();
        client.read_to_string(&mut answer).expect("the stub answers in UTF-8");
        answer
    }

    fn post(server: &ModelServer, path: &str, body: &str) -> String {
        send(server, &format!("POST {path} HTTP/1.1\r\nContent-Length: {}\r\n\r\n{body}", body.len()))
    }

    #[test]
    fn what_a_client_was_sent_is_remembered_in_order_with_its_texts() {
        let server = ModelServer::start().expect("a free port");
        post(&server, "/v1/messages?beta=true", r#"{"messages":[{"role":"user","content":"one"}]}"#);
        post(
            &server,
            "/v1/messages",
            r#"{"messages":[{"role":"user","content":"one"},
                {"role":"assistant","content":[{"type":"text","text":"two"},{"type":"tool_use","id":"t"}]}]}"#,
        );
        let texts: Vec<_> = server.requests().iter().map(Request::texts).collect();
        assert_eq!(texts, [vec!["one"], vec!["one", "two"]]);
        assert!(server.requests().iter().all(Request::asks_model));
        server.forget();
        assert!(server.requests().is_empty());
    }

    #[test]
    fn the_other_api_is_spoken_too() {
        let server = ModelServer::start().expect("a free port");
        let body =
            r#"{"input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"one"}]}]}"#;
        let answer = post(&server, "/v1/responses", body);
        assert!(answer.contains(r#""text":"stub answer 1""#), "{answer}");
        assert!(answer.contains("event: response.completed"), "{answer}");
        assert_eq!(server.requests()[0].texts(), ["one"]);
    }

    #[test]
    fn answers_are_numbered_by_question_whether_streamed_or_plain() {
        let server = ModelServer::start().expect("a free port");
        let plain = post(&server, "/v1/messages", r#"{"model":"m","messages":[]}"#);
        let tokens = post(&server, "/v1/messages/count_tokens", "{}");
        let streamed = post(&server, "/v1/messages", r#"{"model":"m","messages":[],"stream":true}"#);
        assert!(plain.contains(r#""text":"stub answer 1""#), "{plain}");
        assert!(tokens.contains(r#"{"input_tokens":1}"#), "{tokens}");
        assert!(streamed.contains("content-type: text/event-stream"), "{streamed}");
        assert!(streamed.contains(r#"{"type":"text_delta","text":"stub answer 2"}"#), "{streamed}");
        assert!(
            streamed.ends_with("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"),
            "{streamed}"
        );
    }

    #[test]
    fn a_chunked_body_is_put_together() {
        let server = ModelServer::start().expect("a free port");
        let chunks = "c\r\n{\"messages\":\r\n3\r\n[]}\r\n0\r\n\r\n";
        send(&server, &format!("POST /v1/messages HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}"));
        assert_eq!(server.requests()[0].body, b"{\"messages\":[]}");
    }

    #[test]
    fn whatever_else_a_client_asks_succeeds() {
        let server = ModelServer::start().expect("a free port");
        let answer = send(&server, "HEAD / HTTP/1.1\r\n\r\n");
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(!server.requests()[0].asks_model());
    }
}
