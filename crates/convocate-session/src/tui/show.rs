//! The half that draws. It knows a model, a terminal and two channels; nothing here can reach a host, so nothing here
//! ever waits for one.

use std::io::{self, Stdin};
use std::sync::mpsc::{Receiver, Sender};
use std::time::{Duration, Instant};

use crossterm::event::{self, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::Terminal;
use ratatui::backend::Backend;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::{Event, Key, Model, Moment, Order, Palette, Target, draw};

/// How long a key may take to be noticed beside what the workers say.
const SLICE: Timespec = Timespec { tv_sec: 0, tv_nsec: 30_000_000 };
/// How often the clock is shown.
const SECOND: Duration = Duration::from_secs(1);

/// What the screen is connected with.
pub(super) struct Wires<'a> {
    /// Where keys come from.
    pub(super) keyboard: &'a Stdin,
    /// Where orders go.
    pub(super) orders: &'a Sender<Order>,
    /// Where their outcomes come from.
    pub(super) events: &'a Receiver<Event>,
    /// What the clock says.
    pub(super) moment: &'a dyn Fn() -> Moment,
    /// Whether somebody wants the end, by a signal.
    pub(super) stop: &'a dyn Fn() -> bool,
    /// Colours or none.
    pub(super) palette: Palette,
}

/// Why the screen is left.
#[derive(Debug)]
pub(super) enum Left {
    /// Somebody has had enough.
    Quit,
    /// Somebody pressed Ctrl-C.
    Interrupt,
    /// There was a signal.
    Stopped,
    /// The terminal is gone.
    HungUp,
    /// A session has the terminal now.
    Attach { target: Target, name: String, fresh: bool },
}

/// Shows the model until the screen is to be left.
pub(super) fn show<B>(model: &mut Model, terminal: &mut Terminal<B>, wires: &Wires<'_>) -> io::Result<Left>
where
    B: Backend,
    B::Error: std::error::Error + Send + Sync + 'static,
{
    let mut size = None;
    let mut told: Option<Instant> = None;
    loop {
        let mut news: Vec<Event> = wires.events.try_iter().collect();
        if told.is_none_or(|told| told.elapsed() >= SECOND) {
            told = Some(Instant::now());
            news.push(Event::Tick((wires.moment)()));
        }
        let now = terminal.size().map_err(io::Error::other)?;
        if size.replace(now) != Some(now) {
            news.push(Event::Resize(now.width, now.height));
        }
        if (wires.stop)() {
            return Ok(Left::Stopped);
        }
        match typed(wires.keyboard)? {
            Typed::Gone => return Ok(Left::HungUp),
            Typed::Anew => terminal.clear().map_err(io::Error::other)?,
            Typed::Event(event) => news.push(event),
            Typed::Nothing if news.is_empty() => continue,
            Typed::Nothing => {}
        }
        let mut left = None;
        for order in { news }.into_iter().flat_map(|event| model.update(event)) {
            match order {
                Order::Quit => left = Some(Left::Quit),
                Order::Interrupt => left = Some(Left::Interrupt),
                Order::Attach { target, name, fresh } => left = Some(Left::Attach { target, name, fresh }),
                // Nobody listens any more only when all is over.
                ask @ Order::Ask { .. } => _ = wires.orders.send(ask),
            }
        }
        if let Some(left) = left {
            return Ok(left);
        }
        terminal.draw(|frame| draw(model, wires.palette, frame)).map_err(io::Error::other)?;
    }
}

/// What came from the keyboard.
enum Typed {
    Nothing,
    Event(Event),
    /// Ctrl-L: all of it is to be drawn once more.
    Anew,
    /// There is no keyboard any more.
    Gone,
}

/// Waits for a key, though not long.
fn typed(keyboard: &Stdin) -> io::Result<Typed> {
    let mut waited = [PollFd::new(keyboard, PollFlags::IN)];
    match poll(&mut waited, Some(&SLICE)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => {}
        Err(error) => return Err(error.into()),
    }
    // The library would read the end of a terminal that has hung up for ever.
    if waited[0].revents().intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
        return Ok(Typed::Gone);
    }
    if !event::poll(Duration::ZERO)? {
        return Ok(Typed::Nothing);
    }
    Ok(match event::read()? {
        event::Event::Key(key) if key.kind != KeyEventKind::Release => meaning(key),
        event::Event::Paste(text) => Typed::Event(Event::Paste(text)),
        _ => Typed::Nothing,
    })
}

fn meaning(key: KeyEvent) -> Typed {
    let with_control = key.modifiers.contains(KeyModifiers::CONTROL);
    Typed::Event(Event::Key(match key.code {
        KeyCode::Char('c') if with_control => Key::Interrupt,
        KeyCode::Char('l') if with_control => return Typed::Anew,
        KeyCode::Char(c) if !with_control && !key.modifiers.contains(KeyModifiers::ALT) => Key::Char(c),
        KeyCode::Enter => Key::Enter,
        KeyCode::Esc => Key::Esc,
        KeyCode::Tab => Key::Tab,
        KeyCode::BackTab => Key::BackTab,
        KeyCode::Backspace => Key::Backspace,
        KeyCode::Delete => Key::Delete,
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::Left => Key::Left,
        KeyCode::Right => Key::Right,
        KeyCode::Home => Key::Home,
        KeyCode::End => Key::End,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        _ => Key::Other,
    }))
}
