//! Nothing that anything is called is ever run, by no script and over no transport.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use migration_engine::{Changed, Item, Look, StepError, Worlds};
use remote_transfer::{DeliverTree, Far, Remote, Target, TransportKind};
use session_model::Finding;
use testkit::sshd::Sshd;

use crate::ends::{Ends, Link, apply, cx};
use crate::transports::target;

const NAMES: [&str; 10] = [
    "$(touch pwned)",
    "`touch pwned`",
    "; touch pwned #",
    "'; touch pwned; '",
    "\"; touch pwned; \"",
    "a\ntouch pwned\n",
    "-rf",
    "--checkpoint-action=exec=touch pwned",
    "| touch pwned",
    "%s\\n$IFS ~ * ? [a]",
];

/// A real link to this machine.
pub(crate) struct Over<'a>(pub(crate) TransportKind, pub(crate) &'a Sshd);

impl Worlds<DeliverTree> for Over<'_> {
    fn world(&self, _lane: usize) -> Result<Remote, StepError> {
        Ok(Remote::new(Far::greet(self.0.open(target(self.1)), NAMES[0])?))
    }

    fn judge(&self, _world: &mut Remote, _item: &Item) -> Vec<Finding> {
        Vec::new()
    }
}

/// Whether anything was run: in the folders here, or where one is after a login.
fn assert_nothing_was_run(ends: &Ends) {
    let mut find = Command::new("find");
    let found = find.arg(ends.folder.path()).args(["-name", "pwned"]).output().unwrap().stdout;
    assert!(found.is_empty(), "{}", String::from_utf8_lossy(&found));
    for place in [std::env::home_dir().unwrap(), std::env::current_dir().unwrap()] {
        assert!(!place.join("pwned").exists(), "something was run in {}", place.display());
    }
}

/// Through every script there is: a delivery that goes on after a break, is looked at, and is taken back.
fn everything(kind: TransportKind, base: &str, tree: &str) {
    let sshd = Sshd::start(&[]);
    let (over, mut ends) = (Over(kind, &sshd), Ends::called([base, tree]));
    ends.owner = Some("root".to_owned());
    for name in NAMES {
        let folder = ends.source().join(format!("folder {name}"));
        fs::create_dir(&folder).unwrap();
        for path in [ends.source().join(name), folder.join(name)] {
            fs::write(&path, name).unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(0o400)).unwrap();
        }
        std::os::unix::fs::symlink(name, folder.join("link")).unwrap();
        fs::hard_link(ends.source().join(name), folder.join(format!("again {name}"))).unwrap();
        fs::set_permissions(folder, fs::Permissions::from_mode(0o511)).unwrap();
    }
    fs::write(ends.source().join("EMPTY"), "").unwrap(); // beside `empty`: whether that is one name has to be tried
    let run = ends.run();
    assert!(apply(&run, &Link { bytes: Some(80_000), ..Link::default() }).is_err());
    let staged = ends.base().join(format!("{tree}.incoming")).join(tree);
    for name in NAMES {
        fs::write(staged.join(format!("{name} more")), "what does not belong there").unwrap();
    }
    run.apply(&over, 1, &cx()).unwrap();
    ends.assert_arrived();
    assert!(run.verify(&over, Look::Full, &cx()).unwrap().passes());
    let mut far = Far::greet(kind.open(target(&sshd)), tree).unwrap();
    for name in NAMES {
        fs::create_dir(ends.base().join(name)).unwrap();
        fs::write(ends.base().join(name).join(name), name).unwrap();
        let path = ends.base().into_os_string().into_encoded_bytes();
        let collected = far.collect(&path, name).unwrap();
        let found = collected.iter().any(|it| *it == (name.as_bytes().to_vec(), name.as_bytes().to_vec()));
        assert!(found, "{name:?}: {collected:?}");
        fs::remove_dir_all(ends.base().join(name)).unwrap();
    }
    run.undo(&over, Changed::Refuse, &cx()).unwrap();
    assert!(ends.base_is_empty());
    assert_nothing_was_run(&ends);
}

/// A user that there is not is given nothing, and none that is logged in as is run.
fn users(kind: TransportKind) {
    let sshd = Sshd::start(&[]);
    for name in NAMES.into_iter().step_by(2) {
        let mut ends = Ends::small();
        ends.owner = Some(name.to_owned());
        let run = ends.run();
        let receipt = run.apply(&Over(kind, &sshd), 1, &cx()).unwrap();
        assert_eq!(receipt.summary().failed, 1, "{name:?}");
        let stranger = Target { user: Some(name.to_owned()), ..target(&sshd) };
        assert!(Far::greet(kind.open(stranger), "a-word").is_err(), "{name:?}");
        assert_nothing_was_run(&ends);
    }
}

fn all(kind: TransportKind) {
    everything(kind, "$(touch pwned)`touch pwned`; touch pwned #", "'; touch pwned; '\n\"$(touch pwned)\"");
    everything(kind, "-rf \\ '\"\n", "-rf `touch pwned`");
    users(kind);
}

#[test]
fn whatever_anything_is_called_it_is_never_run_over_openssh() {
    all(TransportKind::OpenSsh);
}

#[cfg(feature = "libssh2")]
#[test]
fn whatever_anything_is_called_it_is_never_run_over_libssh2() {
    all(TransportKind::LibSsh2);
}
