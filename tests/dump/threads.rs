//! Dumps of several OS threads.

use std::sync::Arc;
use std::sync::mpsc;

use greenthread::dump::State;
use greenthread::sync::Event;
use greenthread::{Builder, Spawner, dump, park, run, spawn, yield_now};

#[test]
#[apply(once)]
fn green_threads_of_another_os_thread_are_seen_with_their_traces() {
    #[inline(never)]
    fn parks_over_there() {
        park();
        std::hint::black_box(());
    }
    let stop = Arc::new(Event::new());
    let (told, tell) = mpsc::channel();
    let other = {
        let stop = Arc::clone(&stop);
        let builder = std::thread::Builder::new().name("over there".into());
        builder.spawn(move || {
            run(|| {
                let parked = Builder::new()
                    .name("there".into())
                    .spawn(parks_over_there)
                    .unwrap();
                yield_now();
                told.send(parked.thread().clone()).unwrap();
                stop.wait();
                parked.thread().unpark();
                parked.join().unwrap();
            });
        })
    };
    let there = tell.recv().unwrap();
    let other_number = run(|| {
        let dump = dump();
        let seen = dump.get(there.id()).unwrap();
        assert_eq!((seen.state, seen.operation), (State::Parked, Some("park")));
        assert!(seen.frames().any(|frame| {
            frame
                .function
                .as_ref()
                .is_some_and(|name| name.contains("parks_over_there"))
        }));
        let number = seen.os_thread;
        let thread = dump
            .os_threads
            .iter()
            .find(|thread| thread.number == number);
        assert_eq!(thread.unwrap().name.as_deref(), Some("over there"));
        assert!(thread.unwrap().answered);
        number
    });
    stop.set();
    other.unwrap().join().unwrap();
    // It has gone, and nobody waits for it.
    assert!(
        dump()
            .os_threads
            .iter()
            .all(|thread| thread.number != other_number)
    );
}

#[test]
#[apply(once)]
fn an_os_thread_that_does_not_come_to_its_loop_is_named_with_who_runs_on_it() {
    #[inline(never)]
    fn holds_it_up(until: &mpsc::Receiver<()>) {
        let _ = until.recv();
        std::hint::black_box(());
    }
    let (go, wait) = mpsc::channel::<()>();
    let (told, tell) = mpsc::channel();
    let builder = std::thread::Builder::new().name("held up".into());
    let other = builder.spawn(move || {
        let holder = Builder::new().name("holder".into()).spawn(move || {
            told.send(()).unwrap();
            holds_it_up(&wait);
        });
        holder.unwrap().join().unwrap();
    });
    tell.recv().unwrap();
    let dump = dump();
    let is_it = |thread: &&greenthread::dump::OsThread| thread.name.as_deref() == Some("held up");
    let thread = dump.os_threads.iter().find(is_it).unwrap();
    assert!(!thread.answered);
    let text = dump.to_string();
    assert!(
        text.contains("\"held up\" [running: it reached no wait point in time"),
        "{text}"
    );
    if cfg!(any(target_arch = "x86_64", target_arch = "aarch64")) {
        let running = thread.running.as_ref().unwrap();
        assert!(running.label.contains("(\"holder\")"), "{}", running.label);
        assert!(running.spawned_at.file().ends_with("threads.rs"));
        assert!(text.contains("holds_it_up"), "{text}");
        assert!(dump.to_json().contains("holds_it_up"));
    }
    drop(go);
    other.unwrap().join().unwrap();
}

#[test]
#[apply(once)]
fn a_plain_os_thread_may_ask_and_several_at_once() {
    let parked = Arc::new(Event::new());
    let spawner = Spawner::current();
    let askers: Vec<_> = (0..4)
        .map(|_| std::thread::spawn(|| (0..5).map(|_| dump().green_threads.len()).min()))
        .collect();
    let waits = {
        let parked = Arc::clone(&parked);
        spawner.spawn(move || parked.wait())
    };
    yield_now();
    for _ in 0..5 {
        assert!(dump().get(waits.thread().id()).is_some());
    }
    parked.set();
    waits.join().unwrap();
    for asker in askers {
        // Itself at least.
        assert!(asker.join().unwrap() >= Some(1));
    }
}

#[test]
#[apply(once)]
fn green_threads_that_ask_at_the_same_time_all_get_a_dump() {
    run(|| {
        let askers: Vec<_> = (0..8)
            .map(|_| spawn(|| dump().green_threads.len()))
            .collect();
        for asker in askers {
            assert!(asker.join().unwrap() >= 2);
        }
    });
}

#[test]
#[apply(once)]
fn green_threads_on_workers_are_seen_and_a_circle_across_them_is_found() {
    let runtime = greenthread::Runtime::builder().workers(2).build().unwrap();
    runtime.run(|| {
        let locks = [0, 1].map(|_| Arc::new(greenthread::sync::Mutex::new(())));
        let both = Arc::new(greenthread::sync::Barrier::new(2));
        let takers = [0, 1].map(|place| {
            let (first, second) = (Arc::clone(&locks[place]), Arc::clone(&locks[1 - place]));
            let both = Arc::clone(&both);
            greenthread::spawn_anywhere(move || {
                let _first = first.lock();
                both.wait().unwrap();
                let _second = second.lock();
            })
        });
        let ids = takers.each_ref().map(|taker| taker.thread().id());
        // Until both have come to their second lock.
        let dump = loop {
            let dump = dump();
            let waits = |id: &u64| {
                let seen = dump.get(*id);
                seen.is_some_and(|seen| seen.operation == Some("Mutex::lock"))
            };
            if ids.iter().all(waits) {
                break dump;
            }
        };
        assert_eq!(dump.circles, [ids]);
        let seen = ids.map(|id| dump.get(id).unwrap().clone());
        assert_eq!(seen[0].waits_for, [ids[1]]);
        assert!(
            seen.iter()
                .all(|seen| seen.os_thread != 0 && seen.frames().count() > 3)
        );
        takers[0].cancel();
        for taker in takers {
            let _ = taker.join();
        }
    });
}
