//! A Cowork transcript as it becomes over months: compactions in pairs that share an id, parallel tool calls, subagents,
//! messages written again by a resume. Of any size, always the same for the same shape, and never held in memory.

use std::io::{self, Write};

use serde_json::{Value, json};

/// How long a session is.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// How often it was compacted.
    pub compactions: u32,
    /// How many turns there are before each compaction.
    pub turns: u32,
    /// How many turns there are after the last compaction.
    pub last_turns: u32,
    /// About how many bytes each answer and each tool result has.
    pub text: usize,
    /// Whether an early prompt was abandoned, and the first conversation ended with `/clear`.
    pub branches: bool,
}

/// The user and the machine that the session comes from.
const CWD: &str = r"C:\Users\mira\projects\drafts";

/// Writes the session and answers how many lines it has.
///
/// # Errors
/// Those of the writer.
pub fn write(shape: Shape, out: impl Write) -> io::Result<u64> {
    let mut session = Session { out, shape, ids: 0, lines: 0, last: Value::Null, kept: Vec::new() };
    if shape.branches {
        session.row("user", &json!("a question that was cleared away"))?;
        session.row("assistant", &json!([{"type": "text", "text": "an answer"}]))?;
        session.last = Value::Null;
    }
    let mut pair = session.id();
    for number in 0..shape.compactions {
        for turn in 0..shape.turns {
            session.turn()?;
            if shape.branches && number == 0 && turn == 0 {
                session.abandoned()?;
            }
        }
        let next = session.id();
        session.compact(&pair, &next)?;
        pair = next;
    }
    session.again()?;
    for _ in 0..shape.last_turns {
        session.turn()?;
    }
    session.out.flush()?;
    Ok(session.lines)
}

struct Session<W> {
    out: W,
    shape: Shape,
    ids: u64,
    lines: u64,
    last: Value,
    /// The rows of the newest turn, which a resume may write again.
    kept: Vec<Value>,
}

impl<W: Write> Session<W> {
    fn id(&mut self) -> Value {
        self.ids += 1;
        let mixed = self.ids.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let id = format!(
            "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
            mixed >> 32,
            (mixed >> 16) & 0xFFFF,
            mixed & 0xFFF,
            (mixed >> 4) & 0xFFF,
            self.ids
        );
        Value::String(id)
    }

    fn line(&mut self, row: &Value) -> io::Result<()> {
        self.lines += 1;
        serde_json::to_writer(&mut self.out, row)?;
        self.out.write_all(b"\n")
    }

    fn row(&mut self, kind: &str, content: &Value) -> io::Result<Value> {
        let (id, parent) = (self.id(), self.last.clone());
        self.hanging(kind, content, &id, &parent)?;
        self.last = id.clone();
        Ok(id)
    }

    fn hanging(&mut self, kind: &str, content: &Value, id: &Value, parent: &Value) -> io::Result<()> {
        let row = json!({
            "parentUuid": parent, "isSidechain": false, "userType": "external", "cwd": CWD,
            "sessionId": "3f6c2f5e-7a1b-4c9d-8e2f-102030405060", "version": "2.1.197", "gitBranch": "",
            "type": kind, "message": {"role": kind, "content": content}, "uuid": id,
            "timestamp": "2026-02-03T04:05:06.789Z",
        });
        self.kept.push(row.clone());
        self.line(&row)
    }

    /// A prompt, three tool calls at once whose results hang beside each other, a subagent at work, and an answer.
    fn turn(&mut self) -> io::Result<()> {
        self.kept.clear();
        self.row("user", &json!("go on, please"))?;
        let mut calls = Vec::new();
        for tool in 0..3 {
            let id = format!("toolu_{}_{tool}", self.ids);
            let input = json!({"file_path": format!(r"{CWD}\notes {tool}.md")});
            let call = json!([{"type": "tool_use", "id": id, "name": "Read", "input": input}]);
            calls.push((self.row("assistant", &call)?, id));
        }
        for (call, tool) in calls {
            let id = self.id();
            let text = self.text();
            let result = json!([{"type": "tool_result", "tool_use_id": tool, "content": text}]);
            self.hanging("user", &result, &id, &call)?;
            self.last = id;
        }
        self.line(&json!({"type": "last-prompt", "lastPrompt": "go on, please", "leafUuid": self.last}))?;
        self.subagent()?;
        let text = self.text();
        self.row("assistant", &json!([{"type": "text", "text": text}]))?;
        Ok(())
    }

    /// Text as tools print it: mostly lines of a program, and now and then a path, escaped once more than it would have
    /// to be.
    fn text(&self) -> String {
        let path = format!("{{\"path\": \"{}\", \"naïve\": \"größe 日本 😀\"}}\n", CWD.escape_default());
        let program = "    let total: u64 = rows.iter().map(|row| row.size).sum(); // \"größe\" in bytes\n";
        let page = path + &program.repeat(20);
        page.repeat(self.shape.text.div_ceil(page.len()).max(1))
    }

    fn subagent(&mut self) -> io::Result<()> {
        let id = self.id();
        let row = json!({
            "parentUuid": null, "isSidechain": true, "type": "progress", "uuid": id, "data": "a subagent at work",
        });
        self.line(&row)
    }

    /// A prompt that was taken back, and its answer.
    fn abandoned(&mut self) -> io::Result<()> {
        let fork = self.last.clone();
        self.row("user", &json!("no, forget that"))?;
        self.row("assistant", &json!([{"type": "text", "text": "forgotten"}]))?;
        self.last = fork;
        Ok(())
    }

    /// A compaction as it is written: twice, the second with the id that the first of the next will have.
    fn compact(&mut self, first: &Value, second: &Value) -> io::Result<()> {
        let logical = self.last.clone();
        for id in [first, second] {
            let row = json!({
                "parentUuid": null, "logicalParentUuid": logical, "isSidechain": false, "userType": "external",
                "type": "system", "subtype": "compact_boundary", "content": "Conversation compacted",
                "compactMetadata": {"trigger": "auto", "preTokens": 155_000}, "uuid": id,
                "timestamp": "2026-02-03T04:05:06.789Z",
            });
            self.line(&row)?;
        }
        let id = self.id();
        let row = json!({
            "parentUuid": second, "isCompactSummary": true, "isVisibleInTranscriptOnly": true, "type": "user",
            "message": {"role": "user", "content": "What was said so far."}, "uuid": id,
        });
        self.last = id;
        self.line(&row)
    }

    /// A resume writes messages from before the last compaction again, with their ids.
    fn again(&mut self) -> io::Result<()> {
        for row in std::mem::take(&mut self.kept) {
            self.line(&row)?;
        }
        Ok(())
    }
}
