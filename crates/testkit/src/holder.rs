//! A program that has somebody's file open, until it is dropped.

use std::io::Read as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A shell with a file open.
#[derive(Debug)]
pub struct Holder(Child);

impl Holder {
    /// One that has opened this file as the shell's redirections say: `<` to read, `>>` to append.
    pub fn of(file: &Path, how: &str) -> Self {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("exec 3{how}\"$0\"; echo; read _")]).arg(file);
        let mut child = shell.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
        Self(child)
    }

    /// Its id.
    pub fn process(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}
