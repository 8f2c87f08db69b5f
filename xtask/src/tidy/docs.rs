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

/// Each row of the table under `## Invariants` says in its last cell what holds it, in backticks: a function (a test)
/// by its name or path, a file by the end of its path, a chore by its command. A crate's name only says where to look.
pub(super) fn every_invariant_finds_its_check(house: &House) -> Vec<String> {
    let mut offences = Vec::new();
    for (line, held_by) in invariants(house.architecture.as_deref().unwrap_or_default()) {
        let named: Vec<&str> = held_by.split('`').skip(1).step_by(2).collect();
        let checks: Vec<&str> = named.into_iter().filter(|name| !is_crate(house, name)).collect();
        if checks.is_empty() && held_by != "the same" {
            offences.push(format!("{ARCHITECTURE}:{line}: the invariant names nothing that holds it"));
        }
        let lost = checks.iter().filter(|check| !stands(house, check));
        offences.extend(lost.map(|check| format!("{ARCHITECTURE}:{line}: there is no `{check}` to hold it")));
    }
    offences
}

/// The last cell of each row, with the number of its line.
fn invariants(architecture: &str) -> Vec<(usize, &str)> {
    let numbered = (1..).zip(architecture.lines());
    let section = numbered.skip_while(|(_, line)| !line.starts_with("## Invariants")).skip(1);
    let rows =
        section.take_while(|(_, line)| !line.starts_with("## ")).filter(|(_, line)| line.starts_with('|'));
    let cells = rows
        .filter_map(|(number, line)| Some((number, line.trim_end_matches(['|', ' ']).rsplit_once('|')?.1)));
    cells.map(|(number, cell)| (number, cell.trim())).skip(2).collect()
}

fn is_crate(house: &House, name: &str) -> bool {
    house.crates.iter().any(|member| member.name == name)
}

fn stands(house: &House, check: &str) -> bool {
    let function = format!("fn {}(", check.rsplit("::").next().unwrap_or(check));
    let file = check
        .strip_prefix("cargo xtask ")
        .map_or_else(|| format!("/{check}"), |verb| format!("xtask/src/{verb}.rs"));
    house.files.iter().any(|path| format!("/{path}").ends_with(&file))
        || house.sources.iter().any(|source| source.text.contains(&function))
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
        house.crates = vec![Crate { name: "a".into(), ..Crate::default() }];
        house.files = ["crates/a/tests/a.rs", "xtask/src/tidy.rs"].map(str::to_owned).into();
        house.architecture = Some(
            "## Invariants, and more\n\
             | invariant | held by |\n\
             |---|---|\n\
             | Water | `a`: `tests::water_runs_down`, `a.rs` |\n\
             | Air | the same |\n\
             | Fire `burns` | `a` tests |\n\
             | Earth | `earth_rests`, `cargo xtask tidy`, `cargo xtask dig`, `b.rs` |\n\
             ## Other\n\
             | Not an invariant | nothing |\n"
                .into(),
        );
        assert_eq!(
            every_invariant_finds_its_check(&house),
            [
                "docs/ARCHITECTURE.md:6: the invariant names nothing that holds it",
                "docs/ARCHITECTURE.md:7: there is no `earth_rests` to hold it",
                "docs/ARCHITECTURE.md:7: there is no `cargo xtask dig` to hold it",
                "docs/ARCHITECTURE.md:7: there is no `b.rs` to hold it",
            ]
        );
    }
}
