//! What there is to say about no project or session in particular.

use legacy_readers::ao::Legacy;
use session_model::{Anomaly, Finding, Survey};

/// What the reading found wrong, what was not entered, and which global settings have no place.
pub(super) fn findings(survey: &Survey<Legacy>) -> Vec<Finding> {
    let anomalies = survey.anomalies.iter().map(of_anomaly);
    let not_entered = survey.found.not_entered.iter().map(|folder| {
        Finding::note("not-entered", format!("{}: holds nothing that is migrated", folder.display()))
    });
    let global = &survey.found.defaults.also_set;
    let global = (!global.is_empty()).then(|| {
        let keys = global.join(", ");
        Finding::note("other-dropped", format!("the daemon has no place for the global settings: {keys}"))
    });
    anomalies.chain(not_entered).chain(global).collect()
}

/// That there is nothing to migrate is nothing to worry about.
fn of_anomaly(anomaly: &Anomaly) -> Finding {
    match anomaly.code.as_str() {
        "no-legacy-store" | "no-registry" => Finding::note(&anomaly.code, anomaly.to_string()),
        code => Finding::warning(code, anomaly.to_string()),
    }
}
