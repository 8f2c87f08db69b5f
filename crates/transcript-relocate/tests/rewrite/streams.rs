//! Streams: cut anywhere, hostile anywhere.

use std::io::{self, Read};
use std::ops::ControlFlow;

use transcript_relocate::rewrite::{Group, Members, RewriteError, RewrittenLines, keep_name, rewrite_jsonl};

use crate::kit::{compiled, rewrite, usual};

/// Gives a few bytes at a time.
struct Trickle<'b>(&'b [u8], usize);

impl Read for Trickle<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.1.min(self.0.len()).min(buffer.len());
        buffer[..count].copy_from_slice(&self.0[..count]);
        self.0 = &self.0[count..];
        Ok(count)
    }
}

fn large() -> Vec<u8> {
    let mut lines = Vec::new();
    for number in 0..400 {
        let filler = "lorem ipsum ".repeat(number * 7 % 1500);
        let path = if number % 3 == 0 {
            r"C:\\Users\\mira\\x"
        } else if number > 300 {
            "Users/mirA"
        } else {
            "elsewhere"
        };
        lines.extend(format!("{{\"n\":{number},\"t\":\"{filler}{path}\"}}\n").bytes());
    }
    lines
}

#[test]
fn where_a_block_ends_makes_no_difference() {
    let rules = compiled(usual());
    let input = large();
    assert!(input.len() > 3 << 20);
    let expected = String::from_utf8(input.clone()).unwrap().replace("mira", "otto").into_bytes();
    for bytes in [997, 65_537, usize::MAX] {
        let mut output = Vec::new();
        let goes_on = |_| ControlFlow::Continue(());
        let trickle = Trickle(&input, bytes);
        let report =
            rewrite_jsonl(&rules, Members::TRANSCRIPT, &keep_name, trickle, &mut output, goes_on).unwrap();
        assert!(output == expected, "{bytes} bytes at a time");
        let mut read = Vec::new();
        let mut lines = RewrittenLines::new(&rules, Members::TRANSCRIPT, &keep_name, Trickle(&input, bytes));
        lines.read_to_end(&mut read).unwrap();
        assert!(read == expected, "{bytes} bytes at a time, as a reader");
        assert_eq!(lines.into_report(), report);
        assert_eq!((report.lines, report.changed_lines), (400, 134));
        let lines: Vec<u64> = report.by_rule[0].samples.iter().map(|sample| sample.line).collect();
        assert_eq!(lines, [1, 4, 7]);
        let left = &report.leftovers[&Group::Rootless];
        assert_eq!((left.count, left.first_line), (66, 302), "counted on from block to block");
    }
}

#[test]
fn a_watcher_sees_every_byte_and_can_stop() {
    let rules = compiled(usual());
    let input = large();
    let mut seen = 0;
    let watch = |bytes| {
        seen += bytes;
        ControlFlow::Continue(())
    };
    rewrite_jsonl(&rules, Members::TRANSCRIPT, &keep_name, &input[..], io::sink(), watch).unwrap();
    assert_eq!(seen, input.len() as u64);
    let stop = |_| ControlFlow::Break(());
    let stopped = rewrite_jsonl(&rules, Members::TRANSCRIPT, &keep_name, &input[..], io::sink(), stop);
    assert!(matches!(stopped, Err(RewriteError::Stopped)));
}

#[test]
fn hostile_lines_cost_time_in_proportion_to_their_length() {
    let rules = compiled(usual());
    let many = 20_000;
    let nested = format!(r#"{}"C:\\Users\\mira"{}"#, "[".repeat(many), "]".repeat(many));
    let (output, report) = rewrite(&rules, nested.as_bytes());
    assert_eq!((output.len(), report.paths()), (nested.len(), 1));
    let deep =
        (0..12).fold(r"C:\Users\mira".to_owned(), |inner, _| serde_json::Value::String(inner).to_string());
    let (output, _) = rewrite(&rules, deep.as_bytes());
    assert_eq!(String::from_utf8(output).unwrap(), deep.replace("mira", "otto"));
    for piece in [
        r"/sessions/calm-amber-noether ",
        "‘/sessions/calm-amber-noether ",
        "/sessions/calm-amber-noether/mnt/drafts)",
        r"C:\\Users\\mira'",
        r"https://",
        r"\\\\",
        r"%3A",
        r"C%3A%5CUsers%5Cmira",
        r"\ud83d",
        r#"\""#,
        "(computer:///sessions/",
        r"{\n",
        "C:/Users/mira",
    ] {
        let line = format!("{{\"a\":\"C:/Users/mira {}\"}}", piece.repeat(many));
        let (output, _) = rewrite(&rules, line.as_bytes());
        serde_json::from_slice::<serde::de::IgnoredAny>(&output).unwrap();
    }
}

#[test]
fn an_empty_file_and_empty_lines_stay() {
    let rules = compiled(usual());
    for input in ["", "\n", "\n\n\r\n", "null\n[]\n3"] {
        assert_eq!(rewrite(&rules, input.as_bytes()).0, input.as_bytes());
    }
}
