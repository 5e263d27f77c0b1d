//! Where green threads of `spawn_anywhere` run.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use greenthread::{
    Builder, JoinSet, Runtime, current, gather, run, sleep, spawn, spawn_anywhere, stats, yield_now,
};

use crate::help::{Held, here, on_workers, own_name, with_workers};

#[test]
#[apply(on_roots)]
fn inside_a_run_it_runs_on_a_worker_of_the_runtime_and_not_on_the_callers_os_thread() {
    let (name, inner, nested) = on_workers(2, || {
        let outer = spawn_anywhere(|| {
            let nested = spawn_anywhere(own_name).join().unwrap();
            (own_name(), here(), nested)
        });
        outer.join().unwrap()
    });
    assert!(name.starts_with("greenthread-worker-"), "{name}");
    assert!(nested.starts_with("greenthread-worker-"), "{nested}");
    assert_ne!(inner, here());
}

#[test]
#[apply(on_roots)]
fn outside_of_such_a_run_it_runs_on_the_workers_of_the_process() {
    let other = with_workers(1);
    let of_other = other.run(|| spawn_anywhere(here).join().unwrap());
    let (first, second) = (spawn_anywhere(here), spawn_anywhere(here));
    for worker in [first.join().unwrap(), second.join().unwrap()] {
        assert_ne!(worker, here());
        assert_ne!(worker, of_other);
    }
    assert!(run(|| spawn_anywhere(own_name).join().unwrap()).starts_with("greenthread-worker-"));
}

#[test]
#[apply(on_roots)]
fn once_begun_it_stays_on_its_worker_through_every_wait() {
    let moved = on_workers(3, || {
        let wanderer = || {
            let begun = here();
            let mut places = vec![];
            for _ in 0..20 {
                yield_now();
                places.push(here());
                spawn_anywhere(yield_now).join().unwrap();
                places.push(here());
                sleep(Duration::from_micros(50));
                places.push(here());
            }
            places.iter().filter(|place| **place != begun).count()
        };
        let all: Vec<_> = (0..12).map(|_| spawn_anywhere(wanderer)).collect();
        gather(all)
    });
    assert!(moved.into_iter().all(|moved| moved.unwrap() == 0));
}

#[test]
#[apply(on_roots)]
fn with_one_worker_held_the_others_begin_what_comes() {
    on_workers(2, || {
        let held = Held::one();
        for _ in 0..50 {
            assert_ne!(spawn_anywhere(here).join().unwrap(), held.worker);
        }
        held.let_go();
    });
}

#[test]
#[apply(on_roots)]
fn work_that_waits_behind_a_busy_worker_is_taken_by_an_idle_one() {
    on_workers(2, || {
        let (tell, told) = mpsc::channel();
        let held = Held::one_that_first(move || {
            // Into the tray of the worker that is about to be held.
            for _ in 0..30 {
                let tell = tell.clone();
                spawn_anywhere(move || tell.send(here()).unwrap());
            }
        });
        let begun_on: HashSet<_> = (0..30).map(|_| told.recv().unwrap()).collect();
        assert_eq!(begun_on.len(), 1);
        assert!(!begun_on.contains(&held.worker));
        held.let_go();
        let placed = stats().workers;
        assert_eq!(placed.iter().map(|worker| worker.begun).sum::<usize>(), 31);
        let from_others: usize = placed.iter().map(|worker| worker.from_others).sum();
        assert_eq!(from_others, 30);
    });
}

#[test]
#[apply(on_roots)]
fn with_all_workers_held_work_waits_and_is_begun_by_the_first_that_is_let_go() {
    on_workers(2, || {
        let (first, second) = (Held::one(), Held::one());
        assert_ne!(first.worker, second.worker);
        let waiting: Vec<_> = (0..10).map(|_| spawn_anywhere(here)).collect();
        assert_eq!(stats().unplaced, 10);
        assert!(waiting.iter().all(|handle| !handle.is_finished()));
        let free = second.worker;
        second.let_go();
        for handle in waiting {
            assert_eq!(handle.join().unwrap(), free);
        }
        assert_eq!(stats().unplaced, 0);
        first.let_go();
    });
}

#[test]
#[apply(on_roots)]
fn a_busy_worker_takes_new_work_between_the_turns_of_those_it_has() {
    on_workers(1, || {
        let spins = spawn_anywhere(|| {
            let begun = spawn_anywhere(|| ());
            while !begun.is_finished() {
                yield_now();
            }
        });
        spins.join().unwrap();
    });
}

#[test]
#[apply(on_roots)]
fn timers_are_served_while_work_to_begin_never_ends() {
    on_workers(1, || {
        let waits = spawn_anywhere(|| {
            let timer = spawn(|| sleep(Duration::from_millis(1)));
            // Each link begins the next, so there is always work, and never anybody in line.
            let stop = Arc::new(AtomicBool::new(false));
            fn link(stop: Arc<AtomicBool>) {
                if !stop.load(Ordering::Relaxed) {
                    spawn_anywhere(move || link(stop));
                }
            }
            let seen = Arc::clone(&stop);
            spawn_anywhere(move || link(seen));
            timer.join().unwrap();
            stop.store(true, Ordering::Relaxed);
        });
        waits.join().unwrap();
    });
}

#[test]
#[apply(on_roots)]
fn a_job_of_many_is_shared_by_all_workers() {
    let sum: u64 = on_workers(3, || {
        let parts: Vec<_> = (0..3_000_u64).map(|n| spawn_anywhere(move || n)).collect();
        gather(parts).into_iter().map(Result::unwrap).sum()
    });
    assert_eq!(sum, 2_999 * 3_000 / 2);
}

#[test]
#[apply(on_roots)]
fn local_spawns_on_a_worker_stay_there_and_need_no_send() {
    on_workers(2, || {
        let local = spawn_anywhere(|| {
            let shared = std::rc::Rc::new(std::cell::Cell::new(0));
            let own = std::rc::Rc::clone(&shared);
            let child = spawn(move || {
                own.set(7);
                here()
            });
            (child.join().unwrap() == here(), shared.get())
        });
        assert_eq!(local.join().unwrap(), (true, 7));
    });
}

#[test]
#[apply(on_roots)]
fn a_builders_name_and_stack_size_go_along() {
    on_workers(1, || {
        let builder = Builder::new().name("far".into()).stack_size(1 << 20);
        let deep = builder.spawn_anywhere(|| {
            let room = std::hint::black_box([1_u8; 600 << 10]);
            (
                current().name().map(String::from),
                room.iter().map(|byte| u64::from(*byte)).sum::<u64>(),
            )
        });
        let (name, sum) = deep.unwrap().join().unwrap();
        assert_eq!(name.as_deref(), Some("far"));
        assert_eq!(sum, 600 << 10);
    });
}

#[test]
#[apply(on_roots)]
fn a_builder_refuses_a_name_with_a_nul_and_a_stack_that_no_one_can_have() {
    on_workers(1, || {
        let named = Builder::new().name("a\0b".into());
        let error = named.spawn_anywhere(|| ()).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
        let huge = Builder::new().stack_size(usize::MAX / 2);
        let error = huge.spawn_anywhere(|| ()).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    });
}

#[test]
#[apply(on_roots)]
fn a_join_set_spawns_on_workers_too() {
    on_workers(2, || {
        let mut set = JoinSet::new();
        for n in 1..=4 {
            set.spawn_anywhere(move || (n, own_name()));
        }
        let mut sum = 0;
        while let Some(result) = set.join_next() {
            let (n, name) = result.unwrap();
            assert!(name.starts_with("greenthread-worker-"), "{name}");
            sum += n;
        }
        assert_eq!(sum, 10);
    });
}

#[test]
#[apply(on_roots)]
fn under_virtual_time_it_runs_on_the_callers_os_thread() {
    let runtime = Runtime::builder().virtual_time().build().unwrap();
    let slept = runtime.run(|| {
        let far = spawn_anywhere(|| {
            sleep(Duration::from_secs(3600));
            here()
        });
        far.join().unwrap()
    });
    assert_eq!(slept, here());
}

#[test]
#[apply(on_roots)]
fn a_runtimes_stack_size_holds_on_its_workers() {
    let runtime = Runtime::builder().workers(1).stack_size(1 << 20);
    let sum = runtime.build().unwrap().run(|| {
        let deep = spawn_anywhere(|| {
            let room = std::hint::black_box([1_u8; 600 << 10]);
            room.iter().map(|byte| u64::from(*byte)).sum::<u64>()
        });
        deep.join().unwrap()
    });
    assert_eq!(sum, 600 << 10);
}
