//! Every spelling of a place that is recognised, and every one that is not.

use transcript_relocate::rewrite::{Group, Links, PathRules, RuleClass};

use crate::kit::{VM, all_become, all_stay, compiled, left, rule, said, usual};

#[test]
fn a_drive_path_keeps_the_separators_it_was_written_with() {
    all_become(&[
        (r"C:\Users\mira", r"C:\Users\otto"),
        (r"c:/users/MIRA", "C:/Users/otto"),
        (r"C:\Users/mira\a/b", r"C:\Users\otto\a/b"),
        (r"c:/Users\Mira/x", "C:/Users/otto/x"),
        (r"in C:\Users\mira\a.txt.", r"in C:\Users\otto\a.txt."),
    ]);
}

#[test]
fn a_drive_path_as_unix_shells_on_windows_write_it() {
    all_become(&[
        ("/c/Users/mira/x", "/c/Users/otto/x"),
        ("/mnt/c/users/Mira", "/mnt/c/Users/otto"),
        ("ls /C/Users/mira && x", "ls /c/Users/otto && x"),
    ]);
    all_stay(&[
        ("/data/c/Users/mira", &[(Group::Other, 1)]),
        ("/data/mnt/c/Users/mira", &[(Group::Other, 1)]),
    ]);
    let rules = compiled(vec![rule(RuleClass::Folder, r"C:\work", r"D:\Old\Work")]);
    assert_eq!(said(&rules, "cd /c/work/x"), "cd /d/Old/Work/x");
}

#[test]
fn a_verbatim_path_keeps_its_prefix_at_every_depth() {
    all_become(&[
        (r"\\?\C:\Users\mira\x", r"\\?\C:\Users\otto\x"),
        (r"got \\\\?\\C:\\Users\\mira\\x", r"got \\\\?\\C:\\Users\\otto\\x"),
        (r#"{"p":"\\\\?\\C:\\Users\\mira"}"#, r#"{"p":"\\\\?\\C:\\Users\\otto"}"#),
    ]);
    let rules = compiled(vec![rule(RuleClass::Home, r"C:\Users\mira", "/home/otto")]);
    assert_eq!(said(&rules, r"\\?\C:\Users\mira\x"), r"\\?\C:\Users\mira\x", "it has no meaning elsewhere");
}

#[test]
fn a_file_url_is_compared_decoded_and_written_encoded() {
    all_become(&[
        ("file:///C:/Users/mira/x%20y", "file:///C:/Users/otto/x%20y"),
        ("file:///c%3A/Users/%6Dira", "file:///C:/Users/otto"),
        ("see <file:///C:/Users/mira/a.md>.", "see <file:///C:/Users/otto/a.md>."),
        ("FILE://localhost/c:/users/mira?x=1#y", "FILE:///C:/Users/otto?x=1#y"),
        (&format!("file://{VM}/mnt/drafts/a%20b.md"), "file:///C:/Users/otto/drafts/a%20b.md"),
    ]);
    all_stay(&[("file:///C:/Users/mira%20x/y", &[]), ("file:///C:/Users/miranda", &[])]);
    let rules = compiled(vec![rule(RuleClass::Home, r"C:\Users\mira x", r"C:\Users\Otto & Söhne (1)")]);
    let after = said(&rules, "file:///C:/Users/mira%20x/a%20b");
    assert_eq!(after, "file:///C:/Users/Otto%20&%20S%C3%B6hne%20%281%29/a%20b");
}

#[test]
fn a_drive_path_that_is_percent_encoded_stays_so() {
    all_become(&[
        ("C%3A%5CUsers%5Cmira%5Ca%20b", "C%3A%5CUsers%5Cotto%5Ca%20b"),
        ("x=c%3a%2fusers%2fmira&y=1", "x=C%3a%2fUsers%2fotto&y=1"),
    ]);
    let rules = compiled(vec![rule(RuleClass::Home, r"C:\Users\mira", "/home/otto")]);
    assert_eq!(said(&rules, "C%3A%5CUsers%5Cmira%5Ca%20b"), "%2Fhome%2Fotto%2Fa%20b");
    assert_eq!(left(&compiled(usual()), "%2FC%3A%5CUsers%5Cmira"), [(Group::Percent, 1)]);
}

#[test]
fn a_computer_link_points_to_the_new_place() {
    all_become(&[
        (
            &format!("[x](computer://{VM}/mnt/drafts/a b (1).docx)"),
            "[x](computer:///C:/Users/otto/drafts/a%20b%20(1).docx)",
        ),
        (
            &format!("computer://{VM}/mnt/outputs/r%C3%A9.md"),
            "computer:///C:/Users/otto/s/outputs/r%C3%A9.md",
        ),
        (&format!("(computer://{VM}/mnt/outputs/r.md)"), "(computer:///C:/Users/otto/s/outputs/r.md)"),
        (r"computer://C:\Users\mira\x\y.md", "computer:///C:/Users/otto/x/y.md"),
        ("computer:///C:/Users/mira/x", "computer:///C:/Users/otto/x"),
    ]);
}

#[test]
fn computer_links_to_the_machine_stay_if_asked_for() {
    let rules = PathRules::compile(usual(), Links::Keep).unwrap();
    let link = format!("[x](computer://{VM}/mnt/drafts/a.md)");
    assert_eq!(said(&rules, &link), link);
    assert_eq!(left(&rules, &link), []);
    assert_eq!(said(&rules, "computer:///C:/Users/mira/x"), "computer:///C:/Users/otto/x");
}

#[test]
fn short_names_shares_and_machines_of_others_are_reported_and_stay() {
    all_stay(&[
        (r"C:\Users\MIRA~1\AppData", &[(Group::ShortName, 1)]),
        (r"\\server\C$\Users\mira\x", &[(Group::Other, 1)]),
        (r"\\wsl$\Ubuntu\mnt\c\Users\mira", &[(Group::Other, 1)]),
        ("//host/c/Users/mira", &[(Group::Other, 1)]),
    ]);
    let rules = compiled(vec![rule(RuleClass::Home, r"C:\Users\m. irabelle", r"C:\Users\otto")]);
    assert_eq!(left(&rules, r"C:\Users\MIRABE~2\x"), [(Group::ShortName, 1)]);
}

#[test]
fn a_home_without_a_root_stays_and_is_reported_if_it_names_the_user() {
    all_stay(&[
        (r"in Users\mira\x", &[(Group::Rootless, 1)]),
        ("Users/mira", &[(Group::Rootless, 1)]),
        (r"~\x and ~/x", &[]),
        (r"%USERPROFILE%\x", &[]),
    ]);
}

#[test]
fn urls_of_the_web_are_never_touched() {
    all_stay(&[
        ("https://x.org/C:/Users/mira/a?p=C:/Users/mira#C:/Users/mira", &[(Group::Url, 3)]),
        (&format!("see https://x.org/?q={VM}/mnt/drafts/a."), &[(Group::Url, 1)]),
        ("vscode://file/C:/Users/mira/x", &[(Group::Url, 1)]),
        ("[x](https://x.org/?C:%5CUsers%5Cmira)", &[(Group::Url, 1)]),
    ]);
    all_become(&[("(https://x.org/a) C:/Users/mira", "(https://x.org/a) C:/Users/otto")]);
}

#[test]
fn data_ids_and_slugs_are_never_touched() {
    let blob = format!("{}/mira/{}", "QUJD".repeat(60), "REVG".repeat(60));
    all_stay(&[
        (&blob, &[]),
        ("b3b0c1d2-0000-4000-8000-0000000000aa", &[]),
        ("~/.claude/projects/-sessions-calm-amber-noether/x", &[(Group::Slug, 1)]),
        (r"projects\C--Users-mira-drafts\x", &[(Group::Slug, 1)]),
    ]);
}

#[test]
fn other_machines_and_other_users_are_never_touched() {
    all_stay(&[
        ("/sessions/calm-amber-noether-7/mnt/drafts/x", &[]),
        ("/sessions/brave-blue-gauss/mnt/drafts/x", &[]),
        ("/sessions/Calm-Amber-Noether/x", &[]),
        (r"C:\Users\mira2\x C:\Users\mira-x C:\Users\mira.old\x C:\Users\miré", &[]),
        ("C:\\Users\\mira\u{301}", &[]),
    ]);
}
