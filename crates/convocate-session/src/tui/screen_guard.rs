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
pub(super) struct ScreenGuard;

impl ScreenGuard {
    /// `_hooked` proves that a panic of this thread restores the terminal.
    pub(super) fn raise(out: &mut dyn Write, _hooked: &Hooked) -> io::Result<Self> {
        enable_raw_mode()?;
        let guard = Self;
        // What is pasted is no row of commands.
        let mut out = out;
        execute!(&mut out, EnterAlternateScreen, EnableBracketedPaste, Hide)?;
        Ok(guard)
    }
}

impl Drop for ScreenGuard {
    fn drop(&mut self) {
        // The hook has restored it already; a second time would move the cursor back over the panic's message.
        if !thread::panicking() {
            lower();
        }
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

#[cfg(test)]
mod tests {
    use testkit::person::Person;

    use super::*;

    /// Set where the test is run by itself, on a terminal, to make the mistake.
    const MISTAKE: &str = "A_MISTAKE_OF_OURS";

    #[test]
    fn a_mistake_of_ours_leaves_the_terminal_as_it_was() {
        if std::env::var_os(MISTAKE).is_some() {
            let hooked = Hooked::new();
            let _guard = ScreenGuard::raise(&mut io::stdout(), &hooked).unwrap();
            panic!("it was a mistake");
        }
        let folder = tempfile::tempdir().unwrap();
        let ada = Person::sits_down(80, 24);
        let before = ada.notes_settings(&folder.path().join("before"));
        let (program, name) =
            (std::env::current_exe().unwrap(), thread::current().name().unwrap().to_owned());
        ada.types(&format!("clear; {MISTAKE}=1 {} --exact {name} --nocapture", program.display()));
        ada.waits_to_see("it was a mistake");
        assert_eq!(ada.about("#{alternate_on} #{cursor_flag}"), "0 1", "{}", ada.sees());
        assert_eq!(ada.notes_settings(&folder.path().join("after")), before);
    }
}
