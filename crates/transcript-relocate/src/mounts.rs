//! Under which name a virtual machine sees each folder of the host (formats/cowork.md, A5).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use session_model::{ForeignPath, fold_case};

use crate::rewrite::{PathRules, Rule, RuleClass};

/// What the machine mounts by itself: a folder of the session, or one that has no place on the host.
pub const RESERVED_MOUNTS: [&str; 11] = [
    "outputs",
    "uploads",
    ".projects",
    ".claude",
    ".skills",
    ".plugins",
    ".local-plugins",
    ".remote-plugins",
    ".host-home",
    ".auto-memory",
    ".knowledge",
];

/// The mounts that are folders of the same name in the session's own.
pub const SESSION_MOUNTS: [&str; 4] = ["outputs", "uploads", ".projects", ".claude"];

/// How often folders of one name are told apart by one more parent.
const ROUNDS: usize = 20;

/// Which of the client's two ways of naming mounts a session used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MountTier {
    /// In a virtual machine: all folders of one name get parents before it.
    Vm,
    /// Looped through the host: the first keeps its name.
    HostLoop,
}

/// How a mount's name is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Evidence {
    /// The session wrote it down.
    Recorded,
    /// It follows from the client's rule.
    Simulated,
    /// It is the folder's own name, or made of it, for want of anything better: to be reported.
    Guessed,
}

/// A folder of the host and its name in the machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MountName {
    /// The folder.
    pub host: ForeignPath,
    /// What stands for it below `mnt/`.
    pub name: String,
    /// How that is known.
    pub evidence: Evidence,
}

/// The name of each selected folder's mount, in the order of the folders.
///
/// What the session `recorded` (`folderMountNames`) is authoritative; then comes the client's rule for the `tier`;
/// without a tier, the folder's own name is a guess. Folders without a name, drives, have no mount.
///
/// ```
/// use transcript_relocate::mounts::{MountTier, mount_names};
///
/// let folders = [r"C:\work\q3\drafts".parse()?, r"C:\work\q4\drafts".parse()?];
/// let names: Vec<_> =
///     mount_names(&folders, &[], Some(MountTier::Vm)).into_iter().map(|mount| mount.name).collect();
/// assert_eq!(names, ["q3--drafts", "q4--drafts"]);
/// # Ok::<(), session_model::ForeignPathError>(())
/// ```
pub fn mount_names(
    folders: &[ForeignPath],
    recorded: &[(ForeignPath, String)],
    tier: Option<MountTier>,
) -> Vec<MountName> {
    let mut distinct: Vec<&ForeignPath> = Vec::new();
    for folder in folders.iter().filter(|folder| folder.file_name().is_some()) {
        if !distinct.iter().any(|known| known.same_place(folder)) {
            distinct.push(folder);
        }
    }
    let derived = match tier {
        Some(MountTier::Vm) => with_parents(&distinct),
        Some(MountTier::HostLoop) => first_come(&distinct),
        None => distinct.iter().map(|folder| (with_parent_names(folder, 0), Evidence::Guessed)).collect(),
    };
    let mounts = distinct.into_iter().zip(derived).map(|(folder, (name, evidence))| {
        let known = recorded.iter().find(|(host, _)| host.same_place(folder));
        let (name, evidence) = known.map_or((name, evidence), |(_, name)| (name.clone(), Evidence::Recorded));
        MountName { host: folder.clone(), name, evidence }
    });
    mounts.collect()
}

/// Within every group of equal names each member gets one more parent in front, again and again.
fn with_parents(folders: &[&ForeignPath]) -> Vec<(String, Evidence)> {
    let mut parents = vec![0; folders.len()];
    for _ in 0..ROUNDS {
        let names = || folders.iter().zip(&parents).map(|(folder, &count)| with_parent_names(folder, count));
        let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (index, name) in names().enumerate() {
            groups.entry(name).or_default().push(index);
        }
        let equal: Vec<usize> = groups.into_values().filter(|group| group.len() > 1).flatten().collect();
        if equal.is_empty() {
            break;
        }
        for index in equal {
            parents[index] += 1;
        }
    }
    let names = folders.iter().zip(&parents).map(|(folder, &count)| with_parent_names(folder, count));
    names.map(|name| (name, Evidence::Simulated)).collect()
}

/// In order: who comes first keeps the bare name. How the client names the others is not known.
fn first_come(folders: &[&ForeignPath]) -> Vec<(String, Evidence)> {
    let fold = |name: &str| name.chars().map(fold_case).collect::<String>();
    let mut taken: Vec<String> = RESERVED_MOUNTS.iter().map(|name| fold(name)).collect();
    let mut names = Vec::new();
    for folder in folders {
        let mut spellings = (0..=ROUNDS).map(|parents| with_parent_names(folder, parents));
        let bare = with_parent_names(folder, 0);
        let free = spellings.find(|name| !taken.contains(&fold(name))).unwrap_or_else(|| bare.clone());
        let evidence = if free == bare { Evidence::Simulated } else { Evidence::Guessed };
        taken.push(fold(&free));
        names.push((free, evidence));
    }
    names
}

/// The folder's name with this many of its parents' before it, as far as there are so many.
fn with_parent_names(folder: &ForeignPath, parents: usize) -> String {
    let components = folder.components();
    let from = components.len().saturating_sub(parents + 1);
    components[from..].join("--")
}

/// The rules that lead from the mounts of a machine to where their folders are in the new world: the session's own
/// folders below `session_dir`, all others where `places` moves them, or where they were if it does not.
pub fn mount_rules(
    vm: &str,
    mounts: &[MountName],
    session_dir: &ForeignPath,
    places: &PathRules,
) -> Vec<Rule> {
    let machine = |name: &str| -> Option<ForeignPath> { format!("/sessions/{vm}/mnt/{name}").parse().ok() };
    let rule = |name: &str, to: ForeignPath| Some(Rule { class: RuleClass::Mount, from: machine(name)?, to });
    let own = SESSION_MOUNTS.iter().filter_map(|name| rule(name, session_dir.join(name)));
    let reserved = |name: &str| RESERVED_MOUNTS.contains(&name);
    let selected = mounts.iter().filter(|mount| !reserved(&mount.name)).filter_map(|mount| {
        rule(&mount.name, places.map_path(&mount.host).unwrap_or_else(|| mount.host.clone()))
    });
    own.chain(selected).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rewrite::Links;

    fn names(
        folders: &[&str],
        recorded: &[(&str, &str)],
        tier: Option<MountTier>,
    ) -> Vec<(String, Evidence)> {
        let folders: Vec<ForeignPath> = folders.iter().map(|folder| folder.parse().unwrap()).collect();
        let recorded: Vec<_> =
            recorded.iter().map(|(host, name)| (host.parse().unwrap(), (*name).to_owned())).collect();
        let mounts = mount_names(&folders, &recorded, tier);
        mounts.into_iter().map(|mount| (mount.name, mount.evidence)).collect()
    }

    fn bare(names: Vec<(String, Evidence)>) -> Vec<String> {
        names.into_iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn what_the_session_wrote_down_wins_over_every_rule() {
        let folders = [r"C:\a\drafts", r"C:\b\drafts"];
        let found = names(&folders, &[("c:/A/Drafts/", "papers")], Some(MountTier::Vm));
        assert_eq!(found[0], ("papers".to_owned(), Evidence::Recorded));
        assert_eq!(found[1], ("b--drafts".to_owned(), Evidence::Simulated));
    }

    #[test]
    fn in_a_machine_all_folders_of_one_name_get_parents() {
        let vm = |folders: &[&str]| bare(names(folders, &[], Some(MountTier::Vm)));
        assert_eq!(vm(&[r"C:\w\q3\drafts", r"C:\w\q4\drafts", r"C:\x"]), ["q3--drafts", "q4--drafts", "x"]);
        assert_eq!(vm(&[r"C:\a\q\d", r"C:\b\q\d", r"C:\c\d"]), ["a--q--d", "b--q--d", "c--d"]);
        assert_eq!(vm(&[r"C:\d", r"D:\d"]), ["d", "d"], "nothing more to tell them apart by");
        assert_eq!(vm(&[r"C:\d", r"c:/D/", r"E:\"]), ["d"]);
    }

    #[test]
    fn in_a_host_loop_the_first_keeps_its_name_and_the_rest_is_a_guess() {
        let found = names(&[r"C:\a\d", r"C:\b\D", r"C:\x\outputs"], &[], Some(MountTier::HostLoop));
        assert_eq!(
            found,
            [
                ("d".to_owned(), Evidence::Simulated),
                ("b--D".to_owned(), Evidence::Guessed),
                ("x--outputs".to_owned(), Evidence::Guessed)
            ]
        );
    }

    #[test]
    fn a_name_without_any_evidence_is_reported_as_a_guess() {
        assert_eq!(names(&[r"C:\a\d"], &[], None), [("d".to_owned(), Evidence::Guessed)]);
    }

    #[test]
    fn mounts_lead_to_where_their_folders_are_now() {
        let home = Rule {
            class: RuleClass::Home,
            from: r"C:\Users\mira".parse().unwrap(),
            to: r"C:\Users\otto".parse().unwrap(),
        };
        let places = PathRules::compile([home], Links::Rewrite).unwrap();
        let folders = [r"C:\Users\mira\drafts".parse().unwrap(), r"D:\elsewhere".parse().unwrap()];
        let mounts = mount_names(&folders, &[], Some(MountTier::Vm));
        let rules = mount_rules("calm-amber-noether", &mounts, &r"C:\S".parse().unwrap(), &places);
        let to: Vec<String> = rules.iter().map(|rule| format!("{} {}", rule.from, rule.to)).collect();
        let mnt = "/sessions/calm-amber-noether/mnt";
        assert_eq!(
            to,
            [
                format!(r"{mnt}/outputs C:\S\outputs"),
                format!(r"{mnt}/uploads C:\S\uploads"),
                format!(r"{mnt}/.projects C:\S\.projects"),
                format!(r"{mnt}/.claude C:\S\.claude"),
                format!(r"{mnt}/drafts C:\Users\otto\drafts"),
                format!(r"{mnt}/elsewhere D:\elsewhere"),
            ]
        );
        assert!(PathRules::compile(rules, Links::Rewrite).is_ok());
    }
}
