//! A crate may depend only on lower floors.

use super::house::House;

/// Who lives where, from the ground up. `docs/ARCHITECTURE.md` says what each crate's one concern is.
const FLOORS: [&[&str]; 7] = [
    &["session-model", "durable-files", "vhdx-reader"],
    &["migration-engine", "legacy-readers", "jsonl-stitch"],
    &["transcript-relocate", "sqlite-writer", "session-store", "remote-transfer"],
    &["session-control"],
    &["migration-cli"],
    &["ao-migrate", "cowork-stitch", "cowork-migrate", "convocate-migrate", "openclaw-migrate"],
    // The one exception: it starts migrations of sessions itself.
    &["convocate-session"],
];

/// Outside the floors: what no published crate may need to be built.
const SCAFFOLDING: [&str; 2] = ["testkit", "xtask"];

fn floor(name: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&name))
}

pub(super) fn a_crate_depends_only_on_lower_floors(house: &House) -> Vec<String> {
    let mut offences = Vec::new();
    for member in house.crates.iter().filter(|member| !SCAFFOLDING.contains(&member.name.as_str())) {
        for needed in member.needs.iter().filter(|needed| !stands_below(needed, &member.name)) {
            offences
                .push(format!("{}/Cargo.toml: {} must not depend on {needed}", member.folder, member.name));
        }
    }
    offences
}

fn stands_below(needed: &str, user: &str) -> bool {
    floor(needed).is_some() && floor(needed) < floor(user)
}

pub(super) fn every_crate_has_a_floor(house: &House) -> Vec<String> {
    let names: Vec<&str> = house.crates.iter().map(|member| member.name.as_str()).collect();
    let homeless = names.iter().filter(|name| floor(name).is_none() && !SCAFFOLDING.contains(name));
    let homeless = homeless.map(|name| format!("xtask/src/tidy/floors.rs: {name} has no floor"));
    let gone = FLOORS.iter().copied().flatten().filter(|name| !names.contains(name));
    homeless.chain(gone.map(|name| format!("xtask/src/tidy/floors.rs: there is no crate {name}"))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::house::Crate;
    use super::*;

    fn house(edges: &[(&str, &str)]) -> House {
        let member = |&(name, needed): &(&str, &str)| Crate {
            name: name.to_owned(),
            folder: format!("crates/{name}"),
            needs: vec![needed.to_owned()],
            ..Crate::default()
        };
        House { crates: edges.iter().map(member).collect(), ..House::default() }
    }

    #[test]
    fn a_dependency_upwards_sideways_or_on_scaffolding_is_an_offence() {
        for edge in [
            ("durable-files", "migration-engine"),
            ("session-model", "durable-files"),
            ("migration-engine", "testkit"),
        ] {
            let offences = a_crate_depends_only_on_lower_floors(&house(&[edge]));
            assert_eq!(
                offences,
                [format!("crates/{0}/Cargo.toml: {0} must not depend on {1}", edge.0, edge.1)]
            );
        }
        let fine =
            house(&[("ao-migrate", "session-model"), ("testkit", "migration-engine"), ("xtask", "testkit")]);
        assert!(a_crate_depends_only_on_lower_floors(&fine).is_empty());
    }

    #[test]
    fn a_crate_without_a_floor_and_a_floor_without_its_crate_are_offences() {
        let offences = every_crate_has_a_floor(&house(&[("annexe", "session-model")]));
        assert_eq!(offences[0], "xtask/src/tidy/floors.rs: annexe has no floor");
        assert!(offences.contains(&"xtask/src/tidy/floors.rs: there is no crate ao-migrate".to_owned()));
    }
}
