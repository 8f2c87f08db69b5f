//! Where the app may have put its base folder (formats/cowork.md A1). Nothing here looks at a disk.

use std::path::{Path, PathBuf};

use serde::Serialize;

/// The system that the app ran on, which need not be the one we run on: its disk may only be mounted here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Platform {
    /// Windows.
    Windows,
    /// macOS.
    MacOs,
    /// Linux.
    Linux,
}

/// What the environment says about places, as the caller read it. An empty path counts as none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// Whose rules apply.
    pub platform: Platform,
    /// The user's home folder.
    pub home: Option<PathBuf>,
    /// `LOCALAPPDATA`; without it, the usual place below the home.
    pub local_app_data: Option<PathBuf>,
    /// `APPDATA`; without it, the usual place below the home.
    pub app_data: Option<PathBuf>,
    /// `CLAUDE_USER_DATA_DIR`.
    pub user_data_dir: Option<PathBuf>,
}

/// One place where a base may be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Candidate {
    /// The folder.
    pub path: PathBuf,
    /// What would have put it there.
    pub origin: Origin,
    /// Whether it is the name that enterprise builds use: with `-3p` at the end.
    pub enterprise: bool,
}

/// What puts a base where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// The user of our tool named it.
    Named,
    /// `CLAUDE_USER_DATA_DIR` moved it.
    Moved,
    /// `%LOCALAPPDATA%\Claude-Data\<family>`, of the newest packaged builds.
    Packaged,
    /// `%LOCALAPPDATA%\Claude-Data`, of newer builds.
    Data,
    /// `%APPDATA%\Claude`, of the classic installer.
    Classic,
    /// `%LOCALAPPDATA%\Packages\<family>\LocalCache\Roaming\Claude`: what a packaged build sees as the classic one.
    Virtualised,
    /// `~/Library/Application Support/Claude`.
    MacOs,
    /// `~/.config/Claude`.
    Linux,
}

/// The package families that are known. Others are found by their names, see [`Environment::package_folders`].
pub const FAMILIES: [&str; 2] = ["Claude_pzs8sxrjxfjjc", "AnthropicPBC.Claude_fnn82j28hfe8t"];

impl Environment {
    /// An environment that says nothing but where the home is.
    pub fn of_home(platform: Platform, home: impl Into<PathBuf>) -> Self {
        Self { platform, home: Some(home.into()), local_app_data: None, app_data: None, user_data_dir: None }
    }

    /// The folders whose entries are named for package families.
    pub fn package_folders(&self) -> Vec<PathBuf> {
        let local = self.local().filter(|_| self.platform == Platform::Windows);
        local.map_or_else(Vec::new, |local| vec![local.join("Packages"), local.join("Claude-Data")])
    }

    /// Every place where a base may be, the likeliest first, given the names found in [`Self::package_folders`]:
    /// those that do not name a package of the app are passed over.
    pub fn candidates(&self, names: &[String]) -> Vec<Candidate> {
        let moved = given(self.user_data_dir.as_deref());
        let moved = moved.map(|path| (path.to_path_buf(), Origin::Moved));
        let usual = match self.platform {
            Platform::Windows => self.on_windows(&families(names)),
            Platform::MacOs => self.below_home("Library/Application Support/Claude", Origin::MacOs),
            Platform::Linux => self.below_home(".config/Claude", Origin::Linux),
        };
        moved.into_iter().chain(usual).flat_map(|(path, origin)| both_editions(path, origin)).collect()
    }

    fn on_windows(&self, families: &[String]) -> Vec<(PathBuf, Origin)> {
        let local = self.local();
        let below_local = |path: &str, origin| Some((local.as_ref()?.join(path), origin));
        let packaged = families.iter().map(|family| {
            let family = family.to_ascii_lowercase();
            below_local(&format!("Claude-Data/{family}"), Origin::Packaged)
        });
        let classic = self.roaming().map(|roaming| (roaming.join("Claude"), Origin::Classic));
        let virtualised = families.iter().map(|family| {
            below_local(&format!("Packages/{family}/LocalCache/Roaming/Claude"), Origin::Virtualised)
        });
        let middle = [below_local("Claude-Data", Origin::Data), classic];
        packaged.chain(middle).chain(virtualised).flatten().collect()
    }

    fn below_home(&self, path: &str, origin: Origin) -> Vec<(PathBuf, Origin)> {
        given(self.home.as_deref()).map(|home| (home.join(path), origin)).into_iter().collect()
    }

    fn local(&self) -> Option<PathBuf> {
        self.app_data_folder(self.local_app_data.as_deref(), "AppData/Local")
    }

    fn roaming(&self) -> Option<PathBuf> {
        self.app_data_folder(self.app_data.as_deref(), "AppData/Roaming")
    }

    fn app_data_folder(&self, variable: Option<&Path>, below_home: &str) -> Option<PathBuf> {
        let usual = || Some(given(self.home.as_deref())?.join(below_home));
        given(variable).map(Path::to_path_buf).or_else(usual)
    }
}

fn given(path: Option<&Path>) -> Option<&Path> {
    path.filter(|path| !path.as_os_str().is_empty())
}

/// The known families, then those whose name gives the app away: `Name_` and the hash of a publisher.
fn families(names: &[String]) -> Vec<String> {
    let mut families: Vec<String> = FAMILIES.map(str::to_owned).into();
    for name in names {
        let folded = name.to_ascii_lowercase();
        let folded = folded.strip_suffix("-3p").unwrap_or(&folded);
        let known = families.iter().any(|family| family.eq_ignore_ascii_case(folded));
        if folded.contains("claude") && folded.contains('_') && !known {
            families.push(name[..folded.len()].to_owned());
        }
    }
    families
}

fn both_editions(path: PathBuf, origin: Origin) -> [Candidate; 2] {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push("-3p");
    let enterprise = path.with_file_name(name);
    [Candidate { path, origin, enterprise: false }, Candidate { path: enterprise, origin, enterprise: true }]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(environment: &Environment, names: &[&str]) -> Vec<String> {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let candidates = environment.candidates(&names).into_iter();
        let candidates = candidates.filter(|candidate| !candidate.enterprise);
        candidates.map(|candidate| format!("{:?} {}", candidate.origin, candidate.path.display())).collect()
    }

    #[test]
    fn every_place_that_windows_builds_have_used_is_looked_at() {
        let environment = Environment {
            local_app_data: Some("/l".into()),
            user_data_dir: Some("/moved".into()),
            ..Environment::of_home(Platform::Windows, "/mnt/c/Users/mira")
        };
        assert_eq!(
            paths(
                &environment,
                &["Claude_other1", "CLAUDE_PZS8SXRJXFJJC", "Claude_new-3p", "Spotify_x", "logs"]
            ),
            [
                "Moved /moved",
                "Packaged /l/Claude-Data/claude_pzs8sxrjxfjjc",
                "Packaged /l/Claude-Data/anthropicpbc.claude_fnn82j28hfe8t",
                "Packaged /l/Claude-Data/claude_other1",
                "Packaged /l/Claude-Data/claude_new",
                "Data /l/Claude-Data",
                "Classic /mnt/c/Users/mira/AppData/Roaming/Claude",
                "Virtualised /l/Packages/Claude_pzs8sxrjxfjjc/LocalCache/Roaming/Claude",
                "Virtualised /l/Packages/AnthropicPBC.Claude_fnn82j28hfe8t/LocalCache/Roaming/Claude",
                "Virtualised /l/Packages/Claude_other1/LocalCache/Roaming/Claude",
                "Virtualised /l/Packages/Claude_new/LocalCache/Roaming/Claude",
            ]
        );
    }

    #[test]
    fn the_bases_of_enterprise_builds_are_looked_at_too() {
        let candidates = Environment::of_home(Platform::Linux, "/home/mira").candidates(&[]);
        let paths: Vec<_> = candidates.iter().map(|found| found.path.to_str().unwrap()).collect();
        assert_eq!(paths, ["/home/mira/.config/Claude", "/home/mira/.config/Claude-3p"]);
    }

    #[test]
    fn an_environment_that_says_nothing_leads_nowhere() {
        for platform in [Platform::Windows, Platform::MacOs, Platform::Linux] {
            let mut environment = Environment::of_home(platform, "");
            environment.user_data_dir = Some("".into());
            assert_eq!(environment.candidates(&["Claude_x".into()]), []);
        }
    }
}
