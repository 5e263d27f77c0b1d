//! A full queue blocks its producer, `join` waits for every `task_done`, and the `try_` calls fail instead of waiting.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use greenthread::sync::{Queue, TryGetError, TryPutError};
use greenthread::{sleep, spawn};

use crate::log::say;
use crate::{Log, U, run};

fn producer(log: &Log, queue: &Queue<i32>) {
    for n in [1, 2, 3, 4] {
        queue.put(n).unwrap();
        say!(log, "producer: put {n}, size {}", queue.len());
    }
}

fn consumer(log: &Log, queue: &Queue<i32>) {
    for _ in 0..4 {
        sleep(2 * U);
        say!(log, "consumer: got {}", queue.get().unwrap());
        sleep(U);
        queue.task_done();
    }
}

fn main(log: &Log) {
    let queue = Rc::new(Queue::bounded(2));
    let (own_log, own_queue) = (log.clone(), Rc::clone(&queue));
    let producing = spawn(move || producer(&own_log, &own_queue));
    let (own_log, own_queue) = (log.clone(), Rc::clone(&queue));
    let consuming = spawn(move || consumer(&own_log, &own_queue));
    sleep(U);
    let done = producing.is_finished();
    say!(
        log,
        "main: producer is {}",
        if done { "done" } else { "blocked" }
    );
    if let Err(TryPutError::Full(99)) = queue.try_put(99) {
        say!(log, "main: put_nowait found the queue full");
    }
    queue.join();
    say!(log, "main: joined, size {}", queue.len());
    producing.join().unwrap();
    consuming.join().unwrap();
    if let Err(TryGetError::Empty) = queue.try_get() {
        say!(log, "main: get_nowait found the queue empty");
    }
    if catch_unwind(AssertUnwindSafe(|| queue.task_done())).is_err() {
        say!(log, "main: one task_done too many is an error");
    }
    queue.join();
    say!(log, "main: join on a finished queue returns at once");
}

#[test]
#[apply(on_roots)]
fn says_what_python_says() {
    let log = Log::new();
    run(|| main(&log));
    log.assert_says(include_str!("python/19_queue.out"));
}
