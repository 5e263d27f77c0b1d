//! An event blocks until set, wakes every waiter in waiting order, stays open until cleared, and then blocks again.

use std::rc::Rc;

use greenthread::sync::Event;
use greenthread::{JoinHandle, sleep, spawn};

use crate::log::say;
use crate::{Log, U, run, yes};

fn waiter(log: &Log, name: &str, event: &Event) {
    say!(log, "{name}: waiting");
    event.wait();
    say!(log, "{name}: goes on");
}

fn create_task(log: &Log, name: String, event: &Rc<Event>) -> JoinHandle<()> {
    let (log, event) = (log.clone(), Rc::clone(event));
    spawn(move || waiter(&log, &name, &event))
}

fn main(log: &Log) {
    let event = Rc::new(Event::new());
    say!(log, "set at first: {}", yes(event.is_set()));
    let tasks = [1, 2, 3].map(|n| create_task(log, format!("w{n}"), &event));
    sleep(U);
    say!(log, "main: set");
    event.set();
    event.set();
    say!(log, "main: nobody has run yet");
    for task in tasks {
        task.join().unwrap();
    }
    waiter(log, "late", &event);
    event.clear();
    say!(log, "set after clear: {}", yes(event.is_set()));
    let task = create_task(log, String::from("again"), &event);
    sleep(U);
    say!(log, "main: again is done: {}", yes(task.is_finished()));
    event.set();
    task.join().unwrap();
}

#[test]
#[apply(on_roots)]
fn says_what_python_says() {
    let log = Log::new();
    run(|| main(&log));
    log.assert_says(include_str!("python/14_event.out"));
}
