//! Whatever is done to sessions, in whatever order: the disk has what a few lines say it has.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use session_control::{
    Containers, Holder, HostError, Local, LocalHost, Profile, SessionHost, SessionId, Wishes, valid_dns_name,
    valid_name, valid_port, valid_protocol,
};
use session_model::SessionJson;

/// What there is to do. A session is meant by its place among those that there are.
#[derive(Debug, Clone)]
enum Deed {
    Create(Wishes),
    Edit(usize, Wishes),
    Duplicate(usize, &'static str),
    Delete(usize),
    Unlock(usize),
    Start(usize),
}

fn wishes() -> impl Strategy<Value = Wishes> {
    let name = prop::sample::select(vec!["a", "b c", "v1.2_x-y", "", "a/b"]);
    let port = prop::sample::select(vec![-2, -1, 0, 53, 1001, 1002, 65536]);
    let protocol = prop::sample::select(vec!["", "tcp", " UDP", "sctp"]);
    let dns_name = prop::sample::select(vec!["", "", "a", "A", "b.c", "-"]);
    (name, port, protocol, dns_name).prop_map(|(name, port, protocol, dns_name)| Wishes {
        name: name.into(),
        port,
        protocol: protocol.into(),
        dns_name: dns_name.into(),
    })
}

fn deed() -> impl Strategy<Value = Deed> {
    let which = 0..6_usize;
    prop_oneof![
        4 => wishes().prop_map(Deed::Create),
        4 => (which.clone(), wishes()).prop_map(|(which, wishes)| Deed::Edit(which, wishes)),
        2 => (which.clone(), prop::sample::select(vec!["copy", " "])).prop_map(|(which, name)| Deed::Duplicate(which, name)),
        2 => which.clone().prop_map(Deed::Delete),
        1 => which.clone().prop_map(Deed::Unlock),
        1 => which.prop_map(Deed::Start),
    ]
}

/// A session as it should be: name, port, protocol and DNS name.
type Said = (String, i64, String, String);

/// The sessions as they should be.
#[derive(Debug, Default)]
struct Model(BTreeMap<SessionId, Said>);

impl Model {
    /// What a session may say that has said this before, or why not, by the code of the refusal.
    fn grant(&self, wishes: &Wishes, own: Option<&SessionId>) -> Result<Said, &'static str> {
        let invalid = "invalid";
        let name = valid_name(&wishes.name).map_err(|_| invalid)?.to_owned();
        let protocol = valid_protocol(&wishes.protocol).map_err(|_| invalid)?.to_owned();
        let mut port = valid_port(wishes.port).map_err(|_| invalid)?;
        let dns_name = valid_dns_name(&wishes.dns_name).map_err(|_| invalid)?;
        let others: Vec<&Said> =
            self.0.iter().filter(|(id, _)| Some(*id) != own).map(|(_, said)| said).collect();
        if port == -1 {
            port = (1001..2000).find(|port| others.iter().all(|said| said.1 != *port)).unwrap();
        }
        if port != 0 && others.iter().any(|said| said.1 == port && said.2 == protocol) {
            return Err("port-taken");
        }
        if !dns_name.is_empty() && others.iter().any(|said| said.3 == dns_name) {
            return Err("dns-taken");
        }
        Ok((name, port, protocol, dns_name))
    }

    fn nth(&self, which: usize) -> Option<SessionId> {
        self.0.keys().nth(which % self.0.len().max(1)).cloned()
    }

    /// Does it in both worlds, and tells how it should end and how it did.
    fn does(
        &mut self,
        host: &mut LocalHost,
        deed: &Deed,
    ) -> (Result<(), &'static str>, Result<(), HostError>) {
        let missing: SessionId = "3f0c1d2e-5b6a-4c7d-8e9f-0a1b2c3d4e5f".parse().unwrap();
        let one = |which: usize| self.nth(which).ok_or("no-such-session");
        match deed {
            Deed::Create(wishes) => {
                let made = host.create(wishes);
                let granted = self.grant(wishes, None);
                if let (Ok(made), Ok(said)) = (&made, &granted) {
                    assert!(self.0.insert(made.id().unwrap(), said.clone()).is_none());
                }
                (granted.map(drop), made.map(drop))
            }
            Deed::Edit(which, wishes) => {
                let id = one(*which);
                let edited = host.edit(id.as_ref().unwrap_or(&missing), wishes);
                let granted = id.and_then(|id| Ok((self.grant(wishes, Some(&id))?, id)));
                let expected = granted.map(|(said, id)| drop(self.0.insert(id, said)));
                (expected, edited.map(drop))
            }
            Deed::Duplicate(which, name) => {
                let id = valid_name(name).map_err(|_| "invalid").and(one(*which));
                let source = one(*which).unwrap_or(missing);
                let copied = host.duplicate(&source, name);
                if let (Ok(copied), Ok(id)) = (&copied, &id) {
                    let said = ((*name).to_owned(), 0, self.0[id].2.clone(), String::new());
                    self.0.insert(copied.id().unwrap(), said);
                }
                (id.map(drop), copied.map(drop))
            }
            Deed::Delete(which) => {
                let id = one(*which);
                let deleted = host.delete(id.as_ref().unwrap_or(&missing));
                (id.map(|id| drop(self.0.remove(&id))), deleted)
            }
            Deed::Unlock(which) => {
                let id = one(*which);
                (
                    id.as_ref().map_or_else(|why| Err(*why), |_| Err("not-locked")),
                    host.unlock(id.as_ref().unwrap_or(&missing), Holder::Nobody),
                )
            }
            Deed::Start(which) => {
                let id = one(*which); // there is no engine
                (
                    id.as_ref().map_or_else(|why| Err(*why), |_| Err("no-claude")),
                    host.restart(id.as_ref().unwrap_or(&missing)),
                )
            }
        }
    }

    /// What lies there is what should, and nothing else does.
    fn is_at(&self, base: &Path) {
        let mut found = BTreeMap::new();
        for entry in std::fs::read_dir(base).unwrap() {
            let id: SessionId = entry.unwrap().file_name().to_str().unwrap().parse().unwrap();
            let text = std::fs::read(base.join(id.as_str()).join("session.json")).unwrap();
            let document = SessionJson::parse(&text).unwrap();
            let fields = document.fields().clone();
            assert_eq!(fields.uuid, id.as_str());
            found.insert(id, (fields.name, fields.port, fields.protocol, fields.dns_name));
        }
        assert_eq!(found, self.0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_done_to_sessions_each_is_as_was_last_said_of_it(deeds in prop::collection::vec(deed(), 1..20)) {
        let folder = testkit::crash::place();
        let none = PathBuf::from("/no/engine");
        let containers = Containers { program: none.clone(), socket: none.clone(), ..Containers::default() };
        let local = Local { containers, claude: none, ..Local::new(folder.path(), Profile::CONVOCATE) };
        let (mut host, mut model) = (LocalHost::new(local), Model::default());
        for deed in &deeds {
            let (expected, answer) = model.does(&mut host, deed);
            prop_assert_eq!(answer.map_err(|error| error.code()), expected, "{:?}", deed);
            model.is_at(folder.path());
            let listed: Vec<_> = host.list().unwrap().into_iter().map(|session| session.id().unwrap()).collect();
            prop_assert_eq!(listed, model.0.keys().cloned().collect::<Vec<_>>());
        }
    }
}
