//! What the manifests promise.

use super::house::House;

/// Crates that may touch nothing: no file, no environment, no clock, no process.
const PURE: [&str; 1] = ["session-model"];

/// What stands for the whole fence in the `clippy.toml` of a pure crate.
const FENCE: [&str; 5] = [
    "std::fs::read",
    "std::env::var",
    "std::time::SystemTime::now",
    "std::process::Command::new",
    "jiff::Timestamp::now",
];

pub(super) fn every_dependency_has_a_reason(house: &House) -> Vec<String> {
    let numbered = (1..).zip(house.root_manifest.lines());
    let section = numbered.skip_while(|(_, line)| *line != "[workspace.dependencies]").skip(1);
    let entries =
        section.take_while(|(_, line)| !line.starts_with('[')).filter(|(_, line)| line.contains(" = "));
    let foreign = entries.filter(|(_, line)| !line.contains("path = "));
    let silent =
        foreign.filter(|(_, line)| line.split_once('#').is_none_or(|(_, reason)| reason.trim().is_empty()));
    silent
        .map(|(number, line)| format!("Cargo.toml:{number}: no reason beside `{}`", first_word(line)))
        .collect()
}

fn first_word(line: &str) -> &str {
    line.split_whitespace().next().unwrap_or(line)
}

pub(super) fn every_crate_takes_the_lints_of_the_house(house: &House) -> Vec<String> {
    let own = house.crates.iter().filter(|member| !member.manifest.contains("[lints]\nworkspace = true"));
    own.map(|member| format!("{}/Cargo.toml: `[lints]` must say `workspace = true`", member.folder)).collect()
}

pub(super) fn pure_crates_are_fenced_in(house: &House) -> Vec<String> {
    let pure = house.crates.iter().filter(|member| PURE.contains(&member.name.as_str()));
    let gaps = pure.flat_map(|member| {
        let fence = member.clippy.clone().unwrap_or_default();
        let open = FENCE.iter().filter(move |method| !fence.contains(&format!("\"{method}\"")));
        open.map(|method| format!("{}/clippy.toml: a pure crate must disallow `{method}`", member.folder))
    });
    gaps.collect()
}

#[cfg(test)]
mod tests {
    use super::super::house::Crate;
    use super::*;

    #[test]
    fn a_dependency_without_a_reason_is_an_offence() {
        let root_manifest = "[workspace.dependencies]\n\
                             own = { path = \"crates/own\" }\n\
                             good = \"1\" # because\n\
                             bad = \"1\"\n\
                             worse = { version = \"1\" } #\n\
                             \n[profile.dev]\nx = 1\n";
        let house = House { root_manifest: root_manifest.into(), ..House::default() };
        assert_eq!(
            every_dependency_has_a_reason(&house),
            ["Cargo.toml:4: no reason beside `bad`", "Cargo.toml:5: no reason beside `worse`"]
        );
    }

    #[test]
    fn a_crate_with_lints_of_its_own_is_an_offence() {
        let member =
            Crate { folder: "crates/a".into(), manifest: "[lints.rust]\n".into(), ..Crate::default() };
        let mut house = House { crates: vec![member], ..House::default() };
        assert_eq!(every_crate_takes_the_lints_of_the_house(&house).len(), 1);
        house.crates[0].manifest = "[lints]\nworkspace = true\n".into();
        assert!(every_crate_takes_the_lints_of_the_house(&house).is_empty());
    }

    #[test]
    fn a_pure_crate_with_a_gap_in_its_fence_is_an_offence() {
        let fence = format!("{:?}", &FENCE[1..]);
        let member = Crate {
            name: "session-model".into(),
            folder: "crates/session-model".into(),
            clippy: Some(fence),
            ..Crate::default()
        };
        let house = House { crates: vec![member], ..House::default() };
        assert_eq!(
            pure_crates_are_fenced_in(&house),
            ["crates/session-model/clippy.toml: a pure crate must disallow `std::fs::read`"]
        );
    }
}
