//! What holds for every line.

use std::fmt::Write as _;

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use transcript_relocate::rewrite::{PathRules, Rule, RuleClass};

use crate::kit::{VM, compiled, rewrite, rule};
use crate::reference::{expanded, rewritten};

/// No destination is inside another, so there is a way back.
fn there() -> Vec<Rule> {
    vec![
        rule(RuleClass::Home, r"C:\Users\mira", r"C:\Users\otto ö"),
        rule(RuleClass::Folder, r"C:\Users\mira\work", r"D:\work"),
        rule(RuleClass::Mount, &format!("{VM}/mnt/drafts"), r"E:\drafts"),
        rule(RuleClass::VmHome, VM, r"E:\archive\mira"),
    ]
}

fn back() -> Vec<Rule> {
    there().into_iter().map(|rule| Rule { class: RuleClass::Folder, from: rule.to, to: rule.from }).collect()
}

fn tail(separator: &'static str) -> impl Strategy<Value = String> {
    prop::collection::vec("[a-zA-Zé日0-9_-]{1,6}(\\.[a-z]{1,3})?", 0..4)
        .prop_map(move |names| names.iter().flat_map(|name| [separator, name]).collect())
}

/// A path as its owner writes it.
fn proper_path() -> impl Strategy<Value = String> {
    prop_oneof![
        (select(vec![r"C:\Users\mira", r"C:\Users\mira\work"]), tail("\\"))
            .prop_map(|(root, tail)| format!("{root}{tail}")),
        tail("/")
            .prop_filter("a mount of its own", |tail| !tail.starts_with("/mnt"))
            .prop_map(|tail| format!("{VM}{tail}")),
        tail("/").prop_map(|tail| format!("{VM}/mnt/drafts{tail}")),
    ]
}

/// A path as anybody writes it.
fn sloppy_path() -> impl Strategy<Value = String> {
    (proper_path(), any::<u64>()).prop_map(|(path, seed)| {
        let windows = path.starts_with('C');
        let flip = |index: usize| windows && seed >> (index % 64) & 1 == 1;
        let letters = path.chars().enumerate().map(|(index, letter)| match letter {
            '\\' if flip(index) => '/',
            letter if flip(index) && index < 13 => letter.to_ascii_uppercase(),
            letter => letter,
        });
        letters.collect()
    })
}

/// No word begins with a quote: a text that is no string of JSON for an escape that its path spoils is one afterwards.
fn noise() -> impl Strategy<Value = String> {
    let near = vec![
        r"C:\Users\mira2\x",
        r"D:\Users\mira\x",
        r"xC:\Users\mira",
        "/sessions/calm-amber-noether-7/x",
        "/srv/sessions/calm-amber-noether/x",
        r"C:\Users\miranda",
        "https://x.org/?p=C:/Users/mira/x",
        "/sessions/calm-amber-noether/mnt/drafts2/a",
        "mira",
        "calm-amber-noether",
        r"\\?\C:\Users\miro",
        r"Users\mira\x",
        "file:///D:/Users/mira",
        "C:",
        "/c/Users/mirax",
        "\u{1F600}",
        "a/b",
        r"a\b",
        "{}",
        "5\"",
        "\u{1}",
    ];
    // a long text is not decoded as a whole
    let filler = Just("lorem".repeat(300));
    prop_oneof![6 => select(near).prop_map(str::to_owned), 1 => filler, 6 => "[a-zé日,;(){}#'%~*?.!-]{0,8}"]
}

fn text(path: impl Strategy<Value = String> + 'static) -> impl Strategy<Value = String> {
    let wrapped = (select(vec!["", "(", "=", "`"]), path).prop_map(|(open, path)| match open {
        "(" => format!("({path})"),
        "`" => format!("`{path}`"),
        open => format!("{open}{path}"),
    });
    let word = prop_oneof![2 => wrapped, 3 => noise()];
    (prop::collection::vec(word, 0..6), select(vec![" ; ", "\n"]))
        .prop_map(|(words, joint)| words.join(joint))
}

/// JSON in JSON in JSON, its strings made by `text`.
fn value(text: impl Strategy<Value = String> + 'static) -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![4 => text.prop_map(Value::String), 1 => Just(json!([1.5, null, true, {}]))];
    leaf.prop_recursive(5, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::vec((inner.clone(), inner.clone()), 0..3).prop_map(|members| {
                members.into_iter().map(|(name, value)| (text_of(&name), value)).collect()
            }),
            inner.clone().prop_map(|inner| Value::String(inner.to_string())),
            prop::collection::vec(inner, 1..3).prop_map(|lines| {
                let lines = lines.iter().map(|line| json!([line]).to_string());
                Value::String(lines.collect::<Vec<_>>().join("\n"))
            }),
        ]
    })
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The same line with other escapes.
fn respelled(line: &str, seed: u64) -> String {
    let mut spelled = String::new();
    let (mut inside, mut keep) = (false, 0);
    for (index, letter) in line.chars().enumerate() {
        let odd = seed.rotate_left(u32::try_from(index % 64).unwrap()).trailing_zeros() >= 3;
        if keep > 0 {
            keep = if keep == 1 && letter == 'u' && spelled.ends_with('\\') { 4 } else { keep - 1 };
            spelled.push(letter);
            continue;
        }
        match letter {
            '"' => inside = !inside,
            '\\' => keep = 1,
            '/' if inside && odd => spelled.push('\\'),
            letter if inside && odd && u32::from(letter) < 0x10000 => {
                write!(spelled, "\\u{:04X}", u32::from(letter)).unwrap();
                continue;
            }
            _ => {}
        }
        spelled.push(letter);
    }
    spelled
}

fn parsed(line: &[u8]) -> Value {
    serde_json::from_slice(line).unwrap()
}

fn once(rules: &PathRules, line: &str) -> String {
    String::from_utf8(rewrite(rules, line.as_bytes()).0).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases * 6))]

    #[test]
    fn a_line_decodes_to_what_the_reference_says(value in value(text(sloppy_path())), seed in any::<u64>()) {
        let rules = compiled(there());
        let line = respelled(&value.to_string(), seed);
        prop_assert_eq!(parsed(line.as_bytes()), value.clone(), "the test respells rightly");
        let expected = expanded(&value, &|text| rewritten(&rules, text));
        let found = expanded(&parsed(once(&rules, &line).as_bytes()), &str::to_owned);
        prop_assert_eq!(found, expected, "{}", line);
    }

    #[test]
    fn rewriting_there_and_back_is_the_identity(value in value(text(proper_path()).prop_map(|text| only_mapped(&text)))) {
        let line = value.to_string();
        let moved = once(&compiled(there()), &line);
        prop_assert_eq!(once(&compiled(back()), &moved), line);
    }

    #[test]
    fn a_text_that_names_nothing_is_untouched(value in value(prop_oneof![noise(), any::<String>()]), seed in any::<u64>()) {
        let line = respelled(&value.to_string(), seed);
        prop_assert_eq!(once(&compiled(there()), &line), line);
    }

    #[test]
    fn what_was_json_is_json_and_what_was_not_is_as_it_was(
        value in value(text(sloppy_path())), cut in any::<prop::sample::Index>(), byte in any::<u8>(), truncate in any::<bool>(),
    ) {
        let mut line = value.to_string().into_bytes();
        let at = cut.index(line.len());
        if truncate { line.truncate(at) } else if at < line.len() && byte != b'\n' { line[at] = byte }
        let is_json = |line: &[u8]| serde_json::from_slice::<serde::de::IgnoredAny>(line).is_ok();
        let (output, _) = rewrite(&compiled(there()), &line);
        if is_json(&line) {
            prop_assert!(is_json(&output), "{}", String::from_utf8_lossy(&output));
        } else {
            prop_assert_eq!(output, line);
        }
    }
}

/// Without the words that name a place of the new world, or an old one that stays.
fn only_mapped(text: &str) -> String {
    let words = text.split(' ').filter(|word| !word.contains("://") && !word.contains("D:"));
    words.collect::<Vec<_>>().join(" ")
}
