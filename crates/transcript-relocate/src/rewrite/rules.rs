//! Which places became which: given as plain data, compiled once.

use durable_files::Digest;
use serde::{Deserialize, Serialize};
use session_model::{ForeignPath, PathRoot, PathStyle};

use super::anchors::{Anchors, short_stem, slug};
use super::matcher::Sources;

/// Changes whenever the same rules would rewrite the same text differently, so that an old receipt is not taken for a
/// new one.
const EDITION: &str = "path rules 1";

/// What kind of place a rule moves. It decides nothing about which rule wins: the longest source always does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RuleClass {
    /// The home of a user. Its last component is the user's name, which is looked for among the leftovers.
    Home,
    /// A folder that lies elsewhere now, or that the user named.
    Folder,
    /// A host folder as a virtual machine sees it: `/sessions/<vm>/mnt/<name>`.
    Mount,
    /// The home inside a virtual machine, `/sessions/<vm>`, which becomes an archive. Paths below its `mnt/` are not
    /// in it, and the names of its files may have been changed on extraction.
    VmHome,
}

/// One place and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Rule {
    /// What kind of place it is.
    pub class: RuleClass,
    /// The old place.
    pub from: ForeignPath,
    /// The new one.
    pub to: ForeignPath,
}

/// What becomes of `computer://` links to files of the virtual machine.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Links {
    /// They point to the new place.
    #[default]
    Rewrite,
    /// They stay, for a client that opens them through the machine.
    Keep,
}

/// Why rules cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RulesError {
    /// There is none.
    #[error("expected at least one path to map, found none")]
    Empty,
    /// One place would become two.
    #[error("expected one destination for {from}, found two: {one} and {other}")]
    Contradiction {
        /// The place.
        from: ForeignPath,
        /// A destination.
        one: ForeignPath,
        /// Another.
        other: ForeignPath,
    },
    /// A source that cannot be told from other text: a share, or the root of everything.
    #[error("expected a source that is a folder or a drive, found {0}")]
    Source(ForeignPath),
}

/// The rules, ready to be applied to any number of texts, from any number of threads.
#[derive(Debug, Clone)]
pub struct PathRules {
    pub(super) rules: Vec<Rule>,
    pub(super) links: Links,
    pub(super) sources: Sources,
    pub(super) anchors: Anchors,
    pub(super) names: Names,
    mapping_hash: String,
}

/// Names that betray an old place.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    /// User names, and what old file systems make of them.
    pub(super) users: Vec<User>,
    /// Virtual machines.
    pub(super) machines: Vec<String>,
    /// Mapped places as one name.
    pub(super) slugs: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct User {
    pub(super) name: String,
    pub(super) stem: String,
}

impl PathRules {
    /// Compiles the rules, in whatever order they come. What is given twice counts once.
    pub fn compile(rules: impl IntoIterator<Item = Rule>, links: Links) -> Result<Self, RulesError> {
        let mut rules: Vec<Rule> = rules.into_iter().collect();
        rules.sort();
        rules.dedup();
        if rules.is_empty() {
            return Err(RulesError::Empty);
        }
        for (index, rule) in rules.iter().enumerate() {
            refuse(rule, &rules[..index])?;
        }
        let mut sources = Sources::default();
        for (index, rule) in rules.iter().enumerate() {
            sources.insert(&rule.from, index);
        }
        let names = Names::of(&rules);
        let anchors =
            Anchors::new(anchor_names(&rules, &names).iter().map(String::as_str), whole_drives(&rules));
        let mapping_hash = mapping_hash(&rules, links);
        Ok(Self { rules, links, sources, anchors, names, mapping_hash })
    }

    /// The rules in their order, which is that of the counts in a report.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The same for the same mapping, in whatever order and by whichever program it was given.
    pub fn mapping_hash(&self) -> &str {
        &self.mapping_hash
    }

    /// Where a place is now; `None` if no rule moves it.
    pub fn map_path(&self, path: &ForeignPath) -> Option<ForeignPath> {
        let moving = self.rules.iter().filter_map(|rule| Some((rule, path.below(&rule.from)?)));
        let (rule, rest) = moving.min_by_key(|(_, rest)| rest.len())?;
        Some(rest.iter().fold(rule.to.clone(), |place, name| place.join(name)))
    }
}

fn refuse(rule: &Rule, earlier: &[Rule]) -> Result<(), RulesError> {
    let unusable = match rule.from.root() {
        PathRoot::Share { .. } => true,
        PathRoot::Posix => rule.from.components().is_empty(),
        PathRoot::Drive(_) => false,
    };
    if unusable {
        return Err(RulesError::Source(rule.from.clone()));
    }
    match earlier.iter().find(|other| other.from.same_place(&rule.from) && !other.to.same_place(&rule.to)) {
        None => Ok(()),
        Some(other) => Err(RulesError::Contradiction {
            from: rule.from.clone(),
            one: other.to.clone(),
            other: rule.to.clone(),
        }),
    }
}

fn mapping_hash(rules: &[Rule], links: Links) -> String {
    let data = serde_json::to_vec(&(EDITION, rules, links)).expect("because rules are plain data");
    Digest::of(&data).to_string()
}

impl Names {
    fn of(rules: &[Rule]) -> Self {
        let mut names = Self::default();
        for rule in rules {
            match (rule.class, rule.from.components()) {
                (RuleClass::Home, [.., user]) => {
                    names.users.push(User { name: user.clone(), stem: short_stem(user) });
                }
                (RuleClass::Mount | RuleClass::VmHome, [sessions, machine, ..]) if sessions == "sessions" => {
                    names.machines.push(machine.clone());
                    names.slugs.push(format!("-sessions-{}", crate::project_slug(machine)));
                }
                _ => {}
            }
            if rule.class == RuleClass::Home {
                names.slugs.push(slug(&rule.from));
            }
        }
        names.users.dedup();
        names.machines.dedup();
        names.slugs.sort();
        names.slugs.dedup();
        names
    }
}

/// Whoever names a place that lies below another source names that one too: only the outermost need an anchor.
fn anchor_names(rules: &[Rule], names: &Names) -> Vec<String> {
    let outermost = rules.iter().filter(|rule| {
        !rules.iter().any(|other| rule.from.below(&other.from).is_some_and(|rest| !rest.is_empty()))
    });
    let mut anchors: Vec<String> = outermost.map(|rule| anchor_of(&rule.from)).collect();
    anchors.extend(names.users.iter().flat_map(|user| [user.name.clone(), user.stem.clone()]));
    anchors.extend(names.machines.iter().chain(&names.slugs).cloned());
    anchors
}

/// The last name; of a drive, its letter, which then follows a separator only as `/d`.
fn anchor_of(source: &ForeignPath) -> String {
    source.file_name().map_or_else(|| source.to_string().chars().take(1).collect(), str::to_owned)
}

fn whole_drives(rules: &[Rule]) -> Vec<u8> {
    let drive = |rule: &Rule| match rule.from.root() {
        PathRoot::Drive(letter) if rule.from.components().is_empty() => {
            Some(letter.to_ascii_lowercase() as u8)
        }
        _ => None,
    };
    rules.iter().filter_map(drive).collect()
}

impl Rule {
    /// Whether separators after the source have to be turned.
    pub(super) fn changes_style(&self) -> bool {
        self.from.style() != self.to.style()
    }

    /// Whether files kept their names only as far as the new system allows them.
    pub(super) fn changes_names(&self) -> bool {
        self.class == RuleClass::VmHome && self.to.style() == PathStyle::Windows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(from: &str, to: &str) -> Rule {
        Rule { class: RuleClass::Folder, from: from.parse().unwrap(), to: to.parse().unwrap() }
    }

    fn compile(rules: &[Rule]) -> Result<PathRules, RulesError> {
        PathRules::compile(rules.iter().cloned(), Links::Rewrite)
    }

    #[test]
    fn the_same_mapping_has_the_same_hash_however_it_was_given() {
        let (one, two) = (rule(r"C:\a", r"C:\b"), rule("/x", "/y"));
        let hash = |rules: &[Rule]| compile(rules).unwrap().mapping_hash().to_owned();
        assert_eq!(hash(&[one.clone(), two.clone()]), hash(&[two.clone(), one.clone(), two.clone()]));
        assert_ne!(hash(std::slice::from_ref(&one)), hash(&[two]));
        let kept = PathRules::compile([one.clone()], Links::Keep).unwrap();
        assert_ne!(hash(&[one]), kept.mapping_hash());
    }

    #[test]
    fn rules_that_say_nothing_or_two_things_are_refused() {
        assert_eq!(compile(&[]).unwrap_err(), RulesError::Empty);
        let two = [rule(r"C:\a", r"C:\b"), rule("c:/A", r"C:\c")];
        assert!(matches!(compile(&two), Err(RulesError::Contradiction { .. })));
        assert!(compile(&[rule(r"C:\a", r"C:\b"), rule("c:/A", "c:/B")]).is_ok());
        for wide in [r"\\nas\share\x", "/"] {
            assert!(matches!(compile(&[rule(wide, "/y")]), Err(RulesError::Source(_))), "{wide}");
        }
    }

    #[test]
    fn rules_survive_being_carried_by_a_step() {
        let rules = vec![rule(r"C:\Users\mira", r"D:\otto"), rule("/sessions/vm", "/srv/a b")];
        let json = serde_json::to_string(&rules).unwrap();
        assert_eq!(serde_json::from_str::<Vec<Rule>>(&json).unwrap(), rules);
    }

    #[test]
    fn a_place_is_mapped_by_the_most_specific_rule() {
        let rules =
            compile(&[rule(r"C:\Users\mira", r"C:\Users\otto"), rule(r"C:\Users\mira\work", r"D:\work")])
                .unwrap();
        let map = |path: &str| rules.map_path(&path.parse().unwrap()).map(|to| to.to_string());
        assert_eq!(map(r"c:\users\MIRA\x").as_deref(), Some(r"C:\Users\otto\x"));
        assert_eq!(map(r"C:\Users\mira\work\x").as_deref(), Some(r"D:\work\x"));
        assert_eq!(map(r"C:\Users\miranda"), None);
    }
}
