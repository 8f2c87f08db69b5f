//! What the house says about itself is complete and true.

use super::house::House;

const ARCHITECTURE: &str = "docs/ARCHITECTURE.md";

pub(super) fn every_crate_doc_has_an_example_and_limitations(house: &House) -> Vec<String> {
    let libraries = house.crates.iter().filter_map(|member| member.library.as_deref());
    let sources = libraries.filter_map(|path| house.sources.iter().find(|source| source.path == path));
    let wanted = [("```", "an example"), ("# Limitations", "a section `# Limitations`")];
    let lacking = sources.flat_map(|source| {
        let doc: String = source.text.lines().filter(|line| line.starts_with("//!")).collect();
        let missing = wanted.iter().filter(move |(mark, _)| !doc.contains(mark));
        missing.map(|(_, what)| format!("{}: the crate's documentation lacks {what}", source.path))
    });
    lacking.collect()
}

pub(super) fn the_code_map_names_every_crate(house: &House) -> Vec<String> {
    let Some(architecture) = &house.architecture else {
        return vec![format!("{ARCHITECTURE}: there is no such page")];
    };
    let unnamed = house.crates.iter().filter(|member| !architecture.contains(&format!("`{}`", member.name)));
    unnamed.map(|member| format!("{ARCHITECTURE}: the code map does not name `{}`", member.name)).collect()
}

/// Each item of the section `## Invariants` ends in "held by" and what holds it, in backticks: a function of the
/// house (a test, a rule of tidy) by its name or path, or a file.
pub(super) fn every_invariant_finds_its_check(house: &House) -> Vec<String> {
    let mut offences = Vec::new();
    for (line, item) in invariants(house.architecture.as_deref().unwrap_or_default()) {
        let checks = checks_of(&item);
        if checks.is_empty() {
            offences.push(format!("{ARCHITECTURE}:{line}: the invariant does not say \"held by\" what"));
        }
        let lost = checks.iter().filter(|check| !stands(house, check));
        offences.extend(lost.map(|check| format!("{ARCHITECTURE}:{line}: there is no `{check}` to hold it")));
    }
    offences
}

/// The items of the list, each with the number of its first line and its lines joined.
fn invariants(architecture: &str) -> Vec<(usize, String)> {
    let numbered = (1..).zip(architecture.lines());
    let section = numbered.skip_while(|(_, line)| *line != "## Invariants").skip(1);
    let mut items: Vec<(usize, String)> = Vec::new();
    for (number, line) in section.take_while(|(_, line)| !line.starts_with("## ")) {
        match (line.strip_prefix("- "), items.last_mut()) {
            (Some(item), _) => items.push((number, item.to_owned())),
            (None, Some((_, item))) if line.starts_with(' ') => *item = format!("{item} {}", line.trim()),
            _ => {}
        }
    }
    items
}

fn checks_of(item: &str) -> Vec<&str> {
    let held_by = item.to_lowercase().rfind("held by").map_or("", |at| item.get(at..).unwrap_or_default());
    held_by.split('`').skip(1).step_by(2).collect()
}

fn stands(house: &House, check: &str) -> bool {
    let function = format!("fn {}(", check.rsplit("::").next().unwrap_or(check));
    house.files.iter().any(|file| file == check) || house.sources.iter().any(|it| it.text.contains(&function))
}

#[cfg(test)]
mod tests {
    use super::super::house::Crate;
    use super::*;

    #[test]
    fn a_crate_doc_without_example_or_limitations_is_an_offence() {
        let mut house = House::of_source("crates/a/src/lib.rs", "//! Says little.\n");
        house.crates = vec![Crate { library: Some("crates/a/src/lib.rs".into()), ..Crate::default() }];
        assert_eq!(every_crate_doc_has_an_example_and_limitations(&house).len(), 2);
        house.sources[0].text = "//! ```\n//! ```\n//! # Limitations\n".into();
        assert!(every_crate_doc_has_an_example_and_limitations(&house).is_empty());
    }

    #[test]
    fn a_crate_that_the_map_does_not_name_is_an_offence_and_so_is_no_map() {
        let mut house =
            House { crates: vec![Crate { name: "attic".into(), ..Crate::default() }], ..House::default() };
        assert_eq!(the_code_map_names_every_crate(&house), ["docs/ARCHITECTURE.md: there is no such page"]);
        house.architecture = Some("attics".into());
        assert_eq!(
            the_code_map_names_every_crate(&house),
            ["docs/ARCHITECTURE.md: the code map does not name `attic`"]
        );
        house.architecture = Some("| `attic` |".into());
        assert!(the_code_map_names_every_crate(&house).is_empty());
    }

    #[test]
    fn an_invariant_held_by_nothing_or_by_something_gone_is_an_offence() {
        let mut house = House::of_source("crates/a/tests/a.rs", "fn water_runs_down() {}");
        house.files = vec!["Cargo.toml".into()];
        house.architecture = Some(
            "## Invariants\n\
             - No `unsafe`. Held by `Cargo.toml`.\n\
             - Water runs down,\n  held by `tests::water_runs_down`.\n\
             - Fire `burns`.\n\
             - Earth rests; held by `earth_rests`.\n\
             ## Other\n\
             - Not an invariant.\n"
                .into(),
        );
        assert_eq!(
            every_invariant_finds_its_check(&house),
            [
                "docs/ARCHITECTURE.md:5: the invariant does not say \"held by\" what",
                "docs/ARCHITECTURE.md:6: there is no `earth_rests` to hold it",
            ]
        );
    }
}
