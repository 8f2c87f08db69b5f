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
/// How many keys are taken at a time.
const MOST: usize = 1000;
/// How often the clock is shown.
const SECOND: Duration = Duration::from_secs(1);

/// What the screen is connected with.
pub(super) struct Channels<'a> {
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
pub(super) fn show<B>(
    model: &mut Model,
    terminal: &mut Terminal<B>,
    channels: &Channels<'_>,
) -> io::Result<Left>
where
    B: Backend,
    B::Error: std::error::Error + Send + Sync + 'static,
{
    let mut size = None;
    let mut told: Option<Instant> = None;
    loop {
        let mut news = Vec::new();
        if told.is_none_or(|told| told.elapsed() >= SECOND) {
            told = Some(Instant::now());
            news.push(Event::Tick((channels.moment)()));
        }
        let now = terminal.size().map_err(io::Error::other)?;
        if size.replace(now) != Some(now) {
            news.push(Event::Resize(now.width, now.height));
        }
        if (channels.stop)() {
            return Ok(Left::Stopped);
        }
        // A key means what was to be seen when it was pressed: it comes before what the workers say.
        match typed(channels.keyboard, &mut news)? {
            Typed::Gone => return Ok(Left::HungUp),
            Typed::Anew => terminal.clear().map_err(io::Error::other)?,
            Typed::Keys => {}
        }
        news.extend(channels.events.try_iter());
        if news.is_empty() {
            continue;
        }
        if let Some(left) = hears(model, news, channels.orders) {
            return Ok(left);
        }
        terminal.draw(|frame| draw(model, channels.palette, frame)).map_err(io::Error::other)?;
    }
}

/// The model hears all of that, and its orders are passed on. What was typed behind a key that leaves the screen was meant
/// for what comes next, and is not taken for a command here.
fn hears(model: &mut Model, news: Vec<Event>, orders: &Sender<Order>) -> Option<Left> {
    let mut left = None;
    for event in news {
        if left.is_some() && event.is_typed() {
            continue;
        }
        for order in model.update(event) {
            match order {
                Order::Quit => left = Some(Left::Quit),
                Order::Interrupt => left = Some(Left::Interrupt),
                Order::Attach { target, name, fresh } => left = Some(Left::Attach { target, name, fresh }),
                // Nobody listens any more only when all is over.
                ask @ Order::Ask { .. } => _ = orders.send(ask),
            }
        }
    }
    left
}

/// What came from the keyboard.
enum Typed {
    /// Some keys, or none.
    Keys,
    /// Ctrl-L: all of it is to be drawn once more.
    Anew,
    /// There is no keyboard any more.
    Gone,
}

/// Waits for a key, though not long, and takes all that were pressed since.
fn typed(keyboard: &Stdin, news: &mut Vec<Event>) -> io::Result<Typed> {
    let mut waited = [PollFd::new(keyboard, PollFlags::IN)];
    match poll(&mut waited, Some(&SLICE)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => {}
        Err(error) => return Err(error.into()),
    }
    // The library would read the end of a terminal that has hung up for ever.
    if waited[0].revents().intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
        return Ok(Typed::Gone);
    }
    let mut typed = Typed::Keys;
    for _ in 0..MOST {
        if !event::poll(Duration::ZERO)? {
            break;
        }
        match event::read()? {
            event::Event::Key(key) if is_redraw(key) => typed = Typed::Anew,
            event::Event::Key(key) if key.kind != KeyEventKind::Release => {
                news.push(Event::Key(meaning(key)));
            }
            event::Event::Paste(text) => news.push(Event::Paste(text)),
            _ => {}
        }
    }
    Ok(typed)
}

/// Ctrl-L.
fn is_redraw(key: KeyEvent) -> bool {
    key.code == KeyCode::Char('l') && key.modifiers.contains(KeyModifiers::CONTROL)
}

fn meaning(key: KeyEvent) -> Key {
    let with_control = key.modifiers.contains(KeyModifiers::CONTROL);
    match key.code {
        KeyCode::Char('c') if with_control => Key::Interrupt,
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
    }
}
