//! The edits of a sidecar, byte for byte where nothing is to change (formats/cowork.md F). Pure.

use std::ops::Range;

use jsonl_stitch::json::{Member, decode, each_element, encode, member, members, string_inside, value_end};
use session_model::{ForeignPath, same_name};
use transcript_relocate::rewrite::{Members, PathRules, Rewritten, rewrite_document};

use crate::lines::extracted_name;

/// What belongs to the machine that a session ran on, and means nothing on another.
const MACHINE_LOCAL: &[&str] = &[
    "remoteMcpServersConfig",
    "artifactHostGrant",
    "otelConfig",
    "orgOtlpContentCapture",
    "outboundCCRRemoteId",
    "pendingNotifications",
    "pendingStartMessages",
    "chromeTabGroupId",
    "pluginInstallPaths",
    "cuSelectedDisplayId",
    "cuLastScreenshotDims",
    "globalMemoryBaselineHash",
];

/// What is taken over into a sidecar that has gone on since.
pub(crate) const MERGED: &[&str] = &[
    "userSelectedFolders",
    "resolvedFolderKinds",
    "folderMountNames",
    "fsDetectedFiles",
    "userApprovedFileAccessPaths",
];

const FOLDERS: &str = "userSelectedFolders";
const KINDS: &str = "resolvedFolderKinds";

/// A sidecar for the new world.
#[derive(Debug)]
pub(crate) struct Edited {
    /// Its text.
    pub(crate) text: Vec<u8>,
    /// What became of its paths.
    pub(crate) report: Rewritten,
    /// The members that were dropped.
    pub(crate) dropped: Vec<String>,
}

/// The sidecar is no JSON object, so that no member of it can be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a JSON object, found something else")]
pub(crate) struct NotAnObject;

/// Rewrites the paths, lets the archive be opened, and drops what belongs to the old machine.
pub(crate) fn edit(
    sidecar: &[u8],
    rules: &PathRules,
    archive: Option<&ForeignPath>,
    keep_machine_local: bool,
) -> Result<Edited, NotAnObject> {
    let (mut text, report) = rewrite_document(rules, Members::SIDECAR, &extracted_name, sidecar);
    let mut dropped = Vec::new();
    if !keep_machine_local {
        (text, dropped) = without_machine_local(&text)?;
    }
    if let Some(archive) = archive {
        text = with_folder(&text, archive)?;
    }
    Ok(Edited { text, report, dropped })
}

/// The sidecar that the application has now, with the folders of the one that was promised.
pub(crate) fn merge(current: &[u8], promised: &[u8]) -> Result<Vec<u8>, NotAnObject> {
    let theirs = members(promised).ok_or(NotAnObject)?;
    let mut text = current.to_vec();
    for name in MERGED {
        if let Some(found) = member(promised, &theirs, name) {
            text = with_member(&text, name, &promised[found.value.clone()])?;
        }
    }
    Ok(text)
}

fn is_machine_local(name: &str) -> bool {
    let folded = name.to_ascii_lowercase();
    MACHINE_LOCAL.contains(&name) || folded.contains("token") || folded.contains("secret")
}

fn name_of(text: &[u8], member: &Member) -> String {
    String::from_utf8_lossy(&decode(&text[member.name.clone()])).into_owned()
}

fn without_machine_local(text: &[u8]) -> Result<(Vec<u8>, Vec<String>), NotAnObject> {
    let all = members(text).ok_or(NotAnObject)?;
    let goes: Vec<bool> = all.iter().map(|member| is_machine_local(&name_of(text, member))).collect();
    let dropped = all.iter().zip(&goes).filter(|(_, goes)| **goes).map(|(member, _)| name_of(text, member));
    let dropped: Vec<String> = dropped.collect();
    let first_kept = goes.iter().position(|goes| !goes);
    let start = |index: usize| all[index].name.start - 1;
    let mut cuts: Vec<Range<usize>> = Vec::new();
    match first_kept {
        Some(0) => {}
        Some(kept) => cuts.push(start(0)..start(kept)),
        None if all.is_empty() => {}
        None => cuts.push(start(0)..all[all.len() - 1].value.end),
    }
    for index in first_kept.map_or(all.len(), |kept| kept + 1)..all.len() {
        if goes[index] {
            cuts.push(all[index - 1].value.end..all[index].value.end);
        }
    }
    let mut left = Vec::with_capacity(text.len());
    let mut at = 0;
    for cut in cuts {
        left.extend_from_slice(&text[at..cut.start]);
        at = cut.end;
    }
    left.extend_from_slice(&text[at..]);
    Ok((left, dropped))
}

/// Lets the application show files of this folder; where folders have kinds, it gets one as well.
fn with_folder(text: &[u8], folder: &ForeignPath) -> Result<Vec<u8>, NotAnObject> {
    let spelled = encode(folder.to_string().as_bytes());
    let all = members(text).ok_or(NotAnObject)?;
    let folders = array_of(text, &all, FOLDERS);
    if folders.as_ref().is_some_and(|folders| folders.iter().any(|entry| names(&text[entry.clone()], folder)))
    {
        return Ok(text.to_vec());
    }
    let text = match &folders {
        Some(entries) => with_element(text, &all, FOLDERS, entries, |_| spelled.clone()),
        None => with_member(text, FOLDERS, &[b"[", spelled.as_slice(), b"]"].concat())?,
    };
    let all = members(&text).ok_or(NotAnObject)?;
    Ok(match array_of(&text, &all, KINDS) {
        Some(kinds) if !kinds.is_empty() => {
            with_element(&text, &all, KINDS, &kinds, |break_| kind(break_, &spelled))
        }
        _ => text,
    })
}

fn names(element: &[u8], folder: &ForeignPath) -> bool {
    let text = string_inside(element).map(|inside| String::from_utf8_lossy(&decode(inside)).into_owned());
    let same = |text: &str| {
        let path = text.parse::<ForeignPath>();
        path.map_or_else(|_| same_name(text, &folder.to_string()), |path| path.same_place(folder))
    };
    text.is_some_and(|text| same(&text))
}

/// An entry of `resolvedFolderKinds`, laid out like its neighbours: `indent` is what stands before each of them.
fn kind(indent: &[u8], display: &[u8]) -> Vec<u8> {
    if !indent.contains(&b'\n') {
        return [b"{\"display\":", display, b",\"kind\":\"local\"}"].concat();
    }
    let inner = [indent, b"  "].concat();
    [b"{", &*inner, b"\"display\": ", display, b",", &inner, b"\"kind\": \"local\"", indent, b"}"].concat()
}

/// Where the elements of an array lie that is the value of a member.
fn array_of(text: &[u8], all: &[Member], name: &str) -> Option<Vec<Range<usize>>> {
    let value = member(text, all, name)?.value.clone();
    let mut elements = Vec::new();
    if text[value.start] != b'[' {
        return None;
    }
    each_element(text, value.start, |text, start| {
        let end = value_end(text, start)?;
        elements.push(start..end);
        Some(end)
    })?;
    Some(elements)
}

/// The text with one more element at the end of an array, set apart as its neighbours are.
fn with_element(
    text: &[u8],
    all: &[Member],
    name: &str,
    elements: &[Range<usize>],
    element: impl Fn(&[u8]) -> Vec<u8>,
) -> Vec<u8> {
    let Some(value) = member(text, all, name).map(|found| found.value.clone()) else { return text.to_vec() };
    let Some((first, last)) = elements.first().zip(elements.last()) else {
        let new = [b"[", element(b"").as_slice(), b"]"].concat();
        return [&text[..value.start], &new, &text[value.end..]].concat();
    };
    let indent = &text[value.start + 1..first.start];
    let new = element(indent);
    [&text[..last.end], b",", indent, &new, &text[last.end..]].concat()
}

/// The text with another value for a member; one that is not there comes last.
fn with_member(text: &[u8], name: &str, value: &[u8]) -> Result<Vec<u8>, NotAnObject> {
    let all = members(text).ok_or(NotAnObject)?;
    if let Some(found) = member(text, &all, name) {
        return Ok([&text[..found.value.start], value, &text[found.value.end..]].concat());
    }
    let name = encode(name.as_bytes());
    let Some((first, last)) = all.first().zip(all.last()) else {
        return Ok([b"{", name.as_slice(), b": ", value, b"}"].concat());
    };
    let open = text.iter().position(|byte| *byte == b'{').unwrap_or_default();
    let indent = &text[open + 1..first.name.start - 1];
    let colon: &[u8] = if indent.contains(&b'\n') { b": " } else { b":" };
    Ok([&text[..last.value.end], b",", indent, &name, colon, value, &text[last.value.end..]].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use transcript_relocate::rewrite::{Links, Rule, RuleClass};

    fn edited(sidecar: &str, archive: Option<&str>, keep: bool) -> (String, Vec<String>) {
        let rule = Rule {
            class: RuleClass::Home,
            from: r"C:\Users\mira".parse().unwrap(),
            to: r"C:\Users\otto".parse().unwrap(),
        };
        let rules = PathRules::compile([rule], Links::Rewrite).unwrap();
        let archive = archive.map(|archive| archive.parse().unwrap());
        let edited = edit(sidecar.as_bytes(), &rules, archive.as_ref(), keep).unwrap();
        (String::from_utf8(edited.text).unwrap(), edited.dropped)
    }

    #[test]
    fn what_belongs_to_the_old_machine_goes_and_every_other_byte_stays() {
        for (before, after) in [
            (r#"{"otelConfig":1,"a":2}"#, r#"{"a":2}"#),
            (r#"{"a":2,"otelConfig":{"x":[1]}}"#, r#"{"a":2}"#),
            (
                r#"{ "otelConfig" : 1 , "mcpToken":2, "a" : 1e0 , "" : 3, "secretThing":4 , "b":5 }"#,
                r#"{ "a" : 1e0 , "" : 3 , "b":5 }"#,
            ),
            (r#"{"otelConfig":1,"clientSECRET":2}"#, "{}"),
            ("{}", "{}"),
            ("{\n  \"a\": 1,\n  \"otelConfig\": 2,\n  \"otelConfig\": 3\n}", "{\n  \"a\": 1\n}"),
        ] {
            assert_eq!(edited(before, None, false).0, after, "{before}");
            assert_eq!(edited(before, None, true).0, before);
        }
        assert_eq!(edited(r#"{"otelConfig":1,"myTokens":2}"#, None, false).1, ["otelConfig", "myTokens"]);
    }

    #[test]
    fn the_archive_can_be_opened_and_is_named_once() {
        let archive = Some(r"C:\Users\otto\cowork-archive\vm");
        let one = |before: &str| edited(before, archive, false).0;
        assert_eq!(
            one(
                r#"{"userSelectedFolders":["C:\\Users\\mira\\d"],"resolvedFolderKinds":[{"display":"C:\\Users\\mira\\d","kind":"local"}]}"#
            ),
            r#"{"userSelectedFolders":["C:\\Users\\otto\\d","C:\\Users\\otto\\cowork-archive\\vm"],"resolvedFolderKinds":[{"display":"C:\\Users\\otto\\d","kind":"local"},{"display":"C:\\Users\\otto\\cowork-archive\\vm","kind":"local"}]}"#,
        );
        assert_eq!(
            one(r#"{"a":1}"#),
            r#"{"a":1,"userSelectedFolders":["C:\\Users\\otto\\cowork-archive\\vm"]}"#
        );
        assert_eq!(
            one(r#"{"userSelectedFolders":[]}"#),
            r#"{"userSelectedFolders":["C:\\Users\\otto\\cowork-archive\\vm"]}"#
        );
        let there =
            r#"{"userSelectedFolders":["c:/users/otto/Cowork-Archive/VM/"],"resolvedFolderKinds":[{}]}"#;
        assert_eq!(one(there), there);
    }

    #[test]
    fn a_pretty_sidecar_stays_pretty() {
        let value: serde_json::Value = serde_json::json!({
            "userSelectedFolders": [r"D:\x"], "resolvedFolderKinds": [{"display": r"D:\x", "kind": "local"}], "z": 1,
        });
        let after = edited(&serde_json::to_string_pretty(&value).unwrap(), Some(r"C:\a"), false).0;
        let again: serde_json::Value = serde_json::from_str(&after).unwrap();
        assert_eq!(after, serde_json::to_string_pretty(&again).unwrap());
        assert_eq!(again["resolvedFolderKinds"][1]["display"], again["userSelectedFolders"][1]);
    }

    #[test]
    fn a_sidecar_that_has_gone_on_keeps_what_is_its_own_and_gets_its_folders_back() {
        let promised =
            br#"{"title":"old","userSelectedFolders":["C:\\a","C:\\b"],"folderMountNames":{"C:\\a":"a"}}"#;
        let current = br#"{"title":"new","userSelectedFolders":[],"lastActivityAt":9}"#;
        let merged = String::from_utf8(merge(current, promised).unwrap()).unwrap();
        assert_eq!(
            merged,
            r#"{"title":"new","userSelectedFolders":["C:\\a","C:\\b"],"lastActivityAt":9,"folderMountNames":{"C:\\a":"a"}}"#
        );
    }
}
