//! Holds the lock of the store in a folder until its input ends: `hold_lock FOLDER`.

#![allow(clippy::print_stdout, reason = "an example is a program")]

use std::error::Error;
use std::io::Read;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use session_store::{Held, Patience};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("usage: hold_lock FOLDER")?;
    let _held = Held::take(Path::new(&folder), &Patience::default(), &AtomicBool::new(false))?;
    println!("held");
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
