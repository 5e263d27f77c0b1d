//! A bounded queue hands each item to exactly one consumer thread, and one sentinel for each consumer stops them all.
//!
//! The threads are the system's own: the queue serves them as it serves green threads.

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use greenthread::sync::{GetTimeoutError, PutTimeoutError, Queue};

use crate::Log;
use crate::log::say;

const LIMIT: Duration = Duration::from_millis(20);

type Items = Arc<Queue<Option<u32>>>;

type Shared<T> = Arc<Mutex<Vec<T>>>;

fn producer(items: &Items) {
    for n in 1..=12 {
        items.put(Some(n)).unwrap();
    }
    for _ in 0..3 {
        items.put(None).unwrap();
    }
}

fn consumer(name: String, items: &Items, consumed: &Shared<u32>, stopped: &Shared<String>) {
    while let Some(n) = items.get().unwrap() {
        consumed.lock().unwrap().push(n * n);
        items.task_done();
    }
    stopped.lock().unwrap().push(name);
    items.task_done();
}

fn sorted<T: Ord + ToString>(list: &Shared<T>) -> String {
    let mut list = list.lock().unwrap();
    list.sort_unstable();
    let words: Vec<String> = list.iter().map(T::to_string).collect();
    words.join(" ")
}

fn main(log: &Log) {
    let items = Items::new(Queue::bounded(4));
    let (consumed, stopped) = (Shared::default(), Shared::default());
    let mut threads: Vec<_> = (1..=3)
        .map(|n| {
            let (items, consumed) = (Arc::clone(&items), Arc::clone(&consumed));
            let stopped = Arc::clone(&stopped);
            thread::spawn(move || consumer(format!("c{n}"), &items, &consumed, &stopped))
        })
        .collect();
    let own = Arc::clone(&items);
    threads.push(thread::spawn(move || producer(&own)));
    for t in threads {
        t.join().unwrap();
    }
    items.join();
    say!(log, "consumed: {}", sorted(&consumed));
    let (stopped, left) = (sorted(&stopped), items.len());
    say!(log, "stopped: {stopped} leaving {left} items");
    if let Err(GetTimeoutError::Elapsed) = items.get_timeout(LIMIT) {
        say!(log, "get with a timeout found it empty");
    }
    for n in 0..4 {
        items.put(Some(n)).unwrap();
    }
    if let Err(PutTimeoutError::Elapsed(_)) = items.put_timeout(Some(4), LIMIT) {
        say!(log, "put with a timeout found it full");
    }
}

#[test]
#[apply(on_workers)]
fn says_what_python_says() {
    let log = Log::new();
    main(&log);
    log.assert_says(include_str!("python/30_threads_queue.out"));
}
