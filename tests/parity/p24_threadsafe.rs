//! An OS thread can post calls and tasks into a running loop, and block until the loop answers.
//!
//! In real time: a virtual clock takes it that no other OS thread takes part.

use std::sync::Arc;
use std::thread;

use greenthread::sync::Queue;
use greenthread::{Spawner, run, sleep, spawn_blocking};

use crate::log::say;
use crate::{Log, U};

type Inbox = Arc<Queue<Option<i32>>>;

fn square(n: i32) -> Result<i32, &'static str> {
    sleep(U);
    if n < 0 { Err("negative") } else { Ok(n * n) }
}

fn call_soon_threadsafe(spawner: &Spawner, inbox: &Inbox, item: Option<i32>) {
    let inbox = Arc::clone(inbox);
    drop(spawner.spawn(move || inbox.try_put(item).unwrap()));
}

fn outside(spawner: &Spawner, inbox: &Inbox) -> Vec<String> {
    for n in [1, 2, 3] {
        call_soon_threadsafe(spawner, inbox, Some(n));
    }
    let mut answers = Vec::new();
    for n in [4, 5, -1] {
        let future = spawner.spawn(move || square(n));
        match future.join().unwrap() {
            Ok(answer) => answers.push(answer.to_string()),
            Err(error) => answers.push(error.to_string()),
        }
    }
    call_soon_threadsafe(spawner, inbox, None);
    answers
}

fn main(log: &Log) {
    let inbox = Inbox::new(Queue::unbounded());
    let (spawner, own) = (Spawner::current(), Arc::clone(&inbox));
    let thread = thread::spawn(move || outside(&spawner, &own));
    while let Some(item) = inbox.get().unwrap() {
        say!(log, "loop: received {item}");
    }
    say!(log, "loop: the thread is finished posting");
    let answers = spawn_blocking(|| thread.join().unwrap()).join().unwrap();
    say!(log, "thread: received {}", answers.join(" "));
}

#[test]
#[apply(on_roots)]
fn says_what_python_says() {
    let log = Log::new();
    run(|| main(&log));
    log.assert_says(include_str!("python/24_threadsafe.out"));
}
