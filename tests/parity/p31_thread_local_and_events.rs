//! Locals are kept apart, an event and a condition wake blocked threads, and a reentrant lock may be taken again by its owner.
//!
//! The threads are the system's own: locals, event, condition and lock serve them as they serve green threads.

use std::sync::{Arc, Mutex as StdMutex};
use std::thread;
use std::time::Duration;

use greenthread::green_local;
use greenthread::sync::{Condvar, Event, Mutex, ReentrantMutex};

use crate::Log;
use crate::log::say;

const LIMIT: Duration = Duration::from_millis(20);

green_local! {
    static NAME: Option<String> = None;
}

type Basket = Arc<(Mutex<Vec<&'static str>>, Condvar)>;

fn isolated(n: u32, event: &Event, results: &StdMutex<Vec<String>>) {
    let before = NAME.with(|name| {
        if name.is_some() {
            "something"
        } else {
            "nothing"
        }
    });
    NAME.set(Some(format!("name{n}")));
    event.wait();
    let name = NAME.get().unwrap();
    let line = format!("thread {n} found {before}, then {name}");
    results.lock().unwrap().push(line);
}

fn taker(basket: &Basket) {
    let (basket, cond) = &**basket;
    let mut basket = basket.lock();
    cond.wait_while(&mut basket, |basket| basket.len() != 2);
    basket.push("receipt");
}

fn main(log: &Log) {
    NAME.set(Some(String::from("main")));
    let event = Arc::new(Event::new());
    let basket = Basket::new((Mutex::new(Vec::new()), Condvar::new()));
    let results = Arc::new(StdMutex::new(Vec::new()));
    let waited = match event.wait_timeout(LIMIT) {
        Ok(()) => "set",
        Err(_) => "timed out",
    };
    say!(log, "event wait with a timeout: {waited}");
    let mut threads: Vec<_> = [1, 2]
        .into_iter()
        .map(|n| {
            let (event, results) = (Arc::clone(&event), Arc::clone(&results));
            thread::spawn(move || isolated(n, &event, &results))
        })
        .collect();
    let own = Arc::clone(&basket);
    threads.push(thread::spawn(move || taker(&own)));
    event.set();
    for item in ["egg", "milk"] {
        basket.0.lock().push(item);
        basket.1.notify_all();
    }
    for t in threads {
        t.join().unwrap();
    }
    results.lock().unwrap().sort_unstable();
    for line in results.lock().unwrap().iter() {
        say!(log, "{line}");
    }
    say!(log, "main keeps {}", NAME.get().unwrap());
    say!(log, "basket: {}", basket.0.lock().join(" "));
    twice(log);
}

fn twice(log: &Log) {
    let rlock = Arc::new(ReentrantMutex::new(()));
    let _first = rlock.lock();
    let _second = rlock.lock();
    say!(log, "main: took the lock twice");
    let own = Arc::clone(&rlock);
    let other = thread::spawn(move || own.lock_timeout(2 * LIMIT).is_ok());
    let taken = other.join().unwrap();
    let end = if taken {
        "took it too"
    } else {
        "had to give up"
    };
    say!(log, "another thread {end}");
}

#[test]
#[apply(on_workers)]
fn says_what_python_says() {
    let log = Log::new();
    main(&log);
    log.assert_says(include_str!("python/31_thread_local_and_events.out"));
}
