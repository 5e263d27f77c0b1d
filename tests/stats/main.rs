//! What `stats` says goes up by exactly what was done. Each test has an OS thread of its own, so that nobody else is counted.

#[macro_use(apply)]
extern crate macro_rules_attribute;

#[macro_use]
#[path = "../support/mod.rs"]
mod support;

mod prometheus;
mod written;

use std::sync::{Arc, mpsc};
use std::time::Duration;

use greenthread::net::UdpSocket;
use greenthread::sync::{Barrier, Event};
use greenthread::{Runtime, sleep, spawn, stats, timeout, yield_now};

/// Runs a test on an OS thread that has no scheduler yet.
fn fresh(test: impl FnOnce() + Send + 'static) {
    std::thread::spawn(test).join().unwrap();
}

#[test]
#[apply(once)]
fn an_os_thread_that_did_nothing_has_counted_nothing() {
    fresh(|| assert_eq!(stats().here, Default::default()));
}

#[test]
#[apply(once)]
fn spawns_are_counted_once_and_those_alive_until_they_end() {
    fresh(|| {
        let handles: Vec<_> = (0..1000).map(|_| spawn(|| ())).collect();
        let during = stats().here;
        assert_eq!(
            (during.spawned, during.alive, during.ready),
            (1000, 1000, 1000)
        );
        handles.into_iter().for_each(|one| one.join().unwrap());
        let after = stats().here;
        assert_eq!((after.spawned, after.alive, after.ready), (1000, 0, 0));
    });
}

#[test]
#[apply(once)]
fn a_switch_is_counted_for_every_turn_of_a_green_thread_and_of_the_root() {
    fresh(|| {
        let before = stats().here.switches;
        let one = spawn(|| (0..100).for_each(|_| yield_now()));
        one.join().unwrap();
        // Its first turn, one after each `yield_now`, and the root's.
        assert_eq!(stats().here.switches - before, 102);
    });
}

#[test]
#[apply(once)]
fn switches_are_not_forgotten_when_the_line_grows() {
    fresh(|| {
        yield_now();
        let before = stats().here.switches;
        let many: Vec<_> = (0..2000).map(|_| spawn(|| ())).collect();
        assert_eq!(stats().here.switches, before);
        yield_now();
        assert_eq!(stats().here.switches - before, 2001);
        many.into_iter().for_each(|one| one.join().unwrap());
    });
}

#[test]
#[apply(once)]
fn timers_are_counted_while_they_are_set() {
    fresh(|| {
        let runtime = Runtime::builder().virtual_time().build().unwrap();
        runtime.run(|| {
            let before = stats().here.timers;
            let sleeper = spawn(|| sleep(Duration::from_secs(5)));
            yield_now();
            assert_eq!(stats().here.timers - before, 1);
            let within = timeout(Duration::from_secs(1), || stats().here.timers);
            assert_eq!(within.unwrap() - before, 2);
            sleeper.join().unwrap();
            assert_eq!(stats().here.timers, before);
        });
    });
}

#[test]
#[apply(once)]
fn a_wake_from_another_os_thread_is_remote_and_one_from_this_is_local() {
    fresh(|| {
        let event = Arc::new(Event::new());
        let waits = Arc::clone(&event);
        let waiter = spawn(move || waits.wait());
        yield_now();
        let before = stats().here;
        event.set();
        waiter.join().unwrap();
        let after = stats().here;
        assert_eq!(after.wakes_remote, before.wakes_remote);
        // The waiter's, and the root's by its end.
        assert_eq!(after.wakes_local - before.wakes_local, 2);

        event.clear();
        let waits = Arc::clone(&event);
        let waiter = spawn(move || waits.wait());
        yield_now();
        std::thread::spawn(move || event.set()).join().unwrap();
        waiter.join().unwrap();
        assert_eq!(stats().here.wakes_remote, before.wakes_remote + 1);
    });
}

#[test]
#[apply(once)]
fn who_is_unparked_from_another_os_thread_was_woken_from_there() {
    fresh(|| {
        let parked = spawn(greenthread::park);
        yield_now();
        let handle = parked.thread().clone();
        std::thread::spawn(move || handle.unpark()).join().unwrap();
        parked.join().unwrap();
        assert_eq!(stats().here.wakes_remote, 1);
    });
}

#[test]
#[apply(once)]
fn yields_and_parks_are_told_apart() {
    fresh(|| {
        let one = spawn(|| {
            (0..7).for_each(|_| yield_now());
            greenthread::park();
        });
        yield_now();
        one.thread().unpark();
        one.join().unwrap();
        let now = stats().here;
        assert_eq!(now.yields, 8);
        // Its own, if the token did not come first, and the root's in `join`.
        assert_eq!((now.parks, now.parked, now.wakes_local), (1, 0, 1));
    });
}

#[test]
#[apply(once)]
fn parks_are_counted_by_operation() {
    fresh(|| {
        let parks = |operation| {
            let all = stats().parks;
            let found = all.iter().find(|one| one.operation == operation);
            found.map_or(0, |one| one.parks)
        };
        // No other test of this file waits so.
        let name = "Semaphore::acquire_many";
        let before = parks(name);
        let semaphore = Arc::new(greenthread::sync::Semaphore::new(0));
        let waits = Arc::clone(&semaphore);
        let waiter = spawn(move || drop(waits.acquire_many(3)));
        yield_now();
        assert_eq!(stats().here.parked, 1);
        semaphore.release(3);
        waiter.join().unwrap();
        assert_eq!(parks(name) - before, 1);
        assert_eq!(stats().here.parked, 0);
    });
}

#[test]
#[apply(once)]
fn what_an_os_thread_counted_stays_when_it_has_gone() {
    let before = stats().scheduling.spawned;
    fresh(|| {
        let many: Vec<_> = (0..50).map(|_| spawn(|| ())).collect();
        many.into_iter().for_each(|one| one.join().unwrap());
    });
    let after = stats().scheduling;
    assert!(after.spawned - before >= 50, "{after:?}");
}

#[test]
#[apply(once)]
fn an_os_thread_is_listed_while_it_is_there_and_its_numbers_are_seen_from_others() {
    let (send, receive) = mpsc::channel();
    let (stop, stops) = mpsc::channel::<()>();
    let builder = std::thread::Builder::new().name("listed".into());
    let there = builder.spawn(move || {
        let many: Vec<_> = (0..30).map(|_| spawn(|| ())).collect();
        many.into_iter().for_each(|one| one.join().unwrap());
        // Asking notes it, as falling asleep would.
        send.send(stats().here).unwrap();
        stops.recv().unwrap();
    });
    let its_own = receive.recv().unwrap();
    let all = stats().os_threads;
    let listed = |all: &[greenthread::OsThreadStats]| {
        let mut all = all.iter();
        let one = all.find(|one| one.name.as_deref() == Some("listed"))?;
        Some(one.scheduling)
    };
    assert_eq!(listed(&all), Some(its_own));
    assert_eq!(its_own.spawned, 30);
    stop.send(()).unwrap();
    there.unwrap().join().unwrap();
    assert_eq!(listed(&stats().os_threads), None);
}

#[test]
#[apply(once)]
fn workers_have_numbers_of_their_own() {
    let runtime = Runtime::builder().workers(2).build().unwrap();
    runtime.run(|| {
        let both = Arc::new(Barrier::new(2));
        let each = runtime.run_on_each(move |_| {
            both.wait().unwrap();
            (0..600).for_each(|_| yield_now());
        });
        each.into_iter().for_each(|one| one.join().unwrap());
        let workers = stats().workers;
        assert_eq!(workers.len(), 2);
        for worker in &workers {
            // Noted at least once in 512 switches.
            assert!(worker.scheduling.switches >= 80, "{worker:?}");
        }
    });
}

#[test]
#[apply(once)]
fn a_source_is_counted_from_its_first_wait_until_it_is_dropped() {
    fresh(|| {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let polls = stats().here.polls;
        assert_eq!(stats().here.sources, 0);
        let receiver = spawn(move || {
            let heard = timeout(Duration::from_millis(1), || socket.recv(&mut [0; 8]));
            assert!(heard.is_err());
            let during = stats().here;
            drop(socket);
            during
        });
        let during = receiver.join().unwrap();
        assert_eq!(during.sources, 1);
        assert!(during.polls > polls);
        assert_eq!(stats().here.sources, 0);
    });
}

#[test]
#[apply(once)]
fn jobs_of_the_blocking_pool_are_counted_as_they_stand() {
    fresh(|| {
        let runtime = Runtime::builder().blocking_threads(1).build().unwrap();
        runtime.run(|| {
            let before = stats().blocking;
            assert_eq!((before.threads, before.running, before.queued), (0, 0, 0));
            let (begun, begins) = mpsc::channel();
            let (go, goes) = mpsc::channel::<()>();
            let first = greenthread::spawn_blocking(move || {
                begun.send(()).unwrap();
                goes.recv().unwrap();
            });
            begins.recv().unwrap();
            let second = greenthread::spawn_blocking(|| ());
            let during = stats().blocking;
            assert_eq!((during.threads, during.idle), (1, 0));
            assert_eq!((during.running, during.queued), (1, 1));
            go.send(()).unwrap();
            first.join().unwrap();
            second.join().unwrap();
            let after = stats().blocking;
            assert_eq!(after.queued, 0);
            // The second's end may be counted a moment after it is told; the first's was before the second began.
            assert!(after.done == 1 + u64::from(after.running == 0), "{after:?}");
        });
    });
}
