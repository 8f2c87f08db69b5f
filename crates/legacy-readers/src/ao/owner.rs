//! Whose session a file is (formats/ao.md §2.7, §2.8).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::model::{Owner, SessionFile};
use super::project::Project;

/// The registry, as far as ownership asks for it.
pub(super) struct Projects<'a> {
    in_order: &'a [Project],
    place: BTreeMap<&'a str, usize>,
}

impl<'a> Projects<'a> {
    pub(super) fn new(in_order: &'a [Project]) -> Self {
        Self {
            in_order,
            place: in_order.iter().enumerate().map(|(at, project)| (&*project.id, at)).collect(),
        }
    }

    /// The project with this id, compared whole.
    pub(super) fn owner(&self, id: &str) -> Owner {
        match self.place.get(id) {
            Some(at) => Owner::Project(Arc::clone(&self.in_order[*at].id)),
            None => Owner::Unknown(Arc::from(id)),
        }
    }

    /// The owner of what may be of any project.
    pub(super) fn any(&self) -> Owner {
        Owner::Ambiguous(self.in_order.iter().map(|project| Arc::clone(&project.id)).collect())
    }

    /// The id of an owner's own orchestrator: what a stand-alone record is taken for.
    pub(super) fn orchestrator_of(&self, owner: &Owner) -> String {
        let Owner::Project(id) = owner else { return "orchestrator".into() };
        let registration = self.place.get(&**id).and_then(|at| self.in_order[*at].registration());
        registration.map_or("orchestrator".into(), |found| format!("{}-orchestrator", found.session_prefix()))
    }

    /// The place of an owner's files in the reading order: as in the registry, then the unknown by name, last the
    /// ambiguous.
    pub(super) fn rank(&self, owner: &Owner) -> (usize, Arc<str>) {
        let end = self.in_order.len();
        match owner {
            Owner::Project(id) => (self.place.get(&**id).copied().unwrap_or(end), Arc::from("")),
            Owner::Unknown(name) => (end, Arc::clone(name)),
            Owner::Ambiguous(_) => (end + 1, Arc::from("")),
        }
    }

    fn claimants(&self, storage_key: &str) -> Vec<Arc<str>> {
        let claims = |project: &&Project| {
            project.registration().and_then(|found| found.storage_key.as_deref()) == Some(storage_key)
        };
        self.in_order.iter().filter(claims).map(|project| Arc::clone(&project.id)).collect()
    }
}

/// Gives the files of a bare-hash folder their owners: the one project that claims the folder; else the `project` key
/// of each file, or the one key that all the other files agree on.
pub(super) fn of_bare_hash(files: &mut [SessionFile], folder: &str, projects: &Projects<'_>) {
    let claimants = projects.claimants(folder);
    if let [only] = claimants.as_slice() {
        return files.iter_mut().for_each(|file| file.owner = Owner::Project(Arc::clone(only)));
    }
    let keys: BTreeSet<String> = files.iter().filter_map(project_key).map(str::to_owned).collect();
    let fallback = match (claimants.as_slice(), keys.len()) {
        ([], 0) => Owner::Unknown(Arc::from(folder)),
        ([], 1) => projects.owner(keys.iter().next().map_or(folder, String::as_str)),
        ([], _) => Owner::Ambiguous(keys.iter().map(|key| Arc::from(key.as_str())).collect()),
        (several, _) => Owner::Ambiguous(several.into()),
    };
    for file in files {
        file.owner = project_key(file).map_or_else(|| fallback.clone(), |key| projects.owner(key));
    }
}

fn project_key(file: &SessionFile) -> Option<&str> {
    file.record()?.project.as_text().filter(|key| !key.is_empty())
}
