//! The cluster's DNS names: each is one session's, and a shell host tells them to dnsmasq.

use migration_cli::{Deed, Exit, Listed, Listing, Refusal};
use serde_json::json;
use session_control::{DnsError, DnsRecord, Dnsmasq, LeftOut, NameError, Synced, Told};
use session_model::Finding;

use crate::hosts::Hosts;
use crate::options::Options;
use crate::rows;

impl Hosts {
    /// Refuses a name that is another session's, or may be.
    pub(crate) fn name_is_free(
        &self,
        name: &str,
        but: Option<&str>,
        options: &Options,
    ) -> Result<(), Refusal> {
        if name.is_empty() {
            return Ok(());
        }
        self.cluster.survey().name_is_free(name, but, options.allow_unverified_dns).map_err(|error| {
            let hint = match error {
                NameError::Taken { .. } => "name another one: --dns NAME",
                NameError::Unverified { .. } => {
                    "wait until that host answers, or say --allow-unverified-dns if the name is surely free"
                }
            };
            Refusal::new(error.code(), error.to_string(), hint)
        })
    }

    /// The same as [`Hosts::write_names`], if a session had a name before or has one now. What is done is done: that it
    /// could not be written is only told.
    pub(crate) fn sync_dns(&self, [before, now]: [&str; 2]) -> Vec<Finding> {
        if before.is_empty() && now.is_empty() {
            return Vec::new();
        }
        let is_gone = !before.eq_ignore_ascii_case(now);
        self.write_names(if is_gone { std::slice::from_ref(&before) } else { &[] })
    }

    /// Has the names written anew on a shell host, of which a session has `given_up` some.
    pub(crate) fn write_names(&self, given_up: &[&str]) -> Vec<Finding> {
        if !self.cluster.is_shell() {
            return Vec::new();
        }
        match self.dns.sync(&self.cluster, &self.cluster.survey(), given_up) {
            Ok(synced) => told(&synced).chain(self.dnsmasq()).collect(),
            Err(error @ DnsError::NoFolder(_)) => vec![Finding::note(error.code(), error.to_string())],
            Err(error) => {
                let message = format!("{error}; convocate-session dns sync tries again");
                vec![Finding::warning(error.code(), message)]
            }
        }
    }

    /// Has dnsmasq read the names.
    fn dnsmasq(&self) -> Option<Finding> {
        let path = self.dns.path();
        match Dnsmasq::default().reread(path) {
            Told::Processes(_) => None,
            Told::NoneRuns => {
                let message =
                    format!("no dnsmasq runs that reads {0}: give it addn-hosts={0}", path.display());
                Some(Finding::note("no-dnsmasq", message))
            }
            Told::NotPermitted { command, .. } => {
                let message = format!("dnsmasq has not been told to read the names again: {command}");
                Some(Finding::warning("dnsmasq-not-told", message))
            }
        }
    }
}

/// What there is to say about names that were written.
fn told(synced: &Synced) -> impl Iterator<Item = Finding> {
    let kept = synced.kept.iter().map(|record| {
        let message = format!(
            "{} stays {}: a host that may have it was not reached; convocate-session dns sync asks again",
            record.name, record.address
        );
        Finding::warning("dns-name-kept", message)
    });
    let left_out = synced.left_out.iter().map(|LeftOut { name, session, reason }| {
        Finding::warning("dns-name-left-out", format!("{name:?} of session {session} is left out: {reason}"))
    });
    kept.chain(left_out).collect::<Vec<_>>().into_iter()
}

/// `dns sync`: the names of all sessions, written now.
pub(crate) fn sync(hosts: Hosts) -> Deed {
    let survey = hosts.cluster.survey();
    let names = survey.rows.iter().filter(|row| !row.session.dns_name.is_empty()).count();
    let mut listing = Listing::default();
    listing.words.block = vec![format!("would write {names} names to {}", hosts.dns.path().display())];
    let act = move |_: &_| {
        let refused = |error: DnsError| {
            let exit = if matches!(error, DnsError::NoFolder(_)) { Exit::Refused } else { Exit::Failed };
            let hint = "make the folder, or name the file that dnsmasq reads: --dns-hosts FILE";
            Refusal::new(error.code(), error.to_string(), hint).exit(exit)
        };
        let synced = hosts.dns.sync(&hosts.cluster, &survey, &[]).map_err(refused)?;
        let mut listing = Listing {
            columns: vec!["dns name", "address"],
            text_columns: 2,
            rows: synced.records.iter().map(row).collect(),
            findings: told(&synced).chain(hosts.dnsmasq()).collect(),
            ..Listing::default()
        };
        listing.words.block =
            vec![format!("Wrote {} names to {}", synced.records.len(), hosts.dns.path().display())];
        rows::mention(&mut listing, &survey.unreachable);
        Ok(listing)
    };
    Deed { listing, questions: Vec::new(), act: Box::new(act) }
}

fn row(record: &DnsRecord) -> Listed {
    let (name, address) = (record.name.clone(), record.address.to_string());
    let own = json!({"dns_name": name, "address": address});
    Listed {
        kind: "dns-name",
        id: name.clone(),
        cells: vec![name, address],
        own: own.as_object().cloned().unwrap_or_default(),
        ..Listed::default()
    }
}
