//! The classes of input that the issue names.

use std::borrow::Cow;
use std::ops::ControlFlow;

use serde_json::{Value, json};
use transcript_relocate::rewrite::{
    Group, Links, Members, PathRules, RuleClass, keep_name, rewrite_document, rewrite_jsonl,
};

use crate::kit::{VM, all_become, all_stay, compiled, left, member, rewrite, rule, said, usual};

/// A value inside this many strings of JSON.
fn wrapped(value: Value, depth: usize) -> Value {
    (0..depth).fold(value, |inner, _| json!({ "inner": inner.to_string() }))
}

fn unwrapped(value: Value, depth: usize) -> Value {
    (0..depth).fold(value, |outer, _| serde_json::from_str(outer["inner"].as_str().unwrap()).unwrap())
}

#[test]
fn json_in_json_is_rewritten_at_every_depth_in_values_and_keys() {
    let rules = compiled(usual());
    let before = json!({
        "file_path": format!("{VM}/mnt/drafts/a \"b\".txt"),
        r"C:\Users\mira\k": [r"C:\Users\mira", "é\u{1F600}", 1.50, { "x": format!("ls {VM}/x") }],
    });
    let after = json!({
        "file_path": "C:\\Users\\otto\\drafts\\a \"b\".txt",
        r"C:\Users\otto\k": [r"C:\Users\otto", "é\u{1F600}", 1.50,
            { "x": r"ls C:\Users\otto\cowork-archive\calm-amber-noether\x" }],
    });
    for depth in 0..7 {
        let (output, report) = rewrite(&rules, wrapped(before.clone(), depth).to_string().as_bytes());
        assert_eq!(unwrapped(serde_json::from_slice(&output).unwrap(), depth), after, "depth {depth}");
        assert_eq!(report.paths(), 4, "depth {depth}");
    }
}

#[test]
fn lines_of_json_and_a_json_string_inside_a_string_are_looked_into() {
    let rules = compiled(usual());
    let lines = format!(
        "{}\r\n{}\nplain {VM}/mnt/drafts/a\n",
        json!({"p": format!("{VM}/mnt/drafts")}),
        json!([r"C:\Users\mira"])
    );
    let expected = format!(
        "{}\r\n{}\nplain C:\\Users\\otto\\drafts\\a\n",
        json!({"p": r"C:\Users\otto\drafts"}),
        json!([r"C:\Users\otto"])
    );
    assert_eq!(said(&rules, &lines), expected);
    assert_eq!(said(&rules, &json!(r"C:\Users\mira\x").to_string()), json!(r"C:\Users\otto\x").to_string());
}

#[test]
fn json_that_is_quoted_in_prose_is_written_one_level_deeper() {
    all_become(&[
        (
            &format!(r#"got {{"path": "{VM}/mnt/drafts/a b"}} here"#),
            r#"got {"path": "C:\\Users\\otto\\drafts\\a b"} here"#,
        ),
        (&format!(r#"  "path": "{VM}/mnt/drafts","#), r#"  "path": "C:\\Users\\otto\\drafts","#),
        (&format!(r#"open("{VM}/mnt/drafts/a b")"#), r#"open("C:\Users\otto\drafts\a b")"#),
        (r"x = 'C:\\Users\\mira\\y'", r"x = 'C:\\Users\\otto\\y'"),
        (r"C:\\\\Users\\\\mira cut off", r"C:\\\\Users\\\\otto cut off"),
        (r#"cut off: {\"p\":\"C:\\\\Users\\\\mira\\\\n"#, r#"cut off: {\"p\":\"C:\\\\Users\\\\otto\\\\n"#),
        (r#"cut {"a":"one\nC:\\Users\\mira\\x and"#, r#"cut {"a":"one\nC:\\Users\\otto\\x and"#),
    ]);
}

#[test]
fn a_path_may_end_exactly_at_its_root_and_a_separator_is_kept() {
    all_become(&[
        (r"C:\Users\mira\", r"C:\Users\otto\"),
        ("C:/Users/mira/", "C:/Users/otto/"),
        (&format!("{VM}/mnt/drafts"), r"C:\Users\otto\drafts"),
        (&format!("{VM}/mnt/drafts/"), r"C:\Users\otto\drafts\"),
        (&format!("cd {VM}/mnt/drafts."), r"cd C:\Users\otto\drafts."),
        (&format!("cd {VM}/mnt/drafts/ && x"), r"cd C:\Users\otto\drafts\ && x"),
    ]);
}

#[test]
fn the_root_of_a_mount_is_the_host_folder_and_not_the_archive() {
    all_become(&[
        (&format!("{VM}/mnt/drafts"), r"C:\Users\otto\drafts"),
        (VM, r"C:\Users\otto\cowork-archive\calm-amber-noether"),
        (&format!("{VM}/notes.md"), r"C:\Users\otto\cowork-archive\calm-amber-noether\notes.md"),
    ]);
}

#[test]
fn another_mount_whose_name_extends_ours_stays_and_is_reported() {
    let cases = ["drafts2/x", "drafts-old", "drafts.bak/x", "drafts_x", "secret/a.txt", ".skills/x"];
    for name in cases {
        all_stay(&[(&format!("{VM}/mnt/{name}"), &[(Group::UnmappedMount, 1)])]);
    }
    let other = format!("{VM}/mnt/drafts (copy)/x");
    assert_eq!(member(&compiled(usual()), "path", &other), other);
    all_stay(&[(&format!("in {other}"), &[(Group::AmbiguousTail, 1)])]);
    all_stay(&[(&format!("computer://{VM}/mnt/drafts2/x"), &[(Group::UnmappedMount, 1)])]);
}

#[test]
fn a_whole_path_has_one_separator_style_to_its_end_whatever_characters_it_has() {
    let rules = compiled(usual());
    for tail in ["a b/c (1)/é+#&/it's/日本 語.txt", "plan/x y", "a, b/c; d.txt", "C# & [x]/{y}/~$z.tmp"] {
        let expected = format!(r"C:\Users\otto\drafts\{}", tail.replace('/', "\\"));
        assert_eq!(member(&rules, "file_path", &format!("{VM}/mnt/drafts/{tail}")), expected, "{tail}");
    }
    all_become(&[
        (&format!("{VM}/mnt/drafts/a(b)+#'é/x"), r"C:\Users\otto\drafts\a(b)+#'é\x"),
        (
            &format!("{VM}/mnt/drafts/My Plan (2)/it's 日本.docx"),
            r"C:\Users\otto\drafts\My Plan (2)\it's 日本.docx",
        ),
        (&format!("{VM}/mnt/drafts/**/*.rs"), r"C:\Users\otto\drafts\**\*.rs"),
    ]);
}

#[test]
fn in_prose_nothing_is_half_converted() {
    all_become(&[
        (&format!("wrote {VM}/mnt/drafts/a(1).txt, see it"), r"wrote C:\Users\otto\drafts\a(1).txt, see it"),
        (
            &format!("run '{VM}/mnt/drafts/My Dir/x y.sh' now"),
            r"run 'C:\Users\otto\drafts\My Dir\x y.sh' now",
        ),
        (
            &format!("cp {VM}/mnt/drafts/a {VM}/mnt/outputs/b"),
            r"cp C:\Users\otto\drafts\a C:\Users\otto\s\outputs\b",
        ),
        (&format!("(`{VM}/mnt/drafts/x`)"), r"(`C:\Users\otto\drafts\x`)"),
        (
            &format!("PATH={VM}/mnt/drafts/bin:{VM}/mnt/outputs"),
            r"PATH=C:\Users\otto\drafts\bin:C:\Users\otto\s\outputs",
        ),
    ]);
    all_stay(&[
        (&format!("in {VM}/mnt/drafts/My Folder/a.txt there"), &[(Group::AmbiguousTail, 1)]),
        (&format!(r"ls {VM}/mnt/drafts/My\ Dir/x"), &[(Group::AmbiguousTail, 1)]),
    ]);
}

#[test]
fn case_separators_and_escapes_do_not_hide_a_path() {
    let rules = compiled(usual());
    let raw = |inside: &str| {
        String::from_utf8(rewrite(&rules, format!(r#"{{"a":"{inside}"}}"#).as_bytes()).0).unwrap()
    };
    for (before, after) in [
        (r"C:\/Users\/MIRA\/x\u0041", r"C:/Users/otto\/x\u0041"),
        (r"\u0043\u003a\u005cUsers\u005c\u006D\u0069ra\u005cx", r"C:\\Users\\otto\u005cx"),
        (r"C:\\users/Mira\\x", r"C:\\Users\\otto\\x"),
        (r"\/sessions\/calm-amber-noether\/mnt\/drafts\/x", r"C:\\Users\\otto\\drafts\\x"),
        (r"\u002fsessions/calm\u002damber-noether", r"C:\\Users\\otto\\cowork-archive\\calm-amber-noether"),
        (
            r"{\u0022p\u0022:\u0022C:\\\\Users\\\\mira\u0022}",
            r"{\u0022p\u0022:\u0022C:\\\\Users\\\\otto\u0022}",
        ),
    ] {
        assert_eq!(raw(before), format!(r#"{{"a":"{after}"}}"#), "{before}");
    }
    let rules = compiled(vec![rule(RuleClass::Home, r"C:\Users\Zoë", r"C:\Users\Åse")]);
    for spelling in ["C:\\Users\\ZOË\\x", "c:/users/zoë/x"] {
        assert!(said(&rules, spelling).contains("Åse"), "{spelling}");
    }
    let (output, _) = rewrite(&rules, br#"["C:\\Users\\zo\u00EB\\x","C:\\Users\\Zo\u00cb"]"#);
    assert_eq!(String::from_utf8(output).unwrap(), "[\"C:\\\\Users\\\\Åse\\\\x\",\"C:\\\\Users\\\\Åse\"]");
}

#[test]
fn the_same_tail_elsewhere_stays() {
    all_stay(&[
        (r"D:\Users\mira\x", &[(Group::Other, 1)]),
        ("https://x.org/Users/mira/x", &[(Group::Url, 1)]),
        (r"E:\backup\C\Users\mira", &[(Group::Other, 1)]),
        (&format!("/data{VM}/x"), &[(Group::Other, 1)]),
        (&format!("D:{VM}/x"), &[(Group::Other, 1)]),
    ]);
}

#[test]
fn a_destination_that_contains_the_source_is_written_once() {
    let rules = compiled(vec![
        rule(
            RuleClass::Home,
            r"C:\Users\mira",
            r"D:\old\C\Users\mira\C:\Users\mira".trim_end_matches(r"\C:\Users\mira"),
        ),
        rule(RuleClass::Folder, "/srv/a", "/srv/a/srv/a"),
    ]);
    assert_eq!(said(&rules, r"C:\Users\mira\x"), r"D:\old\C\Users\mira\x");
    assert_eq!(said(&rules, "/srv/a/x and /srv/a"), "/srv/a/srv/a/x and /srv/a/srv/a");
}

#[test]
fn a_tail_is_not_looked_into_again() {
    let rules = compiled(usual());
    let path = format!(r"{VM}/mnt/drafts/x=C:/Users/mira/y");
    assert_eq!(member(&rules, "path", &path), r"C:\Users\otto\drafts\x=C:\Users\mira\y");
    let (_, report) = rewrite(&rules, json!({ "path": path }).to_string().as_bytes());
    assert_eq!(report.leftovers[&Group::Other].count, 1);
}

#[test]
fn two_users_can_change_places() {
    let rules = compiled(vec![
        rule(RuleClass::Home, r"C:\Users\mira", r"C:\Users\otto"),
        rule(RuleClass::Home, r"C:\Users\otto", r"C:\Users\mira"),
    ]);
    assert_eq!(
        said(&rules, r"diff C:\Users\mira\a C:\Users\otto\b"),
        r"diff C:\Users\otto\a C:\Users\mira\b"
    );
}

#[test]
fn a_posix_destination_gets_posix_separators() {
    let rules = compiled(vec![
        rule(RuleClass::Home, r"C:\Users\mira", "/home/otto"),
        rule(RuleClass::VmHome, VM, "/home/otto/archive"),
    ]);
    for (before, after) in [
        (r"C:\Users\mira\a b\c.txt", "/home/otto/a b/c.txt"),
        (r"see C:\Users\mira\a\b, ok", "see /home/otto/a/b, ok"),
        (r"x = 'C:\\Users\\mira\\y'", "x = '/home/otto/y'"),
        ("/c/Users/mira/x", "/home/otto/x"),
        ("file:///C:/Users/mira/x", "file:///home/otto/x"),
    ] {
        assert_eq!(said(&rules, before), after, "{before}");
    }
    assert_eq!(said(&rules, &format!("{VM}/a:b?/c")), "/home/otto/archive/a:b?/c");
}

#[test]
fn the_specific_rule_wins_in_either_order() {
    let home = rule(RuleClass::Home, r"C:\Users\mira", r"C:\Users\otto");
    let folder = rule(RuleClass::Folder, r"C:\Users\mira\work", r"D:\work");
    for rules in [vec![home.clone(), folder.clone()], vec![folder, home]] {
        let rules = compiled(rules);
        assert_eq!(said(&rules, r"C:\Users\mira\work\x"), r"D:\work\x");
        assert_eq!(said(&rules, r"C:\Users\mira\works"), r"C:\Users\otto\works");
        assert_eq!(said(&rules, r"C:\Users\mira"), r"C:\Users\otto");
    }
}

#[test]
fn a_whole_drive_can_move() {
    let rules = compiled(vec![rule(RuleClass::Folder, r"D:\", r"E:\d")]);
    for (before, after) in
        [(r"D:\x", r"E:\d\x"), (r"d:\", r"E:\d\"), ("/d/x", "/e/d/x"), (r"xD:\x", r"xD:\x"), ("D:", "D:")]
    {
        assert_eq!(said(&rules, before), after, "{before}");
    }
    let rules = compiled(vec![rule(RuleClass::Folder, r"D:\", r"E:\")]);
    assert_eq!(said(&rules, r"D:\x"), r"E:\x");
    assert_eq!(said(&rules, r"file:///D:/x"), r"file:///E:/x");
}

#[test]
fn bytes_outside_a_path_are_identical() {
    let rules = compiled(usual());
    let line = b"{ \"b\" : 1.50e+00,\"a\":\"\xff\xfe C:\\\\Users\\\\mira\\\\\xff \\ud83d \\u00e9\", \"a\":2 ,\"c\":\"\\/\"}\r\n";
    let (output, _) =
        rewrite(&rules, &[&line[..], b"not json C:/Users/mira\r\n", &line[..line.len() - 2]].concat());
    let text = |bytes: &[u8]| bytes.iter().map(|&byte| char::from(byte)).collect::<String>();
    let expected = text(line).replace("mira", "otto");
    assert_eq!(text(&output), format!("{expected}not json C:/Users/mira\r\n{}", expected.trim_end()));
}

#[test]
fn a_line_that_is_no_json_stays_and_is_counted() {
    let rules = compiled(usual());
    let input = br#"{"a":"C:\\Users\\mira\\x"
{"a":"C:\\Users\\mira\\x"}
{"cut":"off C:\\Users\\mira and /sessions/calm-amber-noether/x
"#;
    let (output, report) = rewrite(&rules, input);
    assert_eq!(output, String::from_utf8_lossy(input).replace(r#"mira\\x"}"#, r#"otto\\x"}"#).as_bytes());
    let left = &report.leftovers[&Group::InvalidLine];
    assert_eq!((left.count, left.first_line), (3, 1));
    assert_eq!((report.lines, report.changed_lines, report.paths()), (3, 1, 1));
}

fn without_colons(name: &str) -> Cow<'_, str> {
    Cow::Owned(name.replace(':', "%3A"))
}

#[test]
fn names_that_extraction_changed_are_named_as_they_are_now() {
    let rules = compiled(usual());
    let line = json!({ "path": format!("{VM}/a:b/c d:e"), "text": format!("see {VM}/mnt/drafts/x:y/z and computer://{VM}/a:b") });
    let mut output = Vec::new();
    let input = line.to_string();
    let goes_on = |_| ControlFlow::Continue(());
    rewrite_jsonl(&rules, Members::TRANSCRIPT, &without_colons, input.as_bytes(), &mut output, goes_on)
        .unwrap();
    let after: Value = serde_json::from_slice(&output).unwrap();
    let archive = r"C:\Users\otto\cowork-archive\calm-amber-noether";
    assert_eq!(after["path"], format!(r"{archive}\a%3Ab\c d%3Ae"));
    let url = "computer:///C:/Users/otto/cowork-archive/calm-amber-noether/a%253Ab";
    assert_eq!(after["text"], format!(r"see C:\Users\otto\drafts\x:y\z and {url}"));
}

#[test]
fn a_sidecar_is_rewritten_in_its_paths_its_keys_and_its_prose() {
    let rules = compiled(usual());
    let before = format!(
        r#"{{
  "cwd": "{VM}",
  "": "unknown members stay",
  "userSelectedFolders": ["C:\\Users\\mira\\my drafts"],
  "resolvedFolderKinds": [{{ "display": "C:\\Users\\mira\\my drafts", "kind": "local" }}],
  "folderMountNames": {{ "C:\\Users\\mira\\my drafts": "drafts" }},
  "userApprovedFileAccessPaths": ["{VM}/mnt/drafts/a b"],
  "systemPrompt": "Work in {VM}/mnt/drafts only.",
  "createdAt": 1.0
}}"#
    );
    let (after, report) = rewrite_document(&rules, Members::SIDECAR, &keep_name, before.as_bytes());
    let expected = before
        .replace(&format!("{VM}/mnt/drafts/a b"), r"C:\\Users\\otto\\drafts\\a b")
        .replace(&format!("{VM}/mnt/drafts only"), r"C:\\Users\\otto\\drafts only")
        .replace(VM, r"C:\\Users\\otto\\cowork-archive\\calm-amber-noether")
        .replace(r"\\mira\\", r"\\otto\\");
    assert_eq!(String::from_utf8(after).unwrap(), expected);
    assert_eq!(report.paths(), 6);
    let (same, report) =
        rewrite_document(&rules, Members::SIDECAR, &keep_name, br#"{"cwd": "C:\\Users\\mira""#);
    assert_eq!(same, br#"{"cwd": "C:\\Users\\mira""#);
    assert!(!report.is_complete());
}

#[test]
fn leftovers_are_counted_by_group_with_the_first_line_and_a_short_sample() {
    let rules = compiled(usual());
    let long = "x".repeat(500);
    let lines = format!(
        "{}\n{}\n{}\n",
        json!({ "a": "nothing" }),
        json!({ "a": format!("{long} Users/mira {long}") }),
        json!({ "a": "Users/mira D:/Users/mira" })
    );
    let (_, report) = rewrite(&rules, lines.as_bytes());
    let rootless = &report.leftovers[&Group::Rootless];
    assert_eq!((rootless.count, rootless.first_line), (2, 2));
    assert!(rootless.sample.contains("Users/mira") && rootless.sample.chars().count() <= 120);
    assert_eq!(report.leftovers[&Group::Other].first_line, 3);
    assert!(!report.is_complete());
    assert_eq!(left(&rules, "x/-sessions-calm-amber-noether"), [(Group::Slug, 1)]);
}

#[test]
fn the_report_counts_by_class_and_shows_samples() {
    let rules = PathRules::compile(usual(), Links::Rewrite).unwrap();
    let line =
        json!({ "cwd": VM, "a": format!("cp C:\\Users\\mira\\x {VM}/mnt/drafts/{}", "y".repeat(300)) });
    let (_, report) = rewrite(&rules, line.to_string().as_bytes());
    let counts: Vec<_> = report.by_class().into_iter().collect();
    assert_eq!(counts, [(RuleClass::Home, 1), (RuleClass::Mount, 1), (RuleClass::VmHome, 1)]);
    let samples: Vec<_> = report.by_rule.iter().flat_map(|rule| &rule.samples).collect();
    assert!(samples.iter().all(|sample| sample.before.chars().count() <= 120 && sample.line == 1));
    assert!(
        samples.iter().any(|sample| sample.before == VM && sample.after.starts_with(r"C:\Users\otto\cowork"))
    );
}
