//! Sessions on this machine from a command line: `local_sessions BASE VERB [ID] [NAME]`. It knows no container engine.

#![allow(clippy::print_stdout, reason = "it is a program, and this is what it says")]

use std::path::PathBuf;

use session_control::{Containers, Holder, Local, LocalHost, Profile, SessionHost, Wishes};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [base, verb, rest @ ..] = &words[..] else { return Err("say a folder and a verb".into()) };
    let none = PathBuf::from("/no/engine");
    let containers = Containers { program: none.clone(), socket: none, ..Containers::default() };
    let mut host = LocalHost::new(Local { containers, ..Local::new(base, Profile::CONVOCATE) });
    let named = |name: &str| Wishes { name: name.to_owned(), port: -1, ..Wishes::default() };
    let session = match (verb.as_str(), rest) {
        ("new", [name]) => host.create(&named(name))?,
        ("edit", [id, name]) => host.edit(&id.parse()?, &named(name))?,
        ("clone", [id, name]) => host.duplicate(&id.parse()?, name)?,
        ("delete", [id]) => return Ok(host.delete(&id.parse()?)?),
        ("override", [id]) => return Ok(host.unlock(&id.parse()?, Holder::Nobody)?),
        ("show", [id]) => host.get(&id.parse()?)?,
        _ => return Err(format!("{verb} is not understood").into()),
    };
    println!("{} {} {}", session.state().letter(), session.uuid, session.name);
    Ok(())
}
