//! A worker pool: waiting getters are served in turn, join waits for the backlog, and idle workers end only by cancel.

use std::cell::RefCell;
use std::rc::Rc;

use greenthread::sync::Queue;
use greenthread::{JoinHandle, gather, sleep, spawn};

use crate::log::say;
use crate::{Finally, Log, U, run};

/// Items, and who did them.
type Done = RefCell<Vec<(u32, &'static str)>>;

fn worker(log: &Log, name: &'static str, queue: &Queue<u32>, done: &Done) {
    let _finally = Finally(|| say!(log, "{name}: stops"));
    loop {
        let item = queue.get().unwrap();
        say!(log, "{name}: takes {item}");
        sleep(3 * U);
        done.borrow_mut().push((item, name));
        queue.task_done();
    }
}

fn producer(log: &Log, queue: &Queue<u32>) {
    for item in 1..8 {
        queue.put(item).unwrap();
    }
    say!(log, "producer: all items are in");
}

fn main(log: &Log) {
    let (queue, done) = (Rc::new(Queue::unbounded()), Rc::new(Done::default()));
    let workers = ["w1", "w2", "w3"].map(|name| {
        let (log, queue, done) = (log.clone(), Rc::clone(&queue), Rc::clone(&done));
        spawn(move || worker(&log, name, &queue, &done))
    });
    sleep(U);
    producer(log, &queue);
    queue.join();
    let count = done.borrow().len();
    say!(log, "main: joined with {count} items done");
    let waiting = workers.iter().filter(|w| !w.is_finished()).count();
    say!(log, "main: workers still waiting: {waiting}");
    workers.iter().for_each(|w: &JoinHandle<()>| {
        w.cancel();
    });
    let results = gather(workers);
    let cancelled = results
        .iter()
        .filter(|result| result.as_ref().is_err_and(|error| error.is_cancelled()));
    say!(log, "main: workers cancelled: {}", cancelled.count());
    done.borrow_mut().sort_unstable();
    for (item, name) in done.borrow().iter() {
        say!(log, "item {item} was done by {name}");
    }
}

#[test]
#[apply(on_roots)]
fn says_what_python_says() {
    let log = Log::new();
    run(|| main(&log));
    log.assert_says(include_str!("python/21_queue_workers.out"));
}
