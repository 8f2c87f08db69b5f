//! Words that must not stand in the code: printing, exiting, ignoring.

use super::house::{House, Source};

/// What talks to people: the one crate that may, and the chores.
const TALKERS: [&str; 2] = ["crates/migration-cli/", "xtask/"];

const TALK: [&str; 6] = ["println!", "eprintln!", "print!", "eprint!", "process::exit", "process::abort"];

pub(super) fn nothing_prints_exits_or_is_ignored(house: &House) -> Vec<String> {
    house.sources.iter().flat_map(|source| talk(source).into_iter().chain(ignored(source))).collect()
}

fn talk(source: &Source) -> Vec<String> {
    if may_talk(&source.path) {
        return Vec::new();
    }
    let mut offences = Vec::new();
    for (number, line) in
        (1..).zip(source.text.lines()).take_while(|(_, line)| !line.starts_with("#[cfg(test)]"))
    {
        let code = line.split("//").next().unwrap_or_default();
        let said = TALK.iter().find(|word| has_word(code, word));
        offences
            .extend(said.map(|word| format!("{}:{number}: only migration-cli may `{word}`", source.path)));
    }
    offences
}

fn may_talk(path: &str) -> bool {
    TALKERS.iter().any(|talker| path.starts_with(talker))
        || ["/tests/", "/examples/", "/benches/"].iter().any(|folder| path.contains(folder))
        || path.ends_with("/build.rs")
}

/// Whether the word stands there by itself: `print!` is not in `println!`, nor in `eprint!`.
fn has_word(code: &str, word: &str) -> bool {
    let is_part = |before: &str| before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
    code.match_indices(word).any(|(at, _)| !is_part(&code[..at]))
}

fn ignored(source: &Source) -> Vec<String> {
    let lines = (1..).zip(source.text.lines());
    let ignored = lines.filter(|(_, line)| line.trim_start().starts_with("#[ignore"));
    ignored
        .map(|(number, _)| format!("{}:{number}: a test that is ignored shows nothing", source.path))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offences(path: &str, text: &str) -> Vec<String> {
        nothing_prints_exits_or_is_ignored(&House::of_source(path, text))
    }

    #[test]
    fn printing_and_exiting_are_offences_but_for_those_who_may() {
        let text = "/// println!(\"a doc\")\nfn f() { println!(\"x\"); }\nfn g() { std::process::exit(1) }\n";
        assert_eq!(
            offences("crates/a/src/lib.rs", text),
            [
                "crates/a/src/lib.rs:2: only migration-cli may `println!`",
                "crates/a/src/lib.rs:3: only migration-cli may `process::exit`"
            ]
        );
        for allowed in ["crates/migration-cli/src/lib.rs", "xtask/src/main.rs", "crates/a/tests/a.rs"] {
            assert!(offences(allowed, text).is_empty(), "{allowed}");
        }
        assert!(offences("crates/a/src/lib.rs", "#[cfg(test)]\nmod tests { println!(); }").is_empty());
        assert!(offences("crates/a/src/lib.rs", "fn f() { my_print!(); writeln!(out); }").is_empty());
    }

    #[test]
    fn an_ignored_test_is_an_offence_everywhere() {
        let text = "    #[ignore = \"slow\"]\n";
        assert_eq!(
            offences("xtask/tests/a.rs", text),
            ["xtask/tests/a.rs:1: a test that is ignored shows nothing"]
        );
    }
}
