//! Shows the green threads of a running program that calls `greenthread::trace::serve`.
//!
//! ```text
//! greenthread-top SOCKET                 look at it; keys: q quit, p pause, s sort, f filter, arrows scroll
//! greenthread-top --once SOCKET          write one picture to standard output and go
//!     --sort id|waited|name|stack    --state all|parked|ready|running|"not started"
//!     --every MILLISECONDS           how often to look, 1000 if not said
//!     --size COLUMNSxROWS            of one picture, 140x50 if not said
//! ```

mod program;
mod view;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use ratatui::backend::TestBackend;
use ratatui::{DefaultTerminal, Terminal};

use program::{Picture, Program};
use view::{ORDERS, STATES, View};

/// What was asked for.
#[derive(Default)]
struct Order {
    /// The program's socket.
    socket: PathBuf,

    /// One picture, as text.
    once: bool,

    /// How it is shown at first.
    view: View,

    /// How often to look; zero for the usual.
    every: Duration,

    /// Columns and rows of one picture.
    size: (u16, u16),
}

const USAGE: &str = "usage: greenthread-top [--once] [--sort id|waited|name|stack] [--state STATE] [--every MS] [--size COLSxROWS] SOCKET";

fn main() -> ExitCode {
    let order = match order(std::env::args().skip(1)) {
        Some(order) => order,
        None => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match if order.once {
        once(&order)
    } else {
        look(&order)
    } {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error}", order.socket.display());
            ExitCode::FAILURE
        }
    }
}

fn order(mut words: impl Iterator<Item = String>) -> Option<Order> {
    let mut order = Order {
        every: Duration::from_secs(1),
        size: (140, 50),
        ..Order::default()
    };
    let place = |names: &[&str], name: String| names.iter().position(|one| *one == name);
    while let Some(word) = words.next() {
        match &*word {
            "--once" => order.once = true,
            "--sort" => order.view.order = place(&ORDERS, words.next()?)?,
            "--state" => order.view.state = place(&STATES, words.next()?)?,
            "--every" => order.every = Duration::from_millis(words.next()?.parse().ok()?),
            "--size" => {
                let size = words.next()?;
                let (columns, rows) = size.split_once('x')?;
                order.size = (columns.parse().ok()?, rows.parse().ok()?);
            }
            other if other.starts_with('-') => return None,
            path => order.socket = path.into(),
        }
    }
    (!order.socket.as_os_str().is_empty()).then_some(order)
}

/// Writes one picture as text.
fn once(order: &Order) -> io::Result<()> {
    let picture = Program::connect(&order.socket)?.picture()?;
    let (columns, rows) = order.size;
    let mut terminal = Terminal::new(TestBackend::new(columns, rows))?;
    terminal.draw(|frame| order.view.draw(frame, &picture, None))?;
    let buffer = terminal.backend().buffer();
    for line in buffer.content().chunks(usize::from(columns)) {
        let line: String = line.iter().map(|cell| cell.symbol()).collect();
        println!("{}", line.trim_end());
    }
    Ok(())
}

/// Shows picture after picture until a key ends it.
fn look(order: &Order) -> io::Result<()> {
    let mut program = Program::connect(&order.socket)?;
    let first = program.picture()?;
    let mut terminal = ratatui::try_init()?;
    let result = turn(&mut terminal, &mut program, order, first);
    ratatui::restore();
    result
}

fn turn(
    terminal: &mut DefaultTerminal,
    program: &mut Program,
    order: &Order,
    first: Picture,
) -> io::Result<()> {
    let (mut view, mut picture, mut before) = (order.view.clone(), first, None);
    let mut looked = Instant::now();
    loop {
        terminal.draw(|frame| view.draw(frame, &picture, before.as_ref()))?;
        let left = order.every.saturating_sub(looked.elapsed());
        // Paused, it still wakes up now and then, which costs nothing.
        let left = if view.paused {
            Duration::from_secs(1)
        } else {
            left
        };
        if event::poll(left)? && obeys(&mut view, &event::read()?) {
            return Ok(());
        }
        if !view.paused && looked.elapsed() >= order.every {
            let next = match program.picture() {
                Ok(next) => next,
                // Let go after a long pause: it may be there still.
                Err(_) => {
                    *program = Program::connect(&order.socket)?;
                    program.picture()?
                }
            };
            before = Some(std::mem::replace(&mut picture, next));
            looked = Instant::now();
        }
    }
}

/// Does what a key asks for; whether it ends.
fn obeys(view: &mut View, event: &Event) -> bool {
    let Event::Key(key) = event else {
        return false;
    };
    let is_interrupt = key.modifiers.contains(KeyModifiers::CONTROL);
    match key.code {
        _ if key.kind == KeyEventKind::Release => {}
        KeyCode::Char('c') if is_interrupt => return true,
        KeyCode::Char('q') | KeyCode::Esc => return true,
        KeyCode::Char('p' | ' ') => view.paused = !view.paused,
        KeyCode::Char('s') => view.order = (view.order + 1) % ORDERS.len(),
        KeyCode::Char('f') => view.state = (view.state + 1) % STATES.len(),
        KeyCode::Down => view.skipped = view.skipped.saturating_add(1),
        KeyCode::Up => view.skipped = view.skipped.saturating_sub(1),
        KeyCode::PageDown => view.skipped = view.skipped.saturating_add(20),
        KeyCode::PageUp => view.skipped = view.skipped.saturating_sub(20),
        KeyCode::Home => view.skipped = 0,
        _ => {}
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossterm::event::KeyEvent;

    #[test]
    fn keys_pause_sort_filter_and_quit() {
        let mut view = View::default();
        let mut press = |code| {
            let key = Event::Key(KeyEvent::new(code, KeyModifiers::NONE));
            (obeys(&mut view, &key), view.clone())
        };
        assert!(press(KeyCode::Char('p')).1.paused);
        assert!(!press(KeyCode::Char('p')).1.paused);
        assert_eq!(press(KeyCode::Char('s')).1.order, 1);
        assert_eq!(press(KeyCode::Char('f')).1.state, 1);
        assert!(press(KeyCode::Char('q')).0);
    }
}
