//! Most files fit two screens, most functions fit a hand.

use super::house::{House, Source};

const LONGEST_FILE: usize = 600;
const LONGEST_FUNCTION: usize = 80;
const REASON: &str = "// tidy: long because ";

pub(super) fn files_and_functions_are_short(house: &House) -> Vec<String> {
    house
        .sources
        .iter()
        .flat_map(|source| long_file(source).into_iter().chain(long_functions(source)))
        .collect()
}

fn long_file(source: &Source) -> Option<String> {
    let lines = source.text.lines().count();
    (lines > LONGEST_FILE).then(|| format!("{}: {lines} lines, the most are {LONGEST_FILE}", source.path))
}

/// Sources are formatted, so a function ends at the first closing brace that stands as far in as it began.
fn long_functions(source: &Source) -> Vec<String> {
    let lines: Vec<&str> = source.text.lines().collect();
    let mut offences = Vec::new();
    for start in (0..lines.len()).filter(|&at| begins_function(lines[at])) {
        let length = length_of_function(&lines[start..]);
        if length > LONGEST_FUNCTION && !reason_stands_above(&lines[..start]) {
            let what = format!("a function of {length} lines, the most are {LONGEST_FUNCTION}");
            offences.push(format!("{}:{}: {what}", source.path, start + 1));
        }
    }
    offences
}

fn begins_function(line: &str) -> bool {
    let before_name = line.trim_start().split("fn ").next().unwrap_or_default();
    line.contains("fn ") && before_name.split_whitespace().all(is_qualifier)
}

fn is_qualifier(word: &str) -> bool {
    matches!(word, "const" | "async" | "unsafe" | "extern" | "\"C\"") || word.starts_with("pub")
}

fn length_of_function(lines: &[&str]) -> usize {
    let first = lines[0];
    if first.ends_with('}') || first.ends_with(';') {
        return 1;
    }
    let indent = &first[..first.len() - first.trim_start().len()];
    let ends = |line: &&str| {
        let rest = line.strip_prefix(indent).unwrap_or_default();
        rest.starts_with('}') || (rest.starts_with(')') && rest.ends_with([';', '}']))
    };
    lines[1..].iter().position(ends).map_or(lines.len(), |at| at + 2)
}

/// A reason counts among the comments and attributes right above the function.
fn reason_stands_above(lines: &[&str]) -> bool {
    let above = lines.iter().rev().map(|line| line.trim_start());
    let mut above = above.take_while(|line| line.starts_with("//") || line.starts_with("#["));
    above.any(|line| line.starts_with(REASON))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(lines: usize) -> String {
        format!(
            "    pub(crate) fn long(\n        x: u8,\n    ) -> u8 {{\n{}    }}\n",
            "        x;\n".repeat(lines - 4)
        )
    }

    fn offences(text: &str) -> Vec<String> {
        files_and_functions_are_short(&House::of_source("a.rs", text))
    }

    #[test]
    fn a_function_over_80_lines_is_an_offence_unless_it_says_why() {
        assert!(offences(&function(80)).is_empty());
        assert_eq!(offences(&function(81)), ["a.rs:1: a function of 81 lines, the most are 80"]);
        let excused = format!("    // tidy: long because it is a table\n    #[test]\n{}", function(81));
        assert!(offences(&excused).is_empty());
        let silent = format!("    // tidy: long because it is a table\n\n{}", function(81));
        assert_eq!(offences(&silent).len(), 1);
    }

    #[test]
    fn declarations_and_short_functions_end_where_they_end() {
        let text = "trait T {\n    fn a(&self);\n    fn b(\n        &self,\n    );\n}\n".to_owned()
            + "fn c() {}\n"
            + &"static X: u8 = 1;\n".repeat(100);
        assert!(offences(&text).is_empty());
    }

    #[test]
    fn a_file_over_600_lines_is_an_offence() {
        assert!(offences(&"\n".repeat(600)).is_empty());
        assert_eq!(offences(&"\n".repeat(601)), ["a.rs: 601 lines, the most are 600"]);
    }
}
