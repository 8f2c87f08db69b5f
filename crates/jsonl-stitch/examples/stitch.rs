//! What the loaders would show of a transcript, and with a second argument a stitched copy there:
//! `cargo run --release --example stitch -- SESSION.jsonl [COPY.jsonl]`.

#![allow(clippy::print_stdout, reason = "an example talks")]

use std::error::Error;
use std::fs::File;
use std::path::PathBuf;

use jsonl_stitch::load::{Limits, Load, Loader};
use jsonl_stitch::{Options, Spliced, check, decide};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let transcript = arguments.next().ok_or("usage: stitch SESSION.jsonl [COPY.jsonl]")?;
    let stem = transcript.file_stem().unwrap_or_default().to_string_lossy();

    let checked = check(File::open(&transcript)?, &stem, Limits::default())?;
    checked.loads.iter().for_each(say);
    let Some(copy) = arguments.next() else { return Ok(()) };

    let decision = decide(checked, &Loader::ALL, Options::default(), || File::open(&transcript))?;
    println!("{:?}, edits: {:?}", decision.why, decision.kinds());
    decision.after.iter().for_each(say);
    let splices = decision.splices();
    let mut stitched = Spliced::new(File::open(&transcript)?, &splices)?;
    std::io::copy(&mut stitched, &mut File::create_new(copy)?)?;
    Ok(())
}

fn say(load: &Load) {
    println!("{}: shows {} of {} rows ({})", load.loader.name(), load.shown, load.of, load.strategy);
    for (loss, extent) in &load.lost {
        let code = loss.code();
        println!(
            "  {code}: {} rows, from line {} to line {}",
            extent.rows, extent.first_line, extent.last_line
        );
    }
}
