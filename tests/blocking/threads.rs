//! The OS threads: how many, what they are called, when they come and go.

use std::collections::BTreeSet;
use std::sync::mpsc::{self, Sender};
use std::time::Duration;

use greenthread::blocking::Pool;
use greenthread::{JoinHandle, Runtime, spawn_blocking};

use crate::{Busy, own_name};

thread_local! {
    /// Dropped when the OS thread ends.
    static AT_END: std::cell::RefCell<Option<Sender<()>>> = const { std::cell::RefCell::new(None) };
}

/// A job that has its OS thread drop `end` when that ends.
fn tell_end(end: Sender<()>) -> impl FnOnce() -> String + Send {
    move || {
        AT_END.set(Some(end));
        own_name()
    }
}

#[test]
#[apply(on_workers)]
fn a_pool_grows_to_its_bound_and_no_further() {
    let pool = Pool::new(3).name("bounded");
    let busy: Vec<Busy> = (0..3).map(|_| Busy::on(&pool)).collect();
    let queued: Vec<JoinHandle<String>> = (0..5).map(|_| pool.spawn(own_name)).collect();
    assert!(queued.iter().all(|job| !job.is_finished()));
    for job in busy {
        job.end().join().unwrap();
    }
    let names: BTreeSet<String> = queued.into_iter().map(|job| job.join().unwrap()).collect();
    let hired: BTreeSet<String> = (1..=3).map(|n| format!("bounded-{n}")).collect();
    assert!(names.is_subset(&hired), "{names:?}");
}

#[test]
#[apply(on_workers)]
fn jobs_begin_in_the_order_in_which_they_were_spawned() {
    let pool = Pool::new(1);
    let busy = Busy::on(&pool);
    let (send, received) = mpsc::channel();
    for n in 0..20 {
        let send = send.clone();
        drop(pool.spawn(move || send.send(n).unwrap()));
    }
    drop(send);
    busy.end().join().unwrap();
    assert!(received.iter().eq(0..20));
}

#[test]
#[apply(on_workers)]
fn an_idle_os_thread_is_used_again() {
    let pool = Pool::new(8).name("again");
    for _ in 0..10 {
        // The handle is over a moment before the OS thread is idle: whoever comes in between may have another one hired.
        let name = pool.spawn(own_name).join().unwrap();
        assert!(name.starts_with("again-"), "{name}");
    }
    let busy = Busy::on(&pool);
    let name = pool.spawn(own_name).join().unwrap();
    assert!(name.starts_with("again-"), "{name}");
    busy.end().join().unwrap();
}

#[test]
#[apply(on_roots)]
fn an_os_thread_that_idles_for_too_long_goes_and_another_comes_when_needed() {
    let runtime = Runtime::builder().blocking_idle(Duration::from_millis(1));
    let runtime = runtime.build().unwrap();
    runtime.run(|| {
        let (end, ended) = mpsc::channel::<()>();
        let first = spawn_blocking(tell_end(end)).join().unwrap();
        assert!(ended.recv().is_err(), "it ends without any work");
        let second = spawn_blocking(own_name).join().unwrap();
        assert_eq!(first, "greenthread-blocking-1");
        assert_eq!(second, "greenthread-blocking-2");
    });
}

#[test]
#[apply(on_roots)]
fn a_runtime_bounds_its_own_pool() {
    let runtime = Runtime::builder().blocking_threads(1).build().unwrap();
    runtime.run(|| {
        let busy = Busy::with(|work| spawn_blocking(work));
        let queued = spawn_blocking(own_name);
        let queued = queued.join_timeout(Duration::from_millis(1)).unwrap_err();
        busy.end().join().unwrap();
        assert_eq!(queued.join().unwrap(), "greenthread-blocking-1");
    });
}

#[test]
#[apply(on_roots)]
fn outside_a_runtime_with_a_pool_jobs_go_to_the_pool_of_the_process() {
    let runtime = Runtime::builder().blocking_threads(1).build().unwrap();
    let busy = runtime.run(|| Busy::with(|work| spawn_blocking(work)));
    assert_eq!(spawn_blocking(|| 1).join().unwrap(), 1);
    busy.end().join().unwrap();
}

#[test]
#[apply(on_workers)]
fn os_threads_of_a_pool_are_named_after_it() {
    assert_eq!(
        Pool::new(1).name("disk").spawn(own_name).join().unwrap(),
        "disk-1"
    );
    assert_eq!(Pool::new(1).spawn(own_name).join().unwrap(), "blocking-1");
    let name = spawn_blocking(own_name).join().unwrap();
    assert!(name.starts_with("greenthread-blocking-"), "{name}");
}

#[test]
#[apply(on_workers)]
fn dropping_a_pool_ends_its_os_threads() {
    let pool = Pool::new(1);
    let (end, ended) = mpsc::channel::<()>();
    pool.spawn(tell_end(end)).join().unwrap();
    drop(pool);
    assert!(ended.recv().is_err());
}

#[test]
#[apply(on_workers)]
fn many_jobs_from_many_os_threads_all_run_once() {
    let pool = std::sync::Arc::new(Pool::new(4));
    let spawners: Vec<_> = (0..4)
        .map(|part| {
            let pool = std::sync::Arc::clone(&pool);
            std::thread::spawn(move || {
                let jobs: Vec<_> = (0..250)
                    .map(|n| pool.spawn(move || part * 250 + n))
                    .collect();
                jobs.into_iter()
                    .map(|job| job.join().unwrap())
                    .collect::<Vec<_>>()
            })
        })
        .collect();
    let mut all: Vec<i32> = spawners
        .into_iter()
        .flat_map(|spawner| spawner.join().unwrap())
        .collect();
    all.sort_unstable();
    assert!(all.into_iter().eq(0..1000));
}
