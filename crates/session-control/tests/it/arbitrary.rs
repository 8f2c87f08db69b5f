//! Whatever is sent to an agent, by whomever.

use proptest::prelude::*;

use crate::exercise::ask;

/// Lines that are nearly questions.
fn nearly() -> impl Strategy<Value = String> {
    let op = prop_oneof![
        Just("\"get\""),
        Just("\"create\""),
        Just("\"edit\""),
        Just("\"clone\""),
        Just("\"override\""),
        Just("\"list\""),
        Just("null"),
        Just("7"),
    ];
    let key = prop_oneof![
        Just("id"),
        Just("ID"),
        Just("source_id"),
        Just("name"),
        Just("port"),
        Just("protocol"),
        Just("dns_name"),
        Just("force"),
        Just("x"),
    ];
    let value = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("\"3f0c1d2e-5b6a-4c7d-8e9f-0a1b2c3d4e5f\"".to_owned()),
        Just("\"\\ud800\"".to_owned()),
        any::<i128>().prop_map(|number| number.to_string()),
        any::<f64>().prop_map(|number| serde_json::json!(number).to_string()),
        any::<String>().prop_map(|text| serde_json::json!(text).to_string()),
        (0..200_usize).prop_map(|deep| "[".repeat(deep) + &"]".repeat(deep)),
    ];
    let members = proptest::collection::vec((key, value), 0..6);
    (op, members).prop_map(|(op, members)| {
        let members: Vec<_> = members.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
        format!("{{\"op\":{op},\"params\":{{{}}}}}\n", members.join(","))
    })
}

proptest! {
    #[test]
    fn no_bytes_bring_an_agent_down_or_go_unanswered(bytes: Vec<u8>) {
        ask(&bytes);
    }

    #[test]
    fn no_question_brings_an_agent_down_or_goes_unanswered(question in nearly(), cut in any::<prop::sample::Index>()) {
        ask(question.as_bytes());
        ask(&question.as_bytes()[..cut.index(question.len())]);
    }
}

/// The fuzzer's seeds.
#[test]
fn what_a_fuzzer_begins_with_is_answered() {
    let seeds = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/request");
    let seeds: Vec<_> = std::fs::read_dir(seeds).unwrap().collect();
    assert!(!seeds.is_empty());
    for seed in seeds {
        ask(&std::fs::read(seed.unwrap().path()).unwrap());
    }
}
