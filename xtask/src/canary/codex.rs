//! Codex, which finds a session by its id from any directory.

use super::client::Client;

pub(super) struct Codex;

impl Client for Codex {
    fn package(&self) -> &'static str {
        "@openai/codex"
    }

    fn program(&self, _platform: &str) -> String {
        ".bin/codex".to_owned()
    }

    fn configuration(&self, base_url: &str) -> Option<(&'static str, String)> {
        let configuration = format!(
            "model = \"stub\"\n\
             model_provider = \"stub\"\n\
             [model_providers.stub]\n\
             name = \"stub\"\n\
             base_url = \"{base_url}/v1\"\n\
             wire_api = \"responses\"\n\
             env_key = \"STUB_KEY\"\n"
        );
        Some((".codex/config.toml", configuration))
    }

    fn environment(&self, _base_url: &str) -> Vec<(&'static str, String)> {
        vec![("STUB_KEY", "dummy".to_owned())]
    }

    fn question(&self, prompt: &str, session: Option<&str>) -> Vec<String> {
        let resume = session.into_iter().flat_map(|session| ["resume", session]);
        let words = ["exec", "--json", "--skip-git-repo-check"].into_iter().chain(resume).chain([prompt]);
        words.map(str::to_owned).collect()
    }

    fn session_key(&self) -> &'static str {
        "thread_id"
    }
}
