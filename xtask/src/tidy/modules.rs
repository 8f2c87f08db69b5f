//! A file that no target includes is never compiled, and a test in it never run.

use std::collections::BTreeSet;

use super::house::{House, Source};

pub(super) fn every_source_file_belongs_to_a_target(house: &House) -> Vec<String> {
    let mut reached = BTreeSet::new();
    let mut ahead: Vec<String> = house.crates.iter().flat_map(|member| member.roots.clone()).collect();
    let roots: BTreeSet<String> = ahead.iter().cloned().collect();
    while let Some(path) = ahead.pop() {
        if let Some(source) = house.sources.iter().find(|source| source.path == path)
            && reached.insert(path.clone())
        {
            ahead.extend(children(source, roots.contains(&path)));
        }
    }
    let forgotten = house.sources.iter().filter(|source| !reached.contains(&source.path));
    forgotten.map(|source| format!("{}: no target includes this file", source.path)).collect()
}

/// Where the modules that a file declares may stand.
fn children(source: &Source, is_root: bool) -> Vec<String> {
    let (folder, file) = source.path.rsplit_once('/').unwrap_or(("", &source.path));
    let stem = file.trim_end_matches(".rs");
    let below = if is_root || stem == "mod" { folder.to_owned() } else { format!("{folder}/{stem}") };
    let mut found = Vec::new();
    let mut named: Option<&str> = None;
    for line in source.text.lines().map(str::trim) {
        if let Some(path) = line.strip_prefix("#[path = \"").and_then(|rest| rest.strip_suffix("\"]")) {
            named = Some(path);
        } else if let Some(name) = declared(line) {
            match named.take() {
                Some(path) => found.push(normal(&format!("{folder}/{path}"))),
                None => found.extend([format!("{below}/{name}.rs"), format!("{below}/{name}/mod.rs")]),
            }
        }
    }
    found
}

/// The name in `mod name;`, whoever may see it.
fn declared(line: &str) -> Option<&str> {
    let line = line.strip_suffix(';')?;
    let (visibility, name) = line.rsplit_once("mod ")?;
    (visibility.is_empty() || visibility.starts_with("pub")).then_some(name)
}

/// The path without its `..`.
fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        if part == ".." {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::super::house::Crate;
    use super::*;

    #[test]
    fn a_test_file_that_nobody_includes_is_an_offence() {
        let source = |path: &str, text: &str| Source { path: path.into(), text: text.into() };
        let roots = ["a/src/lib.rs", "a/tests/all.rs"].map(str::to_owned).into();
        let house = House {
            crates: vec![Crate { roots, ..Crate::default() }],
            sources: vec![
                source("a/src/lib.rs", "pub(crate) mod b;\n#[path = \"../odd/d.rs\"]\nmod d;\n"),
                source("a/src/b.rs", "mod c;"),
                source("a/src/b/c.rs", ""),
                source("a/odd/d.rs", ""),
                source("a/tests/all.rs", "mod kept;\n// mod forgotten;\n"),
                source("a/tests/kept/mod.rs", "mod deep;"),
                source("a/tests/kept/deep.rs", ""),
                source("a/tests/all/forgotten.rs", ""),
            ],
            ..House::default()
        };
        assert_eq!(
            every_source_file_belongs_to_a_target(&house),
            ["a/tests/all/forgotten.rs: no target includes this file"]
        );
    }
}
