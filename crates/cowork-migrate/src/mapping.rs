//! Which places became which: the rules of a session's move (formats/cowork.md E1, A5). Pure.

use std::sync::Arc;

use legacy_readers::cowork::{Tier, View};
use serde::{Deserialize, Serialize};
use session_model::{Finding, ForeignPath};
use transcript_relocate::mounts::{Evidence, MountName, MountTier, mount_names, mount_rules};
use transcript_relocate::rewrite::{Links, PathRules, Rule, RuleClass, RulesError};

use crate::drives::{home_in, is_home};
use crate::options::Moved;

/// Rules as a step carries them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mapping {
    /// What became of which place.
    pub(crate) rules: Vec<Rule>,
    /// What becomes of links to the virtual machine.
    pub(crate) links: Links,
}

/// Both worlds, as far as they decide what becomes of a path.
#[derive(Debug, Clone)]
pub(crate) struct Worlds<'a> {
    /// The user's homes, before and after.
    pub(crate) homes: Option<(ForeignPath, ForeignPath)>,
    /// The bases, before and after.
    pub(crate) bases: Option<(ForeignPath, ForeignPath)>,
    /// The profiles' folders, before and after.
    pub(crate) profiles: Option<(ForeignPath, ForeignPath)>,
    /// What the user said.
    pub(crate) moved: &'a [Moved],
    /// The session's folder after.
    pub(crate) session_dir: Option<ForeignPath>,
    /// Where the home inside the virtual machine goes.
    pub(crate) staging: Option<ForeignPath>,
    /// What becomes of links to the virtual machine.
    pub(crate) links: Links,
}

impl Mapping {
    /// The rules, ready for use.
    pub(crate) fn compile(&self) -> Result<PathRules, RulesError> {
        PathRules::compile(self.rules.iter().cloned(), self.links)
    }

    /// The rules for a session of which this is the sidecar; without one, only those of the host.
    pub(crate) fn of(
        worlds: &Worlds<'_>,
        view: Option<&View>,
    ) -> Result<(Arc<Self>, PathRules, Vec<Finding>), RulesError> {
        let mut rules = host_rules(worlds);
        let mut findings = Vec::new();
        if let (Some(view), Some(session_dir)) = (view, &worlds.session_dir)
            && let Some(vm) = view.vm_name()
        {
            let mounts = mounts(view);
            findings.extend(mounts.iter().filter_map(of_mount));
            let places = places(&rules, session_dir, worlds.links)?;
            rules.extend(mount_rules(vm, &mounts, session_dir, &places));
            let home = format!("/sessions/{vm}").parse().ok().zip(worlds.staging.clone());
            rules.extend(home.map(|(from, to)| Rule { class: RuleClass::VmHome, from, to }));
        }
        let mapping = Self { rules, links: worlds.links };
        let compiled = mapping.compile()?;
        Ok((Arc::new(mapping), compiled, findings))
    }
}

/// The rules between two hosts. What the user said of a place wins over what was found out about it.
fn host_rules(worlds: &Worlds<'_>) -> Vec<Rule> {
    let said = worlds.moved.iter().map(|Moved { from, to }| {
        let class = if is_home(from) { RuleClass::Home } else { RuleClass::Folder };
        Rule { class, from: from.clone(), to: to.clone() }
    });
    let mut rules: Vec<Rule> = said.collect();
    let found = [
        (RuleClass::Home, &worlds.homes),
        (RuleClass::Folder, &worlds.bases),
        (RuleClass::Folder, &worlds.profiles),
    ];
    for (class, pair) in found {
        let Some((from, to)) = pair else { continue };
        let is_said = rules.iter().any(|rule| rule.from.same_place(from));
        if !is_said && !mapped(&rules, from).same_place(to) {
            rules.push(Rule { class, from: from.clone(), to: to.clone() });
        }
    }
    rules
}

/// Where these rules lead, or the place itself.
fn mapped(rules: &[Rule], path: &ForeignPath) -> ForeignPath {
    let moving = rules.iter().filter_map(|rule| Some((rule, path.below(&rule.from)?)));
    match moving.min_by_key(|(_, rest)| rest.len()) {
        Some((rule, rest)) => rest.iter().fold(rule.to.clone(), |place, name| place.join(name)),
        None => path.clone(),
    }
}

/// Where a place is by what the user said.
pub(crate) fn as_said(moved: &[Moved], place: &ForeignPath) -> ForeignPath {
    let rule =
        |Moved { from, to }: &Moved| Rule { class: RuleClass::Folder, from: from.clone(), to: to.clone() };
    mapped(&moved.iter().map(rule).collect::<Vec<_>>(), place)
}

/// The host's rules as mounts ask for them: there may be none, if everything stays where it was.
fn places(rules: &[Rule], anywhere: &ForeignPath, links: Links) -> Result<PathRules, RulesError> {
    let idle = Rule { class: RuleClass::Folder, from: anywhere.clone(), to: anywhere.clone() };
    let rules = if rules.is_empty() { vec![idle] } else { rules.to_vec() };
    PathRules::compile(rules, links)
}

/// The mounts of a session: its folders, and those of which only the name of the mount is left.
fn mounts(view: &View) -> Vec<MountName> {
    let folders: Vec<ForeignPath> = view.folders.iter().filter_map(|path| path.parse().ok()).collect();
    let recorded =
        view.mount_names.iter().filter_map(|(host, name)| Some((host.parse().ok()?, name.clone())));
    let recorded: Vec<(ForeignPath, String)> = recorded.collect();
    let tier = match view.tier() {
        Tier::Vm => MountTier::Vm,
        Tier::HostLoop => MountTier::HostLoop,
    };
    let mut mounts = mount_names(&folders, &recorded, Some(tier));
    for (host, name) in recorded {
        if !mounts.iter().any(|mount| mount.name == name || mount.host.same_place(&host)) {
            mounts.push(MountName { host, name, evidence: Evidence::Recorded });
        }
    }
    mounts
}

fn of_mount(mount: &MountName) -> Option<Finding> {
    let message = format!("the name of the mount of {} is a guess: {}", mount.host, mount.name);
    (mount.evidence == Evidence::Guessed).then(|| Finding::warning("mount-guessed", message))
}

/// The homes that a sidecar's paths lie in, each once.
pub(crate) fn homes_in(view: &View) -> Vec<ForeignPath> {
    let paths =
        view.folders.iter().chain([&view.cwd]).chain(&view.detected_files).chain(&view.approved_paths);
    let paths = paths.chain(view.mount_names.iter().map(|(host, _)| host));
    let mut homes: Vec<ForeignPath> = Vec::new();
    for home in paths.filter_map(|path| home_in(&path.parse().ok()?)) {
        if !homes.iter().any(|known| known.same_place(&home)) {
            homes.push(home);
        }
    }
    homes
}

#[cfg(test)]
mod tests {
    use super::*;
    use legacy_readers::cowork::Sidecar;
    use serde_json::{Value, json};

    fn path(text: &str) -> ForeignPath {
        text.parse().unwrap()
    }

    fn view(members: &Value) -> View {
        let mut sidecar = json!({
            "sessionId": "local_a", "createdAt": 1, "lastActivityAt": 2, "processName": "calm-amber-noether",
            "cwd": "/sessions/calm-amber-noether",
        });
        for (name, value) in members.as_object().unwrap() {
            sidecar[name] = value.clone();
        }
        Sidecar::parse(sidecar.to_string().into_bytes(), std::path::Path::new("s")).unwrap().view
    }

    fn worlds(moved: &[Moved]) -> Worlds<'_> {
        Worlds {
            homes: Some((path(r"C:\Users\mira"), path(r"C:\Users\otto"))),
            bases: None,
            profiles: None,
            moved,
            session_dir: Some(path(r"C:\Users\otto\S")),
            staging: Some(path(r"C:\Users\otto\cowork-archive\calm-amber-noether")),
            links: Links::Rewrite,
        }
    }

    fn rules(worlds: &Worlds<'_>, view: &View) -> Vec<String> {
        let (mapping, _, _) = Mapping::of(worlds, Some(view)).unwrap();
        mapping.rules.iter().map(|rule| format!("{:?} {} {}", rule.class, rule.from, rule.to)).collect()
    }

    #[test]
    fn a_sessions_places_lead_to_the_new_home_the_session_and_the_archive() {
        let view = view(&json!({"userSelectedFolders": [r"C:\Users\mira\drafts", r"D:\x\y"]}));
        let moved = [r"D:\x=C:\Users\otto\x".parse().unwrap()];
        let mnt = "/sessions/calm-amber-noether/mnt";
        assert_eq!(
            rules(&worlds(&moved), &view),
            [
                r"Folder D:\x C:\Users\otto\x".to_owned(),
                r"Home C:\Users\mira C:\Users\otto".to_owned(),
                format!(r"Mount {mnt}/outputs C:\Users\otto\S\outputs"),
                format!(r"Mount {mnt}/uploads C:\Users\otto\S\uploads"),
                format!(r"Mount {mnt}/.projects C:\Users\otto\S\.projects"),
                format!(r"Mount {mnt}/.claude C:\Users\otto\S\.claude"),
                format!(r"Mount {mnt}/drafts C:\Users\otto\drafts"),
                format!(r"Mount {mnt}/y C:\Users\otto\x\y"),
                r"VmHome /sessions/calm-amber-noether C:\Users\otto\cowork-archive\calm-amber-noether"
                    .to_owned(),
            ]
        );
    }

    #[test]
    fn what_the_user_says_of_a_home_wins_over_what_was_found_out() {
        let moved = [r"c:\users\MIRA=D:\mira".parse().unwrap()];
        let rules = rules(&worlds(&moved), &view(&json!({})));
        assert_eq!(rules[0], r"Home C:\users\MIRA D:\mira");
        assert!(!rules.iter().any(|rule| rule.contains(r"C:\Users\otto ")), "{rules:?}");
    }

    #[test]
    fn bases_that_differ_get_a_rule_of_their_own_and_equal_ones_none() {
        let mut both = worlds(&[]);
        both.bases = Some((path(r"C:\Users\mira\AppData\Claude"), path(r"C:\Users\otto\AppData\Claude")));
        assert!(!rules(&both, &view(&json!({}))).iter().any(|rule| rule.contains("AppData")));
        both.bases = Some((path(r"C:\Users\mira\AppData\Claude"), path(r"C:\Users\otto\Data")));
        assert_eq!(
            rules(&both, &view(&json!({})))[1],
            r"Folder C:\Users\mira\AppData\Claude C:\Users\otto\Data"
        );
    }

    #[test]
    fn a_mount_whose_folder_is_no_longer_selected_is_still_known() {
        let view = view(&json!({"folderMountNames": {r"C:\Users\mira\old": "old"}}));
        assert!(rules(&worlds(&[]), &view).iter().any(|rule| rule.ends_with(r"mnt/old C:\Users\otto\old")));
    }

    #[test]
    fn every_home_that_a_sidecar_names_is_found_once() {
        let view = view(&json!({
            "userSelectedFolders": [r"C:\Users\mira\a", r"c:\users\MIRA\b", r"D:\Users\kim\c", r"C:\Users\Public\d"],
        }));
        let homes: Vec<String> = homes_in(&view).iter().map(ForeignPath::to_string).collect();
        assert_eq!(homes, [r"C:\Users\mira", r"D:\Users\kim"]);
    }

    #[test]
    fn a_move_of_nothing_is_refused() {
        let worlds = Worlds { homes: None, session_dir: None, staging: None, ..worlds(&[]) };
        assert_eq!(Mapping::of(&worlds, None).unwrap_err(), RulesError::Empty);
    }
}
