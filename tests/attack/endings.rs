//! OS threads that end, and `run`s that are left, with work suspended in every place (L1, L11, L19, D2).

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use greenthread::generator::Generator;
use greenthread::sync::{Condvar, Event, Mutex, Semaphore};
use greenthread::{Runtime, park, run, scope, shield, spawn, yield_now};

use crate::child;

/// A value that a thread-local's end takes away: whoever reads it later finds out.
struct Lent(Box<AtomicU32>);

impl Lent {
    fn new() -> Self {
        Lent(Box::new(AtomicU32::new(7)))
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        self.0.store(0, Ordering::SeqCst);
    }
}

thread_local! {
    static LENT: Lent = Lent::new();
}

/// Waited for by those who are to outlive an OS thread.
#[derive(Default)]
struct Signals {
    begun: AtomicBool,
    go_on: Event,
    seen: AtomicU32,
}

/// A green thread that lends what a thread-local holds to a child on a worker, which reads it when it is told to go on.
fn lend(signals: &Arc<Signals>) {
    let signals = Arc::clone(signals);
    drop(spawn(move || {
        LENT.with(|lent| {
            scope(|s| {
                let signals = &*signals;
                s.spawn_anywhere(move || {
                    shield(|| {
                        signals.begun.store(true, Ordering::SeqCst);
                        signals.go_on.wait();
                        signals
                            .seen
                            .store(lent.0.load(Ordering::SeqCst), Ordering::SeqCst);
                    });
                });
            });
        });
    }));
}

#[test]
fn l11_a_run_inside_a_generator_that_is_forgotten_lends_nothing_out() {
    let signals = Arc::<Signals>::default();
    let theirs = Arc::clone(&signals);
    let refused = thread::spawn(move || {
        let g = Generator::<(), (), ()>::new(move |y| {
            run(|| {
                lend(&theirs);
                while !theirs.begun.load(Ordering::SeqCst) {
                    yield_now();
                }
                y.yield_(());
            });
        });
        let refused = catch_unwind(AssertUnwindSafe(|| g.start())).is_err();
        std::mem::forget(g);
        refused
    });
    assert!(
        refused.join().unwrap(),
        "`run` returned before those that it ran had ended"
    );
}

#[test]
fn l11_a_run_that_a_deadlock_ends_lends_nothing_out() {
    let name = "endings::l11_a_run_that_a_deadlock_ends_lends_nothing_out";
    let ended = child::run(name, || {
        let signals = Arc::<Signals>::default();
        let theirs = Arc::clone(&signals);
        let ran = thread::spawn(move || {
            let builder = Runtime::builder()
                .workers(1)
                .only_our_threads()
                .shutdown_limit(Duration::from_millis(50));
            let runtime = builder.build().unwrap();
            let ran = catch_unwind(AssertUnwindSafe(|| {
                runtime.run(|| {
                    lend(&theirs);
                    while !theirs.begun.load(Ordering::SeqCst) {
                        yield_now();
                    }
                });
            }));
            std::mem::forget(runtime);
            ran.is_err()
        });
        let left_early = ran.join().unwrap();
        signals.go_on.set();
        while left_early && signals.seen.load(Ordering::SeqCst) == 0 {
            thread::sleep(Duration::from_millis(1));
        }
        eprintln!("left early: {left_early}");
    });
    ended.aborted();
    ended.said("deadlock");
}

/// Ends an OS thread with `wait` parked on a primitive that is in a thread-local, which goes first.
fn left_on_a_primitive_in_a_thread_local<T: 'static>(
    key: &'static thread::LocalKey<Box<T>>,
    wait: fn(&T),
) {
    thread::spawn(move || {
        yield_now();
        for _ in 0..3 {
            drop(spawn(move || key.with(|primitive| wait(primitive))));
        }
        yield_now();
    })
    .join()
    .unwrap();
}

#[test]
fn l19_those_who_wait_on_a_primitive_in_a_thread_local_are_abandoned_without_it() {
    let name =
        "endings::l19_those_who_wait_on_a_primitive_in_a_thread_local_are_abandoned_without_it";
    let ended = child::run(name, || {
        thread_local! {
            static EVENT: Box<Event> = Box::default();
            static SEMAPHORE: Box<Semaphore> = Box::new(Semaphore::new(0));
            static MUTEX: Box<Mutex<u8>> = Box::default();
            static CONDVAR: Box<(Mutex<u8>, Condvar)> = Box::default();
        }
        left_on_a_primitive_in_a_thread_local(&EVENT, Event::wait);
        left_on_a_primitive_in_a_thread_local(&SEMAPHORE, |s| drop(s.acquire()));
        left_on_a_primitive_in_a_thread_local(&MUTEX, |m| {
            let _guard = m.lock();
            park();
        });
        left_on_a_primitive_in_a_thread_local(&CONDVAR, |(m, c)| c.wait(&mut m.lock()));
        eprintln!("still here");
    });
    ended.succeeded();
    ended.said("still here");
}

#[test]
fn l1_a_generator_that_is_parked_in_a_thread_local_is_leaked_with_its_os_thread() {
    thread_local! {
        static OWNER: RefCell<Option<Generator<(), (), ()>>> = const { RefCell::new(None) };
    }
    let (sender, receiver) = mpsc::channel::<()>();
    thread::spawn(move || {
        drop(spawn(move || {
            OWNER.with(|owner| {
                *owner.borrow_mut() = Some(Generator::new(move |_| {
                    let _kept = sender;
                    park();
                }));
                owner.borrow().as_ref().unwrap().start();
            });
        }));
        yield_now();
    })
    .join()
    .unwrap();
    // Neither run to its end nor dropped: whoever waited for it would wait for ever.
    assert_eq!(receiver.try_recv(), Err(mpsc::TryRecvError::Empty));
}

#[test]
fn a_runs_own_settings_end_with_it_whatever_is_left_by_forgetting() {
    let dropped = Cell::new(0);
    for _ in 0..3 {
        run(|| {
            let handle = spawn(park);
            std::mem::forget(handle);
            std::mem::forget(spawn(|| ()).shared());
            dropped.set(dropped.get() + 1);
        });
    }
    assert_eq!(dropped.get(), 3);
}
