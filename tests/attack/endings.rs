//! OS threads that end, and `run`s that are left, with work suspended in every place (L1, L11, L19, D2).

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use greenthread::generator::Generator;
use greenthread::sync::{Condvar, Event, Mutex, Semaphore};
use greenthread::{Runtime, fs, green_local, park, run, scope, shield, spawn, yield_now};

use crate::child;
use crate::support::teardown;

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
    stays: AtomicBool,
    go_on: Event,
    seen: AtomicU32,
}

/// A green thread that lends what a thread-local holds to a child on a worker, which reads it when it is told to go on.
fn lend(signals: &Arc<Signals>) {
    let signals = Arc::clone(signals);
    drop(spawn(move || {
        LENT.with(|lent| {
            scope(|s| {
                let (signals, here) = (&*signals, thread::current().id());
                s.spawn_anywhere(move || {
                    shield(|| {
                        let stays = thread::current().id() == here;
                        signals.stays.store(stays, Ordering::SeqCst);
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
#[apply(on_workers)]
fn l11_a_run_inside_a_generator_that_is_forgotten_lends_nothing_out() {
    let signals = Arc::<Signals>::default();
    let theirs = Arc::clone(&signals);
    let left = thread::spawn(move || {
        let g = Generator::<(), (), ()>::new(move |y| {
            run(|| {
                lend(&theirs);
                while !theirs.begun.load(Ordering::SeqCst) {
                    yield_now();
                }
                y.yield_(());
            });
        });
        g.start();
        std::mem::forget(g);
    });
    left.join().unwrap();
    assert!(signals.stays.load(Ordering::SeqCst), "lent to a worker");
    signals.go_on.set();
    assert_eq!(signals.seen.load(Ordering::SeqCst), 0, "it is abandoned");
}

#[test]
#[apply(on_roots)]
fn a_run_inside_a_generator_is_ended_by_whoever_closes_that_its_own_green_threads_too() {
    let ended = Rc::new(Cell::new(false));
    let told = Rc::clone(&ended);
    let g = Rc::new(Generator::<(), (), ()>::new(move |y| {
        run(|| {
            spawn(move || {
                let _told = Tells(told);
                park();
            });
            yield_now();
            y.yield_(());
        });
    }));
    g.start();
    let own = Rc::clone(&g);
    let closer = spawn(move || {
        own.close();
        own.is_finished() && ended.get()
    });
    assert!(closer.join().unwrap());
    assert_eq!(run(|| 7), 7);
}

/// Tells when it is dropped.
struct Tells(Rc<Cell<bool>>);

impl Drop for Tells {
    fn drop(&mut self) {
        self.0.set(true);
    }
}

#[test]
#[apply(once)]
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
#[apply(once)]
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
#[apply(on_workers)]
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
#[apply(on_workers)]
fn l16_bytes_in_a_thread_local_that_the_pool_writes_outlive_it() {
    /// Wiped when its OS thread ends.
    struct Wiped(Vec<u8>);
    impl Drop for Wiped {
        fn drop(&mut self) {
            self.0.fill(b'x');
        }
    }
    thread_local! {
        static TEXT: Wiped = Wiped(vec![b'a'; 40_000]);
    }
    let folder = greenthread::fs::TempDir::new().unwrap();
    let fifo = folder.path().join("fifo");
    assert!(
        std::process::Command::new("mkfifo")
            .arg(&fifo)
            .status()
            .unwrap()
            .success()
    );
    let theirs = fifo.clone();
    thread::spawn(move || {
        // The pool opens it when there is a reader: after the end of this OS thread.
        drop(spawn(move || TEXT.with(|text| fs::write(theirs, &text.0))));
        yield_now();
    })
    .join()
    .unwrap();
    assert_eq!(std::fs::read(&fifo).unwrap(), [b'a'; 40_000]);
}

/// Does things when its OS thread ends, in a destructor.
struct Last(Cell<Option<Box<dyn FnOnce()>>>);

impl Drop for Last {
    fn drop(&mut self) {
        if let Some(last) = self.0.take() {
            last();
        }
    }
}

thread_local! {
    static LAST: Last = const { Last(Cell::new(None)) };
}

#[test]
#[apply(on_workers)]
fn l11_scopes_and_runs_in_thread_local_destructors_end_before_they_are_left() {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        yield_now();
        LAST.with(|last| {
            last.0.set(Some(Box::new(move || {
                let mut parts = [0; 3];
                scope(|s| {
                    for part in &mut parts {
                        drop(s.spawn(|| {
                            yield_now();
                            *part += 1;
                        }));
                    }
                    let words = String::from("on the way out");
                    drop(s.spawn_anywhere(move || words.len()));
                });
                run(|| drop(spawn(park)));
                sender.send(parts).unwrap();
            })));
        });
    })
    .join()
    .unwrap();
    assert_eq!(receiver.recv(), Ok([1; 3]));
}

#[test]
#[apply(once)]
fn l18_a_panic_in_the_last_destructor_of_an_os_thread_ends_the_process_as_everywhere() {
    let name = "endings::l18_a_panic_in_the_last_destructor_of_an_os_thread_ends_the_process_as_everywhere";
    let ended = child::run(name, || {
        let _ = thread::spawn(|| {
            yield_now();
            LAST.with(|last| {
                last.0.set(Some(Box::new(|| {
                    drop(spawn(|| panic!("harmless")));
                    yield_now();
                    panic!("in a thread-local's destructor");
                })));
            });
        })
        .join();
    });
    ended.aborted();
    ended.said("panicked and nobody joined it: harmless");
    ended.said("in a thread-local's destructor");
}

#[test]
#[apply(on_workers)]
fn l19_handles_of_an_abandoned_os_thread_answer_from_everywhere() {
    let (handles, greens, spawner) = thread::spawn(|| {
        let handles = [spawn(park), spawn(|| shield(park)), spawn(|| ())];
        yield_now();
        let greens: Vec<_> = handles
            .iter()
            .map(|handle| handle.thread().clone())
            .collect();
        (handles, greens, greenthread::Spawner::current())
    })
    .join()
    .unwrap();
    for green in greens {
        green.unpark();
        assert!(green.is_finished() && !green.cancel());
    }
    assert!(spawner.spawn(|| 1).join().unwrap_err().is_abandoned());
    for handle in handles {
        handle.on_finish(|_| unreachable!("it has not ended"));
        let ended = thread::spawn(move || handle.join()).join().unwrap();
        assert!(ended.is_ok() || ended.unwrap_err().is_abandoned());
    }
}

#[test]
#[apply(on_roots)]
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

green_local! {
    /// What drives a generator when it is dropped.
    static DRIVES: Option<Rc<Drives>> = None;
}

green_local! {
    /// A number.
    static NUMBER: u32 = 0;
}

/// Drives its generator on when it is dropped.
struct Drives(Rc<Generator<(), (), ()>>);

impl Drop for Drives {
    fn drop(&mut self) {
        if !self.0.is_finished() {
            self.0.send(());
        }
    }
}

/// A generator that stands inside a `run`.
fn inside_a_run() -> Rc<Generator<(), (), ()>> {
    let g = Rc::new(Generator::<(), (), ()>::new(|y| run(|| y.yield_(()))));
    g.start();
    g
}

#[test]
#[apply(on_roots)]
fn l18_a_local_value_whose_drop_ends_the_run_in_a_generator_is_dropped_once() {
    for set_before in [false, true] {
        let ended = greenthread::spawn_blocking(move || {
            if set_before {
                DRIVES.set(None);
            }
            let g = inside_a_run();
            DRIVES.set(Some(Rc::new(Drives(Rc::clone(&g)))));
        });
        let ended = ended.join_timeout(Duration::from_secs(60));
        ended.expect("an OS thread of the pool died").unwrap();
        thread::spawn(|| {
            yield_now();
            DRIVES.set(Some(Rc::new(Drives(inside_a_run()))));
        })
        .join()
        .unwrap();
    }
    assert_eq!(run(|| 7), 7);
}

#[test]
#[apply(on_roots)]
fn a_run_in_a_generator_that_swallows_its_close_is_given_up_by_the_next_run() {
    let ended = Rc::new(Cell::new(false));
    let told = Rc::clone(&ended);
    let outer = NUMBER.get();
    let g = Generator::<(), (), ()>::new(move |y| {
        let runtime = Runtime::builder().virtual_time().build().unwrap();
        runtime.run(|| {
            spawn(move || {
                let _told = Tells(told);
                park();
            });
            yield_now();
            NUMBER.set(outer + 1);
            while catch_unwind(AssertUnwindSafe(|| y.yield_(()))).is_err() {}
        });
    });
    g.start();
    teardown::leaves_stacks(1);
    let nested = catch_unwind(|| run(|| 7));
    assert!(nested.is_err(), "it may go on as long as somebody has it");
    drop(g);
    assert!(!ended.get());
    let before = greenthread::time::now();
    assert_eq!(run(|| spawn(|| 7).join().unwrap()), 7);
    assert!(ended.get(), "what it left behind has ended");
    assert_eq!(NUMBER.get(), outer, "the values are those from before");
    assert!(greenthread::time::now() > before, "time is real again");
    assert!(run(run_is_nested));
}

fn run_is_nested() -> bool {
    catch_unwind(|| run(|| ())).is_err()
}
