//! A signal handler runs on a green thread after the running one has given way, can be replaced, and removed.
//!
//! A handler is a green thread that receives; to replace or remove it is to cancel that one. Nobody else in this process listens for SIGUSR1.

use std::rc::Rc;

use greenthread::signal::{SIGUSR1, Signals};
use greenthread::sync::Event;
use greenthread::{JoinHandle, sleep, spawn};

use crate::log::say;
use crate::{Log, U, run};

#[expect(unsafe_code, reason = "std cannot raise a signal")]
fn send() {
    // SAFETY: takes a number.
    assert_eq!(unsafe { libc::raise(SIGUSR1) }, 0);
}

/// The handler in force, if there is one.
#[derive(Default)]
struct Handler(Option<JoinHandle<()>>);

impl Handler {
    fn add(&mut self, log: &Log, arrived: &Rc<Event>, word: &'static str) {
        self.remove();
        let (log, arrived) = (log.clone(), Rc::clone(arrived));
        let signals = Signals::new([SIGUSR1]).unwrap();
        let handler = spawn(move || {
            for _ in &signals {
                say!(log, "handler: {word}");
                arrived.set();
            }
        });
        self.0 = Some(handler);
    }

    fn remove(&mut self) -> bool {
        self.0.take().is_some_and(|handler| handler.cancel())
    }
}

fn main(log: &Log) {
    let arrived = Rc::new(Event::new());
    let mut handler = Handler::default();

    handler.add(log, &arrived, "first handler");
    for turn in [1, 2] {
        send();
        let state = if arrived.is_set() {
            "handled"
        } else {
            "not handled yet"
        };
        say!(log, "main: signal {turn} sent, {state}");
        arrived.wait();
        arrived.clear();
    }

    handler.add(log, &arrived, "replacement");
    let sleeper = spawn(|| {
        sleep(6 * U);
        "slept well"
    });
    let later = spawn(|| {
        sleep(2 * U);
        send();
    });
    arrived.wait();
    let state = if sleeper.is_finished() {
        "awake"
    } else {
        "still asleep"
    };
    say!(log, "main: sleeper is {state}");
    say!(log, "main: sleeper {}", sleeper.join().unwrap());
    later.join().unwrap();
    for turn in ["first", "second"] {
        let removed = if handler.remove() {
            "removed"
        } else {
            "nothing to remove"
        };
        say!(log, "{turn} remove: {removed}");
    }
}

#[test]
#[apply(once)]
fn says_what_python_says() {
    let log = Log::new();
    run(|| main(&log));
    log.assert_says(include_str!("python/29_signals.out"));
}
