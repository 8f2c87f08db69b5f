//! `list`: the orphans of this host, and why one cannot move.

use durable_files::Quiet;
use legacy_readers::convocate::Session;
use migration_cli::{Listed, Listing, Refusal, Surroundings};
use serde_json::json;
use session_control::Container;
use session_model::Finding;

use crate::options::Options;
use crate::{checks, source};

pub(crate) fn list(options: &Options, here: &Surroundings) -> Result<Listing, Refusal> {
    let base = source::base(options, here)?;
    let survey = source::survey(&base)?;
    let containers = checks::containers(options)?;
    let none = || Finding::note("no-orphans", format!("there are no orphan sessions in {}", base.display()));
    Ok(Listing {
        findings: survey.found.is_empty().then(none).into_iter().collect(),
        columns: vec!["id", "name", "last accessed", "port", "why it cannot move", "bytes"],
        text_columns: 5,
        rows: survey.found.iter().map(|session| row(session, &containers)).collect(),
        ..Listing::default()
    })
}

fn row(session: &Session, containers: &[Container]) -> Listed {
    let fields = session.document().map(|document| document.fields().clone()).unwrap_or_default();
    let accessed = fields.last_accessed.map(|time| time.to_string());
    let protocol = if fields.protocol.is_empty() { "tcp" } else { &fields.protocol };
    let port = (fields.port > 0).then(|| format!("{}/{}", fields.port, protocol.escape_debug()));
    let contents = checks::contents(session, &mut Quiet);
    let bytes = contents.as_ref().ok().map(|walked| walked.manifest.bytes());
    let stays = checks::here(session, containers).err().or(contents.err());
    let why = stays.as_ref().and_then(|outcome| outcome.reason.clone());
    let mut own = json!({
        "uuid": session.uuid,
        "name": fields.name,
        "last_accessed": accessed,
        "port": fields.port,
        "protocol": fields.protocol,
        "dns_name": fields.dns_name,
        "movable": stays.is_none(),
        "stays_because": why,
    });
    if let Some(bytes) = bytes {
        own["bytes"] = json!(bytes);
    }
    let cells = [
        session.uuid.clone(),
        fields.name.escape_debug().to_string(),
        accessed.unwrap_or_default(),
        port.unwrap_or_default(),
        why.unwrap_or_default(),
        bytes.map_or("?".to_owned(), |bytes| bytes.to_string()),
    ];
    let finding = stays.map(|outcome| {
        let (code, detail) = (outcome.reason.unwrap_or_default(), outcome.detail.unwrap_or_default());
        Finding::warning(code, format!("it cannot move: {detail}"))
    });
    Listed {
        kind: "session",
        id: session.uuid.clone(),
        source: Some(session.path.display().to_string()),
        cells: cells.into(),
        own: own.as_object().cloned().unwrap_or_default(),
        findings: finding.into_iter().collect(),
    }
}
