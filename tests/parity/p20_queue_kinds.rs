//! A LIFO queue returns the newest item and a priority queue the smallest one, while a plain queue keeps arrival order.

use std::rc::Rc;

use greenthread::sync::Queue;
use greenthread::{sleep, spawn};

use crate::log::say;
use crate::{Log, U, run};

fn drain<T>(queue: &Queue<T>) -> Vec<T> {
    let mut items = Vec::new();
    while let Ok(item) = queue.try_get() {
        items.push(item);
    }
    items
}

fn kinds(log: &Log) {
    let kinds = [
        ("Queue", Queue::unbounded()),
        ("LifoQueue", Queue::lifo()),
        ("PriorityQueue", Queue::priority()),
    ];
    for (name, queue) in kinds {
        for n in [3, 1, 4, 1, 5, 2] {
            queue.put(n).unwrap();
        }
        let items: Vec<String> = drain(&queue).iter().map(i32::to_string).collect();
        say!(log, "{name}: {}", items.join(" "));
    }
}

fn main(log: &Log) {
    kinds(log);

    let jobs = Rc::new(Queue::priority_bounded(2));
    jobs.try_put((5, "sweep")).unwrap();
    jobs.try_put((2, "cook")).unwrap();
    let own = Rc::clone(&jobs);
    let blocked = spawn(move || own.put((1, "alarm")));
    sleep(U);
    let state = if blocked.is_finished() {
        "done"
    } else {
        "blocked"
    };
    say!(log, "third put is {state}");
    let (rank, job) = jobs.get().unwrap();
    say!(log, "took {rank} {job}");
    blocked.join().unwrap().unwrap();
    for (rank, job) in drain(&jobs) {
        say!(log, "then took {rank} {job}");
    }

    let stack = Rc::new(Queue::lifo());
    let own = Rc::clone(&stack);
    let getter = spawn(move || own.get());
    sleep(U);
    stack.try_put("old").unwrap();
    stack.try_put("new").unwrap();
    let got = getter.join().unwrap().unwrap();
    let left = drain(&stack).join(" ");
    say!(log, "the waiting getter took {got} and left {left}");
}

#[test]
#[apply(on_roots)]
fn says_what_python_says() {
    let log = Log::new();
    run(|| main(&log));
    log.assert_says(include_str!("python/20_queue_kinds.out"));
}
