//! Notify wakes that many waiters in waiting order, `notify_all` wakes the rest, and `wait_while` rechecks its condition.

use std::rc::Rc;

use greenthread::sync::{Condvar, Mutex};
use greenthread::{JoinHandle, sleep, spawn, yield_now};

use crate::log::say;
use crate::{Log, U, run};

/// A condition and what it guards.
#[derive(Debug, Default)]
struct Room {
    stock: Mutex<Vec<&'static str>>,
    changed: Condvar,
}

fn waiter(log: &Log, name: &str, room: &Room) {
    let mut held = room.stock.lock();
    room.changed.wait(&mut held);
    let state = if room.stock.is_locked() {
        "held"
    } else {
        "free"
    };
    say!(log, "{name}: woken, lock {state}");
}

fn buyer(log: &Log, room: &Room, need: usize) {
    let mut stock = room.stock.lock();
    room.changed
        .wait_while(&mut stock, |stock| stock.len() < need);
    let taken: Vec<_> = stock.drain(..need).collect();
    say!(log, "buyer: took {}", taken.join(" "));
}

fn create_waiter(log: &Log, name: &'static str, room: &Rc<Room>) -> JoinHandle<()> {
    let (log, room) = (log.clone(), Rc::clone(room));
    spawn(move || waiter(&log, name, &room))
}

fn main(log: &Log) {
    let room = Rc::new(Room::default());
    let tasks = ["w1", "w2", "w3", "w4"].map(|name| create_waiter(log, name, &room));
    for count in [1, 0, 9] {
        sleep(U);
        let _held = room.stock.lock();
        if count < 9 {
            say!(log, "main: notify {count}");
            (0..count).for_each(|_| room.changed.notify_one());
        } else {
            say!(log, "main: notify all");
            room.changed.notify_all();
        }
        say!(log, "main: still holding the lock");
    }
    for task in tasks {
        task.join().unwrap();
    }
    let (own_log, own_room) = (log.clone(), Rc::clone(&room));
    let task = spawn(move || buyer(&own_log, &own_room, 2));
    for item in ["apple", "pear", "plum"] {
        sleep(U);
        let mut stock = room.stock.lock();
        stock.push(item);
        let state = if task.is_finished() {
            "done"
        } else {
            "waiting"
        };
        say!(log, "main: stocked {item}, buyer {state}");
        room.changed.notify_one();
    }
    say!(log, "left in stock: {}", room.stock.lock().join(" "));
    log.instead(
        "notify without the lock is an error",
        notify_needs_no_lock(&room),
    );
}

/// In place of the error: notifying without the lock is allowed, wakes one who waits and leaves nothing behind when nobody does, and the woken one holds the lock.
fn notify_needs_no_lock(room: &Rc<Room>) -> bool {
    room.changed.notify_one();
    let own = Rc::clone(room);
    let waiting = spawn(move || {
        let mut held = own.stock.lock();
        own.changed.wait(&mut held);
        own.stock.is_locked()
    });
    yield_now();
    let not_kept = !waiting.is_finished() && !room.stock.is_locked();
    room.changed.notify_one();
    waiting.join().unwrap() && not_kept
}

#[test]
#[apply(on_roots)]
fn says_what_python_says() {
    let log = Log::new();
    run(|| main(&log));
    log.assert_says(include_str!("python/16_condition.out"));
}
