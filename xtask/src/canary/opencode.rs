//! `OpenCode`, which finds a session by its id from any directory.

use serde_json::{Value, json};

use super::client::Client;

pub(super) struct OpenCode;

impl Client for OpenCode {
    fn package(&self) -> &'static str {
        "opencode-ai"
    }

    fn program(&self, platform: &str) -> String {
        format!("opencode-{platform}/bin/opencode")
    }

    fn configuration(&self, base_url: &str) -> Option<(&'static str, String)> {
        let provider = json!({
            "options": {"baseURL": format!("{base_url}/v1"), "apiKey": "dummy"},
            "models": {"stub": {"name": "stub"}},
        });
        let model = "anthropic/stub";
        let configuration: Value = json!({
            "autoupdate": false, "share": "disabled", "model": model, "small_model": model,
            "provider": {"anthropic": provider},
        });
        Some((".config/opencode/opencode.json", configuration.to_string()))
    }

    fn environment(&self, _base_url: &str) -> Vec<(&'static str, String)> {
        let quiet = [
            "OPENCODE_DISABLE_MODELS_FETCH",
            "OPENCODE_DISABLE_AUTOUPDATE",
            "OPENCODE_DISABLE_LSP_DOWNLOAD",
            "OPENCODE_DISABLE_DEFAULT_PLUGINS",
        ];
        // It installs plugin types from npm into its configuration, and does not end before that does.
        let offline = [("npm_config_offline", "true".to_owned())];
        quiet.map(|name| (name, "1".to_owned())).into_iter().chain(offline).collect()
    }

    fn question(&self, prompt: &str, session: Option<&str>) -> Vec<String> {
        let session = session.into_iter().flat_map(|session| ["--session", session]);
        ["run", "--format", "json"].into_iter().chain(session).chain([prompt]).map(str::to_owned).collect()
    }

    fn session_key(&self) -> &'static str {
        "sessionID"
    }
}
