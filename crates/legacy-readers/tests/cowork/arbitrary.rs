//! Whatever bytes stand in any of the files, and whatever the files are called: no panic, and nothing uncounted.

use std::fs;
use std::os::unix::ffi::OsStringExt;

use legacy_readers::cowork;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::{base, one_session};

/// Text made of what the formats are made of, so that parsers get further than their first character.
fn shards() -> impl Strategy<Value = Vec<u8>> {
    let shards: &[&str] = &[
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\\",
        "\\ud83d",
        "\\ude00",
        "\n",
        "\r\n",
        " ",
        "1e999",
        "-0",
        "null",
        "true",
        "é",
        "\0",
        "\u{feff}",
        "\"sessionId\":\"local_x\"",
        "\"createdAt\":1",
        "\"lastActivityAt\":2.5",
        "\"processName\":\"p\"",
        "\"cwd\":\"/sessions/p\"",
        "\"spaces\":",
        "\"id\":",
        "\"folderMountNames\":{\"\":\"\"}",
        "2026-01-20 10:00:00",
        " [info] ",
        "Loaded 7",
        " messages from transcript for session ",
        "(truncated via tail)",
        "Transcript not found for session",
        "readLocalFile: path ",
        " resolves outside allowed folders",
    ];
    vec(select(shards), 0..40).prop_map(|shards| shards.concat().into_bytes())
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

#[test]
fn arbitrary_bytes_as_any_file_are_counted_and_never_a_panic() {
    let home = tempfile::tempdir().unwrap();
    let sidecar = one_session(home.path()).sidecar;
    let spaces = sidecar.with_file_name("spaces.json");
    let log = base(home.path()).join("logs/main.log");
    proptest!(config(2000), |(file in select(vec![sidecar, spaces, log]), bytes in prop_oneof![vec(any::<u8>(), 0..200), shards()])| {
        fs::write(&file, bytes).unwrap();
        let survey = cowork::read(&base(home.path())).unwrap();
        prop_assert_eq!(survey.inputs.len(), survey.found.sessions().count() + survey.found.profiles[0].orphans.len());
        prop_assert_eq!(survey.found.sessions().count(), 1);
        cowork::read_log(&base(home.path()));
    });
}

#[test]
fn arbitrary_names_are_each_counted_once() {
    let name = prop_oneof![vec(any::<u8>(), 1..12), "[a-z.{}= \n-]{1,12}".prop_map(String::into_bytes)];
    proptest!(config(200), |(names in vec((name, any::<bool>()), 1..6))| {
        let home = tempfile::tempdir().unwrap();
        let placed = one_session(home.path());
        for (mut name, is_sidecar) in names {
            name.retain(|byte| !matches!(byte, 0 | b'/'));
            let name = if is_sidecar { [b"local_", name.as_slice(), b".json"].concat() } else { [b"_", name.as_slice()].concat() };
            let folder = if is_sidecar { placed.sidecar.parent().unwrap() } else { placed.directory.as_path() };
            fs::write(folder.join(std::ffi::OsString::from_vec(name)), "{}").unwrap();
        }
        let survey = cowork::read(&base(home.path())).unwrap();
        let mut inputs = survey.inputs.clone();
        for session in survey.found.sessions() {
            let contents = cowork::contents(session);
            prop_assert!(session.directory.is_none() || contents.inputs.len() >= 11);
            inputs.extend(contents.inputs);
        }
        let count = inputs.len();
        inputs.sort();
        inputs.dedup();
        prop_assert_eq!(inputs.len(), count);
        let in_profile = fs::read_dir(placed.sidecar.parent().unwrap()).unwrap().count() - 1;
        prop_assert_eq!(survey.inputs.len(), in_profile);
    });
}
