//! The invariants of the house that a machine can watch, each a rule over its sources.
//!
//! A rule is a pure function of the [`House`] as read, so that a test can show it an offence.

mod docs;
mod floors;
mod house;
mod manifests;
mod modules;
mod sizes;
mod words;

use crate::shell::Outcome;
use house::House;

/// One rule: the offences it finds, each as `path:line: what is wrong`.
type Rule = fn(&House) -> Vec<String>;

const RULES: [Rule; 11] = [
    floors::a_crate_depends_only_on_lower_floors,
    floors::every_crate_has_a_floor,
    docs::every_crate_doc_has_an_example_and_limitations,
    docs::the_code_map_names_every_crate,
    docs::every_invariant_finds_its_check,
    manifests::every_dependency_has_a_reason,
    manifests::every_crate_takes_the_lints_of_the_house,
    manifests::pure_crates_are_fenced_in,
    modules::every_source_file_belongs_to_a_target,
    sizes::files_and_functions_are_short,
    words::nothing_prints_exits_or_is_ignored,
];

/// Holds every rule against the house as it stands.
pub(crate) fn run() -> Outcome {
    let house = House::read()?;
    let offences: Vec<String> = RULES.iter().flat_map(|rule| rule(&house)).collect();
    for offence in &offences {
        println!("tidy: {offence}");
    }
    match offences.len() {
        0 => {
            println!("tidy: {} rules hold over {} files", RULES.len(), house.sources.len());
            Ok(())
        }
        count => Err(format!("tidy: {count} offences").into()),
    }
}
