//! What this is, and which hosts it knows.

use super::{Face, Line, Tone};
use crate::tui::{Health, Model};

pub(super) fn face(model: &Model) -> Face {
    let setup = model.setup();
    let mut lines = vec![
        Line::plain(format!("Version: {}", setup.version)),
        Line::plain(format!("Build:   {}", setup.build)),
        Line::plain(""),
        Line::plain("Hosts:"),
    ];
    let hosts: Vec<_> = model.hosts().collect();
    let width = |part: fn(&crate::tui::Host) -> &str| {
        hosts.iter().map(|(host, _)| part(host).chars().count()).max().unwrap_or_default()
    };
    let (ids, addresses) = (width(|host| &host.id), width(|host| &host.address));
    for (host, health) in &hosts {
        let (words, tone) = match health {
            Health::Unknown => ("asking...".to_owned(), Tone::Faint),
            Health::Up(Some(version)) => (format!("ok, version {version}"), Tone::Plain),
            Health::Up(None) => ("ok".to_owned(), Tone::Plain),
            Health::Down(why) => (format!("unreachable: {why}"), Tone::Wrong),
        };
        lines.push(Line::toned(format!("  {:ids$}  {:addresses$}  {words}", host.id, host.address), tone));
        lines.extend(
            model.remarks(&host.id).iter().map(|remark| Line::toned(format!("    {remark}"), Tone::Wrong)),
        );
    }
    if hosts.is_empty() {
        lines.push(Line::toned("  none", Tone::Faint));
    }
    Face { title: "Settings".into(), lines, keys: "Press any key to continue".into(), alarm: false }
}
