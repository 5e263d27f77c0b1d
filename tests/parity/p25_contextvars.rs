//! A task copies its creator's context when it is created, so later changes on either side stay invisible to the other.
//!
//! A context variable is an inherited `green_local!`. The context that `copy_context` takes is that of a green thread: the copy is made by the spawn, and the
//! variable is read from it later.

use greenthread::{JoinHandle, green_local, sleep, spawn, spawn_blocking};

use crate::log::say;
use crate::{Log, U, run};

green_local! {
    #[inherit]
    static USER: &'static str = "nobody";
}

fn child(log: &Log, name: &str, rename: Option<&'static str>) {
    say!(log, "{name}: starts as {}", USER.get());
    if let Some(rename) = rename {
        USER.scope(rename, || {
            sleep(U);
            say!(log, "{name}: now {}", USER.get());
        });
    }
    sleep(U);
    say!(log, "{name}: ends as {}", USER.get());
}

fn create_task(log: &Log, name: &'static str, rename: Option<&'static str>) -> JoinHandle<()> {
    let log = log.clone();
    spawn(move || child(&log, name, rename))
}

fn main(log: &Log) {
    say!(log, "main: default {}", USER.get());
    USER.set("alice");
    let first = create_task(log, "first", None);
    USER.set("bob");
    let second = create_task(log, "second", Some("carol"));
    USER.set("dave");
    first.join().unwrap();
    second.join().unwrap();
    say!(log, "main: after both tasks {}", USER.get());
    child(log, "plain await", None);
    let there = spawn_blocking(|| USER.get()).join().unwrap();
    say!(log, "in a worker thread: {there}");
    let snapshot = spawn(|| USER.get());
    USER.set("erin");
    let (then, now) = (snapshot.join().unwrap(), USER.get());
    say!(log, "snapshot still has {then} while main has {now}");
    let own = log.clone();
    drop(spawn(move || say!(own, "callback sees {}", USER.get())));
    USER.set("frank");
    sleep(U);
}

#[test]
#[apply(on_roots)]
fn says_what_python_says() {
    let log = Log::new();
    run(|| main(&log));
    say!(log, "outside the loop: {}", USER.get());
    log.assert_says(include_str!("python/25_contextvars.out"));
}
