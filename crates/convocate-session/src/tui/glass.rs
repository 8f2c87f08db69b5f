//! The terminal while it is a screen, and as it was before.

use std::io::{self, Write};
use std::panic::{self, PanicHookInfo};
use std::sync::Arc;
use std::thread;

use crossterm::cursor::{Hide, Show};
use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::execute;
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};

type Hook = Arc<dyn Fn(&PanicHookInfo<'_>) + Send + Sync>;

/// The terminal is a screen as long as this lives.
pub(super) struct Glass;

impl Glass {
    pub(super) fn raise(out: &mut dyn Write) -> io::Result<Self> {
        enable_raw_mode()?;
        let glass = Self;
        // What is pasted is no row of commands.
        let mut out = out;
        execute!(&mut out, EnterAlternateScreen, EnableBracketedPaste, Hide)?;
        Ok(glass)
    }
}

impl Drop for Glass {
    fn drop(&mut self) {
        lower();
    }
}

/// Nobody is left to be told that a terminal which is gone cannot be restored.
fn lower() {
    let _ = execute!(io::stdout(), DisableBracketedPaste, LeaveAlternateScreen, Show);
    let _ = disable_raw_mode();
}

/// As long as this lives, a panic of the thread that draws restores the terminal before it is told. One of another thread
/// is told by whoever waits for that thread: nothing is written across the screen.
pub(super) struct Hooked(Hook);

impl Hooked {
    pub(super) fn new() -> Self {
        let before: Hook = panic::take_hook().into();
        let (drawing, told) = (thread::current().id(), before.clone());
        panic::set_hook(Box::new(move |panic| {
            if thread::current().id() == drawing {
                lower();
                told(panic);
            }
        }));
        Self(before)
    }
}

impl Drop for Hooked {
    fn drop(&mut self) {
        if !thread::panicking() {
            let before = self.0.clone();
            panic::set_hook(Box::new(move |panic| before(panic)));
        }
    }
}
