//! Delivers a folder to another host. The bench has it delivered so, and takes its time.
//!
//! `deliver openssh USER@HOST PORT KEY KNOWN_HOSTS FOLDER BASE` makes `BASE/delivered` there of the folder here.
#![cfg_attr(not(unix), allow(unused))]

#[cfg(unix)]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    use std::path::Path;
    use std::sync::atomic::AtomicBool;

    use durable_files::Quiet;
    use migration_engine::{Cx, NoProgress, RunId, Slot, perform};
    use remote_transfer::{DeliverTree, Far, Place, Remote, Target, TransportKind, Tree};
    use session_model::Timestamp;

    let words: Vec<String> = std::env::args().skip(1).collect();
    let [transport, host, port, key, known_hosts, source, base] = words.as_slice() else {
        return Err("expected TRANSPORT USER@HOST PORT KEY KNOWN_HOSTS FOLDER BASE".into());
    };
    let (user, host) = host.split_once('@').ok_or("expected USER@HOST")?;
    let target = Target {
        user: Some(user.to_owned()),
        port: Some(port.parse()?),
        identity: Some(key.into()),
        known_hosts: Some(known_hosts.into()),
        ..Target::new(host)
    };
    let transport: TransportKind = serde_json::from_value(transport.as_str().into())?;

    let private = tempfile::tempdir()?; // of a run: what it knows of the delivery stays there
    let cx = Cx { stop: &AtomicBool::new(false), progress: &NoProgress, now: Timestamp::now };
    let slot = Slot::new(RunId::new((cx.now)(), 0), 0, private.path().to_owned());
    let found = Tree::open(Path::new(source))?.walk(&mut Quiet)?.manifest;
    let step = DeliverTree {
        source: Path::new(source).into(),
        expect: found.digest(),
        content: None,
        bytes: found.bytes(),
        host: host.to_owned(),
        place: Place {
            base: base.clone().into_bytes(),
            name: "delivered".to_owned(),
            staging: ".delivered.incoming".to_owned(),
            receipts: ".receipts".to_owned(),
            aside: None,
            lock: None,
        },
        owner: None,
        changes: Vec::new(),
        receipts: Some(private.path().join("receipts").into()),
        note: serde_json::Value::Null,
    };
    let mut there = Remote::new(Far::greet(transport.open(target), &format!("hello-{}", slot.run()))?);
    perform(&step, &mut there, &slot, &cx)?;
    Ok(())
}

#[cfg(not(unix))]
fn main() {}
